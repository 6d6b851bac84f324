"""Tests of storage/checkpoints.py: a save that is killed costs no older one."""

import os
import random
import signal
import subprocess
import sys
import tempfile
import textwrap
import time

import numpy as np
from absl.testing import absltest

from kickstarting.storage import checkpoints

_SAVE_FOR_EVER = textwrap.dedent(
    """
    import itertools, sys
    import numpy as np
    from kickstarting.storage import checkpoints

    store = checkpoints.Checkpoints(sys.argv[1], keep=2)
    template = {"params": np.zeros(200_000), "frames": 0}
    restored = store.restore_newest(template, {})
    for frames in itertools.count(restored.frames + 1 if restored else 0):
        tree = {"params": np.full(200_000, float(frames)), "frames": frames}
        store.save(frames, tree, {})
        print(frames, flush=True)
    """
)


class KilledTest(absltest.TestCase):
    def test_a_kill_at_any_moment_leaves_a_sound_checkpoint(self):
        folder = tempfile.mkdtemp(dir=self.create_tempdir().full_path)
        store = checkpoints.Checkpoints(folder, keep=2)
        template = {"params": np.zeros(200_000), "frames": 0}
        moments = random.Random(1)
        reported = -1
        for _ in range(3):
            with subprocess.Popen(
                [sys.executable, "-c", _SAVE_FOR_EVER, folder],
                stdout=subprocess.PIPE,
                text=True,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
            ) as process:
                assert process.stdout is not None
                reported = int(process.stdout.readline())
                time.sleep(moments.uniform(0.0, 0.5))
                process.send_signal(signal.SIGKILL)
                reported = max(reported, *map(int, process.stdout.read().split()), -1)
            restored = store.restore_newest(template, {})
            assert restored is not None
            # One more may have been finished than was reported.
            self.assertBetween(restored.frames, reported, reported + 1)
            self.assertEqual(restored.tree["frames"], restored.frames)
            np.testing.assert_array_equal(restored.tree["params"], restored.frames)


if __name__ == "__main__":
    absltest.main()
