"""Reverb is loaded without TensorFlow, which comes with its first use."""

import subprocess
import sys

from absl.testing import absltest, parameterized

_LOAD = """
from kickstarting.loading import reverb_loader
reverb = reverb_loader.load()
assert reverb_loader.load() is reverb
import reverb as imported
assert imported is reverb
"""
_QUEUE = """
import numpy as np
server = reverb.Server([reverb.Table.queue('queue', 2)])
client = reverb.Client(f'localhost:{server.port}')
client.insert([np.arange(3)], {'queue': 1.0})
sample = next(client.sample('queue', emit_timesteps=False))
assert sample.data[0].tolist() == [[0, 1, 2]], sample
assert client.server_info(timeout=20)['queue'].current_size == 0
"""
_DATASET = """
import numpy as np
import tensorflow as tf
specs = [tf.TensorSpec((1, 3), np.int64)]
server = reverb.Server([reverb.Table.queue('queue', 2, signature=specs)])
client = reverb.Client(f'localhost:{server.port}')
client.insert([np.arange(3)], {'queue': 1.0})
dataset = reverb.TrajectoryDataset.from_table_signature(
    server_address=client.server_address, table='queue',
    max_in_flight_samples_per_worker=1)
assert next(dataset.as_numpy_iterator()).data[0].tolist() == [[0, 1, 2]]
assert client.server_info(timeout=20)['queue'].signature == specs
assert reverb.ReplaySample
assert reverb.replay_sample.SampleInfo.tf_dtypes()[0] == tf.uint64
assert tf.compat.v1.Session
assert reverb.TFClient(client.server_address) and reverb.TimestepDataset
"""


class ReverbLoaderTest(parameterized.TestCase):
    @parameterized.named_parameters(
        (
            "before_tensorflow",
            "from kickstarting.loading import rlax_loader\n"
            f"assert rlax_loader.load().__version__\n{_LOAD}{_QUEUE}"
            "assert not hasattr(reverb, 'nothing')\n"
            f"assert 'tensorflow' not in sys.modules\n{_DATASET}"
            "assert tf.constant(1).shape == () and tf.__version__.startswith('2.')",
        ),
        (
            "after_tensorflow",
            f"import tensorflow\n{_LOAD}assert sys.modules['tensorflow'] is tensorflow"
            f"{_DATASET}",
        ),
    )
    def test_loads(self, code):
        program = f"import sys\n{code}"
        subprocess.run([sys.executable, "-c", program], check=True, timeout=110)


if __name__ == "__main__":
    absltest.main()
