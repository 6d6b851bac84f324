"""Tests of the worker batch, on real processes and real engines."""

import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any
from unittest import mock

import numpy as np
from absl.testing import absltest, parameterized

from kickstarting.environments import base, suites
from kickstarting.environments.doom import doom
from kickstarting.environments.stepping import worker_process, workers
from tests.environments import processes, scripted, worker_batches


def _doom_batch(seeds: Sequence[int], unroll_length: int = 20) -> workers.WorkerBatch:
    settings = [base.TaskSettings("doom:defend_the_center", seed) for seed in seeds]
    return workers.WorkerBatch(
        settings, doom.spec("defend_the_center", 4), 2, unroll_length
    )


class WorkersTest(parameterized.TestCase):
    def _start(self, batch: workers.WorkerBatch) -> workers.WorkerBatch:
        self.addCleanup(batch.close)
        batch.start()
        return batch

    def test_plays_as_in_the_same_process(self) -> None:
        num_steps, seeds = 60, (3, 4)
        batch = self._start(_doom_batch(seeds, unroll_length=num_steps))
        actions = np.random.default_rng(0).integers(9, size=(num_steps, 2))
        worker_batches.wait_for(batch, (0, 1))
        steppers = []
        for seed in seeds:
            environment = suites.make_environment(
                base.TaskSettings("doom:defend_the_center", seed)
            )
            self.addCleanup(environment.close)
            steppers.append(worker_process.EpisodeStepper(environment))
        frames = [[stepper.reset().observation["pixels"]] for stepper in steppers]
        both = np.arange(2, dtype=np.int32)
        for number, action in enumerate(actions):
            batch.step(both, action, both * 0, both * 0 + number + 1)
            worker_batches.wait_for(batch, (0, 1))
            for index, stepper in enumerate(steppers):
                outcome = stepper.step(int(action[index]))
                frames[index].append(outcome.observation["pixels"])
                self.assertEqual(batch.reward[index], outcome.reward)
                self.assertEqual(batch.discount[index], outcome.discount)
                self.assertEqual(batch.first[index], outcome.first)
                self.assertEqual(batch.ended[index], outcome.ended)
                if outcome.ended:
                    self.assertEqual(
                        batch.episode_return[index], outcome.episode_return
                    )
                    self.assertEqual(batch.episode_steps[index], outcome.episode_steps)
        np.testing.assert_array_equal(batch.pixels[:, 0], np.array(frames))
        self.assertEqual(batch.counters(), {"worker_restarts": 0.0})

    def test_writes_where_it_was_asked_to(self) -> None:
        batch = self._start(worker_batches.scripted_batch({}, {"one_action": 1}))
        worker_batches.wait_for(batch, (0, 1))
        np.testing.assert_array_equal(
            batch.available_actions[:, 0, 0], [[1, 1], [1, 0]]
        )
        batch.pixels[:] = 99
        worker_batches.step(batch, [1], slot=1, position=2)
        worker_batches.wait_for(batch, (1,))
        np.testing.assert_array_equal(batch.available_actions[1, 1, 2], [0, 1])
        self.assertTrue(np.all(batch.pixels[1, 1, 2] == 1))
        np.testing.assert_array_equal(batch.instruction[1, 1, 2], [1, 1])
        self.assertEqual(np.count_nonzero(batch.pixels != 99), 2 * 3)

    def test_slow_reset_stalls_nobody_else(self) -> None:
        batch = self._start(
            worker_batches.scripted_batch({"reset_seconds": 4.0}, {}, {})
        )
        worker_batches.wait_for(batch, (1, 2))
        started = time.monotonic()
        for _ in range(100):
            worker_batches.step(batch, [1, 2])
            worker_batches.wait_for(batch, (1, 2))
        self.assertLess(time.monotonic() - started, 3)
        worker_batches.wait_for(batch, (0,))

    def test_wait_keeps_its_timeout(self) -> None:
        batch = self._start(worker_batches.scripted_batch({"reset_seconds": 30.0}))
        started = time.monotonic()
        self.assertEmpty(batch.wait(0.2))
        self.assertBetween(time.monotonic() - started, 0.2, 2)

    def test_killed_worker_is_replaced_with_its_engine(self) -> None:
        batch = self._start(_doom_batch((1, 2, 3)))
        worker_batches.wait_for(batch, (0, 1, 2))
        victim = batch.process_ids[1]
        family = processes.descendants(victim) | {victim}
        self.assertLen(family, 2)
        worker_batches.step(batch, [0])
        worker_batches.wait_for(batch, (0,))
        batch.pixels[1] = 0
        os.kill(victim, signal.SIGKILL)
        worker_batches.step(batch, [1], slot=1, position=7)
        # The others go on while the replacement starts.
        worker_batches.step(batch, [0, 2], position=2)
        worker_batches.wait_for(batch, (0, 2))
        self.assertFalse(batch.restarted.any())
        worker_batches.wait_for(batch, (1,))
        self.assertTrue(processes.wait_until_gone(family, seconds=5))
        self.assertNotEqual(batch.process_ids[1], victim)
        np.testing.assert_array_equal(batch.restarted, [False, True, False])
        self.assertTrue(batch.first[1])
        self.assertEqual(batch.reward[1], 0)
        self.assertGreater(batch.pixels[1, 1, 7].std(), 1)
        self.assertEqual(batch.counters(), {"worker_restarts": 1.0})
        worker_batches.step(batch, [1])
        worker_batches.wait_for(batch, (1,))
        self.assertFalse(batch.restarted[1])

    def test_idle_worker_is_replaced_when_it_is_stepped(self) -> None:
        batch = self._start(worker_batches.scripted_batch({}, {}))
        worker_batches.wait_for(batch, (0, 1))
        os.kill(batch.process_ids[0], signal.SIGKILL)
        # Its last result was reported: its death must not report another.
        self.assertEmpty(batch.wait(0.5))
        worker_batches.step(batch, [1])
        worker_batches.wait_for(batch, (1,))
        worker_batches.step(batch, [0, 1], position=2)
        worker_batches.wait_for(batch, (0, 1))
        np.testing.assert_array_equal(batch.restarted, [True, False])
        np.testing.assert_array_equal(batch.pixels[:, 0, 2, 0, 0, 0], [0, 2])
        self.assertEqual(batch.counters(), {"worker_restarts": 1.0})
        worker_batches.step(batch, [0, 1], position=3)
        worker_batches.wait_for(batch, (0, 1))
        np.testing.assert_array_equal(batch.pixels[:, 0, 3, 0, 0, 0], [1, 3])

    def test_crashed_environment_gets_another_seed(self) -> None:
        batch = self._start(worker_batches.scripted_batch({"crash_at": 2}))
        worker_batches.wait_for(batch, (0,))
        old_seed = batch.instruction[0, 0, 0, 0]
        worker_batches.step(batch, [0])
        worker_batches.wait_for(batch, (0,))
        worker_batches.step(batch, [0], position=3)
        with self.assertLogs(level="WARNING") as logs:
            worker_batches.wait_for(batch, (0,))
        self.assertIn("this environment crashes here", logs.output[0])
        self.assertTrue(batch.restarted[0])
        self.assertNotEqual(batch.instruction[0, 0, 3, 0], old_seed)
        self.assertEqual(batch.pixels[0, 0, 3].max(), 0)

    def test_hung_environment_is_replaced_and_stalls_nobody(self) -> None:
        batch = self._start(worker_batches.scripted_batch({"hang_at": 2}, {}))
        worker_batches.wait_for(batch, (0, 1))
        hung = batch.process_ids[0]
        batch.hung_after_seconds = 5.0
        worker_batches.step(batch, [0, 1])
        worker_batches.wait_for(batch, (0, 1))
        with self.assertLogs(level="WARNING") as logs:
            worker_batches.step(batch, [0, 1], position=2)
            worker_batches.wait_for(batch, (1,))
            worker_batches.wait_for(batch, (0,))
        self.assertLen(logs.output, 1)
        self.assertIn(
            "is replaced: no answer within 5 seconds (raise environment_deadline",
            logs.output[0],
        )
        self.assertTrue(batch.restarted[0])
        self.assertTrue(processes.wait_until_gone({hung}, seconds=5))
        self.assertEqual(batch.counters(), {"worker_restarts": 1.0})
        worker_batches.step(batch, [0])
        worker_batches.wait_for(batch, (0,))

    def test_one_that_takes_long_is_told_of_once_and_may_take_its_time(self) -> None:
        batch = self._start(worker_batches.scripted_batch({"reset_seconds": 6.0}, {}))
        with (
            mock.patch.object(workers, "_SECONDS_TO_TELLING", 3.0),
            self.assertLogs(level="WARNING") as logs,
        ):
            worker_batches.wait_for(batch, (0, 1))
        self.assertLen(logs.output, 1)
        self.assertIn(" seconds from environments 0 (scripted:{", logs.output[0])
        self.assertIn(
            "replaced after 300 seconds, its environment_dead", logs.output[0]
        )
        self.assertEqual(batch.counters(), {"worker_restarts": 0.0})

    def test_its_settings_say_how_long_it_may_take(self) -> None:
        settings = base.TaskSettings(scripted.task(), 0, deadline_seconds=900.0)
        batch = workers.WorkerBatch(
            [settings], scripted.SPEC, 1, 1, worker_batches.SCRIPTED
        )
        self.addCleanup(batch.close)
        self.assertEqual(batch.hung_after_seconds, 900.0)

    @parameterized.parameters(
        ({"row_more_at": 2}, r"its pixels have shape \(3, 3, 1\) and type uint8"),
        ({"nothing_open_at": 2}, "it leaves no action open"),
        *(
            ({"odd_reward_at": 2, "odd_reward": reward}, f"its reward is {told}, but")
            for reward, told in (
                (float("inf"), "inf"),
                (float("nan"), "nan"),
                (1e39, r"1e\+39"),
                (10**400, "1000.*"),
                ([1.0, 2.0], r"\[1.0, 2.0\]"),
                (None, "None"),
                ("1", "'1'"),
            )
        ),
    )
    def test_nonsense_costs_its_unroll_and_is_told(
        self, script: dict[str, Any], told: str
    ) -> None:
        batch = self._start(worker_batches.scripted_batch(script))
        worker_batches.wait_for(batch, (0,))
        worker_batches.step(batch, [0])
        worker_batches.wait_for(batch, (0,))
        worker_batches.step(batch, [0], position=2)
        with self.assertLogs(level="WARNING") as logs:
            worker_batches.wait_for(batch, (0,))
        self.assertLen(logs.output, 1)
        self.assertRegex(logs.output[0], rf"\(scripted:.*\) died .*{told}")
        self.assertTrue(batch.restarted[0])
        self.assertEqual(batch.reward[0], 0)
        self.assertTrue(np.isfinite(batch.episode_return[0]))

    def test_what_its_workers_have_to_say_is_said_once(self) -> None:
        batch = self._start(
            worker_batches.scripted_batch(*[{"tells": "a word\nof all"}] * 3)
        )
        with self.assertLogs(level="WARNING") as logs:
            worker_batches.wait_for(batch, (0, 1, 2))
        self.assertEqual(
            [record.getMessage() for record in logs.records], ["a word of all"]
        )
        self.assertFalse(batch.restarted.any())

    def test_the_seed_decides_what_the_process_s_generators_draw(self) -> None:
        def drawn(*seeds: int) -> np.ndarray:
            settings = [base.TaskSettings(scripted.task(), seed) for seed in seeds]
            factory = "tests.environments.scripted:make_drawing"
            batch = workers.WorkerBatch(settings, scripted.SPEC, 2, 3, factory)
            self._start(batch)
            worker_batches.wait_for(batch, range(len(seeds)))
            for position in range(1, 4):
                worker_batches.step(batch, range(len(seeds)), position=position)
                worker_batches.wait_for(batch, range(len(seeds)))
            return batch.pixels[:, 0, :, 0, :2, 0].copy()

        one, same, other = drawn(5, 5, 6)
        np.testing.assert_array_equal(one, same)
        # By either generator.
        self.assertTrue((one != other).any(axis=0).all())
        (again,) = drawn(5)
        np.testing.assert_array_equal(one, again)

    def test_close_leaves_nothing(self) -> None:
        descriptors = len(os.listdir("/proc/self/fd"))
        batch = worker_batches.scripted_batch({"reset_seconds": 60.0}, {"crash_at": 1})
        batch.start()
        worker_batches.wait_for(batch, (1,))
        worker_batches.step(batch, [1])
        worker_batches.wait_for(batch, (1,))
        worker_ids = batch.process_ids
        started = time.monotonic()
        batch.close()
        self.assertLess(time.monotonic() - started, 3)
        self.assertFalse(any(processes.is_alive(each) for each in worker_ids))
        batch.close()
        self.assertEmpty(batch.wait(1.0))
        # The memory lives as long as the arrays.
        del batch
        gc.collect()
        self.assertLen(os.listdir("/proc/self/fd"), descriptors)

    def test_workers_are_light_and_free_of_jax(self) -> None:
        batch = self._start(_doom_batch((1,)))
        worker_batches.wait_for(batch, (0,))
        for _ in range(50):
            worker_batches.step(batch, [0])
            worker_batches.wait_for(batch, (0,))
        (worker,) = batch.process_ids
        with open(f"/proc/{worker}/maps", encoding="utf-8") as maps:
            self.assertNotIn("jaxlib", maps.read())
        with open(f"/proc/{worker}/status", encoding="utf-8") as status:
            fields = dict(line.split(":", 1) for line in status)
        self.assertLess(int(fields["VmRSS"].split()[0]), 120 * 1024)

    def test_interrupt_does_not_reach_workers(self) -> None:
        batch = self._start(_doom_batch((1,)))
        worker_batches.wait_for(batch, (0,))
        (worker,) = batch.process_ids
        # A terminal sends Ctrl-C to its session, launchers send it to processes.
        self.assertNotEqual(os.getsid(worker), os.getsid(0))
        os.kill(worker, signal.SIGINT)
        for _ in range(5):
            worker_batches.step(batch, [0])
            worker_batches.wait_for(batch, (0,))
        self.assertEqual(batch.counters(), {"worker_restarts": 0.0})

    @parameterized.named_parameters(("parent", False), ("parent_and_workers", True))
    def test_nothing_outlives_a_killed_parent(self, workers_too: bool) -> None:
        program = (
            "import time\n"
            "from tests.environments.stepping import workers_test\n"
            "batch = workers_test._doom_batch((1, 2))\n"
            "batch.start()\n"
            "workers_test.worker_batches.wait_for(batch, (0, 1))\n"
            "print('started', flush=True)\n"
            "time.sleep(60)\n"
        )
        with subprocess.Popen(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
        ) as parent:
            assert parent.stdout is not None
            self.assertEqual(parent.stdout.readline(), "started\n")
            family = processes.descendants(parent.pid)
            # Two workers with an engine each, who forked them, and their guardian.
            self.assertLen(family, 6)
            victims = [parent.pid]
            if workers_too:
                victims += [each for each in family if processes.descendants(each)]
            for victim in victims:
                os.kill(victim, signal.SIGKILL)
        self.assertTrue(processes.wait_until_gone(family, seconds=10))


if __name__ == "__main__":
    absltest.main()
