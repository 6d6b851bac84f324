"""A small run on a real queue that never runs dry, for tests of the learner's node."""

import itertools
import threading
from typing import Any

import jax
import numpy as np
from absl.testing import absltest
from launchpad import context as lp_context
from launchpad.launch import worker_manager

from kickstarting.config import run as config_lib
from kickstarting.environments import suites
from kickstarting.learning import update
from kickstarting.queue import reverb_queue
from launch.processes import revival
from tests import background, small_ring
from tests.launch import program_run

NUM_UPDATES = 6
FRAMES_PER_UPDATE = 16
NO_RETURNS = np.full((1, 1), np.nan, np.float32)


class FullQueueTestCase(absltest.TestCase):
    """Has `queue`, Reverb's client, which `stop` ends."""

    def setUp(self):
        super().setUp()
        self.enter_context(
            absltest.mock.patch.object(revival, "_FIRST_DELAY_SECONDS", 0.01)
        )
        self.logdir = f"{self.create_tempdir().full_path}/run"
        config = self._config()
        spec = suites.environment_spec(config.tasks[0], 1)
        unroll = jax.tree.map(
            lambda x: x[0], small_ring.random_batch(config, spec, seed=1)
        )
        server = reverb_queue.server(config.resolved_queue_size)
        self.addCleanup(server.stop)
        self.queue = reverb_queue.client(f"localhost:{server.port}")

        def write(stop: threading.Event) -> None:
            writer = reverb_queue.UnrollWriter(self.queue, stop.is_set)
            try:
                while not stop.is_set():
                    writer.write(unroll)
            except reverb_queue.QueueStopped:
                pass
            finally:
                writer.close()

        self.stop = background.start(self, write)

    def _config(self, **fields: Any) -> config_lib.Config:
        return small_ring.small_config(
            tasks=(program_run.GRID,),
            logdir=self.logdir,
            total_frames=FRAMES_PER_UPDATE * NUM_UPDATES,
            show=False,
            **fields,
        )

    def _fail_at(self, number: int, error: Exception) -> None:
        """Lets one of all updates fail."""
        whole, count = update.Update.__call__, itertools.count(1)

        def call(*arguments: Any) -> Any:
            if next(count) == number:
                raise error
            return whole(*arguments)

        self.enter_context(absltest.mock.patch.object(update.Update, "__call__", call))


class LearnerNodeTestCase(FullQueueTestCase):
    """Is the thread of a node in a Launchpad program; `stops` counts its lp.stop."""

    def setUp(self):
        super().setUp()
        # No signal may end the test's process.
        manager = worker_manager.WorkerManager(
            register_in_thread=True, register_signals=False
        )
        self.enter_context(
            absltest.mock.patch.object(manager, "stop_event", lambda: self.stop)
        )
        self.stops = 0
        context = lp_context.LaunchContext()
        context.initialize(
            lp_context.LaunchType.TEST_MULTI_THREADING, None, self._count_stop
        )
        lp_context.set_context(context)

    def _count_stop(self, mark_as_completed: bool = False) -> None:
        del mark_as_completed
        self.stops += 1
