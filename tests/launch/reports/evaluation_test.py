"""Tests of the evaluation's table and JSON."""

import json
import math
import pathlib

from absl.testing import absltest
from rich import console as rich_console

from kickstarting.scores import aggregates
from launch.reports import evaluation


def _score(
    task: str, returns: tuple[float, ...], normalised_score: float | None
) -> evaluation.TaskScore:
    return evaluation.TaskScore(
        task=task,
        mean_return=sum(returns) / len(returns),
        standard_error=math.nan if len(returns) == 1 else 0.25,
        episodes=len(returns),
        mean_agent_steps=40.0,
        normalised_score=normalised_score,
        capped_score=None if normalised_score is None else min(normalised_score, 100),
        returns=returns,
    )


# The reference of my_way_home is 1 against -0.076.
_HOME = _score("doom:my_way_home", (0.462, 0.462), 50.0)
_SHOT = _score("doom:predict_position", (5.0, 7.0), 601.2)
_UNKNOWN = _score("gym:Nobody-Measured-v0", (3.0,), None)


def _drawn(
    results: list[evaluation.TaskScore], over_tasks: aggregates.Aggregates | None
) -> str:
    console = rich_console.Console(width=100)
    with console.capture() as capture:
        console.print(evaluation.table(results, "title", over_tasks))
    return capture.get()


class EvaluationTest(absltest.TestCase):
    def test_tasks_without_a_reference_are_named_and_left_out(self):
        results = [_HOME, _UNKNOWN, _SHOT]
        over_tasks = evaluation.aggregate(results, seed=1)
        assert over_tasks is not None
        self.assertAlmostEqual(over_tasks.mean.value, 75.0, places=2)
        table = _drawn(results, over_tasks)
        self.assertIn("2 tasks, 95% interval", table)
        self.assertRegex(table, r"mean, 75\.0 to 75\.0 .* 75\.0 ")
        self.assertRegex(table, r"predict_position .* 601\.2 .* 100\.0 ")
        self.assertRegex(table, r"Nobody-Measured-v0 .* - .* - ")
        self.assertIn("want of a reference: gym:Nobody-Measured-v0", table)

    def test_without_any_reference_there_is_nothing_to_aggregate(self):
        self.assertIsNone(evaluation.aggregate([_UNKNOWN], seed=1))
        self.assertNotIn("interval", _drawn([_UNKNOWN], None))

    def test_one_task_is_not_aggregated_in_the_table(self):
        table = _drawn([_HOME], evaluation.aggregate([_HOME], seed=1))
        self.assertNotIn("interval", table)

    def test_json_has_null_for_what_is_unknown(self):
        path = pathlib.Path(self.create_tempdir().full_path, "scores.json")
        results = [_HOME, _UNKNOWN]
        evaluation.write_json(
            str(path), results, evaluation.aggregate(results, seed=1), seed=7
        )

        def refuse(constant: str) -> None:
            raise AssertionError(f"{constant} is no JSON")

        written = json.loads(path.read_text(), parse_constant=refuse)
        self.assertEqual(written["seed"], 7)
        self.assertEqual(written["without_reference"], ["gym:Nobody-Measured-v0"])
        self.assertIsNone(written["tasks"][1]["standard_error"])
        self.assertEqual(written["tasks"][0]["capped_score"], 50.0)
        self.assertEqual(written["tasks"][1]["returns"], [3.0])
        self.assertAlmostEqual(written["aggregates"]["iqm"]["value"], 50, places=3)
        self.assertEqual(written["confidence"], 0.95)


if __name__ == "__main__":
    absltest.main()
