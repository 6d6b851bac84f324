"""The whole program with a process for each node, to its end."""

from absl.testing import absltest

from tests.launch import finished_program


class TrainLocalMpTest(finished_program.FinishedProgramTest):
    launch_type = "local_mp"

    def test_kickstarted_run(self):
        self.check_run()


if __name__ == "__main__":
    absltest.main()
