"""Means over the updates of a row."""

from absl.testing import absltest

from kickstarting.reporting import row_average


class RowAverageTest(absltest.TestCase):
    def test_it_is_the_mean_over_its_updates(self):
        row = row_average.RowAverage()
        self.assertEqual((row.updates, row.means()), (0, {}))
        row.add({"loss": 1.0, "entropy": 4.0})
        row.add({"loss": 2.0, "entropy": 6.0})
        self.assertEqual(row.updates, 2)
        self.assertEqual(row.means(), {"loss": 1.5, "entropy": 5.0})
        self.assertGreaterEqual(row.seconds, 0.0)


if __name__ == "__main__":
    absltest.main()
