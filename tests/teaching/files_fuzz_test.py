"""Whatever stands in a teacher's folder, it loads or is refused with one line."""

import copy
import json
import os

import numpy as np
import safetensors.numpy
from absl.testing import absltest
from hypothesis import given, settings
from hypothesis import strategies as st

from kickstarting.teaching import files as teacher_files
from tests import teacher_folder

# Of each test; FUZZ_INPUTS=2500 are fifteen thousand in all.
_INPUTS = int(os.environ.get("FUZZ_INPUTS", "150"))


class FuzzTest(teacher_folder.TeacherFolderTest):
    def setUp(self):
        super().setUp()
        self.save()
        self.card = (self.folder / teacher_files.CARD).read_bytes()
        self.weights = (self.folder / teacher_files.WEIGHTS).read_bytes()

    def _load(self) -> None:
        try:
            teacher_files.load_teacher(self.folder)
        except teacher_files.TeacherError as error:
            self.assertNotIn("\n", str(error))

    @settings(deadline=None, max_examples=_INPUTS)
    @given(st.data())
    def test_bytes_of_the_card(self, data):
        start = data.draw(st.integers(0, len(self.card)))
        stop = data.draw(st.integers(start, min(start + 20, len(self.card))))
        noise = data.draw(st.binary(max_size=20))
        (self.folder / teacher_files.CARD).write_bytes(
            self.card[:start] + noise + self.card[stop:]
        )
        self._load()

    @settings(deadline=None, max_examples=_INPUTS)
    @given(st.data())
    def test_values_of_the_card(self, data):
        content = copy.deepcopy(json.loads(self.card))
        target = data.draw(st.sampled_from([content, content["network"]]))
        name = data.draw(st.sampled_from(sorted(target)))
        scalars = (
            st.none()
            | st.booleans()
            | st.integers()
            | st.floats()
            | st.text(max_size=5)
        )
        target[name] = data.draw(
            st.recursive(
                scalars,
                lambda inner: (
                    st.lists(inner, max_size=4)
                    | st.dictionaries(st.text(max_size=5), inner, max_size=3)
                ),
                max_leaves=6,
            )
        )
        (self.folder / teacher_files.CARD).write_text(json.dumps(content))
        self._load()

    @settings(deadline=None, max_examples=_INPUTS)
    @given(st.data())
    def test_bytes_of_the_weights(self, data):
        (self.folder / teacher_files.CARD).write_bytes(self.card)
        start = data.draw(st.integers(0, len(self.weights)))
        stop = data.draw(st.integers(start, min(start + 8, len(self.weights))))
        noise = data.draw(st.binary(max_size=8))
        self.set_weights(self.weights[:start] + noise + self.weights[stop:])
        self._load()

    @settings(deadline=None, max_examples=_INPUTS)
    @given(st.data())
    def test_bytes_of_a_header(self, data):
        array = np.ones((2, 3), np.float16)
        weights = safetensors.numpy.save({"a/b": array, "c": array[0]})
        # The eight bytes before it are its length.
        end = 8 + int.from_bytes(weights[:8], "little")
        start = data.draw(st.integers(0, end))
        stop = data.draw(st.integers(start, min(start + 8, end)))
        noise = data.draw(
            st.binary(max_size=8)
            | st.text('0123456789-[]{},:.e"', max_size=8).map(str.encode)
        )
        self.set_weights(weights[:start] + noise + weights[stop:])
        self._load()

    @settings(deadline=None, max_examples=_INPUTS)
    @given(st.data())
    def test_bytes_of_an_archive(self, data):
        self.set_npz(
            {
                f"{name}.npy": teacher_folder.array_bytes(np.ones(shape, np.float16))
                for name, shape in (("a/b", (2, 3)), ("c", ()))
            }
        )
        archive = (self.folder / teacher_folder.NPZ).read_bytes()
        start = data.draw(st.integers(0, len(archive)))
        stop = data.draw(st.integers(start, min(start + 8, len(archive))))
        noise = data.draw(st.binary(max_size=8))
        self.set_npz_bytes(archive[:start] + noise + archive[stop:])
        self._load()

    @settings(deadline=None, max_examples=_INPUTS)
    @given(st.data())
    def test_bytes_of_an_array(self, data):
        array = teacher_folder.array_bytes(np.ones((2, 3), np.float16))
        start = data.draw(st.integers(0, len(array)))
        stop = data.draw(st.integers(start, min(start + 8, len(array))))
        noise = data.draw(st.binary(max_size=8))
        self.set_npz({"a.npy": array[:start] + noise + array[stop:]})
        self._load()


if __name__ == "__main__":
    absltest.main()
