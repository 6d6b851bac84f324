"""Question 1 of the paper's readers."""

from experiments.catalogue.common import xland
from experiments.experiment import Condition
from experiments.training import Teacher

_ADVERSARY = Teacher("experiments.bad_teachers:adversary_on_grids")
_RETURN_GAP = ("--kickstarting_schedule=return_gap",)

EXPERIMENT = xland.of_large_students(
    title="1. How good must the teacher be?",
    shows="How good must the teacher be?",
    conditions=(
        Condition("from scratch"),
        *(
            xland.kickstarted(
                f"teacher of {share:.0%} of the frames",
                xland.multi_task_teacher(xland.SMALL, share),
            )
            for share in (0.1, 0.25, 0.5, 1.0)
        ),
        xland.kickstarted(
            "random teacher", Teacher("experiments.bad_teachers:random_on_grids")
        ),
        xland.kickstarted("adversary", _ADVERSARY),
        Condition("adversary, λ by the return gap", _RETURN_GAP, (_ADVERSARY,)),
        Condition(
            "teacher of 100% of the frames, λ by the return gap",
            _RETURN_GAP,
            (xland.multi_task_teacher(xland.SMALL),),
        ),
    ),
    budget_shares=(0.1, 0.5, 1.0),
    finding="""\
Good. Teachers stopped at 10, 25 and 50 % of their frames lead to 26.1, 42.4 and 44.2 at
the end, one that knows nothing to 42.3, and from scratch to 31.8: what they give is
regularisation (question 7), and the first one not even that. The one of all frames,
which is at 47.2 itself, leads to 68.5, and to 44.7 at a tenth of the budget, where no
other is above 17.5.

An adversary ruins its student under that schedule: none of five has recovered by the
end (-7.8), though λ is 0 from a fifth of the frames on. A λ that follows the return gap
has let it go in every task by 5,000 frames, and its students end at 32.2, as from
scratch. Of a good teacher that λ makes nearly as much as the schedule that was chosen
by hand: 64.5, and 39.8 at a tenth. (That teacher was trained again, by the same command
and seed, and is at 45.0 where the one of the schedule was at 47.2.)""",
)
