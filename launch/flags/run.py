"""The absl flags of a run, and the Config that they build."""

import os

from absl import flags

from kickstarting.config import agent as agent_config
from kickstarting.config import run as config_lib
from kickstarting.environments import suites
from launch.flags import lab as lab_flags
from launch.flags import population as population_flags
from launch.flags import teachers as teacher_flags
from launch.processes import private_network

_DEFAULTS = config_lib.Config(tasks=("doom:defend_the_center",), logdir="unset")

_ALL = "all"

# Schmitt et al. 2018, section 4.1.
_ENVIRONMENTS_PER_TASK = 5

TASKS = flags.DEFINE_list(
    "tasks",
    list(_DEFAULTS.tasks),
    "Levels to train on, suite:level, comma-separated, or suite:all for all levels of "
    "a suite; dealt to environments in turn.",
)
LOGDIR = flags.DEFINE_string(
    "logdir",
    None,
    "The run's folder: checkpoints, metrics.csv, TensorBoard events, config.json. "
    "Default: runs/<first task>_seed<seed>.",
)
TOTAL_FRAMES = flags.DEFINE_integer(
    "total_frames",
    _DEFAULTS.total_frames,
    "Environment frames (agent steps times action repeat) to train on.",
)
SEED = flags.DEFINE_integer("seed", _DEFAULTS.seed, "Seeds everything random.")
ACTION_REPEAT = flags.DEFINE_integer(
    "action_repeat", _DEFAULTS.action_repeat, "Environment frames for each agent step."
)

NUM_ACTORS = flags.DEFINE_integer(
    "num_actors", _DEFAULTS.num_actors, "Actor nodes of the program."
)
ENVIRONMENTS_PER_ACTOR = flags.DEFINE_integer(
    "environments_per_actor",
    None,
    "Environments that one actor steps as a batch. Default: 16, or as many as give "
    "each task environments_per_task over all actors.",
)
ENVIRONMENTS_PER_TASK = flags.DEFINE_integer(
    "environments_per_task",
    None,
    "Environments of each task over all actors, where environments_per_actor is not "
    "given. Default: 5 with several actors, as the paper has, else 1.",
)
UNROLL_LENGTH = flags.DEFINE_integer(
    "unroll_length", _DEFAULTS.unroll_length, "Agent steps in an unroll."
)
BATCH_SIZE = flags.DEFINE_integer(
    "batch_size", _DEFAULTS.batch_size, "Unrolls in an update, over all devices."
)
QUEUE_SIZE = flags.DEFINE_integer(
    "queue_size",
    _DEFAULTS.queue_size,
    "Unrolls that the queue holds before it holds the actors back; 0: one batch.",
)
LOCKSTEP = flags.DEFINE_bool(
    "lockstep",
    _DEFAULTS.lockstep,
    "Actors wait for all environments and for the newest parameters: reproducible.",
)
INFERENCE_DEVICE = flags.DEFINE_enum(
    "inference_device",
    _DEFAULTS.inference_device,
    config_lib.INFERENCE_DEVICES,
    "Where actors and teachers compute; the learner takes the accelerators anyway.",
)

TORSO = flags.DEFINE_enum(
    "torso",
    _DEFAULTS.network.torso,
    agent_config.TORSOS,
    "IMPALA's shallow or deep network, or those for small grids; auto: by frame size.",
)
CORE_SIZE = flags.DEFINE_integer(
    "core_size", _DEFAULTS.network.core_size, "Units of the LSTM core."
)
LANGUAGE = flags.DEFINE_bool(
    "language",
    _DEFAULTS.network.language,
    "The student reads the task's instructions, where it has any; --nolanguage hides "
    "them from the student alone: teachers still read them.",
)

DISCOUNT = flags.DEFINE_float(
    "discount", _DEFAULTS.loss.discount, "γ of the return, for each agent step."
)
VTRACE_LAMBDA = flags.DEFINE_float(
    "vtrace_lambda", _DEFAULTS.loss.vtrace_lambda, "λ of V-trace; 1 is IMPALA's."
)
BASELINE_COST = flags.DEFINE_float(
    "baseline_cost", _DEFAULTS.loss.baseline_cost, "Scale of the baseline loss."
)
ENTROPY_COST = flags.DEFINE_float(
    "entropy_cost", _DEFAULTS.loss.entropy_cost, "Scale of the entropy bonus at first."
)
FINAL_ENTROPY_SHARE = flags.DEFINE_float(
    "final_entropy_share",
    _DEFAULTS.loss.final_entropy_share,
    "What is left of entropy_cost at total_frames; it falls geometrically. 1 keeps it.",
)
POLICY_CLIP = flags.DEFINE_float(
    "policy_clip",
    _DEFAULTS.loss.policy_clip,
    "A step stops counting in the policy gradient once its action's probability has "
    "moved by this share since it was acted (as in PPO); 0: never.",
)
VALUE_NORMALISATION = flags.DEFINE_bool(
    "value_normalisation",
    _DEFAULTS.loss.value_normalisation,
    "Let the critic learn returns normalised by their running mean and deviation.",
)
POPART_PER_TASK = flags.DEFINE_bool(
    "popart_per_task",
    False,
    "Give the critic a value for each task, and normalise each task's returns and "
    "advantages by their own statistics: for tasks whose rewards differ in size.",
)
ADVANTAGE_NORMALISATION = flags.DEFINE_bool(
    "advantage_normalisation",
    _DEFAULTS.loss.advantage_normalisation,
    "Shift and scale advantages by their running mean and deviation, so that "
    "entropy_cost and kickstarting_weight mean the same whatever the rewards.",
)
REWARD_CLIPPING = flags.DEFINE_enum(
    "reward_clipping",
    _DEFAULTS.loss.reward_clipping,
    agent_config.REWARD_CLIPPINGS,
    "How rewards are clipped in the loss; auto: soft_asymmetric for DeepMind Lab, as "
    "IMPALA has it, else abs_one. Reported returns are always raw.",
)
REINFORCEMENT = flags.DEFINE_bool(
    "reinforcement",
    _DEFAULTS.loss.reinforcement,
    "Learn from rewards; --noreinforcement only distils the teacher.",
)

OPTIMISER = flags.DEFINE_enum(
    "optimiser",
    _DEFAULTS.optimiser.name,
    agent_config.OPTIMISERS,
    "Adam, or RMSProp as IMPALA has it.",
)
LEARNING_RATE = flags.DEFINE_float(
    "learning_rate", _DEFAULTS.optimiser.learning_rate, "At the start of the run."
)
ANNEAL = flags.DEFINE_bool(
    "anneal",
    _DEFAULTS.optimiser.anneal,
    "Let the learning rate fall linearly to 0 at total_frames.",
)
OPTIMISER_EPSILON = flags.DEFINE_float(
    "optimiser_epsilon",
    _DEFAULTS.optimiser.epsilon,
    "ε of the optimiser; 0: its own default (adam 1e-7, rmsprop 0.1).",
)
MAX_GRADIENT_NORM = flags.DEFINE_float(
    "max_gradient_norm",
    _DEFAULTS.optimiser.max_gradient_norm,
    "Clips the global norm of the gradient of the summed loss; 0: no clipping.",
)

CHECKPOINT_MINUTES = flags.DEFINE_float(
    "checkpoint_minutes",
    _DEFAULTS.checkpoint.period_minutes,
    "Minutes between checkpoints; one is always written at the end.",
)
CHECKPOINTS_KEPT = flags.DEFINE_integer(
    "checkpoints_kept", _DEFAULTS.checkpoint.keep, "The newest checkpoints kept."
)
RESUME = flags.DEFINE_bool(
    "resume",
    _DEFAULTS.checkpoint.resume,
    "Go on from the newest sound checkpoint of the logdir.",
)
EVALUATION_EPISODES = flags.DEFINE_integer(
    "evaluation_episodes",
    _DEFAULTS.evaluation_episodes,
    "Episodes of each task that the evaluator runs; 0: no evaluation.",
)
EVALUATION_MINUTES = flags.DEFINE_float(
    "evaluation_minutes",
    _DEFAULTS.evaluation_minutes,
    "Minutes between evaluations while training; 0: only at the end.",
)
SCORE_WINDOW_FRAMES = flags.DEFINE_integer(
    "score_window_frames",
    _DEFAULTS.score_window_frames,
    "Mean and median score over tasks are of the episodes in so many of the newest "
    "environment frames; 0: a tenth of total_frames, and at most 30 million.",
)
ACTION_SET = flags.DEFINE_enum(
    "action_set",
    _DEFAULTS.lab.action_set,
    config_lib.LAB_ACTION_SETS,
    "DeepMind Lab: IMPALA's nine actions, or fifteen with two speeds of turning and "
    "looking up and down.",
)
LEVEL_SEEDS = flags.DEFINE_string(
    "level_seeds",
    None,
    "DeepMind Lab: seeds of training's episodes, first-last, so that all maps are in "
    "the level cache (launch.warm_level_cache). Default: all.",
)
SHOW = flags.DEFINE_bool("show", _DEFAULTS.show, "Show how the run goes while it runs.")
LAUNCH_TYPE = flags.DEFINE_enum(
    "lp_launch_type",
    None,
    ["local_mt", "local_mp"],
    "Launchpad's: all nodes as threads of this process, or each in a process. Default: "
    "local_mt, and local_mp for a population, whose members are then processes.",
    # Launchpad defines it again when it is loaded, which is late: it takes seconds.
    allow_override=True,
)
LOGS = flags.DEFINE_enum(
    "logs",
    "terminal",
    ["terminal", "files"],
    "local_mp: whether the nodes' logs, always written to <logdir>/logs, are also "
    "shown in the terminal.",
)
BASE_PORT = flags.DEFINE_integer(
    "base_port",
    _DEFAULTS.base_port,
    "First of the ports that the servers (learner, queue, teachers) take; 0: any free.",
)
METRICS_PORT = flags.DEFINE_integer(
    "metrics_port",
    _DEFAULTS.metrics_port,
    "Where the learner serves /metrics for Prometheus and /healthz, members of a "
    "population each on the next port; 0: nowhere.",
)
PRIVATE_NETWORK = flags.DEFINE_bool(
    private_network.FLAG,
    True,
    "Whether the run gets a network of its own, where its servers, which run what they "
    "are sent, are out of reach of other hosts and other programs. --noprivate_network "
    "where an environment or a teacher of yours needs the real one.",
)


def default_logdir(tasks: list[str], seed: int) -> str:
    """Returns the folder of a run for which none was named."""
    name = tasks[0].replace(":", "_").replace("/", "_") if tasks else "run"
    if len(tasks) > 1:
        name += f"_and_{len(tasks) - 1}_more"
    return os.path.join("runs", f"{name}_seed{seed}")


def _tasks(items: list[str]) -> list[str]:
    """Returns --tasks with every suite:all replaced by the levels of the suite."""
    tasks: list[str] = []
    for item in items:
        suite, _, level = item.partition(":")
        if level == _ALL and suite in suites.SUITES:
            tasks.extend(f"{suite}:{each}" for each in suites.levels(suite))
        else:
            tasks.append(item)
    return tasks


def _environments_per_actor(num_tasks: int) -> int:
    """Returns how many environments an actor has for so many tasks."""
    per_actor, per_task = ENVIRONMENTS_PER_ACTOR.value, ENVIRONMENTS_PER_TASK.value
    if per_actor is not None:
        if per_task is not None:
            raise config_lib.ConfigError(
                "--environments_per_actor and --environments_per_task exclude each "
                "other: give one of them"
            )
        return per_actor
    actors = max(NUM_ACTORS.value, 1)
    if per_task is not None:
        return -(-per_task * num_tasks // actors)
    per_task = _ENVIRONMENTS_PER_TASK if actors > 1 else 1
    wanted = -(-per_task * num_tasks // actors)
    return max(_DEFAULTS.environments_per_actor, wanted)


def config_from_flags() -> config_lib.Config:
    """Builds the run's configuration from the parsed flags.

    Raises:
      config_lib.ConfigError: a flag is out of range, or flags contradict each other.
    """
    tasks = _tasks([task.strip() for task in TASKS.value])
    level_seeds = (_DEFAULTS.lab.first_level_seed, _DEFAULTS.lab.last_level_seed)
    if LEVEL_SEEDS.value:
        level_seeds = lab_flags.seed_range("level_seeds", LEVEL_SEEDS.value)
    return config_lib.Config(
        tasks=tuple(tasks),
        logdir=LOGDIR.value or default_logdir(tasks, SEED.value),
        total_frames=TOTAL_FRAMES.value,
        seed=SEED.value,
        num_actors=NUM_ACTORS.value,
        environments_per_actor=_environments_per_actor(len(tasks)),
        unroll_length=UNROLL_LENGTH.value,
        batch_size=BATCH_SIZE.value,
        queue_size=QUEUE_SIZE.value,
        action_repeat=ACTION_REPEAT.value,
        lockstep=LOCKSTEP.value,
        inference_device=INFERENCE_DEVICE.value,
        evaluation_episodes=EVALUATION_EPISODES.value,
        evaluation_minutes=EVALUATION_MINUTES.value,
        score_window_frames=SCORE_WINDOW_FRAMES.value,
        show=SHOW.value,
        base_port=BASE_PORT.value,
        metrics_port=METRICS_PORT.value,
        network=agent_config.NetworkConfig(
            torso=TORSO.value,
            core_size=CORE_SIZE.value,
            num_values=len(tasks) if POPART_PER_TASK.value else 1,
            language=LANGUAGE.value,
        ),
        loss=agent_config.LossConfig(
            discount=DISCOUNT.value,
            vtrace_lambda=VTRACE_LAMBDA.value,
            final_entropy_share=FINAL_ENTROPY_SHARE.value,
            policy_clip=POLICY_CLIP.value,
            value_normalisation=VALUE_NORMALISATION.value,
            advantage_normalisation=ADVANTAGE_NORMALISATION.value,
            baseline_cost=BASELINE_COST.value,
            entropy_cost=ENTROPY_COST.value,
            reward_clipping=REWARD_CLIPPING.value,
            reinforcement=REINFORCEMENT.value,
            distillation_form=teacher_flags.DISTILLATION_FORM.value,
            distillation_temperature=teacher_flags.DISTILLATION_TEMPERATURE.value,
            value_distillation_cost=teacher_flags.VALUE_DISTILLATION_COST.value,
        ),
        optimiser=agent_config.OptimiserConfig(
            name=OPTIMISER.value,
            learning_rate=LEARNING_RATE.value,
            epsilon=OPTIMISER_EPSILON.value,
            max_gradient_norm=MAX_GRADIENT_NORM.value,
            anneal=ANNEAL.value,
        ),
        kickstarting=teacher_flags.kickstarting_config(
            tasks,
            TOTAL_FRAMES.value,
            evolves=population_flags.POPULATION_SIZE.value > 1,
        ),
        checkpoint=config_lib.CheckpointConfig(
            period_minutes=CHECKPOINT_MINUTES.value,
            keep=CHECKPOINTS_KEPT.value,
            resume=RESUME.value,
        ),
        lab=lab_flags.lab_config(ACTION_SET.value, level_seeds),
        population=population_flags.population_config_from_flags(),
    )


def launch_type(config: config_lib.Config) -> str:
    """Returns Launchpad's launch type, as the flag says or as is faster.

    Args:
      config: of the run.
    """
    has_members = config.population.size > 1 and not config.lockstep
    return LAUNCH_TYPE.value or ("local_mp" if has_members else "local_mt")


def num_ports(config: config_lib.Config) -> int:
    """Returns how many ports the program takes: queues, learners, teachers."""
    replicas = config.kickstarting.replicas if config.asks_teachers else 0
    return 2 * config.population.size + replicas
