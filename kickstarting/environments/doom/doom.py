"""The `doom` suite: ViZDoom's own scenarios behind dm_env.

The scenario decides the task: its buttons, rewards, time limit and map are taken as its
.cfg file defines them. The nine shared actions are IMPALA's nine for DeepMind Lab
(forward, back, strafe, turn, turn and forward, attack); a button which a scenario
does not offer stays unpressed, so that one action set serves every scenario and none
gains an ability that its authors did not give it. An action is available where the
scenario offers all of its buttons: else it does nothing, or the same as another one.

The engine's frames are without its status bar. Of health and ammunition, which the
scenario may tell (`available_game_variables` in its .cfg), the frame then shows a bar
each at its top: what a shot costs is felt a hundred steps later, and a critic that
does not see the ammunition cannot tell (docs/tuning.md has what that was worth).
"""

import contextlib
import glob
import os
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import dm_env
import numpy as np

from kickstarting.environments import base

# (name, the buttons it presses)
_ACTIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("forward", ("MOVE_FORWARD",)),
    ("backward", ("MOVE_BACKWARD",)),
    ("strafe_left", ("MOVE_LEFT",)),
    ("strafe_right", ("MOVE_RIGHT",)),
    ("turn_left", ("TURN_LEFT",)),
    ("turn_right", ("TURN_RIGHT",)),
    ("forward_turn_left", ("MOVE_FORWARD", "TURN_LEFT")),
    ("forward_turn_right", ("MOVE_FORWARD", "TURN_RIGHT")),
    ("attack", ("ATTACK",)),
)
ACTION_NAMES = tuple(name for name, _ in _ACTIONS)

LEVELS = (
    "basic",
    "deadly_corridor",
    "defend_the_center",
    "defend_the_line",
    "health_gathering",
    "health_gathering_supreme",
    "my_way_home",
    "predict_position",
    "take_cover",
)


class _Bar(NamedTuple):
    """A bar over the whole width of the frame.

    Attributes:
      top: its first row.
      full: the value that fills it.
      colour: of its filled part; the rest is black.
    """

    top: int
    full: float
    colour: tuple[int, int, int]


_BAR_HEIGHT = 2
# By the names of the game's variables.
_BARS: Mapping[str, _Bar] = {
    "HEALTH": _Bar(0, 100.0, (255, 0, 0)),
    "AMMO2": _Bar(_BAR_HEIGHT, 50.0, (255, 255, 0)),
}

_ENGINE_WRAPPER = os.path.join(os.path.dirname(__file__), "doom_engine.sh")
_SHARED_MEMORY = "/dev/shm/ViZDoom"
# An engine that starts has found its shared memory by its name after this long.
_STARTING_SECONDS = 60.0


def levels() -> tuple[str, ...]:
    """Returns the names of the scenarios."""
    return LEVELS


def spec(level: str, action_repeat: int) -> base.EnvironmentSpec:
    """Returns the spec that all scenarios share.

    Raises:
      base.EnvironmentConfigError: the level is unknown.
    """
    if level not in LEVELS:
        raise base.EnvironmentConfigError(
            f"doom has no level {level!r}{base.nearest_name(level, LEVELS)}"
        )
    return base.EnvironmentSpec(
        frame_shape=(base.FRAME_HEIGHT, base.FRAME_WIDTH, 3),
        instruction_length=0,
        action_names=ACTION_NAMES,
        action_repeat=action_repeat,
    )


class DoomEnvironment(base.SpecifiedEnvironment):
    """One ViZDoom scenario.

    Observations are {'pixels': uint8 [72, 96, 3] RGB, 'instruction': int32 [0]}. The
    first four rows of the pixels have the bars of those variables that the scenario
    tells: health (red, full at 100) and under it ammunition (yellow, full at 50).
    Rewards are the scenario's own, summed over the repeated action. An episode that
    ends by the scenario's time limit is a truncation: its LAST step has discount 1. One
    that ends by death, or by reaching the scenario's goal, is a termination: its
    discount is 0.
    """

    def __init__(self, settings: base.TaskSettings) -> None:
        """Starts the engine.

        Raises:
          base.EnvironmentConfigError: the level is unknown, or ViZDoom is missing.
        """
        level = settings.task.partition(":")[2]
        super().__init__(spec(level, settings.action_repeat))
        # OpenCV's threads would fight the other workers for the cores.
        import cv2

        cv2.setNumThreads(0)
        self._resize = cv2.resize
        # At 5:3 little is lost against INTER_AREA, which costs several times as much.
        self._interpolation = cv2.INTER_LINEAR
        self._random = np.random.default_rng(settings.seed)
        self._game = _start_engine(level, int(self._random.integers(2**31)))
        buttons = [button.name for button in self._game.get_available_buttons()]
        self._buttons_of_action = [
            [button in pressed for button in buttons] for _, pressed in _ACTIONS
        ]
        self._available_actions = np.array(
            [set(pressed) <= set(buttons) for _, pressed in _ACTIONS]
        )
        variables = self._game.get_available_game_variables()
        self._bars = [_BARS.get(variable.name) for variable in variables]
        self._instruction = np.zeros((0,), np.int32)
        self._last_frame = np.zeros(self.spec.frame_shape, np.uint8)
        self._needs_reset = True

    @property
    def available_actions(self) -> np.ndarray:
        """Those whose buttons the scenario has, bool [9]; the same in every step."""
        return self._available_actions

    def reset(self) -> dm_env.TimeStep:
        self._game.set_seed(int(self._random.integers(2**31)))
        self._game.new_episode()
        self._needs_reset = False
        return dm_env.restart(self._observation())

    def step(self, action: int) -> dm_env.TimeStep:
        if self._needs_reset:
            return self.reset()
        buttons = self._buttons_of_action[int(action)]
        reward = self._game.make_action(buttons, self.spec.action_repeat)
        if not self._game.is_episode_finished():
            return dm_env.transition(reward, self._observation())
        self._needs_reset = True
        # The engine shows no frame after the end: the last one seen stands in.
        if self._game.is_episode_timeout_reached() and not self._game.is_player_dead():
            return dm_env.truncation(reward, self._observation(), discount=1.0)
        return dm_env.termination(reward, self._observation())

    def close(self) -> None:
        self._game.close()

    def _observation(self) -> Mapping[str, np.ndarray]:
        state = self._game.get_state()
        if state is not None:
            height, width, _ = self.spec.frame_shape
            self._last_frame = self._resize(
                state.screen_buffer, (width, height), interpolation=self._interpolation
            )
            if self._bars:
                _draw_bars(self._last_frame, self._bars, state.game_variables)
        return {
            base.PIXELS: self._last_frame,
            base.INSTRUCTION: self._instruction,
        }


make = DoomEnvironment


def _draw_bars(
    frame: np.ndarray, bars: Sequence[_Bar | None], values: np.ndarray
) -> None:
    """Draws into a frame uint8 [H, W, 3] the values float [n] that have a bar."""
    width = frame.shape[1]
    for bar, value in zip(bars, values, strict=True):
        if bar is None:
            continue
        rows = frame[bar.top :][:_BAR_HEIGHT]
        filled = round(width * min(max(value / bar.full, 0.0), 1.0))
        rows[:, :filled] = bar.colour
        rows[:, filled:] = 0


def _start_engine(level: str, seed: int) -> Any:
    try:
        import vizdoom
    except ImportError as error:
        raise base.EnvironmentConfigError(
            f"doom:{level} needs ViZDoom, which is not installed: "
            "run ./kickstart once, or pip install vizdoom"
        ) from error
    game = vizdoom.DoomGame()
    game.load_config(os.path.join(vizdoom.scenarios_path, f"{level}.cfg"))
    os.environ["VIZDOOM_ENGINE"] = os.path.join(
        os.path.dirname(vizdoom.__file__), "vizdoom"
    )
    game.set_vizdoom_path(_ENGINE_WRAPPER)
    # The engine would write its settings to the working directory.
    game.set_doom_config_path(os.devnull)
    # 160x120 is the smallest frame the engine draws; it has the 4:3 of 96x72.
    game.set_screen_resolution(vizdoom.ScreenResolution.RES_160X120)
    game.set_screen_format(vizdoom.ScreenFormat.RGB24)
    game.set_window_visible(False)
    game.set_sound_enabled(False)
    game.set_mode(vizdoom.Mode.PLAYER)
    game.set_seed(seed)
    _unlink_abandoned_memory()
    game.init()
    _unlink_shared_memory()
    return game


def _unlink_shared_memory() -> None:
    # Both sides have mapped it by now: without a name it is freed however they end.
    with open("/proc/self/maps", encoding="utf-8") as maps:
        paths = {line.split(maxsplit=5)[-1].strip() for line in maps}
    for path in paths:
        if path.startswith(_SHARED_MEMORY) and os.path.exists(path):
            os.unlink(path)


def _unlink_abandoned_memory() -> None:
    """Frees what nobody unlinked: its process was killed while its engine started."""
    for path in glob.glob(f"{_SHARED_MEMORY}*"):
        # Another worker may do the same, and others' memory is theirs.
        with contextlib.suppress(OSError):
            if time.time() - os.stat(path).st_mtime > _STARTING_SECONDS:
                os.unlink(path)
