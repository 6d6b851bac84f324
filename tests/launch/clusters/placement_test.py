"""Nodes elsewhere are handed the launcher's configuration, however it was given."""

import contextlib
import io
import json
import os
import pathlib
import shlex

from absl import flags
from absl.testing import absltest, flagsaver, parameterized

from kickstarting.config import run as config_lib
from launch import train
from launch.clusters import placement
from launch.flags import command_line, options, preflight
from launch.flags import run as run_flags
from tests.launch import program_run

_CLUSTER = {
    "machines": {"a": {"address": "a.lan", "command": "ssh a {command}"}},
    "groups": {
        "learner": {"machines": ["a"]},
        "actor": {"machines": ["a"], "replicas": 2},
    },
}
# Of the launcher alone.
_OF_THE_LAUNCHER = ("--launch", "--cluster", "--dry_run", "--flagfile", "--config")


class PlacementTest(parameterized.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.cluster = self._write("cluster.json", json.dumps(_CLUSTER))
        self.logdir = str(self.folder / "run")
        self.given = (
            *program_run.GRID_FLAGS,
            *program_run.SMALL_FLAGS,
            f"--logdir={self.logdir}",
            "--total_frames=2M",
            "--entropy_cost=0.02",
            "--noshow",
        )

    def _write(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(text)
        return str(path)

    def _status(self, *arguments: str) -> tuple[int, str, str]:
        """Runs launch.train in this process; returns its status and what it says."""
        out, error = io.StringIO(), io.StringIO()
        with (
            flagsaver.flagsaver(),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(error),
        ):
            status = command_line.status(train.main, ["train", *arguments], "lp_")
        return status, out.getvalue(), error.getvalue()

    def _nodes(self, *arguments: str) -> dict[str, list[str]]:
        """Returns, by node, the flags that a dry run shows for it."""
        status, out, error = self._status(*arguments)
        self.assertEqual((status, error), (0, ""))
        found = {}
        for line in out.splitlines():
            node, _, command = line.partition(": ")
            words = shlex.split(shlex.split(command)[-1])
            found[node] = words[words.index("launch.clusters.kept_node") + 1 :]
        return found

    def _config(self, words: list[str]) -> config_lib.Config:
        own = ("--node=", "--node_hosts=", "--node_facts=", "--end_with_input")
        with flagsaver.flagsaver():
            rest = flags.FLAGS(["node", *(w for w in words if not w.startswith(own))])
            self.assertEqual(rest, ["node"])
            return run_flags.config_from_flags()

    def _of_the_launcher(self, form: str) -> list[str]:
        cluster = ["--launch", "hosts", "--cluster", self.cluster, "--dry_run"]
        if form == "with equals signs":
            return ["--launch=hosts", f"--cluster={self.cluster}", "--dry_run=true"]
        if form == "with one dash":
            return [word.replace("--", "-") for word in cluster]
        if form == "in a file":
            return ["--flagfile", self._write("flags", "\n".join(cluster))]
        return cluster

    @parameterized.parameters(
        "with equals signs", "with spaces", "with one dash", "in a file"
    )
    def test_nodes_are_handed_what_was_parsed(self, form: str) -> None:
        launcher = self._of_the_launcher(form)
        with flagsaver.flagsaver():
            self.assertFalse(options.wants_private_network(["train", *launcher]))
        nodes = self._nodes(*launcher, *self.given)
        self.assertEqual(list(nodes), ["queue/0", "learner/0", "actor/0", "actor/1"])
        for words in nodes.values():
            for word in words:
                self.assertStartsWith(word, "--")
                self.assertNotIn(word.partition("=")[0], _OF_THE_LAUNCHER)
            config = self._config(words)
            self.assertEqual(config.num_actors, 2)
            self.assertBetween(config.base_port, 16_000, 31_999)
            self.assertEqual(config.logdir, os.path.abspath(self.logdir))
            self.assertEqual(config.total_frames, 2_000_000)
            self.assertEqual((config.loss.entropy_cost, config.show), (0.02, False))
            self.assertEqual(config.tasks, (program_run.GRID,))

    def test_runs_have_ports_of_their_own(self) -> None:
        ports = []
        for number in range(8):
            nodes = self._nodes(
                *self._of_the_launcher("with spaces"),
                *self.given,
                f"--logdir={self.logdir}_{number}",
            )
            (port,) = {self._config(words).base_port for words in nodes.values()}
            ports.append(port)
        self.assertGreater(len(set(ports)), 6)
        nodes = self._nodes(
            *self._of_the_launcher("with spaces"), *self.given, "--base_port=20000"
        )
        self.assertEqual(self._config(nodes["queue/0"]).base_port, 20_000)

    def test_a_dry_run_leaves_no_folder(self) -> None:
        self._nodes(*self._of_the_launcher("with spaces"), *self.given)
        self.assertFalse(os.path.exists(self.logdir))

    def test_a_dry_run_lets_no_teacher_play(self) -> None:
        status, out, error = self._status(
            *self._of_the_launcher("with spaces"),
            *self.given,
            f"--teachers={program_run.GRID}=tests.launch.broken_teachers:breaking",
            "--kickstarting_schedule=return_gap",
            "--teacher_trial_episodes=1000000",
        )
        self.assertEqual((status, error), (0, ""))
        self.assertIn("teacher/0", out)
        self.assertFalse(os.path.exists(self.logdir))

    def test_settings_with_spaces_and_of_a_saved_run_are_handed_on(self) -> None:
        nodes = self._nodes(*self._of_the_launcher("with spaces"), *self.given)
        with flagsaver.flagsaver():
            flags.FLAGS(["train", *self.given])
            config = run_flags.config_from_flags()
        saved = self._write(
            "config.json",
            json.dumps({"config": preflight.as_dict(config)}),
        )
        launcher = self._of_the_launcher("with spaces")
        again = self._nodes(*launcher, "--config", saved, "--seed", "1")
        self.assertEqual(again, nodes)

    def test_how_much_is_logged_is_handed_on(self) -> None:
        nodes = self._nodes(
            *self._of_the_launcher("with spaces"), *self.given, "--verbosity", "-1"
        )
        for words in nodes.values():
            self.assertIn("--verbosity=-1", words)

    @parameterized.parameters("--clust", "--launc", "--dry")
    def test_an_abbreviation_is_refused_with_the_whole_name(self, name: str) -> None:
        status, _, error = self._status(f"{name}=hosts", *self.given)
        self.assertEqual(status, 2)
        self.assertLen(error.splitlines(), 1)
        self.assertIn(f"unknown flag {name} (did you mean '{name[2:]}", error)

    def test_placed_says_how(self) -> None:
        config = config_lib.Config(tasks=("doom:basic",), logdir="runs/it")
        placed = placement.placed(
            config, options.Options(launch="hosts", cluster=self.cluster)
        )
        assert placed is not None
        self.assertEqual(placed.launch, "hosts")
        self.assertNotIn("--logdir", " ".join(placed.arguments(("logdir",))))


if __name__ == "__main__":
    absltest.main()
