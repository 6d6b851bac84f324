"""Shows how far teachers are that play before training."""

from kickstarting.config import run as config_lib
from kickstarting.reporting import episode_progress
from kickstarting.teaching import measurement
from kickstarting.teaching.returns import TeacherReturns
from launch.processes import interruption


def complete(config: config_lib.Config, returns: TeacherReturns) -> TeacherReturns:
    """Does what measurement.complete does, and shows it; Ctrl-C ends it in order.

    Raises:
      interruption.StoppedError: it was ended.
    """
    with (
        episode_progress.EpisodeProgress() as shown,
        interruption.noticed() as interrupted,
    ):
        try:
            return measurement.complete(
                config, returns, shown, should_stop=interrupted.has_come
            )
        except measurement.TrialsStoppedError as error:
            raise interruption.StoppedError(str(error), interrupted.status) from error
