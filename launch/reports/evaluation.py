"""Scores of a policy on tasks, with a progress bar: shared by the entry points."""

import dataclasses
import json
import math
from collections.abc import Sequence
from typing import Any

from rich import console as rich_console
from rich import progress as rich_progress
from rich import table as rich_table

from kickstarting.acting import episodes as episodes_lib
from kickstarting.acting import evaluator
from kickstarting.config import run as config_lib
from kickstarting.environments import suites
from kickstarting.scores import aggregates
from kickstarting.scores import normalised as scores
from launch.reports import policies

_AGGREGATES = (("mean", "mean"), ("median", "median"), ("iqm", "IQM"))


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
      capped_score: normalised_score, at most 100.
      returns: raw return of every episode.
    """

    task: str
    mean_return: float
    standard_error: float
    episodes: int
    mean_agent_steps: float
    normalised_score: float | None
    capped_score: float | None
    returns: tuple[float, ...]


def evaluate(
    policy: policies.Policy,
    tasks: Sequence[str],
    *,
    num_episodes: int,
    seed: int,
    greedy: bool,
    held_out: bool = True,
    num_environments: int = evaluator.NUM_ENVIRONMENTS,
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
      held_out: plays what a suite holds out from training, where it does so.
      num_environments: environments side by side, all of one task.
      lab: for the suites of DeepMind Lab; the policy's action set counts.
      console: where the progress bar goes; standard error if None.

    Raises:
      base.EnvironmentConfigError: a task cannot be made.
      config_lib.ConfigError: a task does not fit the policy.
    """
    for task in tasks:
        suites.check_installed(task, lab)
        policies.check_fits(policy, task)
    results: list[TaskScore] = []
    bar = rich_progress.Progress(
        *rich_progress.Progress.get_default_columns(),
        console=console or rich_console.Console(stderr=True),
        transient=True,
    )
    with bar:
        row = bar.add_task("", total=num_episodes * len(tasks))

        def show(finished: int, agent_steps: int) -> None:
            del agent_steps
            bar.update(row, completed=num_episodes * len(results) + finished)

        for number, task in enumerate(tasks, start=1):
            of = f" ({number} of {len(tasks)})" if len(tasks) > 1 else ""
            bar.update(row, description=f"evaluating {task}{of}")
            episodes = evaluator.evaluate(
                task,
                evaluator.AgentPlayer(policy.agent, policy.params, seed, greedy),
                num_episodes=num_episodes,
                seed=seed,
                action_repeat=policy.spec.action_repeat,
                held_out=held_out,
                num_environments=num_environments,
                lab=lab,
                watch=show,
            )
            results.append(_task_score(task, episodes))
    return results


def _task_score(task: str, episodes: episodes_lib.Episodes) -> TaskScore:
    summary = scores.summarise(episodes.returns.tolist())
    reference = suites.reference_score(task)
    score = scores.normalised_score(summary.mean, reference) if reference else None
    return TaskScore(
        task=task,
        mean_return=summary.mean,
        standard_error=summary.standard_error,
        episodes=summary.episodes,
        mean_agent_steps=float(episodes.agent_steps.mean()),
        normalised_score=score,
        capped_score=None if score is None else scores.capped(score),
        returns=tuple(float(x) for x in episodes.returns),
    )


def aggregate(results: Sequence[TaskScore], seed: int) -> aggregates.Aggregates | None:
    """Aggregates the scores of all tasks that have a reference.

    Args:
      results: of the tasks.
      seed: seeds the resampling of their intervals.

    Returns:
      see aggregates.of_episodes; None where no task has a reference.
    """
    references = {
        result.task: reference
        for result in results
        if (reference := suites.reference_score(result.task)) is not None
    }
    if not references:
        return None
    returns = {
        result.task: result.returns for result in results if result.task in references
    }
    return aggregates.of_episodes(returns, references, seed=seed)


def table(
    results: Sequence[TaskScore],
    title: str,
    over_tasks: aggregates.Aggregates | None = None,
) -> rich_table.Table:
    """Returns the scores as a table for the terminal.

    Args:
      results: a line for each.
      title: above them.
      over_tasks: of `results`, below them where they are more than one.
    """
    view = rich_table.Table(title=title, title_justify="left", caption_justify="left")
    # A name that is too long for the terminal goes on in the next line.
    view.add_column("task", overflow="fold")
    for name in ("return", "± s.e.", "score", "capped", "episodes", "steps"):
        view.add_column(name, justify="right")
    for result in results:
        view.add_row(
            result.task,
            f"{result.mean_return:.2f}",
            f"{result.standard_error:.2f}",
            _score(result.normalised_score),
            _score(result.capped_score),
            str(result.episodes),
            f"{result.mean_agent_steps:.0f}",
        )
    if over_tasks is None or len(results) < 2:
        return view
    left_out = _without_reference(results)
    if left_out:
        view.caption = f"Left out for want of a reference: {', '.join(left_out)}"
    view.add_section()
    scored = len(results) - len(left_out)
    view.add_row(f"{scored} tasks, {aggregates.CONFIDENCE:.0%} interval")
    for field, name in _AGGREGATES:
        estimate = getattr(over_tasks, field)
        interval = f"{_score(estimate.low)} to {_score(estimate.high)}"
        view.add_row(f"{name}, {interval}", *("", "", "", _score(estimate.value)))
    return view


def _score(score: float | None) -> str:
    return "-" if score is None or math.isnan(score) else f"{score:.1f}"


def _without_reference(results: Sequence[TaskScore]) -> list[str]:
    return [result.task for result in results if result.normalised_score is None]


def write_json(
    path: str,
    results: Sequence[TaskScore],
    over_tasks: aggregates.Aggregates | None,
    **about: Any,
) -> None:
    """Writes the scores and what they are about as JSON; what is NaN becomes null.

    Args:
      path: of the file.
      results: `tasks` of the file.
      over_tasks: `aggregates` of the file, with the tasks that they leave out.
      **about: its first members.
    """
    content = {
        **about,
        "tasks": [dataclasses.asdict(result) for result in results],
        "aggregates": None if over_tasks is None else dataclasses.asdict(over_tasks),
        "confidence": aggregates.CONFIDENCE,
        "without_reference": _without_reference(results),
    }
    with open(path, "w", encoding="utf-8") as file:
        json.dump(_without_nan(content), file, indent=2, allow_nan=False)
        file.write("\n")


def _without_nan(value: Any) -> Any:
    """Returns a JSON value with null for NaN, which JSON does not have."""
    if isinstance(value, dict):
        return {name: _without_nan(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(member) for member in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
