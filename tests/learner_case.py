"""What the tests of the learner share: one compiled update, and a folder."""

import functools
import os
import threading
from collections.abc import Callable, Iterator

import jax
import numpy as np
from absl.testing import absltest

from kickstarting.agent import trajectory
from kickstarting.agent.agent import Agent
from kickstarting.config import agent as agent_config
from kickstarting.config import run as config
from kickstarting.learning import learner, update
from kickstarting.reporting import run_files, telemetry
from kickstarting.storage import checkpoints
from tests import small_ring
from tests.counting_environment import SPEC

NUM_UPDATES = 8
KICKSTARTING = config.KickstartingConfig(
    teachers=(("test:counting", "any"),),
    schedule="linear",
    weight=2.0,
    final_weight=0.5,
    start_frames=16,
    end_frames=80,
)
# 16 frames an update.
CONFIG = small_ring.small_config(
    total_frames=16 * NUM_UPDATES,
    kickstarting=KICKSTARTING,
    optimiser=agent_config.OptimiserConfig(learning_rate=1e-3),
)


@functools.cache
def compiled() -> update.Update:
    """Returns the update that all tests share: it takes seconds to compile."""
    return update.Update(Agent(SPEC, CONFIG.network), CONFIG)


@functools.cache
def fresh() -> update.LearnerState:
    """Returns what every new learner begins with."""
    return jax.device_get(compiled().init(jax.random.key(CONFIG.seed)))


@functools.cache
def batch_of(seed: int) -> trajectory.Trajectory:
    """Returns the batch of a seed, the same one each time."""
    return small_ring.random_batch(CONFIG, SPEC, seed)


class RecordingUpdate:
    """The update itself, which remembers its hyperparameters and may stop the run."""

    def __init__(self, stop_after: int | None) -> None:
        self._update = compiled()
        self._stop_after = stop_after
        self.stop = threading.Event()
        self.seen: list[trajectory.Hyperparameters] = []
        self.held: list[jax.Array | None] = []
        self.before: Callable[[], None] | None = None

    def __getattr__(self, name: str):
        return getattr(self._update, name)

    def init(self, key: jax.Array) -> update.LearnerState:
        np.testing.assert_array_equal(
            jax.random.key_data(key), jax.random.key_data(jax.random.key(CONFIG.seed))
        )
        return fresh()

    def __call__(self, state, batch, hyperparameters, held_values=None):
        if self.before is not None:
            self.before()
        self.seen.append(hyperparameters)
        if len(self.seen) == self._stop_after:
            self.stop.set()
        self.held.append(held_values)
        return self._update(state, batch, hyperparameters, held_values)


class LearnerTestCase(absltest.TestCase):
    """Makes learners of one folder, and reads what they leave there."""

    def setUp(self):
        super().setUp()
        self.logdir = self.create_tempdir().full_path
        self.is_over = threading.Event()

    def _make(
        self,
        run: config.Config = CONFIG,
        stop_after: int | None = None,
        batches=None,
        teacher_return: float = np.nan,
        random_return: float = 0.0,
    ) -> learner.Learner:
        self.update = RecordingUpdate(stop_after)
        self.telemetry = telemetry.Telemetry(run.tasks, [None], run.total_frames)
        self.run_files = run_files.RunFiles(self.logdir)
        self.addCleanup(self.run_files.close)
        made: list[learner.Learner] = []

        def stream() -> Iterator[trajectory.Trajectory]:
            for number in range(made[0].frames // run.frames_per_batch, NUM_UPDATES):
                yield batch_of(number)

        made.append(
            learner.Learner(
                run,
                self.update,
                batches or stream,
                checkpoints.Checkpoints(os.path.join(self.logdir, "checkpoints"), 3),
                {"tasks": list(run.tasks)},
                self.telemetry,
                self.run_files,
                np.full((1, 1), teacher_return, np.float32),
                np.full(1, random_return, np.float32),
            )
        )
        self.addCleanup(self._end, made[0])
        return made[0]

    def _end(self, made: learner.Learner) -> None:
        """Lets no thread outlive the test, nor compiled code the interpreter."""
        self.is_over.set()
        made.wait_for_reader(threading.Event())

    def _run(self, *arguments, **fields) -> learner.Learner:
        made = self._make(*arguments, **fields)
        made.run(self.update.stop)
        self.run_files.close()
        return made

    def _rows(self) -> dict[str, np.ndarray]:
        return run_files.read_metrics(os.path.join(self.logdir, "metrics.csv"))

    def _weights(self) -> list[float]:
        return [float(seen.kickstarting_weight[0, 0]) for seen in self.update.seen]

    def _rates(self) -> list[float]:
        return [float(seen.learning_rate) for seen in self.update.seen]
