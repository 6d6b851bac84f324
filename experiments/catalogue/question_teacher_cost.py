"""Question 2 of the paper's readers: the runs of paper_experts, once more."""

import dataclasses

from experiments.catalogue import paper_experts

EXPERIMENT = dataclasses.replace(
    paper_experts.EXPERIMENT,
    title="2. When does kickstarting pay if the teachers' frames count?",
    shows="When does kickstarting pay if the teachers' frames count?",
    charge_teachers=True,
    traces=(),
    paper="",
    finding="",
)
