"""The paper's first claim on doom:health_gathering."""

from experiments.catalogue.common import halfway

EXPERIMENT = halfway.one_teacher("health_gathering", 100_000)
