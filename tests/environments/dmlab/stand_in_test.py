"""The stand-in for DeepMind Lab fails wherever the real one does.

In the order of what was observed of a real build: the making of a Lab, the level cache,
specs, reset, step, observations, events and closing, levels.
"""

import importlib
import os
from unittest import mock

import numpy as np
from absl.testing import absltest, parameterized

from tests.environments import lab_stand_in

_FOLDER = "contributed/dmlab30/"
_LEVEL = f"{_FOLDER}rooms_watermaze"
_FORWARD = np.array([0, 0, 0, 1, 0, 0, 0], np.intc)
_FRAME = "RGB_INTERLEAVED"
_LENGTH = 10


class _StandInTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        lab_stand_in.install(self, STAND_IN_FRAMES=str(_LENGTH))
        self.module = importlib.import_module("deepmind_lab")

    def _lab(self, level=_LEVEL, observations=None, **arguments):
        if observations is None:
            observations = [_FRAME, "INSTR"]
        return self.module.Lab(level, observations, **arguments)

    def _running(self, *arguments, **keywords):
        lab = self._lab(*arguments, **keywords)
        lab.reset(seed=1)
        return lab

    def _ended(self):
        lab = self._running()
        lab.step(_FORWARD, num_steps=_LENGTH)
        return lab

    def _closed(self):
        lab = self._running()
        lab.close()
        return lab


class MakingTest(_StandInTest):
    @parameterized.named_parameters(
        ("tuple", {"observations": ("INSTR",)}, TypeError, "list"),
        ("number", {"config": {"width": 96}}, TypeError, "str"),
        ("key", {"config": {1: "96"}}, TypeError, "str"),
        ("pairs", {"config": [("width", "96")]}, TypeError, "dict"),
        ("unknown_observation", {"observations": ["RGBA"]}, ValueError, "Unknown"),
        ("unknown_setting", {"config": {"widht": "96"}}, RuntimeError, "widht"),
        ("renderer", {"renderer": "hardware"}, RuntimeError, "renderer"),
        (
            "level",
            {"level": "nowhere"},
            RuntimeError,
            'Failed to init environment - "Level not found: ',
        ),
        (
            "held_out",
            {"level": f"{_FOLDER}rooms_collect_good_objects_test"},
            RuntimeError,
            "only be used during evaluation",
        ),
    )
    def test_refuses(self, arguments, error, says) -> None:
        with self.assertRaisesRegex(error, says):
            self._lab(**arguments)

    def test_arguments_by_their_place(self) -> None:
        lab = self.module.Lab(_LEVEL, [], {"width": "96"}, "software", None, None)
        self.assertFalse(hasattr(lab, "__enter__"))

    def test_frames_have_the_size_that_is_set(self) -> None:
        for config, shape in (
            (None, (240, 320, 3)),
            ({"width": "96", "height": "72"}, (72, 96, 3)),
        ):
            lab = self._running(config=config)
            self.assertEqual(lab.observations()[_FRAME].shape, shape)


class LevelCacheTest(_StandInTest):
    def test_is_asked_before_and_told_after_a_map_is_compiled(self) -> None:
        calls = []

        class Cache:
            def fetch(self, *arguments):
                calls.append(("fetch", *arguments))
                return False

            def write(self, *arguments):
                calls.append(("write", *arguments, os.path.getsize(arguments[1])))

        self._running(level_cache=Cache(), temp_folder=self.create_tempdir().full_path)
        (_, fetched, path), (_, written, written_path, size) = calls
        self.assertEqual((fetched, path), (written, written_path))
        self.assertIsInstance(fetched, str)
        self.assertGreater(size, 0)

    def test_a_fetched_map_is_not_compiled(self) -> None:
        cache = mock.Mock(spec=["fetch", "write"])
        cache.fetch.side_effect = lambda key, path: open(path, "wb").close() or 1
        self._running(level_cache=cache)
        cache.write.assert_not_called()

    def test_a_cache_that_lies_is_no_map(self) -> None:
        cache = mock.Mock(spec=["fetch", "write"])
        with self.assertRaisesRegex(RuntimeError, "Failed to start"):
            self._running(level_cache=cache)

    def test_what_a_cache_raises_comes_out_of_reset(self) -> None:
        cache = mock.Mock(spec=["fetch", "write"])
        cache.fetch.side_effect = ZeroDivisionError
        with self.assertRaises(ZeroDivisionError):
            self._running(level_cache=cache)


class SpecTest(_StandInTest):
    def test_seven_inputs(self) -> None:
        self.assertEqual(
            [
                (each["name"], each["min"], each["max"])
                for each in self._lab().action_spec()
            ],
            [
                ("LOOK_LEFT_RIGHT_PIXELS_PER_FRAME", -512, 512),
                ("LOOK_DOWN_UP_PIXELS_PER_FRAME", -512, 512),
                ("STRAFE_LEFT_RIGHT", -1, 1),
                ("MOVE_BACK_FORWARD", -1, 1),
                ("FIRE", 0, 1),
                ("JUMP", 0, 1),
                ("CROUCH", 0, 1),
            ],
        )

    def test_all_observations_whatever_was_asked_for(self) -> None:
        lab = self._lab(observations=[], config={"width": "96", "height": "72"})
        specs = {each.pop("name"): each for each in lab.observation_spec()}
        self.assertLen(specs, 43)
        self.assertEqual(specs[_FRAME], {"shape": (72, 96, 3), "dtype": np.uint8})
        self.assertEqual(specs["INSTR"], {"shape": (), "dtype": str})
        self.assertEqual(specs["DEBUG.PLAYERS.EYE.POS"]["shape"], (0, 3))

    def test_every_observation_is_as_its_spec_says(self) -> None:
        specs = self._lab().observation_spec()
        lab = self._running(observations=[each["name"] for each in specs])
        for each in specs:
            value = lab.observations()[each["name"]]
            if each["dtype"] is str:
                self.assertIsInstance(value, str)
                continue
            self.assertEqual(value.dtype, each["dtype"])
            self.assertLen(value.shape, len(each["shape"]))
            for length, said in zip(value.shape, each["shape"], strict=True):
                self.assertIn(said, (length, 0))


class ResetTest(_StandInTest):
    def test_takes_pythons_integers_alone(self) -> None:
        lab = self._lab()
        for seed in (None, 0, -1, 2**31 - 1, 2**31):
            self.assertIs(lab.reset(seed=seed), True)
        for seed in (np.int64(1), 1.0, "1"):
            with self.assertRaisesRegex(ValueError, "'seed' must be int or None"):
                lab.reset(seed=seed)

    def test_counts_episodes_from_the_one_that_is_named(self) -> None:
        lab = self._lab()
        episodes = []
        for arguments in ((), (), (7,), (-1,)):
            lab.reset(*arguments)
            ((_, (episode,)),) = lab.events()
            episodes.append(episode[0])
        self.assertEqual(episodes, [0, 1, 7, 8])

    def test_same_calls_give_the_same_frames_once(self) -> None:
        labs = [self._lab() for _ in range(2)]
        frames = []
        for lab in (*labs, labs[0]):
            lab.reset(seed=3)
            frames.append(lab.observations()[_FRAME])
        np.testing.assert_array_equal(frames[0], frames[1])
        self.assertFalse(np.array_equal(frames[0], frames[2]))


class StepTest(_StandInTest):
    def test_sums_rewards_up_to_the_end(self) -> None:
        lab = self._running()
        reward = lab.step(_FORWARD, num_steps=4)
        self.assertIsInstance(reward, float)
        self.assertEqual(reward, 4.0)
        self.assertEqual(lab.step(_FORWARD), 1.0)
        # Of the last step's frames only those before the end are rewarded.
        self.assertEqual(lab.step(_FORWARD, num_steps=8), 5.0)
        # What was asked for is counted, not what was played.
        self.assertEqual(lab.num_steps(), 13)

    @parameterized.named_parameters(
        ("list", [0] * 7, TypeError),
        ("wide", np.zeros(7, np.int64), ValueError),
        ("float", np.zeros(7), ValueError),
        ("short", np.zeros(6, np.intc), ValueError),
        ("row", np.zeros((1, 7), np.intc), ValueError),
    )
    def test_refuses_actions(self, action, error) -> None:
        lab = self._running()
        with self.assertRaises(error):
            lab.step(action)

    def test_takes_values_out_of_range_and_no_frames(self) -> None:
        lab = self._running()
        self.assertEqual(lab.step(1000 * _FORWARD), 1000.0)
        for num_steps in (0, -3):
            self.assertEqual(lab.step(_FORWARD, num_steps=num_steps), 0.0)
            self.assertTrue(lab.is_running())

    def test_reads_an_array_as_it_lies(self) -> None:
        every_other = np.array([0, 0, 0, 5] + [0] * 10, np.intc)[::2]
        self.assertEqual(self._running().step(every_other), 5.0)

    def test_not_outside_an_episode(self) -> None:
        for lab in (self._lab(), self._ended(), self._closed()):
            with self.assertRaisesRegex(
                RuntimeError, r"^Environment in wrong status to advance\.$"
            ):
                lab.step(_FORWARD)

    def test_a_level_that_fails_in_a_step(self) -> None:
        lab_stand_in.install(self, STAND_IN_FAIL_AT="4")
        lab = self._running()
        lab.step(_FORWARD, num_steps=3)
        with self.assertRaisesRegex(ValueError, "^Failed to advance environment"):
            lab.step(_FORWARD)
        self.assertFalse(lab.is_running())

    def test_runs_in_an_episode_alone(self) -> None:
        for lab in (self._lab(), self._ended(), self._closed()):
            self.assertIs(lab.is_running(), False)
        self.assertIs(self._running().is_running(), True)


class ObservationTest(_StandInTest):
    def test_fresh_and_owned(self) -> None:
        lab = self._running()
        one, other = (lab.observations()[_FRAME] for _ in range(2))
        self.assertTrue(one.flags.owndata)
        self.assertFalse(np.shares_memory(one, other))

    def test_none_outside_an_episode(self) -> None:
        for lab in (self._lab(), self._ended(), self._closed()):
            with self.assertRaisesRegex(RuntimeError, "wrong status"):
                lab.observations()

    def test_language_levels_alone_instruct(self) -> None:
        level = f"{_FOLDER}language_select_described_object"
        self.assertNotEmpty(self._running(level).observations()["INSTR"])
        self.assertEqual(self._running().observations()["INSTR"], "")

    def test_some_levels_have_no_instruction(self) -> None:
        with self.assertRaisesRegex(ValueError, "Unknown observation 'INSTR'"):
            self._lab("tests/episode_time_test")
        lab = self._running("tests/episode_time_test", [_FRAME])
        self.assertEqual(list(lab.observations()), [_FRAME])


class EventsAndClosingTest(_StandInTest):
    def test_events_of_the_last_call(self) -> None:
        lab = self._running()
        self.assertLen(lab.events(), 1)
        lab.step(_FORWARD)
        self.assertEmpty(lab.events())
        lab.step(_FORWARD, num_steps=_LENGTH)
        ((name, arrays),) = lab.events()
        self.assertEqual(name, "ended")
        self.assertIsInstance(arrays[0], np.ndarray)

    def test_no_events_before_and_after(self) -> None:
        for lab in (self._lab(), self._closed()):
            with self.assertRaisesRegex(RuntimeError, "wrong status"):
                lab.events()

    def test_closes_once(self) -> None:
        lab = self._running()
        self.assertIs(lab.close(), True)
        self.assertIs(lab.close(), False)


class LevelsTest(_StandInTest):
    @parameterized.parameters(
        f"{_FOLDER}psychlab_arbitrary_visuomotor_mapping",
        f"{_FOLDER}psychlab_continuous_recognition",
        "contributed/psychlab/harlow",
    )
    def test_images_are_missed_where_an_episode_opens(self, level: str) -> None:
        lab = self._lab(level)
        with self.assertRaisesRegex(RuntimeError, "DATASET_PATH"):
            lab.reset(seed=1)
        self._running(level, config={"datasetPath": "dummy"})

    def test_held_out_levels_with_permission(self) -> None:
        for name in ("collect_good_objects", "exploit_deferred_effects"):
            self._running(
                f"{_FOLDER}rooms_{name}_test", config={"allowHoldOutLevels": "true"}
            )

    def test_a_level_may_have_more_inputs(self) -> None:
        lab = self._running("tests/custom_actions_test", [_FRAME])
        self.assertLen(lab.action_spec(), 9)
        with self.assertRaisesRegex(ValueError, "shape"):
            lab.step(_FORWARD)
        self.assertEqual(lab.step(np.append(_FORWARD, [0, 0]).astype(np.intc)), 1.0)


if __name__ == "__main__":
    absltest.main()
