"""Workers that die, and environments that cannot be played: when a batch gives up."""

from absl.testing import absltest

from kickstarting.environments import base
from kickstarting.environments.doom import doom
from kickstarting.environments.stepping import workers
from tests.environments import scripted, worker_batches


class WorkerDeathsTest(absltest.TestCase):
    def _start(self, batch: workers.WorkerBatch) -> workers.WorkerBatch:
        self.addCleanup(batch.close)
        batch.start()
        return batch

    def test_impossible_environment_is_an_error(self) -> None:
        batch = self._start(worker_batches.scripted_batch({"refuse": 1}))
        with self.assertRaisesRegex(
            base.EnvironmentConfigError, "^scripted has no such level$"
        ):
            batch.wait(worker_batches.DEADLINE)

    def test_worker_that_never_starts_is_an_error(self) -> None:
        batch = self._start(worker_batches.scripted_batch({"die": 1}))
        with self.assertRaisesRegex(
            base.EnvironmentConfigError, r"^the worker of environment 0 .* died 5 times"
        ):
            batch.wait(worker_batches.DEADLINE)

    def test_worker_that_never_resets_says_why(self) -> None:
        batch = self._start(worker_batches.scripted_batch({"crash_at": 0}))
        with self.assertRaisesRegex(
            base.EnvironmentConfigError,
            "died 5 times .* observation: the script says that .* never resets$",
        ):
            batch.wait(worker_batches.DEADLINE)

    def _deaths(self, batch: workers.WorkerBatch, most: int) -> int:
        """Steps the first environment of a batch until its worker has died so often."""
        position = 0
        while batch.counters()["worker_restarts"] < most:
            worker_batches.wait_for(batch, (0,))
            position = 0 if batch.restarted[0] else (position + 1) % 3
            worker_batches.step(batch, [0], position=position)
        return most

    def test_environment_that_dies_in_each_episode_is_an_error(self) -> None:
        batch = self._start(worker_batches.scripted_batch({"crash_at": 1}))
        with self.assertRaisesRegex(
            base.EnvironmentConfigError,
            "died 10 times, and no episode .*: the script says .* crashes here$",
        ):
            self._deaths(batch, workers.MAX_DEATHS_WITHOUT_AN_END)

    def test_environment_that_dies_between_episodes_is_replaced(self) -> None:
        # An episode has two steps; its worker dies in the third episode or before.
        batch = self._start(
            worker_batches.scripted_batch({"length": 2, "crash_after": 5})
        )
        most = workers.MAX_DEATHS_WITHOUT_AN_END + 2
        self.assertEqual(self._deaths(batch, most), most)

    def test_environment_of_another_shape_is_an_error(self) -> None:
        settings = [base.TaskSettings(scripted.task(), 0)]
        batch = workers.WorkerBatch(
            settings, doom.spec("basic", 4), 1, 1, factory=worker_batches.SCRIPTED
        )
        self._start(batch)
        with self.assertRaisesRegex(base.EnvironmentConfigError, "batch was made for"):
            batch.wait(worker_batches.DEADLINE)


if __name__ == "__main__":
    absltest.main()
