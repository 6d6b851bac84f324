"""Compiles maps of DeepMind Lab into the level cache before a run asks for them.

python -m launch.warm_level_cache --suite=dmlab30 --seeds=0-99

A run with --level_seeds=0-99 then opens its episodes on those maps alone. Language
levels open further ones within an episode, where the agent goes: nothing can warm
these, and a step in which one is compiled lasts as long as that.
"""

import dataclasses
import threading
import time
from collections.abc import Sequence
from concurrent import futures

from absl import flags
from rich import console as rich_console
from rich import progress as rich_progress

from kickstarting.config import run as config_lib
from kickstarting.environments import base, suites
from kickstarting.environments.dmlab import level_cache
from launch.computing import processor_threads
from launch.flags import command_line
from launch.flags import lab as lab_flags

_SUITE = flags.DEFINE_enum("suite", "dmlab30", suites.LAB_SUITES, "Whose levels.")
_LEVELS = flags.DEFINE_list("levels", [], "Levels of the suite; none means all.")
_SEEDS = flags.DEFINE_string(
    "seeds", None, "Seeds of each level: first-last, e.g. 0-99, or one."
)
_PROCESSES = flags.DEFINE_integer(
    "processes", processor_threads.usable_cores(), "Maps that are compiled at once."
)
_WAIT_SECONDS = 1.0


def warm(
    tasks: Sequence[str],
    seeds: tuple[int, int],
    lab: config_lib.LabConfig,
    num_processes: int,
    console: rich_console.Console,
) -> None:
    """Opens an episode of every task with every seed, which fills the cache.

    Args:
      tasks: `suite:level` names.
      seeds: the first and the last.
      lab: names the cache.
      num_processes: maps that are compiled at once, each in a worker process.
      console: where the progress bar goes.

    Raises:
      base.EnvironmentConfigError: a level cannot be loaded.
    """
    bar = rich_progress.Progress(
        *rich_progress.Progress.get_default_columns(),
        rich_progress.MofNCompleteColumn(),
        console=console,
        transient=True,
        # It would leave an empty line in a log.
        disable=not console.is_terminal,
    )
    num_jobs = len(tasks) * (seeds[1] - seeds[0] + 1)
    # Far more than a list should hold, where somebody asks for all seeds.
    jobs = ((task, seed) for seed in range(seeds[0], seeds[1] + 1) for task in tasks)
    taking = threading.Lock()

    def work() -> None:
        while True:
            with taking:
                job = next(jobs, None)
            if job is None:
                return
            _open_episode(*job, lab)
            bar.advance(row)

    with bar, futures.ThreadPoolExecutor(num_processes) as pool:
        row = bar.add_task(f"warming {len(tasks)} levels", total=num_jobs)
        workers = [pool.submit(work) for _ in range(min(num_processes, num_jobs))]
        try:
            for each in futures.as_completed(workers):
                each.result()
        except BaseException:
            with taking:
                # The others finish what they have begun.
                jobs.close()
            raise


def _open_episode(task: str, seed: int, lab: config_lib.LabConfig) -> None:
    lab = dataclasses.replace(lab, first_level_seed=seed, last_level_seed=seed)
    environments = suites.make_batch([base.TaskSettings(task, seed, lab=lab)], 1, 1)
    try:
        environments.start()
        while not len(environments.wait(_WAIT_SECONDS)):
            pass
    finally:
        environments.close()


def main(argv: list[str]) -> int:
    """Warms the cache as the flags say; returns 0."""
    del argv
    if not _SEEDS.value:
        raise config_lib.ConfigError("--seeds is needed, e.g. --seeds=0-99")
    if _PROCESSES.value < 1:
        raise config_lib.ConfigError(
            f"--processes must be at least 1, not {_PROCESSES.value}"
        )
    seeds = lab_flags.seed_range("seeds", _SEEDS.value)
    lab = lab_flags.lab_config(level_seeds=seeds)
    if not lab.level_cache:
        raise config_lib.ConfigError("--level_cache is needed: the folder to fill")
    levels = _LEVELS.value or suites.levels(_SUITE.value)
    tasks = [f"{_SUITE.value}:{level}" for level in levels]
    for task in tasks:
        suites.check_installed(task, lab)
    start = time.time()
    warm(tasks, seeds, lab, _PROCESSES.value, rich_console.Console(stderr=True))
    events = [
        record.event
        for record in level_cache.read_ledger(lab.level_cache)
        if record.seconds >= start
    ]
    count, size = level_cache.size(lab.level_cache)
    print(
        f"{events.count('write')} maps written, {events.count('evict')} evicted; "
        f"{lab.level_cache} holds {count} maps, {size / 2**20:.1f} MiB."
    )
    return 0


if __name__ == "__main__":
    command_line.run(main)
