"""A wheel holds the library alone, and works where nothing else of this project is."""

import email.message
import email.parser
import os
import pathlib
import re
import shutil
import subprocess
import sys
import zipfile

from absl.testing import absltest

ROOT = pathlib.Path.cwd()
# What was tried with this Python.
_PINS = "requirements.txt" if sys.version_info < (3, 12) else "requirements-library.txt"

_SCRIPT = """
import importlib.util, os, pathlib
import jax, jax.numpy as jnp, numpy as np
import kickstarting
from kickstarting.config.run import KickstartingConfig
from kickstarting.environments import base, suites
from kickstarting.learning import learner
from kickstarting.loss import distillation, schedules
from kickstarting.reporting import run_files

seen = np.random.default_rng(1).normal(size=(64, 4)).astype(np.float32)
teacher = np.where(seen[:, :1] > 0, [[9.0, 0.0]], [[0.0, 9.0]])
config = KickstartingConfig(schedule="linear", weight=1.0, end_frames=100)

def loss(policy, weight):
    return weight * distillation.cross_entropy(teacher, seen @ policy).mean()

policy = jnp.zeros((4, 2))
for frames in range(101):
    weight = schedules.global_weight(config, frames)
    policy -= 0.5 * jax.grad(loss)(policy, weight)
agrees = float((np.argmax(seen @ policy, -1) == np.argmax(teacher, -1)).mean())
assert agrees > 0.9 and weight == 0.0, (agrees, weight)
run_files.RunFiles("run").write_row({"frames": frames, "agrees": agrees})
assert suites.reference_score("doom:basic").reference > 0
engine = pathlib.Path(kickstarting.__file__).parent / "environments/doom/doom_engine.sh"
assert os.access(engine, os.X_OK)
for name in ("launch", "tests", "reverb", "tensorflow", "tensorboard", "matplotlib"):
    assert importlib.util.find_spec(name) is None, name
try:
    suites.check_installed("doom:basic")
except base.EnvironmentConfigError as error:
    print(error)
"""


class PackageTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = pathlib.Path(absltest.get_default_test_tmpdir()) / "package"
        shutil.rmtree(folder, ignore_errors=True)
        # As files of their own: a build leaves nothing beside the sources, nor links.
        sources = folder / "sources"
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "kickstarting", sources / "kickstarting", ignore=ignored)
        for name in ("LICENSE", "README.md", "pyproject.toml"):
            shutil.copy(ROOT / name, sources)
        cls.folder = folder
        cls._run(sys.executable, "-m", "pip", "wheel", "--no-deps", "-w", ".", sources)
        (cls.wheel,) = folder.glob("*.whl")

    @classmethod
    def _run(cls, *command: str | pathlib.Path, folder: str = ".") -> str:
        # Without PYTHONPATH, which has the sources.
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        result = subprocess.run(
            command,
            cwd=cls.folder / folder,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=600,
        )
        assert result.returncode == 0, result.stdout
        return result.stdout

    def _metadata(self) -> email.message.Message:
        with zipfile.ZipFile(self.wheel) as archive:
            (name,) = (
                n for n in archive.namelist() if n.endswith(".dist-info/METADATA")
            )
            return email.parser.Parser().parsestr(archive.read(name).decode())

    def test_it_holds_the_library_alone(self):
        with zipfile.ZipFile(self.wheel) as archive:
            names = set(archive.namelist())
        own = {name for name in names if name.startswith("kickstarting/")}
        for name in names - own:
            self.assertRegex(name, r"^kickstarting-[\d.]+\.dist-info/")
        sources = {
            path.relative_to(ROOT).as_posix()
            for path in (ROOT / "kickstarting").rglob("*")
            if path.is_file() and path.name != "BUILD" and path.suffix != ".pyc"
        }
        self.assertEqual(own, sources)

    def test_it_asks_for_what_was_tried(self):
        pins = (ROOT / "requirements.in").read_text().splitlines()
        required = self._metadata().get_all("Requires-Dist", [])
        self.assertNotEmpty(required)
        for requirement in required:
            bound = re.match(r"([\w-]+)(?:>=|==)([\w.]+)", requirement)
            if bound:
                self.assertIn(
                    f"{bound[1]}=={bound[2]}",
                    pins,
                    f"pyproject.toml asks for {requirement}, and requirements.in not",
                )

    def test_it_works_from_another_folder(self):
        self._run(sys.executable, "-m", "venv", "venv")
        python = self.folder / "venv" / "bin" / "python"
        pins = re.findall(r"(?m)^[\w.-]+==[\w.]+", (ROOT / _PINS).read_text())
        (self.folder / "pins.txt").write_text("\n".join(pins))
        pip = (python, "-m", "pip", "install", "--no-compile")
        self._run(*pip, "-c", "pins.txt", self.wheel)
        (self.folder / "elsewhere").mkdir()
        (self.folder / "elsewhere" / "script.py").write_text(_SCRIPT)
        said = self._run(python, "script.py", folder="elsewhere")
        self.assertIn("the doom suite needs vizdoom", said)
        self.assertIn("pip install vizdoom", said)


if __name__ == "__main__":
    absltest.main()
