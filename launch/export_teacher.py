r"""Makes a teacher of a checkpoint: float16 weights and a card with its measured score.

The run's statistics of returns are folded into its values, which then are those of the
returns themselves; the card says of which.

  python -m launch.export_teacher --checkpoint=runs/doom_my_way_home_seed1 \
      --out=teachers/doom/my_way_home

Ctrl-C ends it without a teacher; the same command goes on with its measurement.
"""

import dataclasses
import json
import os
import shlex
import sys
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from absl import flags
from rich import console as rich_console

from kickstarting.acting import evaluator
from kickstarting.agent import trajectory
from kickstarting.config import agent as agent_config
from kickstarting.config import run as config_lib
from kickstarting.loss import popart
from kickstarting.reporting import run_files
from kickstarting.teaching import cards as teacher_cards
from kickstarting.teaching import files as teacher_files
from kickstarting.teaching import values as teacher_values
from launch.flags import command_line, deadline
from launch.flags import lab as lab_flags
from launch.reports import evaluation, policies

_CHECKPOINT = flags.DEFINE_string(
    "checkpoint", None, "A run's folder, or one of its checkpoints."
)
_OUT = flags.DEFINE_string("out", None, "The teacher's folder, e.g. teachers/doom/x.")
_TASKS = flags.DEFINE_list(
    "tasks", [], "What it teaches; default: all tasks that it was trained on."
)
_EPISODES = flags.DEFINE_integer(
    "episodes", 100, "Episodes of each task that measure it."
)
_OVERWRITE = flags.DEFINE_bool(
    "overwrite", False, "Replace a teacher that is there already."
)
_MAX_STEPS = flags.DEFINE_integer(
    "max_episode_steps",
    evaluator.MAX_AGENT_STEPS,
    "Agent steps after which an episode is cut; it counts with its return so far.",
)
_SEED = flags.DEFINE_integer("seed", 1000, "Seeds the measurement.")


def main(argv: list[str]) -> int:
    """Exports as the flags say.

    Returns:
      0; where no teacher was made, for want of a score, 1, or 128 and the number of the
      signal that interrupted it.
    """
    del argv
    if not _CHECKPOINT.value or not _OUT.value:
        raise config_lib.ConfigError("--checkpoint and --out are needed")
    if _EPISODES.value < 2:
        raise config_lib.ConfigError(
            f"--episodes must be at least 2, not {_EPISODES.value}"
        )
    if _MAX_STEPS.value < 1:
        raise config_lib.ConfigError(
            f"--max_episode_steps must be at least 1, not {_MAX_STEPS.value}"
        )
    teacher_files.check_target(_OUT.value, _OVERWRITE.value)
    policy = policies.load(_CHECKPOINT.value)
    origin = _origin(_CHECKPOINT.value, policy.frames)
    tasks = _TASKS.value or policy.tasks
    found = evaluation.evaluate(
        policy,
        tasks,
        num_episodes=_EPISODES.value,
        seed=_SEED.value,
        greedy=False,
        leaves=_OUT.value,
        max_agent_steps=_MAX_STEPS.value,
        lab=lab_flags.lab_config(),
        deadline_seconds=deadline.seconds(),
    )
    found.check_any()
    console = rich_console.Console()
    if not found.is_complete:
        if found.results:
            view = evaluation.table(found.results, _OUT.value, failures=found.failures)
            console.print(view)
        print(f"No teacher was made. {found.what_is_missing()}", file=sys.stderr)
        return found.status
    params, network = with_plain_values(policy, tasks)
    was_trained = set(tasks) <= set(policy.tasks)
    card = teacher_cards.TeacherCard(
        scores=tuple(
            teacher_cards.TaskScore(
                task=result.task,
                mean_return=result.mean_return,
                standard_error=result.standard_error,
                episodes=result.episodes,
                normalised_score=result.normalised_score,
            )
            for result in found.results
        ),
        action_names=policy.spec.action_names,
        frame_shape=policy.spec.frame_shape,
        instruction_length=policy.spec.instruction_length,
        action_repeat=policy.spec.action_repeat,
        network=network,
        environment_frames=policy.frames,
        command=origin.command,
        seed=origin.seed,
        git_revision=origin.revision,
        value=origin.value if policy.value_statistics and was_trained else None,
    )
    teacher_files.save_teacher(_OUT.value, params, card)
    console.print(evaluation.table(found.results, _OUT.value))
    return 0


def with_plain_values(
    policy: policies.Policy, tasks: Sequence[str]
) -> tuple[trajectory.Params, agent_config.NetworkConfig]:
    """Returns a policy's parameters and network with values that are not normalised.

    Args:
      policy: of a checkpoint; left as it is where its statistics are not known.
      tasks: that it is to teach. Of a value for each task these alone are kept, in
        their order, unless it was not trained on one.
    """
    params, network = policy.params, policy.network
    if policy.value_statistics is None:
        return params, network
    params = popart.denormalise(policy.value_statistics, params)
    if network.num_values > 1 and set(tasks) <= set(policy.tasks):
        columns = np.array([policy.tasks.index(task) for task in tasks])
        head = params["value"]
        kept = {name: np.asarray(head[name])[..., columns] for name in head}
        params = {**params, "value": kept}
        network = dataclasses.replace(network, num_values=len(tasks))
    return params, network


class _Origin(NamedTuple):
    command: str
    seed: int
    revision: str
    value: teacher_cards.ValueMeaning | None


def _origin(checkpoint: str, frames: int) -> _Origin:
    """Reads where a checkpoint, of so many frames, comes from in the run above it."""
    folder = os.path.abspath(checkpoint)
    while not os.path.isfile(os.path.join(folder, run_files.CONFIG_FILE)):
        if os.path.dirname(folder) == folder:
            raise config_lib.ConfigError(
                f"there is no {run_files.CONFIG_FILE} at or above {checkpoint}: name a "
                "checkpoint inside its run's folder"
            )
        folder = os.path.dirname(folder)
    with open(os.path.join(folder, run_files.CONFIG_FILE), encoding="utf-8") as file:
        description = json.load(file)
    git = description.get("git") or {}
    revision = git.get("revision", "unknown") + ("+changes" if git.get("dirty") else "")
    return _Origin(
        shlex.join(description["command"]),
        int(description["config"]["seed"]),
        revision,
        teacher_values.of_run(description["config"], frames),
    )


if __name__ == "__main__":
    command_line.run(main)
