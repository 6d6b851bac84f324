"""Tests of the process that forks a batch's workers, and of what may befall it."""

import os
import pathlib
import signal
import subprocess
import sys
import time
from unittest import mock

import psutil
from absl.testing import absltest, parameterized

from kickstarting.environments import base, suites
from kickstarting.environments.stepping import forks, workers
from tests.environments import processes, scripted, worker_batches

_STARTED = "FORK_SERVER_TEST_STARTED"
_PARENT = (
    "import time\n"
    "from tests.environments.stepping import fork_server_test\n"
    "batch = fork_server_test.unruly_batch(2)\n"
    "batch.start()\n"
    "time.sleep(3600)\n"
)


def unruly_batch(
    number: int, script: dict | None = None, preloaded: tuple[str, ...] = ()
) -> workers.WorkerBatch:
    """Returns a batch whose workers leave processes behind; see `make_unruly`."""
    settings = [
        base.TaskSettings(scripted.task(**(script or {})), seed)
        for seed in range(number)
    ]
    factory = "tests.environments.stepping.fork_server_test:make_unruly"
    return workers.WorkerBatch(settings, scripted.SPEC, 2, 3, factory, preloaded)


def make_unruly(settings: base.TaskSettings) -> base.SpecifiedEnvironment:
    """Starts what bears no mark of its own, and what has left its parent and its group.

    It tells of their ids, and of its own, in a line of the file of the variable.
    """
    unmarked = subprocess.Popen(["sleep", "3600"], env={})
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if daemon := os.fork():
            os.write(writer, str(daemon).encode())
            os._exit(0)
        time.sleep(3600)
    with open(os.environ[_STARTED], "a", encoding="utf-8") as file:
        daemon = int(os.read(reader, 100))
        file.write(f"{os.getpid()} {unmarked.pid} {daemon}\n")
    return scripted.make(settings)


def _server_of(batch: workers.WorkerBatch) -> psutil.Process:
    """Returns the parent of a batch's workers."""
    (parent,) = {psutil.Process(worker).ppid() for worker in batch.process_ids}
    return psutil.Process(parent)


def _sockets(process: int) -> set[str]:
    folder = pathlib.Path(f"/proc/{process}/fd")
    links = {os.readlink(each) for each in folder.iterdir()}
    return {link for link in links if link.startswith("socket:")}


class ForkServerTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.started = self.folder / "started"
        variables = {_STARTED: str(self.started)}
        self.enter_context(mock.patch.dict(os.environ, variables))
        self.addCleanup(self._kill_what_is_left)
        path = [*sys.path, str(self.folder)]
        self.enter_context(mock.patch.object(sys, "path", path))

    def _ready(self, batch: workers.WorkerBatch) -> workers.WorkerBatch:
        self.addCleanup(batch.close)
        batch.start()
        worker_batches.wait_for(batch, range(batch.num_environments))
        return batch

    def _step(self, batch: workers.WorkerBatch, *indices: int) -> None:
        worker_batches.step(batch, indices)
        worker_batches.wait_for(batch, indices)

    def _module(self, text: str) -> tuple[str]:
        """Writes a module of one's own, to be preloaded."""
        (self.folder / "own_module.py").write_text(text)
        return ("own_module",)

    def _started(self) -> dict[int, set[int]]:
        """Returns by worker what it has started: without a mark, and a daemon."""
        if not self.started.exists():
            return {}
        lines = self.started.read_text().splitlines()
        ids = [[int(word) for word in line.split()] for line in lines]
        return {worker: set(others) for worker, *others in ids}

    def _kill_what_is_left(self) -> None:
        for process in set().union(*self._started().values()):
            if processes.is_alive(process):
                os.kill(process, signal.SIGKILL)

    @parameterized.parameters("doom:basic", "gym:MiniGrid-Empty-5x5-v0")
    def test_it_has_one_thread_and_what_they_share(self, task: str) -> None:
        settings = [base.TaskSettings(task, seed) for seed in range(3)]
        batch = suites.make_batch(settings, 1, 1)
        assert isinstance(batch, workers.WorkerBatch)
        self._ready(batch)
        server = _server_of(batch)
        self.assertEqual(server.num_threads(), 1)
        if task == "doom:basic":
            loaded = [each.path for each in server.memory_maps()]
            self.assertIn("vizdoom/vizdoom", " ".join(loaded))
        self.assertEqual(batch.counters(), {"worker_restarts": 0.0})

    def test_no_worker_has_what_is_another_s(self) -> None:
        batch = self._ready(worker_batches.scripted_batch({}, {}, {}))
        server = _server_of(batch).pid
        held = [_sockets(each) for each in (server, *batch.process_ids)]
        # All have one standard error.
        shared = set.intersection(*held)
        self.assertLen(shared, 1)
        # Its orders, and a connection each.
        self.assertEqual([len(each - shared) for each in held], [1] * 4)
        self.assertLen(set.union(*held) - shared, 4)
        self.assertLen({os.getsid(each) for each in batch.process_ids}, 3)

    def test_workers_outlive_it_and_are_replaced_by_another_s(self) -> None:
        batch = self._ready(worker_batches.scripted_batch({}, {}, {}))
        server = _server_of(batch)
        server.kill()
        self.assertTrue(processes.wait_until_gone({server.pid}, seconds=10))
        self._step(batch, 0, 1, 2)
        self.assertEqual(batch.counters(), {"worker_restarts": 0.0})
        for victim in batch.process_ids[:2]:
            os.kill(victim, signal.SIGKILL)
        worker_batches.step(batch, [0, 1, 2])
        worker_batches.wait_for(batch, [0, 1, 2])
        self.assertEqual(batch.restarted.tolist(), [True, True, False])
        self.assertEqual(batch.counters(), {"worker_restarts": 2.0})
        one, other, _ = (psutil.Process(each).ppid() for each in batch.process_ids)
        self.assertEqual(one, other)
        self.assertNotEqual(one, server.pid)

    def test_an_order_is_lost_with_it_and_given_again(self) -> None:
        batch = self._ready(worker_batches.scripted_batch({}, {}))
        server = _server_of(batch)
        server.suspend()
        os.kill(batch.process_ids[0], signal.SIGKILL)
        worker_batches.step(batch, [0])
        self.assertEmpty(batch.wait(0.5))
        self._step(batch, 1)
        server.kill()
        worker_batches.wait_for(batch, [0])
        self.assertEqual(batch.counters(), {"worker_restarts": 2.0})
        self._step(batch, 0, 1)

    @parameterized.parameters(1, 16)
    def test_one_that_hangs_is_replaced(self, most_orders: int) -> None:
        file = self.folder / "hung"
        preloaded = self._module(
            "import os, time\n"
            f"is_first = not os.path.exists({str(file)!r})\n"
            f"with open({str(file)!r}, 'a') as file:\n"
            "    file.write(f'{os.getpid()}\\n')\n"
            "is_first and time.sleep(3600)\n"
        )
        batch = unruly_batch(3, preloaded=preloaded)
        batch.hung_after_seconds = 8.0
        with mock.patch.object(forks, "_MOST_ORDERS", most_orders):
            self._ready(batch)
        self.assertEqual(batch.counters(), {"worker_restarts": 3.0})
        first, second = map(int, file.read_text().split())
        self.assertFalse(processes.is_alive(first))
        self.assertEqual(second, _server_of(batch).pid)

    @parameterized.parameters(
        "raise ValueError('no')", "raise SystemExit(3)", "import no_such_module"
    )
    def test_a_module_that_cannot_be_imported_is_left_to_workers(self, text) -> None:
        preloaded = (*self._module(text), "tests.no_such_module")
        batch = self._ready(unruly_batch(2, preloaded=preloaded))
        self.assertEqual(batch.counters(), {"worker_restarts": 0.0})

    def test_a_module_that_starts_a_thread_is_not_shared(self) -> None:
        preloaded = self._module(
            "import threading, time\n"
            "threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()\n"
        )
        batch = self._ready(unruly_batch(2, preloaded=preloaded))
        self.assertEqual(_server_of(batch).num_threads(), 1)
        self.assertEqual(batch.counters(), {"worker_restarts": 0.0})

    @parameterized.parameters(False, True)
    def test_a_worker_ends_with_what_it_started_and_alone(self, hangs: bool) -> None:
        batch = self._ready(unruly_batch(2, {"hang_at": 1} if hangs else None))
        started = self._started()
        victim, other = batch.process_ids
        self._lose(batch, hangs)
        gone = {victim, *started[victim]}
        self.assertTrue(processes.wait_until_gone(gone, seconds=10))
        for each in (other, *started[other]):
            self.assertTrue(processes.is_alive(each))
        batch.close()
        left = set().union(*self._started().values())
        self.assertTrue(processes.wait_until_gone(left, seconds=10))

    @parameterized.parameters(False, True)
    def test_a_worker_without_a_server_does_so(self, hangs: bool) -> None:
        batch = self._ready(unruly_batch(2, {"hang_at": 1} if hangs else None))
        _server_of(batch).kill()
        # Of one that has ended, what bears no mark is not known.
        started = {worker: max(ids) for worker, ids in self._started().items()}
        victim, other = batch.process_ids
        self._lose(batch, hangs)
        gone = {victim, started[victim]}
        self.assertTrue(processes.wait_until_gone(gone, seconds=10))
        for each in (other, started[other]):
            self.assertTrue(processes.is_alive(each))
        batch.close()
        self.assertTrue(processes.wait_until_gone(started.values(), seconds=10))

    def _lose(self, batch: workers.WorkerBatch, hangs: bool) -> None:
        """Has the first worker hang, or killed, and replaced.

        That it is gone is not seen: its daemon holds its end of the connection.
        """
        batch.hung_after_seconds = 5.0
        if not hangs:
            os.kill(batch.process_ids[0], signal.SIGKILL)
        worker_batches.step(batch, [0])
        worker_batches.wait_for(batch, [0])
        self.assertTrue(batch.restarted[0])

    def test_nothing_outlives_a_killed_parent(self) -> None:
        parent = subprocess.Popen([sys.executable, "-c", _PARENT])
        self.addCleanup(parent.wait)
        self.addCleanup(parent.kill)
        deadline = time.monotonic() + worker_batches.DEADLINE
        while len(self._started()) < 2:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.1)
        family = processes.descendants(parent.pid)
        # Two workers with a child each, who forked them, and their guardian.
        self.assertLen(family, 6)
        parent.kill()
        family |= set().union(*self._started().values())
        self.assertTrue(processes.wait_until_gone(family, seconds=10))

    def test_it_ends_with_its_batch_while_it_hangs(self) -> None:
        preloaded = self._module("import time; time.sleep(3600)")
        before = processes.descendants(os.getpid())
        batch = unruly_batch(2, preloaded=preloaded)
        self.addCleanup(batch.close)
        batch.start()
        self.assertEmpty(batch.wait(0.5))
        self.assertEmpty(batch.process_ids)
        batch.close()
        self.assertEqual(processes.descendants(os.getpid()), before)


if __name__ == "__main__":
    absltest.main()
