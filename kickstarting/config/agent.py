"""How the student is built and trained: its network, its loss, its optimiser."""

import dataclasses
from collections.abc import Sequence

from kickstarting.config.checks import (
    require,
    require_choice,
    require_not_negative,
    require_positive,
)

TORSOS = ("auto", "shallow", "deep", "grid", "small_grid")
OPTIMISERS = ("adam", "rmsprop")
REWARD_CLIPPINGS = ("auto", "none", "abs_one", "soft_asymmetric")
DISTILLATION_FORMS = (
    "cross_entropy",
    "reverse_kl",
    "jensen_shannon",
    "expected_entropy",
)


@dataclasses.dataclass(frozen=True)
class NetworkConfig:
    """The student's network.

    Attributes:
      torso: 'shallow' and 'deep' are IMPALA's (Espeholt et al. 2018, figure 3); 'grid'
        and 'small_grid' are for small grid observations; 'auto' picks grid or shallow
        by frame size.
      core_size: units of the LSTM core.
      num_values: of the critic: 1, or one for each task, whose returns and advantages
        are then normalised by their own statistics (Hessel et al. 2018, multi-task
        PopArt, https://arxiv.org/abs/1809.04474). The policy is not told the task.
      language: whether instructions are read, where the task has any; without, the
        network has no language core and no parameters for it.
    """

    torso: str = "auto"
    core_size: int = 256
    num_values: int = 1
    language: bool = True

    def __post_init__(self) -> None:
        require_choice(self, "torso", TORSOS)
        require_positive(self, "core_size", "num_values")
        require(
            self.core_size <= 16_384,
            f"core_size must be at most 16384, not {self.core_size}",
        )
        require(
            self.num_values <= 1000,
            f"num_values must be at most 1000, not {self.num_values}",
        )


@dataclasses.dataclass(frozen=True)
class LossConfig:
    """V-trace actor-critic (Espeholt et al. 2018), summed over time and batch.

    Attributes:
      discount: γ.
      vtrace_lambda: λ of V-trace's targets and advantages (Espeholt et al. 2018,
        remark 2); 1 is IMPALA's, less trades variance for bias.
      baseline_cost: scale of the baseline loss.
      entropy_cost: scale of the entropy bonus at the start.
      final_entropy_share: what is left of entropy_cost at total_frames; it falls
        geometrically. 1 keeps it.
      policy_clip: a step leaves the policy gradient once its action's probability has
        moved by this share, the way its advantage says, since it was acted (PPO's
        clipping, for unrolls that are some updates old); 0: never.
      value_normalisation: whether the critic learns normalised returns and advantages
        are divided by the returns' scale (kickstarting.popart).
      advantage_normalisation: whether advantages are shifted and scaled by their
        running mean and deviation (kickstarting.advantages), so that entropy_cost and
        λ mean the same whatever the rewards.
      reward_clipping: 'none', 'abs_one' ([-1, 1]), 'soft_asymmetric' (optimistic
        asymmetric clipping as in IMPALA's code), or 'auto': the last for DeepMind
        Lab, as IMPALA has it on DMLab-30, and abs_one elsewhere.
      reinforcement: False leaves out the rewards, and with them policy gradient,
        baseline and entropy: the student is only distilled.
      distillation_form: how far the student is from its teachers
        (kickstarting.distillation.loss).
      distillation_temperature: τ of both policies in it.
      value_distillation_cost: scale of the squared distance between the student's
        values and its teachers', which λ weighs too, as it does that of the policies;
        0: values are left alone, as in Schmitt et al. 2018.
    """

    discount: float = 0.99
    vtrace_lambda: float = 0.95
    baseline_cost: float = 0.5
    entropy_cost: float = 0.013
    final_entropy_share: float = 1.0
    policy_clip: float = 0.2
    value_normalisation: bool = True
    advantage_normalisation: bool = True
    reward_clipping: str = "auto"
    reinforcement: bool = True
    distillation_form: str = "cross_entropy"
    distillation_temperature: float = 1.0
    value_distillation_cost: float = 0.0

    def __post_init__(self) -> None:
        require(
            0 <= self.discount <= 1, f"discount must be in [0, 1], not {self.discount}"
        )
        require(
            0 <= self.vtrace_lambda <= 1,
            f"vtrace_lambda must be in [0, 1], not {self.vtrace_lambda}",
        )
        require_not_negative(
            self,
            "baseline_cost",
            "entropy_cost",
            "policy_clip",
            "value_distillation_cost",
        )
        require(
            0 < self.final_entropy_share <= 1,
            f"final_entropy_share must be in (0, 1], not {self.final_entropy_share}",
        )
        require_choice(self, "reward_clipping", REWARD_CLIPPINGS)
        require_choice(self, "distillation_form", DISTILLATION_FORMS)
        require(
            0.01 <= self.distillation_temperature <= 100,
            "distillation_temperature must be in 0.01..100, not "
            f"{self.distillation_temperature}",
        )
        require(
            not self.value_distillation_cost
            or self.distillation_form != "expected_entropy",
            "expected_entropy adds rewards of its own, so that a teacher's values are "
            "of other returns: leave value_distillation_cost at 0",
        )


@dataclasses.dataclass(frozen=True)
class OptimiserConfig:
    """The optimiser; the learning rate falls linearly to 0 over the run.

    Attributes:
      name: 'adam', or 'rmsprop' as IMPALA's TensorFlow code has it (ε inside the root,
        mean square starts at 1).
      learning_rate: at the start.
      epsilon: Adam's or RMSProp's ε. 0 means the optimiser's own default.
      decay: RMSProp's decay.
      momentum: RMSProp's momentum.
      max_gradient_norm: clips the gradient's global norm; 0 turns clipping off. Half
        of the batches or more exceed the default, so that a rare large error does not
        throw the network off.
      anneal: whether the learning rate falls to 0 at total_frames.
    """

    name: str = "adam"
    learning_rate: float = 5e-4
    epsilon: float = 0.0
    decay: float = 0.99
    momentum: float = 0.0
    max_gradient_norm: float = 400.0
    anneal: bool = True

    def __post_init__(self) -> None:
        require_choice(self, "name", OPTIMISERS)
        require_positive(self, "learning_rate")
        require(
            self.learning_rate <= 1,
            f"learning_rate must be at most 1, not {self.learning_rate}",
        )
        require_not_negative(self, "epsilon", "momentum", "max_gradient_norm")
        require(0 <= self.decay < 1, f"decay must be in [0, 1), not {self.decay}")

    @property
    def resolved_epsilon(self) -> float:
        """ε in force: facts' IMPALA value 0.1 for RMSProp on sums, 1e-7 for Adam."""
        return self.epsilon or {"adam": 1e-7, "rmsprop": 0.1}[self.name]


def resolve_reward_clipping(clipping: str, tasks: Sequence[str]) -> str:
    """Returns the clipping in force on the tasks: 'auto' goes by their suite."""
    if clipping != "auto":
        return clipping
    of_lab = all(task.startswith("dmlab") for task in tasks)
    return "soft_asymmetric" if of_lab else "abs_one"
