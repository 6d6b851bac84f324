"""Tests of launch.evaluate: whole suites, splits, and what it refuses."""

import contextlib
import io
import json
import os
import pathlib
from collections.abc import Sequence
from unittest import mock

import numpy as np
from absl.testing import absltest, flagsaver, parameterized

from kickstarting.environments import suites
from kickstarting.environments.dmlab import dmlab30
from launch import evaluate
from launch.flags import command_line
from tests import small_ring
from tests.environments import lab_stand_in
from tests.launch import program_run

_TEACHER = "teachers/doom/defend_the_center"


def _run(*arguments: str) -> tuple[int, str, str]:
    """Returns status, standard output and standard error of the command."""
    out, error = io.StringIO(), io.StringIO()
    with (
        flagsaver.flagsaver(),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(error),
    ):
        status = command_line.status(evaluate.main, ["evaluate", *arguments])
    return status, out.getvalue(), error.getvalue()


def setUpModule():
    small_ring.compile_quickly()


class DoomTest(absltest.TestCase):
    def test_a_shipped_teacher_on_two_tasks(self):
        out = pathlib.Path(self.create_tempdir().full_path, "scores.json")
        tasks = ["doom:defend_the_center", "doom:take_cover"]
        status, table, error = _run(
            f"--checkpoint={_TEACHER}",
            f"--tasks={','.join(tasks)}",
            "--episodes=2",
            "--environments=2",
            "--split=train",
            f"--out={out}",
        )
        self.assertEqual(status, 0, error)
        written = json.loads(out.read_text())
        self.assertEqual(written["split"], "train")
        self.assertEqual([each["task"] for each in written["tasks"]], tasks)
        capped = []
        for each in written["tasks"]:
            self.assertEqual(each["episodes"], 2)
            self.assertLen(each["returns"], 2)
            reference = suites.reference_score(each["task"])
            assert reference is not None
            span = reference.reference - reference.random
            score = 100 * (np.mean(each["returns"]) - reference.random) / span
            self.assertAlmostEqual(each["normalised_score"], score)
            self.assertAlmostEqual(each["capped_score"], min(score, 100))
            self.assertIn(each["task"], table)
            self.assertIn(f"{score:.1f}", table)
            capped.append(each["capped_score"])
        for name in ("mean", "median", "iqm"):
            estimate = written["aggregates"][name]
            self.assertAlmostEqual(estimate["value"], np.mean(capped))
            self.assertBetween(estimate["value"], estimate["low"], estimate["high"])
        self.assertIn("2 tasks, 95% interval", table)
        self.assertIn(f"{np.mean(capped):.1f}", table)


class LabTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        lab_stand_in.install(self, STAND_IN_FRAMES="18")
        self.teacher = os.path.join(self.create_tempdir().full_path, "teacher")
        program_run.save_random_teacher(self.teacher, "dmlab30:rooms_watermaze", 4)

    def _played(self, *arguments: str) -> tuple[list[tuple[str, bool]], str]:
        """Returns each task that was played, whether held out, and the table."""
        with mock.patch.object(
            suites, "make_batch", wraps=suites.make_batch
        ) as make_batch:
            status, table, error = _run(
                f"--checkpoint={self.teacher}",
                *("--level_cache=", "--dataset_path=dummy"),
                "--episodes=1",
                *arguments,
            )
        self.assertEqual(status, 0, error)
        played = []
        for call in make_batch.call_args_list:
            (settings,) = call.args[0]
            played.append((settings.task, settings.held_out))
        return played, table

    def test_a_suite_is_all_of_its_tasks_held_out(self):
        out = pathlib.Path(self.create_tempdir().full_path, "scores.json")
        # Thirty would take a minute to start.
        names = dmlab30.levels()[:5]
        with mock.patch.object(dmlab30, "levels", lambda: names):
            played, _ = self._played("--suite=dmlab30", f"--out={out}")
        tasks = [f"dmlab30:{name}" for name in names]
        self.assertEqual(played, [(task, True) for task in tasks])
        written = json.loads(out.read_text())
        self.assertEqual(written["split"], "test")
        self.assertEqual([each["task"] for each in written["tasks"]], tasks)
        scores = np.sort([each["capped_score"] for each in written["tasks"]])
        for name, value in (
            ("mean", scores.mean()),
            ("median", scores[2]),
            ("iqm", scores[1:4].mean()),
        ):
            estimate = written["aggregates"][name]
            self.assertAlmostEqual(estimate["value"], value)
            # One episode a task leaves the spread open, and JSON knows no NaN.
            self.assertIsNone(estimate["low"])

    def test_the_train_split_is_not_held_out(self):
        task = "dmlab30:rooms_collect_good_objects"
        played, table = self._played(f"--tasks={task}", "--split=train")
        self.assertEqual(played, [(task, False)])
        self.assertIn("train split", table)


class BadInputTest(parameterized.TestCase):
    def _check_refused(self, arguments: Sequence[str], says: str) -> None:
        before = program_run.children()
        status, out, error = _run(*arguments)
        self.assertEqual((status, out), (2, ""), error)
        self.assertLen(error.splitlines(), 1, error)
        self.assertStartsWith(error, "evaluate: ")
        self.assertIn(says, error)
        self.assertEqual(program_run.children(), before)

    @parameterized.named_parameters(
        ("suite_and_tasks", ("--suite=doom", "--tasks=doom:basic"), "leave out"),
        ("unknown_suite", ("--suite=dom",), "<dmlab|dmlab30|doom|gym|xland>"),
        ("unknown_split", ("--split=valid",), "<train|test>"),
        ("another_suite", ("--suite=xland",), "xland:MiniGrid-"),
        ("unknown_task", ("--tasks=doom:basik",), "did you mean 'basic'?"),
        ("no_episodes", ("--episodes=0",), "--episodes must be at least 1"),
        ("no_environments", ("--environments=0",), "--environments must be in 1.."),
        ("unwritable", ("--out=no/such/folder/x.json",), "cannot write --out="),
        ("a_folder", ("--out=teachers",), "cannot write --out=teachers"),
    )
    def test_refused(self, arguments, says):
        self._check_refused((f"--checkpoint={_TEACHER}", *arguments), says)

    def test_no_checkpoint(self):
        self._check_refused((), "--checkpoint is needed")
        self._check_refused(("--checkpoint=no/such/run",), "no/such/run")

    def test_without_deepmind_lab(self):
        self._check_refused(
            (f"--checkpoint={_TEACHER}", "--suite=dmlab30"),
            "dmlab30:rooms_collect_good_objects",
        )


if __name__ == "__main__":
    absltest.main()
