"""A call that is given up holds nobody up, and harms nothing where it was answered."""

import gc

import courier
from absl.testing import absltest

from launch.nodes import courier_calls

_HOURS = 10_000.0


class GiveUpTest(absltest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.server = courier.Server()
        self.server.Bind("same", lambda value: value)
        self.server.Start()
        address = f"localhost:{self.server.port}"
        self.client = courier.Client(address, call_timeout=_HOURS)

    def test_a_client_of_a_node_that_is_gone_ends(self) -> None:
        self.assertEqual(self.client.same(1), 1)
        self.server.Stop()
        call = self.client.futures.same(2)
        courier_calls.give_up(call)
        with self.assertRaisesRegex(Exception, "[Cc]ancelled"):
            call.result()
        del self.client
        gc.collect()

    def test_an_answer_may_come_at_that_moment(self) -> None:
        calls = [self.client.futures.same(number) for number in range(200)]
        for call in calls:
            courier_calls.give_up(call)
        for number, call in enumerate(calls):
            if call.exception() is None:
                self.assertEqual(call.result(), number)
        self.assertEqual(self.client.same(3), 3)
        self.server.Stop()

    def test_what_was_answered_stays(self) -> None:
        call = self.client.futures.same(4)
        self.assertEqual(call.result(), 4)
        courier_calls.give_up(call)
        self.assertEqual(call.result(), 4)
        self.server.Stop()


if __name__ == "__main__":
    absltest.main()
