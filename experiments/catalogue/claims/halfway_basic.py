"""The paper's first claim on doom:basic."""

from experiments.catalogue.common import halfway

EXPERIMENT = halfway.one_teacher("basic", 110_000)
