"""Records hold what the runs left: curves, final returns, a population's best line."""

import json
import os
import pathlib

import numpy as np
from absl.testing import absltest, parameterized

from experiments.results import scoring
from experiments.running import collection
from experiments.training import Teacher, Training
from kickstarting.config import run as config_lib
from kickstarting.population import events as population_events
from kickstarting.reporting import run_files
from launch.reports import progress

_TASK = "doom:basic"
_RETURN = f"episode_return/{_TASK}"


def _training(**changed) -> Training:
    return Training(**{"tasks": (_TASK,), "seed": 3, "total_frames": 1_000, **changed})


def _write(logdir: str, *rows: dict[str, float]) -> None:
    """Leaves the folder of a run with these rows of metrics.csv."""
    files = run_files.RunFiles(logdir)
    files.write_config({"seed": 3}, ["train"])
    for row in rows:
        files.write_row(row)
    files.close()


def _row(frames: int, value: float, **more: float) -> dict[str, float]:
    return {
        run_files.FRAMES: frames,
        "seconds": frames / 100,
        _RETURN: value,
        "total_loss": 7.0,
        **more,
    }


class SingleRunTest(parameterized.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.results = self.create_tempdir().full_path

    def test_holds_what_the_run_left(self) -> None:
        training = _training(evaluation_episodes=30)
        logdir = training.logdir(self.results)
        _write(logdir, _row(80, np.nan), _row(160, -3.0), _row(240, 4.0))
        scores = {"tasks": [{"task": _TASK, "mean_return": 3.25}]}
        pathlib.Path(logdir, progress.SCORES_FILE).write_text(json.dumps(scores))
        record = collection.record(training, self.results)
        self.assertEqual(record.frames, (80, 160, 240))
        self.assertEqual(dict(record.columns), {_RETURN: (None, -3, 4)})
        self.assertEqual(dict(record.final_returns), {_TASK: 3.25})
        self.assertEqual((record.episodes, record.seconds), (30, 2.4))
        self.assertEqual(record.identity, training.identity())
        self.assertEqual(record.settings, training.settings(self.results))
        self.assertEmpty(record.teacher_returns)

    def test_keeps_the_weights_and_the_cards_returns(self) -> None:
        task = "doom:defend_the_line"
        training = _training(
            tasks=(task,), teachers=(Teacher("teachers/doom/defend_the_line"),)
        )
        _write(
            training.logdir(self.results),
            {
                run_files.FRAMES: 80,
                "seconds": 1.0,
                f"episode_return/{task}": 2.0,
                "global_weight": 4.0,
                f"kickstarting_weight/{task}": 2.0,
            },
        )
        record = collection.record(training, self.results)
        self.assertEqual(record.columns["global_weight"], (4.0,))
        self.assertEqual(record.columns[f"kickstarting_weight/{task}"], (2.0,))
        card = json.loads(
            pathlib.Path("teachers/doom/defend_the_line/card.json").read_text()
        )
        self.assertEqual(
            record.teacher_returns[task], (card["scores"][0]["mean_return"],)
        )

    def test_where_the_teacher_acts_the_final_checkpoint_alone_is_scored(self) -> None:
        training = _training(evaluation_episodes=30)
        logdir = training.logdir(self.results)
        _write(logdir, _row(80, np.nan), _row(160, np.nan))
        scores = {"tasks": [{"task": _TASK, "mean_return": 3.25}]}
        pathlib.Path(logdir, progress.SCORES_FILE).write_text(json.dumps(scores))
        record = collection.record(training, self.results)
        self.assertEqual(dict(record.final_returns), {_TASK: 3.25})
        self.assertFalse(scoring.has_curve(record))

    @parameterized.parameters(((_TASK,),), ((_TASK, "doom:take_cover"),))
    def test_without_ended_episodes_is_refused(self, tasks) -> None:
        training = _training(tasks=tasks)
        _write(training.logdir(self.results), _row(80, np.nan))
        with self.assertRaisesRegex(config_lib.ConfigError, "raise the fr") as caught:
            collection.record(training, self.results)
        self.assertNotIn("\n", str(caught.exception))
        record = collection.record(training, self.results, needs_curve=False)
        self.assertFalse(scoring.has_curve(record))
        self.assertEqual(record.frames, (80,))


class PopulationTest(absltest.TestCase):
    def test_follows_the_best_member_back_through_whom_it_copied(self) -> None:
        results = self.create_tempdir().full_path
        training = _training(flags=("--population_size=2",))
        logdir = training.logdir(results)
        _write(logdir)
        for member, value in ((0, 10.0), (1, 20.0)):
            _write(
                os.path.join(logdir, f"member_{member}"),
                *(
                    _row(frames, value + frames / 100, mean_capped_score=value)
                    for frames in (100, 200, 300, 400)
                ),
            )
        events = population_events.PopulationEvents(logdir)
        # Member 1, which ends best, copied member 0 after 200 frames.
        for number, member, frames, other in ((0, 0, 0, None), (1, 1, 200, 0)):
            events.append(
                population_events.Event(
                    number=number,
                    member=member,
                    frames=frames,
                    other=other,
                    copied=other is not None,
                    rule="score_gap",
                    statistics={},
                    fitness=None,
                    other_fitness=None,
                    before={"learning_rate": 1.0},
                    after={"learning_rate": 1.0},
                )
            )
        record = collection.record(training, results)
        self.assertEqual(record.frames, (100, 200, 300, 400))
        self.assertEqual(record.columns[_RETURN], (11, 12, 23, 24))


if __name__ == "__main__":
    absltest.main()
