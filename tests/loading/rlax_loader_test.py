"""rlax is loaded without TensorFlow and without distrax, in fresh processes."""

import subprocess
import sys

from absl.testing import absltest, parameterized

_USE = """
import numpy as np
from kickstarting.loading import rlax_loader
rlax = rlax_loader.load()
assert 'tensorflow_probability' not in sys.modules
import importlib.util
assert importlib.util.find_spec('distrax').name == 'distrax'
# Of distrax.
ratios = rlax.categorical_importance_sampling_ratios(
    np.zeros((2, 3)), np.zeros((2, 3)), np.array([0, 1]))
assert np.allclose(ratios, 1.0), ratios
assert rlax_loader.load() is rlax
assert 'tensorflow_probability' in sys.modules
import distrax
assert distrax.Categorical.__module__.startswith('distrax.')
"""


class RlaxLoaderTest(parameterized.TestCase):
    @parameterized.named_parameters(
        (
            "after_tensorflow",
            "import sys, tensorflow as tf",
            "assert sys.modules['tensorflow'] is tf; assert tf.constant(1).shape == ()",
        ),
        (
            "before_tensorflow",
            "import sys",
            "assert 'tensorflow' not in sys.modules\n"
            "import tensorflow as tf; assert tf.constant(1).shape == ()",
        ),
    )
    def test_loads(self, before, after):
        program = before + _USE + after
        subprocess.run([sys.executable, "-c", program], check=True, timeout=110)


if __name__ == "__main__":
    absltest.main()
