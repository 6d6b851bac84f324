"""Teacher servers that are killed: unrolls go on, and advice comes back with them."""

import subprocess
import sys
import threading

import courier
import numpy as np
import portpicker
from absl.testing import absltest

from kickstarting.acting import actor
from kickstarting.agent import trajectory
from kickstarting.agent.agent import Agent
from kickstarting.queue import memory_queue
from kickstarting.teaching import replicas as remote_teacher
from tests import small_ring
from tests.counting_environment import CountingBatch, Script

LONG = 120.0
DEADLINE = 1.0
ENVIRONMENTS = 4
RUN = small_ring.small_config(environments_per_actor=ENVIRONMENTS)


class TeacherDownTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.processes: dict[int, subprocess.Popen] = {}
        self.addCleanup(lambda: [self._kill(port) for port in list(self.processes)])
        self.stop = threading.Event()
        self.addCleanup(self.stop.set)

    def _serve(self, *ports: int) -> None:
        for port in ports:
            self.processes[port] = subprocess.Popen(
                [sys.executable, "-m", "tests.launch.teacher_process", str(port)],
                stdin=subprocess.DEVNULL,
            )
        for port in ports:
            # Until it serves.
            courier.Client(f"localhost:{port}", call_timeout=LONG).counters()

    def _kill(self, port: int) -> None:
        process = self.processes.pop(port)
        process.kill()
        process.wait()

    def _act(self, ports: list[int]) -> None:
        """Starts an actor that asks the servers about all its unrolls."""
        clients = [
            courier.Client(f"localhost:{port}", call_timeout=DEADLINE) for port in ports
        ]
        environments = CountingBatch(
            [Script()] * ENVIRONMENTS, actor.NUM_SLOTS, RUN.unroll_length
        )
        flat = small_ring.random_parameters(Agent(environments.spec, RUN.network))
        self.queue = memory_queue.MemoryQueue(1)
        acting = small_ring.make_actor(
            RUN,
            environments,
            small_ring.FixedLearner(flat, np.ones((1, 1), np.float32)),
            memory_queue.UnrollWriter(self.queue, self.stop.is_set),
            remote_teacher.RemoteTeacher(clients),
        )
        self.sender = acting._sender
        thread = threading.Thread(target=acting.run, args=(self.stop,), daemon=True)
        thread.start()
        self.addCleanup(thread.join, LONG)
        self.addCleanup(self.stop.set)

    def _read(self) -> trajectory.Trajectory:
        (unroll,) = self.queue.take(1, self.stop.is_set)
        return unroll

    def _read_until(self, answered: bool, count: int) -> None:
        """Reads until `count` unrolls in a row were answered, or were not."""
        timer = threading.Timer(LONG, self.stop.set)
        timer.start()
        in_a_row = 0
        while in_a_row < count:
            in_a_row = (
                in_a_row + 1 if self._read().teacher_mask.all() == answered else 0
            )
        timer.cancel()

    def test_a_server_that_is_killed_and_comes_back(self):
        port = portpicker.pick_unused_port()
        self._serve(port)
        self._act([port])
        self._read_until(answered=True, count=50)
        self._kill(port)
        self._read_until(answered=False, count=200)
        # Each of them would have waited for the deadline.
        self.assertBetween(self.sender.teacher_timeouts, 1, 20)
        self.assertGreaterEqual(self.sender.unanswered_unrolls, 200)
        self.assertEqual(self.sender.resting_teachers, 1)
        self._serve(port)
        self._read_until(answered=True, count=50)
        self.assertEqual(self.sender.resting_teachers, 0)

    def test_one_of_two_replicas_is_killed(self):
        ports = [portpicker.pick_unused_port() for _ in range(2)]
        self._serve(*ports)
        self._act(ports)
        self._read_until(answered=True, count=50)
        self._kill(ports[1])
        while not self.sender.resting_teachers:
            self._read()
        # The probes of the dead one stand in nobody's way.
        self._read_until(answered=True, count=300)
        self.assertEqual(self.sender.resting_teachers, 1)


if __name__ == "__main__":
    absltest.main()
