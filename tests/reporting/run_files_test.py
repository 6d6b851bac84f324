"""Tests of reporting/run_files.py."""

import contextlib
import errno
import glob
import json
import math
import os
import pathlib
import resource
import subprocess
import sys
import time
from collections.abc import Iterator

import numpy as np
from absl.testing import absltest, parameterized
from tensorboard.backend.event_processing import event_accumulator

from kickstarting.reporting import run_files as run_files_lib


@contextlib.contextmanager
def _largest_file(size: int) -> Iterator[None]:
    """Lets no file grow beyond `size` bytes, as if the disk were full."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


class RunFilesTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.logdir = os.path.join(self.create_tempdir().full_path, "new", "run")
        self.metrics = os.path.join(self.logdir, run_files_lib.METRICS_FILE)

    def _open(self) -> run_files_lib.RunFiles:
        files = run_files_lib.RunFiles(self.logdir)
        self.addCleanup(files.close)
        return files

    def _events(self, tag: str) -> list[tuple[int, float]]:
        events = event_accumulator.EventAccumulator(self.logdir).Reload()
        return [(event.step, event.value) for event in events.Scalars(tag)]

    def test_rows_can_be_read_while_the_run_goes_on(self):
        files = self._open()
        files.write_row({"frames": 12_345_678_901, "loss": 0.5, "score": math.nan})
        files.write_row({"frames": 12_345_678_902, "loss": 1e-9, "score": -math.inf})
        columns = run_files_lib.read_metrics(self.logdir)
        np.testing.assert_array_equal(
            columns["frames"], [12_345_678_901, 12_345_678_902]
        )
        np.testing.assert_array_equal(columns["loss"], [0.5, 1e-9])
        np.testing.assert_array_equal(columns["score"], [np.nan, -np.inf])
        self.assertEqual(columns["loss"].dtype, np.float64)

    def test_new_columns_are_unknown_in_earlier_rows_and_missing_ones_later(self):
        files = self._open()
        files.write_row({"frames": 1, "a": 1.0})
        files.write_row({"frames": 2, "a": 2.0, "b,c": 5.0})
        files.close()
        files = self._open()
        files.write_row({"d": 7.0, "frames": 3})
        columns = run_files_lib.read_metrics(self.metrics)
        nan = np.nan
        np.testing.assert_array_equal(columns["frames"], [1, 2, 3])
        np.testing.assert_array_equal(columns["a"], [1, 2, nan])
        np.testing.assert_array_equal(columns["b,c"], [nan, 5, nan])
        np.testing.assert_array_equal(columns["d"], [nan, nan, 7])
        self.assertEqual(glob.glob(f"{self.logdir}/*.new"), [])

    def test_half_a_row_of_a_killed_run_is_dropped(self):
        files = self._open()
        files.write_row({"frames": 1, "a": 1.0})
        files.close()
        with open(self.metrics, "a") as file:
            file.write("2,0.12")
        np.testing.assert_array_equal(
            run_files_lib.read_metrics(self.metrics)["frames"], [1]
        )
        self._open().write_row({"frames": 3, "a": 3.0})
        with open(self.metrics) as file:
            self.assertEqual(file.read(), "frames,a\n1,1\n3,3\n")

    def test_resuming_never_doubles_back(self):
        files = self._open()
        for frames in (100, 200, 300):
            files.write_row({"frames": frames, "a": frames / 100})
        files.close()
        files = self._open()
        files.truncate(200)
        files.write_row({"frames": 250, "a": 9.0})
        np.testing.assert_array_equal(
            run_files_lib.read_metrics(self.metrics)["frames"], [100, 200, 250]
        )
        self.assertEqual(self._events("a"), [(100, 1.0), (200, 2.0), (250, 9.0)])

    def test_truncating_an_empty_run_keeps_it_usable(self):
        files = self._open()
        files.truncate(0)
        files.write_row({"frames": 1})
        self.assertEqual(list(run_files_lib.read_metrics(self.metrics)), ["frames"])

    def test_tensorboard_reads_the_finite_values(self):
        files = self._open()
        files.write_row({"frames": 10, "episode_return/doom:basic": 0.25})
        files.write_row({"frames": 20, "episode_return/doom:basic": math.nan})
        files.write_row({"frames": 30, "episode_return/doom:basic": 0.75})
        self.assertEqual(
            self._events("episode_return/doom:basic"), [(10, 0.25), (30, 0.75)]
        )

    def test_tensorflow_is_not_imported(self):
        program = (
            "import sys\n"
            "from kickstarting.reporting import run_files\n"
            "run_files.RunFiles(sys.argv[1]).write_row({'frames': 1, 'a': 2.0})\n"
            "assert 'tensorflow' not in sys.modules\n"
        )
        subprocess.run([sys.executable, "-c", program, self.logdir], check=True)
        self.assertEqual(self._events("a"), [(1, 2.0)])

    def test_where_tensorboard_is_not_installed_there_are_rows_alone(self):
        # What Python says of a module that it cannot find.
        with absltest.mock.patch.dict(sys.modules, {"tensorboard": None}):
            files = self._open()
        files.write_row({"frames": 1, "a": 2.0})
        files.truncate(0)
        files.close()
        self.assertEqual(os.listdir(self.logdir), [run_files_lib.METRICS_FILE])

    def test_config_is_written_whole(self):
        files = self._open()
        config = {"tasks": ["doom:basic"], "loss": {"discount": 0.99}, "λ": None}
        files.write_config({"old": 1}, ["train"])
        files.write_config(config, ["train", "--seed=1"])
        path = os.path.join(self.logdir, run_files_lib.CONFIG_FILE)
        with open(path, encoding="utf-8") as file:
            description = json.load(file)
        self.assertEqual(description["config"], config)
        self.assertEqual(description["command"], ["train", "--seed=1"])
        starts = os.path.join(self.logdir, run_files_lib.STARTS_FOLDER)
        self.assertCountEqual(os.listdir(starts), ["1.json", "2.json"])
        with open(os.path.join(starts, "1.json"), encoding="utf-8") as file:
            self.assertEqual(json.load(file)["config"], {"old": 1})

    def test_full_disk_is_one_line_and_leaves_whole_rows(self):
        files = self._open()
        row = {"frames": 1, "a": 0.123456}
        files.write_row(row)
        before = os.path.getsize(self.metrics)
        with (
            _largest_file(before + 5),
            self.assertRaisesRegex(run_files_lib.RunFilesError, "cannot write") as full,
        ):
            files.write_row(row)
        self.assertNotIn("\n", str(full.exception))
        self.assertEqual(os.path.getsize(self.metrics), before)
        files.write_row({"frames": 2, "a": 1.0})
        np.testing.assert_array_equal(
            run_files_lib.read_metrics(self.metrics)["frames"], [1, 2]
        )
        self.assertEqual([step for step, _ in self._events("a")], [1, 2])

    def test_a_disk_that_has_become_read_only_is_one_line(self):
        files = self._open()
        files.write_row({"frames": 1, "a": 1.0})
        before = os.path.getsize(self.metrics)
        error = OSError(errno.EROFS, os.strerror(errno.EROFS))
        with (
            absltest.mock.patch.multiple(
                os,
                write=absltest.mock.Mock(side_effect=error),
                ftruncate=absltest.mock.Mock(side_effect=error),
            ),
            self.assertRaisesRegex(
                run_files_lib.RunFilesError, "cannot write.*Read-only file system"
            ),
        ):
            files.write_row({"frames": 2, "a": 1.0})
        self.assertEqual(os.path.getsize(self.metrics), before)

    def test_what_is_appended_is_whole_or_not_there(self):
        path = os.path.join(self.create_tempdir().full_path, "evaluations.csv")
        run_files_lib.append(path, "frames\n100\n")
        with _largest_file(13), self.assertRaises(run_files_lib.RunFilesError):
            run_files_lib.append(path, "2000\n")
        run_files_lib.append(path, "3000\n")
        self.assertEqual(pathlib.Path(path).read_text(), "frames\n100\n3000\n")

    def test_events_are_in_order_though_the_clock_was_set_back(self):
        self._open().write_row({"frames": 1, "a": 1.0})
        yesterday = time.time_ns() - 86_400 * 10**9
        with absltest.mock.patch.object(time, "time_ns", return_value=yesterday):
            for frames in (2, 3):
                self._open().write_row({"frames": frames, "a": float(frames)})
        self.assertEqual(self._events("a"), [(1, 1.0), (2, 2.0), (3, 3.0)])

    def test_full_disk_while_a_column_is_added_keeps_the_file(self):
        files = self._open()
        files.write_row({"frames": 1, "a": 1.0})
        with _largest_file(8), self.assertRaises(run_files_lib.RunFilesError):
            files.write_row({"frames": 2, "b": 1.0})
        files.write_row({"frames": 3, "b": 3.0})
        columns = run_files_lib.read_metrics(self.metrics)
        np.testing.assert_array_equal(columns["frames"], [1, 3])
        np.testing.assert_array_equal(columns["b"], [np.nan, 3])
        self.assertEqual(glob.glob(f"{self.logdir}/*.new"), [])

    @parameterized.parameters(
        "my,own\n1,2\n", "frames,a\n1\n", "frames,a\n1,x\n", "frames,a\n,1\n"
    )
    def test_refuses_a_foreign_file(self, text):
        os.makedirs(self.logdir)
        with open(self.metrics, "w") as file:
            file.write(text)
        with self.assertRaisesRegex(
            run_files_lib.RunFilesError, "not a metrics file.*move it away"
        ) as refused:
            run_files_lib.RunFiles(self.logdir)
        self.assertNotIn("\n", str(refused.exception))
        with open(self.metrics) as file:
            self.assertEqual(file.read(), text)

    def test_refuses_a_folder_that_is_a_file(self):
        path = self.create_tempfile().full_path
        with self.assertRaisesRegex(run_files_lib.RunFilesError, "cannot write"):
            run_files_lib.RunFiles(os.path.join(path, "run"))

    def test_reading_a_missing_file_is_one_line(self):
        with self.assertRaisesRegex(run_files_lib.RunFilesError, "cannot read"):
            run_files_lib.read_metrics("/nowhere/metrics.csv")


if __name__ == "__main__":
    absltest.main()
