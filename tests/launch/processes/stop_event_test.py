"""Tests of the event by which a program stops."""

import signal
import threading

from absl.testing import absltest

from launch.processes import stop_event

_SECONDS = 30.0


class StopEventTest(absltest.TestCase):
    def test_it_is_set_and_wakes_who_waits(self) -> None:
        event = stop_event.StopEvent()
        self.assertFalse(event.wait(0.01))
        woken = threading.Event()

        def wait() -> None:
            event.wait()
            woken.set()

        threading.Thread(target=wait, daemon=True).start()
        event.set()
        self.assertTrue(event.wait(_SECONDS))
        self.assertTrue(woken.wait(_SECONDS))
        event.set()
        self.assertTrue(event.is_set())

    def test_a_handler_sets_it_while_its_thread_holds_the_lock(self) -> None:
        event = stop_event.StopEvent()
        before = signal.signal(signal.SIGTERM, lambda *_: event.set())
        self.addCleanup(signal.signal, signal.SIGTERM, before)
        # As within wait() and set().
        with event._cond:  # type: ignore[attr-defined]
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGTERM)
        self.assertTrue(event.wait(_SECONDS))

    def test_launchpad_makes_such_events(self) -> None:
        from launchpad.launch import worker_manager

        with absltest.mock.patch.object(
            worker_manager, "threading", worker_manager.threading
        ):
            stop_event.use()
            manager = worker_manager.WorkerManager(register_signals=False)
            self.assertIsInstance(manager.stop_event(), stop_event.StopEvent)


if __name__ == "__main__":
    absltest.main()
