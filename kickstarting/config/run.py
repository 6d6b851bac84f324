"""The one frozen configuration of a run; entry points build it and pass it on.

Every check of a value that can be made without touching the machine is made where the
value is declared, or in `__post_init__`; each raises ConfigError with one line.
"""

import dataclasses

from kickstarting.config import settings
from kickstarting.config.agent import (
    LossConfig,
    NetworkConfig,
    OptimiserConfig,
    resolve_reward_clipping,
)
from kickstarting.config.checks import ConfigError as ConfigError
from kickstarting.config.checks import require
from kickstarting.config.groups import CHECKPOINTS, LAB, REPORTS, RING, RUN, SERVERS
from kickstarting.config.population import PopulationConfig
from kickstarting.config.teacher_uses import TEACHER_USES, TeacherUse
from kickstarting.config.teachers import KickstartingConfig

INFERENCE_DEVICES = ("cpu", "accelerator")
LAB_ACTION_SETS = ("default", "extended")
MAX_LEVEL_SEED = 2**31 - 1
MAX_ENVIRONMENTS = 4096
ENVIRONMENT_DEADLINE_SECONDS = 300.0

_PAPER_SCORE_WINDOW_FRAMES = 30_000_000


@dataclasses.dataclass(frozen=True)
class CheckpointConfig:
    """When checkpoints are written and which are kept."""

    period_minutes: float = CHECKPOINTS.setting(
        5.0, "(0, inf)", "checkpoint_minutes"
    ).help("""
        Minutes between checkpoints; one is always written at the end.""")
    keep: int = CHECKPOINTS.setting(3, "[1, inf)", "checkpoints_kept").help("""
        The newest checkpoints kept.""")
    resume: bool = CHECKPOINTS.setting(True, first=True).help("""
        Go on from the newest sound checkpoint of the logdir.""")

    def __post_init__(self) -> None:
        settings.check(self)


@dataclasses.dataclass(frozen=True)
class LabConfig:
    """What concerns levels of DeepMind Lab alone."""

    action_set: str = LAB.setting("default", LAB_ACTION_SETS).help("""
        DeepMind Lab: IMPALA's nine actions, or extended: fifteen, with two speeds of
        turning and looking up and down.""")
    level_cache: str = LAB.setting("~/.cache/kickstarting/dmlab_levels").help("""
        DeepMind Lab: folder of compiled maps, shared by all actors; empty: none.""")
    level_cache_gigabytes: float = LAB.setting(20.0, "(0, inf)").help("""
        DeepMind Lab: size of the level cache at which the least recently used maps
        go.""")
    dataset_path: str = LAB.setting("").help("""
        DeepMind Lab: folder of the images that some psychlab levels show, or 'dummy' to
        play them without.""")
    first_level_seed: int = LAB.setting(0, f"[0, {MAX_LEVEL_SEED}]", "").help("""
        Episodes of training draw their seeds from this one on.""")
    # A narrow range keeps the maps few, so that all are in the cache.
    last_level_seed: int = LAB.setting(
        MAX_LEVEL_SEED, f"[0, {MAX_LEVEL_SEED}]", ""
    ).help("""
        And up to this one.""")

    def __post_init__(self) -> None:
        settings.check(self)
        require(
            self.first_level_seed <= self.last_level_seed,
            f"level_seeds must rise, not be {self.first_level_seed}-"
            f"{self.last_level_seed}",
        )


@dataclasses.dataclass(frozen=True)
class Config:
    """A whole run."""

    tasks: tuple[str, ...] = RUN.setting(
        ("doom:defend_the_center",), first=True
    ).help("""
        Levels to train on, suite:level, comma-separated, or suite:all for all levels of
        a suite; dealt to environments in turn.""")
    logdir: str = RUN.setting("", first=True).help("""
        The run's folder: checkpoints, metrics.csv, TensorBoard events, config.json.
        Default: runs/TASK_seedSEED, of its first task and its seed.""")
    total_frames: int = RUN.setting(1_000_000, "[1, inf)", first=True).help("""
        Environment frames (agent steps times action repeat) to train on.""")
    seed: int = RUN.setting(1, "[0, 2147483647]", first=True).help("""
        Seeds everything random.""")
    num_actors: int = RING.setting(1, "[1, 100000]", first=True).help("""
        Actor nodes of the program.""")
    environments_per_actor: int = RING.setting(16, f"[1, {MAX_ENVIRONMENTS}]").help("""
        Environments that one actor steps as a batch. Default: 16, or as many as give
        each task environments_per_task over all actors.""")
    environment_deadline_seconds: float = RING.setting(
        ENVIRONMENT_DEADLINE_SECONDS, "(0, inf)", "environment_deadline"
    ).help("""
        Seconds after which an environment that is not made, or gives no time step,
        counts as hung, and another one takes its place.""")
    standstill_minutes: float = RING.setting(30.0, "(0, inf)").help("""
        Minutes without unrolls to learn from, after which a run ends with status 1;
        after two the log says who does what.""")
    unroll_length: int = RING.setting(32, "[1, 10000]").help("""
        Agent steps in an unroll.""")
    batch_size: int = RING.setting(8, "[1, 65536]").help("""
        Unrolls in an update, over all devices.""")
    window_batches: int = RING.setting(1, "[1, 1024]").help("""
        Batches that the learner gathers into a window, to pass over its unrolls dealt
        anew.""")
    passes: int = RING.setting(1, "[1, 100]").help("""
        How often the learner goes through each window.""")
    queue_size: int = RING.setting(0, "[0, inf)").help("""
        Unrolls that the queue holds before it holds the actors back; 0: one batch.""")
    synchronous: bool = RING.setting(False).help("""
        Acting and learning take turns: actors act a window's unrolls with one policy,
        and then wait for what is learned from them, as PPO does. Else actors act on
        while the learner learns, as IMPALA does, and unrolls are some windows old when
        they are learned from.""")
    action_repeat: int = RUN.setting(4, "[1, 100]").help("""
        Environment frames for each agent step.""")
    # Pardo et al. 2018, https://arxiv.org/abs/1712.00378.
    bootstrap_time_limit: bool = RUN.setting(True).help("""
        An episode that only its time limit has ended goes on in the return, by the
        value of its last observation; --nobootstrap_time_limit: the limit is part of
        the task, and nothing comes after it.""")
    lockstep: bool = RING.setting(False).help("""
        Actors wait for all their environments before each step, and for the newest
        parameters at each unroll: slower, and reproducible.""")
    inference_device: str = RING.setting("cpu", INFERENCE_DEVICES).help("""
        Where actors and teachers compute; the learner takes all accelerators of its
        process anyway.""")
    evaluation_episodes: int = REPORTS.setting(10, "[0, inf)").help("""
        Episodes of each task that the evaluator runs, on the final checkpoint and on
        the newest one every evaluation_minutes; 0: no evaluation.""")
    evaluation_minutes: float = REPORTS.setting(0.0, "[0, inf)").help("""
        Minutes between evaluations while training; 0: only at the end.""")
    # 30 million: Schmitt et al. 2018.
    score_window_frames: int = REPORTS.setting(0, "[0, inf)").help("""
        Mean and median score over tasks are of the episodes in so many of the newest
        environment frames; 0: a tenth of total_frames, and at most 30 million.""")
    profile_seconds: float = REPORTS.setting(0.0, "[0, 600]").help("""
        Seconds of which a profile of the learner's process is taken once the run is
        under way, into the run's folder, for https://ui.perfetto.dev; 0: none.""")
    show: bool = REPORTS.setting(True).help("Show how the run goes while it runs.")
    base_port: int = SERVERS.setting(0, "0 or [1024, 65000]").help("""
        First of the ports that the servers (learner, queue, teachers) take; 0: any
        free.""")
    metrics_port: int = SERVERS.setting(0, "0 or [1024, 65000]").help("""
        Where the learner serves /metrics for Prometheus and /healthz, members of a
        population each on the next port; 0: nowhere.""")
    network: NetworkConfig = NetworkConfig()
    loss: LossConfig = LossConfig()
    optimiser: OptimiserConfig = OptimiserConfig()
    kickstarting: KickstartingConfig = KickstartingConfig()
    checkpoint: CheckpointConfig = CheckpointConfig()
    lab: LabConfig = LabConfig()
    population: PopulationConfig = PopulationConfig()

    def __post_init__(self) -> None:
        settings.check(self)
        require(bool(self.tasks), "tasks must name at least one suite:level")
        require(bool(self.logdir), "logdir must not be empty")
        require(len(set(self.tasks)) == len(self.tasks), "tasks names one level twice")
        for level, _ in self.loss.reward_scales:
            require(
                level in self.tasks,
                f"reward_scales names {level}, which is not among the tasks: "
                f"{', '.join(self.tasks)}",
            )
        require(
            self.total_frames >= self.frames_per_batch,
            f"total_frames ({self.total_frames}) is below one batch "
            f"({self.frames_per_batch} frames)",
        )
        require(
            self.standstill_minutes * 60 > self.environment_deadline_seconds,
            f"standstill_minutes ({self.standstill_minutes:g}) must be more than "
            f"environment_deadline ({self.environment_deadline_seconds:g} seconds): "
            "raise it",
        )
        num_environments = self.num_actors * self.environments_per_actor
        require(
            num_environments >= len(self.tasks),
            f"{num_environments} environments cannot play {len(self.tasks)} tasks: "
            "raise environments_per_actor or num_actors",
        )
        require(
            not self.queue_size or self.queue_size >= self.batch_size,
            f"queue_size={self.queue_size} unrolls cannot fill a batch of "
            f"{self.batch_size}: raise it, or lower batch_size",
        )
        if self.network.num_values > 1:
            require(
                self.network.num_values == len(self.tasks),
                f"{self.network.num_values} values do not fit {len(self.tasks)} tasks",
            )
            require(
                self.loss.value_normalisation,
                "popart_per_task normalises values: leave value_normalisation on",
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
                f"teacher_use={self.kickstarting.use} learns from rewards alone: "
                "it needs the reinforcement loss",
            )

    def _check_population(self) -> None:
        kickstarting = self.kickstarting
        require(
            "exponential" not in (kickstarting.schedule, kickstarting.factor_schedule),
            "an exponential schedule falls to a fixed weight, and evolution moves it: "
            "choose another kickstarting_schedule for a population",
        )
        require(
            kickstarting.schedule != "piecewise",
            "a piecewise schedule fixes λ, and evolution moves it: choose another "
            "kickstarting_schedule for a population",
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
    def frames_per_batch(self) -> int:
        """Environment frames of one batch."""
        return self.frames_per_unroll * self.batch_size

    @property
    def updates_per_window(self) -> int:
        """Updates in all passes over one window."""
        return self.window_batches * self.passes

    @property
    def unrolls_of_window(self) -> int:
        """Unrolls of a window that each actor acts, where all act as many."""
        return -(-self.batch_size * self.window_batches // self.num_actors)

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
        """The loss in force: of the suite, and of what teachers are used for.

        It scales the rewards of every task, in their order, or of none.
        """
        given = dict(self.loss.reward_scales)
        scales = tuple((task, float(given.get(task, 1.0))) for task in self.tasks)
        return dataclasses.replace(
            self.loss,
            reinforcement=self.loss.reinforcement and self.teacher_use.reinforces,
            reward_clipping=resolve_reward_clipping(
                self.loss.reward_clipping, self.tasks
            ),
            fresh_statistics=self.loss.fresh_statistics and not self.teacher_use.acts,
            reward_scales=scales if any(scale != 1 for _, scale in scales) else (),
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
