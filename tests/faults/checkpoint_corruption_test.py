"""However a checkpoint is damaged, it is not loaded, and nothing crashes."""

import json
import pathlib
import shutil
from collections.abc import Callable, Sequence

import chex
import numpy as np
from absl import logging
from absl.testing import absltest, parameterized

from kickstarting.storage import checkpoints, manifest

_NUM_CORRUPTIONS = 200
_METADATA = {"action_names": ["left", "right"]}

# Damages one of the files.
_Damage = Callable[[np.random.Generator, Sequence[pathlib.Path]], None]


def _any(random: np.random.Generator, files: Sequence[pathlib.Path]) -> pathlib.Path:
    return files[random.integers(len(files))]


def _cut_short(random: np.random.Generator, files: Sequence[pathlib.Path]) -> None:
    file = _any(random, files)
    content = file.read_bytes()
    file.write_bytes(content[: random.integers(len(content))])


def _flip_a_bit(random: np.random.Generator, files: Sequence[pathlib.Path]) -> None:
    file = _any(random, files)
    content = bytearray(file.read_bytes())
    content[random.integers(len(content))] ^= 1 << random.integers(8)
    file.write_bytes(content)


def _overwrite(random: np.random.Generator, files: Sequence[pathlib.Path]) -> None:
    file = _any(random, files)
    content = bytearray(file.read_bytes())
    begin = random.integers(len(content))
    noise = random.bytes(int(random.integers(1, 64)))
    content[begin : begin + len(noise)] = noise
    file.write_bytes(content)


def _lengthen(random: np.random.Generator, files: Sequence[pathlib.Path]) -> None:
    with _any(random, files).open("ab") as file:
        file.write(random.bytes(int(random.integers(1, 64))))


def _fill_with_zeros(
    random: np.random.Generator, files: Sequence[pathlib.Path]
) -> None:
    # As some file systems leave what was not written before the power went.
    file = _any(random, files)
    file.write_bytes(bytes(file.stat().st_size))


def _remove(random: np.random.Generator, files: Sequence[pathlib.Path]) -> None:
    _any(random, files).unlink()


def _exchange(random: np.random.Generator, files: Sequence[pathlib.Path]) -> None:
    one, other = (files[i] for i in random.choice(len(files), 2, replace=False))
    contents = one.read_bytes(), other.read_bytes()
    other.write_bytes(contents[0])
    one.write_bytes(contents[1])


_DAMAGES: tuple[_Damage, ...] = (
    _cut_short,
    _flip_a_bit,
    _overwrite,
    _lengthen,
    _fill_with_zeros,
    _remove,
    _exchange,
)


def _files(folder: pathlib.Path) -> list[pathlib.Path]:
    """Returns what a crash can leave half done: every file that is not empty."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [path for path in files if path.stat().st_size]


def _contents(folder: pathlib.Path) -> dict[str, object]:
    """Returns what the files say; a manifest says the same however it is spaced."""
    contents: dict[str, object] = {}
    for path in folder.rglob("*"):
        if path.is_file():
            contents[str(path.relative_to(folder))] = path.read_bytes()
    try:
        contents[manifest.NAME] = json.loads((folder / manifest.NAME).read_bytes())
    except (FileNotFoundError, ValueError):
        contents[manifest.NAME] = None
    return contents


class CheckpointCorruptionTest(parameterized.TestCase):
    def setUp(self) -> None:
        super().setUp()
        logging.set_verbosity(logging.ERROR)
        self.addCleanup(logging.set_verbosity, logging.WARNING)
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.store = checkpoints.Checkpoints(self.folder, keep=2)
        random = np.random.default_rng(0)
        self.trees = [
            {
                "params": {"kernel": random.normal(size=(20, 30)).astype(np.float32)},
                "updates": number,
            }
            for number in range(2)
        ]
        for number, tree in enumerate(self.trees):
            self.newest = self.store.save(1000 * (number + 1), tree, _METADATA)
        self.sound = self.folder.parent / "sound"
        shutil.copytree(self.newest, self.sound)
        self.addCleanup(shutil.rmtree, self.sound)

    def _restored_frames(self) -> int:
        """Restores, checks what was restored, and returns its frames; 0: nothing."""
        restored = self.store.restore_newest(self.trees[0], _METADATA)
        if restored is None:
            return 0
        chex.assert_trees_all_equal(
            restored.tree, self.trees[restored.frames // 1000 - 1]
        )
        return restored.frames

    def test_two_hundred_random_damages(self) -> None:
        self.assertEqual(self._restored_frames(), 2000)
        random = np.random.default_rng(1)
        passed_over = 0
        for number in range(_NUM_CORRUPTIONS):
            shutil.rmtree(self.newest)
            shutil.copytree(self.sound, self.newest)
            damage = _DAMAGES[number % len(_DAMAGES)]
            # One file or several at once.
            for _ in range(random.integers(1, 4)):
                damage(random, _files(self.newest))
            damaged = _contents(self.newest) != _contents(self.sound)
            with self.subTest(number=number, damage=damage.__name__):
                self.assertEqual(self._restored_frames(), 1000 if damaged else 2000)
            passed_over += damaged
        # The others were damaged back, or between the words of the manifest.
        self.assertGreater(passed_over, 0.9 * _NUM_CORRUPTIONS)

    def test_where_all_are_damaged_nothing_is_loaded(self) -> None:
        random = np.random.default_rng(2)
        for folder in self.folder.iterdir():
            _fill_with_zeros(random, [folder / manifest.NAME])
        self.assertEqual(self._restored_frames(), 0)


if __name__ == "__main__":
    absltest.main()
