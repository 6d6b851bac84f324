"""The numbers that a setting may be."""

import math
import re
from typing import Any, NamedTuple

_INTERVAL = re.compile(r"(0 or )?([\[(])(\S+), (\S+)([\])])")


class Range(NamedTuple):
    """An interval, and perhaps 0 beside it.

    Attributes:
      text: as it was declared, an interval such as '[0, 1)', '(0, inf)', or one that 0
        is outside of and allowed as well: '0 or [1024, 65000]'. What is infinite is
        never in it.
      least: where the interval begins.
      most: where it ends.
      has_least: whether the beginning belongs to it.
      has_most: whether the end does.
      or_zero: whether 0 is allowed beside it.
    """

    text: str
    least: float
    most: float
    has_least: bool
    has_most: bool
    or_zero: bool

    @classmethod
    def of(cls, text: str) -> "Range":
        """Returns the range that a declaration's text means."""
        found = _INTERVAL.fullmatch(text)
        if not found:
            raise TypeError(f"{text!r} is no interval such as '[0, 1)'")
        zero, begin, least, most, end = found.groups()
        return cls(
            text, float(least), float(most), begin == "[", end == "]", bool(zero)
        )

    def __contains__(self, value: object) -> bool:
        """Returns whether a number is in the range."""
        number: Any = value
        # Neither NaN nor what is infinite passes, and no whole number is too large.
        return (self.or_zero and number == 0) or (
            (self.least <= number if self.has_least else self.least < number)
            and (number <= self.most if self.has_most else number < self.most)
        )

    def __str__(self) -> str:
        """Returns what a value must be, as a sentence has it."""
        if not math.isinf(self.most):
            return self.text.replace("[", "in [", 1).replace("(", "in (", 1)
        zero = "0 or " if self.or_zero else ""
        return f"{zero}{'at least' if self.has_least else 'above'} {self.least:g}"
