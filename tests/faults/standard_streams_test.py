"""A run without standard streams, or with full ones, is done and keeps its scores."""

import json
import os
import pathlib
import subprocess
import sys

from absl.testing import absltest, parameterized

from kickstarting.reporting import run_files
from tests.launch import program_run


class StandardStreamsTest(parameterized.TestCase):
    @parameterized.parameters("<&- >&- 2>&-", ">/dev/full 2>/dev/full")
    def test_a_run_is_done(self, redirections: str) -> None:
        logdir = pathlib.Path(self.create_tempdir().full_path) / "run"
        flags = [
            *program_run.GRID_FLAGS,
            *program_run.SMALL_FLAGS,
            "--evaluation_episodes=1",
            "--total_frames=400",
            f"--logdir={logdir}",
        ]
        command = f'exec "$0" -m launch.train "$@" {redirections}'
        process = subprocess.run(
            ["sh", "-c", command, sys.executable, *flags],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            timeout=200,
        )
        self.assertEqual(process.returncode, 0)
        metrics = run_files.read_metrics(str(logdir))
        self.assertEqual(metrics[run_files.FRAMES][-1], 400)
        self.assertEqual(metrics["worker_restarts"][-1], 0)
        scores = json.loads((logdir / "scores.json").read_text())
        self.assertLen(scores["tasks"][0]["returns"], 1)


if __name__ == "__main__":
    absltest.main()
