"""The script of a run for Slurm."""

import json
import os
import pathlib
import subprocess
from typing import Any

from absl.testing import absltest, parameterized

from kickstarting.config import population as population_config
from kickstarting.config import run as config_lib
from kickstarting.config import teachers as teacher_config
from kickstarting.teaching.returns import TeacherReturns
from launch.clusters import placement, slurm
from launch.flags import preflight
from launch.flags.options import Options

_CLUSTER = {
    "slurm": {
        "options": ["--partition=gpu", "--time=1-00:00:00"],
        "notice_seconds": 90,
        "setup": "module load cuda",
    },
    "groups": {
        "learner": {"cpus": 8, "memory_gigabytes": 32, "accelerators": 1},
        "actor": {"replicas": 16, "cpus": 2, "environment": {"A": "it's"}},
    },
}
# Slurm's programs, as far as the script needs an answer of them.
_STAND_INS = {
    "srun": """\
#!/bin/bash
echo "srun $*" >> "$CALLS"
case "$*" in
  *hostname*) for i in 10 2 0; do echo " $i: host$i"; done ;;
  *launch.clusters.kept_node*learner*) exit 3 ;;
esac
""",
    "scancel": '#!/bin/bash\necho "scancel $*" >> "$CALLS"\n',
    "scontrol": '#!/bin/bash\necho "scontrol $*" >> "$CALLS"\n',
}


class SlurmTest(parameterized.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.logdir = str(self.folder / "my run")

    def _script(self, cluster: Any = _CLUSTER, **more: Any) -> str:
        path = self.folder / "cluster.json"
        path.write_text(json.dumps(cluster))
        config = config_lib.Config(
            tasks=("doom:basic",),
            logdir=self.logdir,
            kickstarting=teacher_config.KickstartingConfig(
                teachers=(("doom:basic", "teachers/doom/basic"),), schedule="constant"
            ),
            **more,
        )
        options = Options(launch="slurm", cluster=str(path))
        placed = placement.placed(config, options)
        assert placed is not None
        checked = preflight.Checked(TeacherReturns.unknown(1, 1), (0,))
        return slurm.script(placed, checked)

    def test_a_component_for_each_group_that_is_named(self) -> None:
        header = [
            line.removeprefix("#SBATCH ")
            for line in self._script().splitlines()
            if line.startswith("#SBATCH")
        ]
        common = ["--partition=gpu", "--time=1-00:00:00"]
        first = header.index("--signal=B:USR1@90") + 1
        self.assertEqual(
            header[first:],
            [
                *common,
                "--ntasks=1",
                "--cpus-per-task=8",
                "--mem-per-cpu=4096M",
                "--gpus-per-task=1",
                "hetjob",
                *common,
                "--ntasks=16",
                "--cpus-per-task=2",
            ],
        )

    def test_one_group_alone_is_no_heterogeneous_job(self) -> None:
        script = self._script({"groups": {"learner": {}}})
        for words in ("hetjob", "--het-group"):
            self.assertNotIn(words, script)

    @parameterized.parameters((1, "learner"), (3, "population"))
    def test_what_the_end_of_waits_for(self, size: int, last: str) -> None:
        script = self._script(population=population_config.PopulationConfig(size=size))
        before, _, _ = script.partition("last=$!")
        self.assertIn(f"--node={last}/", before.splitlines()[-1])

    def test_it_runs_and_ends_with_the_learner(self) -> None:
        for name, text in _STAND_INS.items():
            (self.folder / name).write_text(text)
            (self.folder / name).chmod(0o755)
        calls = self.folder / "calls"
        path = self.folder / slurm.SCRIPT
        path.write_text(self._script())
        done = subprocess.run(
            ["bash", str(path)],
            env={
                "PATH": f"{self.folder}:{os.environ['PATH']}",
                "CALLS": str(calls),
                "SLURM_JOB_ID": "7",
            },
            capture_output=True,
            text=True,
            timeout=60,
        )
        # The learner's own status.
        self.assertEqual(done.returncode, 3, done.stderr)
        said = calls.read_text()
        for group in ("queue", "teacher", "actor", "learner"):
            self.assertIn(f"--node={group}/", said)
        self.assertIn("module load cuda && exec env", said)
        self.assertIn("""'A=it'"'"'s'""", said)
        self.assertIn("scancel --signal=TERM 7", said)
        # It has ended by itself: there is nothing to go on with.
        self.assertNotIn("requeue", said)
        self.assertEqual(
            sorted(os.listdir(f"{self.logdir}/logs")),
            ["actor", "learner", "queue", "teacher"],
        )

    def test_hosts_are_in_the_order_of_their_tasks(self) -> None:
        script = self._script()
        begin, end = script.index("hosts=()"), script.index("# The time is nearly")
        for name in ("srun",):
            (self.folder / name).write_text(_STAND_INS[name])
            (self.folder / name).chmod(0o755)
        done = subprocess.run(
            ["bash", "-c", script[begin:end] + 'echo "$NODE_HOSTS"'],
            env={
                "PATH": f"{self.folder}:{os.environ['PATH']}",
                "CALLS": str(self.folder / "calls"),
            },
            capture_output=True,
            text=True,
            check=True,
        )
        hosts = json.loads(done.stdout)
        self.assertEqual(list(hosts), ["queue", "learner", "teacher", "actor"])
        self.assertEqual(hosts["actor"], ["host0", "host2", "host10"])

    def test_without_slurm_it_says_so(self) -> None:
        path = self.folder / "cluster.json"
        path.write_text(json.dumps(_CLUSTER))
        config = config_lib.Config(tasks=("doom:basic",), logdir=self.logdir)
        options = Options(launch="slurm", cluster=str(path))
        placed = placement.placed(config, options)
        assert placed is not None
        checked = preflight.Checked(TeacherReturns.unknown(1, 1), (0,))
        with (
            absltest.mock.patch.dict(os.environ, {"PATH": str(self.folder)}),
            self.assertRaisesRegex(config_lib.ConfigError, "no sbatch"),
        ):
            slurm.submit(placed, checked)


if __name__ == "__main__":
    absltest.main()
