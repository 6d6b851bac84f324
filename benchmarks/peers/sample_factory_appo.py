"""Trains sample-factory's APPO with its own doom environments.

  PEER/bin/python -m benchmarks.peers.sample_factory_appo --task=doom:basic --seed=1 \
      --frames=200000 --folder=runs/peer --threads=1

Scenario files, actions, reward scale, shaping and settings are those of its
`sf_examples.vizdoom`; only the number of environments is set for a small machine.
"""

import functools
import os
import sys
from typing import Any

import gymnasium
import numpy as np
import torch
from sample_factory.envs.env_utils import register_env
from sample_factory.train import run_rl
from sf_examples.vizdoom import train_vizdoom
from sf_examples.vizdoom.doom import doom_utils

from benchmarks.peers import training as training_lib

_WORKERS = 2
_ENVIRONMENTS = 16
_OPTIONS = {
    "algo": "APPO",
    "device": "cpu",
    "num_workers": _WORKERS,
    "num_envs_per_worker": _ENVIRONMENTS // _WORKERS,
    "rollout": 32,
    # One rollout of all environments.
    "batch_size": 512,
    "use_rnn": True,
    "with_wandb": False,
    "experiment": "training",
}


# Its files of these scenarios give 0.01 a frame and nothing for a death; ViZDoom's own,
# in whose rewards raw returns are told, give 1 and take 100.
_HEALTH_SCENARIOS = ("doom_health_gathering", "doom_health_gathering_supreme")
_REWARD_FACTOR = 100.0
_DEATH_PENALTY = 100.0


class Recorded(gymnasium.Wrapper):
    """Writes down raw and shaped returns of the episodes of one environment."""

    def __init__(
        self,
        environment: gymnasium.Env,
        training: training_lib.Training,
        began: float,
        index: int,
    ) -> None:
        """Wraps an environment of sample-factory.

        Args:
          environment: with its wrappers.
          training: that it is of.
          began: when, in seconds of the Unix epoch.
          index: its number among the training's.
        """
        super().__init__(environment)
        self._index = index
        self._seed: int | None = 1000 * training.seed + index
        self._episodes = training_lib.EpisodeFile(training.folder, began, f"_{index}")
        # Environments of several processes, of which some are quicker.
        self._frames = np.memmap(_frames_path(training), np.int64, "r+")
        self._is_of_health = _name(training) in _HEALTH_SCENARIOS
        self._engine_step = environment.unwrapped.step
        environment.unwrapped.step = self._raw_step
        self._raw_return = self._trained_return = 0.0

    def reset(self, **kwargs: Any) -> Any:
        """Begins an episode; the first one is seeded by the training."""
        self._raw_return = self._trained_return = 0.0
        seed, self._seed = self._seed, None
        return self.env.reset(**({"seed": seed} if seed is not None else {}))

    def step(self, action: Any) -> Any:
        """Steps, and writes a row where the episode ends."""
        result = self.env.step(action)
        _, reward, terminated, truncated, _ = result
        self._frames[self._index] += self.env.unwrapped.skip_frames
        self._trained_return += float(reward)
        if terminated or truncated:
            frames = int(self._frames.sum())
            self._episodes.add(frames, self._total(), self._trained_return)
        return result

    def _total(self) -> float:
        if not self._is_of_health:
            return self._raw_return
        died = self.env.unwrapped.game.is_player_dead()
        return _REWARD_FACTOR * self._raw_return - _DEATH_PENALTY * died

    def _raw_step(self, action: Any) -> Any:
        result = self._engine_step(action)
        self._raw_return += float(result[1])
        return result


def _name(training: training_lib.Training) -> str:
    return training.task.replace(":", "_")


def _frames_path(training: training_lib.Training) -> str:
    return os.path.join(training.folder, "frames")


def _make(
    training: training_lib.Training,
    began: float,
    spec: doom_utils.DoomSpec,
    name: str,
    cfg: Any = None,
    env_config: Any = None,
    render_mode: str | None = None,
) -> gymnasium.Env:
    environment = doom_utils.make_doom_env_from_spec(
        spec, name, cfg, env_config, render_mode
    )
    if env_config is None:
        # Looked at for its spaces, and not played.
        return environment
    return Recorded(environment, training, began, env_config.env_id)


def main() -> int:
    """Trains as the command line says; returns sample-factory's status."""
    training = training_lib.Training.from_arguments()
    torch.set_num_threads(training.threads)
    name = _name(training)
    spec = doom_utils.doom_env_by_name(name)
    np.zeros(_ENVIRONMENTS, np.int64).tofile(_frames_path(training))
    began = training_lib.process_began()
    register_env(name, functools.partial(_make, training, began, spec))
    train_vizdoom.register_vizdoom_models()
    options = {
        **_OPTIONS,
        "env": name,
        "seed": training.seed,
        "train_for_env_steps": training.frames,
        "train_dir": os.path.join(training.folder, "sample_factory"),
    }
    config = train_vizdoom.parse_vizdoom_cfg(
        [f"--{key}={value}" for key, value in options.items()]
    )
    training_lib.write_settings(
        training.folder,
        {
            "environments": _ENVIRONMENTS,
            "workers": _WORKERS,
            "actions": str(spec.action_space),
            "reward_scale": spec.reward_scaling,
            "shaping": [wrapper.__name__ for wrapper, _ in spec.extra_wrappers or ()],
            "action_repeat": config.env_frameskip,
            **{
                key: getattr(config, key)
                for key in (
                    "rollout",
                    "batch_size",
                    "num_epochs",
                    "learning_rate",
                    "exploration_loss",
                    "exploration_loss_coeff",
                    "rnn_type",
                    "rnn_size",
                    "res_w",
                    "res_h",
                )
            },
        },
    )
    return run_rl(config)


if __name__ == "__main__":
    sys.exit(main())
