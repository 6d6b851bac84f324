"""The ways to run a program on several machines: --launch, one module each."""

from typing import Any

from launch.clusters import hosts, kubernetes, placement, slurm, vertex_ai
from launch.flags import preflight

# They find machines for a run by themselves, and look after it from then on.
_SUBMITTED: dict[str, Any] = {
    "slurm": slurm,
    "kubernetes": kubernetes,
    "vertex_ai": vertex_ai,
}


def show(placed: placement.Placed, checked: preflight.Checked) -> None:
    """Prints what would be run.

    Args:
      placed: the run and where its nodes go.
      checked: what preflight found out.

    Raises:
      config_lib.ConfigError: the run cannot be run there.
    """
    _SUBMITTED.get(placed.launch, hosts).show(placed, checked)


def submitted(placed: placement.Placed, checked: preflight.Checked) -> bool:
    """Hands the run to whoever finds machines for it; False: they are named.

    Args:
      placed: the run and where its nodes go.
      checked: what preflight found out.

    Raises:
      config_lib.ConfigError: the run cannot be run there.
    """
    back_end = _SUBMITTED.get(placed.launch)
    if back_end is not None:
        back_end.submit(placed, checked)
    return back_end is not None
