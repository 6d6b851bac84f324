"""Table 3 and figure 4 of Schmitt et al. 2018: experts, one teacher, none."""

from experiments.catalogue import _xland
from experiments.experiment import Condition

EXPERIMENT = _xland.of_large_students(
    title="Multiple experts, one teacher, from scratch (table 3, figure 4)",
    shows="Do more and larger teachers help a large student more?",
    conditions=(
        Condition("from scratch"),
        Condition(
            "one small teacher",
            teachers=(_xland.multi_task_teacher(_xland.SMALL),),
            weaned_share=0.5,
        ),
        Condition(
            "multiple small experts",
            teachers=_xland.experts(_xland.SMALL),
            weaned_share=0.5,
        ),
        Condition(
            "one large teacher",
            teachers=(_xland.multi_task_teacher(_xland.LARGE),),
            weaned_share=0.5,
        ),
        Condition(
            "multiple large experts",
            teachers=_xland.experts(_xland.LARGE),
            weaned_share=0.5,
        ),
    ),
    traces=("global_weight", "kl_teacher_student"),
    paper="""\
| score at | 5 % of the budget | 10 % | 20 % | 100 % |
|---|---|---|---|---|
| kickstarted by multiple experts | 44.8 | 51.0 | 61.3 | 73.8 |
| from scratch | 24.1 | 31.1 | 37.5 | 51.9 |

Figure 4, from the top: multiple large experts, multiple small, one large teacher, one
small, from scratch.""",
    paper_scores={
        "from scratch": {0.05: 24.1, 0.1: 31.1, 0.2: 37.5, 1.0: 51.9},
        "multiple experts": {0.05: 44.8, 0.1: 51.0, 0.2: 61.3, 1.0: 73.8},
    },
    budget_shares=(0.1, 0.2, 0.5, 1.0),
)
