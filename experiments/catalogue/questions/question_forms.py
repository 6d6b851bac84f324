"""Question 8 of the paper's readers."""

from experiments.catalogue.common import doom
from experiments.experiment import Condition
from experiments.training import Teacher

_LEVEL = "defend_the_line"
_TEACHER = (Teacher(f"teachers/study/doom/{_LEVEL}"),)

EXPERIMENT = doom.on_level(
    _LEVEL,
    title="8. Does cross-entropy push the logits of actions apart?",
    shows="Does cross-entropy push the logits of actions apart more than other forms?",
    conditions=tuple(
        Condition(
            form.replace("_", " "),
            (f"--distillation_form={form}", *doom.CONSTANT),
            _TEACHER,
        )
        for form in ("cross_entropy", "reverse_kl", "jensen_shannon")
    ),
    budget_shares=(0.25, 0.5, 1.0),
    traces=("logit_margin", "kl_teacher_student"),
    finding="""\
Not more than the others: with a constant λ the margins of all three rise to about 2.3
within 50,000 frames and stay there. In this one level the forms end alike, and
Jensen-Shannon gets there later.""",
)
