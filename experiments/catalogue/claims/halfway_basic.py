"""The paper's first claim on doom:basic."""

from experiments.catalogue.common import halfway

EXPERIMENT = halfway.one_teacher(
    "basic",
    110_000,
    """\
Partly. The student whose advice fades ends above its teacher (79.0 ± 1.9 over five
seeds, where the teacher has 54.9 ± 5.1), above a constant λ (57.9 ± 5.6) and above
distillation alone (48.7 ± 7.2): **advice that stays keeps a student at its teacher**.
Nothing falls when the advice ends, at 44,000 frames. But it is at its teacher's return
only **1.36 times sooner** than from scratch, not twice (37,000 frames in the median for
50,000), and ends where that does (79.0 ± 1.1): 82 is all that there is here
([tuning.md](tuning.md)), and an agent alone has most of it within the budget.""",
)
