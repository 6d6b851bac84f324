"""A run that goes on says what has changed, and refuses what would mean another run."""

import dataclasses
import os

import numpy as np
from absl.testing import absltest

from kickstarting.config import run as config_lib
from kickstarting.reporting import run_files
from kickstarting.teaching import files as teacher_files
from launch.flags import preflight, resuming
from launch.monitoring import run_folder
from tests import teacher_card

_TASK = "doom:defend_the_center"


class ResumingTest(absltest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.begun = config_lib.Config(logdir=self.create_tempdir().full_path)
        files = run_files.RunFiles(self.begun.logdir)
        files.write_config(preflight.as_dict(self.begun), ["train"])
        files.close()
        os.makedirs(run_folder.checkpoints(self.begun.logdir))

    def _notes(
        self, config: config_lib.Config, frames: int = 5000, *changes: str
    ) -> list[str]:
        return list(resuming.notes(config, frames, changes))

    def _with_loss(self, **fields: object) -> config_lib.Config:
        loss = dataclasses.replace(self.begun.loss, **fields)
        return dataclasses.replace(self.begun, loss=loss)

    def test_a_new_run_has_nothing_to_say(self) -> None:
        self.assertEmpty(self._notes(self._with_loss(discount=0.5), 0))

    def test_a_run_as_it_was_says_from_where_it_goes_on(self) -> None:
        going_on = f"Going on from 5,000 frames in {self.begun.logdir}"
        shown = dataclasses.replace(self.begun, show=False)
        self.assertEqual(self._notes(shown), [going_on])

    def test_what_changes_is_told(self) -> None:
        optimiser = dataclasses.replace(self.begun.optimiser, learning_rate=2e-4)
        changed = dataclasses.replace(
            self.begun, optimiser=optimiser, total_frames=2_000_000
        )
        self.assertEqual(
            self._notes(changed)[1:],
            ["  total_frames: 1000000 → 2000000", "  learning_rate: 0.0005 → 0.0002"],
        )

    def test_what_would_mean_another_run_must_be_asked_for(self) -> None:
        changed = self._with_loss(discount=0.997)
        with self.assertRaisesRegex(
            config_lib.ConfigError,
            "learned with discount=0.99, not 0.997: .*--change=discount",
        ):
            self._notes(changed)
        self.assertEqual(
            self._notes(changed, 5000, "discount")[1:], ["  discount: 0.99 → 0.997"]
        )

    def test_other_teachers_must_be_asked_for(self) -> None:
        teachers = ((_TASK, "teachers/x"),)
        kickstarting = dataclasses.replace(
            self.begun.kickstarting, teachers=teachers, schedule="constant"
        )
        changed = dataclasses.replace(self.begun, kickstarting=kickstarting)
        with self.assertRaisesRegex(
            config_lib.ConfigError, "teachers=nothing, not .*teachers/x"
        ):
            self._notes(changed)

    def test_a_teacher_may_move(self) -> None:
        folder = self.create_tempdir().full_path
        names = [os.path.join(folder, name) for name in ("one", "copy", "other")]
        for name, unlike in zip(names, (0, 0, 1), strict=True):
            params = {"policy": {"bias": np.full(2, unlike, np.float32)}}
            teacher_files.save_teacher(name, params, teacher_card.CARD)
        one, copy, other = (((_TASK, name),) for name in names)
        self.assertTrue(resuming._may_be_the_same(one, copy))
        self.assertFalse(resuming._may_be_the_same(one, other))
        self.assertFalse(resuming._may_be_the_same(one, ()))
        self.assertFalse(resuming._may_be_the_same(one, (("doom:basic", names[0]),)))
        self.assertFalse(resuming._may_be_the_same(one, ((_TASK, "random"),)))
        gone = ((_TASK, os.path.join(folder, "gone")),)
        self.assertTrue(resuming._may_be_the_same(gone, one))

    def test_only_what_needs_it_can_be_asked_for(self) -> None:
        with self.assertRaisesRegex(config_lib.ConfigError, "discount.*not seed"):
            self._notes(self.begun, 0, "seed")


if __name__ == "__main__":
    absltest.main()
