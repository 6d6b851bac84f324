"""The figure beside the paper's has both, and its two files."""

import dataclasses
import pathlib

from absl.testing import absltest
from matplotlib import image

from experiments import catalogue
from experiments.results import paper_figure
from experiments.running import records as run_records
from experiments.training import Training


class PaperFigureTest(absltest.TestCase):
    def test_draws_what_there_is_beside_the_papers_numbers(self) -> None:
        folder = pathlib.Path(self.create_tempdir().full_path, "new")
        experiment = dataclasses.replace(
            catalogue.load("paper_experts"), tasks=("doom:take_cover",)
        )
        identity = Training(experiment.tasks, 1, experiment.total_frames).identity()
        record = run_records.Record(
            identity=identity,
            settings=(),
            git_revision="",
            seconds=1.0,
            frames=(10.0, float(experiment.total_frames)),
            columns={"episode_return/doom:take_cover": (240.0, 400.0)},
            final_returns={},
            episodes=0,
            teacher_returns={},
        )
        drawn = []
        for found in ({"one": [record]}, {"one": [record], "two": [record, record]}):
            file = paper_figure.draw("name", experiment, found, str(folder))
            self.assertEqual(file, "name_paper.png")
            # Two panels side by side.
            height, width = image.imread(folder / file).shape[:2]
            self.assertGreater(width, 2 * height)
            drawn.append((folder / "name_paper.svg").read_text())
        self.assertNotEqual(*drawn)


if __name__ == "__main__":
    absltest.main()
