"""Tests of the doom suite, on the real engine."""

import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import cv2
import dm_env
import flax.linen as nn
import jax
import numpy as np
from absl.testing import absltest, parameterized

from kickstarting.agent import networks
from kickstarting.environments import base
from kickstarting.environments.doom import doom
from tests.environments import processes

_ATTACK = doom.ACTION_NAMES.index("attack")
_FORWARD = doom.ACTION_NAMES.index("forward")
# Rows of the frame.
_HEALTH, _AMMUNITION, _BOTH = slice(0, 2), slice(2, 4), slice(0, 4)


def _make(level: str, seed: int = 1, action_repeat: int = 4) -> doom.DoomEnvironment:
    return doom.make(base.TaskSettings(f"doom:{level}", seed, action_repeat))


def _frames(seed: int) -> np.ndarray:
    environment = _make("defend_the_center", seed)
    actions = np.random.default_rng(0).integers(9, size=30)
    timesteps = [environment.reset()] + [environment.step(each) for each in actions]
    environment.close()
    return np.stack([each.observation[base.PIXELS] for each in timesteps])


def _bar(timestep: dm_env.TimeStep, rows: slice, colour: tuple[int, ...]) -> int:
    """Returns how many columns of a bar are filled, from the left; others are black."""
    bar = timestep.observation[base.PIXELS][rows]
    filled = int((bar[0] == colour).all(-1).sum())
    np.testing.assert_array_equal(
        bar[:, :filled], np.full_like(bar[:, :filled], colour)
    )
    np.testing.assert_array_equal(bar[:, filled:], 0)
    return filled


def _play_out(environment: dm_env.Environment, action: int) -> list[dm_env.TimeStep]:
    timesteps = [environment.reset()]
    while not timesteps[-1].last():
        timesteps.append(environment.step(action))
    environment.close()
    return timesteps


class DoomTest(parameterized.TestCase):
    def test_observations_and_actions_fit_their_specs(self) -> None:
        environment = _make("my_way_home")
        self.assertLen(environment.spec.action_names, 9)
        self.assertEqual(environment.spec, doom.spec("basic", 4))
        timestep = environment.reset()
        for name, spec in environment.observation_spec().items():
            spec.validate(timestep.observation[name])
        self.assertGreater(timestep.observation[base.PIXELS].std(), 1)
        environment.close()

    def test_seeds_decide_the_frames(self) -> None:
        frames = _frames(seed=3)
        np.testing.assert_array_equal(frames, _frames(seed=3))
        self.assertFalse(np.array_equal(frames, _frames(seed=4)))

    def test_shows_ammunition_and_health_where_the_scenario_tells_them(self) -> None:
        timesteps = _play_out(_make("defend_the_center"), _ATTACK)
        ammunition = [_bar(each, _AMMUNITION, (255, 255, 0)) for each in timesteps]
        # 26 bullets of 50 on 96 columns.
        self.assertEqual(ammunition[0], 50)
        self.assertEqual(sorted(ammunition, reverse=True), ammunition)
        self.assertEqual(ammunition[-1], 0)
        health = [_bar(each, _HEALTH, (255, 0, 0)) for each in timesteps]
        self.assertEqual(health[0], 96)
        self.assertEqual(sorted(health, reverse=True), health)
        self.assertLess(health[-1], 96)

    def test_shows_no_bar_of_what_the_scenario_does_not_tell(self) -> None:
        # basic tells ammunition, my_way_home nothing.
        for level, bare in (("basic", _HEALTH), ("my_way_home", _BOTH)):
            environment = _make(level)
            pixels = environment.reset().observation[base.PIXELS]
            shown = environment._game.get_state().screen_buffer
            environment.close()
            resized = cv2.resize(shown, (96, 72), interpolation=cv2.INTER_LINEAR)
            np.testing.assert_array_equal(pixels[bare], resized[bare])
            self.assertEqual(level == "basic", not np.array_equal(pixels, resized))

    @parameterized.product(
        torso=(networks.ShallowTorso, networks.DeepTorso),
        rows=(_HEALTH, _AMMUNITION),
    )
    def test_what_a_bar_shows_is_read(self, torso: type[nn.Module], rows: slice):
        # The shallow torso's convolutions leave out the frame's last rows.
        full = np.full((1, 72, 96, 3), 90, np.uint8)
        full[:, rows, :48] = (255, 255, 0)
        # The frame's mean and deviation, by which all is scaled, stay as they are.
        mirrored = full[:, :, ::-1]
        params = torso().init(jax.random.key(0), full)
        features = [np.asarray(torso().apply(params, x)) for x in (full, mirrored)]
        self.assertGreater(np.abs(features[0] - features[1]).max(), 0.01)

    @parameterized.parameters(1, 4)
    def test_sums_rewards_over_the_repeated_action(self, action_repeat: int) -> None:
        environment = _make("basic", action_repeat=action_repeat)
        environment.reset()
        # basic takes 1 for each frame, and has no button for `forward`.
        self.assertEqual(environment.step(_FORWARD).reward, -action_repeat)
        environment.close()

    def test_a_missing_button_stays_unpressed(self) -> None:
        environment = _make("health_gathering")
        environment.reset()
        self.assertEqual(environment._buttons_of_action[_ATTACK], [False] * 3)
        self.assertEqual(sum(environment._buttons_of_action[_FORWARD]), 1)
        environment.close()

    @parameterized.parameters(
        ("basic", "strafe_left strafe_right attack"),
        ("deadly_corridor", " ".join(doom.ACTION_NAMES)),
        ("defend_the_center", "turn_left turn_right attack"),
        (
            "health_gathering",
            "forward turn_left turn_right forward_turn_left forward_turn_right",
        ),
        ("take_cover", "strafe_left strafe_right"),
    )
    def test_what_the_scenario_has_all_buttons_of_is_available(
        self, level: str, names: str
    ) -> None:
        environment = _make(level)
        environment.reset()
        for _ in range(2):
            available = np.array(doom.ACTION_NAMES)[environment.available_actions]
            self.assertEqual(" ".join(available), names)
            environment.step(np.flatnonzero(environment.available_actions)[0])
        environment.close()

    def test_time_limit_truncates(self) -> None:
        timesteps = _play_out(_make("basic"), _FORWARD)
        self.assertEqual(timesteps[-1].discount, 1.0)
        num_steps = len(timesteps) - 1
        self.assertEqual(num_steps, 300 // 4)

    def test_death_terminates(self) -> None:
        timesteps = _play_out(_make("health_gathering"), _ATTACK)
        self.assertEqual(timesteps[-1].discount, 0.0)
        self.assertLess(timesteps[-1].reward, -90)

    def test_step_after_the_end_opens_an_episode(self) -> None:
        environment = _make("health_gathering")
        timestep = environment.step(_ATTACK)
        self.assertTrue(timestep.first())
        while not timestep.last():
            timestep = environment.step(_ATTACK)
        self.assertTrue(environment.step(_ATTACK).first())
        environment.close()

    def test_unknown_level_names_the_nearest(self) -> None:
        with self.assertRaisesRegex(
            base.EnvironmentConfigError, "no level 'basik'.*mean 'basic'"
        ):
            _make("basik")

    def test_leaves_no_file_behind(self) -> None:
        before = os.getcwd()
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            try:
                environment = _make("basic")
                environment.reset()
                with open("/proc/self/maps", encoding="utf-8") as maps:
                    shared = [line for line in maps if "ViZDoom" in line]
                environment.close()
                self.assertEmpty(os.listdir(folder))
            finally:
                os.chdir(before)
        self.assertNotEmpty(shared)
        for line in shared:
            self.assertEndsWith(line, "(deleted)\n")

    def test_frees_what_those_left_who_died_while_they_started(self) -> None:
        with tempfile.TemporaryDirectory(prefix="ViZDoom", dir="/dev/shm") as folder:
            starting, abandoned = f"{folder}-starting", f"{folder}-abandoned"
            for path in (starting, abandoned):
                pathlib.Path(path).touch()
            minutes_ago = time.time() - 300
            os.utime(abandoned, (minutes_ago, minutes_ago))
            _make("basic").close()
            self.assertFalse(os.path.exists(abandoned))
            self.assertTrue(os.path.exists(starting))
            os.unlink(starting)

    def test_engine_dies_with_its_process(self) -> None:
        program = (
            "import time\n"
            "from kickstarting.environments import base\n"
            "from kickstarting.environments.doom import doom\n"
            "environment = doom.make(base.TaskSettings('doom:basic', 1))\n"
            "print('made', flush=True)\n"
            "time.sleep(60)\n"
        )
        with subprocess.Popen(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            self.assertEqual(process.stdout.readline(), "made\n")
            engines = processes.descendants(process.pid)
            self.assertLen(engines, 1)
            os.kill(process.pid, signal.SIGKILL)
        self.assertTrue(processes.wait_until_gone(engines, seconds=5))


if __name__ == "__main__":
    absltest.main()
