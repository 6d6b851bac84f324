"""Whole numbers as people write them: 1000000, 1e6, 1.5M, 500k."""

import fractions
import re

from absl import flags

# Longer ones are no counts, and would take long to compute.
_NUMBER = re.compile(r"([+-]?\d{0,30}(?:\.\d{0,30})?(?:[eE][+-]?\d{1,2})?)([kKMG]?)")
_FACTORS = {"": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9}


class CountParser(flags.IntegerParser):
    """Parses a whole number, with an exponent or one of k, M and G where it is long."""

    def convert(self, argument: int | str) -> int:
        """Returns the number.

        Args:
          argument: what a person gave.

        Raises:
          ValueError: it is no whole number.
        """
        try:
            found = _NUMBER.fullmatch(argument) if isinstance(argument, str) else None
            if found is None:
                # Such as 0x10.
                return super().convert(argument)
            number = fractions.Fraction(found[1]) * _FACTORS[found[2]]
            if number.denominator == 1:
                return int(number)
        except (TypeError, ValueError):
            pass
        raise ValueError("must be a whole number, such as 1000000, 1e6, 2M or 500k")


def define(name: str, default: int | None, help: str) -> flags.FlagHolder:
    """Defines a flag of a whole number.

    Args:
      name: of the flag.
      default: its value where it is not given.
      help: what it is for.
    """
    return flags.DEFINE(
        CountParser(), name, default, help, serializer=flags.ArgumentSerializer()
    )
