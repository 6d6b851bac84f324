"""Question 10 of the paper's readers."""

from experiments.catalogue import _xland
from experiments.experiment import Condition, Experiment

_THREE = (
    "--population_size=3",
    "--population_events=40",
    "--population_min_episodes=4",
)
# Members that never copy and as good as never change.
_RANDOM_SEARCH = ("--population_gap=1000", "--population_perturb_factor=1.000001")

EXPERIMENT = Experiment(
    title="10. Which test for 'significantly better' wins?",
    shows="Which rule of population based training wins at equal compute?",
    tasks=("xland:MiniGrid-DoorKey-6x6", "xland:MiniGrid-EmptyRandom-6x6"),
    total_frames=300_000,
    seeds=(1, 2, 3),
    flags=(*_xland.FLAGS, *_xland.SMALL),
    conditions=(
        Condition("random search", (*_THREE, *_RANDOM_SEARCH)),
        *(
            Condition(rule.replace("_", " "), (*_THREE, f"--population_rule={rule}"))
            for rule in ("score_gap", "welch", "truncation")
        ),
        Condition("no population (a third of the compute)"),
    ),
    budget_shares=(0.5, 1.0),
    traces=("learning_rate", "entropy_cost"),
)
