"""A teacher fits its student, or is refused."""

import dataclasses

import jax
import numpy as np
from absl.testing import absltest, parameterized

from kickstarting.environments import base
from kickstarting.teaching import cards as teacher_cards
from kickstarting.teaching import files as teacher_files
from tests import teacher_card

_SPEC = base.EnvironmentSpec(
    frame_shape=(72, 96, 3),
    instruction_length=0,
    action_names=("forward", "attack"),
    action_repeat=4,
)


class MatchTest(parameterized.TestCase):
    def test_the_same_is_accepted_whatever_the_action_repeat(self):
        teacher_cards.check_matches(
            teacher_card.CARD, dataclasses.replace(_SPEC, action_repeat=8)
        )

    @parameterized.parameters(
        ({"action_names": ("attack", "forward")}, "'forward', 'attack'.*'attack', 'fo"),
        ({"frame_shape": (7, 7, 3)}, r"\(72, 96, 3\).*\(7, 7, 3\)"),
        ({"instruction_length": 16}, "instruction length 0.* 16"),
    )
    def test_a_difference_is_refused_with_both_named(self, change, message):
        with self.assertRaisesRegex(teacher_files.TeacherError, message):
            teacher_cards.check_matches(
                teacher_card.CARD, dataclasses.replace(_SPEC, **change)
            )

    @parameterized.parameters(
        ({"a": {"b": (2, 4)}}, r"\(2, 3\) for 'a/b'.*\(2, 4\)"),
        ({"a": {"b": (2, 3)}, "c": (1,)}, "nothing for 'c'"),
        ({}, r"\(2, 3\) for 'a/b'.*nothing"),
    )
    def test_weights_that_do_not_fit_the_network_are_refused(self, shapes, message):
        params = {"a": {"b": np.zeros((2, 3))}}
        expected = jax.tree.map(
            lambda shape: jax.ShapeDtypeStruct(shape, np.float32),
            shapes,
            is_leaf=lambda node: isinstance(node, tuple),
        )
        with self.assertRaisesRegex(teacher_files.TeacherError, message):
            teacher_files.check_shapes("teacher", params, expected)

    def test_weights_that_fit_are_accepted(self):
        params = {"a": {"b": np.zeros((2, 3))}}
        teacher_files.check_shapes("teacher", params, params)


if __name__ == "__main__":
    absltest.main()
