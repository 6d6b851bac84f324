"""The program's nodes, and where its servers listen."""

import sys
from typing import Any

import launchpad as lp
import numpy as np
from absl.testing import absltest, parameterized
from launchpad import context as lp_context

from kickstarting.config import run as config_lib
from launch.monitoring import node_names
from launch.nodes import learner, member_learner, program
from tests import small_ring, small_teachers
from tests.launch import program_run

_TEACHERS = config_lib.KickstartingConfig(
    teachers=((program_run.GRID, small_teachers.ECHO),),
    schedule="constant",
    replicas=2,
)
_TWO = config_lib.PopulationConfig(size=2)
_PORT = 20_000


def _make(process_per_member: bool = False, **fields: Any) -> lp.Program:
    config = small_ring.small_config(tasks=(program_run.GRID,), num_actors=3, **fields)
    return program.make_program(
        config,
        np.full((1, 1), np.nan, np.float32),
        [0] * config.population.size,
        process_per_member,
        host_of=lambda group, number: f"{group}{number}",
    )


def _launch(made: lp.Program) -> None:
    """Binds addresses as Launchpad does at a launch."""
    for node in made.get_all_nodes():
        node._initialize_context(lp_context.LaunchType.LOCAL_MULTI_PROCESSING, None)
        node.bind_addresses()


def _addresses(nodes: list[Any]) -> list[str]:
    return [address.resolve() for node in nodes for address in node.addresses]


class ProgramTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("alone", {}),
        ("with teachers", {"kickstarting": _TEACHERS}),
        ("a population", {"population": _TWO}),
        (
            "all of it",
            {
                "evaluation_minutes": 1.0,
                "population": _TWO,
                "kickstarting": _TEACHERS,
            },
        ),
    )
    def test_it_has_the_nodes_that_launchers_of_other_machines_start(self, fields):
        made = _make(**fields)
        config = small_ring.small_config(
            tasks=(program_run.GRID,), num_actors=3, **fields
        )
        self.assertEqual(
            {group: len(nodes) for group, nodes in made.groups.items()},
            node_names.counts(config),
        )
        # That is for those that serve the queue or call it: it takes seconds.
        self.assertNotIn("tensorflow", sys.modules)

    def test_only_the_learner_of_a_member_serves_a_controller(self):
        (single,) = _make().groups["learner"]
        self.assertIs(single._constructor, learner.LearnerNode)
        for node in _make(population=_TWO).groups["learner"]:
            self.assertIs(node._constructor, member_learner.MemberLearnerNode)

    def test_each_member_is_one_process_and_waits_for_the_first(self):
        made = _make(process_per_member=True, population=_TWO, kickstarting=_TEACHERS)
        self.assertEqual(set(made.groups), {"teacher", "member", "population"})
        first, second = made.groups["member"]
        self.assertLen(first.nodes, 5)
        self.assertIsNone(first._first)
        self.assertEndsWith(second._first.logdir, "member_0")


class AddressesTest(parameterized.TestCase):
    def test_without_a_first_port_launchpad_takes_free_ones(self):
        made = _make(kickstarting=_TEACHERS)
        _launch(made)
        found = _addresses(made.get_all_nodes())
        self.assertLen(set(found), 4)
        for address in found:
            self.assertStartsWith(address, "localhost:")

    def test_each_server_has_its_host_and_the_port_that_others_expect(self):
        made = _make(kickstarting=_TEACHERS, population=_TWO, base_port=_PORT)
        _launch(made)
        self.assertEqual(
            {
                group: _addresses(nodes)
                for group, nodes in made.groups.items()
                if _addresses(nodes)
            },
            {
                "queue": [f"queue0:{_PORT}", f"queue1:{_PORT + 1}"],
                "learner": [f"learner0:{_PORT + 2}", f"learner1:{_PORT + 3}"],
                "teacher": [f"teacher0:{_PORT + 4}", f"teacher1:{_PORT + 5}"],
            },
        )

    def test_also_where_the_nodes_of_a_member_are_one(self):
        made = _make(True, population=_TWO, base_port=_PORT)
        _launch(made)
        self.assertEqual(
            [_addresses([node]) for node in made.groups["member"]],
            [
                [f"queue0:{_PORT}", f"learner0:{_PORT + 2}"],
                [f"queue1:{_PORT + 1}", f"learner1:{_PORT + 3}"],
            ],
        )


if __name__ == "__main__":
    absltest.main()
