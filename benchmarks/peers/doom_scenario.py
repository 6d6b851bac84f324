"""A ViZDoom scenario as the tutorials wrap it for Gymnasium.

The scenario file's own buttons, one at a time; its own rewards; grey frames of 100x160;
whatever ends an episode, its time limit too, ends the return.
"""

import os
from typing import Any

import cv2
import gymnasium
import numpy as np
import vizdoom

ACTION_REPEAT = 4
_HEIGHT = 100
_WIDTH = 160


class DoomScenario(gymnasium.Env):
    """One scenario: observations uint8 [100, 160, 1], an action for each button."""

    def __init__(self, level: str, seed: int) -> None:
        """Starts the engine.

        Args:
          level: name of the scenario's file.
          seed: of its episodes.
        """
        cv2.setNumThreads(0)
        self._game = vizdoom.DoomGame()
        self._game.load_config(os.path.join(vizdoom.scenarios_path, f"{level}.cfg"))
        self._game.set_doom_config_path(os.devnull)
        self._game.set_screen_format(vizdoom.ScreenFormat.RGB24)
        self._game.set_window_visible(False)
        self._game.set_seed(seed)
        self._game.init()
        count = self._game.get_available_buttons_size()
        self._buttons = np.identity(count, dtype=np.uint8).tolist()
        self.action_space = gymnasium.spaces.Discrete(count)
        self.observation_space = gymnasium.spaces.Box(
            0, 255, (_HEIGHT, _WIDTH, 1), np.uint8
        )

    def reset(
        self, *, seed: int | None = None, options: Any = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begins an episode; the engine was given its seed when it started."""
        super().reset(seed=seed, options=options)
        self._game.new_episode()
        return self._observation(), {}

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Presses a button for four frames."""
        reward = self._game.make_action(self._buttons[int(action)], ACTION_REPEAT)
        ended = self._game.is_episode_finished()
        return self._observation(), reward, ended, False, {}

    def close(self) -> None:
        """Ends the engine."""
        self._game.close()

    def _observation(self) -> np.ndarray:
        state = self._game.get_state()
        if state is None:
            # The engine shows no frame after the end.
            return np.zeros(self.observation_space.shape, np.uint8)
        grey = cv2.cvtColor(state.screen_buffer, cv2.COLOR_RGB2GRAY)
        size = (_WIDTH, _HEIGHT)
        return cv2.resize(grey, size, interpolation=cv2.INTER_CUBIC)[:, :, None]
