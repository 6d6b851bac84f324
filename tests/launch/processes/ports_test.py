"""Ports that somebody else listens on."""

import socket
import threading

from absl.testing import absltest, parameterized

from kickstarting.config import run as config_lib
from launch.processes import ports


def _listening(shared: bool) -> socket.socket:
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, int(shared))
    server.bind(("", 0))
    server.listen()
    return server


class PortsTest(parameterized.TestCase):
    # As gRPC's servers do, which would share theirs.
    @parameterized.parameters(True, False)
    def test_one_that_is_taken_is_named_with_its_flag(self, shared: bool) -> None:
        with _listening(shared) as server:
            port = server.getsockname()[1]
            with self.assertRaisesRegex(
                config_lib.ConfigError, f"port {port} is taken: .* another --base_port"
            ):
                ports.check("base_port", port - 1, 2)
        ports.check("base_port", port, 1)

    def test_who_goes_in_time_is_waited_for(self) -> None:
        server = _listening(shared=True)
        timer = threading.Timer(1.0, server.close)
        timer.start()
        ports.check("base_port", server.getsockname()[1], 1, patience=60.0)
        timer.join()


if __name__ == "__main__":
    absltest.main()
