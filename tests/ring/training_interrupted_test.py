"""Ctrl-C in a ring of one process: a last checkpoint, and the same call goes on."""

import os
import pathlib
import signal
import subprocess
import sys
import time

from absl.testing import absltest

_SECONDS = 200.0
# What is not loaded is not needed: a library for every Python has none of it.
_PROGRAM = """
import sys
from kickstarting.config import run
from kickstarting.config.agent import NetworkConfig
from kickstarting.ring.training import train

try:
    trained = train(
        run.Config(
            tasks=("xland:MiniGrid-Empty-5x5",),
            logdir=sys.argv[1],
            total_frames=int(sys.argv[2]),
            environments_per_actor=4,
            unroll_length=8,
            batch_size=4,
            action_repeat=1,
            evaluation_episodes=0,
            network=NetworkConfig(torso="small_grid", core_size=8),
            checkpoint=run.CheckpointConfig(period_minutes=1e-3),
        )
    )
finally:
    print("loaded", {"launchpad", "reverb", "tensorflow", "courier"} & set(sys.modules))
print("trained", trained.frames)
"""


class InterruptedTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.logdir = self.create_tempdir().full_path

    def _start(self, total_frames: int) -> subprocess.Popen:
        process = subprocess.Popen(
            (sys.executable, "-c", _PROGRAM, self.logdir, str(total_frames)),
            env={**os.environ, "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def _checkpoints(self) -> list[int]:
        """Returns the frames of the finished checkpoints, oldest first."""
        finished = pathlib.Path(self.logdir, "checkpoints").glob("*/manifest.json")
        return sorted(int(path.parent.name.split("-")[2]) for path in finished)

    def test_it_ends_with_a_checkpoint_and_goes_on(self):
        process = self._start(10**8)
        deadline = time.monotonic() + _SECONDS
        while not self._checkpoints() and time.monotonic() < deadline:
            time.sleep(0.1)
            self.assertIsNone(process.poll())
        before = self._checkpoints()
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
        self.assertEqual(process.returncode, -signal.SIGINT, output)
        self.assertIn("KeyboardInterrupt", output)
        self.assertIn("loaded set()", output)
        kept = self._checkpoints()[-1]
        self.assertGreaterEqual(kept, before[-1])
        # One update more than it has done.
        total_frames = kept + 4 * 8
        output, _ = self._start(total_frames).communicate(timeout=_SECONDS)
        self.assertIn(f"trained {total_frames}\n", output)


if __name__ == "__main__":
    absltest.main()
