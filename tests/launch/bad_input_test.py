"""Whatever is wrong is told in one line, with status 2, before anything is touched."""

import os
import pathlib
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from unittest import mock

import numpy as np
from absl.testing import absltest, parameterized

from kickstarting.config import agent as agent_config
from kickstarting.config import run as config_lib
from kickstarting.environments import suites
from kickstarting.ring import resumption
from kickstarting.storage import checkpoints
from launch.flags import preflight
from launch.monitoring import run_folder
from launch.processes import private_network
from tests.environments import lab_stand_in
from tests.launch import program_run, refusal


def _save_checkpoint(logdir: str, core_size: int) -> None:
    config = config_lib.Config(
        tasks=(program_run.GRID,),
        logdir=logdir,
        action_repeat=1,
        network=agent_config.NetworkConfig(core_size=core_size),
    )
    spec = suites.environment_spec(program_run.GRID, 1)
    metadata = {**resumption.metadata(config, spec), "telemetry": {"frames": 20}}
    store = checkpoints.Checkpoints(run_folder.checkpoints(logdir), 3)
    store.save(20, {"params": {"w": np.zeros(2, np.float32)}}, metadata)


def _used(logdir: str) -> Sequence[str]:
    _save_checkpoint(logdir, core_size=32)
    return ("--noresume",)


def _of_another_network(logdir: str) -> Sequence[str]:
    _save_checkpoint(logdir, core_size=16)
    return ()


def _teacher_of(**fields) -> Callable[[str], Sequence[str]]:
    def make(logdir: str) -> Sequence[str]:
        program_run.save_random_teacher(f"{logdir}.teacher", **fields)
        return (f"--teachers={logdir}.teacher",)

    return make


def _teacher_of_other_actions(logdir: str) -> Sequence[str]:
    names = tuple(f"other{i}" for i in range(7))
    return _teacher_of(action_names=names)(logdir)


def _corrupt_teacher(logdir: str) -> Sequence[str]:
    arguments = _teacher_of()(logdir)
    weights = pathlib.Path(f"{logdir}.teacher", "weights.safetensors")
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 0xFF
    weights.write_bytes(content)
    return arguments


def _teacher_without_weights(logdir: str) -> Sequence[str]:
    arguments = _teacher_of()(logdir)
    pathlib.Path(f"{logdir}.teacher", "weights.safetensors").unlink()
    return arguments


def _uncovered_task(logdir: str) -> Sequence[str]:
    (teacher,) = _teacher_of()(logdir)
    folder = teacher.partition("=")[2]
    return (
        f"--tasks={program_run.GRID},gym:MiniGrid-Empty-6x6-v0",
        f"--teachers={program_run.GRID}={folder}",
    )


def _file_in_the_way(logdir: str) -> Sequence[str]:
    pathlib.Path(logdir).write_text("mine")
    return ()


def _broken_events(logdir: str) -> Sequence[str]:
    pathlib.Path(logdir).mkdir()
    pathlib.Path(logdir, "population.jsonl").write_text("not JSON\n")
    return ("--population_size=2",)


def _flags(*arguments: str) -> Callable[[str], Sequence[str]]:
    return lambda logdir: arguments


# (name, what is done to the logdir and which flags are given, what the line must say)
_TABLE = (
    ("unknown_suite", _flags("--tasks=dom:basic"), "did you mean 'doom'?"),
    ("no_suite", _flags("--tasks=basic"), "must be suite:level"),
    ("unknown_level", _flags("--tasks=doom:basik"), "did you mean 'basic'?"),
    ("unknown_id", _flags("--tasks=gym:MiniGrid-Emty-5x5-v0"), "MiniGrid-Empty-5x5"),
    ("unknown_xland", _flags("--tasks=xland:MiniGrid-DoorKy-8x8"), "MiniGrid-DoorKey"),
    ("no_task", _flags("--tasks="), "tasks must name at least one"),
    (
        "members_without_reference",
        _flags("--population_size=2", "--tasks=gym:MiniGrid-Empty-6x6-v0"),
        "has no reference score",
    ),
    (
        "evolved_fixed_end",
        _flags(
            "--population_size=2",
            "--kickstarting_schedule=exponential",
            "--kickstarting_end_frames=1000",
            "--kickstarting_final_weight=0.1",
        ),
        "another kickstarting_schedule",
    ),
    (
        "evolved_points",
        _flags("--population_size=2", "--kickstarting_points=0:4,100:0"),
        "a piecewise schedule fixes",
    ),
    (
        "points",
        _flags("--kickstarting_points=0:4,100=0"),
        "kickstarting_points must be frames:λ",
    ),
    ("broken_events", _broken_events, "line 1 is no event"),
    ("task_twice", _flags("--tasks=doom:basic,doom:basic"), "twice"),
    (
        "mixed_tasks",
        _flags(f"--tasks=doom:basic,{program_run.GRID}"),
        "tasks that agree",
    ),
    ("not_a_number", _flags("--total_frames=many"), "total_frames"),
    ("not_a_choice", _flags("--optimiser=sgd"), "optimiser"),
    ("unknown_flag", _flags("--totl_frames=9"), "did you mean 'total_frames'?"),
    ("stray_argument", _flags("doom:basic"), "flags begin with --"),
    ("too_few_frames", _flags("--total_frames=19"), "below one batch (20 frames)"),
    ("small_queue", _flags("--queue_size=1"), "cannot fill a batch"),
    ("file_in_the_way", _file_in_the_way, "cannot write to"),
    ("unwritable", _flags("--logdir=/proc/kickstarting"), "cannot write to"),
    ("below_a_file", _flags("--logdir=/dev/null/run"), "cannot write to"),
    ("other_network", _of_another_network, "network"),
    ("used_logdir", _used, "already holds a run"),
    ("missing_teacher", _flags("--teachers=no/such/teacher"), "no/such/teacher"),
    ("missing_module", _flags("--teachers=no_such_module:make"), "no_such_module"),
    ("not_a_teacher", _flags("--teachers=os:getcwd"), "has no action_names"),
    ("teacher_of_other_actions", _teacher_of_other_actions, "other0"),
    ("teacher_of_other_view", _teacher_of(task="doom:basic"), "forward"),
    ("teacher_other_shape", _teacher_of(instruction_length=3), "instruction length"),
    ("corrupt_teacher", _corrupt_teacher, "weights"),
    ("teacher_without_weights", _teacher_without_weights, "weights"),
    ("uncovered_task", _uncovered_task, "no teacher covers gym:MiniGrid-Empty-6x6-v0"),
    ("teacher_of_no_task", _flags("--teachers=doom:basic=x"), "not among the tasks"),
    ("only_distil", _flags("--noreinforcement"), "needs a teacher"),
    (
        "other_action_set",
        _flags("--tasks=doom:basic", "--action_set=extended"),
        "doom:basic has one action set",
    ),
    (
        "scale_of_no_task",
        _flags("--reward_scales=doom:basik=0.1"),
        "reward_scales names doom:basik, which is not among the tasks: gym:",
    ),
    (
        "scale_of_nothing",
        _flags("--reward_scales=0.1"),
        "--reward_scales must be name=number pairs, not '0.1'",
    ),
    ("level_seeds", _flags("--level_seeds=0..9"), "--level_seeds must be first-last"),
    ("falling_seeds", _flags("--level_seeds=9-0"), "--level_seeds must rise"),
    ("unknown_lab_level", _flags("--tasks=dmlab30:rooms_maze"), "rooms_watermaze"),
)


class BadInputTest(refusal.RefusalTest):
    @parameterized.named_parameters(*_TABLE)
    def test_refused(self, prepare, says):
        self.check_refused(prepare(self.logdir), says)

    def test_port_taken(self):
        with socket.socket() as taken:
            taken.bind(("", 0))
            taken.listen()
            port = taken.getsockname()[1]
            self.check_refused((f"--base_port={port}",), f"port {port} is taken")

    @absltest.mock.patch.object(private_network, "_has_entered", True)
    def test_metrics_that_nobody_would_reach(self):
        self.check_refused(("--metrics_port=9100",), "out of reach in the run's own")

    def test_full_disk(self):
        folder = self.create_tempdir().full_path
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "none", folder],
            stderr=subprocess.DEVNULL,
        )
        if mounted.returncode == 0:
            self.addCleanup(subprocess.run, ["umount", folder], check=True)
            self.check_refused((f"--logdir={folder}/run",), "1 MiB free")
        else:
            # Without the right to mount, every disk is full enough for a greedy run.
            with self.assertRaisesRegex(checkpoints.CheckpointError, "MiB free"):
                checkpoints.check_writable(folder, 2**60)

    def test_batch_that_devices_cannot_share(self):
        config = config_lib.Config(tasks=("doom:basic",), logdir=self.logdir)
        devices = config.batch_size + 1
        with self.assertRaisesRegex(config_lib.ConfigError, f"{devices} devices"):
            preflight.check(config, num_devices=devices, num_ports=2)
        self.assertFalse(os.path.exists(self.logdir))

    def test_missing_vizdoom(self):
        shadow = self.create_tempdir()
        shadow.create_file("vizdoom.py", "raise ImportError('libSDL2 is missing')\n")
        run = subprocess.run(
            [
                *(sys.executable, "-m", "launch.train", "--tasks=doom:basic"),
                f"--logdir={self.logdir}",
            ],
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join([shadow.full_path, *sys.path]),
            },
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertEqual(run.returncode, 2, run.stderr)
        self.assertEqual(
            run.stderr,
            "train.py: the doom suite needs vizdoom, which cannot be imported (libSDL2 "
            "is missing): pip install vizdoom\n",
        )
        self.assertEqual(run.stdout, "")
        self.assertFalse(os.path.exists(self.logdir))

    def test_missing_deepmind_lab(self):
        for task in ("dmlab30:rooms_watermaze", "dmlab:tests/empty_room_test"):
            with (
                self.subTest(task),
                mock.patch.dict(sys.modules, {"deepmind_lab": None}),
            ):
                self.check_refused(
                    (f"--tasks={task}",),
                    f"{task} needs DeepMind Lab, which is not installed: it is built "
                    "from its own repository, github.com/google-deepmind/lab "
                    "(docs/dmlab.md); the doom suite runs without it",
                )

    @parameterized.named_parameters(
        (
            "cache",
            ("rooms_watermaze", "--level_cache=/proc/cache"),
            "cannot write to the level cache '/proc/cache'",
        ),
        (
            "no_dataset",
            ("psychlab_continuous_recognition", "--level_cache="),
            "none is given: name it by --dataset_path",
        ),
        (
            "missing_dataset",
            ("psychlab_continuous_recognition", "--dataset_path=/no/such"),
            "there is none at '/no/such'",
        ),
        (
            "dataset_of_something_else",
            ("psychlab_continuous_recognition", "--dataset_path=/proc"),
            "'/proc' has no 0001.png",
        ),
    )
    def test_deepmind_lab_lacks(self, arguments, says):
        lab_stand_in.install(self)
        level, flag = arguments
        self.check_refused((f"--tasks=dmlab30:{level}", flag), says)

    def test_deepmind_lab_has_no_such_level(self):
        lab_stand_in.install(self)
        self.check_refused(
            ("--tasks=dmlab:contributed/dmlab30/rooms_watermase", "--level_cache="),
            "(did you mean 'contributed/dmlab30/rooms_watermaze'?)",
        )


if __name__ == "__main__":
    absltest.main()
