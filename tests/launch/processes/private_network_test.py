"""A run gets a network of its own, or says that it has none, and trains."""

import contextlib
import io
import pathlib
from unittest import mock

from absl.testing import absltest, parameterized

from launch.processes import network_namespace, private_network
from tests.launch import program_run


class PrivateNetworkTest(parameterized.TestCase):
    def _enter(
        self, is_wanted: bool = True, side_effect: Exception | None = None
    ) -> int:
        """Returns how often the network was entered."""
        with mock.patch.multiple(private_network, exposed="", _has_entered=False):
            with mock.patch.object(
                network_namespace, "enter", side_effect=side_effect
            ) as enter:
                private_network.enter_if_wanted(is_wanted)
            self.exposed = private_network.exposed
            self.is_entered = private_network.is_entered()
        return enter.call_count

    @parameterized.parameters(True, False)
    def test_only_where_it_is_wanted(self, is_wanted: bool) -> None:
        self.assertEqual(self._enter(is_wanted), int(is_wanted))
        self.assertEqual(self.is_entered, is_wanted)
        self.assertEmpty(self.exposed)

    def test_says_what_is_open_where_it_cannot(self) -> None:
        self._enter(side_effect=OSError(22, "Invalid argument"))
        self.assertFalse(self.is_entered)
        self.assertStartsWith(
            self.exposed, "No network of its own (Invalid argument): "
        )
        self.assertIn("can run code in this run", self.exposed)

    def test_ends_where_there_is_no_way_back(self) -> None:
        said = io.StringIO()
        with contextlib.redirect_stderr(said), self.assertRaises(SystemExit) as end:
            self._enter(side_effect=network_namespace.HalfWayError("Not so"))
        self.assertEqual(end.exception.code, 2)
        self.assertLen(said.getvalue().splitlines(), 1)
        self.assertIn("(Not so): add --noprivate_network", said.getvalue())

    def test_root_without_cap_net_admin_trains(self) -> None:
        logdir = str(pathlib.Path(self.create_tempdir().full_path) / "run")
        run = program_run.ProgramRun(
            self,
            *program_run.GRID_FLAGS,
            *program_run.SMALL_FLAGS,
            "--total_frames=100",
            f"--logdir={logdir}",
            module="tests.launch.processes.train_without_net_admin",
        )
        self.assertEqual(run.wait(), 0, run.stdout + run.stderr)
        self.assertEqual(program_run.last_frames(logdir), 100)
        says = "No network of its own (Operation not permitted): whoever reaches"
        self.assertEqual(run.stderr.count(says), 1, run.stderr)


if __name__ == "__main__":
    absltest.main()
