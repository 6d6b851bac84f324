"""The absl flags of population based training."""

from absl import flags

from kickstarting.config import population as population_config

_DEFAULTS = population_config.PopulationConfig()

POPULATION_SIZE = flags.DEFINE_integer(
    "population_size",
    _DEFAULTS.size,
    "Members of the population, each a whole ring: learning rate, entropy cost, "
    "optimiser's ε, λ and each task's ρ evolve, and need no tuning. 1: no evolution. "
    "The kickstarting_schedule is then constant unless one is given.",
)
POPULATION_RULE = flags.DEFINE_enum(
    "population_rule",
    _DEFAULTS.rule,
    population_config.RULES,
    "When a member copies another: a random one that is population_gap points better "
    "(IMPALA's); one of the best if it is among the worst; a random one that is better "
    "by Welch's t-test.",
)
POPULATION_GAP = flags.DEFINE_float(
    "population_gap", _DEFAULTS.gap, "score_gap: points of the mean capped score."
)
POPULATION_SIGNIFICANCE = flags.DEFINE_float(
    "population_significance",
    _DEFAULTS.significance,
    "welch: the one-sided p-value below which a member copies.",
)
POPULATION_TRUNCATION_SHARE = flags.DEFINE_float(
    "population_truncation_share",
    _DEFAULTS.truncation_share,
    "truncation: the share of members that are the best, and the worst.",
)
POPULATION_AT_ONCE = flags.DEFINE_integer(
    "population_at_once",
    _DEFAULTS.at_once,
    "Members that train at the same time, the others wait for their turn; 0: all.",
)
POPULATION_EVENTS = flags.DEFINE_integer(
    "population_events",
    _DEFAULTS.events,
    "How often each member is compared and perturbed, evenly over total_frames.",
)
POPULATION_MIN_EPISODES = flags.DEFINE_integer(
    "population_min_episodes",
    _DEFAULTS.min_episodes,
    "Episodes of each task that a member must have finished, since it began or last "
    "copied, before it is compared.",
)
POPULATION_BURN_IN_SHARE = flags.DEFINE_float(
    "population_burn_in_share",
    _DEFAULTS.burn_in_share,
    "The share of total_frames before which nothing evolves.",
)
POPULATION_PERTURB_FACTOR = flags.DEFINE_float(
    "population_perturb_factor",
    _DEFAULTS.perturb_factor,
    "By which an event multiplies or divides a hyperparameter, with probability 0.33; "
    "0: 1.2, and for λ and each ρ enough to fall a hundredfold in the first half.",
)
POPULATION_FACTORS = flags.DEFINE_bool(
    "population_factors",
    _DEFAULTS.factors,
    "Let each task's ρ evolve of its own; without, only λ's global factor evolves.",
)
POPULATION_SPREAD = flags.DEFINE_float(
    "population_spread",
    _DEFAULTS.spread,
    "Members begin with hyperparameters up to so many times larger or smaller than "
    "those given, which the first member has.",
)


def population_config_from_flags() -> population_config.PopulationConfig:
    """Builds the configuration of the population from the parsed flags.

    Raises:
      config_checks.ConfigError: a flag is out of range.
    """
    return population_config.PopulationConfig(
        size=POPULATION_SIZE.value,
        rule=POPULATION_RULE.value,
        gap=POPULATION_GAP.value,
        significance=POPULATION_SIGNIFICANCE.value,
        truncation_share=POPULATION_TRUNCATION_SHARE.value,
        at_once=POPULATION_AT_ONCE.value,
        events=POPULATION_EVENTS.value,
        min_episodes=POPULATION_MIN_EPISODES.value,
        burn_in_share=POPULATION_BURN_IN_SHARE.value,
        perturb_factor=POPULATION_PERTURB_FACTOR.value,
        factors=POPULATION_FACTORS.value,
        spread=POPULATION_SPREAD.value,
    )
