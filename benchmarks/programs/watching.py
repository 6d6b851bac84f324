"""What running members of a population, or single runs, get done and what they use."""

import dataclasses
import math
import subprocess
import time
from collections.abc import Sequence

import psutil

from kickstarting.reporting import run_files

# Of a member's frames: compilation and start-up lie before.
WARM_UP_SHARE = 0.25
_PERIOD_SECONDS = 2.0
# The kernel walks every page for it.
_SAMPLES_A_MEMORY = 5


@dataclasses.dataclass(frozen=True)
class Sample:
    """One look.

    Attributes:
      seconds: of the clock on the wall.
      cpu_seconds: of all processes that lived then.
      frames: of each member.
    """

    seconds: float
    cpu_seconds: float
    frames: tuple[float, ...]


@dataclasses.dataclass(frozen=True)
class Watched:
    """What was seen.

    Attributes:
      samples: from start to end.
      memory_mb: the most memory of all processes together, each shared page divided
        among those that share it (PSS).
    """

    samples: list[Sample]
    memory_mb: float

    def rates(self, total_frames: int) -> dict[str, float]:
        """Returns frames/s of all members, and the CPU milliseconds of a frame.

        Both while all members train: from when the last one is warm to when the first
        one ends.

        Args:
          total_frames: of each member.

        Raises:
          RuntimeError: there was no such time.
        """
        (rates,) = rates_together([self], total_frames)
        return rates

    def _while_all_train(self, total_frames: int) -> tuple[float, float]:
        """Returns the seconds at which the last one is warm, and the first one ends."""
        at = [
            each.seconds
            for each in self.samples
            if WARM_UP_SHARE * total_frames <= min(each.frames, default=0.0)
            and max(each.frames) < total_frames
        ]
        return min(at, default=math.inf), max(at, default=-math.inf)

    def _rates_between(self, begin: float, end: float) -> dict[str, float]:
        seen = [each for each in self.samples if begin <= each.seconds <= end]
        if len(seen) < 2:
            raise RuntimeError("one member ended before another began: raise --frames")
        first, last = seen[0], seen[-1]
        frames = sum(last.frames) - sum(first.frames)
        return {
            "frames_per_second": frames / (last.seconds - first.seconds),
            "cpu_ms_per_frame": 1e3 * (last.cpu_seconds - first.cpu_seconds) / frames,
        }


def rates_together(
    watched: Sequence[Watched], total_frames: int
) -> list[dict[str, float]]:
    """Returns the rates of each, as Watched.rates, while members of all of them train.

    Args:
      watched: at the same time.
      total_frames: of each member.

    Raises:
      RuntimeError: there was no such time.
    """
    times = [each._while_all_train(total_frames) for each in watched]
    begin = max(begin for begin, _ in times)
    end = min(end for _, end in times)
    return [each._rates_between(begin, end) for each in watched]


def watch(processes: Sequence[subprocess.Popen], logdirs: Sequence[str]) -> Watched:
    """Waits for the processes to end.

    Args:
      processes: with all that they have started.
      logdirs: of the members.
    """
    samples: list[Sample] = []
    most = 0.0
    while any(process.poll() is None for process in processes):
        alive = _with_descendants(processes)
        frames = tuple(map(frames_of, logdirs))
        samples.append(Sample(time.monotonic(), sum(map(_cpu, alive)), frames))
        if len(samples) % _SAMPLES_A_MEMORY == 0:
            most = max(most, sum(map(_memory, alive)))
        time.sleep(_PERIOD_SECONDS)
    return Watched(samples, most)


def _with_descendants(processes: Sequence[subprocess.Popen]) -> list[psutil.Process]:
    found: list[psutil.Process] = []
    for process in processes:
        try:
            root = psutil.Process(process.pid)
            found += [root, *root.children(recursive=True)]
        except psutil.Error:
            continue
    return found


def _cpu(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return times.user + times.system


def _memory(process: psutil.Process) -> float:
    try:
        return process.memory_full_info().pss / 2**20
    except psutil.Error:
        return 0.0


def frames_of(logdir: str) -> float:
    """Returns the environment frames of a member by its metrics, 0 before the first."""
    try:
        return run_files.newest_row(logdir).get(run_files.FRAMES, 0.0)
    except run_files.RunFilesError:
        return 0.0
