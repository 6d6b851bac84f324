"""Runs commands that need one another side by side, with progress and time left."""

import contextlib
import dataclasses
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import IO

from rich import console as rich_console
from rich import progress as rich_progress

from launch.flags import preflight
from launch.processes import stop_signals

# Between two looks at how far the steps are, and whether one has ended.
_LOOK_SECONDS = 1.0
_POLL_SECONDS = 0.05


@dataclasses.dataclass(frozen=True)
class Step:
    """A command, and what it must wait for.

    Attributes:
      name: unique; shown.
      command: its arguments, the program first.
      log: the file that takes its output.
      frames: of work, for the bars; 0 where it is not counted.
      needs: names of the steps before it.
      done_frames: returns how many of the frames are done.
      finish: called once it has ended with status 0; where it raises one of
        preflight.UserErrors the step has failed.
    """

    name: str
    command: Sequence[str]
    log: str
    frames: int = 0
    needs: tuple[str, ...] = ()
    done_frames: Callable[[], int] = lambda: 0
    finish: Callable[[], None] = lambda: None


@dataclasses.dataclass
class _Running:
    step: Step
    process: subprocess.Popen
    bar: rich_progress.TaskID


class Runner:
    """Runs steps; for one call of `run`."""

    def __init__(
        self,
        steps: Sequence[Step],
        at_once: int,
        console: rich_console.Console,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Prepares.

        Args:
          steps: each after those that it needs; what is not among them is there.
          at_once: how many run side by side.
          console: where progress is shown.
          environment: variables for the commands, beside this process's.
        """
        self._waiting = list(steps)
        self._at_once = at_once
        self._console = console
        self._environment = {**os.environ, **(environment or {})}
        self._running: list[_Running] = []
        self._unfinished = {step.name for step in steps}
        self._failed: set[str] = set()
        self._signal = 0
        self._ended_frames = 0
        self._overall = rich_progress.TaskID(0)
        self._bars = rich_progress.Progress(
            rich_progress.TextColumn("{task.description}"),
            rich_progress.BarColumn(),
            rich_progress.TaskProgressColumn(),
            rich_progress.TimeElapsedColumn(),
            rich_progress.TimeRemainingColumn(),
            console=console,
            # Frames come in bursts, and runs begin with minutes of compilation.
            speed_estimate_period=300,
        )

    def run(self) -> int:
        """Runs the steps to their end.

        A step that fails takes those with it that need it; all others go on. On SIGINT
        and SIGTERM the running ones are asked to stop, and are waited for.

        Returns:
          0; 1 where a step failed; 128 + N after signal N.
        """
        total = sum(step.frames for step in self._waiting)
        with self._bars, self._signals():
            self._overall = self._bars.add_task("all", total=total or None)
            try:
                while self._running or self._next() is not None:
                    self._begin_what_may()
                    self._look_after_running()
                    self._wait_for_an_end()
            finally:
                self._stop()
        if self._signal:
            return 128 + self._signal
        return 1 if self._failed else 0

    def _next(self) -> Step | None:
        if self._signal:
            return None
        for step in list(self._waiting):
            if self._failed.intersection(step.needs):
                self._waiting.remove(step)
                self._failed.add(step.name)
                self._say(f"Left out {step.name}, which needs what failed")
            elif not self._unfinished.intersection(step.needs):
                return step
        return None

    def _begin_what_may(self) -> None:
        while len(self._running) < self._at_once:
            step = self._next()
            if step is None:
                return
            self._waiting.remove(step)
            os.makedirs(os.path.dirname(step.log), exist_ok=True)
            with open(step.log, "ab") as log:
                process = self._process(step, log)
            bar = self._bars.add_task(step.name, total=step.frames or None)
            self._running.append(_Running(step, process, bar))
            if self._signal:
                # It came while this one was started, which was not known then.
                self._ask_to_stop()

    def _process(self, step: Step, log: IO[bytes]) -> subprocess.Popen:
        return subprocess.Popen(
            step.command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=self._environment,
            # Ctrl-C comes to this process alone, which passes it on once.
            start_new_session=True,
        )

    def _look_after_running(self) -> None:
        under_way = 0
        for each in list(self._running):
            step = each.step
            done = min(step.done_frames(), step.frames)
            self._bars.update(each.bar, completed=done)
            status = each.process.poll()
            if status is None:
                under_way += done
                continue
            self._running.remove(each)
            self._bars.remove_task(each.bar)
            self._ended_frames += step.frames
            self._end(step, status)
        self._bars.update(self._overall, completed=self._ended_frames + under_way)

    def _wait_for_an_end(self) -> None:
        """Returns when a step has ended, or it is time to look how far they are."""
        deadline = time.monotonic() + _LOOK_SECONDS
        while self._running and time.monotonic() < deadline:
            if any(each.process.poll() is not None for each in self._running):
                return
            time.sleep(_POLL_SECONDS)

    def _end(self, step: Step, status: int) -> None:
        if status == 0:
            self._finish(step)
        elif not self._signal:
            self._failed.add(step.name)
            self._say(f"Failed with status {status}: {step.name}; see {step.log}")
            self._say(_last_line(step.log))

    def _finish(self, step: Step) -> None:
        try:
            step.finish()
        except (OSError, *preflight.UserErrors) as error:
            self._failed.add(step.name)
            self._say(f"Failed after its end: {step.name}: {error}")
            return
        self._unfinished.discard(step.name)
        self._say(f"Finished {step.name}")

    def _say(self, line: str) -> None:
        self._console.print(line, highlight=False, soft_wrap=True, markup=False)

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        before = {
            number: signal.signal(number, self._remember)
            for number in (
                signal.SIGINT,
                signal.SIGTERM,
                *stop_signals.by_the_terminal_s_end(),
            )
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _remember(self, number: int, frame: object) -> None:
        del frame
        if not self._signal:
            self._signal = number
            self._ask_to_stop()

    def _ask_to_stop(self) -> None:
        for each in self._running:
            if each.process.poll() is None:
                each.process.terminate()

    def _stop(self) -> None:
        """Ends what still runs, if this method is reached by an error."""
        self._ask_to_stop()
        for each in self._running:
            each.process.wait()


def _last_line(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as file:
        lines = [line.strip() for line in file if line.strip()]
    return lines[-1] if lines else "It wrote nothing."
