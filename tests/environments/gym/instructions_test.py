"""Tests of the hashing of instructions."""

import re
import subprocess
import sys
import zlib

import numpy as np
from absl.testing import absltest, parameterized
from hypothesis import given, settings
from hypothesis import strategies as st

from kickstarting.environments.gym import instructions


class InstructionsTest(parameterized.TestCase):
    def test_ids_never_change(self) -> None:
        # Checkpoints hold embeddings of these ids.
        for text, expected in (
            ("go to the red ball", [775, 757, 79, 456, 380]),
            (
                "pick up the grey box behind you, then go to a purple key and put the "
                "yellow ball next to a green door",
                [
                    *(924, 841, 79, 619, 803, 101, 127, 891, 775, 757, 908, 247, 938),
                    *(622, 53, 79, 648, 380, 213, 757, 908, 434, 102),
                ],
            ),
            (
                "use the KEY_1 to open Door-2; don't stop!",
                [140, 79, 938, 584, 757, 157, 102, 438, 928, 871],
            ),
        ):
            ids = instructions.encode(text, 24)
            padding = [0] * (24 - len(expected))
            np.testing.assert_array_equal(ids, expected + padding)

    @settings(deadline=None)
    @given(st.text(st.characters(max_codepoint=127)))
    def test_words_of_ascii_stay_what_they_were(self, text: str) -> None:
        words = re.findall(r"[a-z0-9']+", text.lower())
        expected = [zlib.crc32(word.encode()) % 1000 + 1 for word in words]
        ids = instructions.encode(text, len(words) + 1)
        np.testing.assert_array_equal(ids, [*expected, 0])

    @parameterized.parameters(
        ("öffne die rote Tür", 4),
        ("открой красную дверь", 3),
        ("लाल गेंद उठाओ", 3),
        ("拿起 红色的 球", 3),
        ("خذ الكرة الحمراء", 3),
        ("❤️ — ¡hola!", 1),
    )
    def test_letters_of_every_script_make_words(self, text: str, count: int) -> None:
        ids = instructions.encode(text, 8)
        self.assertEqual(np.count_nonzero(ids), count)
        self.assertLen(np.unique(ids[:count]), count)

    @parameterized.parameters(
        ("TÜR ÖFFNEN", "tür öffnen"),
        ("Straße", "STRASSE"),
        ("ΟΔΟΣ", "οδος"),
        ("t\u00fcr", "tu\u0308r"),
        ("\u1fb7", "\u03b1\u0342\u03b9"),
    )
    def test_cases_and_compositions_are_one_word(self, one: str, other: str) -> None:
        np.testing.assert_array_equal(
            instructions.encode(one, 4), instructions.encode(other, 4)
        )

    def test_what_is_cut_is_told_once(self) -> None:
        with self.assertLogs("absl", "WARNING") as logs:
            for text in ("go to the red ball", "go to the key", "open the red door"):
                instructions.encode(text, 3, "gym:Cut-v0")
        self.assertEqual(
            [record.getMessage() for record in logs.records],
            [
                "gym:Cut-v0 gives instructions of more than 3 words: only their first "
                "3 are read"
            ],
        )
        with self.assertNoLogs("absl", "WARNING"):
            instructions.encode("go to the key", 4, "gym:Whole-v0")

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
