"""One student of four doom levels with the teachers of that time."""

from experiments.catalogue.common import doom
from experiments.experiment import Condition, Experiment
from experiments.training import Teacher

_EACH = (Teacher("teachers/study/doom_published"),)
_OF_ALL = (Teacher("teachers/study/doom_multi_task"),)

EXPERIMENT = Experiment(
    title="Four doom levels, one student",
    shows="Does one teacher for each task beat one teacher of all, and none?",
    tasks=(
        "doom:defend_the_center",
        "doom:defend_the_line",
        "doom:health_gathering",
        "doom:take_cover",
    ),
    total_frames=1_000_000,
    seeds=doom.SEEDS,
    flags=("--popart_per_task",),
    conditions=(
        doom.FROM_SCRATCH,
        Condition("one teacher of all tasks", teachers=_OF_ALL, weaned_share=0.5),
        Condition("one teacher for each task", teachers=_EACH, weaned_share=0.5),
        Condition("one for each task, constant λ", doom.CONSTANT, _EACH),
    ),
    evaluation_episodes=doom.EVALUATION_EPISODES,
    published=True,
    finding="""\
Yes: with one teacher for each task the student is where those from scratch end
after a tenth of their frames, and keeps its lead. One teacher of all tasks, itself
a student from scratch with twice the frames, helps no further than its own level.
**A constant λ ends above the falling one**, which stops gaining where the advice
ends and loses defend_the_center (9.1 against its teacher's 14.1). Students that
keep their advice are at their teachers' level and, on three of four levels, a
little above it; whether they stay there for long, as in the paper's table 2, was
not tried.""",
)
