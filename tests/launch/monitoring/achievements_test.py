"""What counts as done is what another process finds."""

import pathlib

from absl.testing import absltest

from launch.monitoring import achievements


class AchievementsTest(absltest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def _checkpoint(self, logdir: str, name: str, is_whole: bool = True) -> None:
        folder = self.folder / logdir / "checkpoints" / name
        folder.mkdir(parents=True)
        if is_whole:
            (folder / "manifest.json").write_text("{}")

    def test_the_newest_whole_checkpoint_counts(self) -> None:
        done = achievements.checkpointed(str(self.folder))
        self.assertEqual(done(), 0)
        self._checkpoint(".", "checkpoint-000001-700")
        self.assertEqual(done(), 700)
        # It began again in the same folder.
        self._checkpoint(".", "checkpoint-000002-300")
        self._checkpoint(".", "checkpoint-000003-900", is_whole=False)
        self.assertEqual(done(), 300)

    def test_those_of_members_are_added_up(self) -> None:
        for member in range(2):
            self._checkpoint(f"member_{member}", "checkpoint-000001-700")
        self.assertEqual(achievements.checkpointed(str(self.folder))(), 1400)

    def test_a_file_that_grows(self) -> None:
        path = self.folder / "evaluations.csv"
        done = achievements.size_of(str(path))
        self.assertEqual(done(), 0)
        path.write_text("frames\n")
        self.assertEqual(done(), 7)


if __name__ == "__main__":
    absltest.main()
