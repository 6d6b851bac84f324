"""Bad teachers of a level that takes aim."""

from experiments.catalogue.common import doom

EXPERIMENT = doom.bad_teachers(
    "defend_the_center",
    """\
No: students of bad teachers end at 109 to 111 % of those from scratch. λ is 0 from
the second update on, since a teacher gets no weight unless its trial shows, by two
standard errors, that it is better than chance.""",
)
