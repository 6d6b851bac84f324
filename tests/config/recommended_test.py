"""What is recommended can be had, and is taken where nobody has said otherwise."""

import fnmatch
from typing import Any

from absl.testing import absltest, parameterized

from kickstarting.config import agent, recommended, run, settings
from kickstarting.environments import suites

_ROWS: dict[str, dict[str, Any]] = {
    "a": {"action_repeat": 2, "learning_rate": 0.1, "reward_scales": 3.0},
    "a:one": {"learning_rate": 0.2, "reward_scales": 0.5},
    "a:two": {"learning_rate": 0.1},
    "b": {"action_repeat": 4},
    "b:two*": {"action_repeat": 5},
}
_SETTINGS = settings.named(run.Config)
_REPEAT, _RATE, _SCALES = (
    _SETTINGS[name].path for name in ("action_repeat", "learning_rate", "reward_scales")
)


class RowsTest(parameterized.TestCase):
    @parameterized.parameters(*recommended.ROWS)
    def test_can_be_had(self, row: str) -> None:
        suite, _, level = row.partition(":")
        self.assertIn(suite, suites.SUITES)
        if level:
            named = fnmatch.filter(suites.levels(suite), level)
            self.assertNotEmpty(named)
            level = named[0]
        self.assertNotEmpty(recommended.ROWS[row])
        self.assertContainsSubset(recommended.ROWS[row], _SETTINGS)
        task = f"{suite}:{level or 'any'}"
        found = recommended.for_tasks([task])
        # Out of range, or of another type, it would be refused.
        settings.made(
            run.Config, {("tasks",): (task,), ("logdir",): "x", **found.values}
        )

    def test_grids_are_stepped_cell_by_cell(self) -> None:
        for suite, expected in (("gym", 1), ("xland", 1), ("doom", 4), ("dmlab30", 4)):
            found = recommended.for_tasks([f"{suite}:any"]).values
            self.assertEqual(found[_REPEAT], expected)


class ForTasksTest(absltest.TestCase):
    def _of(self, *tasks: str, said=()) -> recommended.Recommendation:
        return recommended.for_tasks(tasks, said, _ROWS)

    def test_a_discount_that_was_said_does_not_rise(self) -> None:
        rows = {"a": {"final_discount": 0.9, "discount_end_frames": 5}}
        final, end = (_SETTINGS[name].path for name in rows["a"])
        self.assertEqual(
            recommended.for_tasks(["a:one"], (), rows).values, {final: 0.9, end: 5}
        )
        for said in ("discount", "value_distillation_cost"):
            found = recommended.for_tasks(["a:one"], [_SETTINGS[said].path], rows)
            self.assertEqual(found.values, {end: 5})

    def test_a_levels_row_goes_over_its_suites(self) -> None:
        found = self._of("a:one")
        self.assertEqual(
            found.values, {_REPEAT: 2, _RATE: 0.2, _SCALES: (("a:one", 0.5),)}
        )
        self.assertEqual(
            found.rows, {_REPEAT: ("a",), _RATE: ("a:one",), _SCALES: ("a:one",)}
        )

    def test_a_row_for_all_levels_that_begin_so(self) -> None:
        self.assertEqual(self._of("b:twofold").values, {_REPEAT: 5})
        self.assertEqual(self._of("b:two").rows, {_REPEAT: ("b:two*",)})
        self.assertEqual(self._of("b:one").values, {_REPEAT: 4})

    def test_tasks_that_agree(self) -> None:
        found = self._of("a:two", "a:three")
        self.assertEqual(found.values[_RATE], 0.1)
        self.assertEqual(found.rows[_RATE], ("a:two", "a"))
        # A default is agreed on as well: b has no row, and 4 is one.
        agreed = self._of("b:one", "c:one")
        self.assertEqual((agreed.values, agreed.disputed), ({_REPEAT: 4}, ()))

    def test_tasks_that_differ(self) -> None:
        found = self._of("a:one", "a:two", "c:one")
        self.assertEqual(found.disputed, (_REPEAT, _RATE))
        # By level there is nothing to agree on.
        self.assertEqual(found.values, {_SCALES: (("a:one", 0.5), ("a:two", 3.0))})
        self.assertEqual(found.rows[_SCALES], ("a:one", "a"))

    def test_levels_that_differ_have_what_their_suites_say(self) -> None:
        found = self._of("a:one", "a:two")
        self.assertEqual((found.values[_RATE], found.rows[_RATE]), (0.1, ("a",)))
        self.assertEqual(found.disputed, ())
        # A suite that says nothing of it has no answer either.
        rows = {"a:one": {"learning_rate": 0.2}}
        found = recommended.for_tasks(("a:one", "a:two"), rows=rows)
        self.assertEqual((found.values, found.disputed), ({}, (_RATE,)))

    def test_what_was_said_is_left_alone(self) -> None:
        found = self._of("a:one", "a:two", said={_RATE, _SCALES})
        self.assertEqual((found.values, found.disputed), ({_REPEAT: 2}, ()))

    def test_a_suite_without_a_row(self) -> None:
        self.assertEqual(self._of("c:one"), recommended.Recommendation({}, {}, ()))


class WithRecommendedTest(absltest.TestCase):
    def test_goes_over_defaults_alone(self) -> None:
        config = run.Config(
            tasks=("gym:MiniGrid-Empty-5x5-v0",),
            logdir="x",
            loss=agent.LossConfig(entropy_cost=0.5, discount=0.9),
        )
        found = recommended.with_recommended(config)
        self.assertEqual((found.action_repeat, found.loss.entropy_cost), (1, 0.5))
        self.assertEqual((found.loss.discount, found.logdir), (0.9, "x"))
        self.assertEqual(recommended.with_recommended(found), found)


if __name__ == "__main__":
    absltest.main()
