"""Scores a checkpoint or a teacher on levels, as a table and JSON.

python -m launch.evaluate --checkpoint=runs/doom_defend_the_center_seed1 --episodes=30
python -m launch.evaluate --checkpoint=runs/dmlab30 --suite=dmlab30 --episodes=500

Ctrl-C ends it with what was measured; the same command plays what is missing.
"""

import os
import sys
from collections.abc import Sequence

from absl import flags
from rich import console as rich_console

from kickstarting.acting import evaluator
from kickstarting.config import run as config_lib
from kickstarting.environments import suites
from launch.flags import command_line, deadline
from launch.flags import lab as lab_flags
from launch.reports import evaluation, policies

_CHECKPOINT = flags.DEFINE_string(
    "checkpoint", None, "A run's folder, one checkpoint, or a teacher's folder."
)
_TASKS = flags.DEFINE_list(
    "tasks", [], "Levels as suite:level; default: those it was trained on."
)
_SUITE = flags.DEFINE_enum(
    "suite",
    None,
    suites.SUITES,
    "Play all levels of a suite, in place of --tasks.",
)
_SPLIT = flags.DEFINE_enum(
    "split",
    "test",
    ["train", "test"],
    "dmlab30, dmlab: play what training holds out (test levels, objects and mazes), or "
    "what it trains on. Other suites hold nothing out: both are the same there.",
)
_EPISODES = flags.DEFINE_integer("episodes", 30, "Episodes of each level.")
_ENVIRONMENTS = flags.DEFINE_integer(
    "environments",
    evaluator.NUM_ENVIRONMENTS,
    "Environments that play a level's episodes side by side, each in a process.",
)
_MAX_STEPS = flags.DEFINE_integer(
    "max_episode_steps",
    evaluator.MAX_AGENT_STEPS,
    "Agent steps after which an episode is cut; it counts with its return so far.",
)
_SEED = flags.DEFINE_integer("seed", 1000, "Seeds the levels and the sampling.")
_GREEDY = flags.DEFINE_bool(
    "greedy", False, "Take the most probable action instead of sampling."
)
_OUT = flags.DEFINE_string("out", None, "Where the JSON goes; default: nowhere.")


def main(argv: list[str]) -> int:
    """Evaluates as the flags say.

    Returns:
      0; 1 where a level could not be played; 128 and the signal's number where it was
      interrupted.
    """
    del argv
    if not _CHECKPOINT.value:
        raise config_lib.ConfigError("--checkpoint is needed: a run's folder")
    if _EPISODES.value < 1:
        raise config_lib.ConfigError(
            f"--episodes must be at least 1, not {_EPISODES.value}"
        )
    if _MAX_STEPS.value < 1:
        raise config_lib.ConfigError(
            f"--max_episode_steps must be at least 1, not {_MAX_STEPS.value}"
        )
    if not 1 <= _ENVIRONMENTS.value <= config_lib.MAX_ENVIRONMENTS:
        raise config_lib.ConfigError(
            f"--environments must be in 1..{config_lib.MAX_ENVIRONMENTS}, not "
            f"{_ENVIRONMENTS.value}"
        )
    if _SUITE.value and _TASKS.value:
        raise config_lib.ConfigError(
            f"--suite={_SUITE.value} plays all of its levels: leave out --tasks, or "
            "--suite"
        )
    if _OUT.value:
        _check_writable(_OUT.value)
    policy = policies.load(_CHECKPOINT.value)
    found = evaluation.evaluate(
        policy,
        _tasks(policy),
        num_episodes=_EPISODES.value,
        seed=_SEED.value,
        greedy=_GREEDY.value,
        leaves=_OUT.value,
        held_out=_SPLIT.value == "test",
        num_environments=_ENVIRONMENTS.value,
        max_agent_steps=_MAX_STEPS.value,
        lab=lab_flags.lab_config(),
        deadline_seconds=deadline.seconds(),
    )
    found.check_any()
    if missing := found.what_is_missing():
        print(missing, file=sys.stderr)
    if not found.results:
        return found.status
    over_tasks = evaluation.aggregate(found.results, _SEED.value)
    how = "greedy" if _GREEDY.value else "sampled"
    title = (
        f"{_CHECKPOINT.value} at {policy.frames:,} frames, {_SPLIT.value} split, {how}"
    )
    if _OUT.value:
        evaluation.write_json(
            _OUT.value,
            found.results,
            over_tasks,
            checkpoint=_CHECKPOINT.value,
            environment_frames=policy.frames,
            split=_SPLIT.value,
            seed=_SEED.value,
            greedy=_GREEDY.value,
            max_episode_steps=_MAX_STEPS.value,
            **found.about(),
        )
    rich_console.Console().print(
        evaluation.table(found.results, title, over_tasks, found.failures)
    )
    return found.status


def _tasks(policy: policies.Policy) -> Sequence[str]:
    if _SUITE.value:
        return [f"{_SUITE.value}:{level}" for level in suites.levels(_SUITE.value)]
    return _TASKS.value or policy.tasks


def _check_writable(path: str) -> None:
    """Finds out before hours are spent on what is to be written there."""
    folder = os.path.dirname(os.path.abspath(path))
    if os.path.isdir(path) or not os.access(folder, os.W_OK | os.X_OK):
        raise config_lib.ConfigError(
            f"cannot write --out={path}: name a file in a folder that there is"
        )


if __name__ == "__main__":
    command_line.run(main)
