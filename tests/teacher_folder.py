"""A teacher's folder that tests write and spoil, and how it must be refused."""

import hashlib
import io
import json
import pathlib
import tempfile
import zipfile
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from absl.testing import parameterized

from kickstarting.teaching import files as teacher_files
from tests import teacher_card

CARD = teacher_card.CARD
# The weights' file before there was safetensors.
NPZ = "weights.npz"
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

    def set_weights(self, content: bytes) -> None:
        """Puts other weights in place, with the checksum that fits them."""
        (self.folder / teacher_files.WEIGHTS).write_bytes(content)
        self.change_card({"weights_sha256": hashlib.sha256(content).hexdigest()})

    def set_npz(self, members: dict[str, bytes]) -> None:
        """Puts weights as they were before in place, with the checksum that fits."""
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, member in members.items():
                archive.writestr(name, member)
        self.set_npz_bytes(content.getvalue())

    def set_npz_bytes(self, content: bytes) -> None:
        """Puts what should be an .npz file in place, with the checksum that fits."""
        (self.folder / teacher_files.WEIGHTS).unlink(missing_ok=True)
        (self.folder / NPZ).write_bytes(content)
        self.change_card({"weights_sha256": hashlib.sha256(content).hexdigest()})

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


def safetensors_bytes(header: Any, data: bytes = b"") -> bytes:
    """Returns a safetensors file of this header, given as bytes or as its JSON."""
    if not isinstance(header, bytes):
        header = json.dumps(header).encode()
    return len(header).to_bytes(8, "little") + header + data


def entry(shape: Sequence[int], begin: int, end: int, dtype: str = "F16") -> Any:
    """Returns what a safetensors header says of an array."""
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def array_bytes(array: np.ndarray) -> bytes:
    """Returns the file of an array, pickled where it must be."""
    with tempfile.TemporaryFile() as file:
        np.save(file, array, allow_pickle=True)
        file.seek(0)
        return file.read()


def header_bytes(shape: tuple[int, ...]) -> bytes:
    """Returns the header of a float16 array's file, without its values."""
    with tempfile.TemporaryFile() as file:
        np.lib.format.write_array_header_1_0(
            file, {"shape": shape, "fortran_order": False, "descr": "<f2"}
        )
        file.seek(0)
        return file.read()
