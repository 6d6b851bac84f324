"""The report says of stored runs what they say, and the same every time."""

import contextlib
import io
import pathlib

from absl.testing import absltest, flagsaver

from experiments import catalogue, report
from experiments.running import records as run_records
from kickstarting.environments import suites
from launch.flags import command_line

_TASK = "doom:take_cover"
_OWN = f'''"""An experiment of one's own."""

from experiments.experiment import Condition, Experiment

EXPERIMENT = Experiment(
    title="{{title}}",
    shows="What?",
    tasks=("{_TASK}",),
    total_frames=100,
    seeds=(1, 2, 3),
    flags=("--batch_size=2",),
    conditions=(Condition("none"), Condition("much", ("--discount=0.9",))),
    levels=(20.0,),
    finding="This.",
)
'''


def _return(score: float) -> float:
    reference = suites.reference_score(_TASK)
    assert reference is not None
    return reference.random + score * (reference.reference - reference.random) / 100


class ReportTest(absltest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.records = str(self.folder / "records")
        self.own = str(self.folder / "own.py")
        self._write(self.own, "A title")

    def _write(self, path: str, title: str) -> None:
        pathlib.Path(path).write_text(_OWN.format(title=title))

    def _keep(self, label: str, seed: int, early: float, late: float) -> None:
        """Keeps the record of a run with these scores halfway and at the end."""
        for condition, training in catalogue.load(self.own).trainings():
            if (condition.label, training.seed) == (label, seed):
                record = run_records.Record(
                    identity=training.identity(),
                    settings=(),
                    git_revision=f"{seed}234567890",
                    seconds=1.0,
                    frames=(50.0, 100.0),
                    columns={
                        f"episode_return/{_TASK}": (_return(early), _return(late))
                    },
                    final_returns={},
                    episodes=0,
                    teacher_returns={},
                )
                run_records.save(run_records.path(self.records, training.key), record)

    def _keep_one(self) -> None:
        """Keeps one record of each condition."""
        for label in ("none", "much"):
            self._keep(label, 1, 10.0, 30.0)

    def _report(self, docs: str, *names: str) -> tuple[int, str]:
        errors = io.StringIO()
        with flagsaver.flagsaver(), contextlib.redirect_stderr(errors):
            status = command_line.status(
                report.main,
                [
                    "report",
                    f"--docs={self.folder / docs}",
                    f"--records={self.records}",
                    *names,
                ],
                names=True,
            )
        return status, errors.getvalue()

    def test_tables_of_stored_runs(self) -> None:
        for seed, late in ((1, 30.0), (2, 32.0)):
            self._keep("none", seed, 10.0, late)
            self._keep("much", seed, 25.0, late + 20)
        self.assertEqual(self._report("docs", self.own), (0, ""))
        docs = self.folder / "docs"
        text = (docs / "results.md").read_text()
        for line in (
            "## With what is recommended today",
            "### A title",
            "This.",
            "| none | 2 | 31.0 (30.0 to 32.0) | 0k |",
            "| much | 2 | 51.0 (50.0 to 52.0) | 0k: 2.00× |",
            "(results/own.md)",
        ):
            self.assertIn(line, text)
        self.assertNotIn("With the earlier learner", text)
        text = (docs / "results" / "own.md").read_text()
        for line in (
            "# A title",
            # The third seed has no record yet.
            "| none | 2 | 31.0 (30.0 to 32.0) |  |",
            "| much | 2 | 51.0 (50.0 to 52.0) | 1.00 (1.00 to 1.00) |",
            "| none | 0k (0k, 0k) |",
            "| much | 0k (0k, 0k): 2.00× |",
            "`python -m experiments.run own`: 100 frames a run, `--batch_size=2`; "
            "revision 1234567, 2234567.",
        ):
            self.assertIn(line, text)

    def test_the_same_records_give_the_same_files(self) -> None:
        self._keep_one()
        for docs in ("first", "second"):
            self.assertEqual(self._report(docs, self.own), (0, ""))
        for name in ("results.md", "pictures/own.svg"):
            first, second = (
                (self.folder / docs / name).read_text() for docs in ("first", "second")
            )
            self.assertEqual(first, second)

    def test_questions_have_a_document_of_their_own(self) -> None:
        self._keep_one()
        question = str(self.folder / "question_own.py")
        self._write(question, "A question")
        self.assertEqual(self._report("docs", self.own, question), (0, ""))
        docs = self.folder / "docs"
        self.assertNotIn("A question", (docs / "results.md").read_text())
        self.assertIn("## A question", (docs / "questions.md").read_text())

    def test_what_lacks_a_condition_is_listed(self) -> None:
        self._keep_one()
        other = str(self.folder / "other.py")
        text = _OWN.format(title="Another").replace("--discount=0.9", "--discount=0.8")
        pathlib.Path(other).write_text(text)
        self.assertEqual(self._report("docs", self.own, other), (0, ""))
        text = (self.folder / "docs" / "results.md").read_text()
        self.assertNotIn("## Another", text)
        listed = text[text.index("## Not run yet") :]
        self.assertIn("* `other`: What?", listed)
        self.assertNotIn("`own`", listed)

    def test_without_records_there_is_nothing_to_report(self) -> None:
        status, said = self._report("docs", self.own)
        self.assertEqual(status, command_line.USAGE_STATUS)
        self.assertIn("holds no experiment of which each condition has", said)
        self.assertEqual(said.count("\n"), 1)
        self.assertFalse((self.folder / "docs").exists())


if __name__ == "__main__":
    absltest.main()
