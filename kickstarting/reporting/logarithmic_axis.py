"""Ticks of a logarithmic axis that can be read however little it spans."""

import math

from matplotlib import axes, ticker

# Of decades, above which powers of ten alone are ticks enough.
_MANY = 2
# Of ticks, below which round steps serve better than powers of ten and their parts.
_FEW = 2


def use(panel: axes.Axes) -> None:
    """Makes a panel's y axis logarithmic, with at least one tick that has a number.

    Args:
      panel: holds what it will show, which is above 0.
    """
    panel.set_yscale("log")
    low, high = panel.get_ylim()
    if math.log10(high / low) < _MANY:
        locator: ticker.Locator = ticker.LogLocator(subs=(1, 2, 5))
        ticks = locator.tick_values(low, high)
        if sum(low <= tick <= high for tick in ticks) < _FEW:
            locator = ticker.AutoLocator()
        panel.yaxis.set_major_locator(locator)
    # Powers of ten as such would need fonts of mathematics.
    panel.yaxis.set_major_formatter("{x:g}")
    panel.yaxis.set_minor_formatter(ticker.NullFormatter())
