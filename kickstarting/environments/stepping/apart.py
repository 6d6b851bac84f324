"""One environment in a worker, behind dm_env: it cannot hang or end its caller."""

import time

import dm_env
import numpy as np

from kickstarting.environments import base
from kickstarting.environments.stepping import workers

_WAIT_SECONDS = 1.0
_ONLY = np.zeros(1, np.int32)


class EnvironmentApart(base.SpecifiedEnvironment):
    """Plays one episode after the other; none can be broken off.

    What a termination shows is the next episode's first observation.
    """

    def __init__(
        self,
        settings: base.TaskSettings,
        spec: base.EnvironmentSpec,
        factory: str = workers.DEFAULT_FACTORY,
    ) -> None:
        """Starts its process.

        Args:
          settings: of the environment.
          spec: its own.
          factory: see WorkerBatch.
        """
        super().__init__(spec)
        self._settings = settings
        self._batch = workers.WorkerBatch([settings], spec, 1, 1, factory)
        self._batch.start()
        self._is_first = True
        self._needs_reset = True
        self._is_open = False

    @property
    def available_actions(self) -> np.ndarray:
        return self._batch.available_actions[0, 0, 0].copy()

    def reset(self) -> dm_env.TimeStep:
        """Opens an episode, the first one or after one's end.

        Raises:
          base.EnvironmentConfigError: it cannot be made, dies, or gives no time step
            within settings.deadline_seconds.
        """
        if not self._needs_reset:
            raise ValueError(f"an episode of {self._settings.task} is not over yet")
        if self._is_first:
            self._wait()
        elif not self._is_open:
            # Only crosses the truncation.
            self._step(0)
        self._is_first = self._needs_reset = False
        return dm_env.restart(self._observation())

    def step(self, action: int) -> dm_env.TimeStep:
        """Acts, or opens an episode.

        Raises:
          base.EnvironmentConfigError: see `reset`.
        """
        if self._needs_reset:
            return self.reset()
        self._step(int(action))
        batch = self._batch
        reward = float(batch.reward[0])
        if not batch.ended[0]:
            return dm_env.transition(reward, self._observation())
        self._needs_reset = True
        self._is_open = bool(batch.first[0])
        if self._is_open:
            return dm_env.termination(reward, self._observation())
        return dm_env.truncation(reward, self._observation(), discount=1.0)

    def close(self) -> None:
        self._batch.close()

    def _step(self, action: int) -> None:
        self._batch.step(_ONLY, np.array([action], np.int32), _ONLY, _ONLY)
        self._wait()
        if self._batch.restarted[0]:
            raise base.EnvironmentConfigError(
                f"{self._settings.task} has died in an episode"
            )

    def _wait(self) -> None:
        most = self._settings.deadline_seconds
        start = time.monotonic()
        while not len(self._batch.wait(_WAIT_SECONDS)):
            if time.monotonic() - start > most:
                raise base.EnvironmentConfigError(
                    f"{self._settings.task} gives no time step within {most:g} "
                    "seconds: raise environment_deadline, if it needs more"
                )

    def _observation(self) -> dict[str, np.ndarray]:
        return {
            base.PIXELS: self._batch.pixels[0, 0, 0].copy(),
            base.INSTRUCTION: self._batch.instruction[0, 0, 0].copy(),
        }
