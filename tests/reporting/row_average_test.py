"""Means over the updates of a row."""

from absl.testing import absltest, parameterized

from kickstarting.reporting import row_average

_HOUR = 3600.0


def _rows(begin: float, end: float) -> int:
    """Returns how many rows a run writes between two of its seconds."""
    count, now = 0, begin
    while now < end:
        now += row_average.period(now)
        count += 1
    return count


class RowAverageTest(absltest.TestCase):
    def test_it_is_the_mean_over_its_updates(self):
        row = row_average.RowAverage()
        self.assertEqual((row.updates, row.means()), (0, {}))
        row.add({"loss": 1.0, "entropy": 4.0})
        row.add({"loss": 2.0, "entropy": 6.0})
        self.assertEqual(row.updates, 2)
        self.assertEqual(row.means(), {"loss": 1.5, "entropy": 5.0})
        self.assertGreaterEqual(row.seconds, 0.0)


class PeriodTest(parameterized.TestCase):
    def test_each_second_of_the_first_hour_has_a_row(self):
        self.assertEqual(row_average.period(0.0), 1.0)
        self.assertEqual(row_average.period(_HOUR), 1.0)
        self.assertEqual(_rows(0.0, _HOUR), 3600)

    @parameterized.parameters(1, 10, 24, 24 * 7, 24 * 365)
    def test_a_run_that_goes_on_for_as_long_again_has_some_thousands_more(self, hours):
        self.assertBetween(_rows(hours * _HOUR, 2 * hours * _HOUR), 2000, 3000)

    def test_a_week_has_as_many_as_six_hours_had(self):
        self.assertLess(_rows(0.0, 7 * 24 * _HOUR), 6.5 * _HOUR)


if __name__ == "__main__":
    absltest.main()
