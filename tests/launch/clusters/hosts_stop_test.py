"""How the launcher of several machines ends its commands, which run on this one."""

import os
import pathlib
import signal
import threading
import types

from absl.testing import absltest

from launch.clusters import hosts
from launch.processes import stop_signals
from tests import background, small_ring

_FOR_EVER = 10**6
# Ends with its input, as a node does.
_NODE = 'echo > "{begun}"; cat'
# Does not.
_STUBBORN = 'echo > "{begun}"; exec sleep 600'


class HostsStopTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.enter_context(
            absltest.mock.patch.multiple(
                stop_signals._Signals, received=None, interrupts=0
            )
        )
        self.enter_context(
            absltest.mock.patch.object(stop_signals, "SECONDS_TO_STOP", _FOR_EVER)
        )

    def _launch(self, *signals: int, **commands: str) -> BaseException | None:
        """Runs the commands; sends a signal when all have begun, the next later."""
        begun = {name: self.folder / name for name in commands}
        nodes = {
            f"{name}/0": ["sh", "-c", command.format(begun=begun[name])]
            for name, command in commands.items()
        }

        def interrupt(stop: threading.Event) -> None:
            while not all(path.exists() for path in begun.values()):
                if stop.wait(0.01):
                    return
            for number in signals:
                os.kill(os.getpid(), number)
                if stop.wait(1.0):
                    return

        background.start(self, interrupt)
        config = small_ring.small_config(logdir=str(self.folder / "run"))
        placed = types.SimpleNamespace(config=config)
        with absltest.mock.patch.object(hosts, "commands", lambda *_: nodes):
            return hosts.launch(placed, None, shows_logs=False)

    def test_a_signal_ends_what_listens(self):
        with self.assertNoLogs(level="WARNING"):
            failure = self._launch(signal.SIGTERM, learner=_NODE, actor=_NODE)
        self.assertIsNone(failure)
        self.assertEqual(stop_signals.received(), signal.SIGTERM)

    def test_what_does_not_end_in_time_is_killed(self):
        with (
            absltest.mock.patch.object(stop_signals, "SECONDS_TO_STOP", 0.5),
            self.assertLogs(level="WARNING") as logged,
        ):
            self._launch(signal.SIGINT, learner=_NODE, actor=_STUBBORN)
        self.assertIn("actor/0 does not end and is killed", str(logged))
        self.assertNotIn("learner/0", str(logged))

    def test_a_second_interrupt_does_not_wait(self):
        with self.assertLogs(level="WARNING") as logged:
            self._launch(signal.SIGINT, signal.SIGINT, learner=_STUBBORN)
        self.assertIn("learner/0 does not end and is killed", str(logged))

    def test_a_node_that_fails_ends_the_others(self):
        failing = 'echo > "{begun}"; exit 1'
        failure = self._launch(learner=_NODE, actor=failing)
        self.assertIn("actor/0 has failed", str(failure))
        self.assertIsNone(stop_signals.received())


if __name__ == "__main__":
    absltest.main()
