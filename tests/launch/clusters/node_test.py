"""One node as another machine starts it."""

import json
import os
import socket
import subprocess
import sys

from absl.testing import absltest


class NodeTest(absltest.TestCase):
    def test_a_learner_that_was_to_have_an_accelerator_and_has_none_ends(self) -> None:
        said = self._refusal("learner/0", accelerators={"learner": 1})
        self.assertIn("was given 1 accelerators and JAX finds none", said)

    def test_a_server_does_not_share_its_port(self) -> None:
        with socket.socket() as another:
            another.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            another.bind(("", 0))
            another.listen()
            port = another.getsockname()[1]
            said = self._refusal("queue/0", f"--base_port={port}")
        self.assertIn(f"port {port} is taken", said)

    def _refusal(
        self, node: str, *flags: str, accelerators: dict[str, int] | None = None
    ) -> str:
        """Runs a node that is to end with status 2; returns its line."""
        facts = {"teacher_returns": [[]], "accelerators": accelerators or {}}
        hosts = {group: ["localhost"] for group in ("queue", "learner", "actor")}
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"}
        environment.pop("JAX_PLATFORMS", None)
        run = subprocess.run(
            [
                *(sys.executable, "-m", "launch.clusters.kept_node"),
                f"--node={node}",
                f"--node_hosts={json.dumps(hosts)}",
                f"--node_facts={json.dumps(facts)}",
                "--tasks=gym:MiniGrid-Empty-5x5-v0",
                f"--logdir={self.create_tempdir().full_path}",
                *flags,
            ],
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        self.assertEqual(run.returncode, 2, run.stderr)
        self.assertNotIn("Traceback", run.stderr)
        return run.stderr


if __name__ == "__main__":
    absltest.main()
