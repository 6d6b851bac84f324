"""Tests of one environment in a worker, behind dm_env."""

import numpy as np
from absl.testing import absltest, parameterized

from kickstarting.environments import base, suites
from kickstarting.environments.stepping import apart
from tests.environments import scripted
from tests.launch import program_run


class EnvironmentApartTest(parameterized.TestCase):
    def _make(self, deadline: float = 300.0, **script: float) -> apart.EnvironmentApart:
        settings = base.TaskSettings(
            scripted.task(**script), 3, deadline_seconds=deadline
        )
        made = apart.EnvironmentApart(
            settings, scripted.SPEC, "tests.environments.scripted:make"
        )
        self.addCleanup(made.close)
        return made

    @parameterized.parameters(True, False)
    def test_plays_one_episode_after_the_other(self, truncation: bool) -> None:
        environment = self._make(length=3, truncation=truncation, one_action=True)
        for _ in range(2):
            timestep = environment.reset()
            self.assertTrue(timestep.first())
            seen = [timestep.observation[base.PIXELS].max()]
            for action in (1, 0, 1):
                np.testing.assert_array_equal(
                    environment.available_actions, np.arange(2) == seen[-1] % 2
                )
                timestep = environment.step(action)
                self.assertEqual(timestep.reward, action)
                seen.append(timestep.observation[base.PIXELS].max())
            self.assertTrue(timestep.last())
            self.assertEqual(timestep.discount, float(truncation))
            self.assertEqual(seen, [0, 1, 2, 3 if truncation else 0])
        with self.assertRaisesRegex(ValueError, "is not over yet"):
            environment.reset()
            environment.reset()

    @parameterized.parameters(
        ({"reset_seconds": 3600.0}, "gives no time step within 5 seconds: raise env"),
        ({"hang_at": 2}, "gives no time step within 5 seconds: raise env"),
        ({"crash_at": 2}, "has died in an episode"),
        ({"refuse": 1}, "scripted has no such level"),
    )
    def test_what_goes_wrong_is_told_in_one_line(self, script, says) -> None:
        environment = self._make(5.0, **script)
        with self.assertRaisesRegex(base.EnvironmentConfigError, says) as caught:
            environment.reset()
            for _ in range(3):
                environment.step(0)
        self.assertNotIn("\n", str(caught.exception))
        environment.close()
        self.assertEmpty(program_run.children())

    def test_any_suite_has_one(self) -> None:
        for task in ("gym:MiniGrid-Empty-5x5-v0", "xland:MiniGrid-Empty-5x5"):
            environment = suites.make_apart(base.TaskSettings(task, 1, 1))
            self.addCleanup(environment.close)
            timestep = environment.reset()
            self.assertTrue(timestep.first())
            self.assertEqual(environment.step(1).reward, 0.0)


if __name__ == "__main__":
    absltest.main()
