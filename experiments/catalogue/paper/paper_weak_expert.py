"""Figure 6 of Schmitt et al. 2018: one expert has learned nothing."""

from experiments.catalogue.common import xland
from experiments.experiment import Condition

_TASK = "xland:MiniGrid-DoorKey-6x6"
_EXPERTS = xland.experts(xland.LARGE, weak_task=_TASK)

EXPERIMENT = xland.of_large_students(
    title="An expert that has learned nothing (figure 6)",
    shows="Does evolution take the weight from an expert that knows nothing?",
    conditions=(
        Condition("from scratch"),
        Condition("constant λ", xland.CONSTANT, _EXPERTS),
        Condition(
            "λ by the return gap", ("--kickstarting_schedule=return_gap",), _EXPERTS
        ),
        Condition("population", xland.TAUGHT_POPULATION, _EXPERTS),
    ),
    traces=(
        f"kickstarting_weight/{_TASK}",
        "kickstarting_weight/xland:MiniGrid-DoorKey-5x5",
    ),
    paper="""\
Of two tasks that from scratch does not learn, one has an expert that learned it and one
an expert that did not. The student learns the first, and on the second it is not held
down by its expert, whose weight evolution lowers.""",
    finding="""\
As in the paper. The expert of DoorKey-6x6 reaches 0.048 of at most 1, all others 0.955
to 0.977 (FourRooms 0.255). A constant λ holds the student down there, at 0.797 (s.d.
0.018 over five seeds) where a good expert leads to 0.962 (figure 5), and nowhere else.
With populations it ends at 0.947 (0.018), and with a λ that follows the gap between the
two returns at 0.962 (0.002), in one run instead of six members: where the student is
better than its teacher that weight is 0, for which the logarithmic axis has no place.
From scratch it ends at 0.083: what the other experts teach carries over to this task.

Evolution lowers that weight: in the winners of the five seeds it ends at 0.0003 to
0.12. So does the weight of DoorKey-5x5, whose expert is good, though less (0.0006 to
0.9), for at the experts' level it no longer matters. Members that end with a weight of
more than 1 for DoorKey-6x6 (nine of 30) have 0.67 to 0.95 there in their last twenty
rows, those below 0.2 (twenty) 0.93 to 0.97. The peaks are a winner's line that passes,
for some 10,000 frames, through a member with large weights.

In all tasks the gap's λ ends at 87.4, the population at 86.9 and the constant at 85.0,
over the experts' own 75.4; from scratch at 31.8.""",
)
