"""Every experiment of the catalogue is one that can be run."""

from absl import flags
from absl.testing import absltest, flagsaver, parameterized

from experiments import catalogue
from experiments.results import scoring
from experiments.training import Training
from kickstarting.config import run as config_lib
from launch.flags import run as train_flags


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
