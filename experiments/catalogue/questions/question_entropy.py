"""Question 7 of the paper's readers."""

from experiments.catalogue.common import xland
from experiments.experiment import Condition
from experiments.training import Teacher

EXPERIMENT = xland.of_large_students(
    title="7. Is the auxiliary loss only entropy regularisation?",
    shows="Is the auxiliary loss only entropy regularisation?",
    conditions=(
        Condition("from scratch"),
        xland.kickstarted(
            "uniform teacher", Teacher("experiments.bad_teachers:random_on_grids")
        ),
        xland.kickstarted(
            "softened teacher",
            Teacher("experiments.softened_teachers:softened_on_grids"),
        ),
        xland.kickstarted("the teacher", xland.multi_task_teacher(xland.SMALL)),
    ),
    budget_shares=(0.1, 0.5, 1.0),
    finding="""\
No. At equal λ a uniform teacher, which says no more than an entropy bonus does, has 6.7
points at a tenth of the budget and 42.3 at its end, the teacher 44.7 and 68.5. Some of
the gain at the end is regularisation, though: from scratch has 31.8. A teacher softened
by a temperature of 4, whose order of actions is the same, does hardly better than the
uniform one (19.6 and 43.6): how sure a teacher is carries most of what it gives.""",
)
