"""An experiment from its name to its documents, with real runs; and what is refused."""

import contextlib
import fcntl
import io
import json
import os
import pathlib
import signal

import numpy as np
from absl.testing import absltest, flagsaver, parameterized

from experiments import catalogue, run
from kickstarting.reporting import run_files
from launch.flags import command_line
from tests.launch import program_run

_TINY = '''"""Two conditions of a small grid, one of them with a teacher of its own."""

from experiments.experiment import Condition, Experiment
from experiments.training import Teacher, Training

_TASKS = ("gym:MiniGrid-Empty-5x5-v0",)
_FLAGS = (
    "--norecommended",
    "--torso=small_grid",
    "--nolanguage",
    "--action_repeat=1",
    "--core_size=32",
    "--environments_per_actor=2",
    "--unroll_length=10",
    "--batch_size=2",
)
EXPERIMENT = Experiment(
    title="Tiny",
    shows="Does everything run?",
    tasks=_TASKS,
    total_frames=400,
    seeds=(1,),
    flags=_FLAGS,
    conditions=(
        Condition("from scratch"),
        Condition(
            "taught",
            teachers=(Teacher(Training(_TASKS, 101, 400, _FLAGS)),),
            weaned_share=0.5,
        ),
    ),
    evaluation_episodes=2,
    traces=("global_weight",),
    paper="Nothing.",
    finding="It does.",
)
'''


class EndToEndTest(absltest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.tiny = str(self.folder / "tiny.py")
        pathlib.Path(self.tiny).write_text(_TINY)
        self.records = self.folder / "records"

    def _start(self, module: str, *arguments: str) -> program_run.ProgramRun:
        return program_run.ProgramRun(
            self,
            f"--results={self.folder / 'results'}",
            f"--records={self.records}",
            *arguments,
            module=f"experiments.{module}",
        )

    def _finish(self, module: str, *arguments: str) -> program_run.ProgramRun:
        started = self._start(module, *arguments)
        self.assertEqual(started.wait(), 0, started.stdout + started.stderr)
        self.assertEmpty(started.wait_until_gone(5))
        return started

    def test_trains_what_is_missing_once_and_reports_it(self) -> None:
        first = self._finish("run", self.tiny)
        self.assertIn("4 steps are missing for 2 runs", first.stdout)
        records = [json.loads(path.read_text()) for path in self.records.iterdir()]
        # Both conditions and the teacher.
        self.assertLen(records, 3)
        taught = [each for each in records if each["teacher_returns"]]
        self.assertLen(taught, 1)
        self.assertIn("global_weight", taught[0]["columns"])

        again = self._finish("run", self.tiny)
        self.assertIn("0 steps are missing for 2 runs", again.stdout)

        docs = self.folder / "docs"
        self._finish("report", self.tiny, f"--docs={docs}")
        text = (docs / "results.md").read_text()
        for line in ("## Tiny", "It does.", "](pictures/tiny.png)"):
            self.assertIn(line, text)
        page = (docs / "results" / "tiny.md").read_text()
        for line in ("# Tiny", "Nothing.", "experiments.run tiny"):
            self.assertIn(line, page)
        for document, tables in ((text, 1), (page, 3)):
            lines = document.splitlines()
            rows = [line for line in lines if line.startswith("| taught")]
            self.assertLen(rows, tables)
        for picture in ("tiny", "tiny_global_weight"):
            self.assertIn(f"](../pictures/{picture}.png)", page)
            drawn = (docs / "pictures" / f"{picture}.png").read_bytes()
            self.assertStartsWith(drawn, b"\x89PNG")
            self.assertTrue((docs / "pictures" / f"{picture}.svg").exists())

    def test_what_was_broken_off_goes_on(self) -> None:
        text = _TINY.replace("total_frames=400,", "total_frames=20_000,")
        pathlib.Path(self.tiny).write_text(text)
        _, training = next(catalogue.load(self.tiny).trainings())
        logdir = training.logdir(str(self.folder / "results"))
        arguments = (self.tiny, "--at_once=1", "--seeds=1")
        broken = self._start("run", *arguments)
        broken.wait_for_frames(logdir, 0)
        broken.interrupt()
        self.assertEqual(broken.wait(), 128 + signal.SIGINT)
        self.assertEmpty(broken.wait_until_gone(5))
        done = program_run.frames_of(program_run.checkpoints(logdir)[-1])
        self.assertBetween(done, 20, 19_980)
        self.assertFalse(self.records.exists())

        again = self._start("run", *arguments)
        again.wait_for_frames(logdir, done)
        again.interrupt()
        self.assertEqual(again.wait(), 128 + signal.SIGINT)
        frames = run_files.read_metrics(logdir)["frames"]
        # Rows from before the break are there, and none was written twice.
        self.assertLessEqual(frames[0], done)
        self.assertTrue((np.diff(frames) > 0).all())


class RefusalTest(parameterized.TestCase):
    def _refused(self, *arguments: str) -> str:
        errors = io.StringIO()
        results = os.path.join(self.create_tempdir().full_path, "results")
        with flagsaver.flagsaver(), contextlib.redirect_stderr(errors):
            status = command_line.status(
                run.main, ["run", f"--results={results}", *arguments], names=True
            )
        self.assertEqual(status, command_line.USAGE_STATUS)
        self.assertEqual(errors.getvalue().count("\n"), 1)
        return errors.getvalue()

    @parameterized.parameters(
        (("no_such_experiment",), "there is no experiment"),
        (("/nowhere/own.py",), "there is no file /nowhere/own.py"),
        ((__file__,), "declares no EXPERIMENT"),
        ((), "name an experiment"),
        (("doom_multi_task", "--seeds=one"), "--seeds are numbers"),
        (("doom_multi_task", "--seeds=1,1"), "names a seed twice"),
        (("doom_multi_task", "--at_once=-1"), "--at_once must not be below 0"),
        (("doom_multi_task", "--results=/proc/x"), "cannot write /proc/x"),
        (("doom_multi_task", "--fast"), "unknown flag --fast"),
    )
    def test_one_line_before_anything_is_trained(self, arguments, message) -> None:
        self.assertIn(message, self._refused(*arguments))

    def test_two_runners_do_not_share_a_folder(self) -> None:
        results = self.create_tempdir().full_path
        with open(os.path.join(results, "lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            message = self._refused("doom_multi_task", f"--results={results}")
        self.assertIn("another runner works in", message)

    def test_list_shows_every_experiment(self) -> None:
        shown = io.StringIO()
        with flagsaver.flagsaver(), contextlib.redirect_stdout(shown):
            self.assertEqual(command_line.status(run.main, ["run", "--list"]), 0)
        for name in catalogue.names():
            self.assertIn(name, shown.getvalue())


if __name__ == "__main__":
    absltest.main()
