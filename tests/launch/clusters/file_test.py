"""Tests of the file of machines and groups."""

import json
import os
import pathlib
from typing import Any

from absl.testing import absltest, parameterized

from kickstarting.config import run as config_lib
from kickstarting.teaching.returns import TeacherReturns
from launch.clusters import file as cluster_file
from launch.clusters import hosts, placement
from launch.flags import preflight
from launch.flags.options import Options

_MACHINES = {
    "a": {"address": "10.0.0.1", "command": "ssh a {command}"},
    "b": {"address": "b.lan", "command": "ssh b {command}", "directory": "/srv/it's"},
}


def _content(**groups: Any) -> dict[str, Any]:
    return {"machines": _MACHINES, "groups": {"learner": {"machines": ["a"]}, **groups}}


class ClusterFileTest(parameterized.TestCase):
    def _path(self, content: Any) -> str:
        text = content if isinstance(content, str) else json.dumps(content)
        path = pathlib.Path(self.create_tempdir().full_path, "cluster.json")
        path.write_text(text)
        return str(path)

    def test_nodes_are_dealt_to_machines_in_turn(self) -> None:
        cluster = cluster_file.read(
            self._path(_content(actor={"machines": ["b", "a"]})), "hosts"
        )
        found = [cluster.machine("actor", number).address for number in range(3)]
        self.assertEqual(found, ["b.lan", "10.0.0.1", "b.lan"])
        # What is not named goes where the learner goes.
        self.assertEqual(cluster.machine("queue", 5).address, "10.0.0.1")

    @parameterized.parameters(
        ("{", "Expecting property name"),
        ("[" * 100_000, "recursion"),
        ([], "Expected `object`, got `array`"),
        ({"machines": [], "groups": {}}, "machines: Expected `object`"),
        ({"machines": _MACHINES}, "where the learner goes"),
        ({"machines": _MACHINES, "groups": {}}, "where the learner goes"),
        (_content(actors={"machines": ["a"]}), "no group 'actors'"),
        (_content(actor={"machines": ["c"]}), r"no machines \['c'\]"),
        (_content(actor={"machines": []}), "group 'actor' has no machines"),
        (
            _content(actor={"machines": ["a"], "replicas": -1}),
            "actor: .* >= 0 - at `..replicas`",
        ),
        (
            _content(actor={"machines": ["a"], "cpus": 0}),
            "actor: .* >= 1 - at `..cpus`",
        ),
        (
            _content(actor={"machines": ["a"], "accelerators": True}),
            "got `bool` - at `",
        ),
        (_content(actor={"machines": ["a"], "memory_gigabytes": "4"}), "memory_giga"),
        (_content(actor={"machines": "ab"}), "actor: .* got `str` - at `..machines`"),
        (_content(actor={"machines": [["a"]]}), "actor: .* - at `..machines.0.`"),
        (_content(actor={"environment": {"A": []}}), "- at `..environment"),
        (_content() | {"slurm": {"options": "--time=1"}}, "- at `..slurm.options`"),
        (_content() | {"slurm": {"notice_seconds": "2 m"}}, "slurm.notice_seconds`"),
        (_content() | {"kubernetes": {"image": 1}}, "- at `..kubernetes.image`"),
        (_content() | {"kubernetes": []}, "got `array` - at `..kubernetes`"),
        (
            _content(actor={"machines": ["a"], "gpus": 1}),
            "actor: .* unknown field `gpus`",
        ),
        (_content(actor={"a\nb": 1}), "unknown field `a b`"),
        (_content(queue={"machines": ["a"], "replicas": 2}), "as many nodes as"),
        (
            {
                "machines": {"a": {"address": "a", "command": "ssh a"}},
                "groups": {"learner": {"machines": ["a"]}},
            },
            r"must have {command} as a word of its own",
        ),
        (
            {
                "machines": {"a": {"address": "", "command": "ssh a {command}"}},
                "groups": {"learner": {"machines": ["a"]}},
            },
            "machines.a: .* length >= 1 - at `..address`",
        ),
        ({"machines": {"a": {}}, "groups": {}}, "machines.a: .* missing .* `address`"),
    )
    def test_what_does_not_fit_is_one_line(self, content: Any, said: str) -> None:
        path = self._path(content)
        with self.assertRaisesRegex(config_lib.ConfigError, said) as raised:
            cluster_file.read(path, "hosts")
        self.assertIn(path, str(raised.exception))
        self.assertNotIn("\n", str(raised.exception))

    def test_a_file_that_is_missing(self) -> None:
        with self.assertRaisesRegex(config_lib.ConfigError, "cannot read --cluster="):
            cluster_file.read("/nowhere/cluster.json", "hosts")


class CommandsTest(absltest.TestCase):
    def test_each_node_has_its_command(self) -> None:
        content = _content(
            actor={
                "machines": ["a", "b"],
                "replicas": 3,
                "environment": {"OMP_NUM_THREADS": "1"},
            }
        )
        path = pathlib.Path(self.create_tempdir().full_path, "cluster.json")
        path.write_text(json.dumps(content))
        config = config_lib.Config(tasks=("doom:basic",), logdir="runs/it")
        options = Options(launch="hosts", cluster=str(path))
        placed = placement.placed(config, options)
        assert placed is not None
        self.assertEqual(placed.config.num_actors, 3)
        found = hosts.commands(
            placed, preflight.Checked(TeacherReturns.unknown(1, 1), (7,))
        )
        self.assertEqual(
            list(found), ["queue/0", "learner/0", "actor/0", "actor/1", "actor/2"]
        )
        *before, line = found["actor/1"]
        self.assertEqual(before, ["ssh", "b"])
        self.assertStartsWith(line, "cd '/srv/it'\"'\"'s' && exec env ")
        for word in ("JAX_PLATFORMS=cpu", "OMP_NUM_THREADS=1", "--node=actor/1"):
            self.assertIn(f" {word} ", line)
        self.assertIn('"actor": ["10.0.0.1", "b.lan"]', line)
        self.assertIn('"resumed_frames": [7]', line)
        self.assertIn(f" --logdir={os.path.abspath('runs/it')} --num_actors=3 ", line)
        # The learner keeps its accelerators.
        self.assertNotIn("JAX_PLATFORMS", found["learner/0"][-1])


class PlacedTest(parameterized.TestCase):
    @parameterized.parameters(
        ({"cluster": "x.json"}, "are for several machines"),
        ({"dry_run": True}, "are for several machines"),
        ({"launch": "hosts"}, "needs --cluster"),
    )
    def test_flags_that_do_not_fit(self, given: dict[str, Any], said: str) -> None:
        config = config_lib.Config(tasks=("doom:basic",), logdir="runs/it")
        with self.assertRaisesRegex(config_lib.ConfigError, said):
            placement.placed(config, Options(**given))

    def test_one_machine_needs_no_places(self) -> None:
        config = config_lib.Config(tasks=("doom:basic",), logdir="runs/it")
        self.assertIsNone(placement.placed(config, Options()))


if __name__ == "__main__":
    absltest.main()
