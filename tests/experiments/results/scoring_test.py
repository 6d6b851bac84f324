"""Scores of records, by hand."""

import dataclasses

import numpy as np
from absl.testing import absltest, parameterized

from experiments.results import scoring
from experiments.running import records as run_records
from experiments.training import Teacher, Training
from kickstarting.config import run as config_lib
from kickstarting.environments import suites

_TASKS = ("doom:defend_the_line", "doom:take_cover")


def _returns(task: str, *of_scores: float | None) -> tuple[float | None, ...]:
    """Returns the raw returns that give these scores."""
    reference = suites.reference_score(task)
    assert reference is not None
    span = (reference.reference - reference.random) / 100
    return tuple(
        None if score is None else reference.random + score * span
        for score in of_scores
    )


_RECORD = run_records.Record(
    identity={"tasks": list(_TASKS), "total_frames": 100, "seed": 1},
    settings=(),
    git_revision="",
    seconds=1.0,
    frames=(10.0, 50.0, 92.0, 102.0),
    columns={
        f"episode_return/{_TASKS[0]}": _returns(_TASKS[0], 10, 20, 30, 50),
        f"episode_return/{_TASKS[1]}": _returns(_TASKS[1], None, 40, 130, 80),
    },
    final_returns={},
    episodes=0,
    teacher_returns={},
)


class ScoringTest(parameterized.TestCase):
    def test_a_curve_is_the_mean_over_tasks_capped_and_0_before_episodes(self) -> None:
        frames, values = scoring.curve(_RECORD)
        np.testing.assert_array_equal(frames, _RECORD.frames)
        np.testing.assert_allclose(values, [5, 30, 65, 65])

    @parameterized.parameters(
        (1.0, 40.0, 90.0), (0.5, 20.0, 40.0), (0.3, 10.0, 0.0), (0.01, 10.0, 0.0)
    )
    def test_at_a_share_of_the_budget(self, share, first, second) -> None:
        found = scoring.at_share(_RECORD, share)
        np.testing.assert_allclose(list(found.values()), [first, second], atol=1e-9)
        self.assertEqual(tuple(found), _TASKS)

    def test_nothing_is_known_before_an_episode_has_ended(self) -> None:
        late = {name: (None, *values[1:]) for name, values in _RECORD.columns.items()}
        record = dataclasses.replace(_RECORD, columns=late)
        np.testing.assert_array_equal(scoring.curve(record)[0], [50, 92, 102])
        self.assertTrue(np.isnan(list(scoring.at_share(record, 0.3).values())).all())
        np.testing.assert_allclose(
            list(scoring.at_share(record, 0.5).values()), [20, 40]
        )
        self.assertTrue(scoring.has_curve(record))

    @parameterized.parameters((5.0, 10.0), (30.0, 50.0), (60.0, 92.0), (66.0, np.inf))
    def test_frames_to_reach(self, level: float, frames: float) -> None:
        self.assertEqual(scoring.frames_to_reach(_RECORD, level - 1e-6), frames)

    def test_frames_of_teachers_count_once_and_those_of_their_own_too(self) -> None:
        own = Training(_TASKS[:1], seed=9, total_frames=5)
        teacher = Training(_TASKS[:1], 8, 30, teachers=(Teacher(own),))
        both = tuple(Teacher(teacher, task) for task in _TASKS)
        other = Teacher("some.module:factory")
        taught = Training(_TASKS, 1, 100, teachers=(*both, other))
        record = dataclasses.replace(_RECORD, identity=taught.identity())
        self.assertEqual(scoring.teacher_frames(record), 35)
        level = 30.0 - 1e-6
        self.assertEqual(scoring.frames_to_reach(record, level), 50)
        self.assertEqual(
            scoring.frames_to_reach(record, level, charge_teachers=True), 85
        )

    def test_a_run_of_one_task_has_the_scores_of_its_latest_frames(self) -> None:
        own = {
            **_RECORD.columns,
            run_records.SCORE: (None, 20.0, 60.0, 80.0),
        }
        of_two = dataclasses.replace(_RECORD, columns=own)
        self.assertFalse(scoring.is_recent(of_two))
        np.testing.assert_allclose(scoring.curve(of_two)[1], [5, 30, 65, 65])
        of_one = dataclasses.replace(
            of_two, identity={**_RECORD.identity, "tasks": list(_TASKS[:1])}
        )
        self.assertTrue(scoring.is_recent(of_one))
        frames, values = scoring.curve(of_one)
        np.testing.assert_array_equal(frames, [50, 92, 102])
        np.testing.assert_array_equal(values, [20, 60, 80])
        self.assertEqual(scoring.at_share(of_one, 1.0), {_TASKS[0]: 70.0})
        self.assertEqual(scoring.frames_to_reach(of_one, 60.0), 92)

    @parameterized.parameters(
        # Fifths: 0.3 to 0.5 and 0.5 to 0.7; 0.72 to 0.92 and beyond.
        (0.5, 30.0, np.nan),
        (0.92, 65.0, 65.0),
        (0.3, 5.0, 30.0),
    )
    def test_around_the_end_of_advice(self, share, before, after) -> None:
        found = scoring.around_end_of_advice(_RECORD, share)
        np.testing.assert_allclose(found, (before, after))

    def test_last_returns_are_those_evaluated_where_there_are_some(self) -> None:
        last = scoring.last_returns(_RECORD)
        (forty,) = _returns(_TASKS[0], 40)
        assert forty is not None
        self.assertAlmostEqual(last[_TASKS[0]], forty)
        evaluated = dataclasses.replace(
            _RECORD, final_returns=dict.fromkeys(_TASKS, 7.0)
        )
        self.assertEqual(scoring.last_returns(evaluated), dict.fromkeys(_TASKS, 7.0))
        self.assertEmpty(scoring.final(_RECORD))
        self.assertEqual(tuple(scoring.final(evaluated)), _TASKS)

    def test_what_nothing_normalises_is_refused(self) -> None:
        with self.assertRaisesRegex(config_lib.ConfigError, "no reference score"):
            scoring.capped_scores("gym:CartPole-v1", np.zeros(()))


if __name__ == "__main__":
    absltest.main()
