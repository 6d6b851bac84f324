"""A training's key is of what decides its outcome, and of that alone."""

import dataclasses
import os
import pathlib

from absl import flags
from absl.testing import absltest, flagsaver, parameterized

from experiments.training import Teacher, Training
from kickstarting.config import run as config_lib
from launch.flags import run as train_flags

_SHIPPED = "teachers/doom/defend_the_line"
_BASE = Training(("doom:basic",), seed=3, total_frames=10_000)


def _config(training: Training) -> config_lib.Config:
    """Returns the configuration that launch.train would build."""
    with flagsaver.flagsaver():
        flags.FLAGS(["launch.train", *training.arguments("results")])
        return train_flags.config_from_flags()


class KeyTest(parameterized.TestCase):
    def test_equal_declarations_are_one_run(self) -> None:
        again = Training(("doom:basic",), seed=3, total_frames=10_000)
        self.assertEqual(again.key, _BASE.key)
        self.assertEqual(again.logdir("results"), _BASE.logdir("results"))

    @parameterized.parameters(
        {"tasks": ("doom:basic", "doom:take_cover")},
        {"seed": 4},
        {"total_frames": 20_000},
        {"flags": ("--discount=0.9",)},
        {"teachers": (Teacher(_SHIPPED),)},
        {"teachers": (Teacher("module:factory"),)},
        {"teachers": (Teacher(_BASE),)},
        {"evaluation_episodes": 30},
        {"published": True},
    )
    def test_whatever_decides_the_outcome_makes_another_run(self, **changed) -> None:
        other = dataclasses.replace(_BASE, **changed)
        self.assertNotEqual(other.key, _BASE.key)
        self.assertNotEqual(other.logdir("results"), _BASE.logdir("results"))

    def test_teachers_are_told_apart_by_task_and_by_their_own_training(self) -> None:
        teachers = [
            Teacher(_BASE),
            Teacher(_BASE, "doom:basic"),
            Teacher(dataclasses.replace(_BASE, seed=9)),
            Teacher(_SHIPPED),
            Teacher("teachers/doom"),
        ]
        keys = {dataclasses.replace(_BASE, teachers=(each,)).key for each in teachers}
        self.assertLen(keys, len(teachers))

    def test_other_weights_in_the_same_folder_are_another_teacher(self) -> None:
        folder = pathlib.Path(self.create_tempdir().full_path)
        (folder / "card.json").write_text("{}")
        (folder / "weights.npz").write_bytes(b"first")
        taught = dataclasses.replace(_BASE, teachers=(Teacher(str(folder)),))
        before = taught.key
        (folder / "weights.npz").write_bytes(b"second")
        self.assertNotEqual(taught.key, before)

    def test_a_moved_teacher_is_the_same(self) -> None:
        keys = []
        for name in ("here", "there"):
            folder = pathlib.Path(self.create_tempdir().full_path, name)
            folder.mkdir()
            (folder / "card.json").write_text("{}")
            (folder / "weights.npz").write_bytes(b"the same")
            taught = dataclasses.replace(_BASE, teachers=(Teacher(str(folder)),))
            keys.append(taught.key)
        self.assertEqual(*keys)


class ArgumentsTest(parameterized.TestCase):
    def test_say_what_the_run_is(self) -> None:
        training = dataclasses.replace(
            _BASE, flags=("--batch_size=2",), evaluation_episodes=7
        )
        config = _config(training)
        self.assertEqual(config.tasks, ("doom:basic",))
        self.assertEqual((config.seed, config.total_frames), (3, 10_000))
        self.assertEqual((config.batch_size, config.evaluation_episodes), (2, 7))
        self.assertEqual(config.logdir, training.logdir("results"))
        self.assertEmpty(config.kickstarting.teachers)

    def test_own_flags_go_over_those_of_what_is_published(self) -> None:
        grid = dataclasses.replace(_BASE, tasks=("gym:MiniGrid-Empty-5x5-v0",))
        self.assertEqual(_config(grid).action_repeat, 1)
        published = dataclasses.replace(
            grid, flags=("--batch_size=2", "--noanneal"), published=True
        )
        config = _config(published)
        self.assertEqual((config.action_repeat, config.batch_size), (4, 2))
        self.assertFalse(config.optimiser.anneal)

    def test_name_the_teachers(self) -> None:
        tasks = ("doom:basic", "doom:take_cover")
        expert = dataclasses.replace(_BASE, seed=101)
        training = Training(
            tasks,
            seed=1,
            total_frames=10_000,
            teachers=(Teacher("some.module:make"), Teacher(expert, "doom:take_cover")),
        )
        self.assertEqual(
            _config(training).kickstarting.teachers,
            (
                ("doom:basic", "some.module:make"),
                ("doom:take_cover", expert.teacher_folder("results")),
            ),
        )

    def test_the_folder_says_what_a_person_looks_for(self) -> None:
        folder = os.path.basename(_BASE.logdir("results"))
        self.assertStartsWith(folder, "doom_basic_from_scratch_seed3_")
        many = dataclasses.replace(
            _BASE,
            tasks=("doom:basic", "doom:take_cover"),
            teachers=(Teacher("some.module:make"),),
        )
        self.assertStartsWith(
            os.path.basename(many.logdir("results")), "doom_2_tasks_taught_seed3_"
        )


if __name__ == "__main__":
    absltest.main()
