"""One node as another machine starts it."""

import json
import os
import subprocess
import sys

from absl.testing import absltest


class NodeTest(absltest.TestCase):
    def test_a_learner_that_was_to_have_an_accelerator_and_has_none_ends(self) -> None:
        logdir = self.create_tempdir().full_path
        facts = {"teacher_returns": [[]], "accelerators": {"learner": 1}}
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"}
        environment.pop("JAX_PLATFORMS", None)
        run = subprocess.run(
            [
                *(sys.executable, "-m", "launch.clusters.kept_node"),
                "--node=learner/0",
                f"--node_facts={json.dumps(facts)}",
                "--tasks=gym:MiniGrid-Empty-5x5-v0",
                f"--logdir={logdir}",
            ],
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        self.assertEqual(run.returncode, 2, run.stderr)
        self.assertIn("was given 1 accelerators and JAX finds none", run.stderr)
        self.assertNotIn("Traceback", run.stderr)


if __name__ == "__main__":
    absltest.main()
