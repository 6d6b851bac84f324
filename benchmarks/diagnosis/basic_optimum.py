"""What can be had at most on doom:basic, for a mark that nobody can reach is none.

  python -m benchmarks.diagnosis.basic_optimum

Plays each of many episodes once for each sequence of so many steps to one side and
then attacks, and takes the best of its returns. Who sees where the monster is can do no
better but by luck: a step costs 4, a shot that misses 5 more. Prints JSON.
"""

import json

import numpy as np
from absl import flags

from kickstarting.environments import base
from kickstarting.environments.doom import doom
from launch.flags import command_line

_EPISODES = flags.DEFINE_integer("episodes", 200, "Episodes.", lower_bound=2)
_SEED = flags.DEFINE_integer("seed", 1000, "Seeds the episodes.")

_MOST_STEPS = 9
_ATTACKS = 3


def main(argv: list[str]) -> int:
    """Measures as the flags say and prints JSON; returns 0."""
    del argv
    best = best_returns(_EPISODES.value, _SEED.value)
    print(
        json.dumps(
            {
                "episodes": len(best),
                "mean_best_return": float(best.mean()),
                "standard_error": float(best.std(ddof=1) / np.sqrt(len(best))),
            },
            indent=1,
        )
    )
    return 0


def best_returns(episodes: int, seed: int) -> np.ndarray:
    """Returns the best return of each episode, float64 [N].

    Args:
      episodes: N.
      seed: of the environment that they are the first of.
    """
    sides = ("strafe_left", "strafe_right")
    return np.max(
        [
            _returns(side, steps, episodes, seed)
            for side in sides
            for steps in range(_MOST_STEPS + 1)
        ],
        axis=0,
    )


def _returns(side: str, steps: int, episodes: int, seed: int) -> list[float]:
    """Returns those of one sequence, -inf where it does not end the episode."""
    # What is acted does not change the episodes that follow.
    environment = doom.make(base.TaskSettings("doom:basic", seed, base.ACTION_REPEAT))
    names = [side] * steps + ["attack"] * _ATTACKS
    returns = []
    for _ in range(episodes):
        environment.reset()
        total = 0.0
        for name in names:
            timestep = environment.step(doom.ACTION_NAMES.index(name))
            total += timestep.reward
            if timestep.last():
                break
        returns.append(total if timestep.last() else -np.inf)
    environment.close()
    return returns


if __name__ == "__main__":
    command_line.run(main)
