r"""Records an episode as MP4 or GIF, with student's and teacher's probabilities drawn.

  python -m launch.watch --checkpoint=runs/doom_defend_the_center_seed1 \
      --teacher=teachers/doom/defend_the_center --out=episode.mp4
"""

from absl import flags
from rich import progress as rich_progress

from kickstarting.config import run as config_lib
from kickstarting.environments import suites
from kickstarting.reporting import video
from kickstarting.teaching import teachers
from launch.flags import command_line, counts, deadline
from launch.flags import lab as lab_flags
from launch.reports import policies, recording

_CHECKPOINT = flags.DEFINE_string(
    "checkpoint", None, "A run's folder, one checkpoint, or a teacher's folder."
)
_TEACHER = flags.DEFINE_string(
    "teacher", None, "A teacher's folder or module:factory, drawn beside the student."
)
_TASK = flags.DEFINE_string("task", None, "Default: the first that it was trained on.")
_OUT = flags.DEFINE_string("out", "episode.mp4", "The video: .mp4 or .gif.")
_SEED = flags.DEFINE_integer("seed", 1000, "Seeds the episode.")
_GREEDY = flags.DEFINE_bool(
    "greedy", False, "Take the most probable action instead of sampling."
)
_MAX_STEPS = counts.define("max_steps", 525, "Agent steps at the most.")


def main(argv: list[str]) -> int:
    """Records as the flags say; returns 0."""
    del argv
    if not _CHECKPOINT.value:
        raise config_lib.ConfigError("--checkpoint is needed: a run's folder")
    if _MAX_STEPS.value < 1:
        raise config_lib.ConfigError(
            f"--max_steps must be at least 1, not {_MAX_STEPS.value}"
        )
    student = policies.load(_CHECKPOINT.value)
    task = _TASK.value or student.tasks[0]
    lab = lab_flags.lab_config()
    suites.check_installed(task, lab)
    policies.check_fits(student, task, deadline.seconds())
    teacher = None
    if _TEACHER.value:
        teacher = teachers.load(_TEACHER.value)
        teachers.check_matches(_TEACHER.value, teacher, student.spec)
    frames = recording.episode_frames(
        student,
        teacher,
        task,
        seed=_SEED.value,
        greedy=_GREEDY.value,
        max_steps=_MAX_STEPS.value,
        lab=lab,
    )
    video.write_video(
        _OUT.value,
        rich_progress.track(
            frames, description=f"recording {task}", total=None, transient=True
        ),
        recording.GAME_FRAMES_PER_SECOND / student.spec.action_repeat,
    )
    print(f"Wrote {_OUT.value}.")
    return 0


if __name__ == "__main__":
    command_line.run(main)
