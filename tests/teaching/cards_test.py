"""Tests of kickstarting.teaching.cards: what a card that is made may say."""

import dataclasses
import json
from typing import Any

import numpy as np
from absl.testing import absltest, parameterized

from kickstarting.teaching import cards
from tests import teacher_card

CARD = teacher_card.CARD


class CardTest(parameterized.TestCase):
    def test_what_is_measured_with_numpy_is_written_as_json(self) -> None:
        score = cards.TaskScore(
            "doom:basic", np.float64(1.5), np.float32(0.25), np.int64(30), None
        )
        card = dataclasses.replace(CARD, scores=(score,), seed=np.int32(3))
        content = json.loads(json.dumps(dataclasses.asdict(card)))
        self.assertEqual(content["scores"][0]["mean_return"], 1.5)
        self.assertEqual(content["scores"][0]["episodes"], 30)
        self.assertEqual(cards.from_json(content), card)

    def test_it_is_made_of_tuples(self) -> None:
        card = dataclasses.replace(CARD, frame_shape=list(CARD.frame_shape))
        self.assertEqual(card, CARD)

    @parameterized.parameters(
        ({"command": 3}, "command cannot be 3: Expected `str`"),
        ({"git_revision": None}, "git_revision cannot be None"),
        ({"frame_shape": (72, 96)}, r"frame_shape cannot be \(72, 96\)"),
        ({"frame_shape": (72, 96, 0)}, ">= 1 - at `..2.`"),
        ({"seed": -1}, "seed cannot be -1: Expected `int` >= 0"),
        ({"seed": 2**63}, "seed cannot be 9223372036854775808"),
        ({"seed": 1.0}, "seed cannot be 1.0: Expected `int`"),
        ({"seed": object()}, "seed cannot be <object"),
        ({"action_repeat": True}, "action_repeat cannot be True"),
        ({"scores": ()}, "scores must be of distinct tasks"),
        ({"scores": ("doom:basic",)}, "scores cannot be"),
        ({"network": "shallow"}, "network cannot be 'shallow'"),
    )
    def test_what_it_cannot_say_is_one_line(
        self, fields: dict[str, Any], said: str
    ) -> None:
        with self.assertRaisesRegex(cards.TeacherError, said) as raised:
            dataclasses.replace(CARD, **fields)
        self.assertNotIn("\n", str(raised.exception))


if __name__ == "__main__":
    absltest.main()
