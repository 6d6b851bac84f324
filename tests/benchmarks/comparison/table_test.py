"""Figures as rows of Markdown."""

from absl.testing import absltest

from benchmarks.comparison import table


def _seed(reached: float | None, fall: float | None, minutes: float) -> dict:
    return {
        "marks": [{"reached_at_frames": reached}],
        "largest_fall": fall,
        "cpu_minutes": minutes,
    }


def _task(met: bool, reached: float | None, last: float | None) -> dict:
    mark = {"mean_return": 0.95, "frames": 120_000}
    mark |= {"met": met, "reached_at_frames": reached}
    seeds = [_seed(reached, 0.04, 1.0), _seed(None, 0.256, 2.0)]
    figures = {"title": "ours", "final_return": last, "marks": [mark], "seeds": seeds}
    return {"task": "gym:a", "peers": {"ours": figures}}


class TableTest(absltest.TestCase):
    def _rows(self, *tasks: dict) -> list[str]:
        header, line, *rows = table.markdown(tasks).splitlines()
        self.assertEqual(header.count("|"), line.count("|"))
        for row in rows:
            self.assertEqual(row.count("|"), line.count("|"))
        return rows

    def test_a_mark_that_is_met_is_bold(self) -> None:
        (row,) = self._rows(_task(True, 57_984.0, 0.9312))
        self.assertEqual(
            row,
            "| gym:a | 0.95 by 120k | ours | **58k** | 58k, not | 0.931 | 4% | 1.5 |",
        )

    def test_what_was_not_reached_is_told(self) -> None:
        missed, never = self._rows(
            _task(False, 130_000.0, 9.5), _task(False, None, None)
        )
        self.assertIn("| 130k | 130k, not | 9.5 |", missed)
        self.assertIn("| not | not, not | not |", never)

    def test_a_large_return_has_all_its_digits(self) -> None:
        rows = self._rows(_task(True, 1.0, 2043.6), _task(True, 1.0, -356.25))
        self.assertIn("| 2044 |", rows[0])
        self.assertIn("| -356 |", rows[1])

    def test_without_episodes_there_is_nothing_to_tell(self) -> None:
        task = _task(False, None, None)
        task["peers"]["ours"]["seeds"] = [_seed(None, None, 1.0)]
        (row,) = self._rows(task)
        self.assertEndsWith(row, "| not | not | not | not | 1.0 |")


if __name__ == "__main__":
    absltest.main()
