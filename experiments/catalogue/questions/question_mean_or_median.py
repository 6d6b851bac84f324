"""Question 6 of the paper's readers: the runs of paper_experts once more."""

import dataclasses

from experiments.catalogue.paper import paper_experts

EXPERIMENT = dataclasses.replace(
    paper_experts.EXPERIMENT,
    title="6. Does the ranking change with the median in the mean's place?",
    shows="Does the ranking of methods change with the median in the mean's place?",
    budget_shares=(1.0,),
    levels=(),
    traces=(),
    paper="",
    paper_scores={},
    finding="""\
No: mean, median and IQM over the eight tasks put the five conditions in one order, in
which small and large experts are as good as equal. The median makes the distances
larger, since FourRooms, which nobody masters, does not count in it: experts' students
have 96 by the median and 87 by the mean.""",
)
