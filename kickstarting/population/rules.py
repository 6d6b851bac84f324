"""Population based training: who copies whom, and how hyperparameters move.

Jaderberg et al. 2017 (https://arxiv.org/abs/1711.09846) with the rules of IMPALA
(Espeholt et al. 2018, appendix F), which Kickstarting (Schmitt et al. 2018) evolves λ
by: plain NumPy, without a ring. A member's hyperparameters are floats by name:
those of the optimiser, α ('kickstarting_weight'), and ρ_i of each teacher
('teacher_factor/...').
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from kickstarting.config.population import PopulationConfig
from kickstarting.scores import normalised as scores

WEIGHT = "kickstarting_weight"
FACTOR = "teacher_factor/"

Hyperparameters = Mapping[str, float]


class Fitness(NamedTuple):
    """How well a member does.

    Attributes:
      mean: mean capped score over tasks, in points.
      variance: of that mean.
      degrees_of_freedom: of that variance; infinite where it is 0.
    """

    mean: float
    variance: float
    degrees_of_freedom: float


class Decision(NamedTuple):
    """What a rule made of a member.

    Attributes:
      other: whom it was compared with; None where there was nobody.
      copies: whether it takes that one's weights and hyperparameters.
      statistics: what the rule went by, by name.
    """

    other: int | None
    copies: bool
    statistics: Mapping[str, float]


def fitness(scores_of_tasks: Sequence[np.ndarray], min_episodes: int) -> Fitness | None:
    """Returns the fitness of a member.

    The mean of each task is capped at 100 before it is averaged, and adds to the
    variance only below the cap.

    Args:
      scores_of_tasks: for each task, normalised scores of newest episodes, float [n].
      min_episodes: at least 2.

    Returns:
      None while a task has fewer episodes.
    """
    if any(len(of_task) < min_episodes for of_task in scores_of_tasks):
        return None
    means = np.array([np.mean(of_task) for of_task in scores_of_tasks])
    counts = np.array([len(of_task) for of_task in scores_of_tasks])
    below = means < scores.CAP
    variances = np.array([np.var(of_task, ddof=1) for of_task in scores_of_tasks])
    parts = below * variances / counts / len(means) ** 2
    return Fitness(
        float(np.mean(np.minimum(means, scores.CAP))),
        float(np.sum(parts)),
        _degrees_of_freedom(parts, counts - 1.0),
    )


def initial(
    configured: Hyperparameters, config: PopulationConfig, seed: int
) -> list[dict[str, float]]:
    """Returns the hyperparameters that each member begins with.

    Args:
      configured: those of the first member.
      config: of the population.
      seed: of the draws, log-uniform around the configured values.
    """
    random = np.random.default_rng((seed, 0))
    members = [dict(configured)]
    reach = math.log(config.spread)
    for _ in range(1, config.size):
        members.append(
            {
                # Factors of teachers are left alike: α moves all of them.
                name: configured[name]
                if name.startswith(FACTOR)
                else configured[name] * math.exp(random.uniform(-reach, reach))
                for name in sorted(configured)
            }
        )
    return members


def exploit(
    member: int,
    population: Sequence[Fitness | None],
    config: PopulationConfig,
    random: np.random.Generator,
) -> Decision:
    """Decides whether a member copies another one.

    Args:
      member: its index.
      population: fitness of each member; None while unknown.
      config: the rule.
      random: draws whom it is compared with.
    """
    own = population[member]
    others = [
        index
        for index, each in enumerate(population)
        if index != member and each is not None
    ]
    if own is None or not others:
        return Decision(None, False, {})
    if config.rule == "truncation":
        return _truncation(member, [member, *others], population, config, random)
    other = others[int(random.integers(len(others)))]
    theirs = population[other]
    assert theirs is not None
    if config.rule == "welch":
        statistic, freedom, p_value = welch(own, theirs)
        figures = {
            "t_statistic": statistic,
            "degrees_of_freedom": freedom,
            "p_value": p_value,
            "significance": config.significance,
        }
        # Scores without any spread have an infinite t, for which JSON has no number.
        finite = {name: each for name, each in figures.items() if math.isfinite(each)}
        return Decision(other, p_value < config.significance, finite)
    gap = theirs.mean - own.mean
    return Decision(other, gap > config.gap, {"gap": gap, "threshold": config.gap})


def welch(own: Fitness, other: Fitness) -> tuple[float, float, float]:
    """Tests whether the other one is better.

    Returns:
      t, degrees of freedom (Welch–Satterthwaite) and the one-sided p-value.
    """
    difference = other.mean - own.mean
    variances = np.array([own.variance, other.variance])
    if not variances.any():
        p_value = 0.0 if difference > 0 else 1.0
        return math.copysign(math.inf, difference), math.inf, p_value
    statistic = difference / math.sqrt(variances.sum())
    freedom = _degrees_of_freedom(
        variances, np.array([own.degrees_of_freedom, other.degrees_of_freedom])
    )
    # Every node would import it, and few need it: 0.15 s.
    from scipy import special

    # Student's t beyond the statistic.
    return statistic, freedom, float(special.stdtr(freedom, -statistic))


def explore(
    hyperparameters: Hyperparameters,
    config: PopulationConfig,
    random: np.random.Generator,
) -> dict[str, float]:
    """Returns perturbed hyperparameters.

    Each is multiplied or divided by its factor, so that its logarithm is as likely to
    rise as to fall; 0 stays 0. A ρ_i whose α·ρ_i falls below the floor becomes 0; so
    does α where no ρ_i evolves.

    Args:
      hyperparameters: before.
      config: of the population.
      random: draws what changes.
    """
    after = {}
    for name in sorted(hyperparameters):
        is_weight = name == WEIGHT or name.startswith(FACTOR)
        factor = config.weight_factor if is_weight else config.other_factor
        changes = random.random() < config.perturb_probability
        up = random.random() < 0.5
        scale = (factor if up else 1 / factor) if changes else 1.0
        after[name] = hyperparameters[name] * scale
    weight = after.get(WEIGHT, 0.0)
    factors = [name for name in after if name.startswith(FACTOR)]
    for name in factors:
        if weight * after[name] < config.weight_floor:
            after[name] = 0.0
    if not factors and WEIGHT in after and weight < config.weight_floor:
        after[WEIGHT] = 0.0
    return after


def _truncation(
    member: int,
    known: Sequence[int],
    population: Sequence[Fitness | None],
    config: PopulationConfig,
    random: np.random.Generator,
) -> Decision:
    def mean(index: int) -> float:
        found = population[index]
        assert found is not None
        return found.mean

    # At least one, and never so many that a member would be both.
    count = min(max(round(config.truncation_share * len(known)), 1), len(known) // 2)
    # Of members that are alike the first counts as the better one.
    ranked = sorted(known, key=lambda index: (-mean(index), index))
    best, worst = ranked[:count], ranked[-count:]
    other = best[int(random.integers(count))]
    statistics = {"rank": float(ranked.index(member)), "members": float(len(known))}
    if member not in worst or mean(other) <= mean(member):
        return Decision(other if other != member else None, False, statistics)
    return Decision(other, True, statistics)


def _degrees_of_freedom(variances: np.ndarray, freedoms: np.ndarray) -> float:
    """Welch–Satterthwaite, of a sum of independent means."""
    total = variances.sum()
    if not total:
        return math.inf
    return float(total**2 / np.sum(variances**2 / freedoms))
