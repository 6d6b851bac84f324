"""What an experiment declares becomes runs, whole or quick."""

import dataclasses

from absl.testing import absltest, parameterized

from experiments.experiment import Condition, Experiment
from experiments.training import Teacher, Training
from kickstarting.config import run as config_lib

_TEACHER = Training(("doom:basic",), seed=101, total_frames=4_000)
_EXPERIMENT = Experiment(
    title="An experiment",
    shows="What?",
    tasks=("doom:basic",),
    total_frames=1_000,
    seeds=(1, 2),
    flags=("--batch_size=2",),
    conditions=(
        Condition("from scratch"),
        Condition(
            "taught", ("--core_size=8",), (Teacher(_TEACHER),), weaned_share=0.25
        ),
    ),
    evaluation_episodes=5,
)


class TrainingsTest(parameterized.TestCase):
    def test_every_condition_with_every_seed(self) -> None:
        found = [(one.label, run.seed) for one, run in _EXPERIMENT.trainings()]
        self.assertEqual(
            found,
            [("from scratch", 1), ("taught", 1), ("from scratch", 2), ("taught", 2)],
        )

    def test_a_run_has_the_flags_of_both_and_the_schedule(self) -> None:
        run = _EXPERIMENT.training(_EXPERIMENT.conditions[1], 2)
        self.assertEqual(
            run,
            Training(
                tasks=("doom:basic",),
                seed=2,
                total_frames=1_000,
                flags=(
                    "--batch_size=2",
                    "--core_size=8",
                    "--kickstarting_schedule=linear",
                    "--kickstarting_end_frames=250",
                ),
                teachers=(Teacher(_TEACHER),),
                evaluation_episodes=5,
            ),
        )

    def test_quick_shortens_teachers_and_schedules_too(self) -> None:
        experiment = dataclasses.replace(_EXPERIMENT, total_frames=4_000_000)
        quick = experiment.quick()
        runs = list(quick.trainings())
        self.assertLen(runs, 2)
        taught = runs[1][1]
        self.assertEqual(taught.total_frames, 200_000)
        self.assertIn("--kickstarting_end_frames=50000", taught.flags)
        teacher = taught.teachers[0].training
        assert teacher is not None
        self.assertEqual(teacher.total_frames, 200)
        self.assertNotEqual(taught.key, experiment.training(runs[1][0], 1).key)

    @parameterized.parameters((1_000, 1_000), (300_000, 75_000), (1_500_000, 75_000))
    def test_quick_students_still_have_episodes(self, frames, quick_frames) -> None:
        quick = dataclasses.replace(_EXPERIMENT, total_frames=frames).quick()
        self.assertEqual(quick.total_frames, quick_frames)


class RefusalTest(parameterized.TestCase):
    @parameterized.parameters(
        ({"seeds": ()}, "has no seeds"),
        ({"tasks": ()}, "has no tasks"),
        ({"conditions": ()}, "has no conditions"),
        ({"seeds": (1, 1)}, "names a seed twice"),
        ({"conditions": (Condition("a"), Condition("a"))}, "share a label"),
    )
    def test_slips_of_the_pen(self, changed, message) -> None:
        with self.assertRaisesRegex(config_lib.ConfigError, message):
            dataclasses.replace(_EXPERIMENT, **changed)


if __name__ == "__main__":
    absltest.main()
