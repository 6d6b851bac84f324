"""Stands in for DeepMind Lab, which no package registry has: the same API and errors.

It keeps what was observed of a real build, not what is documented: lists, strings and
Python's integers where the real one insists on them, no observation after the end,
wrong calls that are accepted in silence. What was not observed is as in the public
sources. Its levels are a moving grey; an action's reward is what it walks forward.

STAND_IN_COMPILE_SECONDS is how long a map takes that the level cache does not hold;
STAND_IN_FRAMES is the length of an episode; STAND_IN_FAIL_AT is the frame at which a
level fails in a step; STAND_IN_MAP_AT the one at which a step opens a further map.
"""

import ctypes
import hashlib
import operator
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
# Levels of other folders.
_INSTRUCTED = ("lt_chasm", "tests/empty_room_test", "contributed/psychlab/harlow")
_SILENT = ("tests/custom_actions_test", "tests/episode_time_test")
_SHOW_IMAGES = (
    f"{_PREFIX}psychlab_arbitrary_visuomotor_mapping",
    f"{_PREFIX}psychlab_continuous_recognition",
    "contributed/psychlab/harlow",
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
_CUSTOM_ACTIONS = (("SWITCH_GADGET", -1, 1), ("SELECT_GADGET", 0, 10))
_FORWARD = 3
_INT_BITS = 32


def _observation_specs(width: int, height: int, silent: bool) -> dict[str, Any]:
    """Returns shape and type of all observations; those of a silent level are few."""
    colours, with_depth = (height, width, 3), (height, width, 4)
    specs: dict[str, Any] = {
        "RGB_INTERLEAVED": (colours, np.uint8),
        "RGBD_INTERLEAVED": (with_depth, np.uint8),
        "RGB": ((3, height, width), np.uint8),
        "RGBD": ((4, height, width), np.uint8),
        "BGR_INTERLEAVED": (colours, np.uint8),
        "BGRD_INTERLEAVED": (with_depth, np.uint8),
        "MAP_FRAME_NUMBER": ((1,), np.float64),
        "RGB_INTERLACED": (colours, np.uint8),
        "RGBD_INTERLACED": (with_depth, np.uint8),
    }
    if silent:
        return specs
    specs |= {
        "VEL.TRANS": ((3,), np.float64),
        "VEL.ROT": ((3,), np.float64),
        "INSTR": ((), str),
        "TEAM.SCORE": ((2,), np.float64),
        "FRAMES_REMAINING_AT_60": ((1,), np.float64),
    }
    for view in ("TOP_DOWN", "PLAYER_VIEW", "PLAYER_VIEW_NO_RETICLE"):
        specs[f"DEBUG.CAMERA_INTERLEAVED.{view}"] = (colours, np.uint8)
        specs[f"DEBUG.CAMERA.{view}"] = ((3, height, width), np.uint8)
    for name in ("MAZE.LAYOUT", "MAZE.VARIATION", "PLAYERS.NAME"):
        specs[f"DEBUG.{name}"] = ((), str)
    for name in ("POS.TRANS", "POS.ROT"):
        specs[f"DEBUG.{name}"] = ((3,), np.float64)
    specs["DEBUG.PLAYER_ID"] = ((1,), np.uint8)
    for name in ("ID", "IS_BOT"):
        specs[f"DEBUG.PLAYERS.{name}"] = ((0,), np.uint8)
    for name in ("EYE.POS", "EYE.ROT", "VELOCITY"):
        specs[f"DEBUG.PLAYERS.{name}"] = ((0, 3), np.float64)
    for name in ("ARMOR", "GADGET", "GADGET_AMOUNT", "HEALTH", "HOLDING_FLAG"):
        specs[f"DEBUG.PLAYERS.{name}"] = ((0,), np.float64)
    for name in ("TEAM", "CAPTURES", "SCORE"):
        specs[f"DEBUG.PLAYERS.{name}"] = ((0,), np.float64)
    for name, length in (("RED", 5), ("BLUE", 5), ("RED_HOME", 4), ("BLUE_HOME", 4)):
        specs[f"DEBUG.FLAGS.{name}"] = ((length,), np.float64)
    return specs


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
        config = {} if config is None else config
        if not isinstance(level, str) or not isinstance(observations, list):
            raise TypeError("level must be a str and observations a list")
        if not isinstance(config, dict):
            raise TypeError("config must be a dict")
        if not all(isinstance(each, str) for pair in config.items() for each in pair):
            raise TypeError("config must hold nothing but str")
        if renderer != "software":
            raise RuntimeError(f'Failed to load the renderer "{renderer}"')
        name = level.removeprefix(_PREFIX)
        is_of_dmlab30 = name != level and name in _LEVELS
        if not is_of_dmlab30 and level not in _INSTRUCTED + _SILENT:
            raise _not_initialised(f'Level not found: "{level}"')
        for key, value in config.items():
            # Only what a level knows of can be set.
            if key not in _SETTINGS:
                raise _not_initialised(f'Invalid setting: "{key}" = "{value}"')
        held_out = is_of_dmlab30 and name.endswith("_test")
        if held_out and config.get("allowHoldOutLevels") != "true":
            raise _not_initialised("This level must only be used during evaluation.")
        width, height = (
            int(config.get("width", "320")),
            int(config.get("height", "240")),
        )
        self._specs = _observation_specs(width, height, level in _SILENT)
        for each in observations:
            if not isinstance(each, str):
                raise TypeError("observations must hold nothing but str")
            if each not in self._specs:
                raise ValueError(f"Unknown observation '{each}'.")
        self.config = dict(config)
        self._level = level
        self._names = list(observations)
        self._actions = _ACTIONS
        if level == "tests/custom_actions_test":
            self._actions += _CUSTOM_ACTIONS
        self._cache = level_cache
        self._folder = temp_folder or tempfile.gettempdir()
        self._length = int(os.environ.get("STAND_IN_FRAMES", "90"))
        self._state = "made"
        self._requested = self._played = self._resets = self._episode = 0
        self._events: list[tuple[str, list[np.ndarray]]] = []

    def action_spec(self) -> list[dict[str, Any]]:
        """Returns the inputs."""
        return [
            {"min": low, "max": high, "name": name} for name, low, high in self._actions
        ]

    def observation_spec(self) -> list[dict[str, Any]]:
        """Returns what can be asked for, whatever was."""
        return [
            {"name": name, "shape": shape, "dtype": dtype}
            for name, (shape, dtype) in self._specs.items()
        ]

    def fps(self) -> int:
        """Returns the frames of a second."""
        return 60

    def reset(self, episode: int = -1, seed: int | None = None) -> bool:
        """Opens an episode; compiles its map where the cache does not hold it."""
        episode = operator.index(episode)
        if not isinstance(seed, int | None):
            kind = type(seed).__name__
            raise ValueError(f"'seed' must be int or None, was '{kind}'.")
        if self._state == "closed":
            raise RuntimeError("Environment in wrong status to reset.")
        if self._level in _SHOW_IMAGES and not self.config.get("datasetPath"):
            raise RuntimeError(
                'Failed to start environment - "\n Follow instructions to download '
                'datasets here: \n and update DATASET_PATH to point the data folder."'
            )
        if episode >= 0:
            self._episode = episode
        # A second reset with one seed plays another episode.
        self._resets += 1
        # The engine's integers are narrower than Python's.
        narrow = None if seed is None else seed % 2**_INT_BITS
        entropy = None if narrow is None else [narrow, self._resets]
        self._random = np.random.default_rng(entropy)
        self._load_map(f"{self._level} {narrow} {self.config.get('mixerSeed')}")
        self._state = "running"
        self._requested = self._played = 0
        self._events = [("opened", [np.array([float(self._episode)])])]
        self._episode += 1
        return True

    def _load_map(self, content: str) -> None:
        # The key is made of what the map is compiled from.
        key = f"stand_in_aas_{hashlib.md5(content.encode()).hexdigest()}"
        handle, path = tempfile.mkstemp(suffix=".pk3", dir=self._folder)
        os.close(handle)
        os.unlink(path)
        try:
            if self._cache is not None and self._cache.fetch(key, path):
                if not os.path.exists(path):
                    raise RuntimeError("Failed to start environment - no map")
                return
            time.sleep(float(os.environ.get("STAND_IN_COMPILE_SECONDS", "0")))
            with open(path, "wb") as file:
                file.write(content.encode() * 20)
            if self._cache is not None:
                self._cache.write(key, path)
        finally:
            if os.path.exists(path):
                os.unlink(path)

    def step(self, action: np.ndarray, num_steps: int = 1) -> float:
        """Advances; takes values out of range, as the real one does."""
        if not isinstance(action, np.ndarray):
            raise TypeError("action must be an ndarray")
        num_steps = operator.index(num_steps)
        if self._state != "running":
            raise RuntimeError("Environment in wrong status to advance.")
        if action.shape != (len(self._actions),):
            raise ValueError(f"action must have shape ({len(self._actions)})")
        if action.dtype != np.intc:
            raise ValueError("action must have dtype np.intc")
        # The memory is read as it lies, strided or not.
        address = ctypes.cast(action.ctypes.data, ctypes.POINTER(ctypes.c_int))
        played = max(0, min(num_steps, self._length - self._played))
        self._requested += num_steps
        self._played += played
        self._events = []
        if (
            self._played - played
            < int(os.environ.get("STAND_IN_MAP_AT", "0"))
            <= (self._played)
        ):
            self._load_map(f"{self._level} {self._resets} in a step")
        if self._played >= float(os.environ.get("STAND_IN_FAIL_AT", "inf")):
            self._state = "failed"
            raise ValueError('Failed to advance environment ""')
        if self._played >= self._length:
            self._state = "ended"
            self._events = [("ended", [np.array([float(self._played)])])]
        return float(played * address[_FORWARD])

    def is_running(self) -> bool:
        """Returns whether an episode has begun and has not ended."""
        return self._state == "running"

    def observations(self) -> dict[str, Any]:
        """Returns new arrays, while an episode runs."""
        if self._state != "running":
            raise RuntimeError("Environment in wrong status for call to observations()")
        return {name: self._observe(name) for name in self._names}

    def _observe(self, name: str) -> Any:
        shape, dtype = self._specs[name]
        if name == "INSTR":
            return "Find the red ball" if "/language_" in self._level else ""
        if dtype is str:
            return ""
        if dtype is np.uint8 and len(shape) == len("RGB"):
            shade = zlib.crc32(b"%d" % self._requested) % 200
            grain = self._random.integers(50, size=shape, dtype=np.uint8)
            return grain + np.uint8(shade)
        # What has no size in its spec is of the one player here.
        return np.zeros([length or 1 for length in shape], dtype)

    def events(self) -> list[tuple[str, list[np.ndarray]]]:
        """Returns what happened in the last call of reset or step."""
        if self._state not in ("running", "ended"):
            raise RuntimeError("Environment in wrong status for call to events()")
        return list(self._events)

    def num_steps(self) -> int:
        """Returns the frames asked for in this episode."""
        return self._requested

    def close(self) -> bool:
        """Returns whether it was open."""
        was_open = self._state != "closed"
        self._state = "closed"
        return was_open


def _not_initialised(reason: str) -> RuntimeError:
    return RuntimeError(f'Failed to init environment - "{reason}"')
