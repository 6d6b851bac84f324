"""The picture of a population can be drawn, whatever it did."""

import dataclasses
import os
import pathlib
import xml.etree.ElementTree

import numpy as np
from absl.testing import absltest
from matplotlib import image

from kickstarting.population import events as population_events
from kickstarting.population import picture as population_picture
from kickstarting.population import rules as population
from kickstarting.reporting import learning_curves

_RATE = "learning_rate"


def _event(member: int, number: int, rate: float, other: int | None = None):
    return population_events.Event(
        number=number,
        member=member,
        frames=1000 * number,
        other=other,
        copied=other is not None,
        rule="score_gap",
        statistics={},
        fitness=1.0,
        other_fitness=1.0,
        before={_RATE: rate},
        after={_RATE: rate},
    )


class PopulationPictureTest(absltest.TestCase):
    def _draw(self, events, curves, names=(_RATE,)) -> str:
        path = os.path.join(self.create_tempdir().full_path, "new", "population.png")
        population_picture.draw(path, curves, events, best=1, names=names)
        return path

    def test_draws_scores_lineages_and_copies(self):
        events = [
            _event(0, 0, 1e-3),
            _event(1, 0, 1e-4),
            _event(2, 0, 1e-2),
            _event(1, 1, 1e-3, other=0),
            _event(2, 2, 1e-3, other=1),
        ]
        frames = np.arange(5) * 500.0
        curves = [
            learning_curves.Curve("0", frames, frames / 50, 1),
            learning_curves.Curve("1", frames, frames / 30, 2),
            None,
        ]
        path = self._draw(events, curves)
        pixels = image.imread(path)[..., :3]
        orange = np.array([0xD5, 0x5E, 0x00]) / 255
        self.assertTrue((np.abs(pixels - orange) < 0.01).all(axis=-1).any())
        text = pathlib.Path(path).with_suffix(".svg").read_text()
        xml.etree.ElementTree.fromstring(text)

    def test_draws_members_that_never_had_a_score(self):
        events = [_event(member, 0, 1e-3) for member in range(2)]
        self.assertTrue(os.path.getsize(self._draw(events, [None, None])))

    def test_draws_the_weight_of_each_task_zero_too(self):
        tasks = [f"{population.FACTOR}xland:{task}" for task in ("hard", "easy")]
        events = [
            dataclasses.replace(
                _event(member, number, 1e-3),
                after={
                    _RATE: 1e-3,
                    population.WEIGHT: 0.5,
                    tasks[0]: 1.0,
                    tasks[1]: float(number == 0),
                },
            )
            for number in range(3)
            for member in range(2)
        ]
        names = [_RATE, population.WEIGHT, *tasks]
        text = pathlib.Path(self._draw(events, [None, None], names))
        drawn = text.with_suffix(".svg").read_text()
        for words in ("λ of each task", "hard", "easy"):
            self.assertIn(words, drawn)


if __name__ == "__main__":
    absltest.main()
