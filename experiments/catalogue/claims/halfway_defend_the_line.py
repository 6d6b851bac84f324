"""The paper's first claim on doom:defend_the_line."""

from experiments.catalogue.common import halfway

EXPERIMENT = halfway.one_teacher("defend_the_line", 250_000)
