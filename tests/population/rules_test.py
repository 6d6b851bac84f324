"""PBT's rules, against cases worked by hand, SciPy, and properties."""

import dataclasses
import json
import math

import numpy as np
from absl.testing import absltest, parameterized
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from kickstarting.config import checks as config_checks
from kickstarting.config.population import RULES, PopulationConfig
from kickstarting.population import rules as population

_ALPHA = {population.WEIGHT: 1.0, "learning_rate": 1e-3, "entropy_cost": 0.01}


def _exact(mean: float) -> population.Fitness:
    return population.Fitness(mean, 0.0, math.inf)


class FitnessTest(absltest.TestCase):
    def test_is_the_mean_of_capped_means(self):
        found = population.fitness(
            [np.array([10.0, 30.0]), np.array([150.0, 250.0])], min_episodes=2
        )
        assert found is not None
        self.assertEqual(found.mean, (20 + 100) / 2)
        # 200 / 2 episodes / 2² tasks; the task above the cap cannot move the mean.
        self.assertEqual(found.variance, 200 / 2 / 4)
        self.assertEqual(found.degrees_of_freedom, 1.0)

    def test_of_one_task_is_its_own_t_test(self):
        random = np.random.default_rng(1)
        worse, better = random.normal(20, 9, 40), random.normal(26, 3, 15)
        own, other = (population.fitness([each], 2) for each in (worse, better))
        assert own is not None and other is not None
        expected = stats.ttest_ind(
            better, worse, equal_var=False, alternative="greater"
        )
        statistic, freedom, p_value = population.welch(own, other)
        np.testing.assert_allclose(
            [statistic, freedom, p_value],
            [expected.statistic, expected.df, expected.pvalue],
        )

    def test_is_unknown_while_a_task_is(self):
        self.assertIsNone(population.fitness([np.ones(9), np.ones(4)], min_episodes=5))
        self.assertIsNotNone(
            population.fitness([np.ones(9), np.ones(5)], min_episodes=5)
        )


class WelchTest(parameterized.TestCase):
    @parameterized.parameters((30.0, 0.0), (20.0, 1.0), (10.0, 1.0))
    def test_without_variance_the_means_decide(self, other, p_value):
        found = population.welch(_exact(20.0), _exact(other))
        self.assertEqual(found[2], p_value)

    def test_false_alarms_are_as_rare_as_it_says(self):
        random = np.random.default_rng(0)
        alarms = 0
        for _ in range(2000):
            own = population.fitness(list(random.normal(30, 10, (3, 12))), 2)
            other = population.fitness(list(random.normal(30, 25, (3, 12))), 2)
            assert own is not None and other is not None
            alarms += population.welch(own, other)[2] < 0.05
        self.assertBetween(alarms / 2000, 0.035, 0.065)


class ExploitTest(parameterized.TestCase):
    @parameterized.parameters((24.9, False), (25.0, False), (25.1, True), (10.0, False))
    def test_impala_copies_above_five_points(self, other, copies):
        found = population.exploit(
            0, [_exact(20.0), _exact(other)], PopulationConfig(size=2), _random()
        )
        self.assertEqual(found.other, 1)
        self.assertEqual(found.copies, copies)
        self.assertAlmostEqual(found.statistics["gap"], other - 20.0)

    def test_truncation_copies_from_best_to_worst(self):
        config = PopulationConfig(size=5, rule="truncation", truncation_share=0.4)
        members = [_exact(x) for x in (50.0, 10.0, 40.0, 30.0, 20.0)]
        for seed in range(20):
            found = [
                population.exploit(i, members, config, _random(seed)) for i in range(5)
            ]
            self.assertEqual(
                [each.copies for each in found], [False, True, False, False, True]
            )
            self.assertIn(found[1].other, (0, 2))

    @parameterized.parameters(*RULES)
    def test_who_is_unknown_neither_copies_nor_is_copied(self, rule):
        config = PopulationConfig(size=3, rule=rule)
        members = [None, _exact(1.0), _exact(90.0)]
        self.assertFalse(population.exploit(0, members, config, _random()).copies)
        for seed in range(20):
            found = population.exploit(1, members, config, _random(seed))
            self.assertEqual((found.other, found.copies), (2, True))

    @parameterized.parameters(*RULES)
    def test_alone_or_among_equals_nobody_copies(self, rule):
        config = PopulationConfig(size=4, rule=rule)
        for members in ([_exact(3.0)], [_exact(3.0)] * 4):
            for member in range(len(members)):
                found = population.exploit(member, members, config, _random())
                self.assertFalse(found.copies)

    @settings(deadline=None)
    @given(
        st.sampled_from(RULES),
        st.lists(st.floats(-50, 100), min_size=2, max_size=12),
        st.integers(0, 1000),
    )
    def test_a_copy_is_always_of_another_and_a_better_one(self, rule, means, seed):
        config = PopulationConfig(size=len(means), rule=rule)
        members = [population.Fitness(mean, 4.0, 20.0) for mean in means]
        for member in range(len(means)):
            found = population.exploit(member, members, config, _random(seed))
            self.assertNotEqual(found.other, member)
            if found.copies:
                self.assertGreater(means[found.other], means[member])


class ExploreTest(parameterized.TestCase):
    def test_each_is_multiplied_or_divided_or_left(self):
        config = PopulationConfig(size=2, perturb_factor=1.2)
        found = [
            population.explore(_ALPHA, config, _random(seed)) for seed in range(3000)
        ]
        for name, before in _ALPHA.items():
            scales = np.array([after[name] / before for after in found])
            for scale, share in ((1.2, 0.165), (1 / 1.2, 0.165), (1.0, 0.67)):
                self.assertAlmostEqual(
                    float(np.isclose(scales, scale).mean()), share, delta=0.03
                )
            self.assertAlmostEqual(float(np.log(scales).mean()), 0.0, delta=0.01)

    def test_weights_may_move_further_than_the_others(self):
        config = PopulationConfig(size=2, events=20, perturb_probability=1.0)
        before = {**_ALPHA, population.WEIGHT: 1.0, "teacher_factor/doom:basic": 1.0}
        after = population.explore(before, config, _random())
        for name in before:
            step = abs(np.log(after[name] / before[name]))
            is_weight = name in (population.WEIGHT, "teacher_factor/doom:basic")
            factor = config.weight_factor if is_weight else 1.2
            self.assertAlmostEqual(step, np.log(factor))

    @settings(deadline=None)
    @given(st.integers(0, 10**6), st.floats(1.01, 10.0))
    def test_zero_stays_zero(self, seed, factor):
        config = PopulationConfig(size=2, perturb_factor=factor)
        before = {**_ALPHA, population.WEIGHT: 0.0, "teacher_factor/doom:basic": 1.0}
        after = population.explore(before, config, _random(seed))
        self.assertEqual(after[population.WEIGHT], 0.0)
        # α·ρ is below the floor: its teacher is not needed.
        self.assertEqual(after["teacher_factor/doom:basic"], 0.0)

    def test_weights_fall_to_zero_at_the_floor(self):
        config = PopulationConfig(size=2, weight_floor=1e-3)
        before = {
            population.WEIGHT: 0.01,
            "teacher_factor/a": 0.05,
            "teacher_factor/b": 1,
        }
        after = population.explore(before, config, _random())
        self.assertEqual(after["teacher_factor/a"], 0.0)
        self.assertGreater(after["teacher_factor/b"], 0.0)

    def test_alpha_alone_falls_to_zero_at_the_floor(self):
        config = PopulationConfig(size=2, weight_floor=1e-3)
        for before, is_kept in ((1e-5, False), (1.0, True)):
            after = population.explore({population.WEIGHT: before}, config, _random())
            self.assertEqual(after[population.WEIGHT] > 0, is_kept)

    def test_a_decision_is_json_whatever_it_went_by(self):
        config = PopulationConfig(size=2, rule="welch")
        members = [_exact(20.0), _exact(30.0)]
        decision = population.exploit(0, members, config, _random())
        self.assertTrue(decision.copies)
        json.dumps(decision.statistics, allow_nan=False)


class PopulationConfigTest(parameterized.TestCase):
    def test_few_events_make_large_steps_of_weights_alone(self):
        many = PopulationConfig(size=8, events=2000)
        self.assertEqual(many.weight_factor, 1.2)
        few = PopulationConfig(size=8, events=40)
        changes = 0.33 * 20
        self.assertAlmostEqual(few.weight_factor**changes, 100.0)
        self.assertEqual(few.other_factor, 1.2)
        given = PopulationConfig(size=8, events=40, perturb_factor=1.5)
        self.assertEqual((given.weight_factor, given.other_factor), (1.5, 1.5))

    @parameterized.parameters(1, 7, 100)
    def test_events_come_after_burn_in_and_before_the_end(self, events):
        config = PopulationConfig(size=2, events=events, burn_in_share=0.1)
        frames = [config.event_frames(n, 1_000_000) for n in range(events)]
        self.assertEqual(frames, sorted(set(frames)))
        self.assertGreater(frames[0], 100_000)
        self.assertLess(frames[-1], 1_000_000)

    @parameterized.parameters(
        ("size", 0),
        ("rule", "tournament"),
        ("gap", -1.0),
        ("significance", 0.0),
        ("truncation_share", 0.6),
        ("events", 0),
        ("min_episodes", 1),
        ("burn_in_share", 1.0),
        ("perturb_probability", 1.5),
        ("perturb_factor", 1.0),
        ("weight_floor", -1.0),
        ("spread", 0.5),
    )
    def test_names_the_refused_field(self, name, value):
        with self.assertRaisesRegex(config_checks.ConfigError, name):
            dataclasses.replace(PopulationConfig(), **{name: value})

    def test_members_begin_around_the_first(self):
        config = PopulationConfig(size=200, spread=3.0)
        configured = {**_ALPHA, "teacher_factor/a": 1.0}
        members = population.initial(configured, config, seed=4)
        self.assertEqual(members[0], configured)
        self.assertEqual(members, population.initial(configured, config, seed=4))
        drawn = np.array([each[population.WEIGHT] for each in members])
        self.assertBetween(drawn.min(), 1 / 3, 0.5)
        self.assertBetween(drawn.max(), 2.0, 3.0)
        self.assertEqual({each["teacher_factor/a"] for each in members}, {1.0})


class EvolutionTest(absltest.TestCase):
    def test_a_weight_that_hurts_falls_over_a_run(self):
        config = PopulationConfig(size=8, events=60)
        members = population.initial({population.WEIGHT: 4.0}, config, seed=1)
        for event in range(config.events):
            # The less advice, the better, by more than the rule's five points.
            known = [
                _exact(-20 * math.log10(each[population.WEIGHT])) for each in members
            ]
            for member in range(config.size):
                random = np.random.default_rng((1, event, member))
                found = population.exploit(member, known, config, random)
                source = (
                    found.other if found.copies and found.other is not None else member
                )
                members[member] = population.explore(members[source], config, random)
        weights = [each[population.WEIGHT] for each in members]
        self.assertLess(max(weights), 0.04)


def _random(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


if __name__ == "__main__":
    absltest.main()
