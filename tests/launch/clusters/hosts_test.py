"""One program on four machines: one is cut off, one loses a node, and it goes on."""

import os
import pathlib
import shlex
import signal
import time

import numpy as np
from absl.testing import absltest

from kickstarting.reporting import run_files
from launch.monitoring import node_reports
from launch.processes import restarts
from tests.launch import namespaces, program_run

_NAMES = ("first", "second", "middle", "school")
_CUT_SECONDS = 5.0


class HostsTest(absltest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.logdir = str(self.folder / "run")
        self.machines = namespaces.Machines(self, _NAMES)
        teacher = str(self.folder / "teacher")
        program_run.save_random_teacher(teacher)
        self.run_ = program_run.ProgramRun(
            self,
            *program_run.GRID_FLAGS,
            *program_run.SMALL_FLAGS,
            # Apart, as people type them too: the launcher stays in its network.
            "--launch",
            "hosts",
            "--cluster",
            self._cluster(),
            f"--teachers={teacher}",
            "--kickstarting_schedule=constant",
            "--teacher_deadline=2",
            "--checkpoint_minutes=0.02",
            "--total_frames=100000000",
            f"--logdir={self.logdir}",
            slow_steps=True,
            variables=program_run.DEAD_PROXIES,
        )

    def _cluster(self) -> str:
        groups = {
            "learner": {"machines": ["middle"]},
            "teacher": {"machines": ["school"]},
            "actor": {"machines": ["first", "second"], "replicas": 2},
        }
        path = self.folder / "cluster.json"
        self.machines.write_cluster(path, groups)
        return str(path)

    def _heard(self, node: str) -> float:
        reports = node_reports.read(self.logdir)
        return reports.heard.get(node, 0.0) if reports else 0.0

    def _latest(self, name: str) -> float:
        return float(run_files.read_metrics(self.logdir)[name][-1])

    def _goes_on(self) -> None:
        """Waits until the student has learned more, with a teacher's advice."""
        frames = program_run.last_frames(self.logdir)
        self.run_.wait_for_frames(self.logdir, frames)
        asked = self._latest("teacher_unrolls")
        self.run_.wait_for(
            lambda: (
                self._latest("teacher_unrolls") > asked
                and self._latest("teacher_coverage") == 1
            )
        )

    def test_it_goes_on(self) -> None:
        run = self.run_
        run.wait_for_frames(self.logdir, 0)
        run.wait_for(lambda: len(program_run.checkpoints(self.logdir)) > 1)
        self._goes_on()
        with self.subTest("each node is on its machine"):
            sent = {name: self.machines.sent_bytes(name) for name in _NAMES}
            self.assertGreater(min(sent.values()), 10_000)
            for node, name in (
                ("queue/0", "middle"),
                ("learner/0", "middle"),
                ("teacher/0", "school"),
                ("actor/0", "first"),
                ("actor/1", "second"),
            ):
                own = os.stat(f"/run/netns/{self.machines.space(name)}").st_ino
                for process in self._processes(node):
                    self.assertEqual(os.stat(f"/proc/{process}/ns/net").st_ino, own)

        for cut, node in (("first", "actor/0"), ("school", "teacher/0")):
            with self.subTest(f"{cut} is cut off"):
                self.machines.cut(cut)
                begin = time.monotonic()
                before = program_run.last_frames(self.logdir)
                # The others go on without it.
                run.wait_for_frames(self.logdir, before)
                run.wait_for(lambda: time.monotonic() > begin + _CUT_SECONDS)  # noqa: B023
                self.machines.join(cut)
                joined = time.time()
                run.wait_for(lambda: self._heard(node) > joined)  # noqa: B023
                self._goes_on()
        self.assertEmpty(restarts.read(self.logdir))

        with self.subTest("a node is killed, with who looks after it there"):
            for process in self._processes("actor/1"):
                os.kill(process, signal.SIGKILL)
            killed = time.time()
            run.wait_for(lambda: self._heard("actor/1") > killed)
            self._goes_on()
            (restart,) = restarts.read(self.logdir)
            self.assertEqual(restart.node, "actor/1")
            self.assertIn("ended there with status", restart.reason)

        run.terminate()
        self.assertEqual(run.wait(), 128 + signal.SIGTERM, run.stdout + run.stderr)
        self.assertEmpty(run.wait_until_gone(10))
        frames = run_files.read_metrics(self.logdir)[run_files.FRAMES]
        np.testing.assert_array_less(0, np.diff(frames))
        newest = program_run.frames_of(program_run.checkpoints(self.logdir)[-1])
        self.assertIn(f"Stopped at {newest:,} frames.", run.stdout)

    def _processes(self, node: str) -> list[int]:
        """Returns a node's process and its keeper."""
        found = [
            process
            for process, words in self.run_.processes().items()
            if f"--node={node}" in shlex.split(words.replace("'", ""))
            and not words.startswith(("ip ", "sh "))
        ]
        self.assertLen(found, 2)
        return found


if __name__ == "__main__":
    absltest.main()
