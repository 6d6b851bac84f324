"""Trains stable-baselines3's PPO with the settings of what people try first.

  PEER/bin/python -m benchmarks.peers.sb3_ppo --task=doom:basic --seed=1 \
      --frames=200000 --folder=runs/peer --threads=1

On doom those of the ViZDoom tutorials; on grids those of rl-starter-files
(github.com/lcswillems/rl-starter-files) but for its clipping of values, with which this
PPO is slower (docs/learning.md).
"""

import functools
from collections.abc import Callable
from typing import Any

import gymnasium
import torch
from stable_baselines3 import PPO
from stable_baselines3.common import callbacks, monitor, torch_layers, vec_env

from benchmarks.peers import training as training_lib

_DOOM = {
    "environments": 1,
    "n_steps": 2048,
    "batch_size": 64,
    "n_epochs": 10,
    "learning_rate": 1e-4,
    "ent_coef": 0.0,
}
_GRID = {
    "environments": 16,
    "n_steps": 128,
    "batch_size": 256,
    "n_epochs": 4,
    "learning_rate": 1e-3,
    "ent_coef": 0.01,
    "normalize_advantage": False,
}


class GridFeatures(torch_layers.BaseFeaturesExtractor):
    """The three convolutions of rl-starter-files on a partial view of 7x7 cells."""

    def __init__(self, observation_space: gymnasium.spaces.Box) -> None:
        """Makes the layers, for observations [3, 7, 7]."""
        super().__init__(observation_space, features_dim=64)
        self._layers = torch.nn.Sequential(
            torch.nn.Conv2d(3, 16, 2),
            torch.nn.ReLU(),
            torch.nn.MaxPool2d(2),
            torch.nn.Conv2d(16, 32, 2),
            torch.nn.ReLU(),
            torch.nn.Conv2d(32, 64, 2),
            torch.nn.ReLU(),
            torch.nn.Flatten(),
        )

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        """Returns features, float [B, 64], of float [B, 3, 7, 7]."""
        return self._layers(observations)


class _Recorder(callbacks.BaseCallback):
    def __init__(self, episodes: training_lib.EpisodeFile, action_repeat: int) -> None:
        super().__init__()
        self._episodes = episodes
        self._action_repeat = action_repeat

    def _on_step(self) -> bool:
        for info in self.locals["infos"]:
            if "episode" in info:
                total = info["episode"]["r"]
                frames = self.num_timesteps * self._action_repeat
                self._episodes.add(frames, total, total)
        return True


def main() -> None:
    """Trains as the command line says."""
    training = training_lib.Training.from_arguments()
    torch.set_num_threads(training.threads)
    suite, _, level = training.task.partition(":")
    if suite == "doom":
        settings, action_repeat, make = _DOOM, *_doom(level)
        policy: dict[str, Any] = {}
    else:
        settings, action_repeat, make = _GRID, 1, functools.partial(_grid, level)
        policy = {
            "features_extractor_class": GridFeatures,
            "normalize_images": False,
            "net_arch": {"pi": [64], "vf": [64]},
            "activation_fn": torch.nn.Tanh,
        }
    training_lib.write_settings(
        training.folder, {**settings, "action_repeat": action_repeat}
    )
    indices = range(int(settings["environments"]))
    environment = vec_env.DummyVecEnv(
        [functools.partial(_monitored, make, training.seed, i) for i in indices]
    )
    try:
        model = PPO(
            "CnnPolicy",
            environment,
            policy_kwargs=policy,
            seed=training.seed,
            device="cpu",
            **{key: each for key, each in settings.items() if key != "environments"},
        )
        episodes = training_lib.EpisodeFile(
            training.folder, training_lib.process_began()
        )
        steps = -(-training.frames // action_repeat)
        model.learn(steps, callback=_Recorder(episodes, action_repeat))
    finally:
        environment.close()


def _doom(level: str) -> tuple[int, Callable[[int], gymnasium.Env]]:
    # Where grids are played there is no need of ViZDoom.
    from benchmarks.peers import doom_scenario

    make = functools.partial(doom_scenario.DoomScenario, level)
    return doom_scenario.ACTION_REPEAT, make


def _grid(level: str, seed: int) -> gymnasium.Env:
    del seed  # The vector of environments passes it to the first reset.
    from minigrid import wrappers

    return wrappers.ImgObsWrapper(gymnasium.make(level))


def _monitored(
    make: Callable[[int], gymnasium.Env], seed: int, index: int
) -> gymnasium.Env:
    return monitor.Monitor(make(1000 * seed + index))


if __name__ == "__main__":
    main()
