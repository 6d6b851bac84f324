"""Measures the mean return of BabyAI's own bot, the 100 of the scores of its levels.

Writes `reference` and where it comes from into
kickstarting/environments/reference_scores.json; what the random policy gets stays as it
is (experiments/measure_random_scores.py). The bot is minigrid.utils.baby_ai_bot's: it
reads the mission out of the level and sees what the agent sees, walks shortest ways,
and now and then fails.

  python -m experiments.measure_bot_scores --levels=BabyAI-GoToLocalS6N4-v0
"""

import importlib.metadata
import json
import pathlib
from collections.abc import Sequence

import gymnasium
import numpy as np
from absl import app, flags
from minigrid.utils import baby_ai_bot

from kickstarting.environments import suites

_LEVELS = flags.DEFINE_list("levels", [], "BabyAI levels, at least one.")
_EPISODES = flags.DEFINE_integer("episodes", 200, "episodes of each level.")
_SEED = flags.DEFINE_integer("seed", 1, "seeds the levels; the bot draws nothing.")
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


def bot_returns(level: str, seed: int, num_episodes: int) -> np.ndarray:
    """Plays whole episodes with the bot.

    Args:
      level: id of a BabyAI level.
      seed: of the first reset, from which all episodes are drawn.
      num_episodes: N.

    Returns:
      Raw returns, float64 [N].

    Raises:
      base.EnvironmentConfigError: there is no such level.
    """
    suites.environment_spec(f"gym:{level}", action_repeat=1)
    environment = gymnasium.make(level, disable_env_checker=True)
    returns = np.zeros(num_episodes)
    try:
        for episode in range(num_episodes):
            environment.reset(seed=None if episode else seed)
            bot = baby_ai_bot.BabyAIBot(environment)
            ended = False
            while not ended:
                _, reward, terminated, truncated, _ = environment.step(bot.replan())
                returns[episode] += float(reward)
                ended = terminated or truncated
    finally:
        environment.close()
    return returns


def main(arguments: Sequence[str]) -> None:
    """Measures each level and updates the file after each."""
    del arguments
    output = pathlib.Path(_OUTPUT.value)
    command = (
        f"python -m experiments.measure_bot_scores --levels={','.join(_LEVELS.value)} "
        f"--episodes={_EPISODES.value} --seed={_SEED.value}"
    )
    version = importlib.metadata.version("minigrid")
    for level in _LEVELS.value:
        returns = bot_returns(level, _SEED.value, _EPISODES.value)
        mean, error = returns.mean(), returns.std(ddof=1) / np.sqrt(len(returns))
        scores = json.loads(output.read_text(encoding="utf-8"))
        scores.setdefault(f"gym:{level}", {}).update(
            reference=round(float(mean), 4),
            reference_source=f"BabyAI's bot (minigrid {version}, utils/baby_ai_bot.py),"
            f" {mean:.4f} ± {error:.4f} over {len(returns)} episodes, measured by "
            f"`{command}`",
        )
        output.write_text(json.dumps(scores, indent=2) + "\n", encoding="utf-8")
        print(f"gym:{level}: {mean:.4f} ± {error:.4f}")


if __name__ == "__main__":
    app.run(main)
