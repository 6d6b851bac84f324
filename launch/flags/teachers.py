"""The absl flags that concern teachers and λ."""

from absl import flags

from kickstarting.config import agent as agent_config
from kickstarting.config import run as config_lib
from kickstarting.config import teachers as teacher_config
from kickstarting.config.teacher_uses import TEACHER_USES
from launch.flags import teacher_map

_DEFAULTS = teacher_config.KickstartingConfig()
_LOSS_DEFAULTS = agent_config.LossConfig()

TEACHERS = flags.DEFINE_list(
    "teachers",
    [],
    "Teachers, comma-separated: a folder with a card (teachers/doom/health_gathering) "
    "or module:factory for all tasks; task=teacher for one task, in place of all other "
    "items; a folder of teachers (teachers/doom): each for the tasks on its card.",
)
TEACHER_FACTORS = flags.DEFINE_list(
    "teacher_factors",
    [],
    "ρ of teachers or of tasks, name=number, comma-separated; 1 for all others. The "
    "weight of a teacher's advice is kickstarting_weight times its ρ.",
)
TEACHER_FACTOR_SCHEDULE = flags.DEFINE_enum(
    "teacher_factor_schedule",
    _DEFAULTS.factor_schedule,
    teacher_config.SCHEDULES,
    "How every ρ falls; return_gap: as the student's return nears that teacher's.",
)
TEACHER_FACTOR_FINAL_SHARE = flags.DEFINE_float(
    "teacher_factor_final_share",
    _DEFAULTS.factor_final_share,
    "Share of itself that a falling ρ reaches at its end; after the end it is 0.",
)
TEACHER_FACTOR_START_FRAMES = flags.DEFINE_integer(
    "teacher_factor_start_frames",
    _DEFAULTS.factor_start_frames,
    "Environment frames up to which every ρ stays at its start.",
)
TEACHER_FACTOR_END_FRAMES = flags.DEFINE_integer(
    "teacher_factor_end_frames",
    _DEFAULTS.factor_end_frames,
    "Environment frames from which every ρ is 0; 0: never.",
)
TEACHER_TRIAL_EPISODES = flags.DEFINE_integer(
    "teacher_trial_episodes",
    _DEFAULTS.trial_episodes,
    "Episodes that a teacher plays before training where λ depends on its return "
    "(return_gap, teacher_weighting=return) and no card gives it; 0: it is refused.",
)
TRUST_CARDS = flags.DEFINE_bool(
    "trust_teacher_cards",
    _DEFAULTS.trust_cards,
    "Believe the returns on teachers' cards; --notrust_teacher_cards measures them.",
)
TEACHER_WEIGHTING = flags.DEFINE_enum(
    "teacher_weighting",
    _DEFAULTS.weighting,
    teacher_config.TEACHER_WEIGHTINGS,
    "Of several teachers of one task: equal keeps their ρ, return multiplies each by "
    "its share of what all of them reach above chance.",
)
ALLOW_MISSING_TEACHERS = flags.DEFINE_bool(
    "allow_missing_teachers",
    _DEFAULTS.allow_missing,
    "Train a task that no teacher covers without one.",
)
TEACHER_USE = flags.DEFINE_enum(
    "teacher_use",
    _DEFAULTS.use,
    sorted(TEACHER_USES),
    "What teachers are for (docs/teacher_uses.md). kickstarting: advice beside the "
    "rewards, with a λ that falls. The rest are baselines. Without rewards and with a "
    "constant λ: distillation (the student acts), behaviour_cloning (the teacher "
    "acts), dagger (the teacher acts less and less). With rewards and without advice: "
    "jump_start (the teacher begins each episode, less and less far), initialise (the "
    "student begins with the teacher's weights).",
)
GUIDED_STEPS = flags.DEFINE_integer(
    "guided_steps",
    _DEFAULTS.guided_steps,
    "jump_start: agent steps that the teacher acts at the start of each episode; they "
    "fall linearly to 0.",
)
GUIDED_END_FRAMES = flags.DEFINE_integer(
    "guided_end_frames",
    None,
    "dagger, jump_start: environment frames from which the student acts alone. "
    "Default: half of total_frames.",
)
DISTILLATION_FORM = flags.DEFINE_enum(
    "distillation_form",
    _LOSS_DEFAULTS.distillation_form,
    agent_config.DISTILLATION_FORMS,
    "How the loss measures the distance from a teacher; cross_entropy is the paper's. "
    "expected_entropy also rewards what the teacher would do next.",
)
DISTILLATION_TEMPERATURE = flags.DEFINE_float(
    "distillation_temperature",
    _LOSS_DEFAULTS.distillation_temperature,
    "Softens both policies in that distance above 1, sharpens them below.",
)
VALUE_DISTILLATION_COST = flags.DEFINE_float(
    "value_distillation_cost",
    _LOSS_DEFAULTS.value_distillation_cost,
    "Above 0 the student also learns what its teachers think each state is worth; "
    "this scales that loss, beside λ. Needs teachers whose cards say what their values "
    "mean: those of launch.export_teacher do.",
)
KICKSTARTING_SCHEDULE = flags.DEFINE_enum(
    "kickstarting_schedule",
    None,
    teacher_config.SCHEDULES,
    "How λ, the weight of the teachers' advice in the loss, falls; return_gap: as the "
    "student's return nears the teacher's. Default: linear for kickstarting; every "
    "other --teacher_use keeps λ constant, or has none, and takes no schedule.",
)
KICKSTARTING_WEIGHT = flags.DEFINE_float(
    "kickstarting_weight", _DEFAULTS.weight, "λ at the start."
)
KICKSTARTING_FINAL_WEIGHT = flags.DEFINE_float(
    "kickstarting_final_weight",
    _DEFAULTS.final_weight,
    "λ that a falling schedule reaches at its end; after the end λ is 0.",
)
KICKSTARTING_START_FRAMES = flags.DEFINE_integer(
    "kickstarting_start_frames",
    _DEFAULTS.start_frames,
    "Environment frames up to which λ stays at its start.",
)
KICKSTARTING_END_FRAMES = flags.DEFINE_integer(
    "kickstarting_end_frames",
    None,
    "Environment frames from which λ is 0 and the teacher is not asked any more; 0: "
    "never. Default: half of total_frames for falling schedules, else 0.",
)
TEACHER_REPLICAS = flags.DEFINE_integer(
    "teacher_replicas",
    _DEFAULTS.replicas,
    "Teacher server nodes. Each holds all teachers; actors ask them in turn, and the "
    "others take over where one is down.",
)
TEACHER_DEADLINE = flags.DEFINE_float(
    "teacher_deadline",
    _DEFAULTS.deadline_seconds,
    "Seconds after which an unroll goes on without its teacher's answer, and its "
    "teacher server is left alone for a while.",
)


def kickstarting_config(
    tasks: list[str], total_frames: int, evolves: bool = False
) -> teacher_config.KickstartingConfig:
    """Builds the configuration of teachers and λ from the parsed flags.

    Args:
      tasks: of the run.
      total_frames: of the run; what falls ends at half of them unless a flag says else.
      evolves: whether evolution lowers λ: no schedule does then, unless a flag says so.

    Raises:
      config_lib.ConfigError: a flag is out of range, or flags contradict each other.
      teacher_files.TeacherError: a card in a folder of teachers cannot be read.
    """
    use = TEACHER_USES[TEACHER_USE.value]
    schedule = KICKSTARTING_SCHEDULE.value or (
        _DEFAULTS.schedule if use.has_schedule and not evolves else "constant"
    )
    falling = schedule in ("linear", "exponential")
    end_frames = KICKSTARTING_END_FRAMES.value
    if end_frames is None:
        end_frames = total_frames // 2 if falling else 0
    guided_end_frames = GUIDED_END_FRAMES.value
    if guided_end_frames is None:
        guided_end_frames = total_frames // 2 if use.hands_over else 0
    return teacher_config.KickstartingConfig(
        teachers=teacher_map.resolve(tasks, TEACHERS.value),
        factors=_factors(TEACHER_FACTORS.value),
        factor_schedule=TEACHER_FACTOR_SCHEDULE.value,
        factor_final_share=TEACHER_FACTOR_FINAL_SHARE.value,
        factor_start_frames=TEACHER_FACTOR_START_FRAMES.value,
        factor_end_frames=TEACHER_FACTOR_END_FRAMES.value,
        weighting=TEACHER_WEIGHTING.value,
        trial_episodes=TEACHER_TRIAL_EPISODES.value,
        trust_cards=TRUST_CARDS.value,
        use=TEACHER_USE.value,
        guided_steps=GUIDED_STEPS.value,
        guided_end_frames=guided_end_frames,
        schedule=schedule,
        weight=KICKSTARTING_WEIGHT.value,
        final_weight=KICKSTARTING_FINAL_WEIGHT.value,
        start_frames=KICKSTARTING_START_FRAMES.value,
        end_frames=end_frames,
        replicas=TEACHER_REPLICAS.value,
        deadline_seconds=TEACHER_DEADLINE.value,
        allow_missing=ALLOW_MISSING_TEACHERS.value,
    )


def _factors(items: list[str]) -> tuple[tuple[str, float], ...]:
    """Reads --teacher_factors."""
    pairs = []
    for item in items:
        name, separator, number = item.rpartition("=")
        try:
            pairs.append((name, float(number)))
        except ValueError:
            separator = ""
        if not separator or not name:
            raise config_lib.ConfigError(
                f"--teacher_factors must be name=number pairs, not {item!r}"
            )
    return tuple(pairs)
