"""Kills the nodes of a run over and over, each kind in turn, and looks what is lost.

  python -m benchmarks.soak
  python -m benchmarks.soak --population

Starts a run with a process for each node (local_mp) and sends one fault after another
to real processes: SIGKILL, SIGTERM, and SIGSTOP with SIGCONT later. The next
comes once the run is where it was before and whom it hit has another process in its
place. A queue that dies six times within five minutes each ends its run: --faults=10
takes --stop_seconds long enough for a life of that length between the fourth fault and
the sixth.

Prints a table of the faults, and JSON: seconds until then, frames that were lost, what
the processes hold over time, and what is left behind.
"""

import collections
import contextlib
import dataclasses
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import psutil
from absl import flags
from rich import console as rich_console
from rich import table as rich_table
from scipy import stats

from benchmarks.programs import launched, run_processes
from kickstarting.config import run as config_lib
from kickstarting.reporting import run_files
from kickstarting.storage import checkpoints
from launch.flags import command_line
from launch.monitoring import node_reports, run_folder

_FAULTS = flags.DEFINE_integer("faults", 10, "Faults of each kind of node.")
_STOP_SECONDS = flags.DEFINE_float("stop_seconds", 80.0, "How long SIGSTOP lasts.")
_POPULATION = flags.DEFINE_bool("population", False, "A population of two members.")
_TASK = flags.DEFINE_string("task", "doom:defend_the_line", "What is run.")
_TEACHER = flags.DEFINE_string(
    "teacher", "teachers/doom/defend_the_line", "Who teaches."
)
_LOGDIR = flags.DEFINE_string("logdir", "runs/soak", "Of the run; a new folder.")
_SEED = flags.DEFINE_integer("seed", 1, "Draws the order of faults.")

_LONGEST_SECONDS = 600.0
_POLL_SECONDS = 0.25
_CHECKPOINT_MINUTES = 0.25
_KINDS = ("actor", run_processes.WORKER, "teacher", "evaluator", "queue", "learner")
_KINDS_OF_POPULATION = ("member", run_processes.WORKER, "teacher", "population")


@dataclasses.dataclass(frozen=True)
class Fault:
    """One fault and what came of it.

    Attributes:
      kind: of the node that it hit.
      signal: name.
      seconds: until the run was where it was before, and the node was replaced.
      frames_lost: environment frames that had been learned since the newest checkpoint,
        where a learner was hit.
      seconds_lost: of training since then.
    """

    kind: str
    signal: str
    seconds: float
    frames_lost: int
    seconds_lost: float


class Soak:
    """A run that is under fire."""

    def __init__(
        self, process: subprocess.Popen[bytes], members: Sequence[str], output: str
    ) -> None:
        """Takes the run.

        Args:
          process: of launch.train.
          members: folders of the members, or of the run where it has none.
          output: file that the process writes to.
        """
        self._process = process
        self._members = members
        self._output = output
        self._launcher = psutil.Process(process.pid)

    def begin(self, kinds: tuple[str, ...]) -> None:
        """Waits until every kind of node is there and there is a checkpoint."""
        self._wait_for(
            lambda: (
                set(kinds) <= set(run_processes.by_kind(self._launcher))
                and all(map(_newest_checkpoint, self._members))
            )
        )

    def hit(self, kind: str, name: str, draw: random.Random) -> Fault:
        """Sends one fault, and waits until the run has got over it."""
        processes = run_processes.by_kind(self._launcher)[kind]
        victim = draw.choice(sorted(processes, key=lambda process: process.pid))
        before = [_frames(member) for member in self._members]
        frames_lost, seconds_lost = 0, 0.0
        start = time.time()
        if name == "SIGSTOP":
            victim.suspend()
            time.sleep(_STOP_SECONDS.value)
            start = time.time()
            victim.resume()
        else:
            if kind in ("learner", "member"):
                frames_lost, seconds_lost = max(map(_since_checkpoint, self._members))
            victim.send_signal(getattr(signal, name))
            self._wait_for(lambda: self._is_replaced(kind, victim, len(processes)))
        replaced = time.time()
        self._wait_for(
            lambda: (
                self._is_heard(kind, replaced)
                and all(map(_is_beyond, self._members, before))
            )
        )
        return Fault(kind, name, time.time() - start, frames_lost, seconds_lost)

    def held(self) -> run_processes.Held:
        """Returns what the run's processes hold."""
        return run_processes.held(self._launcher)

    def end(self) -> dict[str, object]:
        """Stops the run and looks what is left."""
        descendants = self._launcher.children(recursive=True)
        start = time.monotonic()
        self._process.terminate()
        status = self._process.wait(_LONGEST_SECONDS)
        seconds = time.monotonic() - start
        _, left = psutil.wait_procs(descendants, timeout=5)
        for process in left:
            process.kill()
        finite = []
        for member in self._members:
            params, _ = checkpoints.load_params(member)
            finite += [bool(np.all(np.isfinite(x))) for x in _leaves(params)]
        rising = [
            bool(np.all(np.diff(run_files.read_metrics(member, [])["frames"]) > 0))
            for member in self._members
        ]
        return {
            "status": status,
            "seconds_to_stop": seconds,
            "processes_left": len(left),
            "parameters_are_finite": all(finite),
            "frames_rise_in_metrics": all(rising),
        }

    def _is_replaced(self, kind: str, victim: psutil.Process, count: int) -> bool:
        processes = run_processes.by_kind(self._launcher).get(kind, [])
        return len(processes) >= count and victim not in processes

    def _is_heard(self, kind: str, since: float) -> bool:
        """Whether all nodes of a kind have reported since then, if they report."""
        for member in self._members:
            reports = node_reports.read(member)
            if reports is None:
                return False
            heard = [at for node, at in reports.heard.items() if _kind(node) == kind]
            if heard and min(heard) < since:
                return False
        return True

    def _wait_for(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _LONGEST_SECONDS
        while not condition():
            if self._process.poll() is not None:
                raise RuntimeError(f"the run has ended: see {self._output}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"no recovery: see {self._output}")
            time.sleep(_POLL_SECONDS)


def main(argv: list[str]) -> int:
    """Soaks as the flags say and prints a table and JSON; returns 0."""
    del argv
    if _FAULTS.value < 1 or _STOP_SECONDS.value <= 0:
        raise config_lib.ConfigError("--faults and --stop_seconds must be above 0")
    kinds = _KINDS_OF_POPULATION if _POPULATION.value else _KINDS
    draw = random.Random(_SEED.value)
    memory_before = _shared_memory()
    if os.path.exists(_LOGDIR.value):
        raise config_lib.ConfigError(f"--logdir={_LOGDIR.value} is there already")
    os.makedirs(os.path.dirname(os.path.abspath(_LOGDIR.value)), exist_ok=True)
    faults = []
    with _launched(_LOGDIR.value) as soak:
        soak.begin(kinds)
        start = time.monotonic()
        samples = [(0.0, soak.held())]
        for kind, name in _schedule(kinds, draw):
            faults.append(soak.hit(kind, name, draw))
            samples.append((time.monotonic() - start, soak.held()))
            print(faults[-1], samples[-1][1], file=sys.stderr)
        minutes = (time.monotonic() - start) / 60
        left = soak.end()
    left["shared_memory_left"] = sorted(_shared_memory() - memory_before)
    rich_console.Console(stderr=True).print(_table(kinds, faults))
    print(
        json.dumps(
            {
                "minutes": minutes,
                "faults": [dataclasses.asdict(fault) for fault in faults],
                "held": [
                    {"seconds": seconds, **dataclasses.asdict(held)}
                    for seconds, held in samples
                ],
                "per_hour": _trends(samples),
                "end": left,
            },
            indent=1,
        )
    )
    return 0


@contextlib.contextmanager
def _launched(logdir: str) -> Iterator[Soak]:
    """Launches the run that comes under fire."""
    members, size = [logdir], []
    if _POPULATION.value:
        members = [os.path.join(logdir, f"member_{index}") for index in range(2)]
        size = ["--population_size=2"]
    arguments = [
        f"--tasks={_TASK.value}",
        f"--teachers={_TEACHER.value}",
        "--kickstarting_schedule=constant",
        "--lp_launch_type=local_mp",
        "--num_actors=2",
        "--environments_per_actor=2",
        "--teacher_replicas=2",
        f"--checkpoint_minutes={_CHECKPOINT_MINUTES}",
        "--evaluation_episodes=1",
        "--evaluation_minutes=0.5",
        "--total_frames=1000000000000",
        f"--logdir={logdir}",
        *size,
    ]
    output = f"{logdir}.log"
    with open(output, "wb") as file, launched.run(arguments, file.fileno()) as process:
        yield Soak(process, members, output)


def _schedule(kinds: tuple[str, ...], draw: random.Random) -> Iterator[tuple[str, str]]:
    """Yields a kind and a signal for each fault; of ten, one stops and three ask."""
    for turn in range(_FAULTS.value):
        name = (
            "SIGSTOP" if turn % 10 == 4 else "SIGTERM" if turn % 3 == 2 else "SIGKILL"
        )
        for kind in draw.sample(kinds, len(kinds)):
            yield kind, name


def _kind(node: str) -> str:
    return node.partition("/")[0]


def _frames(logdir: str) -> int:
    try:
        return int(run_files.newest_row(logdir).get(run_files.FRAMES, 0))
    except run_files.RunFilesError:
        return 0


def _is_beyond(logdir: str, frames: int) -> bool:
    return _frames(logdir) > frames


def _newest_checkpoint(logdir: str) -> pathlib.Path | None:
    newest = checkpoints.newest_sound(pathlib.Path(run_folder.checkpoints(logdir)))
    return newest[0] if newest else None


def _since_checkpoint(logdir: str) -> tuple[int, float]:
    """Returns frames and seconds of training since the newest checkpoint."""
    newest = _newest_checkpoint(logdir)
    assert newest is not None
    kept = int(newest.name.rpartition("-")[2])
    metrics = run_files.read_metrics(logdir, ["seconds"])
    frames, seconds = metrics[run_files.FRAMES], metrics["seconds"]
    lost = frames > kept
    if not lost.any():
        return 0, 0.0
    # A row comes every second; the time in which the learner was away is before them.
    return int(frames[-1]) - kept, float(np.ptp(seconds[lost]))


def _leaves(params: object) -> list[np.ndarray]:
    if isinstance(params, dict):
        return [leaf for each in params.values() for leaf in _leaves(each)]
    return [np.asarray(params)]


def _shared_memory() -> set[str]:
    return set(os.listdir("/dev/shm"))


def _trends(samples: list[tuple[float, run_processes.Held]]) -> dict[str, object]:
    """Returns how what is held grows in an hour, with 95 % intervals of the slope."""
    hours = np.array([seconds / 3600 for seconds, _ in samples])
    trends: dict[str, object] = {}
    for name in ("megabytes", "descriptors", "processes"):
        values = np.array([getattr(held, name) for _, held in samples], float)
        fit = stats.linregress(hours, values)
        reach = stats.t.ppf(0.975, len(values) - 2) * fit.stderr
        trends[name] = {
            "slope": float(fit.slope),
            "interval": [float(fit.slope - reach), float(fit.slope + reach)],
            "mean": float(np.mean(values)),
        }
    return trends


def _table(kinds: tuple[str, ...], faults: list[Fault]) -> rich_table.Table:
    drawn = rich_table.Table(
        "hit", "KILL", "TERM", "STOP", "median s", "worst s", "frames lost, worst"
    )
    for kind in kinds:
        of_kind = [fault for fault in faults if fault.kind == kind]
        count = collections.Counter(fault.signal for fault in of_kind)
        seconds = [fault.seconds for fault in of_kind]
        drawn.add_row(
            kind,
            *(str(count[name]) for name in ("SIGKILL", "SIGTERM", "SIGSTOP")),
            f"{np.median(seconds):.1f}",
            f"{max(seconds):.1f}",
            f"{max(fault.frames_lost for fault in of_kind):,}",
        )
    return drawn


if __name__ == "__main__":
    command_line.run(main)
