"""The system's clock jumps, and a run goes on as if it had not."""

import pathlib

import numpy as np
from absl.testing import absltest, parameterized

from kickstarting.reporting import run_files
from launch.monitoring import node_reports
from launch.processes import run_health
from tests.launch import program_run

_FRAMES = 4000


class ClockJumpTest(parameterized.TestCase):
    def test_a_run_has_all_its_frames_and_checkpoints(self):
        logdir = f"{self.create_tempdir().full_path}/run"
        run = program_run.ProgramRun(
            self,
            *program_run.GRID_FLAGS,
            *program_run.SMALL_FLAGS,
            "--lp_launch_type=local_mt",
            "--checkpoint_minutes=0.01",
            "--evaluation_episodes=1",
            "--evaluation_minutes=0.01",
            f"--total_frames={_FRAMES}",
            f"--logdir={logdir}",
            # Seconds are left after each jump.
            slow_steps=True,
            module="tests.launch.jumping_clock",
        )
        self.assertEqual(run.wait(), 0, run.stdout + run.stderr)
        self.assertNotIn("Traceback", run.stderr)
        metrics = run_files.read_metrics(logdir)
        self.assertEqual(metrics[run_files.FRAMES][-1], _FRAMES)
        for name in (run_files.FRAMES, "seconds"):
            np.testing.assert_array_less(0, np.diff(metrics[name]))
        # What it took is measured by a clock that does not jump.
        self.assertLess(metrics["seconds"][-1], 3600)
        (health,) = run_health.read(logdir)
        self.assertTrue(health.is_finished)
        self.assertEqual(health.checkpoint_frames, _FRAMES)
        evaluations = pathlib.Path(logdir, "evaluations.csv").read_text()
        # It was evaluated after both jumps as well.
        jumped = 40 * program_run.FRAMES_PER_GRID_UPDATE
        self.assertGreater(int(evaluations.splitlines()[-1].split(",")[0]), jumped)

    @parameterized.parameters(-1, 1)
    def test_who_died_does_not_look_alive_because_of_it(self, direction: int):
        logdir = self.create_tempdir().full_path
        pathlib.Path(logdir, run_files.CONFIG_FILE).write_text(
            '{"config": {"total_frames": 1000}}'
        )
        node_reports.write(logdir, {"actor/0": 1.0})
        (health,) = run_health.read(logdir)
        self.assertTrue(health.is_running)
        self.assertAlmostEqual(health.nodes[0].silence, 1.0, delta=0.5)

        jump = direction * 24 * 3600
        now = run_health.time.time
        with absltest.mock.patch.object(run_health.time, "time", lambda: now() + jump):
            (health,) = run_health.read(logdir)
        self.assertFalse(health.is_running)
        self.assertFalse(health.nodes[0].is_well)


if __name__ == "__main__":
    absltest.main()
