"""Teachers and their server: slices, batches, states, refusals."""

import os
import threading
import time
from concurrent import futures
from typing import Any

import jax
import numpy as np
from absl.testing import absltest, parameterized

from kickstarting import config, teacher_cards, teacher_files, teachers, types
from kickstarting.agent import Agent
from kickstarting.environments import base
from tests import counting_environment, ring

NETWORK = config.NetworkConfig(core_size=8)
SPEC = counting_environment.SPEC
LENGTH = 6


class EchoTeacher:
    """Says how many steps it has seen of the episode; keeps a state of two leaves."""

    action_names = SPEC.action_names

    def __init__(self) -> None:
        self.batch_sizes: list[int] = []

    def initial_state(self, batch_size: int) -> Any:
        return {
            "steps": np.zeros(batch_size, np.int32),
            "calls": np.ones((batch_size, 2)),
        }

    def label(
        self, observation: types.Observation, first: np.ndarray, state: Any
    ) -> tuple[np.ndarray, Any]:
        self.batch_sizes.append(len(first))
        steps, logits = state["steps"], np.zeros((*first.shape, 3), np.float32)
        for t in range(first.shape[1]):
            steps = np.where(first[:, t], 0, steps)
            logits[:, t, 1] = steps
            logits[:, t, 2] = observation.last_action[:, t]
            steps = steps + 1
        return logits, {"steps": steps, "calls": state["calls"] + 1}


class StatelessTeacher(EchoTeacher):
    """A state without leaves."""

    def initial_state(self, batch_size: int) -> Any:
        return ()

    def label(self, observation, first, state):
        logits = np.zeros((*first.shape, 3), np.float32)
        if (observation.last_action == 99).any():
            raise RuntimeError("this teacher does not like 99")
        return logits, ()


def make_nothing() -> object:
    return object()


def make_badly() -> object:
    raise TypeError("the factory wants something")


def save_teacher(folder: str, seed: int = 0) -> types.Params:
    """Writes a teacher with random weights; returns them as they will be loaded."""
    agent = Agent(SPEC, NETWORK)
    params = ring.unravel(agent, ring.random_parameters(agent, seed))
    card = teacher_cards.TeacherCard(
        scores=(teacher_cards.TaskScore("gym:counting", 1.0, 0.1, 3, None),),
        action_names=SPEC.action_names,
        frame_shape=SPEC.frame_shape,
        instruction_length=0,
        action_repeat=1,
        network=NETWORK,
        environment_frames=10,
        command="test",
        seed=seed,
        git_revision="none",
    )
    teacher_files.save_teacher(folder, params, card)
    return teacher_files.load_teacher(folder)[0]


def _unrolls(count: int) -> types.Trajectory:
    run = ring.small_config(unroll_length=LENGTH, batch_size=count)
    batch = ring.random_batch(run, SPEC, seed=1)
    first = np.random.default_rng(2).random((count, LENGTH + 1)) < 0.3
    return batch._replace(first=first)


class ServerTestCase(parameterized.TestCase):
    def _serve(
        self, teachers_of_task, num_teachers: int = 1, running: bool = True
    ) -> teachers.TeacherServer:
        server = teachers.TeacherServer(teachers_of_task, num_teachers)
        stop = threading.Event()
        thread = threading.Thread(target=server.run, args=(stop,), daemon=True)
        self.addCleanup(stop.set)
        self.stop, self.thread = stop, thread
        if running:
            thread.start()
        return server

    def _label(self, server, unroll, begin, end, state=None, task: int = 0):
        observation = unroll.observation
        return server.label(
            task,
            observation.pixels[begin:end],
            observation.instruction[begin:end],
            observation.last_action[begin:end],
            observation.last_reward[begin:end],
            unroll.first[begin:end],
            state,
        )


def _one(batch: types.Trajectory, index: int) -> types.Trajectory:
    return jax.tree.map(lambda x: x[index], batch)


class CheckpointTeacherServerTest(ServerTestCase):
    def setUp(self):
        super().setUp()
        self.folder = os.path.join(self.create_tempdir().full_path, "teacher")
        params = save_teacher(self.folder)
        self.unrolls = _unrolls(9)
        agent = Agent(SPEC, NETWORK)
        output, _ = jax.jit(agent.unroll)(
            params,
            jax.tree.map(lambda x: x[:, :-1], self.unrolls.observation),
            self.unrolls.first[:, :-1],
            agent.initial_state(9),
        )
        self.expected = np.asarray(output.logits)

    def test_slices_equal_one_long_pass(self):
        server = self._serve([[self.folder]])
        self.assertTrue(self.unrolls.first[:, 2:-1].any())
        for index in range(3):
            unroll = _one(self.unrolls, index)
            logits, mask, state = self._label(server, unroll, 0, 2)
            second, _, _ = self._label(server, unroll, 2, LENGTH, state)
            self.assertEqual(logits.shape, (1, 2, 3))
            np.testing.assert_array_equal(mask, np.ones((1, 2)))
            np.testing.assert_allclose(
                np.concatenate([logits[0], second[0]]),
                self.expected[index],
                rtol=1e-4,
                atol=1e-5,
            )

    def test_forgetting_the_state_would_be_seen(self):
        server = self._serve([[self.folder]])
        index = int(np.flatnonzero(~self.unrolls.first[:, 2])[0])
        forgotten, _, _ = self._label(server, _one(self.unrolls, index), 2, LENGTH)
        difference = np.abs(forgotten[0, 0] - self.expected[index, 2]).max()
        self.assertGreater(difference, 1e-3)

    def test_replicas_give_the_same_answer(self):
        one, other = self._serve([[self.folder]]), self._serve([[self.folder]])
        unroll = _one(self.unrolls, 0)
        logits, _, state = self._label(one, unroll, 0, 3)
        again, _, _ = self._label(other, unroll, 0, 3)
        np.testing.assert_array_equal(logits, again)
        np.testing.assert_array_equal(
            self._label(one, unroll, 3, LENGTH, state)[0],
            self._label(other, unroll, 3, LENGTH, state)[0],
        )
        self.assertEqual([leaf.shape for leaf in state[0]], [(8,), (8,)])

    def test_many_callers_are_answered_in_batches(self):
        server = self._serve([[self.folder]], running=False)
        with futures.ThreadPoolExecutor(9) as pool:
            answers = [
                pool.submit(self._label, server, _one(self.unrolls, index), 0, LENGTH)
                for index in range(9)
            ]
            # All nine wait before the server begins.
            while server._requests.qsize() < 9:
                time.sleep(0.01)
            self.thread.start()
            for index, answer in enumerate(answers):
                np.testing.assert_allclose(
                    answer.result(60)[0][0], self.expected[index], rtol=1e-4, atol=1e-5
                )
        self.assertEqual(
            server.counters(), {"teacher_batches": 1.0, "teacher_batch_size": 9.0}
        )

    def test_any_batch_size_is_padded_to_few(self):
        teacher = teachers.CheckpointTeacher(self.folder)
        observation = jax.tree.map(lambda x: x[:, :-1], self.unrolls.observation)
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
        self.assertEqual(teacher._unroll._cache_size(), 2)

    def test_more_than_the_largest_batch(self):
        teacher = teachers.CheckpointTeacher(self.folder)
        many = _unrolls(33)
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


class ObjectTeacherServerTest(ServerTestCase):
    def test_state_goes_round(self):
        server = self._serve([[f"{__name__}:EchoTeacher"]])
        unroll = _one(_unrolls(1), 0)
        unroll = unroll._replace(first=np.arange(LENGTH + 1) == 4)
        logits, _, state = self._label(server, unroll, 0, 3)
        np.testing.assert_array_equal(logits[0, :, 1], [0, 1, 2])
        logits, _, state = self._label(server, unroll, 3, LENGTH, state)
        np.testing.assert_array_equal(logits[0, :, 1], [3, 0, 1])
        np.testing.assert_array_equal(
            logits[0, :, 2], unroll.observation.last_action[3:LENGTH]
        )
        self.assertEqual([leaf.tolist() for leaf in state[0]], [[3.0, 3.0], 2])

    def test_each_task_has_its_own_teachers(self):
        echo, stateless = (
            f"{__name__}:{name}" for name in ("EchoTeacher", "StatelessTeacher")
        )
        server = self._serve([[stateless], [echo, stateless], []], num_teachers=2)
        unroll = _one(_unrolls(1), 0)._replace(first=np.zeros(LENGTH + 1, bool))
        _, mask, state = self._label(server, unroll, 0, 2, task=0)
        np.testing.assert_array_equal(mask, [[1, 1], [0, 0]])
        self.assertEqual(state, [[]])
        logits, mask, state = self._label(server, unroll, 0, 2, task=1)
        np.testing.assert_array_equal(mask, [[1, 1], [1, 1]])
        np.testing.assert_array_equal(logits[0, :, 1], [0, 1])
        np.testing.assert_array_equal(logits[1], np.zeros((2, 3)))
        self.assertEqual([len(leaves) for leaves in state], [2, 0])
        logits, mask, state = self._label(server, unroll, 0, 2, task=2)
        self.assertFalse(mask.any())
        self.assertEqual(state, [])

    def test_a_failure_is_told_to_its_caller_alone(self):
        server = self._serve([[f"{__name__}:StatelessTeacher"]])
        unroll = _one(_unrolls(1), 0)
        bad = unroll._replace(
            observation=unroll.observation._replace(
                last_action=np.full(LENGTH + 1, 99, np.int32)
            )
        )
        with self.assertRaisesRegex(RuntimeError, "does not like 99"):
            self._label(server, bad, 0, 2)
        self._label(server, unroll, 0, 2)

    def test_the_server_ends_when_told(self):
        self._serve([[f"{__name__}:StatelessTeacher"]])
        self.stop.set()
        self.thread.join(20)
        self.assertFalse(self.thread.is_alive())

    def test_a_call_that_comes_with_the_stop_is_let_go_unanswered(self):
        server = self._serve([[f"{__name__}:StatelessTeacher"]])
        unroll = _one(_unrolls(1), 0)
        _, answered, states = self._label(server, unroll, 0, 2)
        np.testing.assert_array_equal(answered, 1)
        self.stop.set()
        self.thread.join(20)
        start = time.monotonic()
        logits, answered, after = self._label(server, unroll, 2, 4, states)
        self.assertLess(time.monotonic() - start, 10)
        np.testing.assert_array_equal(answered, np.zeros((1, 2)))
        np.testing.assert_array_equal(logits, 0)
        jax.tree.map(np.testing.assert_array_equal, after, states)


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
        teacher = EchoTeacher()
        teachers.check_matches("echo", teacher, SPEC)
        other = base.EnvironmentSpec((3, 3, 3), 0, ("left", "jump"), 1)
        with self.assertRaisesRegex(teacher_files.TeacherError, "jump") as caught:
            teachers.check_matches("echo", teacher, other)
        self.assertIn("'stay'", str(caught.exception))
        self.assertNotIn("\n", str(caught.exception))

    def test_a_checkpoint_is_refused_where_the_frames_differ(self):
        folder = os.path.join(self.create_tempdir().full_path, "teacher")
        save_teacher(folder)
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
        return ring.small_config(tasks=("a:1", "a:2"), kickstarting=kickstarting)

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


class RemoteTeacherTest(absltest.TestCase):
    def test_replicas_are_asked_in_turn_without_the_last_observation(self):
        calls = []

        class Client:
            def __init__(self, name: str) -> None:
                self.name = name
                self.futures = self

            def label(self, *arguments):
                calls.append((self.name, arguments))
                return self.name

        remote = teachers.RemoteTeacher([Client("one"), Client("two")])
        unroll = _one(_unrolls(1), 0)
        answers = [remote.label(4, unroll, "state") for _ in range(3)]
        self.assertEqual(answers, ["one", "two", "one"])
        task, *arrays, state = calls[0][1]
        self.assertEqual((task, state), (4, "state"))
        self.assertEqual({len(array) for array in arrays}, {LENGTH})
        np.testing.assert_array_equal(arrays[0], unroll.observation.pixels[:-1])
        np.testing.assert_array_equal(arrays[-1], unroll.first[:-1])


def setUpModule():
    ring.compile_quickly()


if __name__ == "__main__":
    absltest.main()
