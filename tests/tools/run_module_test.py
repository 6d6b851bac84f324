"""A run in another folder keeps to it, and no module there takes another's place."""

import os
import pathlib
import subprocess
import sys

from absl.testing import absltest

from tests.launch import program_run

_PROJECT = pathlib.Path.cwd()
_OWN = """
import gymnasium
from minigrid.envs import EmptyEnv

gymnasium.register("Own-v0", EmptyEnv, kwargs={"size": 5})
"""
# What no process of the run is to load, of the library, the project and others.
_NAMESAKES = ("random.py", "json.py", "kickstarting/__init__.py", "jax.py", "tests.py")


class RunModuleTest(absltest.TestCase):
    def test_a_run_in_another_folder(self) -> None:
        folder = pathlib.Path(self.create_tempdir().full_path)
        (folder / "kickstarting").mkdir()
        for name in _NAMESAKES:
            (folder / name).write_text("raise SystemExit('loaded by mistake')\n")
        (folder / "own_level.py").write_text(_OWN)
        path = os.pathsep.join([str(_PROJECT), *filter(None, sys.path[1:])])
        done = subprocess.run(
            [
                sys.executable,
                str(_PROJECT / "tools" / "run_module.py"),
                "launch.train",
                *program_run.GRID_FLAGS[1:],
                *program_run.SMALL_FLAGS,
                "--tasks=gym:own_level:Own-v0",
                "--lp_launch_type=local_mp",
                "--total_frames=100",
                "--logdir=runs/own",
            ],
            cwd=folder,
            env={
                **os.environ,
                "PYTHONPATH": path,
                "JAX_COMPILATION_CACHE_DIR": program_run.compiled_folder(),
            },
            capture_output=True,
            text=True,
            timeout=270,
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertNotIn("by mistake", done.stdout + done.stderr)
        self.assertEqual(program_run.last_frames(str(folder / "runs" / "own")), 100)


if __name__ == "__main__":
    absltest.main()
