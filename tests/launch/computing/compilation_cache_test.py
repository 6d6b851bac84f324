"""What is compiled is kept where nobody else can write, and only so much of it."""

import os
import pathlib
import subprocess
import sys
from unittest import mock

from absl.testing import absltest

from launch.computing import compilation_cache

_PROGRAM = """
from launch.computing import compilation_cache
compilation_cache.keep()
import jax
print(jax.config.jax_compilation_cache_dir)
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
jax.jit(lambda x: x * 2)(1.0)
"""


class CompilationCacheTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.caches = pathlib.Path(self.create_tempdir().full_path, "caches")
        variables = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("JAX_")
        }
        variables["XDG_CACHE_HOME"] = str(self.caches)
        self.enter_context(mock.patch.dict(os.environ, variables, clear=True))
        # Only the variables: this process has a JAX of its own.
        self.enter_context(mock.patch.dict(sys.modules))
        sys.modules.pop("jax", None)

    def _kept(self) -> pathlib.Path:
        compilation_cache.keep()
        return pathlib.Path(os.environ[compilation_cache.FOLDER])

    def test_is_this_users_alone(self):
        folder = self._kept()
        self.assertEqual(folder.parent, self.caches / "kickstarting" / "compiled")
        self.assertEqual(folder.stat().st_mode & 0o777, 0o700)

    def test_the_next_start_has_what_this_one_compiled(self):
        outputs = []
        for _ in range(2):
            done = subprocess.run(
                (sys.executable, "-c", _PROGRAM),
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
                capture_output=True,
                text=True,
                check=True,
            )
            folder = pathlib.Path(done.stdout.strip())
            outputs.append({file: file.stat().st_mtime_ns for file in folder.iterdir()})
        self.assertNotEmpty(outputs[0])
        self.assertEqual(outputs[0], outputs[1])

    def test_a_folder_that_the_person_names_is_left_alone(self):
        with mock.patch.dict(os.environ, {compilation_cache.FOLDER: "/named"}):
            self.assertEqual(self._kept(), pathlib.Path("/named"))
        self.assertFalse(self.caches.exists())

    def test_without_a_place_all_is_compiled_as_ever(self):
        self.caches.write_text("no folder")
        compilation_cache.keep()
        self.assertNotIn(compilation_cache.FOLDER, os.environ)

    def test_nothing_is_run_that_another_user_may_have_put_there(self):
        self._kept()
        del os.environ[compilation_cache.FOLDER]
        with mock.patch.object(os, "geteuid", return_value=os.geteuid() + 1):
            compilation_cache.keep()
        self.assertNotIn(compilation_cache.FOLDER, os.environ)

    def test_the_oldest_half_goes_where_it_is_too_much(self):
        folder = self._kept()
        for age, name in enumerate("dcba"):
            (folder / name).write_bytes(bytes(10))
            os.utime(folder / name, (100 - age, 100 - age))
        del os.environ[compilation_cache.FOLDER]
        with mock.patch.object(compilation_cache, "MOST_BYTES", 39):
            self._kept()
        self.assertEqual(sorted(file.name for file in folder.iterdir()), ["c", "d"])


if __name__ == "__main__":
    absltest.main()
