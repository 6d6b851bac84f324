"""Tests of what is told of a run by its folder."""

import contextlib
import io
import json
import os
import pathlib
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
from absl.testing import absltest, flagsaver

from kickstarting.reporting import run_files
from kickstarting.storage import checkpoints, folder_lock
from launch import status
from launch.flags import command_line
from launch.monitoring import node_reports, run_folder
from launch.processes import restarts, run_health

_HOLD = """
import sys
from kickstarting.storage import folder_lock
folder_lock.hold(sys.argv[1], sys.argv[2])
print("held", flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def _held(logdir: str, part: str) -> Iterator[None]:
    """Lets another process have a lock within."""
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, logdir, part],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield


class StatusTest(absltest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.logdir = os.path.join(self.create_tempdir().full_path, "run")

    def _write(self, logdir: str, frames: int) -> None:
        files = run_files.RunFiles(logdir)
        files.write_config({"total_frames": 1000})
        row = {"frames": frames, "policy_lag": 1.5, "seconds_left": 61.0}
        files.write_row({**row, "frames_per_second/60s": 12.0})
        files.close()

    def _status(self, *arguments: str) -> tuple[int, str]:
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            number = command_line.status(
                status.main, ["status", *arguments], names=True
            )
        return number, out.getvalue()

    def test_a_run_that_goes_on(self) -> None:
        self._write(self.logdir, frames=250)
        silence = {"actor/0": 1.0, "learner/0": 0.5}
        node_reports.write(self.logdir, silence, devices=["NVIDIA H200"])
        restarts.record(self.logdir, "actor/0", "was killed by signal 9")
        number, said = self._status(self.logdir)
        self.assertEqual(number, 0)
        for words in (
            "running",
            "250 of 1,000 (25%)",
            "12 frames/s, 1m 01s left",
            "1.5 updates",
            "none yet",
            "1 × NVIDIA H200",
            "was killed by signal 9",
        ):
            self.assertIn(words, said)

    def test_a_node_that_is_silent(self) -> None:
        self._write(self.logdir, frames=250)
        silence = {"actor/0": 2 * run_health.SILENCE_SECONDS, "learner/0": 0.5}
        node_reports.write(self.logdir, silence)
        number, said = self._status(self.logdir)
        self.assertEqual(number, 1)
        self.assertIn("1m 00s ago", said)

    def test_a_run_that_has_stopped_and_one_that_is_done(self) -> None:
        self._write(self.logdir, frames=250)
        number, said = self._status(self.logdir)
        self.assertEqual(number, 1)
        self.assertIn("stopped", said)
        node_reports.write(self.logdir, {"learner/0": 0.0}, has_ended=True)
        number, said = self._status(self.logdir)
        self.assertEqual(number, 1)
        self.assertIn("stopped", said)
        self._write(self.logdir, frames=1000)
        number, said = self._status(self.logdir)
        self.assertEqual(number, 0)
        self.assertIn("finished", said)

    def _states(self) -> str:
        """Returns the state of the one run, once it was shown."""
        _, said = self._status(self.logdir)
        (run,) = run_health.read(self.logdir)
        self.assertIn(run.state, said)
        return run.state

    def test_each_state_has_its_word(self) -> None:
        files = run_files.RunFiles(self.logdir)
        files.write_config({"total_frames": 1000})
        files.close()
        self.assertEqual(self._states(), "stopped")
        with _held(self.logdir, folder_lock.PROGRAM):
            self.assertEqual(self._states(), "starting")
            self.assertEqual(self._status(self.logdir)[0], 0)
            silence = {"learner/0": 0.0}
            node_reports.write(self.logdir, silence, state=node_reports.COMPILING)
            self.assertEqual(self._states(), "compiling")
            node_reports.write(self.logdir, silence)
            self.assertEqual(self._states(), "training")
            self._write(self.logdir, frames=1000)
            self.assertEqual(self._states(), "evaluating")
        self.assertEqual(self._states(), "ended")

    def test_a_learner_that_is_away_and_one_that_begins_again(self) -> None:
        self._write(self.logdir, frames=250)
        jump = 2 * run_health.SILENCE_SECONDS
        with _held(self.logdir, folder_lock.PROGRAM):
            node_reports.write(self.logdir, {"learner/0": 0.0})
            now = run_health.time.time
            later = absltest.mock.patch.object(
                run_health.time, "time", lambda: now() + jump
            )
            with later:
                self.assertEqual(self._states(), "away")
                self.assertEqual(self._status(self.logdir)[0], 1)
        with _held(self.logdir, folder_lock.PROGRAM), later:
            self.assertEqual(self._states(), "starting")

    def test_members_of_a_population_and_what_they_share(self) -> None:
        self._write(self.logdir, frames=0)
        for index in range(2):
            member = os.path.join(self.logdir, f"member_{index}")
            self._write(member, frames=250)
            node_reports.write(member, {"learner/0": 0.0})
        restarts.record(self.logdir, "population/0", "was killed by signal 9")
        first, second = run_health.read(self.logdir)
        names = [node.node for node in first.nodes]
        self.assertEqual(names, ["population/0", "learner/0"])
        self.assertTrue(first.is_well and second.is_well)

    def test_json(self) -> None:
        self._write(self.logdir, frames=1000)
        with flagsaver.flagsaver(json=True):
            number, said = self._status(self.logdir)
        self.assertEqual(number, 0)
        (run,) = json.loads(said)
        self.assertEqual(run["row"]["frames"], 1000)
        self.assertIsNone(run["checkpoint_age"])
        self.assertGreater(run["free_bytes"], 0)

    def test_what_is_no_run_is_one_line(self) -> None:
        number, said = self._status(self.create_tempdir().full_path)
        self.assertEqual(number, command_line.USAGE_STATUS)
        self.assertLen(said.splitlines(), 1)
        self.assertIn("is not the folder of a run", said)
        number, said = self._status()
        self.assertEqual(number, command_line.USAGE_STATUS)
        self.assertIn("name the folder of a run", said)

    def test_the_newest_checkpoint_that_is_whole(self) -> None:
        self._write(self.logdir, frames=250)
        folder = run_folder.checkpoints(self.logdir)
        store = checkpoints.Checkpoints(folder, keep=3)
        store.save(200, {"params": {"weight": np.zeros(2, np.float32)}}, {})
        pathlib.Path(folder, "checkpoint-000002-240").mkdir()
        (run,) = run_health.read(self.logdir)
        self.assertEqual(run.checkpoint_frames, 200)
        self.assertBetween(run.checkpoint_age, -1, 600)


if __name__ == "__main__":
    absltest.main()
