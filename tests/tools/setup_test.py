"""./kickstart and ./run_tests on machines without Python 3.10, uv, or a network."""

import base64
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import textwrap
import zipfile

from absl.testing import absltest, parameterized

# What the scripts call, beside Python and uv.
_PROGRAMS = (
    *("bash", "cat", "dirname", "flock", "grep", "mkdir", "readlink", "sha256sum"),
    *("sed", "tail", "tee", "touch", "tr"),
)
# Python 3.10, here in the part of every other one as well.
_PYTHON = os.path.realpath(sys.executable)
# Of another version, to those who look for a 3.10.
_OTHER_PYTHON = f"""\
[[ "$1" != tools/libpython_folder.py ]] || exit 1
exec {_PYTHON} "$@"
"""
_PYTHON_WITHOUT_VENV = f"""\
[[ "$2" != *ensurepip* ]] || exec {_PYTHON} -c 'import no_ensurepip'
{_OTHER_PYTHON}"""
_OLD_PYTHON = f"""\
[[ "$2" != *version_info* ]] || exit 1
{_OTHER_PYTHON}"""
_UV = f"""\
echo "$@" >>"$HOME/uv_calls"
case "$*" in
  *--help) ;;
  "python install 3.10")
    if [[ ! -e "$HOME/network" ]]; then
      printf 'error: no installation\\n  cause: no network\\n' >&2
      exit 1
    fi
    touch "$HOME/installed"
    ;;
  "python find --managed-python 3.10")
    [[ -e "$HOME/installed" ]] && echo {_PYTHON}
    ;;
esac
"""
# As one of pyenv's, without a version that has it.
_SHIM = "exit 127\n"


class SetupTest(parameterized.TestCase):
    def setUp(self) -> None:
        super().setUp()
        folder = pathlib.Path(self.create_tempdir().full_path)
        self.home, self.programs, self.wheels, self.project = (
            folder / name for name in ("home", "programs", "wheels", "project")
        )
        for each in (self.home, self.programs, self.wheels, self.project / "launch"):
            each.mkdir(parents=True)
        for name in _PROGRAMS:
            (self.programs / name).symlink_to(str(shutil.which(name)))
        for name in ("kickstart", "run_tests"):
            shutil.copy(name, self.project)
        shutil.copytree("tools", self.project / "tools")
        # In place of what is installed and called in the end.
        (self.project / "launch" / "__init__.py").touch()
        (self.project / "launch" / "train.py").write_text("print('It trains.')\n")
        self._require("requirements.txt", self._wheel("stand_in", ""))
        self._require("requirements-uv.txt", self._wheel("uv", _UV))

    def _wheel(self, name: str, script: str) -> pathlib.Path:
        """Makes a package of one script, out of pip's reach as yet."""
        path = self.home / f"{name}-1-py3-none-any.whl"
        files = {
            f"{name}-1.data/scripts/{name}": f"#!/bin/bash\n{script}",
            f"{name}-1.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\n"
            "Version: 1\n",
            f"{name}-1.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\n"
            "Root-Is-Purelib: true\nTag: py3-none-any\n",
        }
        record = ""
        for each, text in files.items():
            digest = hashlib.sha256(text.encode()).digest()
            encoded = base64.urlsafe_b64encode(digest).decode().rstrip("=")
            record += f"{each},sha256={encoded},{len(text)}\n"
        with zipfile.ZipFile(path, "w") as wheel:
            for each, text in files.items():
                entry = zipfile.ZipInfo(each)
                entry.external_attr = 0o100755 << 16
                wheel.writestr(entry, text)
            wheel.writestr(f"{name}-1.dist-info/RECORD", record)
        return path

    def _require(self, file: str, wheel: pathlib.Path) -> None:
        name, digest = wheel.name.partition("-")[0], hashlib.sha256(wheel.read_bytes())
        line = f"{name}==1 --hash=sha256:{digest.hexdigest()}\n"
        (self.project / file).write_text(line)

    def _bring_into_reach(self, package: str) -> None:
        (self.home / f"{package}-1-py3-none-any.whl").rename(
            self.wheels / f"{package}-1-py3-none-any.whl"
        )

    def _install(self, name: str, text: str) -> None:
        """Puts a program on PATH."""
        path = self.programs / name
        path.write_text(f"#!/bin/bash\n{text}")
        path.chmod(0o755)

    def _call(self, script: str = "kickstart") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/bash", str(self.project / script), "--tasks=doom:basic"],
            env={
                "HOME": str(self.home),
                "PATH": str(self.programs),
                # There is no network, but for the packages in reach.
                "PIP_CONFIG_FILE": os.devnull,
                "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
                "PIP_FIND_LINKS": str(self.wheels),
                "PIP_RETRIES": "0",
            },
            capture_output=True,
            text=True,
            timeout=100,
        )

    def _check_refused(self, says: str, script: str = "kickstart") -> None:
        """Checks that a call ends with one line, beside its progress."""
        done = self._call(script)
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        *progress, line = done.stderr.splitlines()
        self.assertStartsWith(line, f"{script}: ")
        self.assertIn(says, line)
        for each in progress:
            self.assertEndsWith(each, " (once).")

    @parameterized.parameters(
        ({}, "neither uv nor a python3 from 3.8 on"),
        ({}, "neither uv nor a python3 from 3.8 on", "run_tests"),
        ({"python3": _OLD_PYTHON}, "neither uv nor a python3 from 3.8 on"),
        ({"python3": _SHIM}, "neither uv nor a python3 from 3.8 on"),
        (
            {"python3": _PYTHON_WITHOUT_VENV},
            "python3, which could fetch one, has no venv module: apt-get install "
            "python3-venv",
        ),
    )
    def test_what_is_missing_is_told(
        self, pythons: dict[str, str], says: str, script: str = "kickstart"
    ) -> None:
        for name, text in pythons.items():
            self._install(name, text)
        self._check_refused(says, script)

    def test_each_call_goes_on_where_the_one_before_could_not(self) -> None:
        self._install("python3.10", _SHIM)
        self._install("uv", _SHIM)
        self._install("python3", _PYTHON_WITHOUT_VENV)
        self._install("python3.13", _OTHER_PYTHON)
        with self.subTest("no network"):
            self._check_refused("pip cannot install uv: ERROR: ")
        with self.subTest("an installation that was cut short"):
            (self.project / ".uv/bin/uv").write_text("half of it")
            (self.project / ".uv/bin/uv").chmod(0o755)
            self._bring_into_reach("uv")
            self._check_refused("uv cannot fetch one: cause: no network (is ")
        with self.subTest("no packages"):
            (self.home / "network").touch()
            self._check_refused("pip cannot install requirements.txt: ERROR: ")
        calls = (self.home / "uv_calls").read_text()
        self._bring_into_reach("stand_in")
        with self.subTest("it trains"):
            done = self._call()
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("It trains.", done.stdout)
            self.assertNotIn("Making", done.stdout)
        with self.subTest("nothing is left to do"):
            done = self._call()
            self.assertEqual(done.stdout + done.stderr, "It trains.\n")
            self.assertEqual((self.home / "uv_calls").read_text(), calls)

    def test_a_python_is_told_by_a_path_that_no_upgrade_changes(self) -> None:
        (self.programs / "python3").symlink_to(_PYTHON)
        found = subprocess.run(
            ["/bin/bash", "-c", "source tools/find_python.sh && find_python"],
            cwd=self.project,
            env={"HOME": str(self.home), "PATH": str(self.programs)},
            capture_output=True,
            text=True,
            timeout=100,
        )
        self.assertEqual(found.stdout, f"{_PYTHON}\n", found.stderr)

    def test_uv_on_path_is_enough(self) -> None:
        # Of which a venv cannot be made.
        fetched = self.home / "fetched"
        fetched.write_text(
            textwrap.dedent(
                """\
                #!/bin/bash
                [[ "$*" != "-m venv"* ]] || { printf 'no room\\nat all\\n'; exit 1; }
                """
            )
        )
        fetched.chmod(0o755)
        self._install("uv", _UV.replace(_PYTHON, str(fetched)))
        (self.home / "network").touch()
        self._check_refused(f"{fetched} cannot make .venv: no room at all")
        self.assertFalse((self.project / ".uv").exists())


if __name__ == "__main__":
    absltest.main()
