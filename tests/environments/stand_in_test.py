"""The stand-in for DeepMind Lab fails wherever the real one does."""

import importlib

import numpy as np
from absl.testing import absltest, parameterized

from tests.environments import lab_stand_in

_FOLDER = "contributed/dmlab30/"
_LEVEL = f"{_FOLDER}rooms_watermaze"
_FORWARD = np.array([0, 0, 0, 1, 0, 0, 0], np.intc)


class StandInTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        lab_stand_in.install(self, STAND_IN_FRAMES="10")
        self.module = importlib.import_module("deepmind_lab")

    def _lab(self, level=_LEVEL, observations=None, **arguments):
        observations = observations or ["RGB_INTERLEAVED", "INSTR"]
        return self.module.Lab(level, observations, **arguments)

    @parameterized.named_parameters(
        ("tuple", {"observations": ("INSTR",)}, TypeError, "list"),
        ("number", {"config": {"width": 96}}, TypeError, "str"),
        ("unknown_observation", {"observations": ["RGB"]}, ValueError, "Unknown"),
        ("unknown_setting", {"config": {"widht": "96"}}, RuntimeError, "widht"),
        ("renderer", {"renderer": "hardware"}, RuntimeError, "renderer"),
        ("level", {"level": "nowhere"}, RuntimeError, "Failed to init environment"),
        (
            "dataset",
            {"level": f"{_FOLDER}psychlab_continuous_recognition"},
            RuntimeError,
            "datasetPath",
        ),
        (
            "held_out",
            {"level": f"{_FOLDER}rooms_collect_good_objects_test"},
            RuntimeError,
            "allowHoldOutLevels",
        ),
    )
    def test_refuses_to_be_made(self, arguments, error, says) -> None:
        with self.assertRaisesRegex(error, says):
            self._lab(**arguments)

    @parameterized.named_parameters(
        ("list", [0] * 7, TypeError),
        ("wide", np.zeros(7, np.int64), ValueError),
        ("short", np.zeros(6, np.intc), ValueError),
    )
    def test_refuses_actions(self, action, error) -> None:
        lab = self._lab()
        lab.reset(seed=1)
        with self.assertRaises(error):
            lab.step(action)

    def test_takes_pythons_seeds_alone(self) -> None:
        lab = self._lab()
        for seed in (-1, 2**31):
            self.assertTrue(lab.reset(seed=seed))
        with self.assertRaises(ValueError):
            lab.reset(seed=np.int64(1))

    def test_default_frames_and_all_observations(self) -> None:
        lab = self._lab()
        lab.reset(seed=1)
        observations = lab.observations()
        self.assertEqual(observations["RGB_INTERLEAVED"].shape, (240, 320, 3))
        self.assertEqual(observations["INSTR"], "")
        self.assertGreater(len(lab.observation_spec()), len(observations))

    def test_no_step_or_observation_outside_an_episode(self) -> None:
        lab = self._lab()
        self._check_not_running(lab)
        lab.reset(seed=1)
        self.assertTrue(lab.is_running())
        self.assertEqual(lab.step(_FORWARD, num_steps=4), 4.0)
        # Of the last step's frames only those before the end are rewarded.
        self.assertEqual(lab.step(_FORWARD, num_steps=8), 6.0)
        self.assertEqual(lab.num_steps(), 12)
        self._check_not_running(lab)
        self.assertNotEmpty(lab.events())
        self.assertEqual((lab.close(), lab.close()), (True, False))
        self._check_not_running(lab)

    def _check_not_running(self, lab) -> None:
        self.assertFalse(lab.is_running())
        with self.assertRaisesRegex(RuntimeError, "wrong status to advance"):
            lab.step(_FORWARD)
        with self.assertRaises(RuntimeError):
            lab.observations()

    def test_same_calls_give_the_same_frames_once(self) -> None:
        labs = [self._lab() for _ in range(2)]
        frames = []
        for lab in (*labs, labs[0]):
            lab.reset(seed=3)
            frames.append(lab.observations()["RGB_INTERLEAVED"])
        np.testing.assert_array_equal(frames[0], frames[1])
        self.assertFalse(np.array_equal(frames[0], frames[2]))


if __name__ == "__main__":
    absltest.main()
