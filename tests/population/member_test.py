"""A watched member makes its last copy again where a death has undone it."""

import numpy as np
from absl.testing import absltest

from kickstarting.population import member as population_member
from kickstarting.population import rules as population


class _KeepingMember:
    """Knows the copies that it and its checkpoint have made."""

    def __init__(self, name: float) -> None:
        self.content = np.array([name])
        self.life, self.copies, self.kept = 1, 0, 0

    def die(self) -> None:
        self.life += 1
        self.content = np.array([-1.0])
        self.copies = self.kept

    def progress(self) -> population_member.Progress:
        return population_member.Progress(500, None, self.life, 500)._replace(
            copies=self.copies, kept_copies=self.kept
        )

    def evolve(self, evolved: dict[str, float]) -> None:
        del evolved

    def weights(self) -> list[np.ndarray]:
        return [self.content]

    def adopt(self, weights: list[np.ndarray]) -> None:
        self.content = weights[0].copy()
        self.copies += 1

    def pause(self, paused: bool) -> None:
        del paused


class UndoneCopyTest(absltest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.keeping = _KeepingMember(0.0)
        self.watched = population_member.WatchedMember(1, self.keeping)
        self.watched.look()
        self.watched.become({population.WEIGHT: 1.0}, [np.array([7.0])])
        self.watched.look()
        self.assertEqual(self.keeping.content, 7.0)

    def _look_and_tell(self) -> None:
        self.watched.look()
        self.watched.tell()

    def test_a_copy_that_no_checkpoint_holds_is_made_again(self) -> None:
        for _ in range(2):
            self.keeping.die()
            self._look_and_tell()
            self.assertEqual(self.keeping.content, 7.0)
            self.assertEqual(self.keeping.copies, 1)
            self.assertFalse(self.watched.lacks_copy)

    def test_one_that_a_checkpoint_holds_is_not(self) -> None:
        self.keeping.kept = 1
        self._look_and_tell()
        self.keeping.die()
        self._look_and_tell()
        self.assertEqual(self.keeping.content, -1.0)
        self.assertFalse(self.watched.lacks_copy)

    def test_a_new_controller_knows_what_is_lacking(self) -> None:
        self.keeping.die()
        watched = population_member.WatchedMember(1, self.keeping, copies=1)
        watched.look()
        self.assertTrue(watched.lacks_copy)
        watched.become({population.WEIGHT: 1.0}, [np.array([8.0])])
        watched.look()
        self.assertFalse(watched.lacks_copy)
        self.assertEqual((self.keeping.content, self.keeping.copies), (8.0, 1))


if __name__ == "__main__":
    absltest.main()
