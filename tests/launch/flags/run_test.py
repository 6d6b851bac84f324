"""What flags that are not given become."""

from absl.testing import absltest, flagsaver, parameterized

from kickstarting.config import run as config_lib
from kickstarting.environments import suites
from launch.flags import run as launch_flags
from launch.nodes import actor as actor_node

_THIRTY = [f"doom:{number}" for number in range(30)]


class TasksTest(parameterized.TestCase):
    def test_a_whole_suite(self):
        with flagsaver.flagsaver(tasks=["doom:all"]):
            run = launch_flags.config_from_flags()
        self.assertEqual(
            run.tasks, tuple(f"doom:{level}" for level in suites.levels("doom"))
        )
        self.assertGreaterEqual(len(run.tasks), 9)

    @parameterized.parameters(
        (["doom:basic"], "runs/doom_basic_seed1"),
        (["doom:basic", "doom:take_cover"], "runs/doom_basic_and_1_more_seed1"),
    )
    def test_a_run_is_named_after_its_tasks(self, tasks, expected):
        with flagsaver.flagsaver(tasks=tasks):
            self.assertEqual(launch_flags.config_from_flags().logdir, expected)


class EnvironmentsTest(parameterized.TestCase):
    @parameterized.parameters(
        # (tasks, flags, environments of an actor)
        (4, {}, 16),
        (30, {}, 30),
        (30, {"num_actors": 150}, 16),
        (30, {"num_actors": 2}, 75),
        (30, {"environments_per_task": 5}, 150),
        (4, {"environments_per_task": 2}, 8),
        (4, {"environments_per_actor": 5}, 5),
    )
    def test_environments_of_an_actor(self, num_tasks, given, expected):
        with flagsaver.flagsaver(tasks=_THIRTY[:num_tasks], **given):
            run = launch_flags.config_from_flags()
        self.assertEqual(run.environments_per_actor, expected)

    def test_both_are_refused(self):
        with (
            flagsaver.flagsaver(environments_per_actor=5, environments_per_task=5),
            self.assertRaisesRegex(config_lib.ConfigError, "exclude each other"),
        ):
            launch_flags.config_from_flags()

    def test_tasks_are_dealt_evenly_over_all_actors(self):
        with flagsaver.flagsaver(
            tasks=_THIRTY, num_actors=4, environments_per_task=5, seed=3
        ):
            run = launch_flags.config_from_flags()
        dealt: list[int] = []
        seeds: set[int] = set()
        for actor in range(run.num_actors):
            tasks, settings = actor_node.environment_settings(run, actor, 0)
            dealt.extend(tasks.tolist())
            seeds.update(each.seed for each in settings)
            self.assertEqual(
                [each.task for each in settings], [_THIRTY[task] for task in tasks]
            )
        counts = [dealt.count(task) for task in range(30)]
        self.assertGreaterEqual(min(counts), 5)
        self.assertLessEqual(max(counts) - min(counts), 1)
        self.assertLen(seeds, len(dealt))


if __name__ == "__main__":
    absltest.main()
