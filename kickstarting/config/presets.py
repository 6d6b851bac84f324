"""Agents as others have published them, each a set of settings under one name."""

from collections.abc import Mapping
from typing import Any, NamedTuple

# Schmitt et al. 2018, https://arxiv.org/abs/1803.03835.
_KICKSTARTING = "Schmitt et al. 2018"
# Espeholt et al. 2018, https://arxiv.org/abs/1802.01561, and its authors' program,
# https://github.com/google-deepmind/scalable_agent.
_IMPALA = "Espeholt et al. 2018"
_CODE = "scalable_agent"


class Published(NamedTuple):
    """A setting as it was published.

    Attributes:
      value: of the setting.
      source: where that is said.
    """

    value: Any
    source: str


class Preset(NamedTuple):
    """An agent.

    Attributes:
      summary: what it is, for --help.
      values: of settings, by the settings' names.
      advice_share: of total_frames, after which a falling λ is 0.
    """

    summary: str
    values: Mapping[str, Published]
    advice_share: float


# Entropy cost and learning rate were drawn from the ranges of table D.1, and evolved.
# Here is, rounded, what the authors' program is to be run with on DMLab-30.
PAPER = Preset(
    "IMPALA, and kickstarting, as they were published",
    {
        "action_repeat": Published(4, f"{_IMPALA}, table D.3"),
        "unroll_length": Published(100, f"{_IMPALA}, table D.3"),
        "batch_size": Published(32, f"{_CODE}, README.md"),
        "window_batches": Published(1, f"{_IMPALA}, section 3"),
        "passes": Published(1, f"{_IMPALA}, section 3"),
        "synchronous": Published(False, f"{_IMPALA}, section 3"),
        "bootstrap_time_limit": Published(True, f"{_CODE}, experiment.py"),
        "core_size": Published(256, f"{_IMPALA}, figure 3"),
        "discount": Published(0.99, f"{_IMPALA}, table D.3"),
        "final_discount": Published(0.0, f"{_IMPALA}, table D.3"),
        "discount_start_frames": Published(0, f"{_IMPALA}, table D.3"),
        "discount_end_frames": Published(0, f"{_IMPALA}, table D.3"),
        "vtrace_lambda": Published(1.0, f"{_IMPALA}, equation 1"),
        "baseline_cost": Published(0.5, f"{_IMPALA}, table D.3"),
        "entropy_cost": Published(0.00334, f"{_CODE}, README.md"),
        "final_entropy_share": Published(1.0, f"{_CODE}, experiment.py"),
        "policy_clip": Published(0.0, f"{_IMPALA}, section 4.2"),
        "held_values": Published(False, f"{_IMPALA}, equation 1"),
        "value_normalisation": Published(False, f"{_IMPALA}, section 4.2"),
        "advantage_normalisation": Published(False, f"{_IMPALA}, section 4.2"),
        "fresh_statistics": Published(False, f"{_IMPALA}, section 4.2"),
        # Figure D.1 on DeepMind Lab, and [-1, 1] elsewhere.
        "reward_clipping": Published("auto", f"{_IMPALA}, figure D.1"),
        "reward_scales": Published((), f"{_IMPALA}, section D.1"),
        "optimiser": Published("rmsprop", f"{_IMPALA}, table D.1"),
        "learning_rate": Published(0.000319, f"{_CODE}, README.md"),
        "anneal": Published(True, f"{_CODE}, experiment.py"),
        "anneal_frames": Published(0, f"{_CODE}, experiment.py"),
        "final_learning_rate_share": Published(0.0, f"{_CODE}, experiment.py"),
        "optimiser_epsilon": Published(0.1, f"{_CODE}, experiment.py"),
        "rmsprop_decay": Published(0.99, f"{_CODE}, experiment.py"),
        "rmsprop_momentum": Published(0.0, f"{_IMPALA}, table D.3"),
        "max_gradient_norm": Published(0.0, f"{_CODE}, experiment.py"),
        "kickstarting_weight": Published(1.0, f"{_KICKSTARTING}, table 2"),
        "kickstarting_final_weight": Published(0.0, f"{_KICKSTARTING}, table 2"),
        "distillation_form": Published("cross_entropy", f"{_KICKSTARTING}, equation 2"),
        "distillation_temperature": Published(1.0, f"{_KICKSTARTING}, equation 2"),
        "value_distillation_cost": Published(0.0, f"{_KICKSTARTING}, equation 3"),
    },
    # The best of table 2: from 1 to 0 by 2 of 10 billion frames.
    advice_share=0.2,
)

NONE = "none"
PRESETS: Mapping[str, Preset] = {
    NONE: Preset("the defaults", {}, advice_share=0.5),
    "paper": PAPER,
}
