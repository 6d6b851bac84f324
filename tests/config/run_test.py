"""Tests for config: every value that cannot be run is refused with one line."""

import dataclasses

from absl.testing import absltest, parameterized

from kickstarting.config import agent as agent_config
from kickstarting.config import run as config


def _run(**changes: object) -> config.Config:
    return config.Config(**{"tasks": ("doom:basic",), "logdir": "runs/x", **changes})


_TEACHER = (("doom:basic", "teachers/basic"),)


class ConfigTest(parameterized.TestCase):
    def _assert_refused(self, make, *words):
        with self.assertRaises(config.ConfigError) as caught:
            make()
        message = str(caught.exception)
        self.assertNotIn("\n", message)
        for word in words:
            self.assertIn(word, message)

    @parameterized.parameters(
        ("kickstarting", True), ("jump_start", False), ("initialise", True)
    )
    def test_statistics_are_averaged_where_teachers_act(self, use, expected):
        run = _run(
            kickstarting=config.KickstartingConfig(
                teachers=(("doom:basic", "any"),),
                use=use,
                schedule="constant",
                guided_end_frames=600 if use == "jump_start" else 0,
            ),
            tasks=("doom:basic",),
        )
        self.assertEqual(run.resolved_loss.fresh_statistics, expected)

    @parameterized.parameters(
        ("tasks", ()),
        ("tasks", ("doom:basic", "doom:basic")),
        ("logdir", ""),
        ("total_frames", 600),
    )
    def test_run_names_the_refused_field(self, name, value):
        self._assert_refused(lambda: _run(**{name: value}), name)

    @parameterized.parameters("linear", "exponential")
    def test_falling_schedule_needs_an_end(self, schedule):
        self._assert_refused(
            lambda: config.KickstartingConfig(
                teachers=_TEACHER, schedule=schedule, start_frames=10, end_frames=10
            ),
            schedule,
            "end_frames",
        )

    @parameterized.parameters(0.0, 2.0)
    def test_exponential_schedule_needs_a_reachable_end(self, final_weight):
        self._assert_refused(
            lambda: config.KickstartingConfig(
                teachers=_TEACHER,
                schedule="exponential",
                end_frames=10,
                weight=1.0,
                final_weight=final_weight,
            ),
            "final_weight",
        )

    @parameterized.parameters(
        "0:4,0:1", "100:4,50:1", "0:-1", "-1:4", "0:nan", "4", "0=4", "0:4,all:0"
    )
    def test_points_that_are_no_schedule_are_refused(self, points):
        self._assert_refused(
            lambda: config.KickstartingConfig(
                teachers=_TEACHER, schedule="piecewise", points=points
            ),
            "kickstarting_points must be frames:λ",
            points,
        )

    @parameterized.parameters(("piecewise", ""), ("constant", "0:4,100:0"))
    def test_piecewise_needs_points_and_they_need_it(self, schedule, points):
        self._assert_refused(
            lambda: config.KickstartingConfig(
                teachers=_TEACHER, schedule=schedule, points=points
            ),
            "kickstarting_schedule=piecewise and kickstarting_points need each other",
        )

    def test_queue_below_a_batch_is_refused(self):
        self._assert_refused(lambda: _run(queue_size=15, batch_size=16), "15", "16")

    @parameterized.parameters(
        ("auto", "doom:basic", "abs_one"),
        ("auto", "dmlab30:rooms_watermaze", "soft_asymmetric"),
        ("auto", "dmlab:tests/empty_room_test", "soft_asymmetric"),
        ("none", "dmlab30:rooms_watermaze", "none"),
    )
    def test_rewards_are_clipped_as_the_suite_has_it(self, clipping, task, expected):
        run = _run(
            tasks=(task,), loss=agent_config.LossConfig(reward_clipping=clipping)
        )
        self.assertEqual(run.resolved_loss.reward_clipping, expected)

    def test_rewards_are_scaled_by_level_in_the_order_of_the_tasks(self):
        tasks = ("doom:basic", "doom:my_way_home")
        for given, expected in (
            (("doom:my_way_home", 3), ((tasks[0], 1.0), (tasks[1], 3.0))),
            # None is, and the program stays as it is without.
            (("doom:my_way_home", 1.0), ()),
        ):
            loss = agent_config.LossConfig(reward_scales=(given,))
            found = _run(tasks=tasks, loss=loss).resolved_loss.reward_scales
            self.assertEqual(found, expected)

    @parameterized.parameters(
        ((("doom:basik", 0.1),), "doom:basik, which is not among the tasks: doom:"),
        ((("doom:basic", 0.0),), "that of doom:basic must be above 0"),
        ((("doom:basic", float("inf")),), "finite, not inf"),
        ((("doom:basic", 1.0),) * 2, "one level twice"),
    )
    def test_a_wrong_scale_is_refused(self, scales, message):
        self._assert_refused(
            lambda: _run(
                tasks=("doom:basic",),
                loss=agent_config.LossConfig(reward_scales=scales),
            ),
            "reward_scales",
            message,
        )

    def test_each_task_needs_an_environment(self):
        tasks = tuple(f"doom:{number}" for number in range(5))
        self._assert_refused(
            lambda: _run(tasks=tasks, environments_per_actor=4), "4 environ", "5 tasks"
        )
        _run(tasks=tasks, environments_per_actor=4, num_actors=2)

    def test_distillation_alone_needs_a_teacher(self):
        self._assert_refused(
            lambda: _run(loss=agent_config.LossConfig(reinforcement=False)), "teacher"
        )

    def test_a_discount_that_changes_has_an_end_and_values_of_its_own(self):
        changing = {"discount": 0.9, "final_discount": 0.99}
        agent_config.LossConfig(**changing)
        agent_config.LossConfig(discount=1.0, final_discount=0.0)
        agent_config.LossConfig(value_distillation_cost=0.5, final_discount=0.99)
        for fields, message in (
            ({"final_discount": 1.0}, "final_discount must"),
            (
                {**changing, "discount_start_frames": 5, "discount_end_frames": 5},
                "must be below discount_end_frames",
            ),
            ({"discount": 1.0, "final_discount": 0.9}, "discount of 1 cannot change"),
            ({**changing, "value_distillation_cost": 0.5}, "set final_discount to 0"),
        ):
            self._assert_refused(
                lambda fields=fields: agent_config.LossConfig(**fields), message
            )

    def test_values_are_learned_of_teachers_that_label(self):
        loss = agent_config.LossConfig(value_distillation_cost=0.5)

        def of(use: str) -> config.KickstartingConfig:
            return config.KickstartingConfig(
                teachers=_TEACHER, use=use, schedule="constant", guided_end_frames=10
            )

        for use in ("kickstarting", "distillation"):
            self.assertTrue(_run(loss=loss, kickstarting=of(use)).asks_teacher_values)
        self.assertFalse(_run(kickstarting=of("kickstarting")).asks_teacher_values)
        self._assert_refused(lambda: _run(loss=loss), "value_distillation_cost")
        self._assert_refused(
            lambda: _run(loss=loss, kickstarting=of("jump_start")),
            "value_distillation_cost",
        )
        self._assert_refused(
            lambda: dataclasses.replace(loss, distillation_form="expected_entropy"),
            "value_distillation_cost",
        )

    @parameterized.parameters(
        # (use, the reward loss counts, teachers label)
        ("kickstarting", True, True),
        ("distillation", False, True),
        ("behaviour_cloning", False, True),
        ("dagger", False, True),
        ("jump_start", True, False),
        ("initialise", True, False),
    )
    def test_what_follows_from_the_use_of_a_teacher(self, use, reinforces, labels):
        run = _run(
            kickstarting=config.KickstartingConfig(
                teachers=_TEACHER, use=use, schedule="constant", guided_end_frames=10
            )
        )
        self.assertEqual(run.resolved_loss.reinforcement, reinforces)
        self.assertEqual(run.asks_teachers, labels)
        self.assertFalse(_run().asks_teachers)
        if labels:
            loss = agent_config.LossConfig(reinforcement=False)
            only_distilled = dataclasses.replace(run, loss=loss)
            self.assertFalse(only_distilled.resolved_loss.reinforcement)

    @parameterized.parameters(
        "distillation", "behaviour_cloning", "dagger", "jump_start", "initialise"
    )
    def test_a_baseline_needs_a_teacher_and_has_no_schedule(self, use):
        fields = {"use": use, "guided_end_frames": 10}
        self._assert_refused(
            lambda: config.KickstartingConfig(schedule="constant", **fields), use
        )
        for schedule in (
            {"schedule": "linear", "end_frames": 10},
            {"schedule": "constant", "end_frames": 10},
            {"schedule": "constant", "factor_schedule": "return_gap"},
        ):
            self._assert_refused(
                lambda schedule=schedule: config.KickstartingConfig(
                    teachers=_TEACHER, **fields, **schedule
                ),
                use,
                "schedule",
            )

    def test_one_update_is_enough(self):
        run = _run(unroll_length=5, batch_size=3, action_repeat=4, total_frames=60)
        self.assertEqual(run.frames_per_unroll, 20)
        self.assertEqual(run.frames_per_batch, 60)
        self._assert_refused(
            lambda: dataclasses.replace(run, total_frames=59), "total_frames", "60"
        )

    @parameterized.parameters((0, 16), (16, 16), (50, 50))
    def test_queue_size(self, given, resolved):
        self.assertEqual(
            _run(queue_size=given, batch_size=16).resolved_queue_size, resolved
        )

    @parameterized.parameters(
        # (total_frames, given, resolved)
        (1_000_000, 0, 100_000),
        (10_000_000_000, 0, 30_000_000),
        (1_000_000, 5_000_000, 5_000_000),
    )
    def test_score_window(self, total_frames, given, resolved):
        run = _run(total_frames=total_frames, score_window_frames=given)
        self.assertEqual(run.resolved_score_window_frames, resolved)

    @parameterized.parameters(
        ("adam", 0.0, 1e-7), ("rmsprop", 0.0, 0.1), ("adam", 1, 1)
    )
    def test_epsilon(self, name, given, resolved):
        optimiser = agent_config.OptimiserConfig(name=name, epsilon=given)
        self.assertEqual(optimiser.resolved_epsilon, resolved)

    def test_teachers_are_dealt_to_their_tasks(self):
        run = _run(
            tasks=("doom:basic", "doom:my_way_home", "gym:CartPole-v1"),
            kickstarting=config.KickstartingConfig(
                teachers=(
                    ("doom:my_way_home", "a"),
                    ("doom:basic", "b"),
                    ("doom:my_way_home", "c"),
                ),
                schedule="constant",
                allow_missing=True,
            ),
        )
        self.assertEqual(run.teachers_of_task, (("b",), ("a", "c"), ()))
        self.assertEqual(run.max_teachers, 2)

    def test_without_teachers_there_is_room_for_one(self):
        self.assertEqual(_run().max_teachers, 1)

    def test_frozen(self):
        with self.assertRaises(dataclasses.FrozenInstanceError):
            _run().seed = 2


if __name__ == "__main__":
    absltest.main()
