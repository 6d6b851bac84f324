"""A population on three machines, of which one is cut off for a while."""

import os
import pathlib
import shlex
import time

from absl.testing import absltest

from kickstarting.population import events as population_events
from tests.launch import namespaces, program_run

_MEMBERS = ("first", "second")
_CONTROLLER = "middle"
_EVENTS = 4
# So many that a member cannot come to its end while it is cut off.
_FRAMES = 2_000
_CUT_SECONDS = 4.0


class HostsPopulationTest(absltest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.logdir = str(self.folder / "run")
        self.machines = namespaces.Machines(self, (*_MEMBERS, _CONTROLLER))

    def _cluster(self) -> str:
        groups = {
            **{
                group: {"machines": list(_MEMBERS)}
                for group in ("queue", "learner", "actor")
            },
            "population": {"machines": [_CONTROLLER]},
        }
        path = self.folder / "cluster.json"
        self.machines.write_cluster(path, groups)
        return str(path)

    def _members(self) -> list[str]:
        return [os.path.join(self.logdir, f"member_{i}") for i in range(len(_MEMBERS))]

    def _check_places(self, run: program_run.ProgramRun) -> None:
        places = {"population/0": _CONTROLLER}
        for index, name in enumerate(_MEMBERS):
            for group in ("queue", "learner", "actor"):
                places[f"{group}/{index}"] = name
        found = set()
        for process, words in run.processes().items():
            if words.startswith(("ip ", "sh ")):
                continue
            for node, name in places.items():
                if f"--node={node}" in shlex.split(words.replace("'", "")):
                    own = os.stat(f"/run/netns/{self.machines.space(name)}").st_ino
                    network = os.stat(f"/proc/{process}/ns/net").st_ino
                    self.assertEqual(network, own, node)
                    found.add(node)
        self.assertEqual(found, set(places))

    def test_each_member_has_its_machine_and_all_come_to_the_end(self) -> None:
        run = program_run.ProgramRun(
            self,
            *program_run.GRID_FLAGS,
            *program_run.SMALL_FLAGS,
            "--launch=hosts",
            f"--cluster={self._cluster()}",
            f"--population_size={len(_MEMBERS)}",
            f"--population_events={_EVENTS}",
            f"--total_frames={_FRAMES}",
            f"--logdir={self.logdir}",
            slow_steps=True,
        )
        for member in self._members():
            run.wait_for_frames(member, 0)
        self._check_places(run)

        # Its ring goes on within it; the controller and the other one do not wait.
        self.machines.cut(_MEMBERS[0])
        begin = time.monotonic()
        run.wait_for_frames(
            self._members()[1], program_run.last_frames(self._members()[1])
        )
        run.wait_for(lambda: time.monotonic() > begin + _CUT_SECONDS)
        self.machines.join(_MEMBERS[0])

        self.assertEqual(run.wait(), 0, run.stdout + run.stderr)
        self.assertEmpty(run.wait_until_gone(10))
        for member in self._members():
            self.assertEqual(program_run.last_frames(member), _FRAMES)
        events = population_events.PopulationEvents(self.logdir).events
        for index in range(len(_MEMBERS)):
            own = [event.number for event in events if event.member == index]
            self.assertEqual(own, list(range(_EVENTS + 1)))
        self.assertIn("Population", run.stdout)


if __name__ == "__main__":
    absltest.main()
