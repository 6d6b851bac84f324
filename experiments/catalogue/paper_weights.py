"""Figure 5 of Schmitt et al. 2018: one weight for all experts, or one for each."""

from experiments.catalogue import _xland
from experiments.experiment import Condition

_EXPERTS = _xland.experts(_xland.LARGE)

EXPERIMENT = _xland.of_large_students(
    title="Weights of multiple large experts (figure 5)",
    shows="Does each expert need a weight of its own?",
    conditions=(
        Condition(
            "distillation only", (*_xland.CONSTANT, "--noreinforcement"), _EXPERTS
        ),
        Condition("constant λ", _xland.CONSTANT, _EXPERTS),
        Condition(
            "shared α, population",
            (*_xland.TAUGHT_POPULATION, _xland.SHARED_WEIGHT),
            _EXPERTS,
        ),
        Condition("ρ for each task, population", _xland.TAUGHT_POPULATION, _EXPERTS),
    ),
    budget_shares=(0.1, 0.5, 1.0),
    traces=("global_weight",),
    paper="""\
From the top: a weight for each task and a shared one, which hardly differ; then a
constant one and distillation only, further from the others the more frames.""",
)
