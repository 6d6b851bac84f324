"""What a run that goes on does otherwise than before, and must not do unasked."""

from collections.abc import Collection, Iterator

from kickstarting.config import run as config_lib
from kickstarting.config import settings
from launch.flags import choices, derived

# With another value what was learned so far means something else: values and advantages
# are of other returns, or of the answers of other teachers.
_MEANT: tuple[settings.Path, ...] = (
    ("action_repeat",),
    ("bootstrap_time_limit",),
    ("loss", "discount"),
    ("loss", "final_discount"),
    ("loss", "reward_clipping"),
    ("loss", "reward_scales"),
    ("kickstarting", "teachers"),
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
        told = f"{derived.text(old) or 'nothing'} → {derived.text(new) or 'nothing'}"
        if each.path in meant and each.name not in changes:
            raise config_lib.ConfigError(
                f"{config.logdir} has learned with another {each.name} ({told}): go on "
                f"as it was, choose another --logdir, or add --change={each.name}"
            )
        yield f"  {each.name}: {told}"
