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
        self.assertEqual(first, ("Job", "my-run-2-learner"))
        self.assertEqual(job["spec"]["completions"], 1)
        sets = {
            name: each for (kind, name), each in found.items() if kind == "StatefulSet"
        }
        counts = {name: each["spec"]["replicas"] for name, each in sets.items()}
        self.assertEqual(
            counts, {"my-run-2-queue": 1, "my-run-2-teacher": 2, "my-run-2-actor": 16}
        )

    def test_of_a_population_the_controller_is(self) -> None:
        found = self._manifests(population=population_config.PopulationConfig(size=3))
        self.assertIn(("Job", "my-run-2-population"), found)
        learners = found["StatefulSet", "my-run-2-learner"]
        self.assertEqual(learners["spec"]["replicas"], 3)

    def test_a_pod_gets_what_its_group_is_given(self) -> None:
        found = self._manifests()
        pod = found["Job", "my-run-2-learner"]["spec"]["template"]["spec"]
        (learner,) = pod["containers"]
        self.assertEqual(
            learner["resources"]["limits"],
            {"cpu": "8", "memory": "32768Mi", "nvidia.com/gpu": "1"},
        )
        self.assertEqual(learner["readinessProbe"]["tcpSocket"]["port"], 16001)
        self.assertIn("--node=learner/${HOSTNAME##*-} ", learner["command"][-1])
        self.assertIn("--logdir=/runs/my-run-2", learner["command"][-1])
        pod = found["StatefulSet", "my-run-2-actor"]["spec"]["template"]["spec"]
        (actor,) = pod["containers"]
        self.assertEqual(actor["resources"]["requests"]["memory"], "1536Mi")
        self.assertIn({"name": "A", "value": "b"}, actor["env"])
        self.assertIn({"name": "JAX_PLATFORMS", "value": "cpu"}, actor["env"])
        self.assertEmpty(actor["ports"])

    def test_the_flags_name_each_pod(self) -> None:
        flags = self._manifests()["ConfigMap", "my-run-2-flags"]["data"]["flags"]
        lines = dict(line.split("=", 1) for line in flags.splitlines() if "=" in line)
        hosts = json.loads(lines["--node_hosts"])
        self.assertEqual(hosts["teacher"][1], "my-run-2-teacher-1.my-run-2-teacher")
        self.assertLen(hosts["actor"], 16)
        self.assertEqual(lines["--num_actors"], "16")
        self.assertNotIn("--logdir", lines)

    def test_only_the_run_itself_may_connect(self) -> None:
        policy = self._manifests()["NetworkPolicy", "my-run-2-only-itself"]["spec"]
        own = {"matchLabels": {"kickstarting/run": "my-run-2"}}
        self.assertEqual(policy["podSelector"], own)
        self.assertEqual(policy["ingress"], [{"from": [{"podSelector": own}]}])

    def test_metrics_are_open_to_all_where_they_are_wanted(self) -> None:
        found = self._manifests(metrics_port=9100)
        policy = found["NetworkPolicy", "my-run-2-only-itself"]["spec"]
        self.assertEqual(policy["ingress"][1:], [{"ports": [{"port": 9100}]}])
        pod = found["Job", "my-run-2-learner"]["spec"]["template"]["spec"]
        probe = pod["containers"][0]["livenessProbe"]["httpGet"]
        self.assertEqual(probe, {"path": "/healthz", "port": 9100})

    def test_a_folder_whose_name_no_pod_can_have(self) -> None:
        with self.assertRaisesRegex(config_lib.ConfigError, "begins with a letter"):
            self._manifests(logdir=os.path.join(self.folder, "2026"))

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


class DockerfileTest(absltest.TestCase):
    def test_it_is_as_dockerfiles_should_be(self) -> None:
        hadolint = os.path.join(sysconfig.get_path("scripts"), "hadolint")
        done = subprocess.run(
            [hadolint, str(_DOCKERFILE)], capture_output=True, text=True
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    absltest.main()
