"""Figures are drawn of what there is, and only of that."""

import pathlib

from absl.testing import absltest

from experiments.experiment import Condition, Experiment
from experiments.results import figures
from experiments.running import records as run_records

_TASK = "doom:take_cover"


def _record(**columns: tuple[float | None, ...]) -> run_records.Record:
    return run_records.Record(
        identity={"tasks": [_TASK], "total_frames": 100, "seed": 1},
        settings=(),
        git_revision="",
        seconds=1.0,
        frames=(50.0, 75.0, 100.0),
        columns={f"episode_return/{_TASK}": (250.0, 260.0, 270.0), **columns},
        final_returns={},
        episodes=0,
        teacher_returns={},
    )


class FiguresTest(absltest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def _draw(self, *conditions: Condition, found) -> list[str]:
        experiment = Experiment(
            title="An experiment",
            shows="What?",
            tasks=(_TASK,),
            total_frames=100,
            seeds=(1,),
            conditions=conditions,
            traces=("global_weight",),
        )
        drawn = figures.draw("name", experiment, found, str(self.folder))
        self.assertCountEqual(
            [path.name for path in self.folder.iterdir()],
            [file.replace(".png", end) for file in drawn for end in (".png", ".svg")],
        )
        return drawn

    def test_a_trace_is_drawn_where_a_run_has_it(self) -> None:
        a, b = Condition("a"), Condition("b")
        without = {"a": [_record()], "b": [_record()]}
        self.assertEqual(self._draw(a, b, found=without), ["name.png"])
        # A weight that has reached 0 has no place on a logarithmic axis.
        weights = {"b": [_record(global_weight=(4.0, 1.0, 0.0))]}
        self.assertEqual(
            self._draw(a, b, found={**without, **weights}),
            ["name.png", "name_global_weight.png"],
        )
        never = {"a": [_record(global_weight=(None, None, 0.0))]}
        for path in self.folder.iterdir():
            path.unlink()
        self.assertEqual(self._draw(a, found=never), ["name.png"])

    def test_a_weights_axis_is_called_by_its_task(self) -> None:
        name = "kickstarting_weight/xland:MiniGrid-DoorKey-6x6"
        self.assertEqual(figures._axis(name), ("λ of MiniGrid-DoorKey-6x6", True))
        self.assertEqual(figures._axis("policy_lag"), ("policy_lag", False))

    def test_conditions_of_several_figures(self) -> None:
        conditions = (
            Condition("in all"),
            Condition("a", figure="first"),
            Condition("b", figure="second"),
        )
        found = {each.label: [_record()] for each in conditions}
        self.assertEqual(
            self._draw(*conditions, found=found),
            ["name_first.png", "name_second.png"],
        )


if __name__ == "__main__":
    absltest.main()
