"""The ways to use a teacher: kickstarting, and the baselines that it is held against.

What sets them apart is in this table alone; whoever needs to know asks for one of its
fields. docs/teacher_uses.md says when to prefer which.
"""

from typing import NamedTuple


class TeacherUse(NamedTuple):
    """What a teacher is used for.

    Attributes:
      reinforces: whether the student learns from rewards.
      labels: whether teachers are asked what they would do, for the loss that λ weighs.
      acts: whether a teacher acts in the student's place (kickstarting.guides).
      has_schedule: whether λ may follow a schedule. Elsewhere it is constant or unused.
      hands_over: whether a teacher that acts does so less and less, up to
        guided_end_frames.
      initialises: whether the student begins with the teacher's weights.
    """

    reinforces: bool
    labels: bool
    acts: bool = False
    has_schedule: bool = False
    hands_over: bool = False
    initialises: bool = False


TEACHER_USES = {
    # Schmitt et al. 2018, https://arxiv.org/abs/1803.03835.
    "kickstarting": TeacherUse(reinforces=True, labels=True, has_schedule=True),
    # Czarnecki et al. 2019, https://arxiv.org/abs/1902.02186: the student acts.
    "distillation": TeacherUse(reinforces=False, labels=True),
    # Rusu et al. 2015, https://arxiv.org/abs/1511.06295: the teacher acts.
    "behaviour_cloning": TeacherUse(reinforces=False, labels=True, acts=True),
    # Ross et al. 2011, https://arxiv.org/abs/1011.0686.
    "dagger": TeacherUse(reinforces=False, labels=True, acts=True, hands_over=True),
    # Uchendu et al. 2022, https://arxiv.org/abs/2204.02372.
    "jump_start": TeacherUse(reinforces=True, labels=False, acts=True, hands_over=True),
    "initialise": TeacherUse(reinforces=True, labels=False, initialises=True),
    # Wołczyk et al. 2024, https://arxiv.org/abs/2402.02868: the advice keeps it from
    # forgetting what it began with.
    "fine_tuning": TeacherUse(
        reinforces=True, labels=True, has_schedule=True, initialises=True
    ),
}
