r"""Makes a teacher of a checkpoint: float16 weights and a card with its measured score.

  python -m launch.export_teacher --checkpoint=runs/doom_my_way_home_seed1 \
      --out=teachers/doom/my_way_home
"""

import json
import os
import shlex

from absl import flags
from rich import console as rich_console

from kickstarting import config as config_lib
from kickstarting import run_files, teacher_cards, teacher_files
from launch import command_line, evaluation, lab_flags, policies

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
_SEED = flags.DEFINE_integer("seed", 1000, "Seeds the measurement.")


def main(argv: list[str]) -> int:
    """Exports as the flags say; returns 0."""
    del argv
    if not _CHECKPOINT.value or not _OUT.value:
        raise config_lib.ConfigError("--checkpoint and --out are needed")
    if _EPISODES.value < 2:
        raise config_lib.ConfigError(
            f"--episodes must be at least 2, not {_EPISODES.value}"
        )
    policy = policies.load(_CHECKPOINT.value)
    command, seed, revision = _origin(_CHECKPOINT.value)
    results = evaluation.evaluate(
        policy,
        _TASKS.value or policy.tasks,
        num_episodes=_EPISODES.value,
        seed=_SEED.value,
        greedy=False,
        lab=lab_flags.lab_config(),
    )
    card = teacher_cards.TeacherCard(
        scores=tuple(
            teacher_cards.TaskScore(
                task=result.task,
                mean_return=result.mean_return,
                standard_error=result.standard_error,
                episodes=result.episodes,
                normalised_score=result.normalised_score,
            )
            for result in results
        ),
        action_names=policy.spec.action_names,
        frame_shape=policy.spec.frame_shape,
        instruction_length=policy.spec.instruction_length,
        action_repeat=policy.spec.action_repeat,
        network=policy.network,
        environment_frames=policy.frames,
        command=command,
        seed=seed,
        git_revision=revision,
    )
    teacher_files.save_teacher(_OUT.value, policy.params, card)
    rich_console.Console().print(evaluation.table(results, _OUT.value))
    return 0


def _origin(checkpoint: str) -> tuple[str, int, str]:
    """Reads command, seed and revision from the config.json of the run."""
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
    return (
        shlex.join(description["command"]),
        int(description["config"]["seed"]),
        revision,
    )


if __name__ == "__main__":
    command_line.run(main, key_flags=(lab_flags,))
