"""Schedules of λ."""

import itertools
import math

from absl.testing import absltest, parameterized
from hypothesis import given, settings
from hypothesis import strategies as st

from kickstarting.config import SCHEDULES, KickstartingConfig
from kickstarting.schedules import kickstarting_weight

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
    st.sampled_from(SCHEDULES),
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

    @parameterized.parameters(*SCHEDULES)
    def test_no_teachers_and_the_default_frames_give_a_weight(self, schedule):
        config = KickstartingConfig(schedule=schedule)
        weight = kickstarting_weight(config, 5)
        stays = schedule in ("constant", "return_gap")
        self.assertEqual(weight, config.weight if stays else 0.0)

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


if __name__ == "__main__":
    absltest.main()
