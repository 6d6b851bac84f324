"""A shipped teacher labels a batch of observations."""

import contextlib
import io

import numpy as np
from absl.testing import absltest

from examples import label_observations


class LabelObservationsTest(absltest.TestCase):
    def test_it_gives_probabilities(self):
        frames = np.zeros((2, 3, 72, 96, 3), np.uint8)
        policy = label_observations.label(str(label_observations.TEACHER), frames)
        self.assertEqual(policy.shape, (2, 3, 9))
        np.testing.assert_allclose(policy.sum(-1), 1.0, rtol=1e-5)
        # The same frames, the same answer.
        np.testing.assert_allclose(policy[0], policy[1], rtol=1e-5)

    def test_it_names_actions(self):
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            label_observations.main()
        lines = printed.getvalue().splitlines()
        self.assertLen(lines, 10)
        self.assertRegex(lines[0], r"^0: \w+ 0\.\d\d$")


if __name__ == "__main__":
    absltest.main()
