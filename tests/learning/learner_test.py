"""The learner: schedules in frames, versions, rows, resuming, stopping."""

import dataclasses
import math
import os
import pathlib
import resource
import threading
from collections.abc import Iterator
from unittest import mock

import jax
import numpy as np
from absl.testing import absltest

from kickstarting.agent import trajectory
from kickstarting.config import agent as agent_config
from kickstarting.config import run as config
from kickstarting.learning import skipped_updates
from kickstarting.loss import schedules
from kickstarting.reporting import profile, row_average
from kickstarting.storage import checkpoints
from tests import learner_case, small_ring


def setUpModule():
    small_ring.compile_quickly()


def _with_rate(**fields) -> config.Config:
    optimiser = agent_config.OptimiserConfig(learning_rate=1e-3, **fields)
    return dataclasses.replace(learner_case.CONFIG, optimiser=optimiser)


class LearnerTest(learner_case.LearnerTestCase):
    def test_lambda_follows_its_schedule_in_frames_and_ends_at_zero(self):
        made = self._run()
        self.assertEqual(made.frames, learner_case.CONFIG.total_frames)
        expected = [
            schedules.global_weight(learner_case.KICKSTARTING, 16 * number)
            for number in range(learner_case.NUM_UPDATES)
        ]
        np.testing.assert_allclose(self._weights(), expected)
        np.testing.assert_allclose(
            self._weights(), [2.0, 2.0, 1.625, 1.25, 0.875, 0, 0, 0]
        )

    def test_it_tells_whose_advice_is_missing(self):
        made = self._make()
        counters = {"asked_unrolls/bots:a": 10.0, "unanswered_unrolls/bots:a": 9.0}
        self.telemetry.report("actor/0", counters=counters, gauges={})
        with self.assertLogs(level="WARNING") as logs:
            made.run(self.update.stop)
        self.assertIn(
            "teacher 'bots:a' gave no advice on 90% of 10 unrolls", logs.output[-1]
        )

    def test_no_teacher_is_needed_when_its_lambda_has_ended(self):
        made = self._make()
        np.testing.assert_array_equal(made.lambda_is_zero_for_good(), [[False]])
        made.run(self.update.stop)
        np.testing.assert_array_equal(made.lambda_is_zero_for_good(), [[True]])

    def test_where_there_is_no_teacher_none_is_needed_from_the_start(self):
        without = dataclasses.replace(
            learner_case.KICKSTARTING, teachers=(), end_frames=0
        )
        run = dataclasses.replace(
            learner_case.CONFIG,
            kickstarting=dataclasses.replace(without, schedule="constant"),
        )
        np.testing.assert_array_equal(
            self._make(run).lambda_is_zero_for_good(), [[True]]
        )

    def test_the_learning_rate_falls_over_the_run(self):
        self._run(_with_rate(anneal=True))
        np.testing.assert_allclose(
            self._rates(), [1e-3 * (1 - number / 8) for number in range(8)], rtol=1e-6
        )

    def test_the_entropy_cost_falls_over_the_run(self):
        loss = agent_config.LossConfig(entropy_cost=0.01, final_entropy_share=0.01)
        self._run(dataclasses.replace(learner_case.CONFIG, loss=loss))
        np.testing.assert_allclose(
            [float(seen.entropy_cost) for seen in self.update.seen],
            np.geomspace(1e-2, 1e-4, learner_case.NUM_UPDATES + 1)[:-1],
            rtol=1e-5,
        )

    def test_lambda_of_the_return_gap_follows_the_student(self):
        gap = dataclasses.replace(
            learner_case.KICKSTARTING, schedule="return_gap", end_frames=0
        )
        run = dataclasses.replace(learner_case.CONFIG, kickstarting=gap)
        made = self._make(run, teacher_return=11.0, random_return=1.0)
        made.run(threading.Event())
        np.testing.assert_allclose(self._weights(), [2.0] * 8)
        made.report("actor/0", {}, {}, (np.array([0]), np.array([6.0]), np.array([3])))
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
        self.assertEqual(version, learner_case.NUM_UPDATES)
        self.assertEqual(float(weight[0, 0]), 0.0)
        self.assertGreater(np.abs(end - begin).max(), 1e-4)
        self.assertIsNone(made.parameters(learner_case.NUM_UPDATES))

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
        self.assertEqual(resumed.parameters(-1)[0], learner_case.NUM_UPDATES)

    def test_a_resumed_run_keeps_its_episodes(self):
        made = self._make(stop_after=2)
        made.report("actor/0", {}, {}, (np.array([0]), np.array([2.5]), np.array([3])))
        made.run(self.update.stop)
        self.run_files.close()
        self._make()
        self.assertAlmostEqual(self.telemetry.mean_return(0), 2.5)

    def test_resuming_may_be_declined(self):
        self._run(stop_after=2)
        afresh = dataclasses.replace(
            learner_case.CONFIG, checkpoint=config.CheckpointConfig(resume=False)
        )
        made = self._make(afresh)
        self.assertEqual(made.frames, 0)
        self.assertEqual(made.parameters(-1)[0], 0)

    def test_rows(self):
        made = self._run()
        rows = self._rows()
        self.assertEqual(rows["frames"][-1], learner_case.CONFIG.total_frames)
        self.assertEqual(rows["updates"][-1], learner_case.NUM_UPDATES)
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
        self.assertEqual(frames[-1], learner_case.CONFIG.total_frames)

    def test_a_stop_while_waiting_for_data_checkpoints_and_ends(self):
        stop = threading.Event()

        def stream() -> Iterator[trajectory.Trajectory]:
            yield learner_case.batch_of(0)
            stop.set()
            self.is_over.wait()

        made = self._make(batches=stream)
        made.run(stop)
        self.assertEqual(made.frames, 16)
        self.run_files.close()
        self.assertEqual(self._make().frames, 16)

    def test_a_broken_queue_fails_the_run(self):
        def stream() -> Iterator[trajectory.Trajectory]:
            yield learner_case.batch_of(0)
            raise RuntimeError("the queue broke")

        made = self._make(batches=stream)
        with self.assertRaisesRegex(RuntimeError, "the queue broke"):
            made.run(threading.Event())

    def test_an_update_that_took_the_state_with_it_is_the_failure_told(self):
        made = self._make()

        def fail() -> None:
            if len(self.update.seen) == 2:
                for leaf in jax.tree.leaves(made._state):
                    leaf.delete()
                raise RuntimeError("out of memory")

        self.update.before = fail
        with self.assertRaisesRegex(RuntimeError, "out of memory"):
            made.run(threading.Event())
        self.assertEqual(made.frames, 32)

    def _spoilt(self, *numbers: int):
        """Returns a stream in which the rewards of some batches are no numbers."""

        def stream() -> Iterator[trajectory.Trajectory]:
            for number in range(learner_case.NUM_UPDATES):
                batch = learner_case.batch_of(number)
                if number in numbers:
                    batch = batch._replace(reward=np.full_like(batch.reward, np.nan))
                yield batch

        return stream

    def test_a_bad_batch_is_passed_over_and_counted(self):
        made = self._run(batches=self._spoilt(0, 3))
        self.assertEqual(made.frames, learner_case.CONFIG.total_frames)
        rows = self._rows()
        self.assertEqual(rows["skipped_updates"][-1], 2)
        self.assertTrue(np.isfinite(rows["total_loss"]).all())
        self.assertTrue(np.isfinite(made.parameters(-1)[1]).all())

    @mock.patch.object(skipped_updates, "MOST_IN_A_ROW", 3)
    def test_what_was_learned_before_a_streak_of_bad_batches_is_kept(self):
        self._run(stop_after=2)
        learned = self._make().parameters(-1)[1]
        made = self._make(batches=self._spoilt(*range(learner_case.NUM_UPDATES)))
        with self.assertRaises(skipped_updates.LossError):
            made.run(threading.Event())
        self.run_files.close()
        kept = self._make()
        # Two that were good, three that were not, and the one that was sent meanwhile.
        self.assertEqual(kept.frames, 6 * 16)
        np.testing.assert_array_equal(kept.parameters(-1)[1], learned)

    @mock.patch.object(profile, "_WARM_UP_SECONDS", 0.0)
    def test_a_profile_of_the_run_is_written_where_it_is_asked_for(self):
        self._run(
            dataclasses.replace(
                learner_case.CONFIG, logdir=self.logdir, profile_seconds=1e-6
            )
        )
        traces = pathlib.Path(self.logdir, "plugins", "profile").rglob("*.gz")
        self.assertIn("perfetto_trace.json.gz", [path.name for path in traces])

    def test_a_disk_that_is_full_for_a_while_costs_nothing_that_was_learned(self):
        run = dataclasses.replace(
            learner_case.CONFIG,
            checkpoint=config.CheckpointConfig(period_minutes=1e-9),
        )
        made = self._make(run)
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_FSIZE, (hard, hard))

        def fill_and_empty() -> None:
            # A limit on file sizes fails writes just as a full disk does.
            is_full = 2 <= len(self.update.seen) < 6
            limit = 100 if is_full else hard
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))

        self.update.before = fill_and_empty
        # On a slow machine a row would find the disk full first, and be told of alone.
        with (
            mock.patch.object(row_average, "period", return_value=math.inf),
            self.assertLogs(level="ERROR") as logged,
        ):
            made.run(threading.Event())
        self.assertIn("Training goes on, but cannot write a checkpoint", str(logged))
        self.assertEqual(made.frames, run.total_frames)
        self.run_files.close()
        np.testing.assert_array_equal(
            self._make().parameters(-1)[1], made.parameters(-1)[1]
        )

    def test_the_last_checkpoint_must_find_room(self):
        made = self._make()
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_FSIZE, (hard, hard))
        self.update.before = lambda: resource.setrlimit(
            resource.RLIMIT_FSIZE, (100, hard)
        )
        with self.assertRaisesRegex(checkpoints.CheckpointError, "free disk space"):
            made.run(threading.Event())

    def test_a_failed_learner_takes_nothing_more_from_the_queue(self):
        taken: list[int] = []
        is_asked, may_answer = threading.Event(), threading.Event()

        def stream() -> Iterator[trajectory.Trajectory]:
            for number in range(learner_case.NUM_UPDATES):
                if number == 1:
                    is_asked.set()
                    may_answer.wait()
                taken.append(number)
                yield learner_case.batch_of(number)

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

    def test_a_checkpoint_holds_what_is_published(self):
        made = self._run(stop_after=2)
        params, metadata = checkpoints.load_params(self.logdir)
        flat = jax.flatten_util.ravel_pytree(params)[0]
        np.testing.assert_array_equal(flat, made.parameters(-1)[1])
        self.assertEqual(metadata["tasks"], ["test:counting"])
        self.assertEqual(metadata["telemetry"]["frames"], 32)


if __name__ == "__main__":
    absltest.main()
