"""Tests of the hashing of instructions."""

import subprocess
import sys

import numpy as np
from absl.testing import absltest
from hypothesis import given, settings
from hypothesis import strategies as st

from kickstarting.environments.gym import instructions


class InstructionsTest(absltest.TestCase):
    def test_ids_never_change(self) -> None:
        # Checkpoints hold embeddings of these ids.
        ids = instructions.encode("go to the red ball", 7)
        np.testing.assert_array_equal(ids, [775, 757, 79, 456, 380, 0, 0])

    def test_another_process_hashes_alike(self) -> None:
        program = (
            "from kickstarting.environments.gym import instructions;"
            "print(instructions.encode('open a door', 4).tolist())"
        )
        printed = subprocess.check_output([sys.executable, "-c", program], text=True)
        self.assertEqual(
            printed.strip(), str(instructions.encode("open a door", 4).tolist())
        )

    def test_ignores_case_and_punctuation(self) -> None:
        np.testing.assert_array_equal(
            instructions.encode("Open the door, then GO!", 8),
            instructions.encode("open the door then go", 8),
        )

    def test_says_nothing_as_pads_alone(self) -> None:
        for text in ("", " \n", "?!"):
            self.assertEqual(np.count_nonzero(instructions.encode(text, 8)), 0)

    @settings(deadline=None)
    @given(st.text(), st.integers(0, 30))
    def test_any_text_gives_ids_then_pads(self, text: str, length: int) -> None:
        ids = instructions.encode(text, length)
        self.assertEqual(ids.shape, (length,))
        self.assertEqual(ids.dtype, np.int32)
        self.assertTrue(np.all((ids >= 0) & (ids <= instructions.NUM_BUCKETS)))
        num_words = np.count_nonzero(ids)
        self.assertTrue(np.all(ids[:num_words] > 0))

    @settings(deadline=None)
    @given(st.lists(st.sampled_from(["go", "to", "the", "key"]), min_size=4))
    def test_longer_instructions_are_cut(self, words: list[str]) -> None:
        np.testing.assert_array_equal(
            instructions.encode(" ".join(words), 4),
            instructions.encode(" ".join(words[:4]), 4),
        )


if __name__ == "__main__":
    absltest.main()
