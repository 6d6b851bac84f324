"""The controller's client of a learner that is away and comes back."""

import threading
import time

import courier
import portpicker
from absl.testing import absltest

from kickstarting.population_member import Progress
from launch import population_node

_CALL_SECONDS = 60.0


class MemberTest(absltest.TestCase):
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


if __name__ == "__main__":
    absltest.main()
