"""What a run that goes on does otherwise than before, and must not do unasked."""

import os
from collections.abc import Collection, Iterator, Sequence

from kickstarting.config import run as config_lib
from kickstarting.config import settings
from kickstarting.teaching import files as teacher_files
from launch.flags import choices, derived

# (task, teacher).
_TeachersOfTasks = Sequence[tuple[str, str]]
_TEACHERS = ("kickstarting", "teachers")
# With another value what was learned so far means something else: values and advantages
# are of other returns, or of the answers of other teachers.
_MEANT: tuple[settings.Path, ...] = (
    ("action_repeat",),
    ("bootstrap_time_limit",),
    ("loss", "discount"),
    ("loss", "final_discount"),
    ("loss", "reward_clipping"),
    ("loss", "reward_scales"),
    _TEACHERS,
    ("kickstarting", "use"),
)
# Of these guidance by DAgger's schedule is made: it falls by windows.
_OF_GUIDANCE: tuple[settings.Path, ...] = (
    ("batch_size",),
    ("unroll_length",),
    ("window_batches",),
)
# Of the place and the screen, not of the run.
_NOT_TOLD: tuple[settings.Path, ...] = (("logdir",), ("show",))


def notes(
    config: config_lib.Config, resumed_frames: int, changes: Collection[str]
) -> Iterator[str]:
    """Yields lines of what goes on, and of each setting that is not as it was.

    Args:
      config: of the run.
      resumed_frames: environment frames that it goes on from; 0: it is new, and nothing
        is said.
      changes: names of settings that may change though what was learned is of them.

    Raises:
      config_lib.ConfigError: such a setting changes unasked, or a name is of none.
    """
    declared = settings.declared(config_lib.Config)
    meant = {*_MEANT, *(_OF_GUIDANCE if config.teacher_use.acts else ())}
    names = {each.name for each in declared if each.path in meant}
    for name in changes:
        if name not in names:
            raise config_lib.ConfigError(
                f"change must name some of {', '.join(sorted(names))}, not {name}: any "
                "other setting changes by its flag alone"
            )
    if not resumed_frames:
        return
    yield f"Going on from {resumed_frames:,} frames in {config.logdir}"
    before = choices.begun_with(config.tasks, config.logdir)
    now = settings.values(config)
    for each in declared if before else ():
        old, new = before.get(each.path, each.default), now[each.path]
        if old == new or each.path in _NOT_TOLD:
            continue
        was, becomes = (derived.text(value) or "nothing" for value in (old, new))
        is_meant = each.path in meant and not (
            each.path == _TEACHERS and _may_be_the_same(old, new)
        )
        if is_meant and each.name not in changes:
            raise config_lib.ConfigError(
                f"{config.logdir} has learned with {each.name}={was}, not {becomes}: "
                "go on as it was, choose another --logdir, or add "
                f"--change={each.name}"
            )
        yield f"  {each.name}: {was} → {becomes}"


def _may_be_the_same(old: _TeachersOfTasks, new: _TeachersOfTasks) -> bool:
    """Whether teachers may be what they were, in other folders.

    Where the old folder is gone nobody can tell.
    """
    if [task for task, _ in old] != [task for task, _ in new]:
        return False
    pairs = zip(old, new, strict=True)
    return all(_is_moved(before, after) for (_, before), (_, after) in pairs)


def _is_moved(before: str, after: str) -> bool:
    if before == after:
        return True
    try:
        found = teacher_files.weights_sha256(after)
    except teacher_files.TeacherError:
        # It is none of a folder.
        return False
    try:
        return teacher_files.weights_sha256(before) == found
    except teacher_files.TeacherError:
        return not os.path.exists(before) and ":" not in before
