"""Tests of teaching/files.py: what is saved comes back, and nothing else is touched."""

import dataclasses
import hashlib
import json
import os
import pathlib

import jax
import numpy as np
import safetensors.numpy
from absl.testing import absltest, parameterized

from kickstarting.teaching import files as teacher_files
from tests import teacher_folder


class LocatedTest(absltest.TestCase):
    def test_a_teacher_of_the_project_is_found_from_elsewhere(self):
        # A file, and no folder: Bazel makes folders of its own, and links to files.
        name = "tests/teaching/files_test.py"
        project = pathlib.Path.cwd()
        folder = pathlib.Path(self.create_tempdir().full_path)
        self.addCleanup(os.chdir, project)
        os.chdir(folder)
        located = teacher_files.located(name)
        self.assertTrue(located.samefile(project / name))
        (folder / name).mkdir(parents=True)
        self.assertEqual(teacher_files.located(name), pathlib.Path(name))
        for nowhere in ("none", "a\0b", "x" * 5000):
            self.assertEqual(str(teacher_files.located(nowhere)), nowhere)


class RoundTripTest(teacher_folder.TeacherFolderTest):
    def test_weights_come_back_as_close_as_float16_is(self):
        self.save()
        params, card = teacher_files.load_teacher(self.folder)
        self.assertEqual(card, teacher_folder.CARD)
        self.assertEqual(
            jax.tree.structure(params), jax.tree.structure(teacher_folder.params())
        )
        for loaded, saved in zip(
            jax.tree.leaves(params),
            jax.tree.leaves(teacher_folder.params()),
            strict=True,
        ):
            self.assertEqual(loaded.dtype, np.float32)
            np.testing.assert_array_equal(
                loaded, np.asarray(saved).astype(np.float16).astype(np.float32)
            )
            np.testing.assert_allclose(loaded, saved, rtol=2**-11, atol=2**-24)

    def test_the_card_is_what_the_json_says(self):
        self.save()
        self.assertCountEqual(
            os.listdir(self.folder), ["card.json", "weights.safetensors"]
        )
        content = json.loads((self.folder / teacher_files.CARD).read_text())
        self.assertEqual(content["format_version"], 2)
        self.assertEqual(content["network"], teacher_folder.NETWORK)
        self.assertEqual(teacher_folder.CARD.tasks, ("doom:health_gathering",))

    def test_the_order_in_memory_does_not_matter(self):
        kernel = np.arange(6, dtype=np.float32).reshape(2, 3)
        params = {"kernel": np.asfortranarray(kernel)}
        teacher_files.save_teacher(self.folder, params, teacher_folder.CARD)
        loaded, _ = teacher_files.load_teacher(self.folder)
        np.testing.assert_array_equal(loaded["kernel"], kernel)

    def test_safetensors_alone_can_read_the_weights(self):
        self.save()
        arrays = safetensors.numpy.load_file(self.folder / teacher_files.WEIGHTS)
        self.assertEqual(arrays["torso/conv/kernel"].dtype, np.float16)
        self.assertLen(arrays, 4)

    def test_a_teacher_of_before_has_the_same_weights(self):
        self.save()
        expected, _ = teacher_files.load_teacher(self.folder)
        arrays = safetensors.numpy.load_file(self.folder / teacher_files.WEIGHTS)
        self.set_npz(
            {
                f"{name}.npy": teacher_folder.array_bytes(array)
                for name, array in arrays.items()
            }
        )
        params, card = teacher_files.load_teacher(self.folder)
        self.assertEqual(card, teacher_folder.CARD)
        jax.tree.map(np.testing.assert_array_equal, params, expected)
        content = (self.folder / teacher_folder.NPZ).read_bytes()
        self.assertEqual(
            teacher_files.weights_sha256(self.folder),
            hashlib.sha256(content).hexdigest(),
        )
        # Exported anew, it has no weights twice.
        self.save()
        self.assertCountEqual(
            os.listdir(self.folder), [teacher_files.CARD, teacher_files.WEIGHTS]
        )

    def test_the_same_teacher_is_the_same_file(self):
        self.save()
        first = (self.folder / teacher_files.WEIGHTS).read_bytes()
        self.save()
        self.assertEqual(first, (self.folder / teacher_files.WEIGHTS).read_bytes())

    def test_a_shallow_network_takes_under_3_megabytes(self):
        kernel = np.random.default_rng(0).normal(size=(1200, 1000))
        teacher_files.save_teacher(self.folder, {"kernel": kernel}, teacher_folder.CARD)
        self.assertLess((self.folder / teacher_files.WEIGHTS).stat().st_size, 3e6)

    def test_a_teacher_is_replaced_whole(self):
        self.save()
        card = dataclasses.replace(teacher_folder.CARD, seed=2)
        teacher_files.save_teacher(self.folder, {"other": np.ones(3)}, card)
        params, loaded = teacher_files.load_teacher(self.folder)
        self.assertEqual((list(params), loaded.seed), (["other"], 2))
        self.assertEqual(os.listdir(self.folder.parent), ["teacher"])

    def test_a_refused_save_leaves_the_old_teacher_and_no_litter(self):
        self.save()
        with self.assertRaisesRegex(teacher_files.TeacherError, "float16 cannot hold"):
            teacher_files.save_teacher(
                self.folder, {"big": np.full(3, 1e6)}, teacher_folder.CARD
            )
        self.assertEqual(
            teacher_files.load_teacher(self.folder)[1], teacher_folder.CARD
        )
        self.assertEqual(os.listdir(self.folder.parent), ["teacher"])

    @parameterized.parameters(
        ({}, "no weights"),
        ({"a": np.array([np.nan])}, "'a' has values"),
        ({"a": np.arange(3)}, "'a' has dtype int64"),
        ({"a": "text"}, "'a' has dtype"),
        ({"a/b": np.ones(3)}, "'a/b' cannot name"),
        ({"": np.ones(3)}, "'' cannot name"),
        ({"__metadata__": np.ones(3)}, "'__metadata__' cannot name"),
        # As large as none that is read may be.
        ({"a": np.zeros(2**24 + 1, np.float16)}, "more than 16777216 parameters"),
        ({"a" * 501: np.ones(3)}, "cannot name weights"),
    )
    def test_what_is_no_teacher_is_not_saved(self, params, message):
        with self.assertRaisesRegex(teacher_files.TeacherError, message):
            teacher_files.save_teacher(self.folder, params, teacher_folder.CARD)
        self.assertFalse(self.folder.exists())

    def test_no_other_folder_is_overwritten(self):
        self.folder.mkdir()
        (self.folder / "precious").write_text("mine")
        with self.assertRaisesRegex(teacher_files.TeacherError, "is no teacher"):
            self.save()
        self.assertEqual((self.folder / "precious").read_text(), "mine")

    def test_a_folder_that_cannot_be_made_is_one_line(self):
        self.folder.write_text("a file")
        with self.assertRaisesRegex(teacher_files.TeacherError, "cannot write"):
            teacher_files.save_teacher(
                self.folder / "teacher", teacher_folder.params(), teacher_folder.CARD
            )


if __name__ == "__main__":
    absltest.main()
