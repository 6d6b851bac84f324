"""Writes docs/results.md and docs/questions.md from the runs that are finished.

  python -m experiments.report

Tables with intervals and figures (PNG and SVG) of every experiment of which each
condition has a record, and of files of one's own that are named; the rest is listed.
Nothing is trained.
"""

import os
from collections.abc import Iterator

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
# Experiments of this name answer the questions of the paper's readers.
_QUESTION = "question_"

_HOW_TO_READ = """\
`python -m experiments.report` wrote this page from the records of finished runs,
which `python -m experiments.run NAME` trains and keeps. Scores are means over tasks
of the capped normalised score (0: the random policy, 100: the reference,
[scores.md](scores.md)) of training, over the last tenth of the budget that far;
those of final checkpoints are of sampled actions. In brackets: 95 % intervals of
the bootstrap over seeds, stratified by task. "Better than the baseline" is the
probability of improvement over the first condition (Agarwal et al. 2021,
[arXiv:2108.13264](https://arxiv.org/abs/2108.13264)). Thin lines of figures are
seeds, bold ones their means, geometric where the axis is logarithmic. A population is
shown along the lineage of its best member.
"""


def main(argv: list[str]) -> int:
    """Writes the documents; returns 0."""
    experiments = run.chosen(["all", *argv[1:]])
    sections: dict[str, list[str]] = {_RESULTS_FILE: [], _QUESTIONS_FILE: []}
    missing = []
    for name, experiment in sorted(experiments.items(), key=_order):
        found = _found(experiment)
        if len(found) < len(experiment.conditions):
            missing.append(f"* `{name}`: {experiment.shows}")
            continue
        file = _QUESTIONS_FILE if name.startswith(_QUESTION) else _RESULTS_FILE
        sections[file].append("\n".join(_section(name, experiment, found)))
    if not any(sections.values()):
        raise config_lib.ConfigError(
            f"{run.records_folder()} holds no experiment of which each condition has "
            "a record: train with python -m experiments.run"
        )
    if missing:
        unanswered = "\n".join(["## Not run yet\n", *missing, ""])
        sections[_RESULTS_FILE].append(unanswered)
    console = rich_console.Console()
    for file, title in ((_RESULTS_FILE, "Results"), (_QUESTIONS_FILE, "Questions")):
        if sections[file]:
            path = os.path.join(_DOCS.value, file)
            text = "\n".join([f"# {title}\n", _HOW_TO_READ, *sections[file]])
            os.makedirs(_DOCS.value, exist_ok=True)
            with open(path, "w", encoding="utf-8") as document:
                document.write(text)
            console.print(f"Wrote {path}", highlight=False, soft_wrap=True)
    return 0


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


def _section(name: str, experiment: Experiment, found: tables.Records) -> Iterator[str]:
    pictures = figures.draw(
        name, experiment, found, os.path.join(_DOCS.value, _PICTURES)
    )
    yield f"## {experiment.title}\n"
    if not experiment.title.endswith(experiment.shows):
        yield f"{experiment.shows}\n"
    if experiment.finding:
        yield f"{experiment.finding}\n"
    if pictures:
        yield f"![{experiment.title}]({_PICTURES}/{pictures[0]})\n"
    yield "\n".join(tables.scores(experiment, found)) + "\n"
    yield "\n".join(tables.frames(experiment, found)) + "\n"
    if experiment.evaluation_episodes:
        yield "\n".join(tables.final(found)) + "\n"
    yield "Raw returns at the end, mean ± s.d. over seeds:\n"
    yield "\n".join(tables.tasks(experiment, found)) + "\n"
    if experiment.paper:
        yield f"The paper has:\n\n{experiment.paper}\n"
    for picture in pictures[1:]:
        yield f"![{experiment.title}]({_PICTURES}/{picture})\n"
    revisions = sorted(
        {record.git_revision[:7] for records in found.values() for record in records}
    )
    flags_of_all = f", `{' '.join(experiment.flags)}`" if experiment.flags else ""
    yield (
        f"`python -m experiments.run {name}`: {experiment.total_frames:,} frames a run"
        f"{flags_of_all}; revision {', '.join(revisions)}.\n"
    )


if __name__ == "__main__":
    command_line.run(main, names=True)
