"""What teachers' values mean, whose are refused, and which are whose task's."""

import dataclasses
import json
import os
import threading
from concurrent import futures

import jax
import numpy as np
from absl.testing import absltest, parameterized

from kickstarting.config import agent as agent_config
from kickstarting.config import run as config
from kickstarting.teaching import cards as teacher_cards
from kickstarting.teaching import server as teacher_server
from kickstarting.teaching import teachers
from kickstarting.teaching import values as teacher_values
from tests import background, small_ring, small_teachers

_TASKS = ("gym:one", "gym:other")
_MEANING = teacher_cards.ValueMeaning(discount=0.99, reward_clipping="abs_one")


def setUpModule():
    small_ring.compile_quickly()


def _run(teacher: str, cost: float = 1.0, **loss) -> config.Config:
    return small_ring.small_config(
        tasks=("gym:one",),
        loss=agent_config.LossConfig(value_distillation_cost=cost, **loss),
        kickstarting=config.KickstartingConfig(
            teachers=(("gym:one", teacher),), schedule="constant"
        ),
    )


class OfRunTest(parameterized.TestCase):
    def _of(self, kickstarting=None, frames=0, **fields):
        run = small_ring.small_config(
            tasks=fields.pop("tasks", ("gym:one",)),
            loss=agent_config.LossConfig(**fields),
            kickstarting=kickstarting or config.KickstartingConfig(),
        )
        return teacher_values.of_run(
            json.loads(json.dumps(dataclasses.asdict(run))), frames
        )

    @parameterized.parameters(
        ("auto", "gym:one", "abs_one"),
        ("auto", "dmlab:one", "soft_asymmetric"),
        ("none", "dmlab:one", "none"),
    )
    def test_returns_are_discounted_and_clipped_as_in_the_run(
        self, clipping, task, resolved
    ):
        self.assertEqual(
            self._of(tasks=(task,), discount=0.9, reward_clipping=clipping),
            teacher_cards.ValueMeaning(0.9, resolved),
        )

    def test_a_discount_that_rises_is_what_it_was_at_the_checkpoint(self):
        rising = {"discount": 0.9, "final_discount": 0.99, "discount_end_frames": 1000}
        found = [self._of(frames=each, **rising).discount for each in (0, 500, 1000)]
        np.testing.assert_allclose(found, [0.9, 1 - 0.1**1.5, 0.99])

    @parameterized.parameters(
        ({"use": "distillation"}, {}),
        ({}, {"reinforcement": False}),
        ({}, {"baseline_cost": 0.0}),
        ({}, {"distillation_form": "expected_entropy"}),
    )
    def test_a_critic_of_other_returns_means_nothing(self, kickstarting, loss):
        of_teacher = config.KickstartingConfig(
            teachers=(("gym:one", "any"),), schedule="constant", **kickstarting
        )
        self.assertIsNone(self._of(of_teacher, **loss))

    def test_rewards_are_scaled_as_in_the_run(self):
        scales = (("gym:one", 0.1), ("gym:other", 1.0))
        self.assertEqual(
            self._of(tasks=_TASKS, reward_scales=scales).reward_scales,
            (("gym:one", 0.1),),
        )

    def test_an_older_run_says_nothing(self):
        self.assertIsNone(teacher_values.of_run({"tasks": ["gym:one"], "loss": {}}, 0))


class RefusalTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = os.path.join(self.create_tempdir().full_path, "teacher")

    def _check(self, run: config.Config, spec=small_teachers.SPEC, task="gym:one"):
        name = run.teachers_of_task[0][0]
        teacher_values.check(run, spec, task, name, teachers.load(name))

    def _assert_refused(self, message: str, *arguments, **fields):
        with self.assertRaisesRegex(teacher_cards.TeacherError, message) as caught:
            self._check(*arguments, **fields)
        self.assertNotIn("\n", str(caught.exception))

    def test_values_of_the_same_returns_pass(self):
        small_teachers.save(self.folder, tasks=_TASKS, value=_MEANING)
        self._check(_run(self.folder))
        meaning = dataclasses.replace(_MEANING, reward_scales=(("gym:one", 0.1),))
        scaled = f"{self.folder}_scaled"
        small_teachers.save(scaled, tasks=_TASKS, value=meaning)
        self._check(_run(scaled, reward_scales=(("gym:one", 0.1),)))

    def test_values_of_other_returns_are_refused(self):
        small_teachers.save(self.folder, tasks=_TASKS, value=_MEANING)
        self._assert_refused("--discount=0.5", _run(self.folder, discount=0.5))
        self._assert_refused(
            "--reward_clipping=none", _run(self.folder, reward_clipping="none")
        )
        self._assert_refused(
            "--reward_scales=gym:one=1 .*--reward_scales=gym:one=0.1 ",
            _run(self.folder, reward_scales=(("gym:one", 0.1),)),
        )
        slower = dataclasses.replace(small_teachers.SPEC, action_repeat=4)
        self._assert_refused("--action_repeat=4", _run(self.folder), slower)
        self._assert_refused(
            "not of gym:third: choose", _run(self.folder), task="gym:third"
        )

    def test_who_says_nothing_of_values_is_refused_only_where_they_are_learned(self):
        small_teachers.save(self.folder)
        for name, message in (
            (self.folder, "does not say what its values mean"),
            (small_teachers.ECHO, "gives no values to learn"),
        ):
            self._assert_refused(message, _run(name))
            self._check(_run(name, cost=0.0))
            with self.assertRaisesRegex(teacher_cards.TeacherError, message):
                teacher_server.TeacherServer([[name]], 1, valued_tasks=["gym:one"])


class ServerTest(absltest.TestCase):
    def test_each_task_is_answered_with_its_own_value(self):
        folder = os.path.join(self.create_tempdir().full_path, "teacher")
        network = agent_config.NetworkConfig(core_size=8, num_values=2)
        small_teachers.save(folder, network=network, tasks=_TASKS, value=_MEANING)
        single = os.path.join(self.create_tempdir().full_path, "single")
        small_teachers.save(single, seed=1, tasks=_TASKS, value=_MEANING)
        # The server's tasks are in another order than the card's.
        server = teacher_server.TeacherServer(
            [[folder, single], [single, folder]], 2, valued_tasks=_TASKS[::-1]
        )
        unroll = small_teachers.unrolls(1, 6)
        observation = jax.tree.map(lambda x: x[:, :-1], unroll.observation)
        first = unroll.first[:, :-1]
        expected = {}
        for name in (folder, single):
            teacher = teachers.CheckpointTeacher(name)
            logits, values, _ = teacher.label_with_values(
                observation, first, teacher.initial_state(1)
            )
            alone, _ = teacher.label(observation, first, teacher.initial_state(1))
            np.testing.assert_array_equal(logits, alone)
            expected[name] = values[0]
        stop = threading.Event()
        with futures.ThreadPoolExecutor(4) as pool:
            # Both tasks ask before the server begins: each teacher has one batch.
            answers = [
                pool.submit(
                    server.label,
                    task,
                    np.array([True, wanted]),
                    *(x[0] for x in observation),
                    first[0],
                    None,
                )
                for task, wanted in ((0, True), (1, True), (1, False))
            ]
            while sum(map(len, server._waiting.values())) < 5:
                stop.wait(0.01)
            background.start(self, server.run, stop)
            of_first, of_second, of_one = (answer.result(60)[3] for answer in answers)
        self.assertEqual(server.counters()["teacher_batches"], 2)
        multiple, one = expected[folder], expected[single][:, 0]
        self.assertGreater(np.abs(multiple[:, 0] - multiple[:, 1]).max(), 0.01)
        for answered, values in (
            (of_first, (multiple[:, 1], one)),
            (of_second, (one, multiple[:, 0])),
            (of_one, (one, np.zeros(6))),
        ):
            np.testing.assert_allclose(answered, values, rtol=1e-4, atol=1e-5)


if __name__ == "__main__":
    absltest.main()
