"""Tests of storage/checkpoints.py: what is written is what is read, or is refused."""

import json
import os
import pathlib
import resource
import shutil
import threading
import time
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from kickstarting.storage import checkpoints, manifest

_METADATA: dict[str, Any] = {
    "torso": "shallow",
    "action_names": ("forward", "attack"),
    "frame_shape": (72, 96, 3),
    "note": "free text",
}
_EXPECTED = {key: _METADATA[key] for key in ("torso", "action_names", "frame_shape")}


class _Moments(NamedTuple):
    mean: Any
    square: Any


class _State(NamedTuple):
    params: Any
    moments: tuple[Any, ...]
    key: Any
    updates: Any


def _state(seed: int) -> _State:
    random_state = np.random.default_rng(seed)

    def params():
        return {
            "params": {
                "torso": {"kernel": random_state.normal(size=(3, 3, 4, 8))},
                "head": {
                    "kernel": jnp.asarray(
                        random_state.normal(size=(8, 2)), jnp.bfloat16
                    ),
                    "bias": np.zeros((0,), np.float32),
                },
            }
        }

    return _State(
        params=params(),
        moments=(_Moments(params(), params()), ()),
        key=jax.random.key_data(jax.random.key(seed)),
        updates=seed,
    )


def _restore(
    store: checkpoints.Checkpoints, template: Any, expected: Any = _EXPECTED
) -> checkpoints.Restored:
    restored = store.restore_newest(template, expected)
    assert restored is not None
    return restored


def _assert_same(test: absltest.TestCase, left: Any, right: Any) -> None:
    test.assertEqual(jax.tree.structure(left), jax.tree.structure(right))
    for a, b in zip(jax.tree.leaves(left), jax.tree.leaves(right), strict=True):
        a, b = np.asarray(a), np.asarray(b)
        test.assertEqual((a.dtype, a.shape), (b.dtype, b.shape))
        test.assertEqual(a.tobytes(), b.tobytes())


def _largest_file(folder: pathlib.Path) -> pathlib.Path:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return max(files, key=lambda path: path.stat().st_size)


def _truncate(folder: pathlib.Path) -> None:
    file = _largest_file(folder)
    os.truncate(file, file.stat().st_size // 2)


def _flip_a_bit(folder: pathlib.Path) -> None:
    file = _largest_file(folder)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 4
    file.write_bytes(content)


def _drop_a_file(folder: pathlib.Path) -> None:
    _largest_file(folder).unlink()


def _change_the_frames(folder: pathlib.Path) -> None:
    file = folder / "checkpoint.json"
    file.write_text(file.read_text().replace('"frames": ', '"frames": 9'))


def _drop_the_manifest(folder: pathlib.Path) -> None:
    (folder / manifest.NAME).unlink()


def _empty_the_manifest(folder: pathlib.Path) -> None:
    (folder / manifest.NAME).write_text("{}")


def _break_the_manifest(folder: pathlib.Path) -> None:
    (folder / manifest.NAME).write_bytes(b'{"state\xff')


def _leave_orbax_unfinished(folder: pathlib.Path) -> None:
    _drop_the_manifest(folder)
    (folder / "state").rename(folder / "state.orbax-checkpoint-tmp")


def _empty_the_folder(folder: pathlib.Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


class CheckpointsTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.run = pathlib.Path(self.create_tempdir().full_path)
        self.folder = self.run / checkpoints.SUBFOLDER
        self.store = checkpoints.Checkpoints(self.folder, keep=3)

    def test_an_empty_folder_has_none(self):
        self.assertIsNone(self.store.restore_newest(_state(0), _EXPECTED))
        self.assertIsNone(self.store.newest_sound_metadata())

    def test_round_trip_is_exact_to_the_bit(self):
        state = _state(5)
        self.store.save(1000, state, _METADATA)
        restored = _restore(self.store, _state(0))
        self.assertEqual(restored.frames, 1000)
        self.assertEqual(restored.metadata["note"], "free text")
        _assert_same(self, state, restored.tree)
        self.assertIsInstance(restored.tree.updates, int)
        for leaf in jax.tree.leaves(restored.tree._replace(updates=())):
            self.assertIsInstance(leaf, np.ndarray)

    def test_a_template_of_shapes_is_enough(self):
        state = _state(5)._replace(updates=np.int32(3))
        self.store.save(1, state, _METADATA)
        template = jax.eval_shape(lambda: jax.tree.map(jnp.asarray, state))
        # Without 64-bit JAX the shapes of float64 leaves would read float32.
        template = jax.tree.map(
            lambda leaf, spec: jax.ShapeDtypeStruct(spec.shape, leaf.dtype),
            state,
            template,
        )
        _assert_same(self, state, _restore(self.store, template, {}).tree)

    def test_keeps_the_newest(self):
        for frames in range(5):
            self.store.save(frames, {"params": np.arange(frames + 1)}, _METADATA)
        names = sorted(path.name for path in self.folder.iterdir())
        self.assertEqual(
            names, ["checkpoint-000003-2", "checkpoint-000004-3", "checkpoint-000005-4"]
        )
        self.assertEqual(_restore(self.store, {"params": np.arange(5)}).frames, 4)

    def test_a_run_that_starts_again_is_not_outlived_by_its_predecessor(self):
        tree = {"params": np.arange(3)}
        for frames in (100, 200, 300, 10):
            self.store.save(frames, tree, _METADATA)
        self.assertEqual(_restore(self.store, tree).frames, 10)

    def test_the_remains_of_a_killed_save_are_removed_by_the_next(self):
        for frames in (1, 2):
            self.store.save(frames, {"params": np.arange(3)}, _METADATA)
        _leave_orbax_unfinished(self.folder / "checkpoint-000002-2")
        self.store.save(3, {"params": np.arange(3)}, _METADATA)
        names = sorted(path.name for path in self.folder.iterdir())
        self.assertEqual(names, ["checkpoint-000001-1", "checkpoint-000003-3"])

    @parameterized.parameters(
        _truncate,
        _flip_a_bit,
        _drop_a_file,
        _change_the_frames,
        _drop_the_manifest,
        _empty_the_manifest,
        _break_the_manifest,
        _leave_orbax_unfinished,
        _empty_the_folder,
    )
    def test_an_unsound_checkpoint_is_passed_over(self, damage):
        old = _state(1)
        self.store.save(100, old, _METADATA | {"note": "old"})
        newest = self.store.save(200, _state(2), _METADATA)
        damage(newest)
        with self.assertLogs("absl", "WARNING") as logs:
            restored = _restore(self.store, _state(0))
        self.assertLen(logs.output, 1)
        self.assertNotIn("\n", logs.output[0])
        self.assertIn(newest.name, logs.output[0])
        self.assertEqual(restored.frames, 100)
        _assert_same(self, old, restored.tree)
        metadata = self.store.newest_sound_metadata() or {}
        self.assertEqual(metadata["note"], "old")
        with self.assertRaisesRegex(checkpoints.CheckpointError, "not sound"):
            checkpoints.load_params(newest)

    def test_nothing_sound_is_none(self):
        _truncate(self.store.save(1, _state(1), _METADATA))
        self.assertIsNone(self.store.restore_newest(_state(0), _EXPECTED))
        with self.assertRaisesRegex(checkpoints.CheckpointError, "no sound"):
            checkpoints.load_params(self.run)

    @parameterized.parameters(
        ({"torso": "deep"}, "torso = 'shallow'.*'deep'"),
        ({"action_names": ("forward",)}, r"\['forward', 'attack'\].*\['forward'\]"),
        ({"frame_shape": (7, 7, 3)}, r"\[72, 96, 3\].*\[7, 7, 3\]"),
        ({"tasks": ("doom:basic",)}, r"tasks = None.*doom:basic"),
    )
    def test_metadata_of_another_run_is_refused(self, change, message):
        self.store.save(1, _state(1), _METADATA)
        with self.assertRaisesRegex(checkpoints.CheckpointMismatch, message) as caught:
            self.store.restore_newest(_state(0), _EXPECTED | change)
        self.assertNotIn("\n", str(caught.exception))

    @parameterized.parameters(
        ({"a": np.zeros(3, np.float32)}, r"float32\[2\] for 'a'.*float32\[3\]"),
        ({"a": np.zeros(2, np.int32)}, r"float32\[2\] for 'a'.*int32\[2\]"),
        ({}, "for 'a', but this run has nothing"),
        ({"a": np.zeros(2, np.float32), "b": 0}, "nothing for 'b'"),
    )
    def test_another_tree_is_refused(self, template, message):
        self.store.save(1, {"a": np.zeros(2, np.float32)}, _METADATA)
        with self.assertRaisesRegex(checkpoints.CheckpointMismatch, message):
            self.store.restore_newest(template, _EXPECTED)

    def test_another_format_is_refused(self):
        folder = self.store.save(1, {"params": np.arange(3)}, _METADATA)
        file = folder / "checkpoint.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | {"format": 99}))
        manifest.write(folder)
        with self.assertRaisesRegex(checkpoints.CheckpointMismatch, "format 99"):
            self.store.newest_sound_metadata()

    @parameterized.parameters(
        ({"params": "text"}, {}, "'params' has dtype"),
        ({"params": 2**100}, {}, "'params' has dtype object"),
        ({"params": jax.random.key(0)}, {}, "'params' is not an array"),
        ({"a": {"b": 1}, "a/b": 2}, {}, "two leaves"),
        ({"params": 1}, {"bad": {1, 2}}, "not JSON serializable"),
    )
    def test_what_cannot_be_saved_is_named(self, tree, metadata, message):
        with self.assertRaisesRegex(checkpoints.CheckpointError, message):
            self.store.save(1, tree, metadata)
        self.assertFalse(self.folder.exists())

    def test_load_params_from_run_folder_and_checkpoint(self):
        states = [_state(seed) for seed in (1, 2)]
        folders = [self.store.save(i, s, _METADATA) for i, s in enumerate(states)]
        for path, state in (
            (self.run, states[1]),
            (self.folder, states[1]),
            (folders[0], states[0]),
        ):
            params, metadata = checkpoints.load_params(path)
            _assert_same(self, state.params, params)
            self.assertEqual(metadata["action_names"], ["forward", "attack"])

    def test_load_params_says_what_is_missing(self):
        with self.assertRaisesRegex(checkpoints.CheckpointError, "no sound"):
            checkpoints.load_params(self.run / "nowhere")
        self.store.save(1, {"weights": np.arange(3)}, _METADATA)
        with self.assertRaisesRegex(checkpoints.CheckpointError, "no network"):
            checkpoints.load_params(self.run)

    def test_saving_is_quick_quiet_and_leaves_no_thread(self):
        tree = {
            entry: {f"layer_{i}": np.ones((400, 100), np.float32) for i in range(30)}
            for entry in ("params", "mean", "square")
        }
        self.store.save(0, tree, _METADATA)
        threads = threading.active_count()
        seconds = []
        with self.assertNoLogs("absl", "WARNING"):
            for frames in range(1, 4):
                start = time.perf_counter()
                self.store.save(frames, tree, _METADATA)
                seconds.append(time.perf_counter() - start)
        self.assertLess(min(seconds), 5.0)
        self.assertEqual(threading.active_count(), threads)

    def test_saves_from_a_thread(self):
        thread = threading.Thread(
            target=self.store.save, args=(7, {"params": np.arange(3)}, _METADATA)
        )
        thread.start()
        thread.join()
        restored = _restore(self.store, {"params": np.arange(3)})
        self.assertEqual(restored.frames, 7)

    def test_a_full_disk_is_one_line_and_costs_no_older_checkpoint(self):
        tree = {"params": np.random.default_rng(0).normal(size=500_000)}
        self.store.save(1, tree, _METADATA)
        # A limit on file sizes fails writes just as a full disk does.
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
        try:
            with (
                self.assertNoLogs("absl"),
                self.assertRaisesRegex(
                    checkpoints.CheckpointError, "cannot write .*: File too large; free"
                ) as caught,
            ):
                self.store.save(2, tree, _METADATA)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        self.assertNotIn("\n", str(caught.exception))
        self.assertLen(list(self.folder.iterdir()), 1)
        self.assertEqual(_restore(self.store, tree).frames, 1)

    def test_an_unwritable_folder_is_one_line(self):
        (self.run / "file").write_text("in the way")
        store = checkpoints.Checkpoints(self.run / "file" / "checkpoints", keep=1)
        with self.assertRaisesRegex(checkpoints.CheckpointError, "Not a directory"):
            store.save(1, {"params": np.arange(3)}, _METADATA)

    def test_keep_must_be_positive(self):
        with self.assertRaisesRegex(checkpoints.CheckpointError, "at least 1"):
            checkpoints.Checkpoints(self.folder, keep=0)


class CheckWritableTest(absltest.TestCase):
    def test_makes_the_folder_and_leaves_it_empty(self):
        folder = pathlib.Path(self.create_tempdir().full_path) / "a" / "b"
        checkpoints.check_writable(folder, free_bytes=1)
        self.assertEmpty(list(folder.iterdir()))

    def test_refuses_a_folder_that_cannot_be(self):
        file = self.create_tempfile()
        for path in (file.full_path, "/proc/kickstarting", "null\0byte"):
            with self.assertRaisesRegex(
                checkpoints.CheckpointError, "cannot write to"
            ) as caught:
                checkpoints.check_writable(path, free_bytes=1)
            self.assertNotIn("\n", str(caught.exception))

    def test_requires_free_space(self):
        with self.assertRaisesRegex(checkpoints.CheckpointError, "MiB free"):
            checkpoints.check_writable(self.create_tempdir().full_path, 2**60)


if __name__ == "__main__":
    absltest.main()
