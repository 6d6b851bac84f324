"""The part of a run's configuration that concerns teachers and λ."""

import dataclasses
import functools
import math

from kickstarting.config import settings
from kickstarting.config.checks import require
from kickstarting.config.groups import TEACHERS
from kickstarting.config.teacher_uses import TEACHER_USES, TeacherUse

FACTOR_SCHEDULES = ("constant", "linear", "exponential", "return_gap")
SCHEDULES = (*FACTOR_SCHEDULES, "piecewise")
TEACHER_WEIGHTINGS = ("equal", "return")


@dataclasses.dataclass(frozen=True)
class KickstartingConfig:
    """Teachers and λ_i = α·ρ_i (Schmitt et al. 2018, section 4.2).

    `teachers` are (task, teacher) pairs, `factors` (name, ρ_i) pairs by the name of a
    teacher or a task; λ in the settings' words is α, which weighs all teachers.
    """

    teachers: tuple[tuple[str, str], ...] = TEACHERS.setting((), first=True).help("""
        Teachers, comma-separated: a folder with a card (teachers/doom/health_gathering)
        or module:factory for all tasks; task=teacher for one task, in place of all
        other items; a folder of teachers (teachers/doom): each for the tasks on its
        card.""")
    use: str = TEACHERS.setting(
        "kickstarting", tuple(sorted(TEACHER_USES)), "teacher_*"
    ).help("""
        What teachers are for (docs/teacher_uses.md). kickstarting: advice beside the
        rewards, with a λ that falls; fine_tuning: the same, and the student begins with
        the teacher's weights. The rest are baselines. Without rewards and with a
        constant λ: distillation (the student acts), behaviour_cloning (the teacher
        acts), dagger (the teacher acts less and less). With rewards and without advice:
        jump_start (the teacher begins each episode, less and less far), initialise (the
        student begins with the teacher's weights).""")
    guided_steps: int = TEACHERS.setting(100, "[1, inf)").help("""
        jump_start: agent steps that the teacher acts at the start of each episode; they
        fall linearly to 0.""")
    guided_end_frames: int = TEACHERS.setting(0, "[0, inf)").help("""
        dagger, jump_start: environment frames from which the student acts alone. The
        teacher's share of the steps (dagger, from 1) or of guided_steps falls linearly
        until then. Default: half of total_frames.""")
    # return_gap is λ0·max(1 − G_student/G_teacher, 0), Agarwal et al. 2022.
    schedule: str = TEACHERS.setting("linear", SCHEDULES, "kickstarting_*").help("""
        How λ, the weight of the teachers' advice in the loss, falls; return_gap: as the
        student's return nears the teacher's; piecewise: as kickstarting_points say.
        Every other teacher_use than kickstarting keeps λ constant, or has none, and
        takes no schedule. Default: linear for kickstarting, constant for a population
        and every other teacher_use.""")
    points: str = TEACHERS.setting("", flag="kickstarting_*").help("""
        piecewise: λ at numbers of environment frames, frames:λ, comma-separated, such
        as 0:4,200000:1,400000:0; straight lines between them, and the last λ from there
        on.""")
    weight: float = TEACHERS.setting(
        4.0, "[0, inf)", "kickstarting_*", first=True
    ).help("""
        λ at the start. Against advantages of variance 1 the paper's 1 is weak
        (docs/tuning_rounds.md).""")
    final_weight: float = TEACHERS.setting(0.0, "[0, inf)", "kickstarting_*").help("""
        λ that a falling schedule reaches at its end; after the end λ is 0.""")
    start_frames: int = TEACHERS.setting(0, "[0, inf)", "kickstarting_*").help("""
        Environment frames up to which λ stays at its start.""")
    end_frames: int = TEACHERS.setting(0, "[0, inf)", "kickstarting_*").help("""
        Environment frames from which λ is 0 and the teacher is not asked any more; 0:
        never, which a falling schedule cannot have. Default: half of total_frames for
        falling schedules, else 0.""")
    # Kickstarting in NetHack keeps a third of it, LLM4Teach a tenth.
    floor: float = TEACHERS.setting(0.0, "[0, 1]", "kickstarting_*").help("""
        Share of its start below which λ does not fall, not even after its end; the
        teacher is then asked to the end of the run.""")
    factors: tuple[tuple[str, float], ...] = TEACHERS.setting(
        (), flag="teacher_*"
    ).help("""
        ρ of teachers or of tasks, name=number, comma-separated; 1 for all others. The
        weight of a teacher's advice is kickstarting_weight times its ρ.""")
    factor_schedule: str = TEACHERS.setting(
        "constant", FACTOR_SCHEDULES, "teacher_*"
    ).help("""
        How every ρ falls; return_gap: as the student's return nears that teacher's.""")
    factor_final_share: float = TEACHERS.setting(0.0, "[0, 1]", "teacher_*").help("""
        Share of itself that a falling ρ reaches at its end; after the end it is 0.""")
    factor_start_frames: int = TEACHERS.setting(0, "[0, inf)", "teacher_*").help("""
        Environment frames up to which every ρ stays at its start.""")
    factor_end_frames: int = TEACHERS.setting(0, "[0, inf)", "teacher_*").help("""
        Environment frames from which every ρ is 0; 0: never.""")
    weighting: str = TEACHERS.setting("equal", TEACHER_WEIGHTINGS, "teacher_*").help("""
        Of several teachers of one task: equal keeps their ρ, return multiplies each by
        its share of what all of them reach above chance.""")
    # One episode tells nothing of its error.
    trial_episodes: int = TEACHERS.setting(20, "0 or [2, inf)", "teacher_*").help("""
        Episodes that a teacher plays before training where λ depends on its return
        (return_gap, teacher_weighting=return) and no card gives it; 0: it is
        refused.""")
    trust_cards: bool = TEACHERS.setting(True, flag="trust_teacher_cards").help("""
        Believe the returns on teachers' cards; --notrust_teacher_cards measures
        them.""")
    replicas: int = TEACHERS.setting(1, "[1, 1000]", "teacher_*").help("""
        Teacher server nodes. Each holds all teachers; actors ask them in turn, and the
        others take over where one is down.""")
    deadline_seconds: float = TEACHERS.setting(
        10.0, "(0, inf)", "teacher_deadline"
    ).help("""
        Seconds after which an unroll goes on without its teacher's answer, and its
        teacher server is left alone for a while.""")
    allow_missing: bool = TEACHERS.setting(False, flag="*_teachers").help("""
        Train a task that no teacher covers without one.""")

    def __post_init__(self) -> None:
        settings.check(self)
        for name, factor in self.factors:
            require(
                0 <= factor < math.inf,
                f"teacher_factors: ρ of {name} must be at least 0 and finite, not "
                f"{factor}",
            )
        self._check_use(TEACHER_USES[self.use])
        require(
            (self.schedule == "piecewise") == bool(self.curve),
            "kickstarting_schedule=piecewise and kickstarting_points need each other",
        )
        if not self.teachers:
            return
        for flag, schedule, start, end in (
            ("kickstarting", self.schedule, self.start_frames, self.end_frames),
            (
                "teacher_factor",
                self.factor_schedule,
                self.factor_start_frames,
                self.factor_end_frames,
            ),
        ):
            require(
                schedule not in ("linear", "exponential") or end > start,
                f"{flag}_schedule={schedule} needs {flag}_end_frames above "
                f"{flag}_start_frames ({end} is not above {start})",
            )
        require(
            self.factor_schedule != "exponential" or self.factor_final_share > 0,
            "teacher_factor_schedule=exponential needs a teacher_factor_final_share "
            "above 0",
        )
        named = {name for pair in self.teachers for name in pair}
        for name, _ in self.factors:
            require(
                name in named,
                f"teacher_factors names {name}, which is no teacher and no task",
            )
        require(
            self.schedule != "exponential" or 0 < self.final_weight <= self.weight,
            "kickstarting_schedule=exponential needs a kickstarting_final_weight above "
            "0 and at most kickstarting_weight",
        )

    def factor_of(self, task: str, teacher: str) -> float:
        """Returns ρ_i at the start: the teacher's, or else the task's, or else 1."""
        factors = dict(self.factors)
        return factors.get(teacher, factors.get(task, 1.0))

    @functools.cached_property
    def curve(self) -> tuple[tuple[float, float], ...]:
        """What `points` says: frames, rising, and λ there.

        Raises:
          ConfigError: it says something else.
        """
        pairs = []
        for item in filter(None, self.points.split(",")):
            frames, _, weight = item.partition(":")
            try:
                pairs.append((float(frames), float(weight)))
            except ValueError:
                pairs.append((math.nan, math.nan))
        frames_of = [frames for frames, _ in pairs]
        require(
            all(0 <= number < math.inf for pair in pairs for number in pair)
            and frames_of == sorted(set(frames_of)),
            "kickstarting_points must be frames:λ, comma-separated, with frames that "
            f"rise and a λ of at least 0, such as 0:4,200000:1,400000:0, not "
            f"{self.points!r}",
        )
        return tuple(pairs)

    @property
    def needs_returns(self) -> bool:
        """Whether λ depends on how well each teacher does."""
        follows_gap = "return_gap" in (self.schedule, self.factor_schedule)
        return bool(self.teachers) and (follows_gap or self.weighting == "return")

    def _check_use(self, use: TeacherUse) -> None:
        require(
            self.use == "kickstarting" or bool(self.teachers),
            f"teacher_use={self.use} needs a teacher",
        )
        require(
            use.has_schedule
            or (
                self.schedule == self.factor_schedule == "constant"
                and not self.end_frames
                and not self.factor_end_frames
            ),
            f"teacher_use={self.use} has no schedule of λ: leave out "
            "kickstarting_schedule, kickstarting_end_frames, teacher_factor_schedule "
            "and teacher_factor_end_frames",
        )
        require(
            not use.labels or use.reinforces or self.weight > 0,
            f"teacher_use={self.use} learns from the teacher alone: "
            "kickstarting_weight must be above 0",
        )
        require(
            not use.hands_over or self.guided_end_frames > 0,
            f"teacher_use={self.use} needs guided_end_frames above 0",
        )
        names = sorted({name for _, name in self.teachers})
        require(
            not use.initialises or len(names) == 1,
            f"a student begins with the weights of one teacher, not of {len(names)}",
        )
