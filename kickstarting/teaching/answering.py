"""Calls code of others in threads of its own: what hangs there holds nobody else up."""

import queue
import threading
import time
from collections.abc import Callable
from typing import Any

_POLL_SECONDS = 0.2


class HangsError(Exception):
    """There is no answer yet; the message is what a person is told."""


class Answering:
    """A thread for the calls of one teacher, one after another."""

    def __init__(self, name: str) -> None:
        """Starts the thread, which ends with the process.

        Args:
          name: of the thread.
        """
        self._calls: queue.Queue[Callable[[], Any] | None] = queue.Queue()
        self._answers: queue.Queue[tuple[Any, Exception | None]] = queue.Queue()
        self._is_busy = False
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def ask(
        self, call: Callable[[], Any], seconds: float, should_stop: Callable[[], bool]
    ) -> Any:
        """Returns what a call returns.

        Args:
          call: the code of others.
          seconds: after which it is not waited for any longer.
          should_stop: whether it is no longer waited for at all.

        Raises:
          HangsError: there was no answer in time, or an earlier call has none yet.
          Exception: the call's.
        """
        if self._is_busy:
            try:
                # It comes too late for who had asked.
                self._answers.get_nowait()
            except queue.Empty:
                raise HangsError("hangs") from None
        self._is_busy = True
        self._calls.put(call)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not should_stop():
            try:
                answer, error = self._answers.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                continue
            self._is_busy = False
            if error is not None:
                raise error
            return answer
        raise HangsError(f"hangs: no answer within {seconds:g} seconds")

    def end(self) -> None:
        """Lets the thread end, after its last call."""
        self._calls.put(None)

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            try:
                answer, error = call(), None
            except Exception as failure:  # noqa: BLE001 - anybody's code
                answer, error = None, failure
            self._answers.put((answer, error))
            # What it holds may be freed.
            del call, answer, error
