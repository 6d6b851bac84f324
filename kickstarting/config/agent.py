"""How the student is built and trained: its network, its loss, its optimiser."""

import dataclasses
import math
from collections.abc import Sequence

from kickstarting.config import settings
from kickstarting.config.checks import require
from kickstarting.config.groups import LOSS, NETWORK, OPTIMISER, TEACHERS

TORSOS = ("auto", "shallow", "deep", "grid", "small_grid")
OPTIMISERS = ("adam", "rmsprop")
REWARD_CLIPPINGS = ("auto", "none", "abs_one", "soft_asymmetric")
DISTILLATIONS = (
    "cross_entropy",
    "reverse_kl",
    "jensen_shannon",
    "expected_entropy",
)


@dataclasses.dataclass(frozen=True)
class NetworkConfig:
    """The student's network."""

    torso: str = NETWORK.setting("auto", TORSOS).help("""
        IMPALA's shallow or deep network (Espeholt et al. 2018, figure 3), or those for
        small grids; auto: grid or shallow, by frame size.""")
    core_size: int = NETWORK.setting(256, "[1, 16384]").help("Units of the LSTM core.")
    # Hessel et al. 2018, multi-task PopArt, https://arxiv.org/abs/1809.04474.
    num_values: int = NETWORK.setting(1, "[1, 1000]", "").help("""
        Values of the critic: 1, or one for each task, whose returns and advantages are
        then normalised by their own statistics. The policy is not told the task.""")
    language: bool = NETWORK.setting(True).help("""
        The student reads the task's instructions, where it has any; --nolanguage hides
        them from the student alone, whose network then has no part for them: teachers
        still read them.""")

    def __post_init__(self) -> None:
        settings.check(self)


@dataclasses.dataclass(frozen=True)
class LossConfig:
    """V-trace actor-critic (Espeholt et al. 2018), summed over time and batch."""

    discount: float = LOSS.setting(0.99, "[0, 1]").help("""
        γ of the return, for each agent step, at the start of the run.""")
    final_discount: float = LOSS.setting(0.0, "[0, 1)").help("""
        γ from discount_end_frames on; 0: discount.""")
    discount_start_frames: int = LOSS.setting(0, "[0, inf)").help("""
        Environment frames from which γ goes from discount to final_discount.""")
    discount_end_frames: int = LOSS.setting(0, "[0, inf)").help("""
        Environment frames by which it is there; 0: total_frames.""")
    vtrace_lambda: float = LOSS.setting(0.95, "[0, 1]").help("""
        λ of V-trace's targets and advantages (Espeholt et al. 2018, remark 2); 1 is
        IMPALA's, less trades variance for bias.""")
    baseline_cost: float = LOSS.setting(0.5, "[0, inf)").help("""
        Scale of the baseline loss.""")
    critic_warm_up_updates: int = LOSS.setting(0, "[0, inf)").help("""
        First updates in which the value head alone learns and the policy stays as it
        is: for a student that begins with a teacher's weights, whose critic knows
        nothing yet.""")
    entropy_cost: float = LOSS.setting(0.013, "[0, inf)", first=True).help("""
        Scale of the entropy bonus at first.""")
    final_entropy_share: float = LOSS.setting(1.0, "(0, 1]").help("""
        What is left of entropy_cost at total_frames; it falls geometrically. 1 keeps
        it.""")
    # PPO's clipping, for unrolls that are some updates old.
    policy_clip: float = LOSS.setting(0.2, "[0, inf)").help("""
        A step stops counting in the policy gradient once its action's probability has
        moved by this share, the way its advantage says, since it was acted (as in PPO);
        0: never.""")
    held_values: bool = LOSS.setting(False).help("""
        Targets and advantages of all passes over a window are made from what the critic
        expected at its beginning, as in PPO: the critic of a later pass has seen what
        comes. Else from its newest values.""")
    value_normalisation: bool = LOSS.setting(True).help("""
        Let the critic learn returns normalised by their running mean and deviation, and
        divide advantages by the returns' scale (kickstarting.loss.popart).""")
    advantage_normalisation: bool = LOSS.setting(True).help("""
        Shift and scale advantages by their running mean and deviation, so that
        entropy_cost and kickstarting_weight mean the same whatever the rewards.""")
    least_advantage_deviation: float = LOSS.setting(1e-3, "(0, inf)").help("""
        Below which the deviation that advantages are divided by does not fall, in units
        of the returns' scale: where rewards are rare, or the task is done, advantages
        are the critic's noise, and are not to be blown up.""")
    fresh_statistics: bool = LOSS.setting(True).help("""
        What is known of returns and advantages forgets its start within some updates,
        advantages are taken about their batch's mean, and the critic begins at the mean
        of the returns. Else all is averaged from the start on, as up to revision
        38afb0c, and so it always is where teachers act in the student's place.""")
    reward_clipping: str = LOSS.setting("auto", REWARD_CLIPPINGS).help("""
        How rewards are clipped in the loss: none, abs_one ([-1, 1]), soft_asymmetric
        (optimistic asymmetric clipping, as IMPALA has it on DMLab-30); auto: the last
        for DeepMind Lab, else abs_one. Reported returns are always raw.""")
    reward_scales: tuple[tuple[str, float], ...] = LOSS.setting(()).help("""
        By what the rewards of a level are multiplied in the loss, before they are
        clipped: level=number, comma-separated, as doom:basic=0.01; 1 for all
        others.""")
    reinforcement: bool = LOSS.setting(True).help("""
        Learn from rewards; --noreinforcement leaves out policy gradient, baseline and
        entropy, and only distils the teacher.""")
    distillation_form: str = TEACHERS.setting("cross_entropy", DISTILLATIONS).help("""
        How the loss measures the distance from a teacher; cross_entropy is the paper's.
        expected_entropy also rewards what the teacher would do next.""")
    distillation_temperature: float = TEACHERS.setting(1.0, "[0.01, 100]").help("""
        Softens both policies in that distance above 1, sharpens them below.""")
    value_distillation_cost: float = TEACHERS.setting(0.0, "[0, inf)").help("""
        Above 0 the student also learns what its teachers think each state is worth;
        this scales that loss, beside λ. Needs teachers whose cards say what their
        values mean: those of launch.export_teacher do. 0: as in the paper.""")

    def __post_init__(self) -> None:
        settings.check(self)
        levels = [level for level, _ in self.reward_scales]
        require(len(set(levels)) == len(levels), "reward_scales names one level twice")
        for level, scale in self.reward_scales:
            require(
                0 < scale < math.inf,
                f"reward_scales: that of {level} must be above 0 and finite, not "
                f"{scale}",
            )
        require(
            not self.value_distillation_cost
            or self.distillation_form != "expected_entropy",
            "expected_entropy adds rewards of its own, so that a teacher's values are "
            "of other returns: leave value_distillation_cost at 0",
        )
        require(
            not self.value_distillation_cost or not self.discount_changes,
            f"the discount goes from {self.discount:g} to {self.final_discount:g}, so "
            "that a teacher's values are of other returns: set final_discount to 0, or "
            "leave value_distillation_cost at 0",
        )
        require(
            not self.discount_end_frames
            or self.discount_start_frames < self.discount_end_frames,
            f"discount_start_frames ({self.discount_start_frames}) must be below "
            f"discount_end_frames ({self.discount_end_frames})",
        )
        require(
            self.discount < 1 or not self.discount_changes,
            "a discount of 1 cannot change: lower it, or set final_discount to 0",
        )

    @property
    def discount_changes(self) -> bool:
        """Whether γ at the end is another than at the start."""
        return self.final_discount not in (0.0, self.discount)

    def discount_at(self, frames: int, total_frames: int) -> float:
        """Returns γ.

        1 − γ goes geometrically to what it ends at: a short horizon is learned soon, a
        long one tells more of what an action leads to. François-Lavet et al. 2015,
        section 4 (https://arxiv.org/abs/1512.02011), where it falls by 2% each epoch.

        Args:
          frames: environment frames learned from so far.
          total_frames: of the run.
        """
        if not self.discount_changes:
            return self.discount
        begin = self.discount_start_frames
        end = self.discount_end_frames or total_frames
        if end <= begin:
            return self.discount
        done = min(max((frames - begin) / (end - begin), 0.0), 1.0)
        return 1 - (1 - self.discount) ** (1 - done) * (1 - self.final_discount) ** done


@dataclasses.dataclass(frozen=True)
class OptimiserConfig:
    """The optimiser."""

    # RMSProp as IMPALA's TensorFlow code has it: ε inside the root, mean square from 1.
    name: str = OPTIMISER.setting("adam", OPTIMISERS, "optimiser").help("""
        Adam, or RMSProp as IMPALA has it.""")
    learning_rate: float = OPTIMISER.setting(5e-4, "(0, 1]", first=True).help("""
        At the start of the run.""")
    epsilon: float = OPTIMISER.setting(0.0, "[0, inf)", "optimiser_*").help("""
        ε of the optimiser; 0: its own default (adam 1e-7, rmsprop 0.1).""")
    decay: float = OPTIMISER.setting(0.99, "[0, 1)", "rmsprop_*").help("""
        RMSProp's decay of the mean square.""")
    momentum: float = OPTIMISER.setting(0.0, "[0, inf)", "rmsprop_*").help("""
        RMSProp's momentum.""")
    # Half of the batches or more exceed the default.
    max_gradient_norm: float = OPTIMISER.setting(400.0, "[0, inf)").help("""
        Clips the global norm of the gradient of the summed loss, so that a rare large
        error does not throw the network off; 0: no clipping.""")
    # A rate that falls over the budget makes short runs fail where long ones learn.
    anneal: bool = OPTIMISER.setting(False).help("""
        Let the learning rate fall linearly, to final_learning_rate_share of it at
        anneal_frames.""")
    anneal_frames: int = OPTIMISER.setting(0, "[0, inf)").help("""
        Environment frames by which the learning rate has fallen; 0: total_frames.""")
    final_learning_rate_share: float = OPTIMISER.setting(0.0, "[0, 1]").help("""
        What is left of the learning rate then, and from then on.""")

    def __post_init__(self) -> None:
        settings.check(self)

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
