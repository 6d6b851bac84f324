"""A trace of what the learner's process computes during some seconds of a run."""

import os
import time
from collections.abc import Callable

import jax
from absl import logging

# After the first update: until then it compiles, and its actors come up.
_WARM_UP_SECONDS = 10.0


class Profile:
    """Takes one trace, into <logdir>/plugins/profile.

    Its perfetto_trace.json.gz can be opened at https://ui.perfetto.dev; the rest is for
    TensorBoard's profile plugin. Where actors and teachers are threads of the learner's
    process, it shows them too.
    """

    def __init__(
        self,
        seconds: float,
        logdir: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Takes nothing yet.

        Args:
          seconds: that the trace lasts; 0: none is taken.
          logdir: the run's folder.
          clock: seconds.
        """
        self._seconds = seconds
        self._logdir = logdir
        self._clock = clock
        self._first_update: float | None = None
        self._until: float | None = None
        self._is_over = not seconds

    def after_update(self) -> None:
        """Begins the trace, or ends it, where it is time to."""
        if self._is_over:
            return
        now = self._clock()
        if self._until is not None:
            if now >= self._until:
                self.end()
        elif self._first_update is None:
            self._first_update = now
        elif now - self._first_update >= _WARM_UP_SECONDS:
            self._begin()

    def end(self) -> None:
        """Ends the trace if there is one; a run may be over before it is."""
        if self._is_over or self._until is None:
            return
        self._is_over = True
        try:
            jax.profiler.stop_trace()
        except (OSError, RuntimeError) as error:
            logging.error("Training goes on, but without a profile: %s", error)
            return
        folder = os.path.join(self._logdir, "plugins", "profile")
        logging.warning(
            "The profile is in %s: https://ui.perfetto.dev opens its "
            "perfetto_trace.json.gz.",
            folder,
        )

    def _begin(self) -> None:
        try:
            jax.profiler.start_trace(self._logdir, create_perfetto_trace=True)
        except (OSError, RuntimeError) as error:
            self._is_over = True
            logging.error("Training goes on, but without a profile: %s", error)
            return
        # Not from before: what a trace needs is loaded first, which takes seconds.
        self._until = self._clock() + self._seconds
