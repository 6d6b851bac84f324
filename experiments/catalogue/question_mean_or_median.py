"""Question 6 of the paper's readers: the runs of paper_experts once more."""

import dataclasses

from experiments.catalogue import paper_experts

EXPERIMENT = dataclasses.replace(
    paper_experts.EXPERIMENT,
    title="6. Does the ranking change with the median in the mean's place?",
    shows="Does the ranking of methods change with the median in the mean's place?",
    budget_shares=(1.0,),
    traces=(),
    paper="",
    finding="",
)
