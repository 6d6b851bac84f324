"""Tests of reporting/metrics_file.py: what is read of a file, and what is kept."""

import os
from unittest import mock

import numpy as np
from absl.testing import absltest, parameterized

from kickstarting.reporting import metrics_file, whole_writes

_HEADER = "frames,episode_return/doom:basic,episode_return/gym:a/b,other\n"
# A hole in a file takes no room on the disk, and much where it is read.
_HOLE_BYTES = 2**40


class MetricsFileTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.path = os.path.join(self.create_tempdir().full_path, "metrics.csv")

    def _write(self, text: str) -> None:
        with open(self.path, "w") as file:
            file.write(text)

    def _text(self) -> str:
        with open(self.path) as file:
            return file.read()

    @parameterized.parameters(
        (["other"], ["frames", "other"]),
        ([], ["frames"]),
        (["nowhere"], ["frames"]),
        (
            ["episode_return/"],
            ["frames", "episode_return/doom:basic", "episode_return/gym:a/b"],
        ),
        (["episode_return/gym:a/b"], ["frames", "episode_return/gym:a/b"]),
    )
    def test_columns_that_are_asked_for(self, columns, names):
        self._write(_HEADER + "1,2,3,4\n5,6,,8\n9,")
        found = metrics_file.read(self.path, columns)
        self.assertEqual(list(found), names)
        everything = metrics_file.read(self.path, None)
        self.assertLen(everything, 4)
        for name, values in found.items():
            np.testing.assert_array_equal(values, everything[name])
        np.testing.assert_array_equal(found["frames"], [1, 5])

    @parameterized.parameters(1, 3, 7, 100)
    def test_rows_from_the_end_whatever_the_blocks(self, block_bytes):
        rows = [f"{frames},{frames / 3:.7g},,1\n" for frames in range(0, 400, 7)]
        for half in ("", "5", "500,1,1,1"):
            self._write(_HEADER + "".join(rows) + half)
            with mock.patch.object(metrics_file, "_BLOCK_BYTES", block_bytes):
                self.assertEqual(metrics_file.newest(self.path)["frames"], 399)
                file = metrics_file.MetricsFile(self.path)
                self.assertEqual(self._text(), _HEADER + "".join(rows))
                for frames in (1000, 399, 398, 20, 0):
                    file.cut_after(frames)
                    kept = [row for row in rows if int(row.split(",")[0]) <= frames]
                    self.assertEqual(self._text(), _HEADER + "".join(kept))
                file.cut_after(-1)
                self.assertEqual(self._text(), _HEADER)
                file.close()

    def test_the_newest_row(self):
        self._write(_HEADER + "1,2,3,4\n5,6,,8\n9,")
        newest = metrics_file.newest(self.path)
        self.assertEqual([newest["frames"], newest["other"]], [5, 8])
        self.assertTrue(np.isnan(newest["episode_return/gym:a/b"]))

    @parameterized.parameters("", "fram", _HEADER, _HEADER + "1,2")
    def test_without_a_whole_row_there_is_none(self, text):
        self._write(text)
        self.assertEqual(metrics_file.newest(self.path), {})
        for values in metrics_file.read(self.path, None).values():
            self.assertEmpty(values)

    def test_who_goes_on_reads_the_end_alone(self):
        self._write(_HEADER)
        os.truncate(self.path, _HOLE_BYTES)
        with open(self.path, "a") as file:
            file.write("\n" + "".join(f"{frames},,,\n" for frames in range(3)))
        file = metrics_file.MetricsFile(self.path)
        self.addCleanup(file.close)
        file.cut_after(1)
        file.write({"frames": 2})
        self.assertEqual(metrics_file.newest(self.path)["frames"], 2)
        self.assertEqual(
            os.path.getsize(self.path), _HOLE_BYTES + len("\n" + "0,,,\n" * 3)
        )

    @parameterized.parameters(
        "my,own\n1,2\n", "frames,a\n1\n", "frames,a\n1,x\n", "frames,a\n,1\n"
    )
    def test_a_foreign_file_is_one_line(self, text):
        self._write(text)
        for use in (
            metrics_file.MetricsFile,
            metrics_file.newest,
            lambda path: metrics_file.read(path, None),
        ):
            with self.assertRaisesRegex(
                whole_writes.RunFilesError, "not a metrics file.*move it away"
            ) as refused:
                use(self.path)
            self.assertNotIn("\n", str(refused.exception))
        self.assertEqual(self._text(), text)


if __name__ == "__main__":
    absltest.main()
