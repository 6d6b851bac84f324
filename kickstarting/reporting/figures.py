"""Figures as a person reads them."""

import math

from rich import console as rich_console


def number(value: float | None) -> str:
    """Returns a figure of any size: whole from 1000 on; '-' where it is unknown."""
    if value is None or math.isnan(value):
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.2f}"


def score(value: float | None) -> str:
    """Returns a score with one decimal; '-' where it is unknown."""
    return "-" if value is None or math.isnan(value) else f"{value:,.1f}"


def count(value: float | None) -> str:
    """Returns a whole number; '-' where it is unknown."""
    return "-" if value is None or math.isnan(value) else f"{value:,.0f}"


def percent(fraction: float) -> str:
    """Returns a fraction in hundredths; '-' where it is unknown."""
    return "-" if math.isnan(fraction) else f"{fraction:.0%}"


def duration(seconds: float) -> str:
    """Returns seconds in the two largest units of days, hours, minutes and seconds."""
    if not math.isfinite(seconds):
        return "?"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days}d {hours}h"
    if hours:
        return f"{hours}h {minutes:02d}m"
    return f"{minutes}m {rest:02d}s" if minutes else f"{rest}s"


def short(value: float) -> str:
    """Returns a count in at most five characters, e.g. 12.3M."""
    for divisor, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        # Three digits round 999.5 k to 1 M.
        if value >= 0.9995 * divisor:
            return f"{value / divisor:.3g}{suffix}"
    return f"{value:.0f}"


def lambda_on(console: rich_console.Console) -> str:
    """Returns λ, in letters where the console has no Greek.

    Args:
      console: where it is shown.
    """
    return "lambda" if console.options.ascii_only else "λ"
