"""Tables say what the records say."""

import dataclasses

from absl.testing import absltest

from experiments.experiment import Condition, Experiment
from experiments.results import tables
from experiments.running import records as run_records
from kickstarting.environments import suites

_TASKS = ("doom:defend_the_line", "doom:take_cover")
_EXPERIMENT = Experiment(
    title="An experiment",
    shows="What?",
    tasks=_TASKS,
    total_frames=100,
    seeds=(1, 2),
    conditions=(Condition("none"), Condition("taught")),
    budget_shares=(0.5, 1.0),
    levels=(40.0,),
)


def _return(task: str, score: float) -> float:
    reference = suites.reference_score(task)
    assert reference is not None
    return reference.random + score * (reference.reference - reference.random) / 100


def _record(early: float, late: float, seed: int = 1) -> run_records.Record:
    """Returns the record of a run whose score is `early` halfway and `late` then."""
    return run_records.Record(
        identity={"tasks": list(_TASKS), "total_frames": 100, "seed": seed},
        settings=(),
        git_revision="",
        seconds=1.0,
        frames=(50.0, 100.0),
        columns={
            f"episode_return/{task}": (_return(task, early), _return(task, late))
            for task in _TASKS
        },
        final_returns={task: _return(task, late + 1) for task in _TASKS},
        episodes=30,
        teacher_returns={},
    )


_FOUND = {
    "none": [_record(10, 30), _record(10, 50, 2)],
    "taught": [_record(40, 60), _record(44, 70, 2)],
}


def _with_teachers(score: float) -> tables.Records:
    """Returns the runs, with the score of their teachers."""
    cards = {task: (_return(task, score),) for task in _TASKS}
    taught = [
        dataclasses.replace(each, teacher_returns=cards) for each in _FOUND["taught"]
    ]
    return {**_FOUND, "taught": taught}


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip("|").split("|")]


class ScoresTest(absltest.TestCase):
    def test_means_intervals_and_the_probability_of_improvement(self) -> None:
        header, _, none, taught = tables.scores(_EXPERIMENT, _FOUND)
        self.assertLen(_cells(header), 7)
        self.assertStartsWith(_cells(none)[2], "10.0 (10.0 to 10.0)")
        self.assertEqual(_cells(none)[:2], ["none", "2"])
        self.assertStartsWith(_cells(none)[3], "40.0 (30.0 to 50.0)")
        self.assertEqual(_cells(none)[-1], "")
        self.assertStartsWith(_cells(taught)[2], "42.0 (40.0 to 44.0)")
        self.assertEqual(_cells(taught)[-1], "1.00 (1.00 to 1.00)")

    def test_one_task_has_no_median(self) -> None:
        one = dataclasses.replace(_EXPERIMENT, tasks=_TASKS[:1])
        self.assertNotIn("median", tables.scores(one, _FOUND)[0])


class SummaryTest(absltest.TestCase):
    def test_scores_and_frames_to_the_first_level(self) -> None:
        header, _, none, taught = tables.summary(_EXPERIMENT, _FOUND)
        self.assertEqual(_cells(header)[2:], ["score at the end", "frames to 40"])
        self.assertEqual(_cells(none), ["none", "2", _cells(none)[2], "not reached"])
        self.assertStartsWith(_cells(none)[2], "40.0 (30.0 to 50.0)")
        self.assertEqual(_cells(taught)[3], "0k: over 2.00×")

    def test_final_checkpoints_stand_beside(self) -> None:
        own = dataclasses.replace(_EXPERIMENT, evaluation_episodes=30)
        header, _, none, _ = tables.summary(own, _FOUND)
        self.assertEqual(_cells(header)[3], "of final checkpoints")
        self.assertStartsWith(_cells(none)[3], "41.0 (31.0 to 51.0)")

    def test_what_has_no_curve_has_what_is_left(self) -> None:
        record = _record(0, 60)
        unknown = dict.fromkeys(record.columns, (None, None))
        found = {**_FOUND, "cloned": [dataclasses.replace(record, columns=unknown)]}
        row = _cells(tables.summary(_EXPERIMENT, found)[-1])
        self.assertEqual(row, ["cloned", "1", "–", "–"])


class AfterAdviceTest(absltest.TestCase):
    def test_what_each_seed_keeps(self) -> None:
        weaned = Condition("taught", weaned_share=0.9)
        own = dataclasses.replace(_EXPERIMENT, conditions=(Condition("none"), weaned))
        records = [
            dataclasses.replace(record, frames=(80.0, 100.0))
            for record in _FOUND["taught"]
        ]
        header, _, row = tables.after_advice(own, {**_FOUND, "taught": records})
        self.assertEqual(_cells(header)[-1], "after / before (each seed)")
        label, before, after, ratio = _cells(row)
        self.assertEqual(label, "taught")
        self.assertStartsWith(before, "42.0 (")
        self.assertStartsWith(after, "65.0 (")
        self.assertEqual(ratio, "1.55 (1.50, 1.59)")

    def test_runs_too_short_to_tell_are_left_out(self) -> None:
        weaned = Condition("taught", weaned_share=0.2)
        own = dataclasses.replace(_EXPERIMENT, conditions=(Condition("none"), weaned))
        self.assertEmpty(tables.after_advice(own, _FOUND))

    def test_nothing_has_no_ratio(self) -> None:
        weaned = Condition("taught", weaned_share=0.5)
        own = dataclasses.replace(_EXPERIMENT, conditions=(Condition("none"), weaned))
        records = [dataclasses.replace(_record(-3, 60), frames=(50.0, 60.0))]
        _, _, row = tables.after_advice(own, {**_FOUND, "taught": records})
        self.assertEqual(_cells(row)[-1], "–")

    def test_nothing_without_an_end(self) -> None:
        self.assertEmpty(tables.after_advice(_EXPERIMENT, _FOUND))


class FramesTest(absltest.TestCase):
    def test_the_median_each_seed_and_the_speed_up(self) -> None:
        _, _, none, taught = tables.frames(_EXPERIMENT, _FOUND)
        self.assertEqual(_cells(none)[1], "not reached (not reached, 0k)")
        self.assertEqual(_cells(taught)[1], "0k (0k, 0k): over 2.00×")

    def test_without_levels_it_is_the_baselines_last_and_the_teachers(self) -> None:
        own = dataclasses.replace(_EXPERIMENT, levels=())
        header, *_ = tables.frames(own, _FOUND)
        self.assertEqual(_cells(header)[1:], ["frames to 40.0, the baseline's last"])
        header, *_ = tables.frames(own, _with_teachers(55.0))
        self.assertEqual(_cells(header)[2:], ["frames to 55.0, the teachers'"])

    def test_a_baseline_that_gets_there_gives_a_ratio(self) -> None:
        found = {"none": [_record(10, 50)], "taught": [_record(45, 50)]}
        self.assertEqual(
            _cells(tables.frames(_EXPERIMENT, found)[3])[1], "0k (0k): 2.00×"
        )


class WithoutCurveTest(absltest.TestCase):
    def test_what_has_no_curve_has_no_training_score(self) -> None:
        record = _record(0, 60)
        unknown = dict.fromkeys(record.columns, (None, None))
        found = {**_FOUND, "cloned": [dataclasses.replace(record, columns=unknown)]}
        row = _cells(tables.scores(_EXPERIMENT, found)[-1])
        self.assertEqual(row, ["cloned", "1", *["–"] * 5])
        row = _cells(tables.frames(_EXPERIMENT, found)[-1])
        self.assertEqual(row, ["cloned", "–"])
        row = _cells(tables.final(_EXPERIMENT, found)[-1])
        self.assertEqual(row, ["cloned", "61.0", "61.0", "61.0", "1.00"])

    def test_a_baseline_without_curve_is_compared_with_nothing_in_training(
        self,
    ) -> None:
        record = _record(0, 60)
        unknown = dict.fromkeys(record.columns, (None, None))
        cloned = dataclasses.replace(record, columns=unknown)
        found = {"cloned": [cloned], "none": [_record(10, 30)]}
        self.assertEqual(_cells(tables.scores(_EXPERIMENT, found)[-1])[-1], "")
        own = dataclasses.replace(_EXPERIMENT, levels=())
        self.assertEqual(_cells(tables.frames(own, found)[0]), ["condition"])


class OtherTablesTest(absltest.TestCase):
    def test_final_checkpoints(self) -> None:
        _, _, none, _ = tables.final(_EXPERIMENT, _FOUND)
        self.assertStartsWith(_cells(none)[1], "41.0 (31.0 to 51.0)")

    def test_what_the_teachers_have_stands_below(self) -> None:
        *_, teachers = tables.final(_EXPERIMENT, _with_teachers(55.0))
        self.assertEqual(_cells(teachers)[:2], ["the teachers", "55.0"])

    def test_raw_returns_of_each_task(self) -> None:
        _, _, line, cover = tables.tasks(_EXPERIMENT, _FOUND)
        self.assertEqual(_cells(line)[0], _TASKS[0])
        mean = (_return(_TASKS[1], 31) + _return(_TASKS[1], 51)) / 2
        self.assertStartsWith(_cells(cover)[1], f"{mean:.0f} ± ")


if __name__ == "__main__":
    absltest.main()
