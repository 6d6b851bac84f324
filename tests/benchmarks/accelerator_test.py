"""The benchmark of accelerators, on a processor and with tiny sizes."""

import contextlib
import io
import json
import math
import os
import subprocess
import sys
from typing import Any
from unittest import mock

from absl.testing import absltest

from benchmarks import accelerator

_TINY = (
    *("--torsos", "shallow", "--core_size", "8", "--unroll_length", "2"),
    *("--batch_sizes", "2", "3", "--inference_sizes", "2", "--teachers", "1", "2"),
    *("--seconds", "0.05"),
)
# What is not loaded is not needed.
_PROGRAM = """
import sys
from benchmarks import accelerator
accelerator.main(sys.argv[1:])
foreign = {"launch", "launchpad", "reverb", "tensorflow", "courier", "matplotlib"}
assert not foreign & set(sys.modules), foreign & set(sys.modules)
"""


class AcceleratorTest(absltest.TestCase):
    def _main(self, *arguments: str) -> tuple[dict[str, Any], str]:
        """Runs it in this process; returns its JSON and what it was at."""
        shown, told = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(shown), contextlib.redirect_stderr(told):
            accelerator.main(arguments)
        return json.loads(shown.getvalue()), told.getvalue()

    def test_it_measures_every_part_with_the_library_alone(self):
        result = subprocess.run(
            (sys.executable, "-c", _PROGRAM, *_TINY),
            env={
                **os.environ,
                "JAX_PLATFORMS": "cpu",
                "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
                # Over which a batch of three cannot be split.
                "XLA_FLAGS": "--xla_force_host_platform_device_count=2",
            },
            capture_output=True,
            text=True,
            timeout=250,
        )
        self.assertEqual(result.returncode, 0, result.stderr)
        found = json.loads(result.stdout)
        self.assertEqual(found["device"]["platform"], "cpu")
        self.assertEqual(found["device"]["count"], 2)
        self.assertTrue(found["device"]["kind"])
        self.assertIn("jax", found["packages"])
        self.assertEqual(found["config"]["batch_sizes"], [2, 3])
        update, split = found["updates"]
        self.assertEqual((update["torso"], update["batch_size"]), ("shallow", 2))
        # Frames of an update: batch, unroll and action repeat.
        for rate in ("", "learner_"):
            self.assertAlmostEqual(
                update[f"{rate}frames_per_second"],
                2 * 2 * 4 * update[f"{rate}updates_per_second"],
            )
        self.assertBetween(update["device_waits_share"], 0.0, 1.0)
        self.assertIn("cannot be split over the 2 devices", split["error"])
        (acting,) = found["inference"]
        self.assertAlmostEqual(acting["steps_per_second"], 2e3 / acting["milliseconds"])
        self.assertEqual([row["teachers"] for row in found["labels"]], [1, 2])
        for row in (update, acting, *found["labels"]):
            for name, value in row.items():
                if name not in ("torso", "device_waits_share"):
                    self.assertBetween(value, 1e-9, math.inf, name)
        self.assertEmpty(found["left_out"])
        self.assertIn("updates torso=shallow batch_size=2", result.stderr)

    def test_what_there_is_no_time_for_is_named(self):
        with mock.patch.object(accelerator.learning, "updates") as measured:
            found, told = self._main(*_TINY, "--total_seconds", "1e-9")
        measured.assert_not_called()
        self.assertLen(found["left_out"], 5)
        self.assertEqual(found["left_out"][0], "updates torso=shallow batch_size=2")
        self.assertEmpty(told)

    def test_what_fails_is_kept_with_its_reason(self):
        with (
            mock.patch.object(
                accelerator.learning,
                "updates",
                side_effect=RuntimeError("RESOURCE_EXHAUSTED: Out of memory\nmore"),
            ),
            mock.patch.object(accelerator.answering, "inference", return_value={}),
            mock.patch.object(accelerator.answering, "labels", return_value={}),
        ):
            found, told = self._main(*_TINY)
        reason = "RESOURCE_EXHAUSTED: Out of memory"
        self.assertEqual([row["error"] for row in found["updates"]], [reason] * 2)
        self.assertIn(reason, told)

    def test_bad_input_is_refused(self):
        for flag, value in (
            ("--batch_sizes", "0"),
            ("--seconds", "inf"),
            ("--torsos", "round"),
        ):
            with self.assertRaises(SystemExit) as caught:
                self._main(flag, value)
            self.assertEqual(caught.exception.code, 2)


if __name__ == "__main__":
    absltest.main()
