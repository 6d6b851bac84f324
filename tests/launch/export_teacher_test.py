"""Exported values are those of the returns, not of their normalised form."""

import dataclasses
import os

import jax
import numpy as np
from absl.testing import absltest, flagsaver, parameterized

from kickstarting.agent.agent import Agent
from kickstarting.config import agent as agent_config
from kickstarting.learning import update
from kickstarting.loss import popart, running_moments
from kickstarting.ring import resumption
from kickstarting.storage import checkpoints
from kickstarting.teaching import cards as teacher_cards
from kickstarting.teaching import files as teacher_files
from kickstarting.teaching import teachers
from launch import export_teacher
from launch.monitoring import run_folder
from launch.reports import policies
from tests import small_ring, small_teachers, teacher_card

_TASKS = ("gym:one", "gym:two", "gym:three")
_MEAN, _SCALE = np.float32([0.5, 40.0, -3.0]), np.float32([0.1, 30.0, 2.0])


def setUpModule():
    small_ring.compile_quickly()


class ExportTeacherTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.run = small_ring.small_config(
            tasks=_TASKS,
            logdir=self.create_tempdir().full_path,
            network=agent_config.NetworkConfig(core_size=8, num_values=3),
        )
        self.agent = Agent(small_teachers.SPEC, self.run.network)
        self.statistics = popart.Statistics(
            running_moments.Moments(_MEAN, _MEAN**2 + _SCALE**2, np.ones_like(_MEAN)),
            _SCALE,
        )
        state = update.Update(self.agent, self.run).init(jax.random.key(0))
        self.params = small_ring.unravel(
            self.agent, small_ring.random_parameters(self.agent)
        )
        state = state._replace(params=self.params, value_statistics=self.statistics)
        checkpoints.Checkpoints(run_folder.checkpoints(self.run.logdir), 1).save(
            16,
            jax.tree.map(np.asarray, state)._asdict(),
            {
                **resumption.metadata(self.run, small_teachers.SPEC),
                "telemetry": {"frames": 16},
            },
        )

    @parameterized.parameters(
        (_TASKS, (0, 1, 2)), (("gym:three", "gym:one"), (2, 0)), (("gym:two",), (1,))
    )
    def test_its_values_are_those_of_the_tasks_returns(self, tasks, outputs):
        policy = policies.load(self.run.logdir)
        params, network = export_teacher.with_plain_values(policy, tasks)
        self.assertEqual(network.num_values, len(tasks))
        folder = os.path.join(self.create_tempdir().full_path, "teacher")
        card = dataclasses.replace(
            teacher_card.CARD,
            scores=tuple(
                teacher_cards.TaskScore(task, 0.0, 0.0, 2, None) for task in tasks
            ),
            action_names=small_teachers.SPEC.action_names,
            frame_shape=small_teachers.SPEC.frame_shape,
            network=network,
            value=teacher_cards.ValueMeaning(0.99, "abs_one"),
        )
        teacher_files.save_teacher(folder, params, card)
        teacher = teachers.CheckpointTeacher(folder)
        self.assertEqual(teacher.card.value, card.value)

        unrolls = small_teachers.unrolls(5, 4)
        seen = jax.tree.map(lambda x: x[:, :-1], unrolls.observation)
        first = unrolls.first[:, :-1]
        logits, values, _ = teacher.label_with_values(
            seen, first, teacher.initial_state(5)
        )
        output, _ = jax.jit(self.agent.unroll)(
            self.params, seen, first, self.agent.initial_state(5)
        )
        np.testing.assert_allclose(logits, output.logits, atol=0.02)
        for column, own in enumerate(outputs):
            expected = popart.value(
                self.statistics, output.value, np.full(5, own, np.int32)
            )
            # What float16 leaves of a value, beside the mean and the scale.
            rounding = 0.01 * (_SCALE[own] + abs(_MEAN[own]))
            np.testing.assert_allclose(
                values[..., column], expected, atol=float(rounding)
            )

    def test_a_task_that_it_was_not_trained_on_leaves_its_outputs(self):
        policy = policies.load(self.run.logdir)
        _, network = export_teacher.with_plain_values(policy, ("gym:four",))
        self.assertEqual(network.num_values, 3)

    def test_a_teacher_that_is_there_is_not_replaced_unasked(self):
        folder = self.create_tempdir()
        folder.create_file(teacher_files.CARD, "of another teacher")
        with (
            flagsaver.flagsaver(checkpoint=self.run.logdir, out=folder.full_path),
            self.assertRaisesRegex(
                teacher_files.TeacherError, "is a teacher already.*--overwrite"
            ),
        ):
            export_teacher.main([])
        teacher_files.check_target(folder.full_path, overwrite=True)

    def test_nothing_but_a_teacher_is_ever_replaced(self):
        folder = self.create_tempdir().full_path
        with self.assertRaisesRegex(teacher_files.TeacherError, "is no teacher"):
            teacher_files.check_target(folder, overwrite=True)
        teacher_files.check_target(os.path.join(folder, "new"), overwrite=False)

    def test_values_that_float16_cannot_hold_are_refused(self):
        policy = policies.load(self.run.logdir)
        huge = self.statistics._replace(scale=np.full(3, 1e6, np.float32))
        params, network = export_teacher.with_plain_values(
            policy._replace(value_statistics=huge), _TASKS
        )
        self.assertEqual(network, policy.network)
        folder = os.path.join(self.create_tempdir().full_path, "teacher")
        with self.assertRaisesRegex(
            teacher_files.TeacherError, "value.* float16 cannot hold"
        ):
            teacher_files.save_teacher(folder, params, teacher_card.CARD)


if __name__ == "__main__":
    absltest.main()
