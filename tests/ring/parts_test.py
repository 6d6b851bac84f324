"""The parts of a ring, as the run's configuration asks for them."""

import numpy as np
from absl.testing import absltest

from kickstarting.config import run as config_lib
from kickstarting.ring import parts

SCRIPTED = "examples.scripted_teacher:make"


class GuideTest(absltest.TestCase):
    def _guide(self, use: str):
        tasks = ("gym:MiniGrid-Empty-5x5-v0", "gym:MiniGrid-Empty-6x6-v0")
        config = config_lib.Config(
            tasks=tasks,
            logdir="unused",
            kickstarting=config_lib.KickstartingConfig(
                teachers=((tasks[1], SCRIPTED), (tasks[1], "second:factory")),
                use=use,
                schedule="constant",
                allow_missing=True,
            ),
        )
        return parts.make_guide(config, np.array([0, 1, 0, 1]), 7)

    def test_the_first_teacher_of_a_task_acts(self):
        # The second does not exist, and is not made.
        guide = self._guide("behaviour_cloning")
        np.testing.assert_array_equal(guide._has_teacher, [0, 1, 0, 1])

    def test_no_guide_where_no_teacher_acts(self):
        self.assertIsNone(self._guide("distillation"))


if __name__ == "__main__":
    absltest.main()
