"""Writes docs/results.md and docs/questions.md from the runs that are finished.

  python -m experiments.report

What was found, a figure (PNG and SVG) and a small table of every experiment of which
each condition has a record, and of files of one's own that are named, with a page for
each behind it, docs/results/NAME.md; the rest is listed. Nothing is trained.
"""

import os
from collections.abc import Iterable, Iterator, Sequence

from absl import flags
from rich import console as rich_console

from experiments import run
from experiments.experiment import Experiment
from experiments.results import figures, tables
from experiments.running import records as run_records
from kickstarting.config import run as config_lib
from launch.flags import command_line

_DOCS = flags.DEFINE_string("docs", "docs", "Folder that takes the documents.")

_RESULTS_FILE = "results.md"
_QUESTIONS_FILE = "questions.md"
_PICTURES = "pictures"
_PAGES = "results"
# Experiments of this name answer the questions of the paper's readers.
_QUESTION = "question_"

_HOW_TO_READ = """\
`python -m experiments.report` wrote this page from the records of finished runs,
which `python -m experiments.run NAME` trains and keeps. Scores are means over tasks
of the capped normalised score (0: the random policy, 100: the reference,
[scores.md](scores.md)) of training, over the last tenth of the budget that far, of the
newest 100 episodes of each task (or of the episodes within a tenth of the frames, where
a run of one task tells them: its figure says so); those of final checkpoints are of
sampled actions. In brackets: 95 % intervals of the bootstrap over seeds, stratified by
task. "Better than the baseline" is the probability of improvement over the first
condition (Agarwal et al. 2021, [arXiv:2108.13264](https://arxiv.org/abs/2108.13264)).
Thin lines of figures are seeds, bold ones their means, geometric where the axis is
logarithmic. A population is shown along the lineage of its best member.
"""
_TODAY = "## With what is recommended today\n"
_EARLIER = """\
## With the earlier learner

These runs keep the settings of `experiments/published.py`. With them an agent alone
learns several times slower than with what is recommended today
([learning.md](learning.md)), so that some of what they say may be about that agent
and not about teachers.
"""


def main(argv: list[str]) -> int:
    """Writes the documents; returns 0."""
    experiments = run.chosen(["all", *argv[1:]])
    sections: dict[tuple[str, str], list[str]] = {}
    missing = []
    for name, experiment in sorted(experiments.items(), key=_order):
        found = _found(experiment)
        if len(found) < len(experiment.conditions):
            missing.append(f"* `{name}`: {experiment.shows}")
            continue
        pictures = figures.draw(
            name, experiment, found, os.path.join(_DOCS.value, _PICTURES)
        )
        _write(f"{_PAGES}/{name}.md", _page(name, experiment, found, pictures))
        file = _QUESTIONS_FILE if name.startswith(_QUESTION) else _RESULTS_FILE
        learner = _EARLIER if experiment.published else _TODAY
        sections.setdefault((file, learner), []).append(
            "\n".join(_section(name, experiment, found, pictures))
        )
    if not sections:
        raise config_lib.ConfigError(
            f"{run.records_folder()} holds no experiment of which each condition has "
            "a record: train with python -m experiments.run"
        )
    console = rich_console.Console()
    for file, title in ((_RESULTS_FILE, "Results"), (_QUESTIONS_FILE, "Questions")):
        parts = [
            part
            for learner in (_TODAY, _EARLIER)
            if (of_learner := sections.get((file, learner)))
            for part in (learner, *of_learner)
        ]
        if missing and file == _RESULTS_FILE:
            parts.append("\n".join(["## Not run yet\n", *missing, ""]))
        if parts:
            path = _write(file, [f"# {title}\n", _HOW_TO_READ, *parts])
            console.print(f"Wrote {path}", highlight=False, soft_wrap=True)
    return 0


def _write(file: str, lines: Iterable[str]) -> str:
    """Writes a document; returns its path."""
    path = os.path.join(_DOCS.value, file)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as document:
        document.write("\n".join(lines))
    return path


def _order(named: tuple[str, Experiment]) -> tuple[int, str]:
    """Sorts by the number that begins a title, and else by name."""
    name, experiment = named
    number = experiment.title.partition(".")[0].partition(" ")[0]
    return (int(number) if number.isdecimal() else 0, name)


def _found(experiment: Experiment) -> tables.Records:
    """Returns the records of each condition that has some, in its order."""
    found: dict[str, list[run_records.Record]] = {}
    for condition, training in experiment.trainings():
        path = run_records.path(run.records_folder(), training.key)
        record = run_records.load(path)
        if record is not None:
            found.setdefault(condition.label, []).append(record)
    order = [condition.label for condition in experiment.conditions]
    return {label: found[label] for label in order if label in found}


def _section(
    name: str, experiment: Experiment, found: tables.Records, pictures: Sequence[str]
) -> Iterator[str]:
    """Yields what was found, with one picture and one table."""
    yield f"### {experiment.title}\n"
    if not experiment.title.endswith(experiment.shows):
        yield f"{experiment.shows}\n"
    if experiment.finding:
        yield f"{experiment.finding}\n"
    if pictures:
        yield f"![{experiment.title}]({_PICTURES}/{pictures[0]})\n"
    yield "\n".join(tables.summary(experiment, found)) + "\n"
    yield f"[Each task, each seed, and the command]({_PAGES}/{name}.md)\n"


def _page(
    name: str, experiment: Experiment, found: tables.Records, pictures: Sequence[str]
) -> Iterator[str]:
    """Yields the page behind a section."""
    yield f"# {experiment.title}\n"
    revisions = sorted(
        {record.git_revision[:7] for records in found.values() for record in records}
    )
    flags_of_all = f", `{' '.join(experiment.flags)}`" if experiment.flags else ""
    yield (
        f"`python -m experiments.run {name}`: {experiment.total_frames:,} frames a run"
        f"{flags_of_all}; revision {', '.join(revisions)}.\n"
    )
    yield "\n".join(tables.scores(experiment, found)) + "\n"
    yield "\n".join(tables.frames(experiment, found)) + "\n"
    if experiment.evaluation_episodes:
        yield "\n".join(tables.final(experiment, found)) + "\n"
    if kept := tables.after_advice(experiment, found):
        yield "\n".join(kept) + "\n"
    yield "Raw returns at the end, mean ± s.d. over seeds:\n"
    yield "\n".join(tables.tasks(experiment, found)) + "\n"
    if experiment.paper:
        yield f"The paper has:\n\n{experiment.paper}\n"
    for picture in pictures:
        yield f"![{experiment.title}](../{_PICTURES}/{picture})\n"


if __name__ == "__main__":
    command_line.run(main, names=True)
