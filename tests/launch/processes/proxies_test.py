"""Nodes reach one another without the proxy that all else goes by."""

import os
import subprocess
import sys
from unittest import mock

from absl.testing import absltest, parameterized

from launch.processes import proxies

# A node with a server of each kind, its clients, and a proxy that keeps what it is
# asked for, and answers nothing.
_SPEAK = """
import os, socket, threading
proxy = socket.create_server(("localhost", 0))
asked = []
def answer():
    while True:
        connection, _ = proxy.accept()
        asked.append(connection.recv(1000).split()[1].decode())
        connection.close()
threading.Thread(target=answer, daemon=True).start()
os.environ["http_proxy"] = f"http://localhost:{proxy.getsockname()[1]}"
from launch.processes import proxies
proxies.keep_away(["localhost"])
import courier, reverb
server = courier.Server()
server.Bind("double", lambda x: 2 * x)
server.Start()
print(courier.Client(f"localhost:{server.port}", call_timeout=20).double(21))
queue = reverb.Server([reverb.Table.queue("queue", 1)])
print(*reverb.Client(f"localhost:{queue.port}").server_info(timeout=20))
try:
    courier.Client("elsewhere.example:1", call_timeout=1).double(21)
except Exception as error:
    print(error)
print(*set(asked), flush=True)
os._exit(0)
"""


class ProxiesTest(parameterized.TestCase):
    @parameterized.parameters(
        ({}, "localhost,a"),
        ({"no_proxy": "b, .c ,"}, "b,.c,localhost,a"),
        ({"no_grpc_proxy": "d,a", "no_proxy": "b"}, "d,a,localhost"),
        ({"no_grpc_proxy": "", "no_proxy": "b"}, "localhost,a"),
        ({"NO_PROXY": "b"}, "localhost,a"),
    )
    def test_who_was_reached_directly_still_is(
        self, variables: dict[str, str], direct: str
    ) -> None:
        with mock.patch.dict(os.environ, variables, clear=True):
            proxies.keep_away(["localhost", "a"])
            self.assertEqual(os.environ, {**variables, "no_grpc_proxy": direct})

    def test_others_are_reached_by_the_proxy(self) -> None:
        done = subprocess.run(
            [sys.executable, "-c", _SPEAK], capture_output=True, text=True, timeout=100
        )
        self.assertEqual(
            done.stdout.splitlines(),
            ["42", "queue", "Deadline Exceeded", "elsewhere.example:1"],
            done.stderr,
        )


if __name__ == "__main__":
    absltest.main()
