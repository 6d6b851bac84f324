"""The one frozen configuration of a run; entry points build it and pass it on.

Every check of a value that can be made without touching the machine is made here, in
`__post_init__`; each raises ConfigError with one line.
"""

import dataclasses

from kickstarting.config.agent import (
    LossConfig,
    NetworkConfig,
    OptimiserConfig,
    resolve_reward_clipping,
)
from kickstarting.config.checks import ConfigError as ConfigError
from kickstarting.config.checks import (
    require,
    require_choice,
    require_not_negative,
    require_positive,
)
from kickstarting.config.population import PopulationConfig
from kickstarting.config.teacher_uses import TEACHER_USES, TeacherUse
from kickstarting.config.teachers import KickstartingConfig

INFERENCE_DEVICES = ("cpu", "accelerator")
LAB_ACTION_SETS = ("default", "extended")
MAX_LEVEL_SEED = 2**31 - 1
MAX_ENVIRONMENTS = 4096

_PAPER_SCORE_WINDOW_FRAMES = 30_000_000


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
      metrics_port: on which the learner serves metrics, of a population's members each
        on the next one; 0: nowhere.
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
    metrics_port: int = 0
    network: NetworkConfig = NetworkConfig()
    loss: LossConfig = LossConfig()
    optimiser: OptimiserConfig = OptimiserConfig()
    kickstarting: KickstartingConfig = KickstartingConfig()
    checkpoint: CheckpointConfig = CheckpointConfig()
    lab: LabConfig = LabConfig()
    population: PopulationConfig = PopulationConfig()

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
        require(
            self.metrics_port == 0 or 1024 <= self.metrics_port <= 65000,
            f"metrics_port must be 0 or in 1024..65000, not {self.metrics_port}",
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
        if self.population.size > 1:
            self._check_population()
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

    def _check_population(self) -> None:
        kickstarting = self.kickstarting
        require(
            "exponential" not in (kickstarting.schedule, kickstarting.factor_schedule),
            "an exponential schedule falls to a fixed weight, and evolution moves it: "
            "choose another kickstarting_schedule for a population",
        )
        for name, _ in kickstarting.factors:
            require(
                name in self.tasks,
                f"evolution moves one ρ for each task: {name} is a teacher, name its "
                "task in teacher_factors",
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
