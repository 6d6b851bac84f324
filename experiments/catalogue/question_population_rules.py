"""Question 10 of the paper's readers."""

from experiments.catalogue import _xland
from experiments.experiment import Condition, Experiment

EXPERIMENT = Experiment(
    title="10. Which test for 'significantly better' wins?",
    shows="Which rule of population based training wins at equal compute?",
    tasks=("xland:MiniGrid-DoorKey-8x8",),
    total_frames=300_000,
    seeds=(1, 2, 3),
    flags=(
        "--action_repeat=1",
        "--environments_per_actor=32",
        "--batch_size=8",
        _xland.SMALL,
    ),
    conditions=(
        Condition("no population"),
        *(
            Condition(
                rule.replace("_", " "),
                (
                    "--population_size=4",
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
