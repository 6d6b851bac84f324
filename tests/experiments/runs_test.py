"""Tests of named, cached, resumable training runs."""

import json
import os
import pathlib
import signal

import numpy as np
from absl import flags
from absl.testing import absltest, flagsaver, parameterized

from experiments import records, runs
from kickstarting import config as config_lib
from kickstarting import learning_curves, run_files
from launch import flags as train_flags
from launch import report

_TEACHER = "teachers/doom/basic"


def _run(condition: str = "from_scratch", **fields) -> runs.Run:
    settings = {
        "task": "doom:basic",
        "seed": 3,
        "total_frames": 10_000,
        "teacher": _TEACHER,
        "results": "results",
        **fields,
    }
    return runs.Run(condition=condition, **settings)


class CommandTest(parameterized.TestCase):
    def _config(self, run: runs.Run) -> config_lib.Config:
        """Returns the configuration that launch.train would build."""
        with flagsaver.flagsaver():
            flags.FLAGS(["launch.train", *run.command()])
            return train_flags.config_from_flags()

    @parameterized.parameters(*runs.CONDITIONS)
    def test_says_what_the_run_is(self, condition: str) -> None:
        run = _run(condition, flags=("--batch_size=2", "--noshow"))
        config = self._config(run)
        self.assertEqual(config.tasks, ("doom:basic",))
        self.assertEqual((config.seed, config.total_frames), (3, 10_000))
        self.assertEqual(config.logdir, f"results/doom_basic/{condition}_seed3")
        self.assertEqual(config.evaluation_episodes, 30)
        self.assertEqual((config.batch_size, config.show), (2, False))
        self.assertIn(condition, runs.LABELS)

    @parameterized.parameters(
        ("kickstarted", "linear", 2500, True),
        ("constant", "constant", 0, True),
        ("distillation", "constant", 0, False),
    )
    def test_conditions_with_a_teacher(
        self, condition: str, schedule: str, end_frames: int, reinforcement: bool
    ) -> None:
        config = self._config(_run(condition, weaned_share=0.25))
        self.assertEqual(config.kickstarting.teachers, (("doom:basic", _TEACHER),))
        self.assertEqual(config.kickstarting.schedule, schedule)
        self.assertEqual(config.kickstarting.end_frames, end_frames)
        self.assertEqual(config.loss.reinforcement, reinforcement)

    def test_from_scratch_has_no_teacher(self) -> None:
        config = self._config(_run())
        self.assertEmpty(config.kickstarting.teachers)
        self.assertTrue(config.loss.reinforcement)

    def test_every_run_has_a_folder_of_its_own(self) -> None:
        folders = {
            _run(condition, seed=seed, task=task).logdir
            for condition in runs.CONDITIONS
            for seed in (1, 2)
            for task in ("doom:basic", "gym:ALE/Pong-v5")
        }
        self.assertLen(folders, 4 * len(runs.CONDITIONS))
        self.assertLen({os.path.dirname(folder) for folder in folders}, 2)


class CacheTest(parameterized.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.results = self.create_tempdir().full_path

    def _write_scores(self, run: runs.Run, text: str) -> pathlib.Path:
        path = pathlib.Path(run.logdir, report.SCORES_FILE)
        path.parent.mkdir(parents=True)
        path.write_text(text)
        return path

    def test_finished_run_is_not_trained_again(self) -> None:
        # Training it would be refused: there is no such level.
        run = _run(results=self.results, task="doom:nowhere")
        scores = {"environment_frames": 10_000, "tasks": [{"mean_return": 1.5}]}
        path = self._write_scores(run, json.dumps(scores))
        self.assertTrue(run.is_finished())
        self.assertEqual(run.train(), 0)
        self.assertEqual(os.listdir(run.logdir), [path.name])

    @parameterized.parameters(
        "", "{", "{}", '{"environment_frames": 9999, "tasks": []}'
    )
    def test_broken_or_short_run_is_not_finished(self, scores: str) -> None:
        run = _run(results=self.results)
        self._write_scores(run, scores)
        self.assertFalse(run.is_finished())

    def test_refused_run_returns_its_status(self) -> None:
        run = _run(results=self.results, task="doom:nowhere")
        self.assertFalse(run.is_finished())
        handlers = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
        self.assertEqual(run.train(), 2)
        self.assertEqual(
            handlers,
            [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)],
        )
        self.assertFalse(os.path.exists(run.logdir))


class RecordTest(parameterized.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.results = self.create_tempdir().full_path
        self.records = self.create_tempdir().full_path

    def _run(self, condition: str = "from_scratch", **fields) -> runs.Run:
        return _run(
            condition, **{"results": self.results, "records": self.records, **fields}
        )

    def _finish(self, run: runs.Run, *rows: tuple[int, float, float]) -> None:
        """Leaves the folder of a run that was trained and evaluated."""
        files = run_files.RunFiles(run.logdir)
        files.write_config({"seed": run.seed}, ["train"])
        for frames, seconds, mean_return in rows:
            files.write_row(
                {
                    run_files.FRAMES: frames,
                    "seconds": seconds,
                    f"episode_return/{run.task}": mean_return,
                }
            )
        files.close()
        score = {"mean_return": 3.25, "standard_error": 0.5, "episodes": 30}
        pathlib.Path(run.logdir, report.SCORES_FILE).write_text(
            json.dumps({"environment_frames": run.total_frames, "tasks": [score]})
        )

    def test_holds_what_the_run_left(self) -> None:
        run = self._run()
        self._finish(run, (80, 1.0, np.nan), (160, 2.0, -3.0), (240, 3.5, 4.0))
        record = run.record()
        self.assertEqual((record.frames, record.returns), ((160, 240), (-3, 4)))
        self.assertEqual(
            (record.final_return, record.standard_error, record.episodes),
            (3.25, 0.5, 30),
        )
        self.assertEqual((record.seconds, record.teacher_sha256), (3.5, ""))
        self.assertEqual(record.settings, run.settings())
        curve = run.curve()
        np.testing.assert_array_equal(curve.frames, [160, 240])
        np.testing.assert_array_equal(curve.returns, [-3, 4])
        self.assertEqual((curve.label, curve.seed), (runs.LABELS["from_scratch"], 3))

    def test_counts_as_finished_where_the_run_is_not(self) -> None:
        run = self._run()
        self._finish(run, (160, 2.0, -3.0))
        record = run.record()
        elsewhere = self._run(results=self.create_tempdir().full_path)
        self.assertTrue(elsewhere.is_finished())
        self.assertEqual(elsewhere.train(), 0)
        self.assertEqual(elsewhere.record(), record)
        self.assertFalse(os.path.exists(elsewhere.logdir))

    @parameterized.parameters(
        {"total_frames": 20_000}, {"flags": ("--discount=0.9",)}, {"seed": 4}
    )
    def test_does_not_stand_for_another_run(self, **changed) -> None:
        run = self._run()
        self._finish(run, (160, 2.0, -3.0))
        run.record()
        elsewhere = self.create_tempdir().full_path
        self.assertFalse(self._run(results=elsewhere, **changed).is_finished())

    def test_does_not_stand_for_another_teacher(self) -> None:
        teacher = pathlib.Path(self.create_tempdir().full_path)
        (teacher / "weights.npz").write_bytes(b"first")
        run = self._run("kickstarted", teacher=str(teacher))
        self._finish(run, (160, 2.0, -3.0))
        self.assertNotEmpty(run.record().teacher_sha256)
        elsewhere = self._run(
            "kickstarted",
            teacher=str(teacher),
            results=self.create_tempdir().full_path,
        )
        self.assertTrue(elsewhere.is_finished())
        (teacher / "weights.npz").write_bytes(b"second")
        self.assertFalse(elsewhere.is_finished())

    @parameterized.parameters("", "[]", "{}", '{"settings": []}', '{"frames": 1}')
    def test_what_is_no_record_is_refused(self, text: str) -> None:
        run = self._run()
        path = pathlib.Path(run.record_path)
        path.parent.mkdir(parents=True)
        path.write_text(text)
        with self.assertRaisesRegex(config_lib.ConfigError, "no record") as caught:
            run.is_finished()
        self.assertNotIn("\n", str(caught.exception))

    def test_long_curve_is_thinned(self) -> None:
        run = self._run()
        self._finish(run, *((10 * i, 1.0, float(i)) for i in range(1, 1001)))
        record = run.record()
        self.assertLen(record.frames, records.MAX_POINTS)
        self.assertEqual((record.frames[0], record.frames[-1]), (10, 10_000))
        np.testing.assert_array_equal(
            np.array(record.frames), 10 * np.array(record.returns)
        )

    def test_without_ended_episodes_is_refused(self) -> None:
        run = self._run()
        self._finish(run, (80, 1.0, np.nan))
        with self.assertRaisesRegex(config_lib.ConfigError, "raise --frames") as caught:
            run.curve()
        self.assertNotIn("\n", str(caught.exception))


class FramesToReachTest(parameterized.TestCase):
    @parameterized.parameters(
        (-1.0, 10.0), (0.5, 10.0), (1.0, 20.0), (2.5, 40.0), (3.1, np.inf)
    )
    def test_frames_to_reach(self, level: float, frames: float) -> None:
        curve = learning_curves.Curve(
            "any", np.array([10, 20, 30, 40]), np.array([0.5, 2.0, 1.0, 3.0]), 1
        )
        self.assertEqual(runs.frames_to_reach(curve, level), frames)


if __name__ == "__main__":
    absltest.main()
