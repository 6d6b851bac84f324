"""The configuration of population based training."""

import dataclasses
import math

from kickstarting.config import settings
from kickstarting.config.groups import POPULATION

RULES = ("score_gap", "truncation", "welch")
# Espeholt et al. 2018, appendix F.
IMPALA_FACTOR = 1.2


@dataclasses.dataclass(frozen=True)
class PopulationConfig:
    """Population based training (Jaderberg et al. 2017, https://arxiv.org/abs/1711.09846)."""

    size: int = POPULATION.setting(1, "[1, 1000]").help("""
        Members of the population, each a whole ring: learning rate, entropy cost,
        optimiser's ε, λ and each task's ρ evolve, and need no tuning. 1: no evolution.
        The kickstarting_schedule is then constant unless one is given.""")
    # score_gap as IMPALA has it (Espeholt et al. 2018, appendix F).
    rule: str = POPULATION.setting("score_gap", RULES).help("""
        When a member copies another. score_gap: a random one that is population_gap
        points better (IMPALA's); truncation: one of the best
        population_truncation_share, if it is among as many worst itself; welch: a
        random one that is better by Welch's t-test.""")
    gap: float = POPULATION.setting(5.0, "[0, inf)").help("""
        score_gap: points of the mean capped score.""")
    significance: float = POPULATION.setting(0.05, "(0, 0.5]").help("""
        welch: the one-sided p-value below which a member copies.""")
    truncation_share: float = POPULATION.setting(0.2, "(0, 0.5]").help("""
        truncation: the share of members that are the best, and the worst.""")
    at_once: int = POPULATION.setting(0, "[0, inf)").help("""
        Members that train at the same time, the others wait for their turn; 0: all.""")
    events: int = POPULATION.setting(100, "[1, inf)").help("""
        How often each member is compared and perturbed, evenly over total_frames.""")
    min_episodes: int = POPULATION.setting(10, "[2, inf)").help("""
        Episodes of each task that a member must have finished, since it began or last
        copied, before it is compared.""")
    burn_in_share: float = POPULATION.setting(0.02, "[0, 1)").help("""
        The share of total_frames before which nothing evolves.""")
    perturb_probability: float = POPULATION.setting(0.33, "(0, 1]").help("""
        With which an event changes each hyperparameter.""")
    perturb_factor: float = POPULATION.setting(0.0, "0 or (1, 10]").help("""
        By which an event multiplies or divides a hyperparameter; 0: 1.2, and for λ and
        each ρ enough to fall by population_weight_decades in the first half.""")
    weight_decades: float = POPULATION.setting(2.0, "[0, inf)").help("""
        Powers of ten by which λ and ρ can fall in the first half of the run.""")
    weight_floor: float = POPULATION.setting(1e-6, "[0, inf)").help("""
        Below which λ·ρ of a teacher becomes 0, and the teacher is freed.""")
    factors: bool = POPULATION.setting(True).help("""
        Let each task's ρ evolve of its own; without, only λ's global factor
        evolves.""")
    spread: float = POPULATION.setting(3.0, "[1, 100]").help("""
        Members begin with hyperparameters up to so many times larger or smaller than
        those given, which the first member has.""")

    def __post_init__(self) -> None:
        settings.check(self)

    @property
    def weight_factor(self) -> float:
        """By which an event multiplies or divides α and each ρ_i.

        IMPALA's 1.2 had some 333 events to lower λ in. With fewer of them it must be
        larger, or λ cannot fall in time and evolution looks like a constant λ.
        """
        if self.perturb_factor:
            return self.perturb_factor
        changes = self.perturb_probability * self.events / 2
        return min(max(IMPALA_FACTOR, 10 ** (self.weight_decades / changes)), 10.0)

    @property
    def other_factor(self) -> float:
        """By which an event multiplies or divides every other hyperparameter.

        By steps as large as those of λ a learning rate strays from what can learn
        within a few events, and members are gone before they can be compared.
        """
        return self.perturb_factor or IMPALA_FACTOR

    def event_frames(self, number: int, total_frames: int) -> int:
        """Returns the environment frames of a member at which an event of it is due.

        Args:
          number: of the event, from 0 to events − 1.
          total_frames: of the run.
        """
        burn_in = self.burn_in_share * total_frames
        return math.ceil(
            burn_in + (number + 1) * (total_frames - burn_in) / (self.events + 1)
        )
