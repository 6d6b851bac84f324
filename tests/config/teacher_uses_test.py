"""What each use of a teacher is for: a lock that is not found without one."""

import dataclasses

import numpy as np
from absl.testing import absltest, parameterized

from kickstarting.acting import guides
from kickstarting.acting.actor import NUM_SLOTS
from kickstarting.config import agent as agent_config
from kickstarting.config import run as config
from kickstarting.teaching import server as teacher_server
from tests import background, combination_lock, small_ring

TASK = "test:lock"
TEACHER = "tests.combination_lock:make_teacher"
NUM_ENVIRONMENTS, UNROLL_LENGTH = 16, 8
FRAMES_PER_UPDATE = NUM_ENVIRONMENTS * UNROLL_LENGTH
# The teacher opens 0.98 to the eighth of its locks, chance 1 in 6561. Who agrees with
# it in nine steps of ten opens 0.43, give or take 0.05 where there are a hundred.
SOLVED, UNSOLVED = 0.2, 0.05


def _environments() -> combination_lock.LockBatch:
    return combination_lock.LockBatch(NUM_ENVIRONMENTS, NUM_SLOTS, UNROLL_LENGTH)


def _student_return(run: config.Config, parameters: np.ndarray) -> float:
    """Returns the mean return of a student that acts alone."""
    learner = small_ring.FixedLearner(parameters, np.zeros((1, 1), np.float32))
    small_ring.act(
        # A learner that stays as it is gives no parameters to wait for.
        dataclasses.replace(run, lockstep=False),
        _environments(),
        learner,
        until=lambda _: sum(len(tasks) for tasks, _, _ in learner.episodes) > 100,
    )
    return float(np.concatenate([returns for _, returns, _ in learner.episodes]).mean())


class TeacherUsesTest(parameterized.TestCase):
    def _config(self, use: str, updates: int, teacher: str = TEACHER) -> config.Config:
        frames = updates * FRAMES_PER_UPDATE
        return small_ring.small_config(
            tasks=(TASK,),
            logdir=self.create_tempdir().full_path,
            total_frames=frames,
            lockstep=True,
            environments_per_actor=NUM_ENVIRONMENTS,
            unroll_length=UNROLL_LENGTH,
            batch_size=NUM_ENVIRONMENTS,
            network=agent_config.NetworkConfig("small_grid", core_size=16),
            # Enough that a cell is still tried once the next ones are known.
            loss=agent_config.LossConfig(entropy_cost=0.2),
            optimiser=agent_config.OptimiserConfig(learning_rate=3e-3, anneal=False),
            kickstarting=config.KickstartingConfig(
                teachers=((TASK, teacher),) if teacher else (),
                use=use,
                schedule="constant",
                guided_steps=combination_lock.LENGTH,
                guided_end_frames=frames * 2 // 3,
            ),
        )

    def _train(self, run: config.Config) -> small_ring.Trained:
        server, guide = None, None
        if run.asks_teachers:
            server = teacher_server.TeacherServer(
                run.teachers_of_task, run.max_teachers
            )
            background.start(self, server.run)
        if run.teacher_use.acts:
            guide = guides.Guide(
                run.kickstarting,
                combination_lock.SPEC.num_actions,
                {TEACHER: combination_lock.make_teacher()},
                [TEACHER] * NUM_ENVIRONMENTS,
            )
        return small_ring.train(run, _environments(), server, guide=guide)

    @parameterized.parameters("distillation", "behaviour_cloning", "dagger")
    def test_it_is_copied_without_rewards(self, use):
        run = self._config(use, updates=100)
        trained = self._train(run)
        first, last = trained.metrics[0], trained.metrics[-1]
        self.assertLess(last["kl_teacher_student"], first["kl_teacher_student"] / 10)
        self.assertGreater(last["teacher_agreement"], 0.9)
        self.assertAlmostEqual(
            last["total_loss"], last["kickstarting_loss"], delta=1e-6
        )
        self.assertGreater(_student_return(run, trained.parameters), SOLVED)

    def test_it_is_found_by_rewards_after_a_jump_start_and_not_from_scratch(self):
        jumping = self._config("jump_start", updates=400)
        trained = self._train(jumping)
        for metrics in trained.metrics:
            self.assertEqual(metrics["teacher_coverage"], 0)
            self.assertEqual(metrics["kickstarting_loss"], 0)
        self.assertGreater(_student_return(jumping, trained.parameters), SOLVED)

        scratch = self._config("kickstarting", updates=400, teacher="")
        trained = self._train(scratch)
        self.assertLess(_student_return(scratch, trained.parameters), UNSOLVED)


if __name__ == "__main__":
    absltest.main()
