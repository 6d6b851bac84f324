"""What a teacher's values mean, and whether a student may learn them.

A policy means the same to every student; a value is of returns under one discount, one
scale and one clipping of rewards, counted in steps of one length. A student learns the
values of teachers alone whose card says that theirs are of the same returns.
"""

from collections.abc import Mapping
from typing import Any

from kickstarting.agent import trajectory
from kickstarting.config import agent as agent_config
from kickstarting.config import run as config_lib
from kickstarting.config.teacher_uses import TEACHER_USES
from kickstarting.environments import base
from kickstarting.teaching import teachers
from kickstarting.teaching.cards import TeacherError, ValueMeaning

_ADVICE = "or leave --value_distillation_cost at 0"


def of_run(config: Mapping[str, Any], frames: int) -> ValueMeaning | None:
    """Returns what the values mean that a run's critic has learned.

    Args:
      config: of the run, as its config.json holds it.
      frames: environment frames that the critic had learned from.

    Returns:
      None where the critic learned no values of the clipped rewards' returns: without
      reinforcement or a baseline loss, with the rewards that expected_entropy adds, or
      in a run of a program that did not have these settings yet.
    """
    try:
        loss, kickstarting = config["loss"], config["kickstarting"]
        learned = (
            loss["reinforcement"]
            and loss["baseline_cost"] > 0
            and TEACHER_USES[kickstarting["use"]].reinforces
        )
        teachers_reward = (
            loss["distillation_form"] == "expected_entropy" and kickstarting["teachers"]
        )
        if not learned or teachers_reward:
            return None
        return ValueMeaning(
            discount=agent_config.LossConfig(
                discount=loss["discount"],
                final_discount=loss.get("final_discount", 0.0),
                discount_start_frames=loss.get("discount_start_frames", 0),
                discount_end_frames=loss.get("discount_end_frames", 0),
            ).discount_at(frames, config["total_frames"]),
            reward_clipping=agent_config.resolve_reward_clipping(
                loss["reward_clipping"], config["tasks"]
            ),
            reward_scales=tuple(
                (task, scale)
                for task, scale in loss.get("reward_scales", ())
                if scale != 1
            ),
        )
    except KeyError:
        return None


def column(name: str, teacher: trajectory.Teacher, task: str) -> int:
    """Returns which of a teacher's values is that of a task.

    Args:
      name: the teacher's, for the error.
      teacher: as loaded.
      task: of the student.

    Raises:
      TeacherError: the teacher has none whose meaning is known.
    """
    if not isinstance(teacher, teachers.CheckpointTeacher):
        raise TeacherError(
            f"teacher {name!r} gives no values to learn: name the folder of an "
            f"exported teacher, {_ADVICE}"
        )
    card = teacher.card
    if card.value is None:
        raise TeacherError(
            f"the card of teacher {name!r} does not say what its values mean: export "
            f"it again, {_ADVICE}"
        )
    if task not in card.tasks:
        raise TeacherError(
            f"teacher {name!r} has values of {', '.join(card.tasks)}, but not of "
            f"{task}: choose another teacher for it, {_ADVICE}"
        )
    return card.tasks.index(task) if card.network.num_values > 1 else 0


def check(
    config: config_lib.Config,
    spec: base.EnvironmentSpec,
    task: str,
    name: str,
    teacher: trajectory.Teacher,
) -> None:
    """Refuses a teacher whose values the run could not learn, where it would.

    Args:
      config: of the run.
      spec: of its environments.
      task: that the teacher advises on.
      name: the teacher's.
      teacher: as loaded.

    Raises:
      TeacherError: it has no values of the task, or they are of other returns.
    """
    if not config.asks_teacher_values:
        return
    column(name, teacher, task)
    assert isinstance(teacher, teachers.CheckpointTeacher)
    meaning = teacher.card.value
    assert meaning is not None
    loss = config.resolved_loss
    theirs, ours = (
        f"--discount={of.discount} --reward_clipping={of.reward_clipping} "
        f"--reward_scales={task}={dict(of.reward_scales).get(task, 1):g} "
        f"--action_repeat={action_repeat}"
        for of, action_repeat in (
            (meaning, teacher.card.action_repeat),
            (loss, spec.action_repeat),
        )
    )
    if theirs != ours:
        raise TeacherError(
            f"the values of teacher {name!r} are of returns under {theirs}, but the "
            f"student's under {ours}: choose the same, {_ADVICE}"
        )
