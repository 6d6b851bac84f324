"""The whole agent learns a small task, and in fewer frames with a teacher."""

import functools
import os

import numpy as np
from absl.testing import absltest

from kickstarting.acting import evaluator
from kickstarting.acting.actor import NUM_SLOTS
from kickstarting.agent.agent import Agent
from kickstarting.config import agent as agent_config
from kickstarting.config import run as config
from kickstarting.environments import base, suites
from kickstarting.teaching import cards as teacher_cards
from kickstarting.teaching import files as teacher_files
from kickstarting.teaching import server as teacher_server
from tests import background, small_ring

TASK = "xland:MiniGrid-Empty-5x5"
NUM_ENVIRONMENTS = 16
UNROLL_LENGTH = 20
FRAMES_PER_UPDATE = NUM_ENVIRONMENTS * UNROLL_LENGTH
UPDATES, EARLY_UPDATES = 60, 15
SPEC = suites.environment_spec(TASK, 1)
NETWORK = agent_config.NetworkConfig("small_grid", core_size=32)


def _config(logdir: str, updates: int, teacher: str | None = None) -> config.Config:
    return config.Config(
        tasks=(TASK,),
        logdir=logdir,
        total_frames=updates * FRAMES_PER_UPDATE,
        seed=1,
        lockstep=True,
        action_repeat=1,
        environments_per_actor=NUM_ENVIRONMENTS,
        unroll_length=UNROLL_LENGTH,
        batch_size=NUM_ENVIRONMENTS,
        network=NETWORK,
        # Quick on this small task; the defaults are tuned for longer ones.
        loss=agent_config.LossConfig(
            discount=0.95,
            entropy_cost=0.003,
            vtrace_lambda=0.9,
        ),
        optimiser=agent_config.OptimiserConfig(
            learning_rate=3e-3, anneal=False, max_gradient_norm=40.0
        ),
        kickstarting=config.KickstartingConfig(
            teachers=((TASK, teacher),) if teacher else (),
            schedule="constant",
            weight=3.0,
        ),
    )


def _environments():
    settings = [base.TaskSettings(TASK, seed, 1) for seed in range(NUM_ENVIRONMENTS)]
    return suites.make_batch(settings, NUM_SLOTS, UNROLL_LENGTH)


def _mean_return(parameters: np.ndarray) -> float:
    agent = Agent(SPEC, NETWORK)
    episodes = evaluator.evaluate(
        TASK,
        evaluator.AgentPlayer(agent, small_ring.unravel(agent, parameters), 100, False),
        num_episodes=2 * NUM_ENVIRONMENTS,
        seed=100,
        action_repeat=1,
        num_environments=NUM_ENVIRONMENTS,
    )
    return float(episodes.returns.mean())


class LearningTest(absltest.TestCase):
    @functools.cached_property
    def _from_scratch(self) -> small_ring.Trained:
        run = _config(self.create_tempdir().full_path, UPDATES)
        return small_ring.train(run, _environments(), snapshots=(EARLY_UPDATES,))

    def _save_teacher(self, parameters: np.ndarray, mean_return: float) -> str:
        folder = os.path.join(self.create_tempdir().full_path, "teacher")
        score = teacher_cards.TaskScore(
            TASK, mean_return, 0.0, 2 * NUM_ENVIRONMENTS, None
        )
        card = teacher_cards.TeacherCard(
            scores=(score,),
            action_names=SPEC.action_names,
            frame_shape=SPEC.frame_shape,
            instruction_length=0,
            action_repeat=1,
            network=NETWORK,
            environment_frames=UPDATES * FRAMES_PER_UPDATE,
            command="learning_test",
            seed=1,
            git_revision="none",
        )
        params = small_ring.unravel(Agent(SPEC, NETWORK), parameters)
        teacher_files.save_teacher(folder, params, card)
        return folder

    def test_it_learns_and_a_teacher_spares_frames(self):
        scratch = self._from_scratch
        learned = _mean_return(scratch.parameters)
        early = _mean_return(scratch.snapshots[EARLY_UPDATES])
        self.assertGreater(learned, 0.6)
        self.assertLess(early, 0.6)

        folder = self._save_teacher(scratch.parameters, learned)
        run = _config(self.create_tempdir().full_path, EARLY_UPDATES, folder)
        server = teacher_server.TeacherServer(run.teachers_of_task, run.max_teachers)
        background.start(self, server.run)
        kickstarted = _mean_return(
            small_ring.train(run, _environments(), server).parameters
        )

        # A quarter of the frames is enough with a teacher, and not without one.
        self.assertGreater(kickstarted, 0.6)
        self.assertLess(early, kickstarted - 0.2)


if __name__ == "__main__":
    absltest.main()
