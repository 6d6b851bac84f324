"""The part of a run's configuration that concerns teachers and λ."""

import dataclasses
import math

from kickstarting.config.checks import (
    require,
    require_choice,
    require_not_negative,
    require_positive,
)
from kickstarting.config.teacher_uses import TEACHER_USES, TeacherUse

SCHEDULES = ("constant", "linear", "exponential", "return_gap")
TEACHER_WEIGHTINGS = ("equal", "return")


@dataclasses.dataclass(frozen=True)
class KickstartingConfig:
    """Teachers and λ_i = α·ρ_i (Schmitt et al. 2018, section 3.2).

    Attributes:
      teachers: (task, teacher) pairs; a teacher is a folder or 'module:factory'.
      use: what they are used for, a key of TEACHER_USES.
      guided_steps: jump_start: agent steps from an episode's start that the teacher
        acts at first.
      guided_end_frames: dagger and jump_start: environment frames at which the student
        acts alone. The teacher's share of the steps (dagger, from 1) or of
        guided_steps falls linearly until then.
      schedule: how α falls: 'constant', 'linear', 'exponential', or 'return_gap'
        (λ0·max(1 − G_student/G_teacher, 0), Agarwal et al. 2022).
      weight: α at the start. Against advantages of variance 1 the paper's 1 is weak
        (docs/tuning.md).
      final_weight: α that the linear and exponential schedules reach at end_frames;
        exponential needs it above 0.
      start_frames: environment frames up to which α stays at `weight`.
      end_frames: environment frames at which the schedule ends; from then on α is
        0, the teachers are not asked any more. 0 means 'never' for constant and
        return_gap, and is refused for the falling schedules.
      factors: (name, ρ) pairs: ρ_i at the start, by the name of a teacher or a task; 1
        for those that are not named.
      factor_schedule: how every ρ_i falls, as `schedule`.
      factor_final_share: of ρ_i at the start, what is left at factor_end_frames.
      factor_start_frames: as start_frames.
      factor_end_frames: as end_frames.
      weighting: of several teachers of one task: 'equal' keeps their ρ_i, 'return'
        multiplies each by its share of the returns that all of them reach above
        chance.
      trial_episodes: that a teacher plays before training, where λ depends on its
        return and its card does not give it, at least 2; 0 refuses such a teacher.
      trust_cards: whether what a card says of a teacher's return is believed; else
        it is measured.
      replicas: teacher server nodes.
      deadline_seconds: an unroll goes on without its teacher after this long.
      allow_missing: whether a task without a teacher trains without one.
    """

    teachers: tuple[tuple[str, str], ...] = ()
    use: str = "kickstarting"
    guided_steps: int = 100
    guided_end_frames: int = 0
    schedule: str = "linear"
    weight: float = 4.0
    final_weight: float = 0.0
    start_frames: int = 0
    end_frames: int = 0
    factors: tuple[tuple[str, float], ...] = ()
    factor_schedule: str = "constant"
    factor_final_share: float = 0.0
    factor_start_frames: int = 0
    factor_end_frames: int = 0
    weighting: str = "equal"
    trial_episodes: int = 20
    trust_cards: bool = True
    replicas: int = 1
    deadline_seconds: float = 10.0
    allow_missing: bool = False

    def __post_init__(self) -> None:
        require_choice(self, "use", tuple(TEACHER_USES))
        require_choice(self, "schedule", SCHEDULES)
        require_choice(self, "factor_schedule", SCHEDULES)
        require_choice(self, "weighting", TEACHER_WEIGHTINGS)
        require_not_negative(
            self,
            "weight",
            "final_weight",
            "start_frames",
            "end_frames",
            "factor_start_frames",
            "factor_end_frames",
            "trial_episodes",
        )
        require(
            0 <= self.factor_final_share <= 1,
            f"factor_final_share must be in [0, 1], not {self.factor_final_share}",
        )
        for name, factor in self.factors:
            require(
                0 <= factor < math.inf,
                f"ρ of {name} must be finite and not negative, but is {factor}",
            )
        require(
            self.trial_episodes != 1,
            "trial_episodes must not be 1: one episode tells nothing of its error",
        )
        self._check_use(TEACHER_USES[self.use])
        require_positive(self, "replicas", "deadline_seconds")
        require(
            self.replicas <= 1000, f"replicas must be at most 1000, not {self.replicas}"
        )
        if not self.teachers:
            return
        for schedule, start, end in (
            (self.schedule, self.start_frames, self.end_frames),
            (self.factor_schedule, self.factor_start_frames, self.factor_end_frames),
        ):
            require(
                schedule not in ("linear", "exponential") or end > start,
                f"the {schedule} schedule needs end_frames above start_frames "
                f"({end} is not above {start})",
            )
        require(
            self.factor_schedule != "exponential" or self.factor_final_share > 0,
            "the exponential schedule of ρ needs a factor_final_share above 0",
        )
        named = {name for pair in self.teachers for name in pair}
        for name, _ in self.factors:
            require(
                name in named, f"ρ is given for {name}, which is no teacher and no task"
            )
        require(
            self.schedule != "exponential" or 0 < self.final_weight <= self.weight,
            "the exponential schedule needs 0 < final_weight <= weight",
        )

    def factor_of(self, task: str, teacher: str) -> float:
        """Returns ρ_i at the start: the teacher's, or else the task's, or else 1."""
        factors = dict(self.factors)
        return factors.get(teacher, factors.get(task, 1.0))

    @property
    def needs_returns(self) -> bool:
        """Whether λ depends on how well each teacher does."""
        follows_gap = "return_gap" in (self.schedule, self.factor_schedule)
        return bool(self.teachers) and (follows_gap or self.weighting == "return")

    def _check_use(self, use: TeacherUse) -> None:
        require_positive(self, "guided_steps")
        require_not_negative(self, "guided_end_frames")
        require(
            self.use == "kickstarting" or bool(self.teachers),
            f"the teacher use {self.use} needs a teacher",
        )
        require(
            use.has_schedule
            or (
                self.schedule == self.factor_schedule == "constant"
                and not self.end_frames
                and not self.factor_end_frames
            ),
            f"the teacher use {self.use} has no schedule of λ: leave it out",
        )
        require(
            not use.labels or use.reinforces or self.weight > 0,
            f"the teacher use {self.use} learns from the teacher alone: λ must be "
            "above 0",
        )
        require(
            not use.hands_over or self.guided_end_frames > 0,
            f"the teacher use {self.use} needs guided_end_frames above 0",
        )
        names = sorted({name for _, name in self.teachers})
        require(
            not use.initialises or len(names) == 1,
            f"a student begins with the weights of one teacher, not of {len(names)}",
        )
