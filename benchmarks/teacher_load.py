"""How much one teacher server can carry: many actors, many teachers.

  python -m benchmarks.teacher_load

Random teachers of DeepMind Lab's sizes are made in a temporary folder. First the memory
of a server with shallow ones alone is measured, after each has answered at every batch
size in use, and after all are dropped. Then simulated actors, one thread each, ask real
servers (processes behind Courier) about unrolls of their own tasks, one after another,
with some of the teachers deep; with one replica and with more. Prints JSON.
"""

import json
import multiprocessing
import os
import sys
import tempfile
import threading
import time
from multiprocessing import connection as mp_connection
from typing import Any

import courier
import jax
import numpy as np
import portpicker
import psutil
from absl import flags

from kickstarting.agent import trajectory
from kickstarting.agent.agent import Agent
from kickstarting.config import agent as agent_config
from kickstarting.config import run as config_lib
from kickstarting.environments import base
from kickstarting.teaching import cards as teacher_cards
from kickstarting.teaching import files as teacher_files
from kickstarting.teaching import server as teacher_server
from kickstarting.teaching import teachers
from launch.computing import process_memory
from launch.flags import command_line, counts

_TEACHERS = flags.DEFINE_integer("teachers", 30, "Teachers, one for each task.")
_DEEP = flags.DEFINE_integer("deep", 3, "How many of them are deep under load.")
_ACTORS = flags.DEFINE_integer("actors", 64, "Simulated actors.")
_REPLICAS = flags.DEFINE_multi_integer("replicas", [1, 2], "Servers; may be repeated.")
_SECONDS = flags.DEFINE_float("seconds", 30.0, "Of each measurement.")
_WARM_UP_SECONDS = flags.DEFINE_float("warm_up_seconds", 30.0, "Before each of them.")
_UNROLL_LENGTH = counts.define("unroll_length", 32, "Steps of an unroll.")

# DeepMind Lab's frames and IMPALA's nine actions.
_SPEC = base.EnvironmentSpec((72, 96, 3), 0, tuple(f"action {i}" for i in range(9)), 4)
_ENVIRONMENTS = 16
_CALL_SECONDS = 120.0
# As launch/nodes/program.py gives a teacher server.
_THREADS = 64


def main(argv: list[str]) -> int:
    """Measures as the flags say and prints JSON; returns 0."""
    del argv
    for flag in (_TEACHERS, _ACTORS, _SECONDS, _UNROLL_LENGTH):
        if flag.value <= 0:
            raise config_lib.ConfigError(f"--{flag.name} must be above 0")
    if not 0 <= _DEEP.value <= _TEACHERS.value or min(_REPLICAS.value) < 1:
        raise config_lib.ConfigError("--deep or --replicas is out of range")
    with tempfile.TemporaryDirectory(prefix="teacher_load") as folder:
        shallow = [
            _save_teacher(folder, "shallow", seed) for seed in range(_TEACHERS.value)
        ]
        deep = [_save_teacher(folder, "deep", seed) for seed in range(_DEEP.value)]
        mixed = [*deep, *shallow[len(deep) :]]
        summary: dict[str, Any] = {
            "cores": len(os.sched_getaffinity(0)),
            "teachers": _TEACHERS.value,
            "deep": _DEEP.value,
            "actors": _ACTORS.value,
            "unroll_length": _UNROLL_LENGTH.value,
            "memory_of_shallow_mb": _memory(shallow),
        }
        print(summary, file=sys.stderr)
        for replicas in _REPLICAS.value:
            name = f"replicas_{replicas}"
            summary[name] = _load(mixed, replicas)
            print(name, summary[name], file=sys.stderr)
    print(json.dumps(summary, indent=2))
    return 0


def _save_teacher(folder: str, torso: str, seed: int) -> str:
    network = agent_config.NetworkConfig(torso=torso)
    shapes = jax.eval_shape(Agent(_SPEC, network).init_params, jax.random.key(0))
    random = np.random.default_rng(seed)
    params = jax.tree.map(
        lambda x: random.normal(scale=0.03, size=x.shape).astype(np.float32), shapes
    )
    path = os.path.join(folder, f"{torso}_{seed}")
    task = f"dmlab30:level_{seed}"
    card = teacher_cards.TeacherCard(
        scores=(teacher_cards.TaskScore(task, 0.0, 0.0, 1, None),),
        action_names=_SPEC.action_names,
        frame_shape=_SPEC.frame_shape,
        instruction_length=_SPEC.instruction_length,
        action_repeat=_SPEC.action_repeat,
        network=network,
        environment_frames=0,
        command="none: random weights",
        seed=seed,
        git_revision="none",
    )
    teacher_files.save_teacher(path, params, card)
    return path


def _slice(seed: int, *leading: int) -> tuple[trajectory.Observation, np.ndarray]:
    """Returns random observations [*leading, ...], and first bool [*leading]."""
    random = np.random.default_rng(seed)
    observation = trajectory.Observation(
        random.integers(0, 256, (*leading, *_SPEC.frame_shape), np.uint8),
        np.zeros((*leading, _SPEC.instruction_length), np.int32),
        random.integers(0, _SPEC.num_actions, leading).astype(np.int32),
        np.zeros(leading, np.float32),
    )
    return observation, np.zeros(leading, bool)


def _memory(names: list[str]) -> dict[str, float]:
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    arguments = (names, _UNROLL_LENGTH.value, sender)
    process = context.Process(target=_measure_memory, args=arguments)
    process.start()
    # Or the end of the process would not be the end of the pipe.
    sender.close()
    try:
        return receiver.recv()
    finally:
        process.join()


def _measure_memory(
    names: list[str], length: int, sender: mp_connection.Connection
) -> None:
    process_memory.keep_freed_memory()
    jax.block_until_ready(jax.numpy.zeros(1) + 1)
    without = _resident_mb(os.getpid())
    start = time.monotonic()
    held = [teachers.load(name) for name in names]
    loaded = _resident_mb(os.getpid())
    sizes = [
        size
        for size in teachers.BATCH_SIZES
        if size <= teacher_server.LARGEST_BATCH_ON_CPU
    ]
    for teacher in held:
        for size in sizes:
            teacher.label(*_slice(0, size, length), teacher.initial_state(size))
    answered = _resident_mb(os.getpid())
    seconds = time.monotonic() - start
    del held, teacher
    process_memory.give_back_freed_memory()
    sender.send(
        {
            "without_teachers": without,
            "loaded": loaded - without,
            "all_have_answered": answered - without,
            "dropped": _resident_mb(os.getpid()) - without,
            "largest_batch": float(sizes[-1]),
            "seconds_to_load_and_compile": seconds,
        }
    )


def _load(names: list[str], replicas: int) -> dict[str, Any]:
    context = multiprocessing.get_context("spawn")
    ports = [portpicker.pick_unused_port() for _ in range(replicas)]
    processes = [context.Process(target=_serve, args=(names, port)) for port in ports]
    for process in processes:
        process.start()
    addresses = [f"localhost:{port}" for port in ports]
    try:
        control = [courier.Client(a, call_timeout=_CALL_SECONDS) for a in addresses]
        for client in control:
            # Until it serves.
            client.totals()
        latencies = _Latencies()
        stop = threading.Event()
        actors = [
            threading.Thread(
                target=_act,
                args=(index, len(names), addresses, latencies, stop),
                daemon=True,
            )
            for index in range(_ACTORS.value)
        ]
        for actor in actors:
            actor.start()
        time.sleep(_WARM_UP_SECONDS.value)
        latencies.take()
        before = [client.totals() for client in control]
        time.sleep(_SECONDS.value)
        seconds = latencies.take()
        after = [client.totals() for client in control]
        memory = [_resident_mb(process.pid) for process in processes if process.pid]
        stop.set()
        for actor in actors:
            actor.join(_CALL_SECONDS)
        batches, unrolls = np.sum(np.subtract(after, before), axis=0)
        return {
            "unrolls_per_second": len(seconds) / _SECONDS.value,
            "mean_batch_size": unrolls / max(batches, 1),
            "latency_p50_seconds": float(np.percentile(seconds, 50)),
            "latency_p99_seconds": float(np.percentile(seconds, 99)),
            "failed_calls": latencies.failed,
            "resident_mb_of_each_server": memory,
        }
    finally:
        for process in processes:
            process.kill()
            process.join()


def _serve(names: list[str], port: int) -> None:
    """Is the process of one server; ended by a kill."""
    process_memory.keep_freed_memory()
    server = teacher_server.TeacherServer([[name] for name in names], 1)

    def totals() -> tuple[float, float]:
        batches = server.counters()["teacher_batches"]
        return batches, batches * server.gauges()["teacher_batch_size"]

    service = courier.Server(port=port, thread_pool_size=_THREADS)
    service.Bind("label", server.label)
    service.Bind("totals", totals)
    service.Start()
    server.run(threading.Event())


class _Latencies:
    """Seconds of each answer, from all actors."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seconds: list[float] = []
        self.failed = 0

    def add(self, seconds: float) -> None:
        with self._lock:
            self._seconds.append(seconds)

    def fail(self) -> None:
        with self._lock:
            self.failed += 1

    def take(self) -> list[float]:
        with self._lock:
            seconds, self._seconds = self._seconds, []
            return seconds


def _act(
    index: int,
    num_tasks: int,
    addresses: list[str],
    latencies: _Latencies,
    stop: threading.Event,
) -> None:
    """Is one actor: asks about an unroll of each of its environments in turn."""
    clients = [courier.Client(a, call_timeout=_CALL_SECONDS) for a in addresses]
    observation, first = _slice(index, _UNROLL_LENGTH.value)
    states: list[Any] = [None] * _ENVIRONMENTS
    # As launch/nodes/actor.py deals the tasks.
    tasks = (index * _ENVIRONMENTS + np.arange(_ENVIRONMENTS)) % num_tasks
    calls = index
    while not stop.is_set():
        environment = calls % _ENVIRONMENTS
        start = time.monotonic()
        try:
            _, _, states[environment], _ = (
                clients[calls % len(clients)]
                .futures.label(
                    int(tasks[environment]),
                    np.ones(1, bool),
                    *observation,
                    first,
                    states[environment],
                )
                .result()
            )
        except Exception:  # noqa: BLE001 - counted
            latencies.fail()
        else:
            latencies.add(time.monotonic() - start)
        calls += 1


def _resident_mb(process: int) -> float:
    return psutil.Process(process).memory_info().rss / 2**20


if __name__ == "__main__":
    command_line.run(main)
