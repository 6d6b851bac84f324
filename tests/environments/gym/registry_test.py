"""Tests of what is said where an environment cannot be made."""

import os
import sys

import gymnasium
from absl.testing import absltest, parameterized

from kickstarting.environments import base
from kickstarting.environments.gym import registry


class _Broken(gymnasium.Env):
    def __init__(self) -> None:
        raise TypeError("a wall\nis missing")


class _OnlyHuman(gymnasium.Env):
    """Says that it draws itself, and does not."""

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012 - as Gymnasium has it


class RegistryTest(parameterized.TestCase):
    def _refused(self, level: str) -> str:
        with self.assertRaises(base.EnvironmentConfigError) as caught:
            registry.make(level)
        said = str(caught.exception)
        self.assertNotIn("\n", said)
        return said

    @parameterized.parameters(
        ("MiniGrid-Dorkey-6x6-v0", "(did you mean 'MiniGrid-DoorKey-6x6-v0'?)"),
        ("CartPole-v99", "(did you mean 'CartPole-v1'?)"),
    )
    def test_a_slip_is_set_right(self, level: str, advice: str) -> None:
        self.assertEqual(self._refused(level), f"gym has no level {level!r} {advice}")

    @parameterized.parameters("PongNoFrameskip-v4", "mine/Maze-v0", "Nonsense")
    def test_what_is_like_nothing_may_be_a_module_s(self, level: str) -> None:
        said = self._refused(level)
        self.assertNotIn("did you mean", said)
        self.assertIn("named gym:MODULE:ID", said)
        self.assertIn("PYTHONPATH", said)

    def test_atari_s_games_are_another_package_s(self) -> None:
        self.assertEqual(
            self._refused("ALE/Pong-v5"),
            "gym has no level 'ALE/Pong-v5': pip install ale-py, and name the task "
            "gym:ale_py:ALE/Pong-v5",
        )
        said = self._refused("ale_py:ALE/Pong-v5")
        self.assertIn("needs the module ale_py, which is not found: pip install", said)

    def test_a_module_that_is_not_there(self) -> None:
        said = self._refused("no_such_module:Maze-v0")
        self.assertIn("needs the module no_such_module, which is not found", said)
        self.assertIn("PYTHONPATH", said)

    @parameterized.parameters(
        ":Maze-v0", "a b", "a:b:c-v0", "MiniGrid-WFC-RoomsFabric-v0"
    )
    def test_what_cannot_be_made_is_said_in_one_line(self, level: str) -> None:
        self.assertIn(f"gym:{level} cannot be made: ", self._refused(level))

    def test_another_s_fault_is_said_in_one_line(self) -> None:
        gymnasium.register("Broken-v0", _Broken)
        self.assertIn(
            "gym:Broken-v0 cannot be made: TypeError: a wall is missing",
            self._refused("Broken-v0"),
        )

    def test_a_module_of_one_s_own(self) -> None:
        folder = self.create_tempdir().full_path
        with open(os.path.join(folder, "my_mazes.py"), "w", encoding="utf-8") as file:
            file.write(
                "import gymnasium\n"
                "gymnasium.register('Mine-v0', 'minigrid.envs:EmptyEnv')\n"
            )
        sys.path.insert(0, folder)
        self.addCleanup(sys.path.remove, folder)
        registry.make("my_mazes:Mine-v0").close()
        # Its names are known by then.
        said = self._refused("my_mazes:Mime-v0")
        self.assertIn("did you mean 'Mine-v0'", said)

    def test_one_that_cannot_be_drawn_is_made_all_the_same(self) -> None:
        gymnasium.register("OnlyHuman-v0", _OnlyHuman)
        with self.assertLogs("absl", "WARNING"):
            environment = registry.make("OnlyHuman-v0", rendered=True)
        self.assertIsNone(environment.render_mode)


if __name__ == "__main__":
    absltest.main()
