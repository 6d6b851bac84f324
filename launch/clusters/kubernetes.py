"""Runs the nodes of a program as pods of Kubernetes.

Each group is a StatefulSet, whose pods have names that stay and are started again when
they end; the group whose end is the run's is a Job. The Job owns all the others and is
taken away an hour after it is done, so that a run ends by itself, whether or not
anybody still watches.
"""

import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
from typing import Any

from kickstarting.config import run as config_lib
from launch.clusters import file as cluster_file
from launch.clusters import placement
from launch.flags import preflight
from launch.monitoring import node_names
from launch.processes import revival, stop_signals

FILE = "kubernetes.json"

_FLAGS_FOLDER, _FLAGS_FILE = "/flags", "flags"
_SECONDS_AFTER_END = 3600
# An image may load, and a network compile, for so long.
_SECONDS_TO_BEGIN = 300
_RUN_LABEL, _GROUP_LABEL = "kickstarting/run", "kickstarting/group"
# With a group's name and Kubernetes' own hash after it, a label must not be longer.
_LONGEST_NAME = 40
_HASH_LENGTH = 6
_IS_THERE = "AlreadyExists"


def manifests(
    placed: placement.Placed, checked: preflight.Checked
) -> list[dict[str, Any]]:
    """Returns what is to be there, the Job first.

    Args:
      placed: the run and where its nodes go.
      checked: what preflight found out.
    """
    run = run_name(placed.config.logdir)
    last = node_names.last_group(placed.config)
    counts = node_names.counts(placed.config)
    workloads = {
        group: (_job if group == last else _stateful_set)(placed, run, group, count)
        for group, count in counts.items()
    }
    return [
        workloads.pop(last),
        _flags(placed, checked, run, counts),
        _claim(placed.cluster.kubernetes, run),
        _network_policy(run, placed.config.metrics_port),
        *(_service(run, group) for group in counts),
        *workloads.values(),
    ]


def show(placed: placement.Placed, checked: preflight.Checked) -> None:
    """Prints the manifests as one list in JSON, which kubectl takes as well as YAML.

    Args:
      placed: the run and where its nodes go.
      checked: what preflight found out.
    """
    print(json.dumps(_list(manifests(placed, checked)), indent=1))


def submit(placed: placement.Placed, checked: preflight.Checked) -> None:
    """Writes the manifests into the run's folder here and hands them to Kubernetes.

    Args:
      placed: the run and where its nodes go.
      checked: what preflight found out.

    Raises:
      config_lib.ConfigError: kubectl is not there, or refuses them.
    """
    job, *others = manifests(placed, checked)
    folder = pathlib.Path(placed.config.logdir)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(json.dumps(_list([job, *others]), indent=1))
    namespace = placed.cluster.kubernetes.namespace
    try:
        # Not applied: who applies what is there already is told that all is well.
        created = json.loads(_kubectl(namespace, "create", [job]))
    except KubectlError as error:
        if _IS_THERE not in str(error):
            raise
        name = job["metadata"]["name"]
        raise config_lib.ConfigError(
            f"Job {name}, of this folder, is with Kubernetes already, at work or ended "
            f"within the hour: kubectl -n {namespace} delete job {name} "
            "--cascade=foreground ends it and takes it away; then the same command "
            "goes on from its last checkpoint"
        ) from error
    owner = {
        "apiVersion": job["apiVersion"],
        "kind": job["kind"],
        "name": job["metadata"]["name"],
        "uid": created.get("items", [created])[0]["metadata"]["uid"],
    }
    for each in others:
        # What was learned outlives the run.
        if each["kind"] != "PersistentVolumeClaim":
            each["metadata"]["ownerReferences"] = [owner]
    try:
        _kubectl(namespace, "apply", others)
    except KubectlError:
        # Alone it would wait for the rest.
        _delete(namespace, owner["name"])
        raise
    name, run = owner["name"], run_name(placed.config.logdir)
    print(
        f"Job {name} is with Kubernetes. kubectl -n {namespace} get pods "
        f"-l {_RUN_LABEL}={run} says how it is, and kubectl -n {namespace} delete job "
        f"{name} ends it."
    )


def _list(items: list[dict[str, Any]]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "List", "items": items}


class KubectlError(config_lib.ConfigError):
    """Kubernetes does not take what it is given; the message is a line."""


def _kubectl(namespace: str, verb: str, items: list[dict[str, Any]]) -> str:
    try:
        done = subprocess.run(
            ["kubectl", "-n", namespace, verb, "-o", "json", "-f", "-"],
            input=json.dumps(_list(items)),
            capture_output=True,
            text=True,
        )
    except FileNotFoundError as error:
        raise config_lib.ConfigError(
            "--launch=kubernetes: no kubectl on this machine; --dry_run prints what it "
            "would be given"
        ) from error
    if done.returncode:
        reason = " ".join(done.stderr.split())
        raise KubectlError(f"kubectl refuses the run: {reason}")
    return done.stdout


def _delete(namespace: str, job: str) -> None:
    command = ["kubectl", "-n", namespace, "delete", "job", job, "--wait=false"]
    subprocess.run(command, capture_output=True, text=True)


def run_name(logdir: str) -> str:
    """Returns a name of DNS for a run.

    Its folder's last part, to be read, and a hash of the whole: seed1 is the name of
    many.

    Args:
      logdir: the run's folder, absolute.
    """
    name = re.sub(r"[^a-z0-9]+", "-", os.path.basename(logdir).lower()).strip("-")
    if not name or not name[0].isalpha():
        name = f"run-{name}"
    name = name[: _LONGEST_NAME - _HASH_LENGTH - 1].strip("-")
    return f"{name}-{hashlib.sha256(logdir.encode()).hexdigest()[:_HASH_LENGTH]}"


def _metadata(run: str, name: str, group: str = "") -> dict[str, Any]:
    labels = {_RUN_LABEL: run, **({_GROUP_LABEL: group} if group else {})}
    return {"name": f"{run}-{name}", "labels": labels}


def _flags(
    placed: placement.Placed,
    checked: preflight.Checked,
    run: str,
    counts: dict[str, int],
) -> dict[str, Any]:
    hosts = {
        group: [f"{run}-{group}-{number}.{run}-{group}" for number in range(count)]
        for group, count in counts.items()
    }
    lines = [
        f"--node_hosts={json.dumps(hosts)}",
        f"--node_facts={json.dumps(placed.facts(checked))}",
        # The folder here is not that in the pods.
        *placed.arguments(left_out=("logdir",)),
    ]
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": _metadata(run, "flags"),
        "data": {_FLAGS_FILE: "\n".join(lines) + "\n"},
    }


def _claim(given: cluster_file.Kubernetes, run: str) -> dict[str, Any]:
    spec: dict[str, Any] = {
        # The learner and the evaluators may be on several machines.
        "accessModes": [given.access_mode],
        "resources": {"requests": {"storage": given.storage}},
    }
    if given.storage_class:
        spec["storageClassName"] = given.storage_class
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": _metadata(run, "folder"),
        "spec": spec,
    }


def _network_policy(run: str, metrics_port: int) -> dict[str, Any]:
    own = {"matchLabels": {_RUN_LABEL: run}}
    ingress: list[dict[str, Any]] = [{"from": [{"podSelector": own}]}]
    if metrics_port:
        # Whoever collects metrics may be anywhere.
        ingress.append({"ports": [{"port": metrics_port}]})
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": _metadata(run, "only-itself"),
        "spec": {
            "podSelector": own,
            "policyTypes": ["Ingress"],
            "ingress": ingress,
        },
    }


def _service(run: str, group: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(run, group, group),
        "spec": {
            "clusterIP": "None",
            # Nodes look for one another before they serve.
            "publishNotReadyAddresses": True,
            "selector": {_RUN_LABEL: run, _GROUP_LABEL: group},
        },
    }


def _job(placed: placement.Placed, run: str, group: str, count: int) -> dict[str, Any]:
    template = _pod(placed, run, group, "OnFailure")
    template["spec"]["subdomain"] = f"{run}-{group}"
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": _metadata(run, group, group),
        "spec": {
            "completions": count,
            "parallelism": count,
            "completionMode": "Indexed",
            "backoffLimit": revival.MOST_ENDS,
            "ttlSecondsAfterFinished": _SECONDS_AFTER_END,
            "template": template,
        },
    }


def _stateful_set(
    placed: placement.Placed, run: str, group: str, count: int
) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": _metadata(run, group, group),
        "spec": {
            "replicas": count,
            "serviceName": f"{run}-{group}",
            "podManagementPolicy": "Parallel",
            "selector": {"matchLabels": {_RUN_LABEL: run, _GROUP_LABEL: group}},
            "template": _pod(placed, run, group, "Always"),
        },
    }


def _pod(
    placed: placement.Placed, run: str, group: str, restarts: str
) -> dict[str, Any]:
    given = placed.cluster.group(group)
    kubernetes = placed.cluster.kubernetes
    logdir = f"{kubernetes.run_folder}/{run}"
    # Its own number is the last part of a pod's name.
    command = (
        f"exec python -m launch.clusters.kept_node --node={group}/${{HOSTNAME##*-}} "
        f"--flagfile={_FLAGS_FOLDER}/{_FLAGS_FILE} --logdir={shlex.quote(logdir)}"
    )
    amounts: dict[str, str] = {"cpu": str(given.cpus)}
    if given.memory_gigabytes:
        amounts["memory"] = f"{round(1024 * given.memory_gigabytes)}Mi"
    limits = dict(amounts)
    if given.accelerators:
        limits[kubernetes.accelerator] = str(given.accelerators)
    variables = placed.environment(group)
    container: dict[str, Any] = {
        "name": group,
        "image": kubernetes.image,
        "command": ["sh", "-c", command],
        "workingDir": kubernetes.directory,
        "env": [{"name": name, "value": value} for name, value in variables.items()],
        "resources": {"requests": amounts, "limits": limits},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "flags", "mountPath": _FLAGS_FOLDER, "readOnly": True},
            {"name": "folder", "mountPath": kubernetes.run_folder},
        ],
    }
    ports = node_names.ports(placed.config, group)
    container["ports"] = [{"containerPort": port} for port in ports]
    # Several pods of one template listen on a port each.
    if len(ports) == 1:
        container["readinessProbe"] = {"tcpSocket": {"port": ports[0]}}
    if placed.config.metrics_port and group == "learner" and len(ports) == 1:
        container["ports"].append({"containerPort": placed.config.metrics_port})
        container["livenessProbe"] = {
            "httpGet": {"path": "/healthz", "port": placed.config.metrics_port},
            "initialDelaySeconds": _SECONDS_TO_BEGIN,
            "periodSeconds": 30,
        }
    return {
        "metadata": {"labels": {_RUN_LABEL: run, _GROUP_LABEL: group}},
        "spec": {
            "restartPolicy": restarts,
            "terminationGracePeriodSeconds": 2 * stop_signals.SECONDS_TO_STOP,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": kubernetes.user,
                "fsGroup": kubernetes.user,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
            "volumes": [
                {"name": "flags", "configMap": {"name": f"{run}-flags"}},
                {
                    "name": "folder",
                    "persistentVolumeClaim": {"claimName": f"{run}-folder"},
                },
            ],
        },
    }
