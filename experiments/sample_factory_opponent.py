"""Trains sample-factory's APPO on a doom level, as the opponent of our baseline.

It runs in a virtual environment of its own (Python 3.11, the pins of
docs/sample_factory.md), never in the project's: the two stacks do not share one. The
level, rewards, frames, action set and action repeat are those of
kickstarting/environments/doom; everything else is sample-factory's default for
ViZDoom (`sf_examples.vizdoom`), with a recurrent core and smaller batches.

  SF/bin/python -m experiments.sample_factory_opponent --task=doom:defend_the_center \
      --seed=1 --frames=2000000 --out=results/sample_factory

writes one CSV line an episode: environment frames so far in all environments (this
worker's own count times the number of environments), wall seconds, raw return.
"""

import argparse
import csv
import functools
import os
import time
from typing import Any

import gymnasium
import numpy as np

from kickstarting.environments import base
from kickstarting.environments.doom import doom

NUM_WORKERS = 2
NUM_ENVIRONMENTS = 16


class GymnasiumDoom(gymnasium.Env):
    """The project's doom environment as sample-factory wants it: pixels [3, 72, 96]."""

    def __init__(self, task: str, seed: int, episodes_path: str) -> None:
        self._environment = doom.DoomEnvironment(base.TaskSettings(task, seed))
        height, width, channels = self._environment.spec.frame_shape
        self.observation_space = gymnasium.spaces.Dict(
            {"obs": gymnasium.spaces.Box(0, 255, (channels, height, width), np.uint8)}
        )
        self.action_space = gymnasium.spaces.Discrete(
            self._environment.spec.num_actions
        )
        self.render_mode = None
        self._episodes_path = episodes_path
        self._start = time.time()
        self._steps = 0
        self._return = 0.0

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        del seed, options  # The settings carry the seed.
        self._return = 0.0
        return self._observation(self._environment.reset()), {}

    def step(self, action: Any) -> Any:
        timestep = self._environment.step(int(action))
        self._steps += 1
        self._return += timestep.reward
        if timestep.last():
            self._record_episode()
        truncated = timestep.last() and timestep.discount == 1.0
        terminated = timestep.last() and not truncated
        return self._observation(timestep), timestep.reward, terminated, truncated, {}

    def close(self) -> None:
        self._environment.close()

    def _observation(self, timestep: Any) -> Any:
        return {"obs": np.moveaxis(timestep.observation[base.PIXELS], -1, 0)}

    def _record_episode(self) -> None:
        frames = self._steps * self._environment.spec.action_repeat * NUM_ENVIRONMENTS
        with open(self._episodes_path, "a", newline="") as file:
            csv.writer(file).writerow(
                [frames, round(time.time() - self._start, 2), self._return]
            )


def _make(
    out: str,
    seed: int,
    name: str,
    cfg: Any = None,
    env_config: Any = None,
    render_mode: str | None = None,
) -> GymnasiumDoom:
    del cfg, render_mode
    index = env_config.env_id if env_config is not None else 0
    path = os.path.join(out, f"episodes_{os.getpid()}_{index}.csv")
    return GymnasiumDoom(name, seed * 1000 + index, path)


def main() -> None:
    """Parses the arguments, trains, and leaves the episodes' CSV files in --out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--task", default="doom:defend_the_center")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--frames", type=int, default=2_000_000)
    parser.add_argument("--out", default="results/sample_factory")
    arguments = parser.parse_args()

    from sample_factory.envs.env_utils import register_env
    from sample_factory.train import run_rl
    from sf_examples.vizdoom.train_vizdoom import (
        parse_vizdoom_cfg,
        register_vizdoom_models,
    )

    name = arguments.task.replace(":", "_")
    out = os.path.join(arguments.out, f"{name}_seed{arguments.seed}")
    os.makedirs(out, exist_ok=True)
    register_env(arguments.task, functools.partial(_make, out, arguments.seed))
    register_vizdoom_models()
    options = {
        "algo": "APPO",
        "env": arguments.task,
        "experiment": "training",
        "train_dir": out,
        "seed": arguments.seed,
        "device": "cpu",
        "num_workers": NUM_WORKERS,
        "num_envs_per_worker": NUM_ENVIRONMENTS // NUM_WORKERS,
        "batch_size": 512,
        "rollout": 32,
        "env_frameskip": base.ACTION_REPEAT,
        "use_rnn": True,
        "rnn_type": "lstm",
        "rnn_size": 256,
        "res_w": base.FRAME_WIDTH,
        "res_h": base.FRAME_HEIGHT,
        "with_wandb": False,
        "train_for_env_steps": arguments.frames,
        "save_every_sec": 3600,
    }
    run_rl(parse_vizdoom_cfg([f"--{key}={value}" for key, value in options.items()]))


if __name__ == "__main__":
    main()
