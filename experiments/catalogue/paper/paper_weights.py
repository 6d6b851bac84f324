"""Figure 5 of Schmitt et al. 2018: one weight for all experts, or one for each."""

from experiments.catalogue.common import xland
from experiments.experiment import Condition

_EXPERTS = xland.experts(xland.LARGE)

EXPERIMENT = xland.of_large_students(
    title="Weights of multiple large experts (figure 5)",
    shows="Does each expert need a weight of its own?",
    conditions=(
        Condition(
            "distillation only", (*xland.CONSTANT, "--noreinforcement"), _EXPERTS
        ),
        Condition("constant λ", xland.CONSTANT, _EXPERTS),
        Condition(
            "shared α, population",
            (*xland.TAUGHT_POPULATION, xland.SHARED_WEIGHT),
            _EXPERTS,
        ),
        Condition("ρ for each task, population", xland.TAUGHT_POPULATION, _EXPERTS),
    ),
    budget_shares=(0.1, 0.5, 1.0),
    traces=("global_weight",),
    paper="""\
From the top: a weight for each task and a shared one, which hardly differ; then a
constant one and distillation only, further from the others the more frames.""",
    finding="""\
The order is the paper's on the way and not at the end. To 87.0, where distillation only
ends, the populations need 123,000 (shared) and 119,000 frames (a weight for each task)
and the constants 211,000 and 231,000, with ranges over the five seeds that overlap; a
population's curve is that of its winner and its ancestors, and six members were trained
for it. At the end all four are at the experts' own 87.4, and no interval is apart from
another's, though the shared weight is better than distillation only with a probability
of 0.70 (0.59 to 0.82).

There is nothing left for reinforcement to add: seven of the eight experts return 0.958
to 0.977, of at most 1 and less the longer the way, and on FourRooms, where they reach
0.255, students end at 0.25 to 0.29, whatever their weights. In the paper the experts
were far from that, and distillation only fell behind; so it does here with experts that
can be surpassed (`paper_weights_unfinished`). A shared weight and one for each task
hardly differ here either.

Evolution has nothing to choose by: from 100,000 frames on all members are within two or
three points of each other, five to twelve of 240 events copy, and the winner's α ends
between 0.004 and 6, at random.""",
)
