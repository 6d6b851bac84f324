"""Question 3 of the paper's readers."""

from experiments.catalogue.common import xland

_BETTER = xland.multi_task_teacher(xland.SMALL)
_OTHER = xland.multi_task_teacher(xland.LARGE)

EXPERIMENT = xland.of_large_students(
    title="3. Are two teachers for one task better than the better one?",
    shows="Are two teachers for one task better than the better one?",
    conditions=(
        xland.kickstarted("the better one", _BETTER),
        xland.kickstarted("the other one", _OTHER),
        xland.kickstarted("both", _BETTER, _OTHER),
        xland.kickstarted("both, at half the weight", _BETTER, _OTHER, weight=0.5),
    ),
    budget_shares=(0.1, 0.5, 1.0),
    finding="""\
No: a second, worse teacher of the same tasks costs more than it gives. With both the
student ends at 44.5, with the better one (47 points) at 68.5, with the other one (33
points) at 33.4: its loss asks it to be between the two, which is worse than either's
best. Half the weight for each, so that both together weigh what one did, is no better
(42.8). Here one teacher was worse at every task; two that each know what the other one
does not were not tried.""",
)
