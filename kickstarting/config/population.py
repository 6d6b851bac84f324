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

    size: int = POPULATION.setting(
        1,
        "Members of the population, each a whole ring: learning rate, entropy cost, "
        "optimiser's ε, λ and each task's ρ evolve, and need no tuning. 1: no "
        "evolution. The kickstarting_schedule is then constant unless one is given.",
        "[1, 1000]",
    )
    # score_gap as IMPALA has it (Espeholt et al. 2018, appendix F).
    rule: str = POPULATION.setting(
        "score_gap",
        "When a member copies another. score_gap: a random one that is population_gap "
        "points better (IMPALA's); truncation: one of the best "
        "population_truncation_share, if it is among as many worst itself; welch: a "
        "random one that is better by Welch's t-test.",
        choices=RULES,
    )
    gap: float = POPULATION.setting(
        5.0, "score_gap: points of the mean capped score.", "[0, inf)"
    )
    significance: float = POPULATION.setting(
        0.05, "welch: the one-sided p-value below which a member copies.", "(0, 0.5]"
    )
    truncation_share: float = POPULATION.setting(
        0.2,
        "truncation: the share of members that are the best, and the worst.",
        "(0, 0.5]",
    )
    at_once: int = POPULATION.setting(
        0,
        "Members that train at the same time, the others wait for their turn; 0: all.",
        "[0, inf)",
    )
    events: int = POPULATION.setting(
        100,
        "How often each member is compared and perturbed, evenly over total_frames.",
        "[1, inf)",
    )
    min_episodes: int = POPULATION.setting(
        10,
        "Episodes of each task that a member must have finished, since it began or "
        "last copied, before it is compared.",
        "[2, inf)",
    )
    burn_in_share: float = POPULATION.setting(
        0.02, "The share of total_frames before which nothing evolves.", "[0, 1)"
    )
    perturb_probability: float = POPULATION.setting(
        0.33, "With which an event changes each hyperparameter.", "(0, 1]"
    )
    perturb_factor: float = POPULATION.setting(
        0.0,
        "By which an event multiplies or divides a hyperparameter; 0: 1.2, and for λ "
        "and each ρ enough to fall by population_weight_decades in the first half.",
        "0 or (1, 10]",
    )
    weight_decades: float = POPULATION.setting(
        2.0,
        "Powers of ten by which λ and ρ can fall in the first half of the run.",
        "[0, inf)",
    )
    weight_floor: float = POPULATION.setting(
        1e-6,
        "Below which λ·ρ of a teacher becomes 0, and the teacher is freed.",
        "[0, inf)",
    )
    factors: bool = POPULATION.setting(
        True,
        "Let each task's ρ evolve of its own; without, only λ's global factor evolves.",
    )
    spread: float = POPULATION.setting(
        3.0,
        "Members begin with hyperparameters up to so many times larger or smaller than "
        "those given, which the first member has.",
        "[1, 100]",
    )

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
