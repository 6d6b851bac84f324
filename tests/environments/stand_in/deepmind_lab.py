"""Stands in for DeepMind Lab, which no package registry has: the same API and errors.

It keeps what was observed of a real build, not what is documented: lists, strings and
Python's integers where the real one insists on them, no observation after the end,
wrong calls that are accepted in silence. Its levels are a moving grey; an action's
reward is what it walks forward.

STAND_IN_COMPILE_SECONDS is how long a map takes that the level cache does not hold;
STAND_IN_FRAMES is the length of an episode.
"""

import os
import tempfile
import time
import zlib
from typing import Any

import numpy as np

_PREFIX = "contributed/dmlab30/"
_LEVELS = (
    *("rooms_collect_good_objects_train", "rooms_collect_good_objects_test"),
    *("rooms_exploit_deferred_effects_train", "rooms_exploit_deferred_effects_test"),
    *("rooms_select_nonmatching_object", "rooms_watermaze", "rooms_keys_doors_puzzle"),
    *("language_select_described_object", "language_select_located_object"),
    *("language_execute_random_task", "language_answer_quantitative_question"),
    *("lasertag_one_opponent_small", "lasertag_three_opponents_small"),
    *("lasertag_one_opponent_large", "lasertag_three_opponents_large"),
    *("natlab_fixed_large_map", "natlab_varying_map_regrowth"),
    *("natlab_varying_map_randomized", "skymaze_irreversible_path_hard"),
    *("skymaze_irreversible_path_varied", "psychlab_arbitrary_visuomotor_mapping"),
    *("psychlab_continuous_recognition", "psychlab_sequential_comparison"),
    *("psychlab_visual_search", "explore_object_locations_small"),
    *("explore_object_locations_large", "explore_obstructed_goals_small"),
    *("explore_obstructed_goals_large", "explore_goal_locations_small"),
    *("explore_goal_locations_large", "explore_object_rewards_few"),
    "explore_object_rewards_many",
)
_DATASET_LEVELS = (
    "psychlab_arbitrary_visuomotor_mapping",
    "psychlab_continuous_recognition",
)
_SETTINGS = ("width", "height", "datasetPath", "allowHoldOutLevels", "mixerSeed")
_ACTIONS = (
    ("LOOK_LEFT_RIGHT_PIXELS_PER_FRAME", -512, 512),
    ("LOOK_DOWN_UP_PIXELS_PER_FRAME", -512, 512),
    ("STRAFE_LEFT_RIGHT", -1, 1),
    ("MOVE_BACK_FORWARD", -1, 1),
    ("FIRE", 0, 1),
    ("JUMP", 0, 1),
    ("CROUCH", 0, 1),
)
_FORWARD = 3


class Lab:
    """One level; see the module."""

    def __init__(
        self,
        level: str,
        observations: list[str],
        config: dict[str, str] | None = None,
        renderer: str = "software",
        level_cache: Any = None,
        temp_folder: str | None = None,
    ) -> None:
        config = dict(config or {})
        if not isinstance(level, str) or not isinstance(observations, list):
            raise TypeError("level must be a str and observations a list")
        if not all(isinstance(each, str) for pair in config.items() for each in pair):
            raise TypeError("config must hold nothing but str")
        unknown = [each for each in config if each not in _SETTINGS]
        if unknown:
            raise RuntimeError(f'Invalid setting: "{unknown[0]}"')
        if renderer != "software":
            raise RuntimeError(f'Failed to load the renderer "{renderer}"')
        name = level.removeprefix(_PREFIX)
        if name == level or name not in _LEVELS:
            raise _not_initialised(f'Level not found: "{level}"')
        if name in _DATASET_LEVELS and "datasetPath" not in config:
            raise _not_initialised(f'Level "{level}" needs datasetPath')
        if name.endswith("_test") and config.get("allowHoldOutLevels") != "true":
            raise _not_initialised(f'Level "{level}" needs allowHoldOutLevels')
        self.config = config
        self._level = level
        self._names = observations
        self._shape = (
            int(config.get("height", "240")),
            int(config.get("width", "320")),
            3,
        )
        known = [each["name"] for each in self.observation_spec()]
        if not all(each in known for each in observations):
            raise ValueError(f"Unknown observation among {observations}")
        self._cache = level_cache
        self._folder = temp_folder or tempfile.gettempdir()
        self._length = int(os.environ.get("STAND_IN_FRAMES", "90"))
        self._state = "made"
        self._frames = 0
        self._events: list[tuple[str, list[np.ndarray]]] = []
        self._resets = 0

    def action_spec(self) -> list[dict[str, Any]]:
        """Returns the seven inputs."""
        return [{"min": low, "max": high, "name": name} for name, low, high in _ACTIONS]

    def observation_spec(self) -> list[dict[str, Any]]:
        """Returns what can be asked for, whatever was."""
        return [
            {"name": "RGB_INTERLEAVED", "shape": self._shape, "dtype": np.uint8},
            {"name": "INSTR", "shape": (), "dtype": str},
            {"name": "DEBUG.POS.TRANS", "shape": (3,), "dtype": np.float64},
            {"name": "DEBUG.PLAYERS.ID", "shape": (0,), "dtype": np.float64},
        ]

    def reset(self, episode: int = -1, seed: int | None = None) -> bool:
        """Opens an episode; compiles its map where the cache does not hold it."""
        if type(episode) is not int or type(seed) not in (int, type(None)):
            raise ValueError("episode and seed must be int")
        if self._state == "closed":
            raise RuntimeError("Environment in wrong status to reset.")
        # A second reset with one seed plays another episode.
        self._resets += 1
        entropy = None if seed is None else [abs(seed), self._resets]
        self._random = np.random.default_rng(entropy)
        self._load_map(f"{self._level} {seed}")
        self._state = "running"
        self._frames = 0
        self._events = [("opened", [np.array([episode])])]
        return True

    def _load_map(self, key: str) -> None:
        handle, path = tempfile.mkstemp(suffix=".pk3", dir=self._folder)
        os.close(handle)
        try:
            if self._cache is not None and self._cache.fetch(key, path):
                return
            time.sleep(float(os.environ.get("STAND_IN_COMPILE_SECONDS", "0")))
            with open(path, "wb") as file:
                file.write(key.encode() * 20)
            if self._cache is not None:
                self._cache.write(key, path)
        finally:
            if os.path.exists(path):
                os.unlink(path)

    def step(self, action: np.ndarray, num_steps: int = 1) -> float:
        """Advances; takes values out of range, as the real one does."""
        if not isinstance(action, np.ndarray):
            raise TypeError("action must be an ndarray")
        if action.dtype != np.intc or action.shape != (len(_ACTIONS),):
            raise ValueError("action must be of np.intc and of shape (7,)")
        if self._state != "running":
            raise RuntimeError("Environment in wrong status to advance.")
        played = min(num_steps, self._length - self._frames)
        self._frames += num_steps
        if self._frames >= self._length:
            self._state = "ended"
        return float(played * action[_FORWARD])

    def is_running(self) -> bool:
        """Returns whether an episode has begun and has not ended."""
        return self._state == "running"

    def observations(self) -> dict[str, Any]:
        """Returns new arrays, while an episode runs."""
        if self._state != "running":
            raise RuntimeError("Environment in wrong status for observations.")
        shade = zlib.crc32(b"%d" % self._frames) % 200
        grain = self._random.integers(50, size=self._shape, dtype=np.uint8)
        instruction = "Find the red ball" if "/language_" in self._level else ""
        values = {
            "RGB_INTERLEAVED": grain + np.uint8(shade),
            "INSTR": instruction,
            "DEBUG.POS.TRANS": np.zeros(3),
            "DEBUG.PLAYERS.ID": np.zeros(0),
        }
        return {name: values[name] for name in self._names}

    def events(self) -> list[tuple[str, list[np.ndarray]]]:
        """Returns what happened, at the end as well."""
        return list(self._events)

    def num_steps(self) -> int:
        """Returns the frames asked for in this episode."""
        return self._frames

    def close(self) -> bool:
        """Returns whether it was open."""
        was_open = self._state != "closed"
        self._state = "closed"
        return was_open


def _not_initialised(reason: str) -> RuntimeError:
    return RuntimeError(f'Failed to init environment - "{reason}"')
