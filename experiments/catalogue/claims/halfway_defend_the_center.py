"""The paper's first claim on doom:defend_the_center."""

from experiments.catalogue.common import halfway

EXPERIMENT = halfway.one_teacher("defend_the_center", 300_000)
