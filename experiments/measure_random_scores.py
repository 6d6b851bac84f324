"""Measures the mean return of the uniformly random policy, the 0 of every score.

It draws from all actions of the suite, also from those that a level does not offer.

Writes `random`, its standard error, the number of episodes and the command into
kickstarting/environments/reference_scores.json; the references, which are looked up and
not measured, stay as they are.

  python -m experiments.measure_random_scores --suite=doom --episodes=200
"""

import json
import pathlib
from collections.abc import Sequence

import numpy as np
from absl import app, flags

from kickstarting.environments import base, suites

_SUITE = flags.DEFINE_string("suite", "doom", "suite whose levels are measured.")
_LEVELS = flags.DEFINE_list("levels", [], "levels of the suite; none means all.")
_EPISODES = flags.DEFINE_integer("episodes", 200, "episodes of each level.")
_ACTION_REPEAT = flags.DEFINE_integer(
    "action_repeat", base.ACTION_REPEAT, "environment frames for each agent step."
)
_SEED = flags.DEFINE_integer("seed", 1, "seeds the environment and the policy.")
_OUTPUT = flags.DEFINE_string(
    "output",
    str(
        pathlib.Path(__file__).parents[1]
        / "kickstarting"
        / "environments"
        / "reference_scores.json"
    ),
    "file that is updated.",
)


def random_returns(settings: base.TaskSettings, num_episodes: int) -> np.ndarray:
    """Plays whole episodes with the uniformly random policy.

    Args:
      settings: of the task; its seed also seeds the policy.
      num_episodes: N.

    Returns:
      Raw returns, float64 [N].
    """
    environment = suites.make_environment(settings)
    policy = np.random.default_rng(settings.seed)
    returns = np.zeros(num_episodes)
    try:
        for episode in range(num_episodes):
            timestep = environment.reset()
            while not timestep.last():
                action = policy.integers(environment.spec.num_actions)
                timestep = environment.step(action)
                returns[episode] += timestep.reward
    finally:
        environment.close()
    return returns


def main(arguments: Sequence[str]) -> None:
    """Measures each level and updates the file after each."""
    del arguments
    output = pathlib.Path(_OUTPUT.value)
    levels = f"--levels={','.join(_LEVELS.value)} " if _LEVELS.value else ""
    command = (
        f"python -m experiments.measure_random_scores --suite={_SUITE.value} {levels}"
        f"--episodes={_EPISODES.value} --action_repeat={_ACTION_REPEAT.value} "
        f"--seed={_SEED.value}"
    )
    for level in _LEVELS.value or suites.levels(_SUITE.value):
        task = f"{_SUITE.value}:{level}"
        settings = base.TaskSettings(task, _SEED.value, _ACTION_REPEAT.value)
        returns = random_returns(settings, _EPISODES.value)
        error = returns.std(ddof=1) / np.sqrt(len(returns))
        scores = json.loads(output.read_text(encoding="utf-8"))
        scores.setdefault(task, {}).update(
            random=round(float(returns.mean()), 4),
            random_standard_error=round(float(error), 4),
            random_episodes=len(returns),
            random_source=f"uniformly random policy, measured by `{command}`",
        )
        output.write_text(json.dumps(scores, indent=2) + "\n", encoding="utf-8")
        print(f"{task}: {returns.mean():.4f} ± {error:.4f}")


if __name__ == "__main__":
    app.run(main)
