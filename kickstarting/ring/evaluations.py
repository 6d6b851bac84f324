"""Plays the newest checkpoint now and then during training."""

import csv
import io
import os
import threading
import time

from absl import logging

from kickstarting.acting import evaluator
from kickstarting.agent.agent import Agent
from kickstarting.config import run as config_lib
from kickstarting.environments import base
from kickstarting.reporting import run_files
from kickstarting.ring import parts
from kickstarting.scores import normalised as scores
from kickstarting.storage import checkpoints

EVALUATIONS_FILE = "evaluations.csv"
_COLUMNS = ("frames", "task", "mean_return", "standard_error", "episodes")


def keep_up(config: config_lib.Config, stop: threading.Event) -> None:
    """Evaluates every `config.evaluation_minutes` until `stop` is set.

    Appends one line a task to evaluations.csv in the run's folder.

    Args:
      config: of the run.
      stop: set when the program ends.
    """
    path = os.path.join(config.logdir, EVALUATIONS_FILE)
    spec = parts.environment_spec(config)
    agent = Agent(spec, config.network)
    evaluated = -1
    due = time.monotonic() + config.evaluation_minutes * 60
    while not stop.wait(1.0):
        if time.monotonic() < due:
            continue
        try:
            params, metadata = checkpoints.load_params(config.logdir)
        except checkpoints.CheckpointError:
            continue
        frames = int(metadata["telemetry"]["frames"])
        if frames == evaluated:
            continue
        evaluated, due = frames, time.monotonic() + config.evaluation_minutes * 60
        for task in config.tasks:
            try:
                episodes = evaluator.evaluate(
                    task,
                    evaluator.AgentPlayer(agent, params, config.seed, greedy=False),
                    num_episodes=config.evaluation_episodes,
                    seed=config.seed,
                    action_repeat=config.action_repeat,
                    num_environments=2,
                    lab=config.lab,
                    deadline_seconds=config.environment_deadline_seconds,
                    should_stop=stop.is_set,
                )
            except base.EnvironmentConfigError as error:
                # It costs the run no more than this level's line.
                logging.error("%s could not be evaluated: %s", task, error)
                continue
            if len(episodes.returns) < config.evaluation_episodes:
                return
            summary = scores.summarise(episodes.returns.tolist())
            logging.info("%s at %d frames: %.2f", task, frames, summary.mean)
            _append(
                path,
                (frames, task, summary.mean, summary.standard_error, summary.episodes),
            )


def tell_that_they_end(error: Exception) -> None:
    """Says that there are no more of them, and what that means.

    Args:
      error: that ended them.
    """
    logging.error(
        "No more evaluations during training, which goes on; its end is evaluated as "
        "ever: %r",
        error,
    )


def keep_up_while_they_can(config: config_lib.Config, stop: threading.Event) -> None:
    """As `keep_up`; where that fails it is told of, and waits until `stop` is set.

    Args:
      config: see keep_up.
      stop: see keep_up.
    """
    try:
        keep_up(config, stop)
    except Exception as error:  # noqa: BLE001 - it costs no more than these scores
        if not stop.is_set():
            tell_that_they_end(error)
    stop.wait()


def _append(path: str, row: tuple[object, ...]) -> None:
    text = io.StringIO()
    writer = csv.writer(text)
    if not os.path.exists(path) or not os.path.getsize(path):
        writer.writerow(_COLUMNS)
    writer.writerow(row)
    try:
        run_files.append(path, text.getvalue())
    except run_files.RunFilesError as error:
        logging.error("Evaluations go on, but %s", error)
