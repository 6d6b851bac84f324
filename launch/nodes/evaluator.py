"""The evaluator node: plays the newest checkpoint now and then during training."""

import launchpad as lp

from kickstarting.config import run as config_lib
from kickstarting.ring import evaluations
from launch.processes import revival


def run(config: config_lib.Config) -> None:
    """Evaluates every `config.evaluation_minutes` until the program stops.

    What fails begins again.
    """
    stop = lp.stop_event()
    revival.keep_going(
        config.logdir, "evaluator/0", lambda: evaluations.keep_up(config, stop), stop
    )
