"""A student that begins with its teacher's weights."""

import dataclasses
import os
import threading

import jax
import jax.flatten_util
import numpy as np
from absl.testing import absltest

from kickstarting.agent.agent import Agent
from kickstarting.config import agent as agent_config
from kickstarting.config import run as config
from kickstarting.learning import learner, update
from kickstarting.reporting import run_files, telemetry
from kickstarting.storage import checkpoints
from kickstarting.teaching import files as teacher_files
from kickstarting.teaching import initialisation, teachers
from tests import small_ring, teacher_card
from tests.counting_environment import SPEC

NETWORK = agent_config.NetworkConfig(core_size=8)


def setUpModule():
    small_ring.compile_quickly()


class InitialisationTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = os.path.join(self.create_tempdir().full_path, "teacher")
        self.logdir = self.create_tempdir().full_path
        self.agent = Agent(SPEC, NETWORK)
        card = dataclasses.replace(
            teacher_card.CARD,
            action_names=SPEC.action_names,
            frame_shape=SPEC.frame_shape,
            action_repeat=1,
            network=agent_config.NetworkConfig(torso="grid", core_size=8),
        )
        flat = small_ring.random_parameters(self.agent)
        teacher_files.save_teacher(
            self.folder, small_ring.unravel(self.agent, flat), card
        )

    def _config(self, **network) -> config.Config:
        return small_ring.small_config(
            logdir=self.logdir,
            total_frames=32,
            network=agent_config.NetworkConfig(**{"core_size": 8, **network}),
            kickstarting=config.KickstartingConfig(
                teachers=(("test:counting", self.folder),),
                use="initialise",
                schedule="constant",
            ),
        )

    def _learner(self, run: config.Config) -> learner.Learner:
        files = run_files.RunFiles(self.logdir)
        self.addCleanup(files.close)
        return learner.Learner(
            run,
            update.Update(self.agent, run),
            lambda: (small_ring.random_batch(run, SPEC, seed) for seed in range(9)),
            checkpoints.Checkpoints(os.path.join(self.logdir, "checkpoints"), 3),
            {},
            telemetry.Telemetry(run.tasks, [None], run.total_frames),
            files,
            np.full((1, 1), 7.0, np.float32),
            np.zeros(1, np.float32),
            initialisation.initial_params(run, self.agent),
        )

    def test_the_first_policy_is_the_teachers_and_a_resumed_one_is_not(self):
        run = self._config()
        begun = self._learner(run)
        params = small_ring.unravel(self.agent, begun.parameters(-1)[1])
        batch = small_ring.random_batch(run, SPEC, seed=1)
        state = self.agent.initial_state(run.batch_size)
        output, _ = jax.jit(self.agent.unroll)(
            params, batch.observation, batch.first, state
        )
        logits, _ = teachers.CheckpointTeacher(self.folder).label(
            batch.observation, batch.first, state
        )
        np.testing.assert_array_equal(output.logits, logits)
        # The values were of no use: they begin as in a run from scratch.
        scratch = update.shared(self.agent, run).init(jax.random.key(run.seed)).params
        jax.tree.map(np.testing.assert_array_equal, params["value"], scratch["value"])
        # Nobody is asked for advice.
        np.testing.assert_array_equal(begun.parameters(-1)[2], np.zeros((1, 1)))

        begun.run(threading.Event())
        learned = begun.parameters(-1)[1]
        resumed = self._learner(dataclasses.replace(run, total_frames=48))
        self.assertEqual(resumed.frames, 32)
        np.testing.assert_array_equal(resumed.parameters(-1)[1], learned)
        first, _ = jax.flatten_util.ravel_pytree(params)
        self.assertGreater(np.abs(learned - first).max(), 1e-5)

    def test_any_other_use_begins_afresh(self):
        run = self._config()
        kickstarting = dataclasses.replace(run.kickstarting, use="kickstarting")
        run = dataclasses.replace(run, kickstarting=kickstarting)
        self.assertEqual(initialisation.initial_params(run, self.agent), {})

    def test_another_network_is_refused_with_the_flags_that_fit(self):
        for network in ({"core_size": 9}, {"torso": "deep"}):
            run = self._config(**network)
            with self.assertRaisesRegex(
                teacher_files.TeacherError, "pass --torso=grid --core_size=8$"
            ):
                initialisation.initial_params(run, Agent(SPEC, run.network))


if __name__ == "__main__":
    absltest.main()
