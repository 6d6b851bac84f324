"""Tests of the one name for every environment."""

import math
import subprocess
import sys
from importlib import metadata
from unittest import mock

import numpy as np
from absl.testing import absltest, parameterized

from kickstarting.environments import base, suites
from kickstarting.environments.doom import doom
from kickstarting.environments.stepping import workers


def _settings(*tasks: str, action_repeat: int = 4) -> list[base.TaskSettings]:
    return [
        base.TaskSettings(task, seed, action_repeat) for seed, task in enumerate(tasks)
    ]


class SuitesTest(parameterized.TestCase):
    @parameterized.parameters(
        ("doom:my_way_home", ("doom", "my_way_home")),
        ("gym:ALE/Pong-v5", ("gym", "ALE/Pong-v5")),
        ("xland:MiniGrid-FourRooms", ("xland", "MiniGrid-FourRooms")),
    )
    def test_splits_tasks(self, task: str, parts: tuple[str, str]) -> None:
        self.assertEqual(suites.split_task(task), parts)

    @parameterized.parameters(
        ("my_way_home", "must be suite:level"),
        ("doom:", "must be suite:level"),
        ("", "must be suite:level"),
        ("dom:basic", "mean 'doom'"),
        ("doom:my_way_hom", "mean 'my_way_home'"),
        ("gym:MiniGrid-DoorKey-5x5-v1", "mean 'MiniGrid-DoorKey-5x5-v0'"),
        ("xland:DoorKey-5x5", "mean 'MiniGrid-DoorKey-5x5'"),
        ("dmlab3:rooms_watermaze", "mean 'dmlab30'"),
        ("dmlab30:rooms_watermase", "mean 'rooms_watermaze'"),
    )
    def test_unknown_tasks_are_refused_in_one_line(
        self, task: str, message: str
    ) -> None:
        for refuse in (
            lambda: suites.environment_spec(task, 1),
            lambda: suites.make_environment(base.TaskSettings(task, 1)),
            lambda: suites.make_batch(_settings(task), 1, 5),
        ):
            with self.assertRaisesRegex(base.EnvironmentConfigError, message) as caught:
                refuse()
            self.assertNotIn("\n", str(caught.exception))

    @parameterized.parameters(
        "doom:basic", "gym:MiniGrid-DoorKey-5x5-v0", "xland:MiniGrid-Empty-5x5"
    )
    def test_makes_environments_of_their_spec(self, task: str) -> None:
        environment = suites.make_environment(base.TaskSettings(task, 1, 2))
        self.addCleanup(environment.close)
        self.assertEqual(environment.spec, suites.environment_spec(task, 2))
        environment.action_spec().validate(np.int32(0))
        timestep = environment.reset()
        for name, spec in environment.observation_spec().items():
            spec.validate(timestep.observation[name])

    def test_levels_can_be_made(self) -> None:
        self.assertEqual(suites.levels("doom"), doom.LEVELS)
        for suite in suites.SUITES:
            self.assertNotEmpty(suites.levels(suite))
        with self.assertRaises(base.EnvironmentConfigError):
            suites.levels("atari")

    def test_batch_runs_workers_of_several_tasks(self) -> None:
        batch = suites.make_batch(_settings("doom:basic", "doom:take_cover"), 1, 2)
        self.addCleanup(batch.close)
        self.assertIsInstance(batch, workers.WorkerBatch)
        self.assertEqual(batch.pixels.shape, (2, 1, 3, 72, 96, 3))
        batch.start()
        ready: set[int] = set()
        while len(ready) < 2:
            fresh = batch.wait(40.0).tolist()
            self.assertNotEmpty(fresh)
            ready |= set(fresh)
        self.assertGreater(batch.pixels[:, 0, 0].std(), 1)
        self.assertEqual(batch.pixels[:, 0, 1:].max(), 0)

    def test_workers_share_neither_jax_nor_what_others_wrote(self) -> None:
        mixed = suites._preloaded({"xland", "doom", "gym"})
        self.assertContainsSubset({"vizdoom", "gymnasium", "minigrid"}, mixed)
        self.assertNoCommonElements(["xminigrid", suites._MODULES["xland"]], mixed)
        # Gymnasium would import it with itself.
        plugin = metadata.EntryPoint("others", "others", "gymnasium.envs")
        with mock.patch.object(metadata, "entry_points", return_value=[plugin]):
            self.assertNotIn("gymnasium", suites._preloaded({"gym"}))
            self.assertIn("vizdoom", suites._preloaded({"doom"}))

    def test_xland_is_one_batch_in_this_process(self) -> None:
        tasks = ("xland:MiniGrid-Empty-5x5", "xland:MiniGrid-FourRooms")
        batch = suites.make_batch(_settings(*tasks, action_repeat=1), 2, 5)
        self.assertNotIsInstance(batch, workers.WorkerBatch)
        self.assertEqual(batch.pixels.shape, (2, 2, 6, 7, 7, 2))

    @parameterized.parameters(
        (("doom:basic", "gym:MiniGrid-DoorKey-5x5-v0"), "frame_shape"),
        (("doom:basic", "xland:MiniGrid-FourRooms"), "frame_shape"),
        (("xland:MiniGrid-MemoryS8", "xland:MiniGrid-FourRooms"), "frame_shape"),
    )
    def test_tasks_of_different_specs_do_not_mix(
        self, tasks: tuple[str, str], difference: str
    ) -> None:
        with self.assertRaisesRegex(base.EnvironmentConfigError, difference) as caught:
            suites.make_batch(_settings(*tasks), 1, 5)
        self.assertNotIn("\n", str(caught.exception))

    def test_action_repeats_do_not_mix(self) -> None:
        settings = [base.TaskSettings("doom:basic", 1, each) for each in (1, 4)]
        with self.assertRaisesRegex(base.EnvironmentConfigError, "action_repeat 1"):
            suites.make_batch(settings, 1, 5)

    def test_other_suites_have_one_action_set(self) -> None:
        with self.assertRaisesRegex(base.EnvironmentConfigError, "has one action set"):
            suites.environment_spec("doom:basic", 4, "extended")

    def test_empty_batch_is_refused(self) -> None:
        with self.assertRaisesRegex(base.EnvironmentConfigError, "at least one"):
            suites.make_batch([], 1, 5)

    def test_doom_specs_load_no_engine(self) -> None:
        program = (
            "import sys\n"
            "from kickstarting.environments import suites\n"
            "suites.environment_spec('doom:basic')\n"
            "print(sorted({'jax', 'vizdoom', 'cv2', 'gymnasium'} & set(sys.modules)))\n"
        )
        printed = subprocess.check_output([sys.executable, "-c", program], text=True)
        self.assertEqual(printed.strip(), "[]")


class ReferenceScoresTest(parameterized.TestCase):
    @parameterized.parameters(*doom.LEVELS)
    def test_doom_has_measured_scores(self, level: str) -> None:
        score = suites.reference_score(f"doom:{level}")
        assert score is not None
        self.assertGreater(score.reference, score.random)
        self.assertIn("measure_random_scores --suite=doom", score.source)
        self.assertNotIn("\n", score.source)

    def test_every_score_is_finite_and_sure_enough(self) -> None:
        for task, entry in suites._reference_scores().items():
            with self.subTest(task):
                self.assertTrue(math.isfinite(entry["random"]))
                self.assertTrue(math.isfinite(entry["reference"]))
                self.assertGreater(entry["reference"], entry["random"])
                if "published" in entry["random_source"]:
                    continue
                self.assertGreaterEqual(entry["random_episodes"], 100)
                span = entry["reference"] - entry["random"]
                self.assertLess(entry["random_standard_error"], 0.05 * span)

    def test_every_scored_level_can_be_played(self) -> None:
        for task in suites._reference_scores():
            with self.subTest(task):
                suite, level = suites.split_task(task)
                self.assertIn(level, suites.levels(suite))

    @parameterized.parameters(
        "gym:MiniGrid-DoorKey-5x5-v0",
        "gym:BabyAI-GoToLocal-v0",
        "xland:MiniGrid-FourRooms",
    )
    def test_grids_are_scored_up_to_their_greatest_reward(self, task: str) -> None:
        score = suites.reference_score(task)
        assert score is not None
        self.assertEqual(score.reference, 1.0)
        self.assertBetween(score.random, 0, 0.5)
        self.assertIn("upper bound by construction", score.source)
        self.assertIn("--action_repeat=1", score.source)
        self.assertNotIn("\n", score.source)

    def test_unknown_scores_are_none(self) -> None:
        self.assertIsNone(suites.reference_score("gym:Nobody-Measured-v0"))

    def test_unknown_suites_are_refused(self) -> None:
        with self.assertRaises(base.EnvironmentConfigError):
            suites.reference_score("dom:basic")


if __name__ == "__main__":
    absltest.main()
