"""What a peer is told and what it leaves."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

from absl.testing import absltest

from benchmarks.peers import training as training_lib


class TrainingTest(absltest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.folder = os.path.join(self.create_tempdir().full_path, "made", "[x]")

    def test_a_command_line_says_everything(self) -> None:
        before = signal.getsignal(signal.SIGTERM)
        self.addCleanup(signal.signal, signal.SIGTERM, before)
        training = training_lib.Training("doom:basic", 3, 1000, self.folder, 2)
        again = training_lib.Training.from_arguments(training.arguments())
        self.assertEqual(again, training)
        self.assertTrue(os.path.isdir(self.folder))

    def test_episodes_of_several_files_are_read_in_order(self) -> None:
        os.makedirs(self.folder)
        first, second = (
            training_lib.EpisodeFile(self.folder, time.time() - 50, name)
            for name in ("_0", "_1")
        )
        first.add(10, 1.0, 0.01)
        second.add(20, -2.0, -0.02)
        first.add(30, 3.0, 0.03)
        # Being written.
        path = pathlib.Path(self.folder, "episodes_1.csv")
        path.write_text(path.read_text() + "40,5")
        episodes = list(training_lib.read_episodes(self.folder))
        self.assertEqual(
            [(each.frames, each.raw_return, each.trained_return) for each in episodes],
            [(10, 1.0, 0.01), (20, -2.0, -0.02), (30, 3.0, 0.03)],
        )
        for each in episodes:
            self.assertBetween(each.seconds, 50.0, 100.0)

    def test_settings_are_json(self) -> None:
        os.makedirs(self.folder)
        training_lib.write_settings(self.folder, {"epochs": 10})
        text = pathlib.Path(self.folder, training_lib.SETTINGS_FILE).read_text()
        self.assertEqual(json.loads(text), {"epochs": 10})

    def test_the_clock_begins_with_the_process(self) -> None:
        code = (
            "import time; time.sleep(0.5)\n"
            "from benchmarks.peers import training; print(training.process_began())"
        )
        before = time.time()
        told = subprocess.run(
            (sys.executable, "-c", code), capture_output=True, text=True, check=True
        )
        # The system's clock of processes ticks a hundred times a second.
        self.assertBetween(float(told.stdout), before - 0.1, time.time() - 0.4)


if __name__ == "__main__":
    absltest.main()
