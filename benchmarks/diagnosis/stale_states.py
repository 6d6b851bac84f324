"""How stale the stored states of the core become within a window of the learner.

  python -m launch.train --tasks=doom:basic --total_frames=110k --seed=1 \\
    --logdir=runs/stale --checkpoint_minutes=0.001 --checkpoints_kept=200
  python -m benchmarks.diagnosis.stale_states --run=runs/stale

The learner starts an unroll from the state with which the policy that acted came to it,
where its own parameters would have come with another. Takes the policies of a run's
newest checkpoint and of one some frames before, lets the old one play, and gives what
was played to the new one: from the stored states, and from its own, which it carries
through whole episodes. Prints JSON: how far the new policy's log-probability of the
actions taken is from the old one's, and how far the stored states move it, by place in
the unroll.
"""

import functools
import json
import pathlib
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from absl import flags

from kickstarting.acting import evaluator
from kickstarting.agent import masking, trajectory
from kickstarting.agent.agent import Agent
from kickstarting.config import run as config_lib
from kickstarting.storage import checkpoints
from launch.flags import command_line, counts
from launch.reports import policies

_RUN = flags.DEFINE_string("run", "", "A run's folder, with several checkpoints.")
_FRAMES = counts.define("frames", 8192, "Least frames between the two.")
_EPISODES = flags.DEFINE_integer("episodes", 30, "Episodes that the old policy plays.")
_UNROLL_LENGTH = flags.DEFINE_integer("unroll_length", 32, "Steps of an unroll.")
_SEED = flags.DEFINE_integer("seed", 1000, "Seeds the level and the sampling.")


class Step(NamedTuple):
    """What the old policy saw and did, for one environment.

    Attributes:
      observation: Observation [1, ...].
      first: bool [1].
      available_actions: bool [1, A].
      state: CoreState [1, core size] before the step.
      action: int32 [1].
    """

    observation: trajectory.Observation
    first: np.ndarray
    available_actions: np.ndarray
    state: trajectory.CoreState
    action: np.ndarray


class Recorder(evaluator.AgentPlayer):
    """An agent that plays one environment and keeps what it saw and did.

    Attributes:
      steps: in the order in which they were played.
    """

    def __init__(self, agent: Agent, params: trajectory.Params, seed: int) -> None:
        """See AgentPlayer; it samples."""
        super().__init__(agent, params, seed, greedy=False)
        self.steps: list[Step] = []

    def act(
        self,
        observation: trajectory.Observation,
        first: np.ndarray,
        available_actions: np.ndarray,
        state: trajectory.CoreState,
        environments: np.ndarray,
        steps: np.ndarray,
    ) -> tuple[np.ndarray, trajectory.CoreState]:
        """See Player."""
        actions, after = super().act(
            observation, first, available_actions, state, environments, steps
        )
        # The evaluator writes the next step's over them.
        seen = Step(observation, first, available_actions, state, actions)
        self.steps.append(jax.tree.map(np.array, seen))
        return actions, after


def main(argv: list[str]) -> int:
    """Measures as the flags say and prints JSON; returns 0."""
    del argv
    if not _RUN.value:
        raise config_lib.ConfigError("--run is to name a run's folder")
    old, new = _policies(pathlib.Path(_RUN.value), _FRAMES.value)
    recorder = Recorder(old.agent, old.params, _SEED.value)
    evaluator.evaluate(
        old.tasks[0],
        recorder,
        num_episodes=_EPISODES.value,
        seed=_SEED.value,
        action_repeat=old.agent.spec.action_repeat,
        num_environments=1,
    )
    length = _UNROLL_LENGTH.value
    found = differences(old, new, recorder.steps, length)
    print(
        json.dumps(
            {
                "task": old.tasks[0],
                "frames": [old.frames, new.frames],
                "unrolls": len(recorder.steps) // length,
                **found,
            },
            indent=1,
        )
    )
    return 0


def differences(
    old: policies.Policy, new: policies.Policy, steps: list[Step], length: int
) -> dict[str, object]:
    """Returns mean absolute differences of the new policy's log-probabilities.

    Args:
      old: that acted.
      new: that learns from it.
      steps: of episodes, one after another; a last part of an unroll is left out.
      length: T, steps of an unroll.
    """
    count = len(steps) // length
    if not count:
        raise config_lib.ConfigError(
            f"the episodes had {len(steps)} steps: play more --episodes"
        )
    played = jax.tree.map(lambda *x: np.concatenate(x)[None], *steps[: count * length])
    unrolls = jax.tree.map(lambda x: x.reshape((count, length, *x.shape[2:])), played)
    stored = jax.tree.map(lambda x: x[:, 0], unrolls.state)

    def log_probability(
        policy: policies.Policy, from_: Step, state: trajectory.CoreState
    ) -> np.ndarray:
        output, _ = _unroll(policy.agent)(
            policy.params, from_.observation, from_.first, state
        )
        logits = masking.mask_logits(output.logits, from_.available_actions)
        taken = jnp.take_along_axis(
            jax.nn.log_softmax(logits), from_.action[..., None], axis=-1
        )
        return np.asarray(taken).reshape((count, length))

    acted = log_probability(old, unrolls, stored)
    from_stored = log_probability(new, unrolls, stored)
    from_own = log_probability(new, played, new.agent.initial_state(1))
    stale = np.abs(from_stored - from_own)
    parts = np.array_split(stale, 4, axis=1)
    return {
        "new_against_old": float(np.mean(np.abs(from_own - acted))),
        "stored_against_own_state": float(np.mean(stale)),
        "by_quarter_of_the_unroll": [float(np.mean(part)) for part in parts],
    }


# Agents of one network are equal, and share what is compiled.
@functools.cache
def _unroll(agent: Agent) -> Callable[..., Any]:
    return jax.jit(agent.unroll)


def _policies(
    run: pathlib.Path, frames: int
) -> tuple[policies.Policy, policies.Policy]:
    """Returns the newest policy of a run, and the newest so many frames before it.

    Raises:
      config_lib.ConfigError: there are not two.
    """
    # Their names are in the order in which they were saved.
    folders = sorted((run / checkpoints.SUBFOLDER).glob("checkpoint-*"))
    loaded = [policies.load(str(folder)) for folder in folders]
    older = [each for each in loaded if each.frames <= loaded[-1].frames - frames]
    if not older:
        raise config_lib.ConfigError(
            f"{run} has no two checkpoints that are {frames} frames apart: train it "
            "with --checkpoint_minutes=0.001 --checkpoints_kept=200"
        )
    return older[-1], loaded[-1]


if __name__ == "__main__":
    command_line.run(main)
