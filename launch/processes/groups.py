"""What the nodes of a group get and may do: devices, and how often a node may die."""

import math

from kickstarting.config import run as config_lib
from launch.monitoring import achievements
from launch.processes import revival

# Killed processes in a row, which did nothing that lasts, that end the run. Without a
# teacher, an actor or an evaluator the others go on; a learner, a queue or a controller
# that dies so each time will not fare better the next.
MOST_ENDS = {
    "teacher": math.inf,
    "actor": math.inf,
    "evaluator": math.inf,
    "learner": revival.MOST_ENDS,
    "queue": revival.MOST_ENDS,
    "member": revival.MOST_ENDS,
    "population": revival.MOST_ENDS,
}


def environment(config: config_lib.Config, group: str) -> dict[str, str]:
    """Returns the variables of a group's processes, on whatever machine.

    Args:
      config: of the run.
      group: of the nodes.
    """
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "2"}
    keeps_accelerators = group in ("learner", "member") or (
        config.inference_device == "accelerator" and group in ("actor", "teacher")
    )
    return quiet if keeps_accelerators else {**quiet, "JAX_PLATFORMS": "cpu"}


def most_ends(config: config_lib.Config, group: str) -> float | None:
    """Returns how many killed processes in a row end the run; see keeper.keep.

    Args:
      config: of the run.
      group: of the node.

    Returns:
      None where the first one does.
    """
    if group == "teacher" or revival.is_wanted(config):
        return MOST_ENDS[group]
    return None


def done(logdir: str, group: str) -> achievements.Done | None:
    """Returns what tells how much a group's nodes have done; see revival.Patience.

    Args:
      logdir: of the run; what learns and what rules sees it, whatever its machine.
      group: of the nodes.
    """
    if group in ("learner", "member", "population"):
        return achievements.checkpointed(logdir)
    return None
