"""Schedules of λ."""

import itertools
import math

import numpy as np
from absl.testing import absltest, parameterized
from hypothesis import given, settings
from hypothesis import strategies as st

from kickstarting.config.checks import ConfigError
from kickstarting.config.run import Config
from kickstarting.config.teachers import FACTOR_SCHEDULES, KickstartingConfig
from kickstarting.loss import schedules
from kickstarting.loss.schedules import kickstarting_weight

TEACHERS = (("doom:basic", "teacher"),)


def _config(**changed) -> KickstartingConfig:
    fields = {
        "teachers": TEACHERS,
        "weight": 2.0,
        "final_weight": 0.5,
        "start_frames": 100,
        "end_frames": 300,
    }
    return KickstartingConfig(**(fields | changed))


_configs = st.builds(
    lambda schedule, weight, part, start, length: _config(
        schedule=schedule,
        weight=weight,
        final_weight=weight * part,
        start_frames=start,
        end_frames=start + length,
    ),
    st.sampled_from(FACTOR_SCHEDULES),
    st.floats(1e-3, 10),
    st.floats(1e-3, 1),
    st.integers(0, 10**9),
    st.integers(1, 10**9),
)


class SchedulesTest(parameterized.TestCase):
    @parameterized.parameters(
        # (schedule, frames, λ)
        ("constant", 0, 2.0),
        ("constant", 299, 2.0),
        ("constant", 300, 0.0),
        ("linear", 0, 2.0),
        ("linear", 100, 2.0),
        ("linear", 200, 1.25),
        ("linear", 250, 0.875),
        ("linear", 300, 0.0),
        ("linear", 10**12, 0.0),
        ("exponential", 100, 2.0),
        ("exponential", 200, 1.0),
        ("exponential", 250, 2 * 0.25**0.75),
        ("exponential", 300, 0.0),
    )
    def test_corners(self, schedule, frames, expected):
        weight = kickstarting_weight(_config(schedule=schedule), frames)
        self.assertAlmostEqual(weight, expected, places=12)
        self.assertIsInstance(weight, float)

    def test_linear_reaches_its_end(self):
        config = _config(schedule="linear", final_weight=0.0)
        self.assertAlmostEqual(kickstarting_weight(config, 299), 0.01)
        self.assertEqual(kickstarting_weight(config, 300), 0.0)

    @parameterized.parameters("constant", "return_gap")
    def test_no_end_means_never(self, schedule):
        config = _config(schedule=schedule, start_frames=0, end_frames=0)
        self.assertEqual(kickstarting_weight(config, 10**12, 0.0, 1.0), 2.0)

    @parameterized.parameters(
        # (student, teacher, λ)
        (0.0, 10.0, 2.0),
        (2.5, 10.0, 1.5),
        (10.0, 10.0, 0.0),
        (20.0, 10.0, 0.0),
        # Worse than chance gives no more than the start.
        (-30.0, 10.0, 2.0),
        # No return yet, or none known of the teacher.
        (None, 10.0, 2.0),
        (5.0, None, 2.0),
        (None, None, 2.0),
        # A teacher no better than chance has nothing to teach.
        (5.0, 0.0, 0.0),
        (-5.0, -1.0, 0.0),
        (None, -1.0, 0.0),
    )
    def test_return_gap(self, student, teacher, expected):
        config = _config(schedule="return_gap")
        self.assertEqual(kickstarting_weight(config, 200, student, teacher), expected)
        self.assertEqual(kickstarting_weight(config, 100, student, teacher), 2.0)
        self.assertEqual(kickstarting_weight(config, 300, student, teacher), 0.0)

    @parameterized.parameters(*FACTOR_SCHEDULES)
    def test_no_teachers_and_the_default_frames_give_a_weight(self, schedule):
        config = KickstartingConfig(schedule=schedule)
        weight = schedules.global_weight(config, 5)
        stays = schedule in ("constant", "return_gap")
        self.assertEqual(weight, config.weight if stays else 0.0)

    @parameterized.parameters(
        # (frames, λ)
        (0, 4.0),
        (50, 4.0),
        (150, 2.5),
        (200, 1.0),
        (300, 2.0),
        (400, 3.0),
        (10**12, 3.0),
    )
    def test_piecewise_goes_through_its_points_and_stays_at_the_last(
        self, frames, expected
    ):
        config = _config(schedule="piecewise", points="100:4,200:1,4e2:3")
        self.assertAlmostEqual(schedules.global_weight(config, frames), expected)

    @parameterized.parameters(
        # (schedule, frames, λ)
        ("linear", 100, 2.0),
        ("linear", 200, 1.25),
        ("linear", 299, 0.8),
        ("linear", 300, 0.8),
        ("exponential", 10**12, 0.8),
        ("constant", 10**12, 0.8),
    )
    def test_does_not_fall_below_its_floor(self, schedule, frames, expected):
        config = _config(schedule=schedule, floor=0.4)
        self.assertAlmostEqual(kickstarting_weight(config, frames), expected)

    def test_the_floor_of_points_is_a_share_of_the_first(self):
        config = _config(schedule="piecewise", points="0:5,100:0", floor=0.1)
        self.assertAlmostEqual(schedules.global_weight(config, 80), 1.0)
        self.assertAlmostEqual(schedules.global_weight(config, 10**9), 0.5)

    @parameterized.parameters((0.0, 2.0), (5.0, 1.0), (8.0, 0.8), (20.0, 0.8))
    def test_the_gap_has_a_floor(self, student, expected):
        config = _config(schedule="return_gap", end_frames=0, floor=0.4)
        weight = kickstarting_weight(config, 10**9, student, 10.0)
        self.assertAlmostEqual(weight, expected)

    @settings(deadline=None)
    @given(config=_configs, frames=st.integers(0, 3 * 10**9))
    def test_stays_between_its_ends(self, config, frames):
        weight = kickstarting_weight(config, frames, 0.3, 1.0)
        self.assertTrue(math.isfinite(weight))
        self.assertGreaterEqual(weight, 0.0)
        self.assertLessEqual(weight, config.weight * (1 + 1e-12))
        if frames >= config.end_frames:
            self.assertEqual(weight, 0.0)
        if frames <= config.start_frames:
            self.assertEqual(weight, config.weight)

    @settings(deadline=None)
    @given(config=_configs, frames=st.lists(st.integers(0, 3 * 10**9), min_size=2))
    def test_never_rises(self, config, frames):
        weights = [kickstarting_weight(config, f, 0.3, 1.0) for f in sorted(frames)]
        for earlier, later in itertools.pairwise(weights):
            self.assertLessEqual(later, earlier * (1 + 1e-12))

    @parameterized.parameters(*FACTOR_SCHEDULES)
    def test_rho_falls_as_alpha_does(self, schedule):
        of_alpha = _config(schedule=schedule)
        of_rho = _config(
            schedule="constant",
            end_frames=0,
            factor_schedule=schedule,
            factor_final_share=0.25,
            factor_start_frames=100,
            factor_end_frames=300,
        )
        for frames in (0, 100, 150, 200, 299, 300, 1000):
            self.assertAlmostEqual(
                kickstarting_weight(of_rho, frames, 3.0, 10.0),
                kickstarting_weight(of_alpha, frames, 3.0, 10.0),
            )

    def test_both_fall_and_their_product_counts(self):
        config = _config(
            schedule="linear",
            final_weight=0.0,
            factor_schedule="linear",
            factor_end_frames=400,
        )
        # Half way down from 2, and half way down from 0.5.
        self.assertAlmostEqual(schedules.global_weight(config, 200), 1.0)
        self.assertAlmostEqual(schedules.teacher_factor(config, 200, 0.5), 0.25)

    def test_both_by_the_gap_count_it_once(self):
        config = _config(schedule="return_gap", factor_schedule="return_gap")
        self.assertAlmostEqual(kickstarting_weight(config, 200, 2.5, 10.0), 1.5)


_TASKS = ("doom:basic", "doom:take_cover", "doom:my_way_home")
_UNKNOWN = math.nan


def _run(**changed) -> Config:
    """Two teachers, of which one teaches two tasks; the third task has none."""
    fields = {
        "teachers": (
            ("doom:basic", "good"),
            ("doom:basic", "bad"),
            ("doom:take_cover", "good"),
        ),
        "schedule": "constant",
        "weight": 2.0,
    }
    return Config(_TASKS, "/run", kickstarting=KickstartingConfig(**(fields | changed)))


def _weights(run: Config, frames: int = 1) -> schedules.Weights:
    return schedules.weights(
        run,
        frames,
        np.array([4.0, _UNKNOWN, 0.0]),
        np.array([[10.0, 4.0], [3.0, _UNKNOWN], [_UNKNOWN, _UNKNOWN]]),
        np.array([2.0, 1.0, 0.0]),
    )


class WeightsTest(parameterized.TestCase):
    def test_every_teacher_has_alpha_times_its_rho(self):
        found = _weights(_run(factors=(("bad", 0.25), ("doom:take_cover", 3.0))))
        self.assertEqual(found.global_weight, 2.0)
        np.testing.assert_allclose(found.teacher_factors, [[1, 0.25], [3, 0], [0, 0]])
        np.testing.assert_allclose(
            found.kickstarting_weight, [[2, 0.5], [6, 0], [0, 0]]
        )

    def test_a_teachers_own_rho_counts_before_its_tasks(self):
        found = _weights(_run(factors=(("doom:basic", 3.0), ("bad", 0.5))))
        np.testing.assert_allclose(found.teacher_factors[0], [3, 0.5])

    def test_weighted_by_what_they_reach_above_chance(self):
        found = _weights(_run(weighting="return"))
        # 8 and 2 above the random policy's 2.
        np.testing.assert_allclose(found.teacher_factors, [[0.8, 0.2], [1, 0], [0, 0]])

    def test_teachers_below_chance_get_no_weight(self):
        found = schedules.weights(
            _run(weighting="return"),
            1,
            np.zeros(3),
            np.array([[-1.0, -2.0], [-3.0, _UNKNOWN], [_UNKNOWN, _UNKNOWN]]),
            np.zeros(3),
        )
        np.testing.assert_array_equal(found.teacher_factors, 0.0)

    def test_each_follows_its_own_gap(self):
        found = _weights(_run(factor_schedule="return_gap"))
        # (1 − 2/8) and (1 − 2/2); of the second task no return is known yet.
        np.testing.assert_allclose(found.teacher_factors, [[0.75, 0], [1, 0], [0, 0]])

    def test_lambda_is_zero_for_good_where_it_cannot_come_back(self):
        np.testing.assert_array_equal(
            schedules.lambda_is_zero_for_good(_run(factors=(("bad", 0.0),)), 1),
            [[False, True], [False, True], [True, True]],
        )
        falling = _run(factor_schedule="linear", factor_end_frames=100)
        self.assertFalse(schedules.lambda_is_zero_for_good(falling, 99)[0, 0])
        self.assertTrue(schedules.lambda_is_zero_for_good(falling, 100).all())
        gap = _run(schedule="return_gap")
        self.assertFalse(schedules.lambda_is_zero_for_good(gap, 10**12)[0, 1])

    def test_a_floor_keeps_the_teacher(self):
        falling = {"schedule": "linear", "end_frames": 100}
        for floor, expected in ((0.0, True), (0.1, False)):
            found = schedules.lambda_is_zero_for_good(
                _run(**falling, floor=floor), 10**12
            )
            self.assertEqual(found[0, 0], expected)

    @parameterized.parameters(
        # (points, frames, whether it is over)
        ("0:4,100:0", 99, False),
        ("0:4,100:0", 100, True),
        ("0:4,100:0,200:0,300:1", 100, False),
        ("0:4,100:0,200:0,300:1", 10**12, False),
        ("0:4,100:1", 10**12, False),
        ("0:0", 0, True),
    )
    def test_points_are_over_once_all_that_is_left_is_zero(
        self, points, frames, expected
    ):
        run = _run(schedule="piecewise", points=points)
        found = schedules.lambda_is_zero_for_good(run, frames)
        self.assertEqual(found[0, 0], expected)

    @parameterized.parameters("jump_start", "initialise")
    def test_without_advice_there_is_no_weight(self, use):
        named = {"teachers": TEACHERS, "schedule": "constant", "guided_end_frames": 9}
        run = Config(
            tasks=("doom:basic",),
            logdir="unused",
            kickstarting=KickstartingConfig(use=use, **named),
        )
        self.assertEqual(schedules.global_weight(run.kickstarting, 0), 0.0)
        self.assertTrue(schedules.lambda_is_zero_for_good(run, 0).all())


class KickstartingWeightTest(absltest.TestCase):
    def test_is_the_global_weight_times_the_factor(self):
        run = KickstartingConfig(
            schedule="linear",
            weight=4.0,
            end_frames=100,
            factor_schedule="linear",
            factor_final_share=0.5,
            factor_end_frames=200,
        )
        for frames in (0, 30, 99, 100, 150):
            self.assertAlmostEqual(
                kickstarting_weight(run, frames),
                schedules.global_weight(run, frames)
                * schedules.teacher_factor(run, frames),
            )
        self.assertEqual(kickstarting_weight(run, 0), 4.0)
        self.assertEqual(kickstarting_weight(run, 100), 0.0)

    def test_follows_the_gap(self):
        run = KickstartingConfig(schedule="return_gap", weight=2.0)
        weight = kickstarting_weight(run, 10, 3.0, 4.0)
        self.assertAlmostEqual(weight, 0.5)
        self.assertEqual(kickstarting_weight(run, 10), 2.0)

    def test_a_fall_without_an_end_is_refused(self):
        for schedule in ("linear", "exponential"):
            with self.assertRaisesRegex(ConfigError, "end_frames above start_frames"):
                kickstarting_weight(KickstartingConfig(schedule=schedule), 0)


if __name__ == "__main__":
    absltest.main()
