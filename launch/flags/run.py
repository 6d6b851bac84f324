"""The configuration that the flags of a run build, and what follows from them."""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from kickstarting.config import presets, saved, settings
from kickstarting.config import run as config_lib
from kickstarting.config.teacher_uses import TEACHER_USES
from kickstarting.environments import suites
from launch.flags import choices, derived, lab, options, resuming, teacher_map

_ALL = "all"
# Schmitt et al. 2018, section 4.2.
_ENVIRONMENTS_PER_TASK = 5
_TASKS, _TEACHERS = ("tasks",), ("kickstarting", "teachers")
_SCALES = ("loss", "reward_scales")
_ENVIRONMENTS, _NUM_VALUES = ("environments_per_actor",), ("network", "num_values")
_DEFAULTS = {each.path: each.default for each in settings.declared(config_lib.Config)}

_Values = Mapping[settings.Path, Any]


class Chosen(NamedTuple):
    """A run as its flags say.

    Attributes:
      config: of the run.
      notes: lines that say what was taken from where, and what becomes of rewards.
    """

    config: config_lib.Config
    notes: tuple[str, ...]


def config_from_flags() -> config_lib.Config:
    """Returns the configuration of `chosen_from_flags`, which raises what it raises."""
    return chosen_from_flags().config


def chosen_from_flags() -> Chosen:
    """Builds the run's configuration from the parsed flags.

    A flag that is given goes on top of what --config has. What neither says is as
    --preset has it, as it is recommended for the tasks, follows from the rest, or is
    the default: the first of these that there is.

    Raises:
      config_lib.ConfigError: a flag is out of range, or flags contradict each other.
      teacher_files.TeacherError: a card in a folder of teachers cannot be read.
    """
    kept, _ = _saved()
    given = derived.given(config_lib.Config)
    if _TASKS in given:
        given[_TASKS] = _levels(given[_TASKS])
        if _SCALES in kept:
            kept[_SCALES] = _of_tasks(given[_TASKS], kept[_SCALES])
    known = {*kept, *given}
    if derived.given(options.Shorthands).get(("environments_per_task",)):
        known.add(_ENVIRONMENTS)
    values = {**_DEFAULTS, **kept, **given}
    logdir = default_logdir(values[_TASKS], values["seed",])
    origins = derived.made(options.Origins)
    if kept:
        # A setting that is younger than the file had its default there.
        origins = dataclasses.replace(origins, recommended=False)
    chosen = choices.choose(
        origins,
        values[_TASKS],
        values["logdir",] or logdir,
        known,
    )
    values = {**_DEFAULTS, **chosen.values, **kept, **given}
    follows: dict[settings.Path, Any] = {
        ("logdir",): logdir,
        _ENVIRONMENTS: _environments_per_actor(values),
        **_of_teachers(values, known, presets.PRESETS[origins.preset].advice_share),
    }
    folder = values["logdir",] or logdir
    begun = _ends_begun_with(values, known, follows, folder)
    said = _of_shorthands(values, _ENVIRONMENTS in given)
    said[_TEACHERS] = _teachers(values[_TASKS], kept, given)
    config = settings.made(
        config_lib.Config,
        {**chosen.values, **follows, **begun, **kept, **given, **said},
    )
    notes = (
        *chosen.notes,
        *choices.begun_notes(begun, folder),
        *choices.reward_notes(config),
    )
    return Chosen(config, notes)


def options_from_flags(config: config_lib.Config) -> options.Options:
    """Returns where and how the run's nodes are run, as the parsed flags say.

    Args:
      config: of the run.

    Raises:
      config_lib.ConfigError: the file that --config names cannot be read.
    """
    _, kept = _saved()
    has_members = config.population.size > 1 and not config.lockstep
    launch_type = "local_mp" if has_members else "local_mt"
    follows: dict[settings.Path, Any] = {("lp_launch_type",): launch_type}
    given = derived.given(options.Options)
    return settings.made(options.Options, {**follows, **kept, **given})


def resuming_notes(config: config_lib.Config, resumed_frames: int) -> tuple[str, ...]:
    """Returns lines of what a run that goes on does otherwise: see resuming.notes.

    Raises:
      config_lib.ConfigError: it does what --change does not allow.
    """
    changes = derived.made(options.Origins).change
    return tuple(resuming.notes(config, resumed_frames, changes))


def arguments(config: config_lib.Config, left_out: Sequence[str] = ()) -> list[str]:
    """Returns the flags of launch.train that make a configuration.

    Args:
      config: of the run.
      left_out: names of flags that are not wanted.
    """
    # Theirs is the whole configuration, with what was recommended for it.
    words = [derived.argument("recommended", False)]
    words += derived.arguments(config, left_out)
    if config.network.num_values > 1:
        words.append(derived.argument("popart_per_task", True))
    seeds = config.lab.first_level_seed, config.lab.last_level_seed
    if seeds != (0, config_lib.MAX_LEVEL_SEED):
        words.append(derived.argument("level_seeds", "{}-{}".format(*seeds)))
    return words


def default_logdir(tasks: Sequence[str], seed: int) -> str:
    """Returns the folder of a run for which none was named."""
    name = tasks[0].replace(":", "_").replace("/", "_") if tasks else "run"
    if len(tasks) > 1:
        name += f"_and_{len(tasks) - 1}_more"
    return os.path.join("runs", f"{name}_seed{seed}")


def num_ports(config: config_lib.Config) -> int:
    """Returns how many ports the program takes: queues, learners, teachers."""
    replicas = config.kickstarting.replicas if config.asks_teachers else 0
    return 2 * config.population.size + replicas


def _saved() -> tuple[dict[settings.Path, Any], dict[settings.Path, Any]]:
    """Returns what --config has of a run's configuration, and of its options."""
    path = derived.made(options.Origins).config
    if not path:
        return {}, {}
    try:
        run, launched = saved.read(path, config_lib.Config, options.Options)
    except config_lib.ConfigError as error:
        raise config_lib.ConfigError(f"--config: {error}") from error
    return run, launched


def _levels(items: Sequence[str]) -> tuple[str, ...]:
    """Returns --tasks with every suite:all replaced by the levels of the suite."""
    tasks: list[str] = []
    for item in items:
        suite, _, level = item.partition(":")
        if level == _ALL and suite in suites.SUITES:
            tasks.extend(f"{suite}:{each}" for each in suites.levels(suite))
        else:
            tasks.append(item)
    return tuple(tasks)


def _environments_per_actor(values: _Values, per_task: int = 0) -> int:
    """Returns how many environments an actor has.

    Args:
      values: of all settings.
      per_task: environments of each task over all actors; 0: nobody has said.
    """
    actors, num_tasks = values["num_actors",], len(values[_TASKS])
    if per_task:
        return -(-per_task * num_tasks // actors)
    per_task = _ENVIRONMENTS_PER_TASK if actors > 1 else 1
    return max(values[_ENVIRONMENTS], -(-per_task * num_tasks // actors))


def _of_teachers(
    values: _Values, known: set[settings.Path], advice_share: float
) -> dict[settings.Path, Any]:
    """Returns when the teachers' advice ends where nobody has said.

    Where evolution lowers λ no schedule does.

    Args:
      values: of all settings.
      known: those that somebody has said.
      advice_share: of the frames, after which a falling λ is 0; guidance ends at half.
    """
    use = TEACHER_USES[values["kickstarting", "use"]]
    frames = values["total_frames",]
    schedule = values["kickstarting", "schedule"]
    if ("kickstarting", "schedule") not in known:
        falls = use.has_schedule and values["population", "size"] == 1
        schedule = schedule if falls else "constant"
        if values["kickstarting", "points"]:
            schedule = "piecewise"
    falling = schedule in ("linear", "exponential")
    return {
        ("kickstarting", "schedule"): schedule,
        ("kickstarting", "end_frames"): (
            max(int(advice_share * frames), 1) if falling else 0
        ),
        ("kickstarting", "guided_end_frames"): (
            max(frames // 2, 1) if use.hands_over else 0
        ),
    }


def _ends_begun_with(
    values: _Values, known: set[settings.Path], follows: _Values, logdir: str
) -> dict[settings.Path, Any]:
    """Returns the ends of advice and of guidance of the run that goes on in a folder.

    They follow from the frames: of a run that goes on for longer they would lie later,
    and what had fallen would be turned up again.

    Args:
      values: of all settings.
      known: those that somebody has said.
      follows: what they would be in a new run.
      logdir: the folder.
    """
    if not values["checkpoint", "resume"]:
        return {}
    begun = choices.begun_with(values[_TASKS], logdir)
    if not begun.get(_TEACHERS):
        return {}
    schedule, use = ("kickstarting", "schedule"), ("kickstarting", "use")
    ends: dict[settings.Path, Any] = {}
    for path, kind in (
        (("kickstarting", "end_frames"), schedule),
        (("kickstarting", "guided_end_frames"), use),
    ):
        now = values[kind] if kind in known else follows.get(kind, values[kind])
        is_the_same = begun.get(kind, _DEFAULTS[kind]) == now
        end = begun.get(path)
        if path not in known and is_the_same and end and end != follows[path]:
            ends[path] = end
    return ends


def _of_shorthands(values: _Values, per_actor: bool) -> dict[settings.Path, Any]:
    """Returns what the flags say that say a setting in another way.

    Args:
      values: of all settings.
      per_actor: whether the environments of an actor are given.

    Raises:
      config_lib.ConfigError: two flags say one thing, or one has another form.
    """
    given = {path[-1]: each for path, each in derived.given(options.Shorthands).items()}
    said: dict[settings.Path, Any] = {}
    if per_task := given.get("environments_per_task"):
        if per_actor:
            raise config_lib.ConfigError(
                "--environments_per_actor and --environments_per_task exclude each "
                "other: give one of them"
            )
        said[_ENVIRONMENTS] = _environments_per_actor(values, per_task)
    per_task = given.get("popart_per_task", values[_NUM_VALUES] > 1)
    said[_NUM_VALUES] = len(values[_TASKS]) if per_task else 1
    if "level_seeds" in given:
        first, last = lab.seed_range("level_seeds", given["level_seeds"])
        said["lab", "first_level_seed"], said["lab", "last_level_seed"] = first, last
    return said


def _teachers(
    tasks: Sequence[str], kept: _Values, given: _Values
) -> tuple[tuple[str, str], ...]:
    """Returns (task, teacher) pairs: as the flag says, or else the file's."""
    if _TEACHERS in given:
        return teacher_map.resolve(tasks, given[_TEACHERS])
    return _of_tasks(tasks, kept.get(_TEACHERS, ()))


def _of_tasks(
    tasks: Sequence[str], pairs: Sequence[tuple[str, Any]]
) -> tuple[tuple[str, Any], ...]:
    """Returns those of the pairs whose first is one of the tasks."""
    return tuple(pair for pair in pairs if pair[0] in tasks)
