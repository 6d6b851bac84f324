"""Scores of a policy on tasks, with a progress bar: shared by the entry points."""

import dataclasses
import functools
import json
from collections.abc import Sequence
from typing import Any

from rich import console as rich_console
from rich import progress as rich_progress
from rich import table as rich_table

from kickstarting import config as config_lib
from kickstarting import evaluator, scores
from kickstarting.environments import suites
from launch import policies


@dataclasses.dataclass(frozen=True)
class TaskScore:
    """The score of one task.

    Attributes:
      task: `suite:level`.
      mean_return: raw.
      standard_error: of mean_return; NaN for one episode.
      episodes: played.
      mean_agent_steps: of an episode.
      normalised_score: None where the task has no reference.
      returns: raw return of every episode.
    """

    task: str
    mean_return: float
    standard_error: float
    episodes: int
    mean_agent_steps: float
    normalised_score: float | None
    returns: tuple[float, ...]


def evaluate(
    policy: policies.Policy,
    tasks: Sequence[str],
    *,
    num_episodes: int,
    seed: int,
    greedy: bool,
    lab: config_lib.LabConfig = config_lib.LabConfig(),
    console: rich_console.Console | None = None,
) -> list[TaskScore]:
    """Plays `num_episodes` of each task.

    Args:
      policy: what plays.
      tasks: `suite:level` names.
      num_episodes: of each task.
      seed: seeds environments and sampling.
      greedy: takes the most probable action; samples otherwise.
      lab: for the suites of DeepMind Lab; the policy's action set counts.
      console: where the progress bar goes; standard error if None.

    Raises:
      base.EnvironmentConfigError: a task cannot be made.
      config_lib.ConfigError: a task does not fit the policy.
    """
    for task in tasks:
        suites.check_installed(task, lab)
        policies.check_fits(policy, task)
    results = []
    bar = rich_progress.Progress(
        *rich_progress.Progress.get_default_columns(),
        console=console or rich_console.Console(stderr=True),
        transient=True,
    )
    with bar:
        for task in tasks:
            row = bar.add_task(f"evaluating {task}", total=num_episodes)
            episodes = evaluator.evaluate(
                task,
                policy.params,
                policy.agent,
                num_episodes=num_episodes,
                seed=seed,
                action_repeat=policy.spec.action_repeat,
                greedy=greedy,
                core_size=policy.network.core_size,
                lab=lab,
                progress=functools.partial(_advance, bar, row),
            )
            assert episodes is not None
            summary = scores.summarise(episodes.returns.tolist())
            reference = suites.reference_score(task)
            results.append(
                TaskScore(
                    task=task,
                    mean_return=summary.mean,
                    standard_error=summary.standard_error,
                    episodes=summary.episodes,
                    mean_agent_steps=float(episodes.agent_steps.mean()),
                    normalised_score=scores.normalised_score(summary.mean, reference)
                    if reference
                    else None,
                    returns=tuple(float(x) for x in episodes.returns),
                )
            )
    return results


def _advance(
    bar: rich_progress.Progress, row: rich_progress.TaskID, finished: int
) -> None:
    bar.update(row, completed=finished)


def table(results: Sequence[TaskScore], title: str) -> rich_table.Table:
    """Returns the scores as a table for the terminal."""
    view = rich_table.Table(title=title, title_justify="left")
    view.add_column("task")
    for name in ("return", "± s.e.", "score", "episodes", "steps"):
        view.add_column(name, justify="right")
    for result in results:
        score = result.normalised_score
        view.add_row(
            result.task,
            f"{result.mean_return:.2f}",
            f"{result.standard_error:.2f}",
            "-" if score is None else f"{score:.1f}",
            str(result.episodes),
            f"{result.mean_agent_steps:.0f}",
        )
    return view


def write_json(path: str, results: Sequence[TaskScore], **about: Any) -> None:
    """Writes the scores and what they are about as JSON."""
    content = {**about, "tasks": [dataclasses.asdict(result) for result in results]}
    with open(path, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2)
        file.write("\n")
