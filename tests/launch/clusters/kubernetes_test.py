"""The manifests of a run, checked against Kubernetes' own schemas."""

import contextlib
import io
import json
import os
import pathlib
import subprocess
import sysconfig
from typing import Any

import kubernetes_validate
from absl.testing import absltest, parameterized

from kickstarting.config import population as population_config
from kickstarting.config import run as config_lib
from kickstarting.config import teachers as teacher_config
from kickstarting.teaching.returns import TeacherReturns
from launch.clusters import kubernetes, placement
from launch.flags import preflight
from launch.flags.options import Options

_VERSIONS = ("1.29", "1.37")
_CLUSTER = {
    "kubernetes": {"image": "registry.lan/kickstarting:1", "storage_class": "fast"},
    "groups": {
        "learner": {"cpus": 8, "memory_gigabytes": 32, "accelerators": 1},
        "teacher": {"cpus": 2, "replicas": 2},
        "actor": {"replicas": 16, "memory_gigabytes": 1.5, "environment": {"A": "b"}},
    },
}
_DOCKERFILE = pathlib.Path("launch/docker/Dockerfile")


class KubernetesTest(parameterized.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.folder = self.create_tempdir().full_path
        self.logdir = os.path.join(self.folder, "My_Run.2")
        self.name = kubernetes.run_name(self.logdir)
        self.cluster = os.path.join(self.folder, "cluster.json")
        pathlib.Path(self.cluster).write_text(json.dumps(_CLUSTER))

    def _placed(self, **more: Any) -> placement.Placed:
        config = config_lib.Config(
            tasks=("doom:basic",),
            logdir=more.pop("logdir", self.logdir),
            kickstarting=teacher_config.KickstartingConfig(
                teachers=(("doom:basic", "teachers/doom/basic"),), schedule="constant"
            ),
            **more,
        )
        options = Options(launch="kubernetes", cluster=self.cluster)
        placed = placement.placed(config, options)
        assert placed is not None
        return placed

    def _manifests(self, **more: Any) -> dict[tuple[str, str], dict[str, Any]]:
        checked = preflight.Checked(TeacherReturns.unknown(1, 1), (0,))
        found = kubernetes.manifests(self._placed(**more), checked)
        return {(each["kind"], each["metadata"]["name"]): each for each in found}

    @parameterized.parameters(1, 3)
    def test_they_keep_the_schemas(self, size: int) -> None:
        found = self._manifests(
            population=population_config.PopulationConfig(size=size),
            evaluation_minutes=10.0,
            metrics_port=9100,
        )
        for version in _VERSIONS:
            for manifest in found.values():
                kubernetes_validate.validate(manifest, version, strict=True)

    def test_the_learner_is_the_job_that_ends_the_run(self) -> None:
        found = self._manifests()
        (first, job), *_ = found.items()
        self.assertEqual(first, ("Job", f"{self.name}-learner"))
        self.assertEqual(job["spec"]["completions"], 1)
        sets = {
            name: each for (kind, name), each in found.items() if kind == "StatefulSet"
        }
        counts = {name: each["spec"]["replicas"] for name, each in sets.items()}
        self.assertEqual(
            counts,
            {
                f"{self.name}-queue": 1,
                f"{self.name}-teacher": 2,
                f"{self.name}-actor": 16,
            },
        )

    def test_of_a_population_the_controller_is(self) -> None:
        found = self._manifests(population=population_config.PopulationConfig(size=3))
        self.assertIn(("Job", f"{self.name}-population"), found)
        learners = found["StatefulSet", f"{self.name}-learner"]
        self.assertEqual(learners["spec"]["replicas"], 3)

    def test_a_pod_gets_what_its_group_is_given(self) -> None:
        found = self._manifests()
        pod = found["Job", f"{self.name}-learner"]["spec"]["template"]["spec"]
        (learner,) = pod["containers"]
        self.assertEqual(
            learner["resources"]["limits"],
            {"cpu": "8", "memory": "32768Mi", "nvidia.com/gpu": "1"},
        )
        self.assertEqual(learner["readinessProbe"]["tcpSocket"]["port"], 16001)
        self.assertIn("--node=learner/${HOSTNAME##*-} ", learner["command"][-1])
        self.assertIn(f"--logdir=/runs/{self.name}", learner["command"][-1])
        pod = found["StatefulSet", f"{self.name}-actor"]["spec"]["template"]["spec"]
        (actor,) = pod["containers"]
        self.assertEqual(actor["resources"]["requests"]["memory"], "1536Mi")
        self.assertIn({"name": "A", "value": "b"}, actor["env"])
        self.assertIn({"name": "JAX_PLATFORMS", "value": "cpu"}, actor["env"])
        self.assertEmpty(actor["ports"])

    def test_the_flags_name_each_pod(self) -> None:
        flags = self._manifests()["ConfigMap", f"{self.name}-flags"]["data"]["flags"]
        lines = dict(line.split("=", 1) for line in flags.splitlines() if "=" in line)
        hosts = json.loads(lines["--node_hosts"])
        self.assertEqual(
            hosts["teacher"][1], f"{self.name}-teacher-1.{self.name}-teacher"
        )
        self.assertLen(hosts["actor"], 16)
        self.assertEqual(lines["--num_actors"], "16")
        self.assertNotIn("--logdir", lines)

    def test_only_the_run_itself_may_connect(self) -> None:
        policy = self._manifests()["NetworkPolicy", f"{self.name}-only-itself"]["spec"]
        own = {"matchLabels": {"kickstarting/run": self.name}}
        self.assertEqual(policy["podSelector"], own)
        self.assertEqual(policy["ingress"], [{"from": [{"podSelector": own}]}])

    def test_metrics_are_open_to_all_where_they_are_wanted(self) -> None:
        found = self._manifests(metrics_port=9100)
        policy = found["NetworkPolicy", f"{self.name}-only-itself"]["spec"]
        self.assertEqual(policy["ingress"][1:], [{"ports": [{"port": 9100}]}])
        pod = found["Job", f"{self.name}-learner"]["spec"]["template"]["spec"]
        probe = pod["containers"][0]["livenessProbe"]["httpGet"]
        self.assertEqual(probe, {"path": "/healthz", "port": 9100})

    @parameterized.parameters(
        "a/seed1", "seed1", "2026", "Ein Lauf", "-", "é", "x" * 99
    )
    def test_each_folder_has_a_name_of_its_own(self, folder: str) -> None:
        name = kubernetes.run_name(os.path.join("/runs", folder))
        # With a group's name and a hash it is to be a label.
        self.assertRegex(name, "^[a-z]([-a-z0-9]{0,38}[a-z0-9])$")
        self.assertNotEqual(name, kubernetes.run_name(os.path.join("/runs/b", folder)))

    def test_it_can_still_be_read(self) -> None:
        self.assertRegex(self.name, "^my-run-2-[0-9a-f]{6}$")

    def test_nodes_know_what_they_were_given(self) -> None:
        flags = self._manifests()["ConfigMap", f"{self.name}-flags"]["data"]["flags"]
        lines = dict(line.split("=", 1) for line in flags.splitlines() if "=" in line)
        facts = json.loads(lines["--node_facts"])
        self.assertEqual(
            facts["accelerators"], {"learner": 1, "teacher": 0, "actor": 0}
        )

    def test_shows_them_as_one_list(self) -> None:
        out = io.StringIO()
        checked = preflight.Checked(TeacherReturns.unknown(1, 1), (0,))
        with contextlib.redirect_stdout(out):
            kubernetes.show(self._placed(), checked)
        self.assertEqual(json.loads(out.getvalue())["kind"], "List")

    def test_without_kubectl_it_says_so(self) -> None:
        checked = preflight.Checked(TeacherReturns.unknown(1, 1), (0,))
        with (
            absltest.mock.patch.dict(os.environ, {"PATH": self.folder}),
            self.assertRaisesRegex(config_lib.ConfigError, "no kubectl"),
        ):
            kubernetes.submit(self._placed(), checked)

    def _submit(self, kubectl: str) -> str:
        """Submits with a kubectl that is these lines; returns what it was asked."""
        asked = os.path.join(self.folder, "asked")
        path = pathlib.Path(self.folder, "kubectl")
        path.write_text(f'#!/bin/sh\necho "$*" >> {asked}\n{kubectl}\n')
        path.chmod(0o755)
        checked = preflight.Checked(TeacherReturns.unknown(1, 1), (0,))
        search = f"{self.folder}:{os.environ['PATH']}"
        out = io.StringIO()
        with (
            absltest.mock.patch.dict(os.environ, {"PATH": search}),
            contextlib.redirect_stdout(out),
        ):
            try:
                kubernetes.submit(self._placed(), checked)
            finally:
                self.asked = pathlib.Path(asked).read_text().splitlines()
        return out.getvalue()

    def test_the_job_is_made_and_the_rest_is_its_own(self) -> None:
        said = self._submit('cat > /dev/null; echo \'{"metadata": {"uid": "u"}}\'')
        self.assertIn(f"Job {self.name}-learner is with Kubernetes", said)
        verbs = [line.split()[2] for line in self.asked]
        self.assertEqual(verbs, ["create", "apply"])

    def test_a_job_that_is_there_is_not_said_to_be_started(self) -> None:
        with self.assertRaisesRegex(
            config_lib.ConfigError, f"delete job {self.name}-learner --cascade"
        ):
            self._submit(
                "cat > /dev/null; echo 'Error from server (AlreadyExists)' >&2; exit 1"
            )
        self.assertLen(self.asked, 1)

    def test_of_a_run_that_is_refused_by_halves_no_job_stays(self) -> None:
        with self.assertRaisesRegex(config_lib.ConfigError, "refuses the run: no room"):
            self._submit(
                'cat > /dev/null; [ "$3" != apply ] || { echo no room >&2; exit 1; }\n'
                'echo \'{"metadata": {"uid": "u"}}\''
            )
        self.assertIn(f"delete job {self.name}-learner", self.asked[-1])


class DockerfileTest(absltest.TestCase):
    def test_it_is_as_dockerfiles_should_be(self) -> None:
        hadolint = os.path.join(sysconfig.get_path("scripts"), "hadolint")
        done = subprocess.run(
            [hadolint, str(_DOCKERFILE)], capture_output=True, text=True
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    absltest.main()
