"""The scripted teacher solves its tasks, and teaches by way of teachers.load."""

import jax
import numpy as np
from absl.testing import absltest, parameterized

from examples import scripted_teacher
from kickstarting.acting.actor import NUM_SLOTS
from kickstarting.agent import trajectory
from kickstarting.config import agent as agent_config
from kickstarting.config import run as config
from kickstarting.environments import base, suites
from kickstarting.teaching import server as teacher_server
from kickstarting.teaching import teachers
from tests import background, small_ring

NAME = "examples.scripted_teacher:make"
TASK = "gym:MiniGrid-Empty-8x8-v0"


def setUpModule():
    small_ring.compile_quickly()


def _play(teacher: trajectory.Teacher | None, level: str, seed: int, episodes: int):
    """Plays episodes in this process; None plays at random. Returns the returns."""
    environment = suites.make_environment(base.TaskSettings(f"gym:{level}", seed, 1))
    random = np.random.default_rng(seed)
    returns = []
    for _ in range(episodes):
        step, total, action = environment.reset(), 0.0, 0
        state = teacher.initial_state(1) if teacher else None
        while not step.last():
            if teacher is None:
                action = int(random.integers(environment.spec.num_actions))
            else:
                observation = trajectory.Observation(
                    np.asarray(step.observation[base.PIXELS])[None, None],
                    step.observation[base.INSTRUCTION][None, None],
                    np.full((1, 1), action),
                    np.full((1, 1), step.reward or 0.0),
                )
                first = np.full((1, 1), step.first())
                logits, state = teacher.label(observation, first, state)
                action = int(logits[0, 0].argmax())
            step = environment.step(action)
            total += step.reward
        returns.append(total)
    return np.array(returns)


class PlayTest(parameterized.TestCase):
    @parameterized.parameters(
        ("MiniGrid-Empty-8x8-v0", 1, 0.9),
        ("MiniGrid-Empty-Random-6x6-v0", 5, 0.85),
        ("MiniGrid-DoorKey-6x6-v0", 5, 0.8),
        ("MiniGrid-Unlock-v0", 5, 0.8),
        ("MiniGrid-FourRooms-v0", 5, 0.2),
        ("BabyAI-GoToRedBallNoDists-v0", 5, 0.6),
        ("BabyAI-GoToLocal-v0", 5, 0.6),
        ("BabyAI-GoToDoor-v0", 10, 0.8),
        ("BabyAI-PickupDistDebug-v0", 10, 0.6),
        ("BabyAI-OpenDoorColor-v0", 3, 0.8),
        ("BabyAI-OpenDoorDebug-v0", 10, 0.8),
        ("BabyAI-OpenDoorLoc-v0", 5, 0.8),
    )
    def test_every_episode_is_solved(self, level, episodes, least):
        returns = _play(teachers.load(NAME), level, seed=1, episodes=episodes)
        self.assertGreater(returns.min(), 0.0)
        self.assertGreater(returns.mean(), least)

    def test_chance_is_far_worse(self):
        self.assertLess(_play(None, "MiniGrid-Empty-8x8-v0", 1, 10).mean(), 0.5)

    def test_slices_equal_one_long_pass(self):
        teacher = scripted_teacher.make()
        random = np.random.default_rng(0)
        spec = suites.environment_spec(TASK, 1)
        environment = suites.make_environment(base.TaskSettings(TASK, 1, 1))
        frames, instructions, actions = [], [], [0]
        step = environment.reset()
        for _ in range(12):
            frames.append(np.array(step.observation[base.PIXELS]))
            instructions.append(step.observation[base.INSTRUCTION])
            actions.append(int(random.integers(3)))
            step = environment.step(actions[-1])
        observation = trajectory.Observation(
            np.array(frames)[None],
            np.array(instructions)[None],
            np.array(actions[:-1])[None],
            np.zeros((1, 12), np.float32),
        )
        first = np.arange(12)[None] % 5 == 0
        whole, end = teacher.label(observation, first, teacher.initial_state(1))
        self.assertEqual(whole.shape, (1, 12, spec.num_actions))
        state, parts = teacher.initial_state(1), []
        for part in (slice(0, 4), slice(4, 12)):
            logits, state = teacher.label(
                jax.tree.map(lambda x, part=part: x[:, part], observation),
                first[:, part],
                state,
            )
            parts.append(logits)
        np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)
        jax.tree.map(np.testing.assert_array_equal, state, end)

    def test_its_actions_are_those_of_the_tasks(self):
        spec = suites.environment_spec(TASK, 1)
        teachers.check_matches(NAME, teachers.load(NAME), spec)


class KickstartTest(absltest.TestCase):
    def test_a_student_learns_from_it(self):
        run = config.Config(
            tasks=(TASK,),
            logdir=self.create_tempdir().full_path,
            total_frames=30 * 4 * 20,
            environments_per_actor=4,
            batch_size=4,
            action_repeat=1,
            lockstep=True,
            network=agent_config.NetworkConfig(core_size=32),
            optimiser=agent_config.OptimiserConfig(learning_rate=3e-3, anneal=False),
            kickstarting=config.KickstartingConfig(
                teachers=((TASK, NAME),), schedule="constant", weight=1.0
            ),
        )
        settings = [base.TaskSettings(TASK, seed, 1) for seed in range(4)]
        environments = suites.make_batch(settings, NUM_SLOTS, run.unroll_length)
        server = teacher_server.TeacherServer(run.teachers_of_task, run.max_teachers)
        background.start(self, server.run)
        metrics = small_ring.train(run, environments, server).metrics
        self.assertEqual({each["teacher_coverage"] for each in metrics}, {1.0})
        self.assertAlmostEqual(metrics[0]["cross_entropy"], np.log(7), places=1)
        self.assertLess(metrics[-1]["cross_entropy"], np.log(7) - 0.4)


if __name__ == "__main__":
    absltest.main()
