"""The tables of an experiment, as Markdown."""

from collections.abc import Mapping, Sequence

import numpy as np

from experiments.experiment import Experiment
from experiments.results import scoring
from experiments.running import records as run_records
from kickstarting.scores import aggregates

_NONE = "–"

Records = Mapping[str, Sequence[run_records.Record]]


def summary(experiment: Experiment, found: Records) -> list[str]:
    """Returns the small table: scores at the end, and how much sooner it was there.

    Args:
      experiment: the experiment.
      found: the finished runs of each condition, the baseline's first.
    """
    first = next(iter(found.values()))
    levels = _levels(experiment, found)
    name, level = next(iter(levels.items()), ("", np.nan))
    names = ["condition", "seeds", "score at the end"]
    if experiment.evaluation_episodes:
        names.append("of final checkpoints")
    if name:
        names.append(f"frames to {name}")
    lines = [f"| {' | '.join(names)} |", "|---" * len(names) + "|"]
    for number, (label, records) in enumerate(found.items()):
        cells = [label, str(len(records)), _NONE]
        if has_curves := all(map(scoring.has_curve, records)):
            cells[2] = _mean(_by_task(records, 1.0))
        if experiment.evaluation_episodes:
            cells.append(_estimate(aggregates.of_runs(_final(records), seed=0).mean))
        if name and has_curves:
            reached, base = (
                _reached(runs, level, experiment) for runs in (records, first)
            )
            gain = _speed_up(base, reached, experiment.total_frames)
            text = _frames_text(float(np.median(reached)))
            cells.append(text + (gain if number else ""))
        lines.append(
            f"| {' | '.join([*cells, *[_NONE] * (len(names) - len(cells))])} |"
        )
    return lines


def scores(experiment: Experiment, found: Records) -> list[str]:
    """Returns the table of training scores, with 95 % intervals over seeds.

    Args:
      experiment: the experiment.
      found: the finished runs of each condition, the baseline's first.
    """
    shares = experiment.budget_shares
    several = len(experiment.tasks) > 1
    names = [
        *("condition", "seeds"),
        *(f"score at {share:.0%} of the budget" for share in shares),
        *(("median", "IQM") if several else ()),
        "better than the baseline",
    ]
    lines = [f"| {' | '.join(names)} |", "|---" * len(names) + "|"]
    baseline = _by_task(next(iter(found.values())), shares[-1])
    for number, (label, records) in enumerate(found.items()):
        if not all(map(scoring.has_curve, records)):
            empty = [_NONE] * (len(names) - 2)
            lines.append(f"| {' | '.join([label, str(len(records)), *empty])} |")
            continue
        last = _by_task(records, shares[-1])
        over_tasks = aggregates.of_runs(last, seed=0)
        better = ""
        if number and not np.isnan(list(baseline.values())).any():
            better = _estimate(
                aggregates.probability_of_improvement(last, baseline, seed=0), 2
            )
        cells = [
            *(label, str(len(records))),
            *(_mean(_by_task(records, share)) for share in shares),
            *(map(_estimate, (over_tasks.median, over_tasks.iqm)) if several else ()),
            better,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def frames(experiment: Experiment, found: Records) -> list[str]:
    """Returns the table of frames to score levels: the median and each seed.

    A speed-up is the baseline's median over the condition's; where the baseline never
    was there within its budget it is at least what stands there.
    """
    first = next(iter(found.values()))
    levels = _levels(experiment, found)
    names = ["condition", *(f"frames to {name}" for name in levels)]
    lines = [f"| {' | '.join(names)} |", "|---" * len(names) + "|"]
    for number, (label, records) in enumerate(found.items()):
        if not all(map(scoring.has_curve, records)):
            lines.append(f"| {' | '.join([label, *[_NONE] * len(levels)])} |")
            continue
        cells = []
        for level in levels.values():
            reached, base = (
                _reached(runs, level, experiment) for runs in (records, first)
            )
            text = _frames_text(float(np.median(reached)))
            each = ", ".join(map(_frames_text, reached))
            gain = _speed_up(base, reached, experiment.total_frames) if number else ""
            cells.append(f"{text} ({each}){gain}")
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return lines


def final(experiment: Experiment, found: Records) -> list[str]:
    """Returns the table of final checkpoints' scores, with intervals over seeds.

    Teachers stand below with what their cards say, where each task has one.

    Args:
      experiment: the experiment.
      found: the finished runs of each condition, the baseline's first.
    """
    of_conditions = {label: _final(records) for label, records in found.items()}
    baseline = next(iter(of_conditions.values()))
    several = len(baseline) > 1
    names = [
        "condition",
        "final checkpoints: mean",
        *(("median", "IQM") if several else ()),
        "better than the baseline",
    ]
    lines = [f"| {' | '.join(names)} |", "|---" * len(names) + "|"]
    for label, by_task in of_conditions.items():
        over_tasks = aggregates.of_runs(by_task, seed=0)
        better = ""
        if by_task is not baseline:
            better = _estimate(
                aggregates.probability_of_improvement(by_task, baseline, seed=0), 2
            )
        cells = [
            *(label, _estimate(over_tasks.mean)),
            *(map(_estimate, (over_tasks.median, over_tasks.iqm)) if several else ()),
            better,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    for score in _teachers_score(experiment, found).values():
        cells = ["the teachers", f"{score:.1f}", *[""] * (len(names) - 2)]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _final(records: Sequence[run_records.Record]) -> dict[str, list[float]]:
    each = [scoring.final(record) for record in records]
    return {task: [scores[task] for scores in each] for task in each[0]}


def after_advice(experiment: Experiment, found: Records) -> list[str]:
    """Returns the table of what students keep once λ is 0; empty where it never is.

    Runs too short to tell are left out; a score of 0 or less has no ratio.

    Args:
      experiment: the experiment.
      found: the finished runs of each condition.
    """
    lines = []
    for condition in experiment.conditions:
        records = found.get(condition.label, ())
        share = condition.weaned_share
        if share is None or not records or not all(map(scoring.has_curve, records)):
            continue
        pairs = [scoring.around_end_of_advice(record, share) for record in records]
        before, after = np.transpose(pairs)
        if np.isnan(pairs).any():
            continue
        ratio = _NONE
        if (before > 0).all():
            each = ", ".join(f"{one:.2f}" for one in after / before)
            ratio = f"{np.mean(after) / np.mean(before):.2f} ({each})"
        cells = [
            condition.label,
            *(_mean({"": list(scores)}) for scores in (before, after)),
            ratio,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    if not lines:
        return []
    names = [
        *("condition", "score in the fifth of the budget before λ is 0"),
        *("in the fifth after", "after / before (each seed)"),
    ]
    return [f"| {' | '.join(names)} |", "|---" * len(names) + "|", *lines]


def tasks(experiment: Experiment, found: Records) -> list[str]:
    """Returns the table of each task's raw return at the end, mean ± s.d. of seeds."""
    teachers = _teacher_returns(found)
    lines = [
        "| task | " + " | ".join(found) + " | its teachers |",
        "|---" * (len(found) + 2) + "|",
    ]
    for task in experiment.tasks:
        cells = []
        for records in found.values():
            values = [scoring.last_returns(record)[task] for record in records]
            spread = f" ± {_number(np.std(values, ddof=1))}" if len(values) > 1 else ""
            cells.append(f"{_number(np.mean(values))}{spread}")
        known = ", ".join(map(_number, sorted(teachers.get(task, ()))))
        lines.append(f"| {task} | {' | '.join(cells)} | {known} |")
    return lines


def _levels(experiment: Experiment, found: Records) -> dict[str, float]:
    """Returns the scores that are to be reached, by what they are called."""
    first = next(iter(found.values()))
    levels = {f"{level:g}": level for level in experiment.levels}
    if not levels and all(map(scoring.has_curve, first)):
        level = float(np.mean(_last_scores(first)))
        levels[f"{level:.1f}, the baseline's last"] = level
    return levels | _teachers_score(experiment, found)


def _reached(
    records: Sequence[run_records.Record], level: float, experiment: Experiment
) -> list[float]:
    """Returns the frames after which each run is at a score."""
    return [
        scoring.frames_to_reach(one, level, experiment.charge_teachers)
        for one in records
    ]


def _teachers_score(experiment: Experiment, found: Records) -> dict[str, float]:
    """Returns the teachers' score, where each task has one teacher whose card says."""
    returns = _teacher_returns(found)
    if any(len(returns.get(task, ())) != 1 for task in experiment.tasks):
        return {}
    score = float(
        np.mean(
            [
                scoring.capped_scores(task, np.array(min(returns[task])))
                for task in experiment.tasks
            ]
        )
    )
    return {f"{score:.1f}, the teachers'": score}


def _teacher_returns(found: Records) -> dict[str, set[float]]:
    """Returns by task what the teachers' cards say."""
    returns: dict[str, set[float]] = {}
    for records in found.values():
        for record in records:
            for task, values in record.teacher_returns.items():
                returns.setdefault(task, set()).update(values)
    return returns


def _by_task(
    records: Sequence[run_records.Record], share: float
) -> dict[str, list[float]]:
    each = [scoring.at_share(record, share) for record in records]
    return {task: [scores[task] for scores in each] for task in each[0]}


def _last_scores(records: Sequence[run_records.Record]) -> list[float]:
    return [
        float(np.mean(list(scoring.at_share(one, 1.0).values()))) for one in records
    ]


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _mean(by_task: Mapping[str, Sequence[float]]) -> str:
    if np.isnan(list(by_task.values())).any():
        return _NONE
    return _estimate(aggregates.of_runs(by_task, seed=0).mean)


def _estimate(estimate: aggregates.Estimate, digits: int = 1) -> str:
    text = f"{estimate.value:.{digits}f}"
    if np.isnan(estimate.low):
        return text
    return f"{text} ({estimate.low:.{digits}f} to {estimate.high:.{digits}f})"


def _frames_text(count: float) -> str:
    return f"{count / 1000:,.0f}k" if np.isfinite(count) else "not reached"


def _speed_up(base: Sequence[float], reached: Sequence[float], budget: int) -> str:
    median = float(np.median(reached))
    if not np.isfinite(median):
        return ""
    baseline = float(np.median(base))
    if np.isfinite(baseline):
        return f": {baseline / median:.2f}×"
    return f": over {budget / median:.2f}×"
