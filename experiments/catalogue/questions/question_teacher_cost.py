"""Question 2 of the paper's readers: the runs of paper_experts, once more."""

import dataclasses

from experiments.catalogue.paper import paper_experts

EXPERIMENT = dataclasses.replace(
    paper_experts.EXPERIMENT,
    title="2. When does kickstarting pay if the teachers' frames count?",
    shows="When does kickstarting pay if the teachers' frames count?",
    charge_teachers=True,
    levels=(),
    traces=(),
    paper="",
    paper_scores={},
    finding="""\
Not within these budgets, at the first student: one teacher cost as many frames as a
student has, so that its student is as late as from scratch (0.97 and 0.96 times as
soon), and eight experts cost 13 students. But from scratch does not come near what most
of their students reach; and experts are paid for once, while each student after the
first saves frames.

The same curves without the teachers' frames:

![Without the teachers' frames](pictures/paper_experts.png)""",
)
