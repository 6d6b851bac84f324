"""Bad teachers of a level that needs little aim."""

from experiments.catalogue.common import doom

EXPERIMENT = doom.bad_teachers(
    "defend_the_line",
    """\
No: students of bad teachers end at 98 to 100 % of those from scratch. λ is 0 from
the second update on, since a teacher gets no weight unless its trial shows, by two
standard errors, that it is better than chance. That rule is an outcome of this
experiment: at 8d6d44e λ followed the mean of the trial, and one random teacher of
three had been lucky in it. Its student was told to be random with λ = 4, never came
up to the return that its teacher had seemed to have, and ended at 9.53, when chance
let it go after 280,000 to 316,000 of its 400,000 frames (at that revision, `python -m
experiments.bad_teacher_study --tasks=doom:defend_the_line --frames=400000
--kinds=random --seeds=3`).""",
)
