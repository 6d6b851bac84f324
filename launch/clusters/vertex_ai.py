"""Runs the nodes of a program as a job of Google's Vertex AI, by Launchpad's own path.

Launchpad puts nodes that need the same into one pool of workers, and Vertex AI has four
pools, the first with one worker. What it cannot do is told before anything is sent.
"""

import copy
import dataclasses
import functools
import os
import pathlib
import shutil
import tempfile
from collections.abc import Sequence
from typing import Any, NamedTuple

from kickstarting.config import run as config_lib
from launch.clusters import file as cluster_file
from launch.clusters import placement
from launch.flags import preflight
from launch.monitoring import node_names

MOST_POOLS = 4
# Of Vertex AI, as xmanager names them.
ACCELERATORS = ("P4", "T4", "P100", "V100", "A100")

_REQUIREMENTS = "requirements-vertex_ai.txt"
_ACCELERATOR_REQUIREMENTS = "requirements-cuda12.txt"
_BUCKETS = pathlib.PurePosixPath("/gcs")
_BUCKET_VARIABLE = "GOOGLE_CLOUD_BUCKET_NAME"
_NODES_FILE = "job.pkl"
# Of what is in the project's folder, what no node needs.
_LEFT_OUT = (".*", "__pycache__", "runs", "bazel-*", "docs", "tests")


class Needs(NamedTuple):
    """What a worker gets; those that get the same are in one pool."""

    cpus: int
    memory_gigabytes: float
    accelerators: int


def pools(placed: placement.Placed) -> list[tuple[Needs, list[str]]]:
    """Returns the pools of workers, each with what it gets and its nodes' names.

    Args:
      placed: the run and what its nodes get.

    Raises:
      config_lib.ConfigError: Vertex AI has no such job.
    """
    _check(placed)
    found: dict[Needs, list[str]] = {}
    for group, count in node_names.counts(placed.config).items():
        names = [f"{group}/{number}" for number in range(count)]
        found.setdefault(_needs(placed.cluster, group), []).extend(names)
    # The first pool has one worker: one of those that there are, or one made of a node
    # that is taken from its like.
    dealt = sorted(found.items(), key=lambda item: len(item[1]) > 1)
    needs, names = dealt[0]
    if len(names) > 1:
        dealt[:1] = [(needs, names[:1]), (needs, names[1:])]
    if len(dealt) > MOST_POOLS:
        raise config_lib.ConfigError(
            f"the groups need {len(dealt)} pools of workers, and Vertex AI has "
            f"{MOST_POOLS}, the first with one worker: give more groups of --cluster "
            "the same cpus, memory_gigabytes and accelerators"
        )
    return dealt


def show(placed: placement.Placed, checked: preflight.Checked) -> None:
    """Prints the pools.

    Args:
      placed: the run and what its nodes get.
      checked: what preflight found out.
    """
    del checked
    for number, (needs, names) in enumerate(pools(placed)):
        gets = ", ".join(
            f"{name} {value:g}" for name, value in needs._asdict().items() if value
        )
        print(f"pool {number}: {len(names)} with {gets}: {', '.join(names)}")


def submit(placed: placement.Placed, checked: preflight.Checked) -> None:
    """Makes the images and hands the job to Vertex AI.

    Args:
      placed: the run and what its nodes get.
      checked: what preflight found out.

    Raises:
      config_lib.ConfigError: Vertex AI has no such job, or cannot be reached.
    """
    dealt = pools(placed)
    try:
        from google.auth import exceptions as google_exceptions
        from xmanager import xm_local
    except ModuleNotFoundError as error:
        raise config_lib.ConfigError(
            f"--launch=vertex_ai needs more packages (no {error.name}): "
            f".venv/bin/python -m pip install --require-hashes -r {_REQUIREMENTS}"
        ) from error
    try:
        for needs, _ in dealt:
            xm_local.vertex.cpu_ram_to_machine_type(needs.cpus, _bytes(needs))
    except ValueError as error:
        raise config_lib.ConfigError(
            f"Vertex AI has no such machine: {error}"
        ) from error
    os.environ.setdefault(_BUCKET_VARIABLE, _bucket(placed.cluster))
    try:
        _launch(placed, checked)
    except (google_exceptions.GoogleAuthError, OSError) as error:
        raise config_lib.ConfigError(
            f"Google's cloud does not take the run: {error}"
        ) from error


def _check(placed: placement.Placed) -> None:
    config, cluster = placed.config, placed.cluster
    if cluster.vertex_ai.accelerator not in ACCELERATORS:
        raise config_lib.ConfigError(
            f"vertex_ai: no accelerator {cluster.vertex_ai.accelerator!r}: there are "
            f"{', '.join(ACCELERATORS)}"
        )
    if not _bucket(cluster):
        raise config_lib.ConfigError(
            "vertex_ai needs a run_folder in a bucket: /gcs/BUCKET/FOLDER"
        )
    for name, group in cluster.groups.items():
        if group.environment:
            raise config_lib.ConfigError(
                f"group {name!r}: Launchpad gives no node of Vertex AI an environment"
            )
    for _, teacher in config.kickstarting.teachers:
        if os.path.isabs(teacher) or ".." in pathlib.PurePath(teacher).parts:
            raise config_lib.ConfigError(
                f"teacher {teacher} is not in the project's folder, which is what the "
                "image is made of: copy it there"
            )


def _bucket(cluster: cluster_file.Cluster) -> str:
    """Returns the name of the run's bucket; empty: it is in none."""
    parts = pathlib.PurePosixPath(cluster.vertex_ai.run_folder).parts
    in_bucket = len(parts) > 2 and parts[:2] == _BUCKETS.parts
    return parts[2] if in_bucket else ""


def _needs(cluster: cluster_file.Cluster, group: str) -> Needs:
    given = cluster.group(group)
    return Needs(given.cpus, given.memory_gigabytes, given.accelerators)


def _bytes(needs: Needs) -> int | None:
    return round(needs.memory_gigabytes * 2**30) or None


def _launch(placed: placement.Placed, checked: preflight.Checked) -> None:
    import launchpad as lp
    from launchpad.nodes.python import xm_docker
    from xmanager import xm

    from launch.nodes import program as program_lib

    config, cluster = placed.config, placed.cluster
    run = os.path.basename(config.logdir)
    program = program_lib.make_program(
        dataclasses.replace(
            config,
            logdir=os.path.join(cluster.vertex_ai.run_folder, run),
            # The addresses are Vertex AI's own.
            base_port=0,
        ),
        checked.teacher_returns.assured(),
        checked.resumed_frames,
    )

    @functools.cache
    def resources(needs: Needs) -> Any:
        # One object for all that need the same: Launchpad tells them apart by their
        # text, which has their place in memory.
        amounts = {"cpu": needs.cpus, "ram": _bytes(needs)}
        if needs.accelerators:
            amounts[cluster.vertex_ai.accelerator] = needs.accelerators
        return xm_docker.DockerConfig(
            code_directory=placement.PROJECT,
            docker_requirements=_REQUIREMENTS,
            hw_requirements=xm.JobRequirements(
                **{name: amount for name, amount in amounts.items() if amount}
            ),
        )

    with tempfile.TemporaryDirectory() as scratch:
        for nodes in program.groups.values():
            for node in nodes:
                node.to_executables = functools.partial(_executables, scratch)
        lp.launch(
            program,
            launch_type=lp.LaunchType.VERTEX_AI,
            xm_resources={
                group: resources(_needs(cluster, group)) for group in program.groups
            },
        )


def _executables(
    scratch: str, nodes: Sequence[Any], label: str, launch_context: Any
) -> list[tuple[Any, Any]]:
    """Takes the place of Launchpad's own, whose image cannot be made for Python 3.10.

    It installs a libpython that Debian does not have, and xmanager without a pin.

    Args:
      scratch: folder for what the image is made of.
      nodes: of one pool.
      label: the pool's name.
      launch_context: of one of them.

    Returns:
      one executable, and what each of its workers gets.
    """
    from launchpad.launch import serialization
    from xmanager import xm

    config = launch_context.launch_config
    # Vertex AI takes no underscore in this name.
    name = f"kickstarting-{label}"
    folder = pathlib.Path(scratch, name)
    shutil.copytree(
        config.code_directory, folder, ignore=shutil.ignore_patterns(*_LEFT_OUT)
    )
    serialization.serialize_functions(
        str(folder / _NODES_FILE), label, [node.function for node in nodes]
    )
    needs = copy.deepcopy(config.hw_requirements)
    needs.replicas = len(nodes)
    requirements = [config.docker_requirements]
    if needs.accelerator:
        requirements.insert(0, _ACCELERATOR_REQUIREMENTS)
    container = xm.PythonContainer(
        path=str(folder),
        base_image="python:3.10-slim-bookworm",
        entrypoint=xm.CommandList(
            [
                "python -m launchpad.nodes.python.process_entry "
                f"--data_file={_NODES_FILE}"
            ]
        ),
        docker_instructions=[
            "RUN apt-get update && apt-get install -y --no-install-recommends git "
            "libgl1 libglib2.0-0 libgomp1 libopenal1 libsndfile1 libxcb1",
            "ENV LD_LIBRARY_PATH=/usr/local/lib TF_CPP_MIN_LOG_LEVEL=2",
            f"COPY {name}/requirements*.txt ./",
            *(
                f"RUN pip install --no-cache-dir --require-hashes -r {each}"
                for each in requirements
            ),
            f"COPY {name}/ {name}",
            f"WORKDIR {name}",
        ],
    )
    return [(container, needs)]
