"""Every experiment of the catalogue is one that can be run."""

import pathlib
from collections.abc import Callable
from typing import Any

from absl import flags
from absl.testing import absltest, flagsaver, parameterized

from experiments import catalogue
from experiments.results import scoring
from experiments.training import Training
from kickstarting.config import run as config_lib
from launch.flags import run as train_flags

_RECORDS = {file.stem for file in pathlib.Path("docs/records/experiments").iterdir()}
# Trained with the defaults of today, whose records may not all be there yet.
_OF_TODAY = ("halfway_",)
# Of launch.train at 38afb0c, whatever the suite.
_DEFAULTS_THEN: tuple[tuple[str, Callable[[config_lib.Config], Any], Any], ...] = (
    ("--action_repeat", lambda run: run.action_repeat, 4),
    ("--unroll_length", lambda run: run.unroll_length, 32),
    ("--batch_size", lambda run: run.batch_size, 8),
    ("--learning_rate", lambda run: run.optimiser.learning_rate, 5e-4),
    ("--anneal", lambda run: run.optimiser.anneal, True),
    ("--entropy_cost", lambda run: run.loss.entropy_cost, 0.013),
    ("--reward_clipping", lambda run: run.resolved_loss.reward_clipping, "abs_one"),
    ("--reward_scales", lambda run: run.resolved_loss.reward_scales, ()),
    ("--vtrace_lambda", lambda run: run.loss.vtrace_lambda, 0.95),
    ("--kickstarting_weight", lambda run: run.kickstarting.weight, 4.0),
)


def _config(training: Training) -> config_lib.Config:
    """Returns the configuration that launch.train would build."""
    with flagsaver.flagsaver():
        flags.FLAGS(["launch.train", *training.arguments("results")])
        return train_flags.config_from_flags()


def _with_teachers(training: Training) -> list[Training]:
    """Returns a training and those of its teachers, and theirs."""
    found = [training]
    for teacher in training.teachers:
        if teacher.training is not None:
            found += _with_teachers(teacher.training)
    return found


class CatalogueTest(parameterized.TestCase):
    @parameterized.parameters(*catalogue.names())
    def test_each_declares_runs_that_differ(self, name: str) -> None:
        experiment = catalogue.load(name)
        trainings = [training for _, training in experiment.trainings()]
        self.assertLen({each.key for each in trainings}, len(trainings))
        for task in experiment.tasks:
            scoring.capped_scores(task, 0.0)
        self.assertTrue(experiment.shows.endswith("?"))

    @parameterized.parameters(*catalogue.names())
    def test_published_runs_are_known_and_have_their_settings(self, name: str) -> None:
        experiment = catalogue.load(name)
        if not experiment.published:
            self.assertTrue(name.startswith(_OF_TODAY), name)
            return
        for _, training in experiment.trainings():
            self.assertIn(training.key, _RECORDS)
            for each in _with_teachers(training):
                said = {flag.partition("=")[0] for flag in each.flags}
                config = _config(each)
                for flag, read, expected in _DEFAULTS_THEN:
                    if flag not in said:
                        self.assertEqual(read(config), expected, flag)

    @parameterized.parameters(*catalogue.names())
    def test_launch_train_takes_its_flags(self, name: str) -> None:
        experiment = catalogue.load(name, seeds=(1,))
        for _, training in experiment.trainings():
            # What is trained first stands nowhere yet.
            for each in _with_teachers(training):
                config = _config(each)
                self.assertEqual(config.tasks, each.tasks)
                self.assertEqual(config.total_frames, each.total_frames)

    @parameterized.parameters(*catalogue.names())
    def test_conditions_differ_in_what_they_say_alone(self, name: str) -> None:
        experiment = catalogue.load(name, seeds=(7,))
        for condition, training in experiment.trainings():
            self.assertEqual((training.seed, training.tasks), (7, experiment.tasks))
            self.assertContainsSubset(experiment.flags, training.flags)
            self.assertEqual(training.teachers, condition.teachers)

    def test_an_unknown_name_is_refused_with_the_nearest(self) -> None:
        with self.assertRaisesRegex(
            config_lib.ConfigError, "no experiment 'doom_multitask'.*doom_multi_task"
        ):
            catalogue.load("doom_multitask")


if __name__ == "__main__":
    absltest.main()
