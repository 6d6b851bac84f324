"""What can be wrong with a run, found before any of its parts is made.

Each check raises the first thing that is wrong, in one line.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from kickstarting.agent import trajectory
from kickstarting.agent.agent import Agent
from kickstarting.config import run as config_lib
from kickstarting.environments import base, notices, suites
from kickstarting.storage import checkpoints
from kickstarting.teaching import first_question, initialisation, teachers, values
from kickstarting.teaching.returns import TeacherReturns

# What a run may come to need: checkpoints, events, metrics, a video.
_FREE_BYTES = 200 * 2**20


def check_tasks(config: config_lib.Config) -> base.EnvironmentSpec:
    """Checks that the tasks can be played here, by one student.

    Returns:
      what the student sees and does, in all of them; unused: in one or another.

    Raises:
      base.EnvironmentConfigError: a task is unknown or not installed.
      config_lib.ConfigError: two tasks differ in their observations or actions.
    """
    for task in config.tasks:
        suites.check_installed(task, config.lab)
    specs = [
        suites.environment_spec(
            *(task, config.action_repeat, config.lab.action_set),
            config.environment_deadline_seconds,
        )
        for task in config.tasks
    ]
    for task, spec in zip(config.tasks, specs, strict=True):
        if spec != specs[0]:
            raise config_lib.ConfigError(
                f"{config.tasks[0]} and {task} have other observations or actions: "
                "one student needs tasks that agree"
            )
    unused = dict.fromkeys(name for spec in specs for name in spec.unused)
    return dataclasses.replace(specs[0], unused=tuple(unused))


def tell_unused(spec: base.EnvironmentSpec) -> None:
    """Says what the environments show that the student does not see, if they do.

    Args:
      spec: as check_tasks returned it.
    """
    if spec.unused:
        names = ", ".join(map(repr, spec.unused))
        notices.tell(f"The tasks show more than the student sees: {names} is left out")


def check_devices(config: config_lib.Config, num_devices: int) -> None:
    """Checks that a batch can be split over the learner's devices.

    Raises:
      config_lib.ConfigError: it cannot.
    """
    if config.batch_size % num_devices:
        raise config_lib.ConfigError(
            f"batch_size ({config.batch_size}) cannot be split over the {num_devices} "
            "devices of this machine: choose a multiple"
        )


def check_teachers(
    config: config_lib.Config, spec: base.EnvironmentSpec
) -> TeacherReturns:
    """Checks that the teachers are sound and can advise on their tasks.

    One that is no exported student is asked once: of those that are, the file is
    proof enough.

    Args:
      config: of the run.
      spec: of its environments.

    Returns:
      what their cards say of their returns, where the run trusts them.

    Raises:
      cards.TeacherError: a teacher is not sound, or does not fit.
      config_lib.ConfigError: a task lacks a teacher, or λ needs a return that nobody is
        to measure.
    """
    teachers.check_config(config)
    returns = TeacherReturns.unknown(len(config.tasks), config.max_teachers)
    loaded = {
        name: teachers.load(name)
        for name in dict.fromkeys(name for _, name in config.kickstarting.teachers)
    }
    for name, teacher in loaded.items():
        teachers.check_matches(name, teacher, spec)
    for task, names in enumerate(config.teachers_of_task):
        for position, name in enumerate(names):
            teacher = loaded[name]
            values.check(config, spec, config.tasks[task], name, teacher)
            if isinstance(teacher, teachers.CheckpointTeacher):
                _check_suites(name, teacher.card.tasks, config.tasks[task])
                score = teacher.card.score_of(config.tasks[task])
                if score and config.kickstarting.trust_cards:
                    returns.mean[task, position] = score.mean_return
                    returns.standard_error[task, position] = score.standard_error
    for name, teacher in loaded.items():
        if not isinstance(teacher, teachers.CheckpointTeacher):
            _ask_once(config, spec, name, teacher)
    if config.kickstarting.needs_returns and not config.kickstarting.trial_episodes:
        for task, names in enumerate(config.teachers_of_task):
            for position, name in enumerate(names):
                if np.isnan(returns.mean[task, position]):
                    raise config_lib.ConfigError(
                        "return_gap and teacher_weighting=return need the measured "
                        f"return of teacher {name!r} on {config.tasks[task]}, which no "
                        "card gives: let it play --teacher_trial_episodes"
                    )
    return returns


def check_student(config: config_lib.Config, spec: base.EnvironmentSpec) -> None:
    """Checks that the student's network takes its frames and its teacher's weights.

    Args:
      config: of the run.
      spec: of its environments.

    Raises:
      config_lib.ConfigError: the torso cannot take the frames.
      cards.TeacherError: the student cannot begin with the teacher's weights.
    """
    initialisation.initial_params(config, Agent(spec, config.network))


def check_folder(config: config_lib.Config) -> None:
    """Makes the run's folder and tries it.

    Raises:
      checkpoints.CheckpointError: it cannot be written to, or has too little space.
    """
    checkpoints.check_writable(config.logdir, _FREE_BYTES)


def _ask_once(
    config: config_lib.Config,
    spec: base.EnvironmentSpec,
    name: str,
    teacher: trajectory.Teacher,
) -> None:
    task = next(task for task, named in config.kickstarting.teachers if named == name)
    settings = base.TaskSettings(
        task, config.seed, config.action_repeat, lab=config.lab
    )

    def first_observation() -> trajectory.Observation:
        environment = suites.make_environment(settings)
        try:
            shown = environment.reset().observation
        finally:
            environment.close()
        return trajectory.Observation(
            np.asarray(shown[base.PIXELS]),
            np.asarray(shown[base.INSTRUCTION]),
            np.zeros((), np.int32),
            np.zeros((), np.float32),
        )

    first_question.check(name, teacher, spec, config.unroll_length, first_observation)


def _check_suites(teacher: str, card_tasks: Sequence[str], task: str) -> None:
    """Refuses a teacher that was trained on another suite's tasks alone."""

    def world(name: str) -> str:
        suite, _ = suites.split_task(name)
        return "dmlab" if suite in suites.LAB_SUITES else suite

    if world(task) not in {world(name) for name in card_tasks}:
        raise config_lib.ConfigError(
            f"teacher {teacher!r} was trained on {', '.join(card_tasks)}, which is "
            f"another suite than that of {task}: choose a teacher of its suite"
        )
