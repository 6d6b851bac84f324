"""Questions 4 and 5 of the paper's readers."""

from experiments.catalogue.common import doom
from experiments.experiment import Condition
from experiments.training import Teacher

_LEVEL = "defend_the_line"
_TEACHER = (Teacher(f"teachers/study/doom/{_LEVEL}"),)

EXPERIMENT = doom.on_level(
    _LEVEL,
    title="4 and 5. Against copied weights, imitation and jump-start",
    shows="Is kickstarting better than other ways to use the same teacher?",
    conditions=(
        doom.FROM_SCRATCH,
        Condition("kickstarted (linear λ)", teachers=_TEACHER, weaned_share=0.5),
        *(
            Condition(use.replace("_", " "), (f"--teacher_use={use}",), _TEACHER)
            for use in ("initialise", "jump_start", "dagger", "behaviour_cloning")
        ),
    ),
    budget_shares=(0.25, 0.5, 1.0),
    finding="""\
On this level it is the soonest of those that learn, but not the best at the end: copied
weights begin near the teacher's score, fall to 34.5 and rise again, and they, DAgger
and cloning end at 79 to 81, kickstarting with a falling λ at 72 (60 to 81). Jump-start
does not beat from scratch. Before their end DAgger and jump-start have no score of
their own, since the teacher acts in every episode; under cloning it always does.
One easy level, whose teacher hardly looks: imitation alone is enough there.""",
)
