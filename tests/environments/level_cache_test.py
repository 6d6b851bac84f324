"""Tests of the cache of compiled maps, on the disk and between processes."""

import os
import pathlib
import subprocess
import sys
import time

from absl.testing import absltest, parameterized

from kickstarting.environments import base, level_cache

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
            "from kickstarting.environments import level_cache\n"
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
