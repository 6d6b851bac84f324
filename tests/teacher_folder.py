"""A teacher's folder that tests write and spoil, and how it must be refused."""

import hashlib
import json
import pathlib
import tempfile
import zipfile
from typing import Any

import jax.numpy as jnp
import numpy as np
from absl.testing import parameterized

from kickstarting.teaching import files as teacher_files
from tests import teacher_card

CARD = teacher_card.CARD
NETWORK = {"torso": "shallow", "core_size": 256, "num_values": 1, "language": True}


def params() -> dict[str, Any]:
    """Returns parameters of several shapes and depths."""
    random = np.random.default_rng(0)
    return {
        "torso": {
            "conv": {
                "kernel": random.normal(size=(8, 8, 3, 4)).astype(np.float32),
                "bias": np.zeros((4,), np.float32),
            }
        },
        "value": jnp.asarray(random.normal(size=(6, 1)), jnp.float32),
        "scale": np.float32(0.5),
    }


class TeacherFolderTest(parameterized.TestCase):
    """Has `folder`, in which no teacher is yet."""

    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path) / "teacher"

    def save(self) -> None:
        """Writes a sound teacher."""
        teacher_files.save_teacher(self.folder, params(), CARD)

    def set_weights(self, members: dict[str, bytes]) -> None:
        """Puts other weights in place, with the checksum that fits them."""
        path = self.folder / teacher_files.WEIGHTS
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        self.set_checksum()

    def set_checksum(self) -> None:
        """Lets the card agree with the weights."""
        weights = (self.folder / teacher_files.WEIGHTS).read_bytes()
        self.change_card({"weights_sha256": hashlib.sha256(weights).hexdigest()})

    def change_card(self, change: dict[str, Any]) -> None:
        """Puts other values in the card."""
        path = self.folder / teacher_files.CARD
        path.write_text(json.dumps(json.loads(path.read_text()) | change))

    def assert_refused(self, message: str) -> None:
        """Loading fails with one line that says so."""
        with self.assertRaisesRegex(teacher_files.TeacherError, message) as caught:
            teacher_files.load_teacher(self.folder)
        self.assertNotIn("\n", str(caught.exception))
        self.assertLess(len(str(caught.exception)), 1000)


def array_bytes(array: np.ndarray) -> bytes:
    """Returns the file of an array, pickled where it must be."""
    with tempfile.TemporaryFile() as file:
        np.save(file, array, allow_pickle=True)
        file.seek(0)
        return file.read()


def header_bytes(shape: tuple[int, ...]) -> bytes:
    """Returns the header of a float16 array\'s file, without its values."""
    with tempfile.TemporaryFile() as file:
        np.lib.format.write_array_header_1_0(
            file, {"shape": shape, "fortran_order": False, "descr": "<f2"}
        )
        file.seek(0)
        return file.read()
