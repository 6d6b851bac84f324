"""What a population's controller does to a learner."""

import threading
import time

import numpy as np
from absl.testing import absltest

from kickstarting.population import hyperparameters
from tests import learner_case, small_ring


def setUpModule():
    small_ring.compile_quickly()


class MemberTest(learner_case.LearnerTestCase):
    def test_goes_on_with_the_weights_of_another(self):
        weights = self._run(stop_after=3).weights()
        self.logdir = self.create_tempdir().full_path
        made = self._make()
        self.telemetry.add_episodes([0], [5.0], [10])
        made.adopt(weights)
        self.assertIsNone(self.telemetry.mean_return(0))
        *others, updates = made.weights()
        # Actors go by the number of updates: it is the member's own.
        self.assertEqual((updates, weights[-1]), (0, 3))
        for own, copied in zip(others, weights, strict=False):
            np.testing.assert_array_equal(own, copied)
        made.run(threading.Event())
        self.assertEqual(made.frames, 16 * learner_case.NUM_UPDATES)
        # Its checkpoint tells that it holds the copy.
        self._make()
        self.assertEqual(self.telemetry.copies, 1)
        self.assertEqual(made.parameters(-1)[0], learner_case.NUM_UPDATES)

    def test_goes_on_with_other_hyperparameters_and_compiles_nothing(self):
        self._run(stop_after=1)
        before = self.update.compilations()
        self.logdir = self.create_tempdir().full_path
        made = self._make()
        made.evolve(
            {
                **hyperparameters.of_config(learner_case.CONFIG),
                "learning_rate": 5e-4,
                "entropy_cost": 0.5,
                "teacher_factor/test:counting": 0.25,
            }
        )
        made.run(threading.Event())
        first = self.update.seen[0]
        self.assertAlmostEqual(float(first.learning_rate), 5e-4)
        self.assertAlmostEqual(float(first.entropy_cost), 0.5)
        self.assertEqual(float(first.kickstarting_weight[0, 0]), 2.0 * 0.25)
        self.assertEqual(self.update.compilations(), before)

    def test_waits_for_its_turn(self):
        made = self._make()
        made.pause(True)
        stop = threading.Event()
        thread = threading.Thread(target=made.run, args=(stop,))
        thread.start()
        time.sleep(1.0)
        self.assertEqual(made.frames, 0)
        made.pause(False)
        thread.join(60)
        self.assertEqual(made.frames, 16 * learner_case.NUM_UPDATES)

    def test_its_fitness_is_unknown_until_it_has_played(self):
        made = self._make()
        self.assertIsNone(made.fitness())
        self.telemetry.add_episodes([0] * 10, np.arange(10.0), [1] * 10)
        found = made.fitness()
        self.assertEqual(found.mean, 4.5)
        self.assertAlmostEqual(found.variance, np.var(np.arange(10.0), ddof=1) / 10)


if __name__ == "__main__":
    absltest.main()
