"""All nine doom levels in one student."""

from experiments.catalogue.common import doom
from experiments.experiment import Condition, Experiment
from experiments.training import Teacher
from kickstarting.environments import suites

EXPERIMENT = Experiment(
    title="Nine doom levels, one student",
    shows="Does one student learn every level that an agent alone learns?",
    tasks=tuple(f"doom:{level}" for level in suites.levels("doom")),
    total_frames=3_000_000,
    seeds=(1,),
    flags=("--popart_per_task",),
    conditions=(
        doom.FROM_SCRATCH,
        Condition(
            "teachers of four levels, constant λ",
            ("--allow_missing_teachers", *doom.CONSTANT),
            (Teacher("teachers/study/doom_published"),),
        ),
    ),
    evaluation_episodes=doom.EVALUATION_EPISODES,
    published=True,
    finding="""\
From scratch no: take_cover is learned (307 halfway) and lost again. With older
teachers of four levels **yes** (one seed): on each of these the student ends at its
teacher's return or above it, and it learns basic on the way, which nobody teaches it.
Of the levels without a teacher, an agent alone learns none in as many frames as each
has here (333,000; one seed, 30 episodes, at 31e7e8d, `python -m launch.train
--tasks=doom:LEVEL --seed=1 --total_frames=333000`): basic -185 ± 38,
health_gathering_supreme 302 ± 13, my_way_home -0.06 ± 0.07, predict_position 0.09 ±
0.07. deadly_corridor was not tried alone; both students leave chance (-30) behind.""",
)
