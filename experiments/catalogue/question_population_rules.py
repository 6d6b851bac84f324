"""Question 10 of the paper's readers."""

from experiments.catalogue import _xland
from experiments.experiment import Condition, Experiment

EXPERIMENT = Experiment(
    title="10. Which test for 'significantly better' wins?",
    shows="Which rule of population based training wins at equal compute?",
    tasks=("xland:MiniGrid-DoorKey-6x6", "xland:MiniGrid-EmptyRandom-6x6"),
    total_frames=300_000,
    seeds=(1, 2, 3),
    flags=(*_xland.FLAGS, *_xland.SMALL),
    conditions=(
        Condition("no population"),
        *(
            Condition(
                rule.replace("_", " "),
                (
                    "--population_size=3",
                    "--population_events=40",
                    f"--population_rule={rule}",
                ),
            )
            for rule in ("score_gap", "welch", "truncation")
        ),
    ),
    budget_shares=(0.5, 1.0),
    traces=("learning_rate", "entropy_cost"),
)
