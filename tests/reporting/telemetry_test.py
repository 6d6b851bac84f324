"""Tests of reporting/telemetry.py."""

import json
import math
import threading

import hypothesis
import numpy as np
from absl.testing import absltest, parameterized
from hypothesis import strategies

from kickstarting.environments import base
from kickstarting.reporting import telemetry as telemetry_lib

_TASKS = ("doom:basic", "doom:my_way_home")
_REFERENCES = (base.ReferenceScore(random=-10.0, reference=90.0, source="test"), None)


class _Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def _telemetry(
    clock: _Clock | None = None, rolling_episodes: int = 100, **fields
) -> telemetry_lib.Telemetry:
    return telemetry_lib.Telemetry(
        _TASKS, _REFERENCES, 10_000, rolling_episodes, clock or _Clock(), **fields
    )


class EpisodesTest(parameterized.TestCase):
    def test_mean_is_over_the_newest_episodes_of_the_task(self):
        telemetry = _telemetry(rolling_episodes=2)
        telemetry.add_episodes([0, 1, 0, 0], [1.0, 50.0, 2.0, 4.0], [10, 20, 30, 50])
        row = telemetry.row()
        self.assertEqual(telemetry.mean_return(0), 3.0)
        self.assertEqual(row["episode_return/doom:basic"], 3.0)
        self.assertEqual(row["episode_steps/doom:basic"], 40.0)
        self.assertEqual(row["episodes/doom:basic"], 3)
        self.assertEqual(row["episode_return/doom:my_way_home"], 50.0)

    def test_takes_the_arrays_that_actors_send(self):
        telemetry = _telemetry()
        telemetry.add_episodes(
            np.array([1, 1], np.int32),
            np.array([0.5, 1.5], np.float64),
            np.array([7, 9], np.int64),
        )
        self.assertEqual(telemetry.mean_return(1), 1.0)
        json.dumps(telemetry.state())

    def test_score_is_normalised_and_uncapped(self):
        telemetry = _telemetry()
        telemetry.add_episodes([0], [140.0], [1])
        row = telemetry.row()
        self.assertAlmostEqual(row["normalised_score/doom:basic"], 150.0)
        self.assertNotIn("normalised_score/doom:my_way_home", row)

    def test_the_mean_score_is_over_the_newest_frames(self):
        telemetry = telemetry_lib.Telemetry(
            _TASKS, _REFERENCES, 10_000, score_window_frames=1000
        )
        for frames, episode_return in ((0, 90.0), (500, 40.0), (1400, 20.0)):
            telemetry.record_update(frames, 1, {})
            telemetry.add_episodes([0], [episode_return], [1])
        row = telemetry.row()
        self.assertAlmostEqual(row["mean_capped_score"], 40.0)
        self.assertAlmostEqual(row["normalised_score/doom:basic"], 60.0)

    def test_the_mean_score_is_capped_first_and_needs_a_reference(self):
        telemetry = telemetry_lib.Telemetry(
            ("a", "b", "c", "d"), (*_REFERENCES, _REFERENCES[0], _REFERENCES[0]), 1000
        )
        telemetry.add_episodes([0, 1, 2], [190.0, 7.0, 10.0], [1, 1, 1])
        row = telemetry.row()
        # d has not ended an episode yet.
        self.assertTrue(math.isnan(row["mean_capped_score"]))
        self.assertTrue(math.isnan(row["median_capped_score"]))
        telemetry.add_episodes([3], [-110.0], [1])
        row = telemetry.row()
        # Uncapped the mean would be 40. There is no lower cap.
        self.assertAlmostEqual(row["mean_capped_score"], (100 + 20 - 100) / 3)
        self.assertAlmostEqual(row["median_capped_score"], 20)

    def test_one_task_has_no_median_and_none_no_mean(self):
        row = _telemetry().row()
        self.assertIn("mean_capped_score", row)
        self.assertNotIn("median_capped_score", row)
        row = telemetry_lib.Telemetry(("a", "b"), (None, None), 1000).row()
        self.assertNotIn("mean_capped_score", row)

    def test_a_task_without_episodes_is_unknown_not_zero(self):
        telemetry = _telemetry()
        row = telemetry.row()
        self.assertIsNone(telemetry.mean_return(0))
        self.assertTrue(math.isnan(row["episode_return/doom:basic"]))
        self.assertTrue(math.isnan(row["normalised_score/doom:basic"]))
        self.assertEqual(row["episodes/doom:basic"], 0)

    @hypothesis.settings(deadline=None)
    @hypothesis.given(
        returns=strategies.lists(strategies.floats(-1e6, 1e6), min_size=1),
        size=strategies.integers(1, 20),
    )
    def test_window_equals_a_slice(self, returns, size):
        telemetry = _telemetry(rolling_episodes=size)
        for episode_return in returns:
            telemetry.add_episodes([0], [episode_return], [1])
        np.testing.assert_allclose(
            telemetry.mean_return(0), np.mean(returns[-size:]), rtol=1e-9, atol=1e-6
        )
        self.assertEqual(telemetry.row()["episodes/doom:basic"], len(returns))

    @parameterized.parameters(
        ([0, 1], [1.0], [1, 1], "do not describe the same episodes"),
        ([2], [1.0], [1], "task index 2 is out of range"),
        ([-1], [1.0], [1], "task index -1 is out of range"),
    )
    def test_refuses_bad_episodes(self, tasks, returns, steps, message):
        telemetry = _telemetry()
        with self.assertRaisesRegex(ValueError, message):
            telemetry.add_episodes(tasks, returns, steps)
        self.assertEqual(telemetry.row()["episodes/doom:basic"], 0)

    def test_episodes_of_many_threads_are_all_counted(self):
        telemetry = _telemetry()

        def report(source: int) -> None:
            for number in range(1, 201):
                telemetry.add_episodes([0, 1], [1.0, 2.0], [1, 1])
                telemetry.report(
                    f"actor/{source}", counters={"agent_steps": number}, gauges={}
                )
                telemetry.row()

        threads = [threading.Thread(target=report, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        row = telemetry.row()
        self.assertEqual(row["episodes/doom:my_way_home"], 800)
        self.assertEqual(row["agent_steps"], 800)


class CountersTest(absltest.TestCase):
    def test_counters_are_summed_and_gauges_averaged(self):
        telemetry = _telemetry()
        for source, restarts, waits in (("actor/0", 2, 0.5), ("actor/1", 1, 0.1)):
            telemetry.report(
                source,
                counters={"worker_restarts": restarts},
                gauges={"wait_queue": waits},
            )
        for size in (14, 12):
            telemetry.report(
                "queue", counters={}, gauges={"queue_size": size, "queue_capacity": 32}
            )
        row = telemetry.row()
        self.assertEqual(row["worker_restarts"], 3)
        self.assertAlmostEqual(row["wait_queue"], 0.3)
        self.assertEqual(row["queue_size"], 12)
        self.assertEqual(row["queue_capacity"], 32)
        telemetry.report("actor/0", counters={}, gauges={"teachers_resting": 1})
        telemetry.report("actor/1", counters={}, gauges={"teachers_resting": 0})
        self.assertEqual(telemetry.row()["teachers_resting"], 0.5)

    def test_a_name_says_nothing_of_what_kind_a_figure_is(self):
        telemetry = _telemetry()
        for source in ("actor/0", "actor/1"):
            telemetry.report(
                source, counters={"moves_of_size": 3}, gauges={"moves": 3, "age": 0.5}
            )
        telemetry.report("actor/0", counters={"moves_of_size": 4}, gauges={"moves": 5})
        row = telemetry.row()
        self.assertEqual(row["moves_of_size"], 7)
        self.assertEqual(row["moves"], 4)
        # Of the one that still tells.
        self.assertEqual(row["age"], 0.5)

    def test_who_has_been_silent_for_how_long(self):
        now = [100.0]
        telemetry = _telemetry(clock=lambda: now[0])
        self.assertEmpty(telemetry.silence())
        telemetry.report("actor/0", counters={}, gauges={})
        now[0] = 103.0
        telemetry.report("actor/1", counters={}, gauges={})
        now[0] = 104.0
        self.assertEqual(telemetry.silence(), {"actor/0": 4.0, "actor/1": 1.0})

    def test_a_restarted_part_loses_nothing_that_was_counted(self):
        telemetry = _telemetry()
        for total in (5, 7, 1, 4):
            telemetry.report("actor/0", counters={"dropped_unrolls": total}, gauges={})
        self.assertEqual(telemetry.row()["dropped_unrolls"], 11)

    def test_what_parts_did_before_is_not_counted_twice(self):
        first = _telemetry()
        first.report("actor/0", counters={"agent_steps": 100}, gauges={})
        second = _telemetry(sources_go_on=True)
        second.restore(first.state())
        # The same actor, some time later, and one that has just begun.
        for steps in (130, 150):
            second.report("actor/0", counters={"agent_steps": steps}, gauges={})
        for steps in (0, 7):
            second.report("actor/1", counters={"agent_steps": steps}, gauges={})
        self.assertEqual(second.row()["agent_steps"], 100 + 20 + 7)


class SpeedTest(absltest.TestCase):
    def test_windows_see_a_change_of_speed_one_after_another(self):
        clock = _Clock()
        telemetry = _telemetry(clock)
        for second in range(1, 401):
            clock.now += 1
            frames = 10 * second if second <= 390 else 3900 + 20 * (second - 390)
            telemetry.record_update(frames, second, {})
        row = telemetry.row()
        self.assertEqual(row["frames_per_second/10s"], 20)
        self.assertAlmostEqual(row["frames_per_second/60s"], (50 * 10 + 10 * 20) / 60)
        self.assertAlmostEqual(row["frames_per_second/300s"], (2900 + 200) / 300)
        self.assertEqual(row["seconds"], 400)
        self.assertAlmostEqual(
            row["seconds_left"], (10_000 - 4100) / row["frames_per_second/300s"]
        )

    def test_a_stalled_run_slows_down(self):
        clock = _Clock()
        telemetry = _telemetry(clock)
        clock.now += 5
        telemetry.record_update(1000, 1, {})
        self.assertEqual(telemetry.row()["frames_per_second/10s"], 200)
        clock.now += 20
        row = telemetry.row()
        self.assertEqual(row["frames_per_second/10s"], 0)
        self.assertEqual(row["frames_per_second/60s"], 40)

    def test_time_left_is_unknown_at_first_and_zero_at_the_end(self):
        clock = _Clock()
        telemetry = _telemetry(clock)
        self.assertTrue(math.isnan(telemetry.row()["seconds_left"]))
        clock.now += 1
        telemetry.record_update(10_240, 8, {})
        self.assertEqual(telemetry.row()["seconds_left"], 0)

    def test_row_has_the_newest_metrics(self):
        telemetry = _telemetry()
        telemetry.record_update(100, 1, {"entropy": 2.0})
        telemetry.record_update(200, 2, {"entropy": np.float32(1.5)})
        row = telemetry.row()
        self.assertEqual((row["frames"], row["updates"]), (200, 2))
        self.assertEqual(row["entropy"], 1.5)
        self.assertIsInstance(row["entropy"], float)


class ResumeTest(absltest.TestCase):
    def test_counts_go_on_where_they_stopped(self):
        clock = _Clock()
        first = _telemetry(clock, rolling_episodes=3)
        first.add_episodes([0, 0, 1], [1.0, 3.0, 5.0], [10, 10, 10])
        first.report("actor/0", counters={"worker_restarts": 4}, gauges={})
        clock.now += 50
        first.record_update(5_000, 10, {})
        state = json.loads(json.dumps(first.state()))

        clock.now += 1000
        second = _telemetry(clock, rolling_episodes=3)
        second.restore(state)
        clock.now += 10
        second.add_episodes([0, 0], [8.0, 4.0], [10, 10])
        second.report("actor/0", counters={"worker_restarts": 1}, gauges={})
        second.record_update(6_000, 12, {})
        row = second.row()
        self.assertEqual(row["episodes/doom:basic"], 4)
        self.assertEqual(row["episode_return/doom:basic"], 5.0)
        self.assertEqual(row["episode_return/doom:my_way_home"], 5.0)
        self.assertEqual(row["worker_restarts"], 5)
        self.assertEqual(row["seconds"], 60)
        self.assertEqual(row["frames_per_second/300s"], 100)

    def test_scores_go_on_where_they_stopped(self):
        first = _telemetry()
        first.add_episodes([0, 0], [-10.0, 50.0], [10, 10])
        state = json.loads(json.dumps(first.state()))
        second = _telemetry()
        second.restore(state)
        second.add_episodes([0], [80.0], [10])
        self.assertAlmostEqual(second.row()["mean_capped_score"], 50.0)

        del state["score_windows"]
        second.restore(state)
        self.assertTrue(math.isnan(second.row()["mean_capped_score"]))

    def test_tasks_are_known_by_name(self):
        first = _telemetry()
        first.add_episodes([1], [7.0], [1])
        second = telemetry_lib.Telemetry(
            ("doom:my_way_home", "doom:take_cover"), (None, None), 100
        )
        second.restore(first.state())
        self.assertEqual(second.mean_return(0), 7.0)
        self.assertIsNone(second.mean_return(1))


class ArgumentsTest(parameterized.TestCase):
    @parameterized.parameters(
        (("a",), (), 10, 1, "1 tasks need as many references"),
        (("a",), (None,), 0, 1, "must be above 0"),
        (("a",), (None,), 10, 0, "must be above 0"),
        (
            ("a",),
            (base.ReferenceScore(1.0, 1.0, "test"),),
            10,
            1,
            "the reference score of a equals its random score",
        ),
    )
    def test_refuses(self, tasks, references, frames, rolling, message):
        with self.assertRaisesRegex(ValueError, message):
            telemetry_lib.Telemetry(tasks, references, frames, rolling)


if __name__ == "__main__":
    absltest.main()
