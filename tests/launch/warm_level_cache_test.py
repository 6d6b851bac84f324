"""Tests of the command that fills the level cache."""

import os
import pathlib
import subprocess
import sys

from absl.testing import absltest, parameterized

from kickstarting.environments.dmlab import level_cache
from tests.environments import lab_stand_in


class WarmLevelCacheTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        lab_stand_in.install(self)
        self.folder = self.create_tempdir().full_path

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [
                *(sys.executable, "-m", "launch.warm_level_cache"),
                f"--level_cache={self.folder}",
                *arguments,
            ],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            timeout=100,
        )

    def test_compiles_every_level_with_every_seed_once(self) -> None:
        arguments = ("--levels=rooms_watermaze,skymaze_irreversible_path_hard",)
        run = self._run(*arguments, "--seeds=3-4", "--processes=2")
        self.assertEqual((run.returncode, run.stderr.strip()), (0, ""), run.stderr)
        self.assertStartsWith(run.stdout, "4 maps written, 0 evicted;")
        self.assertEqual(
            {record.origin for record in level_cache.read_ledger(self.folder)},
            {
                f"contributed/dmlab30/{name} seed {seed}"
                for name in ("rooms_watermaze", "skymaze_irreversible_path_hard")
                for seed in (3, 4)
            },
        )
        run = self._run(*arguments, "--seeds=4")
        self.assertStartsWith(run.stdout, "0 maps written, 0 evicted;")
        self.assertIn("holds 4 maps", run.stdout)

    @parameterized.named_parameters(
        ("no_seeds", (), "--seeds is needed"),
        ("bad_seeds", ("--seeds=many",), "--seeds must be first-last"),
        ("falling_seeds", ("--seeds=9-1",), "--seeds must rise within 0-2147483647"),
        ("other_suite", ("--suite=doom", "--seeds=1"), "suite"),
        ("no_cache", ("--level_cache=", "--seeds=1"), "--level_cache is needed"),
        (
            "unwritable",
            ("--level_cache=/proc/cache", "--levels=rooms_watermaze", "--seeds=1"),
            "cannot write to the level cache",
        ),
        ("no_dataset", ("--seeds=1",), "--dataset_path"),
        (
            "missing_dataset",
            ("--seeds=1", "--dataset_path=/no/such"),
            "there is none at '/no/such'",
        ),
        ("unknown_level", ("--levels=rooms_maze", "--seeds=1"), "did you mean"),
        (
            "level_that_lab_lacks",
            ("--suite=dmlab", "--levels=nowhere", "--seeds=1-9"),
            "dmlab:nowhere cannot be loaded",
        ),
    )
    def test_mistakes_are_told_in_one_line(self, arguments, says) -> None:
        run = self._run(*arguments)
        self.assertEqual(run.returncode, 2, run.stderr)
        line = run.stderr.strip().splitlines()[-1]
        self.assertStartsWith(line, "warm_level_cache.py: ")
        self.assertIn(says, line)
        self.assertLen(run.stderr.split("\n"), 2, run.stderr)
        self.assertEqual(level_cache.size(self.folder), (0, 0))

    def test_nothing_but_maps_and_the_ledger_is_left(self) -> None:
        self._run("--levels=rooms_watermaze", "--seeds=1")
        names = [path.suffix for path in pathlib.Path(self.folder).iterdir()]
        self.assertCountEqual(names, [".pk3", ".jsonl"])


if __name__ == "__main__":
    absltest.main()
