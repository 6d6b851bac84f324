"""Tests of the cache of compiled maps, on the disk and between processes."""

import errno
import fcntl
import os
import pathlib
import subprocess
import sys
import time
from unittest import mock

from absl.testing import absltest, parameterized

from kickstarting.environments import base
from kickstarting.environments.dmlab import level_cache

_PLENTY = 10**9


class LevelCacheTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.outside = pathlib.Path(self.create_tempdir().full_path)
        self.folder = self.create_tempdir().full_path

    def _cache(self, max_bytes: int = _PLENTY) -> level_cache.LevelCache:
        return level_cache.LevelCache(self.folder, max_bytes)

    def _map(self, content: bytes) -> str:
        path = self.outside / "map.pk3"
        path.write_bytes(content)
        return str(path)

    def _fetch(self, cache: level_cache.LevelCache, key: str) -> bytes | None:
        path = self.outside / "fetched.pk3"
        path.unlink(missing_ok=True)
        if not cache.fetch(key, str(path)):
            self.assertFalse(path.exists())
            return None
        return path.read_bytes()

    @parameterized.parameters("key", "a/path/../to:a key", "ключ", "k" * 1000)
    def test_gives_back_what_it_was_given(self, key: str) -> None:
        cache = self._cache()
        self.assertIsNone(self._fetch(cache, key))
        cache.write(key, self._map(b"content"))
        self.assertEqual(self._fetch(cache, key), b"content")
        self.assertIsNone(self._fetch(cache, key + "2"))
        self.assertEqual(self._fetch(self._cache(), key), b"content")

    def test_a_later_map_replaces_the_former(self) -> None:
        cache = self._cache()
        for content in (b"one", b"two"):
            cache.write("key", self._map(content))
        self.assertEqual(self._fetch(cache, "key"), b"two")
        self.assertEqual(level_cache.size(self.folder), (1, 3))

    def _age(self, seconds_ago: dict[str, float]) -> None:
        cache = self._cache()
        for key, seconds in seconds_ago.items():
            then = time.time() - seconds
            os.utime(cache._path(key), (then, then))

    def test_evicts_the_least_recently_used(self) -> None:
        cache = self._cache(max_bytes=250)
        for key in ("a", "b"):
            cache.origin = f"level {key}"
            cache.write(key, self._map(bytes(100)))
        self._age({"a": 100, "b": 50})
        self._fetch(cache, "a")
        cache.origin = "level c"
        cache.write("c", self._map(bytes(100)))
        self.assertIsNone(self._fetch(cache, "b"))
        self.assertIsNotNone(self._fetch(cache, "a"))
        self.assertIsNotNone(self._fetch(cache, "c"))
        with self.subTest("ledger"):
            records = level_cache.read_ledger(self.folder)
            self.assertEqual(
                [(each.event, each.origin, each.size) for each in records],
                [
                    ("write", "level a", 100),
                    ("write", "level b", 100),
                    ("write", "level c", 100),
                    ("evict", "", 100),
                ],
            )
            self.assertEqual(records[3].file, records[1].file)

    def test_removes_copies_that_nobody_will_finish(self) -> None:
        cache = self._cache()
        paths = [pathlib.Path(self.folder, f".partial-{age}") for age in ("old", "new")]
        for path in paths:
            path.write_bytes(b"half")
        os.utime(paths[0], (1, 1))
        cache.write("key", self._map(b"whole"))
        self.assertEqual([path.exists() for path in paths], [False, True])
        self.assertEqual(level_cache.size(self.folder), (1, 5))

    def test_a_map_that_is_gone_is_no_error(self) -> None:
        cache = self._cache()
        with self.assertLogs(level="WARNING"):
            cache.write("key", str(self.outside / "nowhere.pk3"))
        self.assertEmpty(os.listdir(self.folder))

    def test_nowhere_to_fetch_to_is_no_error(self) -> None:
        cache = self._cache()
        cache.write("key", self._map(b"content"))
        self.assertFalse(cache.fetch("key", str(self.outside / "no" / "map.pk3")))

    def _write_in_turn(self, count: int, max_bytes: int) -> level_cache.LevelCache:
        """Writes maps of 100 bytes, each under a key of its own."""
        cache = self._cache(max_bytes)
        for number in range(count):
            cache.write(str(number), self._map(bytes(100)))
        return cache

    def test_lists_a_folder_far_from_full_once_in_a_while(self) -> None:
        with mock.patch.object(os, "scandir", wraps=os.scandir) as scandir:
            self._write_in_turn(40, max_bytes=10_000)
        # One try of the folder, one listing at the first map.
        self.assertEqual(scandir.call_count, 2)

    def test_the_bound_holds_however_seldom_it_lists(self) -> None:
        self._write_in_turn(40, max_bytes=1_000)
        self.assertEqual(level_cache.size(self.folder), (10, 1_000))

    def test_the_older_half_of_a_long_ledger_goes(self) -> None:
        with mock.patch.object(level_cache, "_MAX_LEDGER_BYTES", 1_000):
            self._write_in_turn(100, max_bytes=_PLENTY)
        size = os.path.getsize(os.path.join(self.folder, level_cache.LEDGER))
        self.assertLess(size, 1_500)
        records = level_cache.read_ledger(self.folder)
        self.assertNotEmpty(records)
        newest = self._cache()._path("99")
        self.assertEqual(records[-1].file, os.path.basename(newest))

    def test_half_a_line_of_the_ledger_is_passed_over(self) -> None:
        cache = self._write_in_turn(1, max_bytes=_PLENTY)
        ledger = pathlib.Path(self.folder, level_cache.LEDGER)
        ledger.write_bytes(ledger.read_bytes() + b'{"event": "wr\xff\n[]\n{"x": 1}\n')
        cache.write("key", self._map(b"content"))
        events = [record.event for record in level_cache.read_ledger(self.folder)]
        self.assertEqual(events, ["write", "write"])

    def test_a_full_disk_leaves_no_half_map(self) -> None:
        source = self._map(bytes(50_000))
        program = (
            "import os, resource\n"
            "from kickstarting.environments.dmlab import level_cache\n"
            f"cache = level_cache.LevelCache({self.folder!r}, {_PLENTY})\n"
            f"cache.write('whole', {source!r})\n"
            # As a full disk does, it fails in the middle of a file.
            "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
            f"cache.write('half', {source!r})\n"
            f"assert not cache.fetch('half', {source!r} + '.half')\n"
            f"assert not cache.fetch('whole', {source!r} + '.whole')\n"
            f"print(os.listdir({str(self.outside)!r}))\n"
        )
        run = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, timeout=60
        )
        self.assertEqual(run.returncode, 0, run.stderr)
        # What was fetched in part is gone, too.
        self.assertEqual(run.stdout.strip(), "['map.pk3']")
        self.assertIn("The level cache cannot be written: ", run.stderr)
        self.assertEqual(level_cache.size(self.folder), (1, 50_000))
        self.assertLen(os.listdir(self.folder), 2)

    @parameterized.parameters((fcntl, "lockf"), (os, "scandir"))
    def test_folders_without_locks_or_lists_are_refused(self, module, name) -> None:
        error = OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))
        with (
            mock.patch.object(module, name, side_effect=error),
            self.assertRaisesRegex(base.EnvironmentConfigError, "No locks available"),
        ):
            level_cache.check_usable(self.folder)

    @parameterized.parameters("/proc/kickstarting", "/dev/null/cache", "nul\0")
    def test_folders_that_cannot_be_written_are_refused(self, folder: str) -> None:
        with self.assertRaisesRegex(
            base.EnvironmentConfigError, "cannot write to the level cache"
        ) as caught:
            level_cache.LevelCache(folder, _PLENTY)
        self.assertNotIn("\n", str(caught.exception))

    def test_an_empty_cache_has_no_ledger(self) -> None:
        self.assertEmpty(level_cache.read_ledger(self.folder))

    def test_many_processes_at_once(self) -> None:
        # Each writes and reads the same keys; the bound evicts all the time.
        program = (
            "import os, sys, tempfile\n"
            "from kickstarting.environments.dmlab import level_cache\n"
            f"cache = level_cache.LevelCache({self.folder!r}, 5 * 40_000)\n"
            "path = os.path.join(tempfile.mkdtemp(), 'map.pk3')\n"
            "fetched = 0\n"
            "for turn in range(60):\n"
            "    key = (turn * (1 + int(sys.argv[1]))) % 7\n"
            "    open(path, 'wb').write(bytes([key]) * 40_000)\n"
            "    cache.write(str(key), path)\n"
            "    if cache.fetch(str(key), path):\n"
            "        fetched += 1\n"
            "        assert open(path, 'rb').read() == bytes([key]) * 40_000\n"
            "assert fetched, 'nothing was ever found'\n"
        )
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", program, str(number)],
                stderr=subprocess.PIPE,
                text=True,
            )
            for number in range(4)
        ]
        for process in processes:
            _, error = process.communicate(timeout=100)
            self.assertEqual((process.returncode, error), (0, ""))
        count, size = level_cache.size(self.folder)
        self.assertBetween(count, 1, 5)
        self.assertEqual(size, count * 40_000)
        names = set(os.listdir(self.folder)) - {level_cache.LEDGER}
        self.assertLen(names, count)
        self.assertNotEmpty(
            [
                each
                for each in level_cache.read_ledger(self.folder)
                if each.event == "evict"
            ]
        )


if __name__ == "__main__":
    absltest.main()
