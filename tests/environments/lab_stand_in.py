"""Puts the stand-in for DeepMind Lab where tests and their workers import it."""

import importlib.util
import os
import pathlib
import sys
from unittest import mock

from absl.testing import absltest

REAL_IS_INSTALLED = importlib.util.find_spec("deepmind_lab") is not None
FOLDER = str(pathlib.Path(__file__).with_name("stand_in"))


def install(test: absltest.TestCase, **variables: str) -> None:
    """Lets `deepmind_lab` be the stand-in until the test ends.

    Args:
      test: the test.
      **variables: of the environment, which the stand-in obeys.
    """
    # Workers are given the path of their parent.
    for patch in (
        mock.patch.object(sys, "path", [FOLDER, *sys.path]),
        mock.patch.dict(os.environ, variables),
        mock.patch.dict(sys.modules),
    ):
        patch.start()
        test.addCleanup(patch.stop)
