"""The one frozen configuration of a run; entry points build it and pass it on.

Every check of a value that can be made without touching the machine is made here, in
`__post_init__`; each raises ConfigError with one line.
"""

import dataclasses
import math
from typing import Any

TORSOS = ("auto", "shallow", "deep", "grid")
OPTIMISERS = ("adam", "rmsprop")
REWARD_CLIPPINGS = ("none", "abs_one", "soft_asymmetric")
INFERENCE_DEVICES = ("cpu", "accelerator")
DISTILLATION_FORMS = ("cross_entropy", "reverse_kl", "jensen_shannon")
SCHEDULES = ("constant", "linear", "exponential", "return_gap")
TEACHER_WEIGHTINGS = ("equal", "return")
LAB_ACTION_SETS = ("default", "extended")
MAX_LEVEL_SEED = 2**31 - 1
MAX_ENVIRONMENTS = 4096

_PAPER_SCORE_WINDOW_FRAMES = 30_000_000


class ConfigError(ValueError):
    """A configuration that cannot be run; its message is one line."""


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ConfigError(message)


def _require_positive(config: Any, *names: str) -> None:
    for name in names:
        value = getattr(config, name)
        _require(0 < value < math.inf, f"{name} must be above 0, not {value}")


def _require_not_negative(config: Any, *names: str) -> None:
    for name in names:
        value = getattr(config, name)
        _require(value >= 0, f"{name} must not be negative, but is {value}")
        _require(value < math.inf, f"{name} must be finite, but is {value}")


def _require_choice(config: Any, name: str, choices: tuple[str, ...]) -> None:
    value = getattr(config, name)
    _require(value in choices, f"{name} is {value!r}, but must be one of {choices}")


@dataclasses.dataclass(frozen=True)
class NetworkConfig:
    """The student's network.

    Attributes:
      torso: 'shallow' and 'deep' are IMPALA's (Espeholt et al. 2018, figure 3); 'grid'
        is for small grid observations; 'auto' picks grid or shallow by frame size.
      core_size: units of the LSTM core.
      num_values: of the critic: 1, or one for each task, whose returns and advantages
        are then normalised by their own statistics (Hessel et al. 2018, multi-task
        PopArt, https://arxiv.org/abs/1809.04474). The policy is not told the task.
      language: whether instructions are read, where the task has any; without, the
        network has no language core and no parameters for it.
    """

    torso: str = "auto"
    core_size: int = 256
    num_values: int = 1
    language: bool = True

    def __post_init__(self) -> None:
        _require_choice(self, "torso", TORSOS)
        _require_positive(self, "core_size", "num_values")
        _require(
            self.core_size <= 16_384,
            f"core_size must be at most 16384, not {self.core_size}",
        )
        _require(
            self.num_values <= 1000,
            f"num_values must be at most 1000, not {self.num_values}",
        )


@dataclasses.dataclass(frozen=True)
class LossConfig:
    """V-trace actor-critic (Espeholt et al. 2018), summed over time and batch.

    Attributes:
      discount: γ.
      vtrace_lambda: λ of V-trace's targets and advantages (Espeholt et al. 2018,
        remark 2); 1 is IMPALA's, less trades variance for bias.
      baseline_cost: scale of the baseline loss.
      entropy_cost: scale of the entropy bonus at the start.
      final_entropy_share: what is left of entropy_cost at total_frames; it falls
        geometrically. 1 keeps it.
      policy_clip: a step leaves the policy gradient once its action's probability has
        moved by this share, the way its advantage says, since it was acted (PPO's
        clipping, for unrolls that are some updates old); 0: never.
      value_normalisation: whether the critic learns normalised returns and advantages
        are divided by the returns' scale (kickstarting.popart).
      advantage_normalisation: whether advantages are shifted and scaled by their
        running mean and deviation (kickstarting.advantages), so that entropy_cost and
        λ mean the same whatever the rewards.
      reward_clipping: 'none', 'abs_one' ([-1, 1]) or 'soft_asymmetric' (optimistic
        asymmetric clipping as in IMPALA's code).
      reinforcement: False leaves out the policy gradient, baseline and entropy: the
        student is only distilled.
      distillation_form: how far the student is from its teachers
        (kickstarting.distillation.loss).
      distillation_temperature: τ of both policies in it.
    """

    discount: float = 0.99
    vtrace_lambda: float = 0.95
    baseline_cost: float = 0.5
    entropy_cost: float = 0.013
    final_entropy_share: float = 1.0
    policy_clip: float = 0.2
    value_normalisation: bool = True
    advantage_normalisation: bool = True
    reward_clipping: str = "abs_one"
    reinforcement: bool = True
    distillation_form: str = "cross_entropy"
    distillation_temperature: float = 1.0

    def __post_init__(self) -> None:
        _require(
            0 <= self.discount <= 1, f"discount must be in [0, 1], not {self.discount}"
        )
        _require(
            0 <= self.vtrace_lambda <= 1,
            f"vtrace_lambda must be in [0, 1], not {self.vtrace_lambda}",
        )
        _require_not_negative(self, "baseline_cost", "entropy_cost", "policy_clip")
        _require(
            0 < self.final_entropy_share <= 1,
            f"final_entropy_share must be in (0, 1], not {self.final_entropy_share}",
        )
        _require_choice(self, "reward_clipping", REWARD_CLIPPINGS)
        _require_choice(self, "distillation_form", DISTILLATION_FORMS)
        _require(
            0.01 <= self.distillation_temperature <= 100,
            "distillation_temperature must be in 0.01..100, not "
            f"{self.distillation_temperature}",
        )


@dataclasses.dataclass(frozen=True)
class OptimiserConfig:
    """The optimiser; the learning rate falls linearly to 0 over the run.

    Attributes:
      name: 'adam', or 'rmsprop' as IMPALA's TensorFlow code has it (ε inside the root,
        mean square starts at 1).
      learning_rate: at the start.
      epsilon: Adam's or RMSProp's ε. 0 means the optimiser's own default.
      decay: RMSProp's decay.
      momentum: RMSProp's momentum.
      max_gradient_norm: clips the gradient's global norm; 0 turns clipping off. Half
        of the batches or more exceed the default, so that a rare large error does not
        throw the network off.
      anneal: whether the learning rate falls to 0 at total_frames.
    """

    name: str = "adam"
    learning_rate: float = 5e-4
    epsilon: float = 0.0
    decay: float = 0.99
    momentum: float = 0.0
    max_gradient_norm: float = 400.0
    anneal: bool = True

    def __post_init__(self) -> None:
        _require_choice(self, "name", OPTIMISERS)
        _require_positive(self, "learning_rate")
        _require(
            self.learning_rate <= 1,
            f"learning_rate must be at most 1, not {self.learning_rate}",
        )
        _require_not_negative(self, "epsilon", "momentum", "max_gradient_norm")
        _require(0 <= self.decay < 1, f"decay must be in [0, 1), not {self.decay}")

    @property
    def resolved_epsilon(self) -> float:
        """ε in force: facts' IMPALA value 0.1 for RMSProp on sums, 1e-7 for Adam."""
        return self.epsilon or {"adam": 1e-7, "rmsprop": 0.1}[self.name]


@dataclasses.dataclass(frozen=True)
class KickstartingConfig:
    """Teachers and λ_i = α·ρ_i (Schmitt et al. 2018, section 3.2).

    Attributes:
      teachers: (task, teacher) pairs; a teacher is a folder or 'module:factory'.
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
        return and its card does not give it; 0 refuses such a teacher.
      trust_cards: whether what a card says of a teacher's return is believed; else
        it is measured.
      replicas: teacher server nodes.
      deadline_seconds: an unroll goes on without its teacher after this long.
      allow_missing: whether a task without a teacher trains without one.
    """

    teachers: tuple[tuple[str, str], ...] = ()
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
        _require_choice(self, "schedule", SCHEDULES)
        _require_choice(self, "factor_schedule", SCHEDULES)
        _require_choice(self, "weighting", TEACHER_WEIGHTINGS)
        _require_not_negative(
            self,
            "weight",
            "final_weight",
            "start_frames",
            "end_frames",
            "factor_start_frames",
            "factor_end_frames",
            "trial_episodes",
        )
        _require(
            0 <= self.factor_final_share <= 1,
            f"factor_final_share must be in [0, 1], not {self.factor_final_share}",
        )
        for name, factor in self.factors:
            _require(
                0 <= factor < math.inf,
                f"ρ of {name} must be finite and not negative, but is {factor}",
            )
        _require_positive(self, "replicas", "deadline_seconds")
        _require(
            self.replicas <= 1000, f"replicas must be at most 1000, not {self.replicas}"
        )
        if not self.teachers:
            return
        for schedule, start, end in (
            (self.schedule, self.start_frames, self.end_frames),
            (self.factor_schedule, self.factor_start_frames, self.factor_end_frames),
        ):
            _require(
                schedule not in ("linear", "exponential") or end > start,
                f"the {schedule} schedule needs end_frames above start_frames "
                f"({end} is not above {start})",
            )
        _require(
            self.factor_schedule != "exponential" or self.factor_final_share > 0,
            "the exponential schedule of ρ needs a factor_final_share above 0",
        )
        named = {name for pair in self.teachers for name in pair}
        for name, _ in self.factors:
            _require(
                name in named, f"ρ is given for {name}, which is no teacher and no task"
            )
        _require(
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


@dataclasses.dataclass(frozen=True)
class CheckpointConfig:
    """When checkpoints are written and which are kept.

    Attributes:
      period_minutes: minutes between two checkpoints; one is always written at the end.
      keep: how many of the newest are kept.
      resume: whether a run goes on from the newest sound checkpoint of its folder.
    """

    period_minutes: float = 5.0
    keep: int = 3
    resume: bool = True

    def __post_init__(self) -> None:
        _require_positive(self, "period_minutes", "keep")


@dataclasses.dataclass(frozen=True)
class LabConfig:
    """What concerns levels of DeepMind Lab alone.

    Attributes:
      action_set: 'default' is IMPALA's nine actions, 'extended' fifteen, with two
        speeds of turning and with looking up and down.
      level_cache: folder of compiled maps, shared by all actors; empty: none.
      level_cache_gigabytes: size at which the least recently used maps are evicted.
      dataset_path: folder of images for the psychlab levels that show some, or 'dummy'.
      first_level_seed: episodes of training draw their seeds from this one on.
      last_level_seed: and up to this one; a narrow range keeps the maps few, so that
        all are in the cache.
    """

    action_set: str = "default"
    level_cache: str = "~/.cache/kickstarting/dmlab_levels"
    level_cache_gigabytes: float = 20.0
    dataset_path: str = ""
    first_level_seed: int = 0
    last_level_seed: int = MAX_LEVEL_SEED

    def __post_init__(self) -> None:
        _require_choice(self, "action_set", LAB_ACTION_SETS)
        _require_positive(self, "level_cache_gigabytes")
        _require(
            0 <= self.first_level_seed <= self.last_level_seed <= MAX_LEVEL_SEED,
            f"level seeds must rise within 0-{MAX_LEVEL_SEED}, not be "
            f"{self.first_level_seed}-{self.last_level_seed}",
        )


@dataclasses.dataclass(frozen=True)
class Config:
    """A whole run.

    Attributes:
      tasks: `suite:level` names; dealt to environments round robin.
      logdir: the run's folder.
      total_frames: environment frames (after action repeat) to train on.
      seed: seeds everything random.
      num_actors: actor nodes.
      environments_per_actor: environments that one actor steps as a batch.
      unroll_length: T, agent steps in an unroll.
      batch_size: unrolls in an update, over all devices.
      queue_size: unrolls that the queue holds before it holds the actors back; 0
        means one batch.
      action_repeat: environment frames for each agent step.
      lockstep: whether actors wait for all their environments before each step and for
        the newest parameters at each unroll: slower, and reproducible.
      inference_device: where actors and teachers compute, 'cpu' or 'accelerator'; the
        learner takes all accelerators of its process.
      evaluation_episodes: episodes of each task that the evaluator runs on the final
        checkpoint, and on the newest one every evaluation_minutes; 0 turns it off.
      evaluation_minutes: minutes between evaluations while training; 0: at the end
        only.
      score_window_frames: the training scores over tasks are of the episodes of so
        many of the newest environment frames; 0: a tenth of total_frames, and at most
        the 30 million of Schmitt et al. 2018.
      show: whether a live view is drawn on the terminal.
      base_port: first of the servers' ports; 0 takes free ones.
    """

    tasks: tuple[str, ...]
    logdir: str
    total_frames: int = 1_000_000
    seed: int = 1
    num_actors: int = 1
    environments_per_actor: int = 16
    unroll_length: int = 32
    batch_size: int = 8
    queue_size: int = 0
    action_repeat: int = 4
    lockstep: bool = False
    inference_device: str = "cpu"
    evaluation_episodes: int = 10
    evaluation_minutes: float = 0.0
    score_window_frames: int = 0
    show: bool = True
    base_port: int = 0
    network: NetworkConfig = NetworkConfig()
    loss: LossConfig = LossConfig()
    optimiser: OptimiserConfig = OptimiserConfig()
    kickstarting: KickstartingConfig = KickstartingConfig()
    checkpoint: CheckpointConfig = CheckpointConfig()
    lab: LabConfig = LabConfig()

    def __post_init__(self) -> None:
        _require(bool(self.tasks), "tasks must name at least one suite:level")
        _require(bool(self.logdir), "logdir must not be empty")
        _require(len(set(self.tasks)) == len(self.tasks), "tasks names one level twice")
        _require_positive(
            self,
            "total_frames",
            "num_actors",
            "environments_per_actor",
            "unroll_length",
            "batch_size",
            "action_repeat",
        )
        _require_not_negative(
            self,
            "seed",
            "queue_size",
            "evaluation_episodes",
            "evaluation_minutes",
            "score_window_frames",
        )
        _require_choice(self, "inference_device", INFERENCE_DEVICES)
        _require(
            self.base_port == 0 or 1024 <= self.base_port <= 65000,
            f"base_port must be 0 or in 1024..65000, not {self.base_port}",
        )
        for name, most in (
            ("seed", 2**31 - 1),
            ("num_actors", 100_000),
            ("environments_per_actor", MAX_ENVIRONMENTS),
            ("unroll_length", 10_000),
            ("batch_size", 65_536),
            ("action_repeat", 100),
        ):
            value = getattr(self, name)
            _require(value <= most, f"{name} must be at most {most}, not {value}")
        _require(
            self.total_frames >= self.frames_per_update,
            f"total_frames ({self.total_frames}) is below one batch "
            f"({self.frames_per_update} frames)",
        )
        _require(
            not self.queue_size or self.queue_size >= self.batch_size,
            f"a queue of {self.queue_size} unrolls cannot fill a batch of "
            f"{self.batch_size}",
        )
        if self.network.num_values > 1:
            _require(
                self.network.num_values == len(self.tasks),
                f"{self.network.num_values} values do not fit {len(self.tasks)} tasks",
            )
            _require(
                self.loss.value_normalisation,
                "values of each task are normalised: leave value_normalisation on",
            )
        if not self.loss.reinforcement:
            _require(
                bool(self.kickstarting.teachers),
                "training without the reinforcement loss needs a teacher",
            )

    @property
    def frames_per_unroll(self) -> int:
        """Environment frames of one unroll."""
        return self.unroll_length * self.action_repeat

    @property
    def frames_per_update(self) -> int:
        """Environment frames of one batch."""
        return self.frames_per_unroll * self.batch_size

    @property
    def resolved_queue_size(self) -> int:
        """Unrolls that the queue holds."""
        return self.queue_size or self.batch_size

    @property
    def resolved_score_window_frames(self) -> int:
        """Environment frames whose episodes the training scores over tasks are of."""
        a_tenth = max(self.total_frames // 10, 1)
        return self.score_window_frames or min(a_tenth, _PAPER_SCORE_WINDOW_FRAMES)

    @property
    def teachers_of_task(self) -> tuple[tuple[str, ...], ...]:
        """For each task, in order, the teachers named for it."""
        return tuple(
            tuple(
                teacher
                for task_of_teacher, teacher in self.kickstarting.teachers
                if task_of_teacher == task
            )
            for task in self.tasks
        )

    @property
    def max_teachers(self) -> int:
        """K: the most teachers that one task has, at least 1."""
        return max(1, *(len(teachers) for teachers in self.teachers_of_task))
