"""Scores of a policy on tasks: shared by the entry points."""

import contextlib
import dataclasses
import functools
import json
import math
import types
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from rich import console as rich_console
from rich import table as rich_table
from rich import text as rich_text

from kickstarting.acting import episodes as episodes_lib
from kickstarting.acting import evaluator, kept_episodes
from kickstarting.config import run as config_lib
from kickstarting.environments import base, suites
from kickstarting.reporting import episode_progress
from kickstarting.scores import aggregates
from kickstarting.scores import normalised as scores
from launch.processes import interruption
from launch.reports import kept_files, policies

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
      cut_episodes: how many had not ended at the most agent steps that one may take.
    """

    task: str
    mean_return: float
    standard_error: float
    episodes: int
    mean_agent_steps: float
    normalised_score: float | None
    capped_score: float | None
    returns: tuple[float, ...]
    cut_episodes: int = 0


class Evaluation(NamedTuple):
    """What an evaluation has come to.

    Attributes:
      results: of the tasks of which at least one episode was played, in their order.
      failures: why a task could not be played, by task.
      missing: episodes that were not played any more, by task.
      is_kept: whether the same evaluation would go on with what was played.
      status: exit status of a command that does nothing else: 0, 1 where there are
        failures, 128 and the signal's number where it was interrupted.
    """

    results: list[TaskScore]
    failures: dict[str, str]
    missing: dict[str, int]
    is_kept: bool
    status: int

    @property
    def is_complete(self) -> bool:
        """Whether every task's episodes were played."""
        return not self.failures and not self.missing

    def about(self) -> dict[str, Any]:
        """Returns what a JSON says of what is not there; see write_json."""
        return {"failures": self.failures, "missing_episodes": self.missing}

    def check_any(self) -> None:
        """Checks that something was played, or could have been.

        Raises:
          base.EnvironmentConfigError: no task can be played; the first one's reason.
        """
        if self.failures and not self.results and not self.missing:
            raise base.EnvironmentConfigError(next(iter(self.failures.values())))

    def what_is_missing(self) -> str:
        """Returns a line for people; empty where nothing is missing."""
        if self.is_complete:
            return ""
        parts = [f"{task} could not be played" for task in self.failures]
        if self.missing:
            played = sum(result.episodes for result in self.results)
            parts.insert(
                0, f"Interrupted after {played} of {played + self._unplayed} episodes"
            )
        line = "; ".join(parts) + "."
        if self.is_kept:
            line += " The same command goes on with what is missing."
        return line

    @property
    def _unplayed(self) -> int:
        return sum(self.missing.values())


def evaluate(
    policy: policies.Policy,
    tasks: Sequence[str],
    *,
    num_episodes: int,
    seed: int,
    greedy: bool,
    leaves: str | None,
    held_out: bool = True,
    num_environments: int = evaluator.NUM_ENVIRONMENTS,
    max_agent_steps: int = evaluator.MAX_AGENT_STEPS,
    lab: config_lib.LabConfig = config_lib.LabConfig(),
    deadline_seconds: float = config_lib.ENVIRONMENT_DEADLINE_SECONDS,
    console: rich_console.Console | None = None,
) -> Evaluation:
    """Plays `num_episodes` of each task, and shows how far it is.

    Episodes are kept as they end, until all are there: called again it plays what is
    missing. Ctrl-C and SIGTERM end it with what it has.

    Args:
      policy: what plays.
      tasks: `suite:level` names.
      num_episodes: of each task.
      seed: seeds environments and sampling.
      greedy: takes the most probable action; samples otherwise.
      leaves: file or folder that is made of the scores, beside which the episodes are
        kept; None: there is none, and they are kept in the user's cache.
      held_out: plays what a suite holds out from training, where it does so.
      num_environments: environments side by side, all of one task.
      max_agent_steps: of an episode; see evaluator.evaluate.
      lab: for the suites of DeepMind Lab; the policy's action set counts.
      deadline_seconds: see TaskSettings.
      console: where the progress is shown; standard error if None.

    Raises:
      base.EnvironmentConfigError: there is no such task, or nothing here plays it.
      config_lib.ConfigError: a task does not fit the policy.
    """
    for task in tasks:
        suites.check_installed(task, lab)
        policies.check_fits(policy, task, deadline_seconds)
    identity = kept_episodes.identity(
        policy.params,
        seed=seed,
        greedy=greedy,
        action_repeat=policy.spec.action_repeat,
        max_agent_steps=max_agent_steps,
        held_out=held_out,
    )
    path = (
        kept_files.in_cache(identity) if leaves is None else kept_files.beside(leaves)
    )
    results: list[TaskScore] = []
    failures: dict[str, str] = {}
    missing: dict[str, int] = {}
    with (
        episode_progress.EpisodeProgress(console) as progress,
        interruption.noticed() as interrupted,
        contextlib.closing(
            kept_episodes.KeptEpisodes(path, identity, progress.say)
        ) as kept,
    ):
        for number, task in enumerate(tasks, start=1):
            try:
                episodes = evaluator.evaluate(
                    task,
                    evaluator.AgentPlayer(policy.agent, policy.params, seed, greedy),
                    num_episodes=num_episodes,
                    seed=seed,
                    action_repeat=policy.spec.action_repeat,
                    held_out=held_out,
                    num_environments=num_environments,
                    max_agent_steps=max_agent_steps,
                    lab=lab,
                    deadline_seconds=deadline_seconds,
                    earlier=kept.of(task),
                    keep=functools.partial(kept.keep, task),
                    should_stop=interrupted.has_come,
                    watch=progress.begin(
                        f"evaluating {task}", number, len(tasks), num_episodes
                    ),
                    say=progress.say,
                )
            # The system may refuse processes as well.
            except (base.EnvironmentConfigError, OSError) as error:
                failures[task] = " ".join(str(error).split())
                progress.say(f"{task} could not be played: {failures[task]}")
                continue
            count = len(episodes.returns)
            if count:
                results.append(_task_score(task, episodes))
                progress.end(
                    f"{count} of {num_episodes} episodes, mean return "
                    f"{results[-1].mean_return:.6g}"
                )
            if count < num_episodes:
                missing[task] = num_episodes - count
        is_kept = kept.is_kept
        if not failures and not missing:
            kept.remove()
    status = interrupted.status if missing else int(bool(failures))
    return Evaluation(results, failures, missing, is_kept, status)


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
        cut_episodes=int(episodes.cut.sum()),
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
    failures: Mapping[str, str] = types.MappingProxyType({}),
) -> rich_table.Table:
    """Returns the scores as a table for the terminal.

    Args:
      results: a line for each.
      title: above them.
      over_tasks: of `results`, below them where they are more than one.
      failures: why a task could not be played, by task.
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
    for task in failures:
        view.add_row(task, "failed")
    notes = [
        f"{result.task}: {result.cut_episodes} of {result.episodes} episodes were cut"
        for result in results
        if result.cut_episodes
    ]
    notes += [f"{task} failed: {reason}" for task, reason in failures.items()]
    is_aggregated = over_tasks is not None and len(results) > 1
    left_out = _without_reference(results)
    if is_aggregated and left_out:
        notes.append(f"Left out for want of a reference: {', '.join(left_out)}")
    # Text, in which a reason's brackets are no style.
    view.caption = rich_text.Text("\n".join(notes)) if notes else None
    if not is_aggregated:
        return view
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
