"""launch.train as a person starts it, and every process that it leaves."""

import contextlib
import dataclasses
import fcntl
import functools
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import termios
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np
from absl.testing import absltest

from kickstarting.agent.agent import Agent
from kickstarting.config import agent as agent_config
from kickstarting.environments import base, suites
from kickstarting.reporting import run_files
from kickstarting.teaching import cards as teacher_cards
from kickstarting.teaching import files as teacher_files
from launch.processes import run_health

GRID = "gym:MiniGrid-Empty-5x5-v0"
# Compiles and runs in seconds.
GRID_FLAGS = (
    f"--tasks={GRID}",
    "--action_repeat=1",
    "--torso=small_grid",
    "--nolanguage",
)
SMALL_FLAGS = (
    # Whatever suits a suite, these are as small as can be.
    "--norecommended",
    "--core_size=32",
    "--environments_per_actor=2",
    "--unroll_length=10",
    "--batch_size=2",
    "--evaluation_episodes=0",
)
# What both build.
SMALL_NETWORK = agent_config.NetworkConfig("small_grid", core_size=32, language=False)
FRAMES_PER_GRID_UPDATE = 20
# Nobody answers there: whoever asks a proxy waits in vain.
DEAD_PROXIES = {
    variable: "http://127.0.0.1:9"
    for name in ("http", "https", "all", "grpc")
    for variable in (f"{name}_proxy", f"{name.upper()}_PROXY")
}
_MARK = "KICKSTARTING_TEST_MARK"
_DEADLINE = 270.0
_SLOW_STEPS = pathlib.Path(__file__).with_name("slow_steps").absolute()


def compiled_folder() -> str:
    """Returns what ./run_tests named, or a folder of this user's own like it."""
    if named := os.environ.get("JAX_COMPILATION_CACHE_DIR"):
        return named
    folder = pathlib.Path(tempfile.gettempdir(), f"kickstarting-tests-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} is another user's")
    return str(folder)


def _take_terminal(terminal: int) -> None:
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)


class ProgramRun:
    """One process of an entry point with all that it starts."""

    def __init__(
        self,
        test: absltest.TestCase,
        *arguments: str,
        module: str = "launch.train",
        compiled: str | None = None,
        slow_steps: bool = False,
        variables: Mapping[str, str] | None = None,
        terminal: int | None = None,
        machine: str = "",
    ) -> None:
        """Starts it; the test's end ends it at the latest.

        Args:
          test: for its temporary folder and its clean-up.
          *arguments: the command line.
          module: the entry point.
          compiled: folder of what it compiles; None: one that all tests share.
          slow_steps: whether a step of MiniGrid takes a hundredth of a second: what is
            only to go on for a while leaves the processors to the tests beside it.
          variables: of the environment, in addition.
          terminal: descriptor of the one that it stands on; None: files.
          machine: commands of a shell that make the machine another one, for it alone:
            limits, and mounts, which take the rights of root.
        """
        command = [sys.executable, "-m", module, *arguments]
        if machine:
            script = f'{machine}; exec "$0" "$@"'
            command = ["unshare", "--mount", "bash", "-ec", script, *command]
        path = [str(_SLOW_STEPS)] * slow_steps + sys.path
        self._mark = uuid.uuid4().hex
        self._outputs = [
            pathlib.Path(test.create_tempfile(f"{self._mark}.{name}").full_path)
            for name in ("out", "err")
        ]
        with self._outputs[0].open("wb") as out, self._outputs[1].open("wb") as err:
            streams = {"stdin": subprocess.DEVNULL, "stdout": out, "stderr": err}
            take_terminal = None
            if terminal is not None:
                streams = dict.fromkeys(streams, terminal)
                take_terminal = functools.partial(_take_terminal, terminal)
            self._process = subprocess.Popen(
                command,
                **streams,
                # Of a session without one it becomes the controlling terminal.
                preexec_fn=take_terminal,
                env={
                    **os.environ,
                    "PYTHONPATH": os.pathsep.join(filter(None, path)),
                    # What one run has compiled the next need not.
                    "JAX_COMPILATION_CACHE_DIR": compiled or compiled_folder(),
                    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
                    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
                    _MARK: self._mark,
                    **(variables or {}),
                },
                # Its process group is what a terminal's Ctrl-C would reach.
                start_new_session=True,
            )
        test.addCleanup(self.kill_all)

    @property
    def stdout(self) -> str:
        """What it has written to standard output."""
        return self._outputs[0].read_text()

    @property
    def stderr(self) -> str:
        """What it has written to standard error."""
        return self._outputs[1].read_text()

    def processes(self) -> dict[int, str]:
        """Returns the command lines of all living processes of the run, by id."""
        found = {}
        mark = f"{_MARK}={self._mark}".encode()
        for folder in pathlib.Path("/proc").iterdir():
            if not folder.name.isdigit():
                continue
            try:
                if mark in (folder / "environ").read_bytes().split(b"\0"):
                    words = (folder / "cmdline").read_bytes().split(b"\0")
                    found[int(folder.name)] = b" ".join(words).decode()
            except OSError:
                continue
        return {process: words for process, words in found.items() if words}

    def kept_nodes(self, group: str = "") -> list[int]:
        """Returns the ids of nodes whose parent is a node as well: their keeper.

        A worker that such a node has forked, and that is not itself yet, is none.

        Args:
          group: of the nodes, e.g. 'actor'; empty: of all groups.
        """
        nodes = {
            process
            for process, words in self.processes().items()
            if "process_entry" in words and f"{group}.pkl" in words
        }
        parents = {}
        for process in nodes:
            with contextlib.suppress(FileNotFoundError):
                stat = pathlib.Path(f"/proc/{process}/stat").read_text()
                parents[process] = int(stat.rpartition(")")[2].split()[1])
        return [
            process
            for process, parent in parents.items()
            if parent in nodes and parents.get(parent) not in nodes
        ]

    def wait(self, seconds: float = _DEADLINE) -> int:
        """Returns the exit status, -N for signal N.

        Raises:
          AssertionError: it takes longer than so many seconds.
        """
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired as error:
            raise AssertionError(
                f"no end: {self.processes()}\n{self.stdout}\n{self.stderr}"
            ) from error

    def wait_until_gone(self, seconds: float) -> dict[int, str]:
        """Returns the processes that still live after so many seconds."""
        deadline = time.monotonic() + seconds
        while self.processes() and time.monotonic() < deadline:
            time.sleep(0.1)
        return self.processes()

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Waits while the run goes on.

        Raises:
          AssertionError: the run ended before, or takes too long.
        """
        deadline = time.monotonic() + _DEADLINE
        while not condition():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"in vain: {self.stdout}\n{self.stderr}")
            time.sleep(0.1)

    def wait_for_frames(self, logdir: str, frames: int) -> None:
        """Waits until metrics.csv tells of more than `frames`; see `wait_for`."""
        self.wait_for(lambda: last_frames(logdir) > frames)

    def interrupt(self) -> None:
        """Ctrl-C: SIGINT to the whole process group."""
        os.killpg(self._process.pid, signal.SIGINT)

    def terminate(self) -> None:
        """SIGTERM to the first process alone, as a scheduler sends it."""
        self._process.terminate()

    def kill(self) -> None:
        """SIGKILL to the first process alone."""
        self._process.kill()

    def kill_all(self) -> None:
        """SIGKILL to everything that is left."""
        for process in self.processes():
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self._process.wait()


def children() -> set[int]:
    """Returns the ids of this process's children."""
    found = set()
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name, in parentheses, may hold spaces.
            _, parent, *_ = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(parent) == os.getpid():
            found.add(int(stat.parent.name))
    return found


def check_stopped(
    test: absltest.TestCase, run: ProgramRun, number: int, logdir: str
) -> int:
    """Checks the end of a run that was just sent a signal.

    Args:
      test: whose assertions are used.
      run: it.
      number: of the signal.
      logdir: of the run.

    Returns:
      environment frames of its last checkpoint.
    """
    start = time.monotonic()
    test.assertEqual(run.wait(), 128 + number, run.stdout + run.stderr)
    test.assertLess(time.monotonic() - start, 10)
    test.assertEmpty(run.wait_until_gone(1))
    for noise in ("Traceback", "(Pdb)", "failed"):
        test.assertNotIn(noise, run.stdout + run.stderr)
    (health,) = run_health.read(logdir)
    test.assertFalse(health.is_running)
    frames = frames_of(checkpoints(logdir)[-1])
    test.assertIn(f"Stopped at {frames:,} frames.", run.stdout)
    return frames


def last_frames(logdir: str) -> int:
    """Returns the frames of the last row of metrics.csv, 0 without one."""
    if not os.path.exists(os.path.join(logdir, run_files.METRICS_FILE)):
        return 0
    return int(run_files.newest_row(logdir).get(run_files.FRAMES, 0))


def checkpoints(logdir: str) -> list[pathlib.Path]:
    """Returns the checkpoints' folders, oldest first."""
    return sorted(pathlib.Path(logdir, "checkpoints").glob("checkpoint-*"))


def frames_of(checkpoint: pathlib.Path) -> int:
    """Returns the environment frames of a checkpoint."""
    return json.loads((checkpoint / "checkpoint.json").read_text())["frames"]


def save_random_teacher(
    folder: str,
    task: str = GRID,
    action_repeat: int = 1,
    mean_return: float = 0.5,
    **fields: Any,
) -> None:
    """Writes a teacher with random weights.

    Args:
      folder: of the teacher.
      task: that its card names, and whose spec it fits.
      action_repeat: environment frames for each of its steps.
      mean_return: that its card claims.
      **fields: of the card, in place of those that fit the task.
    """
    spec = suites.environment_spec(task, action_repeat)
    network = SMALL_NETWORK
    if task != GRID:
        network = dataclasses.replace(network, torso="auto")
    params = _random_params(spec, network)
    card = {
        "scores": (teacher_cards.TaskScore(task, mean_return, 0.1, 2, None),),
        "action_names": spec.action_names,
        "frame_shape": spec.frame_shape,
        "instruction_length": spec.instruction_length,
        "action_repeat": action_repeat,
        "network": network,
        "environment_frames": 0,
        "command": "none: random weights",
        "seed": 7,
        "git_revision": "unknown",
    }
    teacher_files.save_teacher(
        folder, params, teacher_cards.TeacherCard(**{**card, **fields})
    )


@functools.cache
def _random_params(
    spec: base.EnvironmentSpec, network: agent_config.NetworkConfig
) -> Any:
    """Returns weights that fit, the same ones each time, and compiles nothing."""
    random = np.random.default_rng(7)
    shapes = jax.eval_shape(Agent(spec, network).init_params, jax.random.key(0))
    return jax.tree.map(
        lambda x: random.normal(scale=0.1, size=x.shape).astype(x.dtype), shapes
    )
