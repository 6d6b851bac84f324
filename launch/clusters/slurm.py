"""Runs the nodes of a program as one job of Slurm.

The job has a component for each group that the cluster's file names, since they need
different things; the others' nodes run beside the learner. Its script asks where each
component's tasks are, starts the nodes there, and ends the job when the learner does.
Shortly before its time is over, or when it is preempted, the nodes are asked to end,
the learner writes a checkpoint, and the job queues again.
"""

import json
import os
import pathlib
import shlex
import subprocess
import sys
from typing import NamedTuple

from kickstarting.config import run as config_lib
from launch.clusters import file as cluster_file
from launch.clusters import placement
from launch.flags import preflight
from launch.monitoring import node_names

SCRIPT = "slurm.sbatch"


class _Step(NamedTuple):
    """The nodes of a group, and what srun is told of where they are."""

    group: str
    options: str


def script(placed: placement.Placed, checked: preflight.Checked) -> str:
    """Returns the script that sbatch takes.

    Args:
      placed: the run and where its nodes go.
      checked: what preflight found out.
    """
    config, cluster = placed.config, placed.cluster
    counts = node_names.counts(config)
    # Slurm gives components machines of their own. Who is not named joins the learner.
    named = [group for group in counts if group in cluster.groups]
    components = ["learner", *(group for group in named if group != "learner")]
    places = {
        group: f"--het-group={number}" if len(components) > 1 else ""
        for number, group in enumerate(components)
    }
    steps = {
        group: _Step(
            group,
            f"{places.get(group, places['learner'])} --overlap --overcommit "
            f"--ntasks={count}".strip(),
        )
        for group, count in counts.items()
    }
    log = os.path.join(config.logdir, "logs", "slurm-%j.txt")
    header = [
        f'#SBATCH --job-name="{os.path.basename(config.logdir)}"',
        f'#SBATCH --output="{log}"',
        "#SBATCH --open-mode=append",
        "#SBATCH --requeue",
        f"#SBATCH --signal=B:USR1@{cluster.slurm.notice_seconds}",
        "\n#SBATCH hetjob\n".join(
            "\n".join(
                f"#SBATCH {option}"
                for option in _resources(cluster, group, counts[group])
            )
            for group in components
        ),
    ]
    facts = placed.facts(checked)
    commands = {group: _command(placed, step, facts) for group, step in steps.items()}
    last = commands.pop(node_names.last_group(config))
    return _TEMPLATE.format(
        header="\n".join(header),
        directory=shlex.quote(placement.PROJECT),
        hosts="\n".join(
            f"hosts_of {group} {step.options}" for group, step in steps.items()
        ),
        others="\n".join(f"{command} &" for command in commands.values()),
        last=f"{last} &",
    )


def show(placed: placement.Placed, checked: preflight.Checked) -> None:
    """Prints the script.

    Args:
      placed: the run and where its nodes go.
      checked: what preflight found out.
    """
    print(script(placed, checked))


def submit(placed: placement.Placed, checked: preflight.Checked) -> None:
    """Writes the script into the run's folder and hands it to Slurm.

    Args:
      placed: the run and where its nodes go.
      checked: what preflight found out.

    Raises:
      config_lib.ConfigError: Slurm is not there, or refuses the job.
    """
    logdir = pathlib.Path(placed.config.logdir)
    (logdir / "logs").mkdir(parents=True, exist_ok=True)
    path = logdir / SCRIPT
    path.write_text(script(placed, checked))
    try:
        done = subprocess.run(
            ["sbatch", "--parsable", str(path)], capture_output=True, text=True
        )
    except FileNotFoundError as error:
        raise config_lib.ConfigError(
            "--launch=slurm: no sbatch on this machine; launch from one that has it"
        ) from error
    if done.returncode:
        reason = " ".join(done.stderr.split())
        raise config_lib.ConfigError(f"Slurm refuses {path}: {reason}")
    job = done.stdout.strip()
    print(
        f"Job {job} is with Slurm. squeue --job={job} says where it is, scancel {job} "
        f"stops it with a checkpoint, and python -m launch.status {logdir} shows it."
    )


def _resources(cluster: cluster_file.Cluster, group: str, count: int) -> list[str]:
    given = cluster.group(group)
    options = [
        *cluster.slurm.options,
        f"--ntasks={count}",
        f"--cpus-per-task={given.cpus}",
    ]
    if given.memory_gigabytes:
        megabytes = round(1024 * given.memory_gigabytes / given.cpus)
        options.append(f"--mem-per-cpu={megabytes}M")
    if given.accelerators:
        options.append(f"--gpus-per-task={given.accelerators}")
    return options


def _command(
    placed: placement.Placed,
    step: _Step,
    facts: dict[str, object],
) -> str:
    """Returns the srun of a group's nodes; a task's number is its node's."""
    config, cluster = placed.config, placed.cluster
    line = " ".join(
        [
            *([f"{cluster.slurm.setup} &&"] if cluster.slurm.setup else []),
            shlex.join(placed.node_command(step.group, sys.executable)),
            f'--node={step.group}/"$SLURM_PROCID"',
            '--node_hosts="$NODE_HOSTS"',
            shlex.join([f"--node_facts={json.dumps(facts)}", *placed.arguments()]),
        ]
    )
    logs = os.path.join(config.logdir, "logs", step.group)
    return (
        f"mkdir -p {shlex.quote(logs)} && srun {step.options} --kill-on-bad-exit=0 "
        f"--output={shlex.quote(os.path.join(logs, '%t'))} --open-mode=append "
        f"bash -c {shlex.quote(line)}"
    )


_TEMPLATE = """\
#!/bin/bash
# Written by launch.train --launch=slurm.
{header}

cd {directory} || exit 1

# hosts_of GROUP OPTIONS: where the tasks of a group are, in their order.
hosts=()
hosts_of() {{
  local group=$1 found
  shift
  found=$(srun "$@" --label hostname | sort -n |
    sed 's/^ *[0-9]*: *//; s/.*/"&"/' | paste -sd,)
  hosts+=("\\"$group\\": [$found]")
}}
{hosts}
NODE_HOSTS="{{$(IFS=,; echo "${{hosts[*]}}")}}"
export NODE_HOSTS

# The time is nearly over: the nodes end, and the job goes on later.
goes_on=
pause() {{
  goes_on=1
  scancel --signal=TERM "$SLURM_JOB_ID"
}}
trap pause USR1
# scancel, or preemption, after which Slurm itself queues the job again: both tell the
# nodes as well.
trap : TERM

{others}
{last}
last=$!
# A trap ends the wait while the checkpoint is still to be written.
while :; do
  wait "$last"
  status=$?
  kill -0 "$last" 2>/dev/null || break
done
scancel --signal=TERM "$SLURM_JOB_ID"
wait
if [ -n "$goes_on" ]; then
  scontrol requeue "$SLURM_JOB_ID"
fi
exit "$status"
"""
