"""A whole ring in one process: what it leaves, how it ends, how it goes on."""

import contextlib
import csv
import dataclasses
import io
import json
import os
import pathlib
import threading
import time
from collections.abc import Callable
from typing import Any
from unittest import mock

import jax
import numpy as np
from absl.testing import absltest, parameterized

from kickstarting.acting.episodes import Episode
from kickstarting.acting.kept_episodes import KeptEpisodes
from kickstarting.config import agent as agent_config
from kickstarting.config import run as config_lib
from kickstarting.environments import base, suites
from kickstarting.environments.xland import xland
from kickstarting.learning.learner import Learner
from kickstarting.reporting import run_files
from kickstarting.ring import evaluations, parts, training
from kickstarting.storage import checkpoints
from kickstarting.teaching.cards import TeacherError
from kickstarting.teaching.server import TeacherServer
from tests import small_ring, small_teachers

TASK = "xland:MiniGrid-Empty-5x5"
FRAMES_PER_UPDATE = 4 * 8
UPDATES = 4
# Every update is a checkpoint.
_AT_ONCE = config_lib.CheckpointConfig(period_minutes=1e-6)
_SECONDS = 120.0


def setUpModule():
    small_ring.compile_quickly()


class RaisingTeacher(small_teachers.EchoTeacher):
    action_names = xland.ACTION_NAMES

    def label(self, observation, first, state):
        raise RuntimeError("its weights are away")


class TrainingTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.logdir = self.create_tempdir().full_path

    def _config(self, **fields: Any) -> config_lib.Config:
        # All of one network and one batch is compiled once for all tests.
        defaults: dict[str, Any] = {
            "tasks": (TASK,),
            "logdir": self.logdir,
            "total_frames": UPDATES * FRAMES_PER_UPDATE,
            "environments_per_actor": 4,
            "unroll_length": 8,
            "batch_size": 4,
            "action_repeat": 1,
            "lockstep": True,
            "evaluation_episodes": 0,
            "show": False,
            "network": agent_config.NetworkConfig(torso="small_grid", core_size=8),
            "checkpoint": _AT_ONCE,
        }
        return config_lib.Config(**{**defaults, **fields})

    def _until(self, condition: Callable[[], bool]) -> threading.Event:
        """Returns an event that is set once the condition holds."""
        event = threading.Event()

        def watch() -> None:
            deadline = time.monotonic() + _SECONDS
            while not condition() and time.monotonic() < deadline:
                time.sleep(0.02)
            event.set()

        threading.Thread(target=watch, daemon=True).start()
        return event

    def _frames(self) -> int:
        """Returns the frames of the newest checkpoint, 0 without one."""
        finished = pathlib.Path(self.logdir, "checkpoints").glob("*/manifest.json")
        return max(
            (int(path.parent.name.split("-")[2]) for path in finished), default=0
        )

    def _rows(self) -> dict[str, np.ndarray]:
        return run_files.read_metrics(self.logdir)

    def test_it_ends_at_total_frames_and_leaves_a_run(self):
        trained = training.train(self._config(evaluation_episodes=3))
        self.assertEqual(trained.frames, UPDATES * FRAMES_PER_UPDATE)
        self.assertEqual(self._frames(), trained.frames)
        self.assertEqual(self._rows()["frames"][-1], trained.frames)
        with open(os.path.join(self.logdir, "config.json"), encoding="utf-8") as file:
            self.assertEqual(json.load(file)["config"]["tasks"], [TASK])
        self.assertEqual(trained.logdir, self.logdir)
        self.assertEqual(list(trained.scores), [TASK])
        self.assertEqual(trained.scores[TASK].episodes, 3)
        # The parameters are those of the checkpoint, as the agent takes them.
        saved = checkpoints.load_params(self.logdir)[0]
        jax.tree.map(np.testing.assert_array_equal, trained.params, saved)
        self.assertEqual(
            jax.tree.structure(trained.params),
            jax.tree.structure(trained.agent.init_params(jax.random.key(0))),
        )
        # And again: there is nothing to do but to evaluate.
        with mock.patch.object(Learner, "run", side_effect=AssertionError):
            again = training.train(self._config())
        jax.tree.map(np.testing.assert_array_equal, again.params, trained.params)
        self.assertEqual(again.frames, trained.frames)

    def test_its_evaluation_goes_on_with_what_is_missing(self):
        run = self._config(evaluation_episodes=3)
        kept = pathlib.Path(self.logdir, "scores.episodes.jsonl")
        whole = KeptEpisodes.keep

        def keep(self: KeptEpisodes, level: str, episode: Episode) -> None:
            whole(self, level, episode)
            raise KeyboardInterrupt

        with (
            mock.patch.object(KeptEpisodes, "keep", keep),
            self.assertRaises(KeyboardInterrupt),
        ):
            training.train(run)
        self.assertLen(kept.read_text().splitlines(), 2)
        played = []

        def count(self: KeptEpisodes, level: str, episode: Episode) -> None:
            played.append(episode)
            whole(self, level, episode)

        with mock.patch.object(KeptEpisodes, "keep", count):
            trained = training.train(run)
        self.assertLen(played, 2)
        self.assertEqual(trained.scores[TASK].episodes, 3)
        self.assertFalse(kept.exists())

    def test_the_same_folder_goes_on(self):
        run = self._config(total_frames=10**6)
        one = training.train(run, stop=self._until(lambda: self._frames() > 0))
        self.assertEqual(one.frames, self._frames())
        self.assertEmpty(one.scores)
        further = self._until(lambda: self._frames() > one.frames)
        with mock.patch.object(suites, "make_batch", wraps=suites.make_batch) as made:
            two = training.train(run, stop=further)
        self.assertGreater(two.frames, one.frames)
        self.assertTrue((np.diff(self._rows()["frames"]) > 0).all())
        # Other episodes than those before.
        seeds = [each.seed for each in made.call_args.args[0]]
        self.assertEqual(seeds, _seeds(self._config(), one.frames))
        self.assertNotEqual(seeds, _seeds(self._config(), 0))

    def test_the_same_seed_gives_the_same_run(self):
        def parameters(seed: int) -> list[np.ndarray]:
            logdir = self.create_tempdir().full_path
            run = self._config(logdir=logdir, seed=seed)
            return jax.tree.leaves(training.train(run).params)

        one, again, other = (parameters(seed) for seed in (1, 1, 2))
        for ours, theirs in zip(one, again, strict=True):
            np.testing.assert_array_equal(ours, theirs)
        self.assertTrue(any((x != y).any() for x, y in zip(one, other, strict=True)))

    def test_teachers_label_every_unroll_until_λ_ends(self):
        teacher = f"{self.create_tempdir().full_path}/teacher"
        spec = suites.environment_spec(TASK, 1)
        small_teachers.save(teacher, spec=spec, tasks=(TASK,))
        run = self._config(
            kickstarting=config_lib.KickstartingConfig(
                teachers=((TASK, teacher),), end_frames=2 * FRAMES_PER_UPDATE
            )
        )
        answered: list[int] = []
        label = TeacherServer.label

        def count(server, task, wanted, pixels, *rest):
            answered.append(len(pixels))
            return label(server, task, wanted, pixels, *rest)

        with mock.patch.object(TeacherServer, "label", count):
            trained = training.train(run)
        self.assertEqual(trained.frames, UPDATES * FRAMES_PER_UPDATE)
        # λ was above 0 for two batches of four unrolls.
        self.assertEqual(answered, [run.unroll_length] * 8)

    def test_what_an_actor_fails_with_ends_the_run_with_a_checkpoint(self):
        made: list[Any] = []

        def failing(*arguments):
            batch = suites_make_batch(*arguments)
            wait, failure = batch.wait, RuntimeError("the world has ended")

            def wait_or_fail(timeout):
                if self._frames():
                    raise failure
                return wait(timeout)

            batch.wait = wait_or_fail
            made.append(batch)
            return batch

        suites_make_batch = suites.make_batch
        run = self._config(total_frames=10**6)
        with (
            mock.patch.object(suites, "make_batch", failing),
            self.assertRaisesRegex(RuntimeError, "^the world has ended$"),
        ):
            training.train(run)
        self.assertLen(made, 1)
        self.assertGreater(self._frames(), 0)
        self.assertEqual(self._frames(), self._rows()["frames"][-1])

    def test_it_is_shown_and_evaluated_as_it_goes(self):
        run = self._config(
            show=True,
            total_frames=10**6,
            evaluation_episodes=2,
            evaluation_minutes=1e-6,
        )
        path = os.path.join(self.logdir, evaluations.EVALUATIONS_FILE)

        def is_evaluated() -> bool:
            return os.path.exists(path) and os.path.getsize(path) > 0

        with contextlib.redirect_stdout(io.StringIO()) as shown:
            training.train(run, stop=self._until(is_evaluated))
        self.assertIn(f"{TASK}: ", shown.getvalue())
        self.assertIn("of 1,000,000 frames", shown.getvalue())
        with open(path, encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(rows[0]["task"], TASK)
        self.assertEqual(rows[0]["episodes"], "2")

    def test_several_actors_and_environments_in_processes(self):
        run = self._config(
            tasks=("gym:MiniGrid-Empty-5x5-v0", "gym:MiniGrid-Empty-6x6-v0"),
            environments_per_actor=2,
            num_actors=2,
            lockstep=False,
        )
        trained = training.train(run)
        self.assertEqual(trained.frames, UPDATES * FRAMES_PER_UPDATE)
        self.assertGreater(self._rows()["agent_steps"][-1], 0)
        # All workers have ended with it.
        with self.assertRaises(ChildProcessError):
            os.waitpid(-1, os.WNOHANG)

    @parameterized.parameters(
        (
            {"population": config_lib.PopulationConfig(size=2)},
            config_lib.ConfigError,
            "population.size is of programs",
        ),
        ({"metrics_port": 9000}, config_lib.ConfigError, "metrics_port is of programs"),
        ({"tasks": ("xland:Nowhere",)}, base.EnvironmentConfigError, "Nowhere"),
        (
            {
                "kickstarting": config_lib.KickstartingConfig(
                    teachers=((TASK, "nowhere"),), schedule="constant"
                )
            },
            TeacherError,
            "no such folder",
        ),
        (
            {
                "kickstarting": config_lib.KickstartingConfig(
                    teachers=((TASK, f"{__name__}:RaisingTeacher"),),
                    schedule="constant",
                )
            },
            TeacherError,
            "RaisingTeacher' raised RuntimeError",
        ),
        (
            {"logdir": "/proc/nowhere"},
            checkpoints.CheckpointError,
            "choose another run folder",
        ),
    )
    def test_what_is_wrong_is_said_in_one_line_before_anything_runs(
        self, fields, error, message
    ):
        with (
            mock.patch.object(Learner, "run", side_effect=AssertionError),
            self.assertRaisesRegex(error, message) as caught,
        ):
            training.train(self._config(**fields))
        self.assertNotIn("\n", str(caught.exception))

    def test_a_run_of_another_kind_is_not_gone_on_with(self):
        training.train(self._config())
        other = agent_config.NetworkConfig(torso="small_grid", core_size=16)
        with self.assertRaisesRegex(checkpoints.CheckpointError, "network"):
            training.train(self._config(network=other))
        afresh = dataclasses.replace(_AT_ONCE, resume=False)
        with self.assertRaisesRegex(config_lib.ConfigError, "already holds a run"):
            training.train(self._config(checkpoint=afresh))


def _seeds(run: config_lib.Config, frames: int) -> list[int]:
    """Returns the seeds of actor 0's environments in a run that goes on at frames."""
    _, settings = parts.environment_settings(run, 0, frames)
    return [each.seed for each in settings]


if __name__ == "__main__":
    absltest.main()
