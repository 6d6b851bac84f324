"""The one frozen configuration of a run; entry points build it and pass it on.

Every check of a value that can be made without touching the machine is made here, in
`__post_init__`; each raises ConfigError with one line.
"""

import dataclasses
from collections.abc import Sequence

from kickstarting.config_checks import ConfigError as ConfigError
from kickstarting.config_checks import (
    require,
    require_choice,
    require_not_negative,
    require_positive,
)
from kickstarting.teacher_config import KickstartingConfig
from kickstarting.teacher_uses import TEACHER_USES, TeacherUse

TORSOS = ("auto", "shallow", "deep", "grid")
OPTIMISERS = ("adam", "rmsprop")
REWARD_CLIPPINGS = ("auto", "none", "abs_one", "soft_asymmetric")
INFERENCE_DEVICES = ("cpu", "accelerator")
DISTILLATION_FORMS = (
    "cross_entropy",
    "reverse_kl",
    "jensen_shannon",
    "expected_entropy",
)
LAB_ACTION_SETS = ("default", "extended")
MAX_LEVEL_SEED = 2**31 - 1
MAX_ENVIRONMENTS = 4096

_PAPER_SCORE_WINDOW_FRAMES = 30_000_000


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
        require_choice(self, "torso", TORSOS)
        require_positive(self, "core_size", "num_values")
        require(
            self.core_size <= 16_384,
            f"core_size must be at most 16384, not {self.core_size}",
        )
        require(
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
      reward_clipping: 'none', 'abs_one' ([-1, 1]), 'soft_asymmetric' (optimistic
        asymmetric clipping as in IMPALA's code), or 'auto': the last for DeepMind
        Lab, as IMPALA has it on DMLab-30, and abs_one elsewhere.
      reinforcement: False leaves out the rewards, and with them policy gradient,
        baseline and entropy: the student is only distilled.
      distillation_form: how far the student is from its teachers
        (kickstarting.distillation.loss).
      distillation_temperature: τ of both policies in it.
      value_distillation_cost: scale of the squared distance between the student's
        values and its teachers', which λ weighs too, as it does that of the policies;
        0: values are left alone, as in Schmitt et al. 2018.
    """

    discount: float = 0.99
    vtrace_lambda: float = 0.95
    baseline_cost: float = 0.5
    entropy_cost: float = 0.013
    final_entropy_share: float = 1.0
    policy_clip: float = 0.2
    value_normalisation: bool = True
    advantage_normalisation: bool = True
    reward_clipping: str = "auto"
    reinforcement: bool = True
    distillation_form: str = "cross_entropy"
    distillation_temperature: float = 1.0
    value_distillation_cost: float = 0.0

    def __post_init__(self) -> None:
        require(
            0 <= self.discount <= 1, f"discount must be in [0, 1], not {self.discount}"
        )
        require(
            0 <= self.vtrace_lambda <= 1,
            f"vtrace_lambda must be in [0, 1], not {self.vtrace_lambda}",
        )
        require_not_negative(
            self,
            "baseline_cost",
            "entropy_cost",
            "policy_clip",
            "value_distillation_cost",
        )
        require(
            0 < self.final_entropy_share <= 1,
            f"final_entropy_share must be in (0, 1], not {self.final_entropy_share}",
        )
        require_choice(self, "reward_clipping", REWARD_CLIPPINGS)
        require_choice(self, "distillation_form", DISTILLATION_FORMS)
        require(
            0.01 <= self.distillation_temperature <= 100,
            "distillation_temperature must be in 0.01..100, not "
            f"{self.distillation_temperature}",
        )
        require(
            not self.value_distillation_cost
            or self.distillation_form != "expected_entropy",
            "expected_entropy adds rewards of its own, so that a teacher's values are "
            "of other returns: leave value_distillation_cost at 0",
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
        require_choice(self, "name", OPTIMISERS)
        require_positive(self, "learning_rate")
        require(
            self.learning_rate <= 1,
            f"learning_rate must be at most 1, not {self.learning_rate}",
        )
        require_not_negative(self, "epsilon", "momentum", "max_gradient_norm")
        require(0 <= self.decay < 1, f"decay must be in [0, 1), not {self.decay}")

    @property
    def resolved_epsilon(self) -> float:
        """ε in force: facts' IMPALA value 0.1 for RMSProp on sums, 1e-7 for Adam."""
        return self.epsilon or {"adam": 1e-7, "rmsprop": 0.1}[self.name]


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
        require_positive(self, "period_minutes", "keep")


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
        require_choice(self, "action_set", LAB_ACTION_SETS)
        require_positive(self, "level_cache_gigabytes")
        require(
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
        require(bool(self.tasks), "tasks must name at least one suite:level")
        require(bool(self.logdir), "logdir must not be empty")
        require(len(set(self.tasks)) == len(self.tasks), "tasks names one level twice")
        require_positive(
            self,
            "total_frames",
            "num_actors",
            "environments_per_actor",
            "unroll_length",
            "batch_size",
            "action_repeat",
        )
        require_not_negative(
            self,
            "seed",
            "queue_size",
            "evaluation_episodes",
            "evaluation_minutes",
            "score_window_frames",
        )
        require_choice(self, "inference_device", INFERENCE_DEVICES)
        require(
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
            require(value <= most, f"{name} must be at most {most}, not {value}")
        require(
            self.total_frames >= self.frames_per_update,
            f"total_frames ({self.total_frames}) is below one batch "
            f"({self.frames_per_update} frames)",
        )
        num_environments = self.num_actors * self.environments_per_actor
        require(
            num_environments >= len(self.tasks),
            f"{num_environments} environments cannot play {len(self.tasks)} tasks: "
            "raise environments_per_actor or num_actors",
        )
        require(
            not self.queue_size or self.queue_size >= self.batch_size,
            f"a queue of {self.queue_size} unrolls cannot fill a batch of "
            f"{self.batch_size}",
        )
        if self.network.num_values > 1:
            require(
                self.network.num_values == len(self.tasks),
                f"{self.network.num_values} values do not fit {len(self.tasks)} tasks",
            )
            require(
                self.loss.value_normalisation,
                "values of each task are normalised: leave value_normalisation on",
            )
        require(
            not self.loss.value_distillation_cost or self.asks_teachers,
            "value_distillation_cost needs a teacher that labels unrolls",
        )
        if not self.loss.reinforcement:
            require(
                bool(self.kickstarting.teachers),
                "training without the reinforcement loss needs a teacher",
            )
            require(
                self.teacher_use.labels,
                f"the teacher use {self.kickstarting.use} learns from rewards alone: "
                "it needs the reinforcement loss",
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
    def teacher_use(self) -> TeacherUse:
        """What teachers are used for."""
        return TEACHER_USES[self.kickstarting.use]

    @property
    def asks_teachers(self) -> bool:
        """Whether unrolls go past teachers, to be labelled."""
        return bool(self.kickstarting.teachers) and self.teacher_use.labels

    @property
    def asks_teacher_values(self) -> bool:
        """Whether teachers that label unrolls give their values too."""
        return self.asks_teachers and self.loss.value_distillation_cost > 0

    @property
    def resolved_loss(self) -> LossConfig:
        """The loss in force: of the suite, and of what teachers are used for."""
        return dataclasses.replace(
            self.loss,
            reinforcement=self.loss.reinforcement and self.teacher_use.reinforces,
            reward_clipping=resolve_reward_clipping(
                self.loss.reward_clipping, self.tasks
            ),
        )

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


def resolve_reward_clipping(clipping: str, tasks: Sequence[str]) -> str:
    """Returns the clipping in force on the tasks: 'auto' goes by their suite."""
    if clipping != "auto":
        return clipping
    of_lab = all(task.startswith("dmlab") for task in tasks)
    return "soft_asymmetric" if of_lab else "abs_one"
