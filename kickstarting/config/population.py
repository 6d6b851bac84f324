"""The configuration of population based training."""

import dataclasses
import math

from kickstarting.config.checks import (
    require,
    require_choice,
    require_not_negative,
    require_positive,
)

RULES = ("score_gap", "truncation", "welch")
MAX_MEMBERS = 1000
# Espeholt et al. 2018, appendix F.
IMPALA_FACTOR = 1.2


@dataclasses.dataclass(frozen=True)
class PopulationConfig:
    """Population based training (Jaderberg et al. 2017, https://arxiv.org/abs/1711.09846).

    Attributes:
      size: members, each a whole ring; 1: no evolution.
      rule: when a member copies another one. 'score_gap' as IMPALA has it (Espeholt et
        al. 2018, appendix F): a random other one that is `gap` points better;
        'welch': a random other one that is better by Welch's t-test; 'truncation': one
        of the best `truncation_share`, if it is among as many worst itself.
      gap: of mean capped scores, in points.
      significance: below which the one-sided p-value of Welch's t-test copies.
      truncation_share: of the members.
      at_once: members that train at the same time, in turns between events; 0: all.
      events: of each member in the whole run, evenly spread over its frames.
      min_episodes: of each task that a member must have finished since it began or last
        copied, before it is compared.
      burn_in_share: of the run's frames that pass before the first event.
      perturb_probability: with which an event changes each hyperparameter.
      perturb_factor: by which it is multiplied or divided; 0: IMPALA's 1.2, and for
        α and ρ_i enough to fall by `weight_decades` in the first half of the run.
      weight_decades: powers of ten.
      weight_floor: below which α·ρ_i becomes 0, and its teacher is freed.
      factors: whether each ρ_i evolves of its own, and not α alone.
      spread: members begin with hyperparameters between 1/spread and spread times the
        configured ones, but for the first, which has these.
    """

    size: int = 1
    rule: str = "score_gap"
    gap: float = 5.0
    significance: float = 0.05
    truncation_share: float = 0.2
    at_once: int = 0
    events: int = 100
    min_episodes: int = 10
    burn_in_share: float = 0.02
    perturb_probability: float = 0.33
    perturb_factor: float = 0.0
    weight_decades: float = 2.0
    weight_floor: float = 1e-6
    factors: bool = True
    spread: float = 3.0

    def __post_init__(self) -> None:
        require(
            1 <= self.size <= MAX_MEMBERS,
            f"population_size must be in 1..{MAX_MEMBERS}, not {self.size}",
        )
        require_choice(self, "rule", RULES)
        require_not_negative(self, "at_once", "gap", "weight_decades", "weight_floor")
        require_positive(self, "events")
        require(
            self.min_episodes >= 2,
            f"min_episodes must be at least 2, not {self.min_episodes}",
        )
        for name in ("significance", "truncation_share"):
            value = getattr(self, name)
            require(0 < value <= 0.5, f"{name} must be in (0, 0.5], not {value}")
        require(
            0 <= self.burn_in_share < 1,
            f"burn_in_share must be in [0, 1), not {self.burn_in_share}",
        )
        require(
            0 < self.perturb_probability <= 1,
            f"perturb_probability must be in (0, 1], not {self.perturb_probability}",
        )
        require(
            self.perturb_factor == 0 or 1 < self.perturb_factor <= 10,
            f"perturb_factor must be 0 or in (1, 10], not {self.perturb_factor}",
        )
        require(1 <= self.spread <= 100, f"spread must be in 1..100, not {self.spread}")

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
