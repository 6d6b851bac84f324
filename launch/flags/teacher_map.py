"""Which teacher advises on which task: --teachers, resolved.

An item is one of
  task=teacher  of that task alone; these take the place of all others for the task;
  teacher       a folder with a card, or module:factory: of all tasks;
  folder        of teachers' folders, at any depth: each of the tasks on its card.
Several items may name teachers of one task: their advice adds up.
"""

import collections
import os
import pathlib
from collections.abc import Sequence

import numpy as np
from rich import table as rich_table

from kickstarting.config import run as config_lib
from kickstarting.environments import suites
from kickstarting.loss import schedules
from kickstarting.teaching import files as teacher_files
from kickstarting.teaching.returns import TeacherReturns


def resolve(tasks: Sequence[str], items: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Returns (task, teacher) pairs, in the order of the tasks.

    Args:
      tasks: of the run.
      items: of --teachers.

    Raises:
      config_lib.ConfigError: a folder has two teachers of one task, or none for any, or
        an item names a task that is not run.
      teacher_files.TeacherError: a card in a folder cannot be read.
    """
    own: dict[str, list[str]] = collections.defaultdict(list)
    shared: dict[str, list[str]] = collections.defaultdict(list)
    for item in items:
        task, separator, teacher = item.partition("=")
        if separator:
            if task not in tasks:
                raise config_lib.ConfigError(
                    f"a teacher is given for {task}, which is not among the tasks"
                )
            own[task].append(teacher)
        elif _is_folder_of_teachers(teacher_files.located(item)):
            for task, found in _of_folder(tasks, item).items():
                shared[task].append(found)
        else:
            for task in tasks:
                shared[task].append(item)
    return tuple(
        (task, teacher) for task in tasks for teacher in own[task] or shared[task]
    )


def _is_folder_of_teachers(folder: pathlib.Path) -> bool:
    return os.path.isdir(folder) and not _is_teacher(folder)


def _is_teacher(folder: pathlib.Path) -> bool:
    return (folder / teacher_files.CARD).is_file()


def _of_folder(tasks: Sequence[str], folder: str) -> dict[str, str]:
    """Finds the teacher of each task among the cards below a folder."""
    found: dict[str, str] = {}
    taught: set[str] = set()
    top = teacher_files.located(folder)
    for card_file in sorted(top.rglob(teacher_files.CARD)):
        teacher = str(pathlib.Path(folder, card_file.parent.relative_to(top)))
        card = teacher_files.read_card(teacher)
        taught.update(card.tasks)
        for task in card.tasks:
            if task in found:
                raise config_lib.ConfigError(
                    f"{found[task]} and {teacher} both teach {task}: say which by "
                    f"--teachers={folder},{task}={teacher}"
                    if task in tasks
                    else f"{found[task]} and {teacher} both teach {task}"
                )
            if task in tasks:
                found[task] = teacher
    if not taught:
        raise config_lib.ConfigError(
            f"{folder} has no {teacher_files.CARD} in or below it: name a folder of "
            "teachers"
        )
    if not found:
        raise config_lib.ConfigError(
            f"{folder} teaches {', '.join(sorted(taught))}, which are not among the "
            f"tasks: {', '.join(tasks)}"
        )
    return found


def table(
    config: config_lib.Config, teacher_returns: TeacherReturns
) -> rich_table.Table:
    """Returns who teaches what, for the terminal.

    Args:
      config: of the run.
      teacher_returns: of cards and trials.
    """
    view = rich_table.Table(title="Teachers", title_justify="left")
    for name in ("task", "teacher"):
        view.add_column(name, overflow="fold")
    for name in ("its return", "λ at first"):
        view.add_column(name, justify="right")
    random_returns = np.array(
        [
            reference.random if reference else 0.0
            for reference in map(suites.reference_score, config.tasks)
        ]
    )
    weights = schedules.weights(
        config,
        0,
        np.full(len(config.tasks), np.nan),
        teacher_returns.assured(),
        random_returns,
    ).kickstarting_weight
    for task, (name, teachers) in enumerate(
        zip(config.tasks, config.teachers_of_task, strict=True)
    ):
        if not teachers:
            view.add_row(name, "none", "-", "-")
        for position, teacher in enumerate(teachers):
            measured = teacher_returns.mean[task, position]
            spread = teacher_returns.standard_error[task, position]
            view.add_row(
                "" if position else name,
                teacher,
                _unknown(teacher, name)
                if np.isnan(measured)
                else f"{measured:.2f} ± {spread:.2f}",
                f"{weights[task, position]:.3g}",
            )
    return view


def _unknown(teacher: str, task: str) -> str:
    """Returns what stands for a return that is not known: why, where that is known."""
    if not _is_teacher(teacher_files.located(teacher)):
        return "?"
    tasks = teacher_files.read_card(teacher).tasks
    if task in tasks:
        return "?"
    more = f" and {len(tasks) - 1} more" if len(tasks) > 1 else ""
    return f"trained on another task: {tasks[0]}{more}"
