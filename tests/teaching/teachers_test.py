"""Teachers: padding, shared programs, memory, refusals."""

import gc
import os
import weakref

import jax
import numpy as np
from absl.testing import absltest, parameterized

from kickstarting.agent.agent import Agent
from kickstarting.config import agent as agent_config
from kickstarting.config import run as config
from kickstarting.environments import base
from kickstarting.teaching import files as teacher_files
from kickstarting.teaching import teachers
from tests import small_ring, small_teachers

SPEC = small_teachers.SPEC
LENGTH = 6


def make_nothing() -> object:
    return object()


def make_badly() -> object:
    raise TypeError("the factory wants something")


class CheckpointTeacherTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = os.path.join(self.create_tempdir().full_path, "teacher")
        params = small_teachers.save(self.folder)
        self.unrolls = small_teachers.unrolls(9, LENGTH)
        agent = Agent(small_teachers.SPEC, small_teachers.NETWORK)
        output, _ = jax.jit(agent.unroll)(
            params,
            jax.tree.map(lambda x: x[:, :-1], self.unrolls.observation),
            self.unrolls.first[:, :-1],
            agent.initial_state(9),
        )
        self.expected = np.asarray(output.logits)

    def test_any_batch_size_is_padded_to_few(self):
        teacher = teachers.CheckpointTeacher(self.folder)
        observation = jax.tree.map(lambda x: x[:, :-1], self.unrolls.observation)
        before = teacher._unroll._cache_size()
        for size in (3, 4, 9):
            logits, state = teacher.label(
                jax.tree.map(lambda x, size=size: x[:size], observation),
                self.unrolls.first[:size, :-1],
                teacher.initial_state(size),
            )
            self.assertEqual(logits.shape, (size, LENGTH, 3))
            self.assertEqual(state.cell.shape, (size, 8))
            np.testing.assert_allclose(
                logits, self.expected[:size], rtol=1e-4, atol=1e-5
            )
        self.assertLessEqual(teacher._unroll._cache_size() - before, 2)

    def test_teachers_of_one_architecture_share_what_is_compiled(self):
        other = os.path.join(self.create_tempdir().full_path, "other")
        third = os.path.join(self.create_tempdir().full_path, "third")
        small_teachers.save(other, seed=1)
        small_teachers.save(third, network=agent_config.NetworkConfig(core_size=16))
        one, same, wider = map(teachers.CheckpointTeacher, (self.folder, other, third))
        observation = jax.tree.map(lambda x: x[:, :-1], self.unrolls.observation)
        first = self.unrolls.first[:, :-1]
        logits = one.label(observation, first, one.initial_state(9))[0]
        before = one._unroll._cache_size()
        others = same.label(observation, first, same.initial_state(9))[0]
        self.assertEqual(one._unroll._cache_size(), before)
        self.assertIs(one._unroll, same._unroll)
        self.assertIsNot(one._unroll, wider._unroll)
        self.assertGreater(np.abs(logits - others).max(), 1e-3)

    def test_memory_holds_the_weights_as_they_lie_in_the_file(self):
        teacher = teachers.CheckpointTeacher(self.folder)
        params, _ = teacher_files.load_teacher(self.folder)
        for kept, loaded in zip(
            jax.tree.leaves(teacher.params), jax.tree.leaves(params), strict=True
        ):
            self.assertEqual(kept.dtype, np.float16)
            np.testing.assert_array_equal(np.asarray(kept, np.float32), loaded)

    def test_a_teacher_that_is_let_go_is_freed(self):
        teacher = teachers.CheckpointTeacher(self.folder)
        observation = jax.tree.map(lambda x: x[:2, :-1], self.unrolls.observation)
        teacher.label(
            observation, self.unrolls.first[:2, :-1], teacher.initial_state(2)
        )
        leaves = [weakref.ref(leaf) for leaf in jax.tree.leaves(teacher.params)]
        self.assertNotEmpty(leaves)
        del teacher
        gc.collect()
        self.assertFalse([leaf for leaf in leaves if leaf() is not None])

    def test_more_than_the_largest_batch(self):
        teacher = teachers.CheckpointTeacher(self.folder)
        many = small_teachers.unrolls(33, LENGTH)
        logits, _ = teacher.label(
            jax.tree.map(lambda x: x[:, :2], many.observation),
            many.first[:, :2],
            teacher.initial_state(33),
        )
        self.assertEqual(logits.shape, (33, 2, 3))
        self.assertTrue(np.isfinite(logits).all())

    def test_a_teacher_of_another_network_is_refused_in_one_line(self):
        card = teacher_files.load_teacher(self.folder)[1]
        teacher_files.save_teacher(self.folder, {"too": {"few": np.zeros(3)}}, card)
        with self.assertRaisesRegex(teacher_files.TeacherError, "export") as caught:
            teachers.load(self.folder)
        self.assertNotIn("\n", str(caught.exception))


class LoadTest(parameterized.TestCase):
    @parameterized.parameters(
        ("/nowhere/at/all", "no such folder"),
        ("no.such.module:make", "no.such.module|No module named"),
        (f"{__name__}:no_such_factory", "no_such_factory"),
        (f"{__name__}:make_nothing", "has no action_names"),
        (f"{__name__}:make_badly", "the factory wants something"),
        (":make", "cannot be made"),
        (".relative:make", "cannot be made"),
    )
    def test_refusals_take_one_line(self, name, message):
        with self.assertRaisesRegex(teacher_files.TeacherError, message) as caught:
            teachers.load(name)
        self.assertNotIn("\n", str(caught.exception))
        self.assertIn(name, str(caught.exception))

    def test_a_teacher_is_refused_where_the_action_sets_differ(self):
        teacher = small_teachers.EchoTeacher()
        teachers.check_matches("echo", teacher, SPEC)
        other = base.EnvironmentSpec((3, 3, 3), 0, ("left", "jump"), 1)
        with self.assertRaisesRegex(teacher_files.TeacherError, "jump") as caught:
            teachers.check_matches("echo", teacher, other)
        self.assertIn("'stay'", str(caught.exception))
        self.assertNotIn("\n", str(caught.exception))

    def test_a_checkpoint_is_refused_where_the_frames_differ(self):
        folder = os.path.join(self.create_tempdir().full_path, "teacher")
        small_teachers.save(folder)
        teacher = teachers.load(folder)
        teachers.check_matches(folder, teacher, SPEC)
        other = base.EnvironmentSpec((5, 5, 3), 0, SPEC.action_names, 1)
        with self.assertRaisesRegex(teacher_files.TeacherError, "frame shape"):
            teachers.check_matches(folder, teacher, other)


class CheckConfigTest(absltest.TestCase):
    def _config(self, pairs, **fields) -> config.Config:
        kickstarting = config.KickstartingConfig(
            teachers=pairs, schedule="constant", **fields
        )
        return small_ring.small_config(tasks=("a:1", "a:2"), kickstarting=kickstarting)

    def test_covered_tasks_pass(self):
        teachers.check_config(self._config(()))
        teachers.check_config(self._config((("a:1", "x"), ("a:2", "y"))))
        teachers.check_config(self._config((("a:1", "x"),), allow_missing=True))

    def test_an_uncovered_task_is_named(self):
        with self.assertRaisesRegex(config.ConfigError, "no teacher covers a:2"):
            teachers.check_config(self._config((("a:1", "x"),)))

    def test_a_task_that_is_not_run_is_named(self):
        with self.assertRaisesRegex(config.ConfigError, "a:3, which is not among"):
            teachers.check_config(self._config((("a:3", "x"),)))


def setUpModule():
    small_ring.compile_quickly()


if __name__ == "__main__":
    absltest.main()
