"""Shows how far teachers are that play before training."""

import contextlib

from rich import console as rich_console
from rich import progress as rich_progress

from kickstarting.config import run as config_lib
from kickstarting.teaching import measurement
from kickstarting.teaching.returns import TeacherReturns


def complete(config: config_lib.Config, returns: TeacherReturns) -> TeacherReturns:
    """Does what measurement.complete does, with a progress bar."""
    bar = rich_progress.Progress(
        *rich_progress.Progress.get_default_columns(),
        console=rich_console.Console(stderr=True),
        transient=True,
    )

    with contextlib.ExitStack() as while_they_play:

        def shown(name: str, level: str) -> measurement.Progress:
            # Where nobody has to play it says nothing, not even an empty line.
            if not bar.live.is_started:
                while_they_play.enter_context(bar)
            row = bar.add_task(
                f"{name} plays {level}", total=config.kickstarting.trial_episodes
            )
            return lambda finished: bar.update(row, completed=finished)

        return measurement.complete(config, returns, shown)
