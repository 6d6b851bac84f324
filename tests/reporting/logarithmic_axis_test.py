"""Tests of reporting/logarithmic_axis.py."""

from absl.testing import absltest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import figure

from kickstarting.reporting import logarithmic_axis


def _numbers(low: float, high: float) -> list[float]:
    """Returns the numbers at the ticks that are seen."""
    plot = figure.Figure()
    panel = plot.subplots()
    panel.plot([0, 1], [low, high])
    logarithmic_axis.use(panel)
    plot.draw_without_rendering()
    bottom, top = panel.get_ylim()
    return [
        float(tick.label1.get_text().replace("\N{MINUS SIGN}", "-"))
        for tick in panel.yaxis.get_major_ticks()
        if bottom <= tick.get_loc() <= top
    ]


class LogarithmicAxisTest(absltest.TestCase):
    @settings(deadline=None, max_examples=50)
    @given(st.floats(1e-9, 100), st.floats(0.005, 9))
    def test_two_numbers_are_seen_whatever_it_spans(self, low, decades):
        numbers = _numbers(low, low * 10**decades)
        self.assertGreaterEqual(len(set(numbers)), 2)
        self.assertLen(set(numbers), len(numbers))

    def test_a_constant_has_its_surroundings(self):
        numbers = _numbers(0.002, 0.002)
        self.assertGreaterEqual(len(numbers), 2)

    def test_within_a_decade_and_over_many(self):
        self.assertEqual(_numbers(0.0011, 0.009), [0.001, 0.002, 0.005])
        self.assertEqual(_numbers(0.02, 90), [0.1, 1, 10, 100])


if __name__ == "__main__":
    absltest.main()
