"""The learner: schedules in frames, versions, rows, resuming, stopping."""

import dataclasses
import functools
import os
import threading
import time
from collections.abc import Callable, Iterator

import jax
import numpy as np
from absl.testing import absltest

from kickstarting import (
    agent_config,
    checkpoints,
    config,
    hyperparameters,
    learner,
    run_files,
    schedules,
    telemetry,
    types,
    update,
)
from kickstarting.agent import Agent
from tests import ring
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
CONFIG = ring.small_config(
    total_frames=16 * NUM_UPDATES,
    kickstarting=KICKSTARTING,
    optimiser=agent_config.OptimiserConfig(learning_rate=1e-3),
)


def setUpModule():
    ring.compile_quickly()


@functools.cache
def _compiled() -> update.Update:
    """Returns the update that all tests share: it takes seconds to compile."""
    return update.Update(Agent(SPEC, CONFIG.network), CONFIG)


@functools.cache
def _fresh() -> update.LearnerState:
    return jax.device_get(_compiled().init(jax.random.key(CONFIG.seed)))


@functools.cache
def _batch(seed: int) -> types.Trajectory:
    return ring.random_batch(CONFIG, SPEC, seed)


class RecordingUpdate:
    """The update itself, which remembers its hyperparameters and may stop the run."""

    def __init__(self, stop_after: int | None) -> None:
        self._update = _compiled()
        self._stop_after = stop_after
        self.stop = threading.Event()
        self.seen: list[types.Hyperparameters] = []
        self.before: Callable[[], None] | None = None

    def __getattr__(self, name: str):
        return getattr(self._update, name)

    def init(self, key: jax.Array) -> update.LearnerState:
        np.testing.assert_array_equal(
            jax.random.key_data(key), jax.random.key_data(jax.random.key(CONFIG.seed))
        )
        return _fresh()

    def __call__(self, state, batch, hyperparameters):
        if self.before is not None:
            self.before()
        self.seen.append(hyperparameters)
        if len(self.seen) == self._stop_after:
            self.stop.set()
        return self._update(state, batch, hyperparameters)


class _LearnerTestCase(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.logdir = self.create_tempdir().full_path

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

        def stream() -> Iterator[types.Trajectory]:
            for number in range(made[0].frames // run.frames_per_update, NUM_UPDATES):
                yield _batch(number)

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
        return made[0]

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


class LearnerTest(_LearnerTestCase):
    def test_lambda_follows_its_schedule_in_frames_and_ends_at_zero(self):
        made = self._run()
        self.assertEqual(made.frames, CONFIG.total_frames)
        expected = [
            schedules.global_weight(KICKSTARTING, 16 * number)
            for number in range(NUM_UPDATES)
        ]
        np.testing.assert_allclose(self._weights(), expected)
        np.testing.assert_allclose(
            self._weights(), [2.0, 2.0, 1.625, 1.25, 0.875, 0, 0, 0]
        )

    def test_a_teacher_has_ended_when_its_lambda_has(self):
        made = self._make()
        np.testing.assert_array_equal(made.ended_teachers(), [[False]])
        made.run(self.update.stop)
        np.testing.assert_array_equal(made.ended_teachers(), [[True]])

    def test_where_there_is_no_teacher_it_has_ended_from_the_start(self):
        without = dataclasses.replace(KICKSTARTING, teachers=(), end_frames=0)
        run = dataclasses.replace(
            CONFIG, kickstarting=dataclasses.replace(without, schedule="constant")
        )
        np.testing.assert_array_equal(self._make(run).ended_teachers(), [[True]])

    def test_the_learning_rate_falls_to_zero_over_the_run(self):
        self._run()
        np.testing.assert_allclose(
            self._rates(), [1e-3 * (1 - number / 8) for number in range(8)], rtol=1e-6
        )

    def test_a_learning_rate_that_is_not_annealed_stays(self):
        optimiser = agent_config.OptimiserConfig(learning_rate=1e-3, anneal=False)
        self._run(dataclasses.replace(CONFIG, optimiser=optimiser))
        np.testing.assert_allclose(self._rates(), [1e-3] * 8)

    def test_the_entropy_cost_falls_geometrically(self):
        loss = agent_config.LossConfig(entropy_cost=0.01, final_entropy_share=0.01)
        self._run(dataclasses.replace(CONFIG, loss=loss))
        np.testing.assert_allclose(
            [float(seen.entropy_cost) for seen in self.update.seen],
            np.geomspace(1e-2, 1e-4, NUM_UPDATES + 1)[:-1],
            rtol=1e-5,
        )

    def test_lambda_of_the_return_gap_follows_the_student(self):
        gap = dataclasses.replace(KICKSTARTING, schedule="return_gap", end_frames=0)
        run = dataclasses.replace(CONFIG, kickstarting=gap)
        made = self._make(run, teacher_return=11.0, random_return=1.0)
        made.run(threading.Event())
        np.testing.assert_allclose(self._weights(), [2.0] * 8)
        made.report("actor/0", {}, (np.array([0]), np.array([6.0]), np.array([3])))
        # Half of the way from chance to the teacher.
        self.assertAlmostEqual(float(made._weights().kickstarting_weight[0, 0]), 1.0)

    def test_versions_count_updates_and_carry_lambda(self):
        made = self._make()
        version, begin, weight = made.parameters(-1)
        self.assertEqual(version, 0)
        self.assertEqual(begin.dtype, np.float32)
        self.assertAlmostEqual(float(weight[0, 0]), 2.0)
        self.assertIsNone(made.parameters(0))
        made.run(threading.Event())
        version, end, weight = made.parameters(0)
        self.assertEqual(version, NUM_UPDATES)
        self.assertEqual(float(weight[0, 0]), 0.0)
        self.assertGreater(np.abs(end - begin).max(), 1e-4)
        self.assertIsNone(made.parameters(NUM_UPDATES))

    def test_actors_of_a_learner_that_died_take_what_its_successor_has(self):
        self._run(stop_after=3)
        resumed = self._make()
        # They may hold what no checkpoint has.
        version, flat, _ = resumed.parameters(5)
        self.assertEqual(version, 3)
        np.testing.assert_array_equal(flat, resumed.parameters(-1)[1])
        self.assertIsNone(resumed.parameters(3))

    def test_a_successor_can_be_told_from_it(self):
        died = self._run(stop_after=3)
        self.assertEqual(died.restored_frames, 0)
        resumed = self._make()
        self.assertEqual(resumed.restored_frames, 3 * 16)
        self.assertGreater(resumed.life, died.life)

    def test_what_is_published_is_not_touched_by_later_updates(self):
        made = self._make(stop_after=2)
        _, begin, _ = made.parameters(-1)
        before = np.array(begin)
        made.run(self.update.stop)
        np.testing.assert_array_equal(begin, before)

    def test_a_resumed_run_ends_as_an_uninterrupted_one(self):
        whole = self._run()
        hyperparameters = [self._weights(), self._rates()]
        self.logdir = self.create_tempdir().full_path
        stopped = self._run(stop_after=3)
        self.assertEqual(stopped.frames, 3 * 16)
        first = [self._weights(), self._rates()]
        resumed = self._make()
        self.assertEqual(resumed.frames, 3 * 16)
        self.assertEqual(resumed.parameters(-1)[0], 3)
        np.testing.assert_array_equal(
            resumed.parameters(-1)[1], stopped.parameters(-1)[1]
        )
        resumed.run(self.update.stop)
        self.run_files.close()
        second = [self._weights(), self._rates()]
        self.assertEqual(
            [one + other for one, other in zip(first, second, strict=True)],
            hyperparameters,
        )
        np.testing.assert_array_equal(
            resumed.parameters(-1)[1], whole.parameters(-1)[1]
        )
        self.assertEqual(resumed.parameters(-1)[0], NUM_UPDATES)

    def test_a_resumed_run_keeps_its_episodes(self):
        made = self._make(stop_after=2)
        made.report("actor/0", {}, (np.array([0]), np.array([2.5]), np.array([3])))
        made.run(self.update.stop)
        self.run_files.close()
        self._make()
        self.assertAlmostEqual(self.telemetry.mean_return(0), 2.5)

    def test_resuming_may_be_declined(self):
        self._run(stop_after=2)
        afresh = dataclasses.replace(
            CONFIG, checkpoint=config.CheckpointConfig(resume=False)
        )
        made = self._make(afresh)
        self.assertEqual(made.frames, 0)
        self.assertEqual(made.parameters(-1)[0], 0)

    def test_rows(self):
        made = self._run()
        rows = self._rows()
        self.assertEqual(rows["frames"][-1], CONFIG.total_frames)
        self.assertEqual(rows["updates"][-1], NUM_UPDATES)
        # No frame count has two rows.
        self.assertTrue((np.diff(rows["frames"]) > 0).all())
        for name in ("total_loss", "entropy", "gradient_norm", "policy_lag"):
            self.assertTrue(np.isfinite(rows[name][-1]), name)
        self.assertIn("kickstarting_weight/test:counting", rows)
        self.assertEqual(rows["compilations"][-1], made._update.compilations())
        self.assertBetween(rows["wait_data"][-1], 0.0, 1.5)

    def test_rows_beyond_the_checkpoint_are_written_again(self):
        self._run(stop_after=4)
        newest = max(os.listdir(os.path.join(self.logdir, "checkpoints")))
        self.assertTrue(newest.endswith("-64"))
        with open(os.path.join(self.logdir, "metrics.csv"), encoding="utf-8") as file:
            lines = file.read().splitlines()
        cells = dict(zip(lines[0].split(","), lines[-1].split(","), strict=True))
        cells["frames"] = "80"
        with open(os.path.join(self.logdir, "metrics.csv"), "a") as file:
            file.write(",".join(cells.values()) + "\n")
        self._run()
        frames = self._rows()["frames"]
        self.assertTrue((np.diff(frames) > 0).all())
        self.assertEqual(frames[-1], CONFIG.total_frames)

    def test_a_row_is_the_mean_over_its_updates(self):
        row = learner._RowAverage()
        row.add({"loss": 1.0, "entropy": 4.0})
        row.add({"loss": 2.0, "entropy": 6.0})
        self.assertEqual(row.means(), {"loss": 1.5, "entropy": 5.0})

    def test_a_stop_while_waiting_for_data_checkpoints_and_ends(self):
        def stream() -> Iterator[types.Trajectory]:
            yield _batch(0)
            time.sleep(60)

        made = self._make(batches=stream)
        stop = threading.Event()
        threading.Timer(1.0, stop.set).start()
        start = time.monotonic()
        made.run(stop)
        self.assertLess(time.monotonic() - start, 20)
        self.assertEqual(made.frames, 16)
        self.run_files.close()
        self.assertEqual(self._make().frames, 16)

    def test_a_broken_queue_fails_the_run(self):
        def stream() -> Iterator[types.Trajectory]:
            yield _batch(0)
            raise RuntimeError("the queue broke")

        made = self._make(batches=stream)
        with self.assertRaisesRegex(RuntimeError, "the queue broke"):
            made.run(threading.Event())

    def test_a_failed_learner_takes_nothing_more_from_the_queue(self):
        taken: list[int] = []
        is_asked, may_answer = threading.Event(), threading.Event()

        def stream() -> Iterator[types.Trajectory]:
            for number in range(NUM_UPDATES):
                if number == 1:
                    is_asked.set()
                    may_answer.wait()
                taken.append(number)
                yield _batch(number)

        def fail() -> None:
            is_asked.wait()
            raise RuntimeError("as the test wants it")

        made = self._make(batches=stream)
        self.update.before = fail
        stop = threading.Event()
        with self.assertRaisesRegex(RuntimeError, "as the test wants it"):
            made.run(stop)
        waiting = threading.Thread(target=made.wait_for_reader, args=(stop,))
        waiting.start()
        waiting.join(1.0)
        # What comes next into the queue is still for the failed one.
        self.assertTrue(waiting.is_alive())
        may_answer.set()
        waiting.join(60)
        self.assertFalse(waiting.is_alive())
        self.assertEqual(taken, [0, 1])

    def test_nothing_is_waited_for_when_the_program_stops(self):
        stop = threading.Event()

        def stream() -> Iterator[types.Trajectory]:
            yield _batch(0)
            time.sleep(600)

        made = self._make(batches=stream, stop_after=1)
        made.run(self.update.stop)
        stop.set()
        made.wait_for_reader(stop)
        self.assertTrue(made._reader.is_alive())

    def test_a_checkpoint_holds_what_is_published(self):
        made = self._run(stop_after=2)
        params, metadata = checkpoints.load_params(self.logdir)
        flat = jax.flatten_util.ravel_pytree(params)[0]
        np.testing.assert_array_equal(flat, made.parameters(-1)[1])
        self.assertEqual(metadata["tasks"], ["test:counting"])
        self.assertEqual(metadata["telemetry"]["frames"], 32)


class MemberTest(_LearnerTestCase):
    """What a population's controller does to a learner."""

    def test_goes_on_with_the_weights_of_another(self):
        weights = self._run(stop_after=3).weights()
        self.logdir = self.create_tempdir().full_path
        made = self._make()
        self.telemetry.add_episodes([0], [5.0], [10])
        made.adopt(weights)
        self.assertIsNone(self.telemetry.mean_return(0))
        *others, updates = made.weights()
        # Actors go by the number of updates: it is the member's own.
        self.assertEqual((updates, weights[-1]), (0, 3))
        for own, copied in zip(others, weights, strict=False):
            np.testing.assert_array_equal(own, copied)
        made.run(threading.Event())
        self.assertEqual(made.frames, 16 * NUM_UPDATES)
        self.assertEqual(made.parameters(-1)[0], NUM_UPDATES)

    def test_goes_on_with_other_hyperparameters_and_compiles_nothing(self):
        self._run(stop_after=1)
        before = self.update.compilations()
        self.logdir = self.create_tempdir().full_path
        made = self._make()
        made.evolve(
            {
                **hyperparameters.of_config(CONFIG),
                "learning_rate": 5e-4,
                "entropy_cost": 0.5,
                "teacher_factor/test:counting": 0.25,
            }
        )
        made.run(threading.Event())
        first = self.update.seen[0]
        self.assertAlmostEqual(float(first.learning_rate), 5e-4)
        self.assertAlmostEqual(float(first.entropy_cost), 0.5)
        self.assertEqual(float(first.kickstarting_weight[0, 0]), 2.0 * 0.25)
        self.assertEqual(self.update.compilations(), before)

    def test_waits_for_its_turn(self):
        made = self._make()
        made.pause(True)
        stop = threading.Event()
        thread = threading.Thread(target=made.run, args=(stop,))
        thread.start()
        time.sleep(1.0)
        self.assertEqual(made.frames, 0)
        made.pause(False)
        thread.join(60)
        self.assertEqual(made.frames, 16 * NUM_UPDATES)

    def test_its_fitness_is_unknown_until_it_has_played(self):
        made = self._make()
        self.assertIsNone(made.fitness())
        self.telemetry.add_episodes([0] * 10, np.arange(10.0), [1] * 10)
        found = made.fitness()
        self.assertEqual(found.mean, 4.5)
        self.assertAlmostEqual(found.variance, np.var(np.arange(10.0), ddof=1) / 10)


if __name__ == "__main__":
    absltest.main()
