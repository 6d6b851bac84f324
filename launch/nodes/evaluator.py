"""The evaluator node: plays the newest checkpoint now and then during training."""

import os

import launchpad as lp

from kickstarting.config import run as config_lib
from kickstarting.ring import evaluations
from launch.monitoring import achievements
from launch.processes import revival


def run(config: config_lib.Config) -> None:
    """Evaluates every `config.evaluation_minutes` until the program stops.

    What fails begins again; what fails again and again is told of, and training goes
    on without.
    """
    stop = lp.stop_event()
    try:
        revival.keep_going(
            config.logdir,
            "evaluator/0",
            lambda: evaluations.keep_up(config, stop),
            stop,
            done=achievements.size_of(
                os.path.join(config.logdir, evaluations.EVALUATIONS_FILE)
            ),
        )
    except Exception as error:  # noqa: BLE001 - it costs no more than these scores
        if not stop.is_set():
            evaluations.tell_that_they_end(error)
            stop.wait()
