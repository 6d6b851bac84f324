"""Values that a setting must refuse: just beside its range on either side."""

import math

from kickstarting.config import settings


def values(setting: settings.Setting) -> list[float]:
    """Returns values outside of a setting's range, of its type where it is an int.

    Args:
      setting: a number.
    """
    assert setting.within is not None
    whole = setting.kind is int
    least, most = setting.within.least, setting.within.most
    found = [-1e9 if math.isinf(least) else least - (1 if whole else 1e-3)]
    if not setting.within.has_least:
        found.append(least)
    if not math.isinf(most):
        found.append(most + (1 if whole else 1e-3))
        if not setting.within.has_most:
            found.append(most)
    if whole:
        # Where 0 is allowed beside the range, it may be just below it.
        return [int(value) for value in found if value not in setting.within]
    return [*found, math.inf, math.nan]
