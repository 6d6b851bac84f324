"""Question 9 of the paper's readers: the runs of two other experiments."""

from experiments.catalogue.common import doom
from experiments.experiment import Condition
from experiments.training import Teacher

_LEVEL = "defend_the_line"
_TEACHER = (Teacher(f"teachers/study/doom/{_LEVEL}"),)

EXPERIMENT = doom.on_level(
    _LEVEL,
    title="9. Does the student need to be in the states that it reaches itself?",
    shows="Does the student need to be in the states that it reaches itself?",
    conditions=(
        Condition("student's states", (*doom.CONSTANT, "--noreinforcement"), _TEACHER),
        Condition("teacher's states", ("--teacher_use=behaviour_cloning",), _TEACHER),
    ),
    finding="""\
Not on this level: at equal labels the student that only saw its teacher's states ends
as high (80.4 against 76.6; three seeds, and it is better with a probability of 0.67).
It was scored at the end alone.""",
)
