"""A softened teacher prefers what its teacher prefers, less."""

import numpy as np
from absl.testing import absltest

from experiments import softened_teachers
from kickstarting.agent import trajectory
from kickstarting.environments import suites
from kickstarting.teaching import teachers

_SPEC = suites.environment_spec("xland:MiniGrid-Empty-8x8")


class SoftenedTeacherTest(absltest.TestCase):
    def test_divides_the_logits_and_keeps_the_state(self) -> None:
        random = np.random.default_rng(0)
        observation = trajectory.Observation(
            random.integers(0, 12, (2, 3, *_SPEC.frame_shape), np.uint8),
            np.zeros((2, 3, 0), np.int32),
            np.zeros((2, 3), np.int32),
            np.zeros((2, 3), np.float32),
        )
        first = np.zeros((2, 3), bool)
        hard = teachers.CheckpointTeacher("teachers/study/xland")
        soft = softened_teachers.softened_on_grids()
        teachers.check_matches("soft", soft, _SPEC)
        logits, state = hard.label(observation, first, hard.initial_state(2))
        softened, same = soft.label(observation, first, soft.initial_state(2))
        np.testing.assert_allclose(softened, logits / 4, rtol=1e-6)
        np.testing.assert_array_equal(same.cell, state.cell)


if __name__ == "__main__":
    absltest.main()
