"""Servers that have no answer for another run."""

from concurrent import futures
from typing import Any

import courier
import launchpad as lp
from absl.testing import absltest, parameterized
from launchpad import context as lp_context
from launchpad.nodes.courier import courier_utils

from kickstarting.queue import reverb_queue
from launch.nodes import identity

_CALL_SECONDS = 30.0


class _Doubles:
    def double(self, number: int) -> int:
        return 2 * number

    def run(self) -> None:
        """Is what the node does."""


class IdentityTest(parameterized.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.mine, self.other = identity.of("runs/a/seed1"), identity.of("runs/b/seed1")
        node = identity.CourierNode(self.mine, _Doubles)
        self.served = node._construct_instance()
        self.server = courier_utils.make_courier_server(self.served)
        self.server.Start()
        self.addCleanup(self.server.Stop)

    def _client(self, name: str) -> identity.Client:
        address = f"localhost:{self.server.port}"
        return identity.Client(
            name, courier.Client(address, call_timeout=_CALL_SECONDS)
        )

    def test_one_folder_is_one_run(self) -> None:
        self.assertNotEqual(self.mine, self.other)
        self.assertEqual(self.mine, identity.of("runs/x/../a/seed1"))

    def test_its_own_run_is_answered(self) -> None:
        client = self._client(self.mine)
        self.assertEqual(client.double(21), 42)
        self.assertEqual(client.futures.double(21).result(), 42)

    def test_another_run_is_not(self) -> None:
        for call in (
            lambda client: client.double(21),
            lambda client: client.futures.double(21).result(),
        ):
            client = self._client(self.other)
            with self.assertRaises(Exception) as caught:
                call(client)
            with self.assertRaisesRegex(identity.AnotherRunError, "--base_port"):
                identity.check(caught.exception)

    @parameterized.parameters(TimeoutError("late"), futures.CancelledError())
    def test_other_failures_are_none_of_another_run(self, error: Exception) -> None:
        identity.check(error)

    def test_the_node_does_what_its_object_does(self) -> None:
        self.served.run()

    def test_nodes_of_a_program_have_it(self) -> None:
        program = lp.Program("one")
        node = identity.CourierNode(self.mine, _Doubles)
        handle = node.client(_CALL_SECONDS)
        with program.group("server"):
            program.add_node(node)
        node._initialize_context(lp_context.LaunchType.LOCAL_MULTI_PROCESSING, None)
        node.bind_addresses()
        client: Any = handle.dereference()
        self.assertIsInstance(client, identity.Client)

    def test_a_queue_of_another_run_takes_nothing_and_gives_nothing(self) -> None:
        server = reverb_queue.server(2, table=self.mine)
        self.addCleanup(server.stop)
        address = f"localhost:{server.port}"
        self.assertEqual(reverb_queue.size(reverb_queue.client(address, self.mine)), 0)
        other = reverb_queue.client(address, self.other)
        batches = reverb_queue.batches(other, None, 1, lambda: False)
        with self.assertRaisesRegex(RuntimeError, "not found"):
            next(batches)


if __name__ == "__main__":
    absltest.main()
