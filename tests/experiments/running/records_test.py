"""Records: whole after a round trip, thin, and refused when they are none."""

import dataclasses
import json
import pathlib

import numpy as np
from absl.testing import absltest, parameterized

from experiments.running import records as run_records
from kickstarting.config import run as config_lib

_RECORD = run_records.Record(
    identity={"seed": 1, "tasks": ["doom:basic"]},
    settings=("--seed=1",),
    git_revision="abc",
    seconds=2.5,
    frames=(10.0, 20.0),
    columns={"episode_return/doom:basic": (None, 1.5)},
    final_returns={"doom:basic": 3.25},
    episodes=30,
    teacher_returns={"doom:basic": (4.0, 5.0)},
)


class RoundTripTest(parameterized.TestCase):
    def setUp(self) -> None:
        super().setUp()
        folder = self.create_tempdir().full_path
        self.path = run_records.path(f"{folder}/new", "key")

    def test_what_was_saved_is_loaded(self) -> None:
        run_records.save(self.path, _RECORD)
        self.assertEqual(run_records.load(self.path), _RECORD)
        self.assertLen(list(pathlib.Path(self.path).parent.iterdir()), 1)

    def test_unknown_values_are_nan_in_a_column(self) -> None:
        column = _RECORD.column("episode_return/doom:basic")
        np.testing.assert_array_equal(column, [np.nan, 1.5])
        with self.assertRaises(KeyError):
            _RECORD.column("nothing")

    def test_none_is_none(self) -> None:
        self.assertIsNone(run_records.load(self.path))

    @parameterized.parameters("", "[]", "{}", '{"settings": []}', '{"frames": 1}')
    def test_what_is_no_record_is_refused(self, text: str) -> None:
        path = pathlib.Path(self.path)
        path.parent.mkdir()
        path.write_text(text)
        with self.assertRaisesRegex(config_lib.ConfigError, "no record") as caught:
            run_records.load(self.path)
        self.assertNotIn("\n", str(caught.exception))

    def test_values_that_are_not_finite_are_no_json(self) -> None:
        with self.assertRaises(ValueError):
            run_records.save(
                self.path, dataclasses.replace(_RECORD, seconds=float("nan"))
            )
        self.assertIsNone(run_records.load(self.path))

    def test_every_line_is_a_field_or_a_curve(self) -> None:
        run_records.save(self.path, _RECORD)
        text = pathlib.Path(self.path).read_text()
        self.assertEqual(json.loads(text)["frames"], [10.0, 20.0])
        fields = len(dataclasses.fields(run_records.Record))
        self.assertLen(text.splitlines(), fields + len(_RECORD.columns) + 2)


class ThinnedTest(absltest.TestCase):
    def test_long_curves_keep_their_ends(self) -> None:
        frames = np.arange(10.0, 10_010.0, 10.0)
        kept, columns = run_records.thinned({"a": frames / 10}, frames)
        self.assertLen(kept, run_records.MAX_POINTS)
        self.assertEqual((kept[0], kept[-1]), (10, 10_000))
        self.assertEqual([10 * x for x in columns["a"]], list(kept))

    def test_short_ones_are_kept_and_rounded(self) -> None:
        kept, columns = run_records.thinned(
            {"a": np.array([1.23456789, np.nan])}, np.array([1.0, 2.0])
        )
        self.assertEqual((kept, columns), ((1.0, 2.0), {"a": (1.2346, None)}))


if __name__ == "__main__":
    absltest.main()
