"""Figure 6 of Schmitt et al. 2018: one expert has learned nothing."""

from experiments.catalogue import _xland
from experiments.experiment import Condition

_TASK = "xland:MiniGrid-DoorKey-6x6"
_EXPERTS = _xland.experts(_xland.LARGE, weak_task=_TASK)

EXPERIMENT = _xland.of_large_students(
    title="An expert that has learned nothing (figure 6)",
    shows="Does evolution take the weight from an expert that knows nothing?",
    conditions=(
        Condition("from scratch"),
        Condition("constant λ", _xland.CONSTANT, _EXPERTS),
        Condition(
            "λ by the return gap", ("--kickstarting_schedule=return_gap",), _EXPERTS
        ),
        Condition("population", _xland.TAUGHT_POPULATION, _EXPERTS),
    ),
    traces=(
        f"kickstarting_weight/{_TASK}",
        "kickstarting_weight/xland:MiniGrid-DoorKey-5x5",
    ),
    paper="""\
Of two tasks that from scratch does not learn, one has an expert that learned it and one
an expert that did not. The student learns the first, and on the second it is not held
down by its expert, whose weight evolution lowers.""",
)
