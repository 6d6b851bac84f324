"""Agent steps/s, CPU time and memory of a whole program while it trains."""

import contextlib
import shutil
import subprocess
import tempfile
import threading
import time

import numpy as np
import psutil

from benchmarks.programs import launched
from kickstarting.config import run as config_lib
from kickstarting.reporting import run_files

# Of a run's frames: compilation and start-up lie before.
WARM_UP_SHARE = 0.25
_WORKER = "kickstarting.environments.stepping.fork_server"
_PERIOD_SECONDS = 2.0


def training(
    task: str, frames: int, extra: list[str], folder: str | None = None
) -> dict[str, float]:
    """Trains once, without an evaluation, and measures after the warm-up.

    Args:
      task: what is trained on.
      frames: environment frames.
      extra: further arguments.
      folder: of another revision's checkout, whose program is run; None: this one's.

    Returns:
      agent_steps_per_second; cpu_ms_per_step, of all the program's processes, for each
      agent step; memory_mb (PSS) of all, and worker_mb of an environment's worker, the
      most that was seen.

    Raises:
      RuntimeError: the program failed.
    """
    logdir = tempfile.mkdtemp(prefix="measured")
    try:
        arguments = [
            f"--tasks={task}",
            f"--logdir={logdir}",
            f"--total_frames={frames}",
            "--evaluation_episodes=0",
            "--checkpoint_minutes=60",
            *extra,
        ]
        with launched.run(arguments, folder=folder) as process:
            watcher = _Watcher(process, logdir)
            watcher.start()
            status = process.wait()
            watcher.join()
        if status:
            raise RuntimeError(f"the program ended with status {status}")
        metrics = run_files.read_metrics(logdir, ["seconds"])
        seen, seconds = metrics[run_files.FRAMES], metrics["seconds"]
        begin = int(np.searchsorted(seen, WARM_UP_SHARE * seen[-1]))
        rate = (seen[-1] - seen[begin]) / (seconds[-1] - seconds[begin])
        repeat = config_lib.Config.action_repeat
        return {
            "agent_steps_per_second": float(rate) / repeat,
            "cpu_ms_per_step": watcher.cpu_ms_per_frame(seen[-1]) * repeat,
            "memory_mb": watcher.memory_mb,
            "worker_mb": watcher.worker_mb,
        }
    finally:
        shutil.rmtree(logdir, ignore_errors=True)


class _Watcher(threading.Thread):
    """Looks at a program every two seconds, until it has ended."""

    def __init__(self, process: subprocess.Popen[bytes], logdir: str) -> None:
        super().__init__()
        self._process = process
        self._logdir = logdir
        self._looks: list[tuple[float, float]] = []
        self.memory_mb = self.worker_mb = 0.0

    def run(self) -> None:
        while self._process.poll() is None:
            # A process that ends while it is looked at spoils this look alone.
            with contextlib.suppress(psutil.Error):
                self._look()
            time.sleep(_PERIOD_SECONDS)

    def cpu_ms_per_frame(self, total: float) -> float:
        """Returns CPU milliseconds of a frame, after the warm-up and before the end.

        What a run does at its end, its last checkpoint and its pictures, is left out,
        unless it was too short to be looked at twice before.

        Args:
          total: frames of the whole run.
        """
        looks = [each for each in self._looks if each[0] >= WARM_UP_SHARE * total]
        training = [each for each in looks if each[0] < total]
        if len(training) > 1:
            looks = training
        (begun, before), (ended, after) = looks[0], looks[-1]
        return 1e3 * (after - before) / (ended - begun)

    def _look(self) -> None:
        root = psutil.Process(self._process.pid)
        seconds = memory = 0.0
        for one in [root, *root.children(recursive=True)]:
            times = one.cpu_times()
            seconds += times.user + times.system
            megabytes = one.memory_full_info().pss / 2**20
            memory += megabytes
            if _WORKER in one.cmdline():
                self.worker_mb = max(self.worker_mb, megabytes)
        self.memory_mb = max(self.memory_mb, memory)
        # Before its first row a run has no file, or one without columns.
        with contextlib.suppress(run_files.RunFilesError, OSError):
            newest = run_files.newest_row(self._logdir)
            # What a process has used goes with it when it ends.
            if newest and seconds >= max((each[1] for each in self._looks), default=0):
                self._looks.append((newest[run_files.FRAMES], seconds))
