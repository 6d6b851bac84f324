"""The controller's client of a learner that is away and comes back."""

import contextlib
import threading
import time

import courier
import numpy as np
import portpicker
from absl.testing import absltest, parameterized

from kickstarting.population.member import Progress
from kickstarting.reporting import run_files
from launch.nodes import population as population_node

_CALL_SECONDS = 60.0


def _patience(seconds: float) -> contextlib.AbstractContextManager[object]:
    return absltest.mock.patch.multiple(
        population_node, _PATIENCE_SECONDS=seconds, _TRANSFER_SECONDS=seconds
    )


class MemberTest(parameterized.TestCase):
    def test_a_learner_that_is_away_is_not_waited_for_and_answers_when_it_is_back(self):
        port = portpicker.pick_unused_port()
        client = courier.Client(f"localhost:{port}", call_timeout=_CALL_SECONDS)
        member = population_node._Member(client, threading.Event())
        with self.assertRaisesRegex(TimeoutError, "no answer"):
            member.progress()
        # The question stands: it is not asked, nor waited for, once more.
        asked = member._asked
        with self.assertRaises(TimeoutError):
            member.progress()
        self.assertIs(member._asked, asked)

        server = courier.Server(port=port)
        server.Bind("progress", lambda: Progress(500, None, life=7))
        server.Start()
        self.addCleanup(server.Stop)
        deadline = time.monotonic() + _CALL_SECONDS
        while True:
            try:
                progress = member.progress()
                break
            except TimeoutError:
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.05)
        self.assertEqual((progress.frames, progress.life), (500, 7))
        self.assertEqual(member.progress().life, 7)

    @parameterized.named_parameters(
        ("evolve", "evolve", ({"learning_rate": 1e-4},)),
        ("pause", "pause", (True,)),
        ("weights", "weights", ()),
        ("adopt", "adopt", ([np.zeros(3)],)),
    )
    def test_what_it_missed_while_away_it_is_not_told_when_it_is_back(
        self, method, arguments
    ):
        port = portpicker.pick_unused_port()
        client = courier.Client(f"localhost:{port}", call_timeout=_CALL_SECONDS)
        member = population_node._Member(client, threading.Event())
        with (
            _patience(0.1),
            self.assertRaisesRegex(TimeoutError, f"no answer to {method}"),
        ):
            getattr(member, method)(*arguments)

        called = []
        server = courier.Server(port=port)
        server.Bind(method, lambda *given: called.append(len(given)))
        server.Start()
        self.addCleanup(server.Stop)
        with _patience(_CALL_SECONDS):
            getattr(member, method)(*arguments)
        self.assertEqual(called, [len(arguments)])

    def test_a_transfer_to_one_that_has_died_keeps_nobody_waiting(self):
        port = portpicker.pick_unused_port()
        # What is asked last stands for as long, and the test cannot end before.
        client = courier.Client(f"localhost:{port}", call_timeout=5.0)
        member = population_node._Member(client, threading.Event())
        begin = time.monotonic()
        with (
            absltest.mock.patch.multiple(
                population_node,
                _PATIENCE_SECONDS=0.1,
                _LOOK_SECONDS=0.1,
                _TRANSFER_SECONDS=_CALL_SECONDS,
            ),
            self.assertRaisesRegex(TimeoutError, "no answer to adopt"),
        ):
            member.adopt([np.zeros(3)])
        self.assertLess(time.monotonic() - begin, _CALL_SECONDS / 2)

    def test_a_transfer_to_one_that_is_slow_is_waited_for(self):
        may_end = threading.Event()
        looks = []

        def progress() -> Progress:
            looks.append(True)
            if len(looks) == 3:
                may_end.set()
            return Progress(1, None)

        port = portpicker.pick_unused_port()
        server = courier.Server(port=port)
        server.Bind("progress", progress)
        server.Bind("weights", lambda: may_end.wait(_CALL_SECONDS) and [np.ones(3)])
        server.Start()
        self.addCleanup(server.Stop)
        client = courier.Client(f"localhost:{port}", call_timeout=_CALL_SECONDS)
        member = population_node._Member(client, threading.Event())
        with absltest.mock.patch.multiple(
            population_node, _LOOK_SECONDS=0.05, _TRANSFER_SECONDS=_CALL_SECONDS
        ):
            (weights,) = member.weights()
        np.testing.assert_array_equal(weights, np.ones(3))
        self.assertGreaterEqual(len(looks), 3)

    def test_what_fails_there_fails_here_and_is_asked_again(self):
        failures = [RuntimeError("the learner has failed")]

        def progress() -> Progress:
            if failures:
                raise failures.pop()
            return Progress(1, None)

        port = portpicker.pick_unused_port()
        server = courier.Server(port=port)
        server.Bind("progress", progress)
        server.Start()
        self.addCleanup(server.Stop)
        client = courier.Client(f"localhost:{port}", call_timeout=_CALL_SECONDS)
        member = population_node._Member(client, threading.Event())
        with self.assertRaisesRegex(Exception, "the learner has failed"):
            member.progress()
        self.assertEqual(member.progress().frames, 1)


class _Beginning:
    """A member that answers at its second call, and learns until it is paused."""

    def __init__(self, logdir: str) -> None:
        self._logdir = logdir
        self._calls = 0
        self.said: list[str] = []

    def progress(self) -> Progress:
        self._calls += 1
        if self._calls == 1:
            raise TimeoutError("no answer")
        files = run_files.RunFiles(self._logdir)
        files.write_row({"frames": 1.0})
        files.close()
        return Progress(1, None)

    def pause(self, paused: bool) -> None:
        self.said.append("pause" if paused else "go on")


class HoldUntilAllBeginTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.enter_context(
            absltest.mock.patch.object(population_node, "_POLL_SECONDS", 0.01)
        )
        folder = self.create_tempdir().full_path
        self.logdirs = [f"{folder}/member_{index}" for index in range(3)]
        self.members = [_Beginning(logdir) for logdir in self.logdirs]
        self.stop = threading.Event()

    def test_each_is_held_until_the_last_has_begun(self):
        last, others = self.members[-1], self.members[:-1]
        said = []

        def pause(paused: bool) -> None:
            said.append([list(member.said) for member in others])
            _Beginning.pause(last, paused)

        with absltest.mock.patch.object(last, "pause", pause):
            population_node.hold_until_all_begin(self.members, self.logdirs, self.stop)
        self.assertEqual(said[0], [["pause"], ["pause"]])
        for member in self.members:
            self.assertEqual(member.said, ["pause"])

    def test_it_ends_with_the_program(self):
        self.stop.set()
        population_node.hold_until_all_begin(self.members, self.logdirs, self.stop)
        for member in self.members:
            self.assertEmpty(member.said)


if __name__ == "__main__":
    absltest.main()
