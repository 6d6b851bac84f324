"""Scores a checkpoint or a teacher on levels, as a table and JSON.

python -m launch.evaluate --checkpoint=runs/doom_defend_the_center_seed1 --episodes=30
"""

from absl import flags
from rich import console as rich_console

from kickstarting import config as config_lib
from launch import command_line, evaluation, lab_flags, policies

_CHECKPOINT = flags.DEFINE_string(
    "checkpoint", None, "A run's folder, one checkpoint, or a teacher's folder."
)
_TASKS = flags.DEFINE_list(
    "tasks", [], "Levels as suite:level; default: those it was trained on."
)
_EPISODES = flags.DEFINE_integer("episodes", 30, "Episodes of each level.")
_SEED = flags.DEFINE_integer("seed", 1000, "Seeds the levels and the sampling.")
_GREEDY = flags.DEFINE_bool(
    "greedy", False, "Take the most probable action instead of sampling."
)
_OUT = flags.DEFINE_string("out", None, "Where the JSON goes; default: nowhere.")


def main(argv: list[str]) -> int:
    """Evaluates as the flags say; returns 0."""
    del argv
    if not _CHECKPOINT.value:
        raise config_lib.ConfigError("--checkpoint is needed: a run's folder")
    if _EPISODES.value < 1:
        raise config_lib.ConfigError(
            f"--episodes must be at least 1, not {_EPISODES.value}"
        )
    policy = policies.load(_CHECKPOINT.value)
    results = evaluation.evaluate(
        policy,
        _TASKS.value or policy.tasks,
        num_episodes=_EPISODES.value,
        seed=_SEED.value,
        greedy=_GREEDY.value,
        lab=lab_flags.lab_config(),
    )
    how = "greedy" if _GREEDY.value else "sampled"
    title = f"{_CHECKPOINT.value} at {policy.frames:,} frames, {how}"
    rich_console.Console().print(evaluation.table(results, title))
    if _OUT.value:
        evaluation.write_json(
            _OUT.value,
            results,
            checkpoint=_CHECKPOINT.value,
            environment_frames=policy.frames,
            seed=_SEED.value,
            greedy=_GREEDY.value,
        )
    return 0


if __name__ == "__main__":
    command_line.run(main, key_flags=(lab_flags,))
