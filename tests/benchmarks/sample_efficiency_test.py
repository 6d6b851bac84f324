"""A comparison from its flags to its JSON and picture, with a peer that stands in."""

import contextlib
import dataclasses
import io
import json
import os
import pathlib
import sys
import time
from typing import Any
from unittest import mock

import numpy as np
from absl.testing import absltest, flagsaver, parameterized

from benchmarks import sample_efficiency
from benchmarks.comparison import competitors, marks, records
from benchmarks.comparison import picture as picture_lib
from kickstarting.reporting import run_files
from launch.flags import command_line

_TASK = "gym:MiniGrid-Empty-5x5-v0"
_FRAMES = 2000
_MARKS = (marks.Mark(0.5, 1000), marks.Mark(1.5, _FRAMES))


class _StandIn(competitors.Peer):
    def install(self, folder: str, python: str) -> str:
        return sys.executable


_PEER = _StandIn(
    "stand-in", "stand_in", "tests.benchmarks.stand_in_peer", lambda task: "5x5" in task
)


class _Case(parameterized.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        known = {"stand_in": _PEER, "broken": dataclasses.replace(_PEER, module="nix")}
        for patch in (
            mock.patch.dict(competitors.COMPETITORS, known),
            mock.patch.dict(marks.MARKS, {_TASK: _MARKS}),
        ):
            patch.start()
            self.addCleanup(patch.stop)

    def _run(self, *arguments: str) -> tuple[int, str, str]:
        """Returns status, output and what was said."""
        output, said = io.StringIO(), io.StringIO()
        argv = [
            "sample_efficiency",
            f"--results={self.folder / 'results'}",
            f"--records={self.folder / 'records'}",
            f"--environments={self.folder / 'environments'}",
            *arguments,
        ]
        with (
            flagsaver.flagsaver(),
            contextlib.redirect_stdout(output),
            contextlib.redirect_stderr(said),
        ):
            status = command_line.status(sample_efficiency.main, argv)
        return status, output.getvalue(), said.getvalue()

    def _compared(self, *arguments: str) -> tuple[dict[str, Any], str]:
        """Returns the figures of the one task, and what was said."""
        status, output, said = self._run(f"--tasks={_TASK}", *arguments)
        self.assertEqual(status, 0, said)
        (task,) = json.loads(output)
        self.assertEqual(task["task"], _TASK)
        return task["peers"], said

    def _folder(self, peer: str) -> pathlib.Path:
        training = records.Training(_TASK, peer, 1, _FRAMES, 1)
        return self.folder / "results" / training.name


class ComparisonTest(_Case):
    def test_peers_are_trained_compared_drawn_and_not_trained_again(self) -> None:
        arguments = ("--peers=stand_in", "--seeds=2")
        found, said = self._compared(*arguments)
        self.assertIn("2 of 2 trainings are missing", said)
        peer = found["stand_in"]
        self.assertEqual(peer["settings"], {"threads": "1"})
        # Seeds end at 1 and 2; the rolling mean is 49.5 episodes behind.
        behind = 49.5 * 10 / _FRAMES
        self.assertAlmostEqual(peer["final_return"], 1.5 * (1 - behind), places=4)
        first, last = peer["marks"]
        # 1.5 x (frames - 495) / 2000 is 0.5 at 1162, and never 1.5.
        self.assertBetween(first["reached_at_frames"], 1160, 1170)
        self.assertFalse(first["met"])
        self.assertGreater(first["reached_at_minutes"], 0)
        self.assertIsNone(last["reached_at_frames"])
        seeds = peer["seeds"]
        self.assertEqual([each["seed"] for each in seeds], [1, 2])
        for each in seeds:
            self.assertAlmostEqual(each["final_return"], each["best_return"])
            self.assertAlmostEqual(
                each["final_trained_return"], each["final_return"] / 100, places=4
            )
            self.assertEqual(each["largest_fall"], 0)
            self.assertEqual((each["threads"], each["at_once"]), (1, 1))
            self.assertFalse(each["limit_reached"])
        self.assertBetween(seeds[1]["marks"][0]["reached_at_frames"], 990, 1000)
        picture = self.folder / "results" / "gym_MiniGrid-Empty-5x5-v0.png"
        self.assertGreater(picture.stat().st_size, 10_000)
        self.assertIn("stand-in (2 seeds)", picture.with_suffix(".svg").read_text())

        table = (self.folder / "results" / "table.md").read_text()
        self.assertIn(f"| {_TASK} | 0.5 by 1k | stand-in | 1k | 2k, 1k |", table)
        self.assertIn(f"| {_TASK} | 1.5 by 2k | stand-in | not | not, ", table)

        again, said = self._compared(*arguments)
        self.assertIn("0 of 2 trainings are missing", said)
        self.assertEqual(again, found)
        _, said = self._compared("--peers=stand_in", "--seeds=3")
        self.assertIn("1 of 3 trainings are missing", said)

    def test_what_has_no_record_need_not_be_trained(self) -> None:
        self._compared("--peers=stand_in", "--seeds=1")
        found, said = self._compared("--peers=stand_in", "--seeds=2", "--notrain")
        self.assertLen(found["stand_in"]["seeds"], 1)
        self.assertNotIn("missing", said)

    def test_our_run_is_read_from_its_folder(self) -> None:
        folder = self._folder("ours")
        began = time.time() - 100
        outcome = {
            "began": began,
            "seconds": 70.0,
            "cpu_seconds": 120.0,
            "minutes": 240.0,
            "limit_reached": False,
        }
        files = run_files.RunFiles(str(folder / "run"))
        files.write_config({})
        for frames in range(500, _FRAMES + 1, 500):
            files.write_row(
                {
                    "frames": frames,
                    "seconds": frames / 40,
                    f"episode_return/{_TASK}": frames / 1000,
                    f"episodes/{_TASK}": frames / 10,
                }
            )
        files.close()
        # The last row came a minute after the process had begun: 10 s of start-up.
        os.utime(folder / "run" / run_files.METRICS_FILE, (began, began + 60))
        (folder / "outcome.json").write_text(json.dumps(outcome))

        found, _ = self._compared("--peers=ours", "--seeds=1")
        (seed,) = found["ours"]["seeds"]
        self.assertEqual(seed["cpu_minutes"], 2)
        # The first row is of fewer than a hundred episodes.
        reached = [
            (each["reached_at_frames"], each["reached_at_minutes"])
            for each in found["ours"]["marks"]
        ]
        self.assertEqual([frames for frames, _ in reached], [1000, 1500])
        np.testing.assert_allclose(
            [minutes * 60 for _, minutes in reached], [35, 47.5], atol=0.01
        )
        self.assertTrue(found["ours"]["marks"][0]["met"])
        self.assertEqual(found["ours"]["settings"]["flags"], "defaults")

    def test_ours_is_trained_with_its_defaults(self) -> None:
        ours = competitors.COMPETITORS["ours"]
        training = records.Training("doom:basic", "ours", 2, 1000, 1)
        self.assertEqual(
            ours.command("python", training, "folder"),
            [
                *("python", "-m", "launch.train", "--tasks=doom:basic"),
                *("--total_frames=1000", "--seed=2", "--logdir=folder/run"),
            ],
        )

    def test_a_training_that_was_cut_short_begins_again(self) -> None:
        folder = self._folder("stand_in")
        folder.mkdir(parents=True)
        (folder / "episodes.csv").write_text("1000000,1.0,-9.0,-9.0\n" * 500)
        found, _ = self._compared("--peers=stand_in", "--seeds=1")
        self.assertGreater(found["stand_in"]["final_return"], 0)

    def test_what_a_limit_ended_goes_on_with_more_minutes(self) -> None:
        self._compared("--peers=stand_in", "--seeds=1", "--minutes=5")
        folder = str(self.folder / "records")
        training = records.Training(_TASK, "stand_in", 1, _FRAMES, 1)
        record = records.load(folder, training)
        records.save(folder, dataclasses.replace(record, limit_reached=True))
        _, said = self._compared("--peers=stand_in", "--seeds=1", "--minutes=5")
        self.assertIn("0 of 1 trainings are missing", said)
        _, said = self._compared("--peers=stand_in", "--seeds=1", "--minutes=6")
        self.assertIn("1 of 1 trainings are missing", said)

    def test_who_fails_or_cannot_play_does_not_stop_the_others(self) -> None:
        peers = "--peers=stand_in,sample_factory,broken"
        status, output, said = self._run(f"--tasks={_TASK}", peers, "--seeds=1")
        self.assertEqual(status, 1)
        self.assertEqual(list(json.loads(output)[0]["peers"]), ["stand_in"])
        self.assertIn("Left out: sample-factory APPO cannot be trained on gym:", said)
        self.assertIn("Failed with status 1", said)
        self.assertIn("No module named nix", said)

    def test_too_few_episodes_are_no_figures(self) -> None:
        arguments = ("--peers=stand_in", "--seeds=1", "--total_frames=500")
        found, _ = self._compared(*arguments)
        self.assertIsNone(found["stand_in"]["final_return"])
        self.assertFalse(found["stand_in"]["marks"][0]["met"])


class RefusedTest(_Case):
    @parameterized.parameters(
        (("--tasks=doom:basic", "--peers=sb4"), "no peer 'sb4' (did you mean 'sb3'?)"),
        (("--tasks=",), "--tasks and --peers must name something"),
        (("--tasks=doom:basik",), "no level 'basik'"),
        (("--tasks=doom:basic", "--seeds=0"), "--seeds must be from 1 to 100"),
        (("--tasks=doom:basic", "--minutes=0"), "--minutes must be above 0"),
        (("--tasks=doom:basic", "--total_frames=0"), "--total_frames must be above 0"),
        (("--tasks=doom:take_cover",), "has no marks, so --total_frames is needed"),
        (
            ("--tasks=xland:MiniGrid-Empty-6x6", "--peers=sb3"),
            "sb3 cannot be trained on xland:MiniGrid-Empty-6x6",
        ),
        (
            ("--tasks=doom:basic", "--peers=sb3", "--peer_python=/nowhere/python"),
            "cannot make the virtual environment of sb3 with /nowhere/python",
        ),
    )
    def test_one_line_before_anything_is_trained(self, arguments, message) -> None:
        status, output, said = self._run(*arguments)
        self.assertEqual(status, command_line.USAGE_STATUS)
        self.assertIn(message, said)
        self.assertStartsWith(said.splitlines()[-1], "sample_efficiency: ")
        self.assertEmpty(output)

    def test_a_broken_record(self) -> None:
        training = records.Training(_TASK, "stand_in", 1, _FRAMES, 1)
        path = pathlib.Path(records.path(str(self.folder / "records"), training))
        path.parent.mkdir(parents=True)
        path.write_text("{}")
        status, _, said = self._run(f"--tasks={_TASK}", "--peers=stand_in", "--seeds=1")
        self.assertEqual(status, command_line.USAGE_STATUS)
        self.assertIn("is no record of a training", said)


class PictureTest(absltest.TestCase):
    def test_every_competitor_has_a_colour(self) -> None:
        colours = picture_lib.learning_curves.COLOURS
        self.assertLessEqual(len(competitors.COMPETITORS), len(colours))


if __name__ == "__main__":
    absltest.main()
