"""A profile is taken once, after the warm-up, and nothing is lost by one that fails."""

import pathlib
from unittest import mock

import jax
from absl.testing import absltest

from kickstarting.reporting import profile


class ProfileTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.logdir = self.create_tempdir().full_path
        self.now = 0.0

    def _profile(self, seconds: float) -> profile.Profile:
        return profile.Profile(seconds, self.logdir, clock=lambda: self.now)

    def _advance(self, taken: profile.Profile, *times: float) -> None:
        for self.now in times:
            taken.after_update()

    def _files(self) -> list[str]:
        return sorted(path.name for path in pathlib.Path(self.logdir).rglob("*.gz"))

    def test_is_taken_after_the_warm_up_and_can_be_opened(self):
        taken = self._profile(2.0)
        self._advance(taken, 100.0, 109.0, 111.0)
        jax.block_until_ready(jax.numpy.ones(3) + 1)
        self.assertEqual(self._files(), [])
        with self.assertLogs(level="WARNING") as logged:
            self._advance(taken, 112.0, 113.5)
        self.assertIn("plugins/profile", str(logged))
        self.assertIn("perfetto_trace.json.gz", self._files())
        before = self._files()
        self._advance(taken, 200.0, 300.0)
        taken.end()
        self.assertEqual(self._files(), before)

    def test_a_run_that_is_over_before_ends_it(self):
        taken = self._profile(60.0)
        self._advance(taken, 0.0, 11.0)
        with self.assertLogs(level="WARNING"):
            taken.end()
        self.assertIn("perfetto_trace.json.gz", self._files())

    def test_none_is_taken_unasked(self):
        taken = self._profile(0.0)
        with mock.patch.object(jax.profiler, "start_trace") as start:
            self._advance(taken, 0.0, 20.0, 40.0)
            taken.end()
        start.assert_not_called()

    def test_training_goes_on_where_another_is_being_taken(self):
        jax.profiler.start_trace(self.create_tempdir().full_path)
        self.addCleanup(jax.profiler.stop_trace)
        taken = self._profile(1.0)
        with self.assertLogs(level="ERROR") as logged:
            self._advance(taken, 0.0, 11.0)
        self.assertIn("without a profile", str(logged))
        self._advance(taken, 20.0, 40.0)
        self.assertEqual(self._files(), [])

    def test_training_goes_on_where_the_disk_is_full(self):
        taken = self._profile(1.0)
        self._advance(taken, 0.0, 11.0)
        with (
            mock.patch.object(
                jax.profiler, "stop_trace", side_effect=OSError("No space left")
            ),
            self.assertLogs(level="ERROR") as logged,
        ):
            self._advance(taken, 13.0)
        jax.profiler.stop_trace()
        self.assertIn("No space left", str(logged))


if __name__ == "__main__":
    absltest.main()
