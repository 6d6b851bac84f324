"""Tests for teacher_returns: what is measured badly is believed little."""

import numpy as np
from absl.testing import absltest

from kickstarting.config.run import Config, KickstartingConfig
from kickstarting.loss import schedules
from kickstarting.teaching import returns as teacher_returns

_CHANCE = 6.0
_SPREAD = 4.0


def _measured(true_return: float, episodes: int, trials: int):
    """Returns TeacherReturns [1, trials] of as many measurements of one teacher."""
    random = np.random.default_rng(0)
    played = random.normal(true_return, _SPREAD, (episodes, trials))
    return teacher_returns.TeacherReturns(
        played.mean(axis=0, keepdims=True),
        played.std(axis=0, ddof=1, keepdims=True) / np.sqrt(episodes),
    )


class TeacherReturnsTest(absltest.TestCase):
    def test_chance_seldom_seems_better_than_chance(self):
        found = _measured(_CHANCE, episodes=20, trials=1000)
        self.assertGreater((found.mean > _CHANCE).mean(), 0.45)
        self.assertLess((found.assured() > _CHANCE).mean(), 0.05)

    def test_a_good_teacher_stays_one(self):
        found = _measured(14.0, episodes=100, trials=1000)
        self.assertTrue((found.assured() > _CHANCE + 5).all())

    def test_what_is_unknown_stays_unknown(self):
        found = teacher_returns.TeacherReturns.unknown(num_tasks=3, num_teachers=2)
        self.assertEqual(found.assured().shape, (3, 2))
        self.assertTrue(np.isnan(found.assured()).all())

    def test_a_lucky_random_teacher_has_no_weight(self):
        lucky = teacher_returns.TeacherReturns(np.array([[6.5]]), np.array([[0.9]]))
        run = Config(
            ("doom:basic",),
            "/run",
            kickstarting=KickstartingConfig(
                teachers=(("doom:basic", "random"),), schedule="return_gap"
            ),
        )

        def weight(of_teacher: np.ndarray) -> float:
            found = schedules.weights(
                run, 1, np.array([_CHANCE]), of_teacher, np.array([_CHANCE])
            )
            return float(found.kickstarting_weight[0, 0])

        self.assertGreater(weight(lucky.mean), 0.0)
        self.assertEqual(weight(lucky.assured()), 0.0)


if __name__ == "__main__":
    absltest.main()
