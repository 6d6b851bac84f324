"""The paper's agent is the paper's: each setting against where it was published."""

from typing import Any

from absl.testing import absltest, parameterized

from kickstarting.config import presets, recommended, run, settings

# From the papers, not from the table. E: Espeholt et al. 2018, arXiv 1802.01561v3; S:
# Schmitt et al. 2018, arXiv 1803.03835v1; C: google-deepmind/scalable_agent, 6c0c8a7.
_PAPER: dict[str, Any] = {
    # E, table D.3: 'Action Repetitions', 'Unroll Length (n)', 'Discount (γ)', 'Baseline
    # loss scaling', 'RMSProp momentum'.
    "action_repeat": 4,
    "unroll_length": 100,
    "discount": 0.99,
    "final_discount": 0.0,
    "discount_start_frames": 0,
    "discount_end_frames": 0,
    "baseline_cost": 0.5,
    "rmsprop_momentum": 0.0,
    # C, README.md, the training command on DMLab-30: --batch_size=32.
    "batch_size": 32,
    # E, section 3: the learner takes each trajectory of the queue once.
    "window_batches": 1,
    "passes": 1,
    # E, section 3: acting is decoupled from learning.
    "synchronous": False,
    # C, experiment.py: discounts are γ until an episode is done. DeepMind Lab's time
    # limit is its own; where it says that a limit truncated, nothing is cut off.
    "bootstrap_time_limit": True,
    # E, figure 3: 'LSTM 256'.
    "core_size": 256,
    # E, equation 1 and remark 2: c_i = min(c̄, π/μ), without a λ.
    "vtrace_lambda": 1.0,
    # E, section 4.2: three terms, on the advantages and values as they are; all that
    # bounds the policy's step is ρ̄. Rewards are clipped, not scaled (section D.1).
    "policy_clip": 0.0,
    "held_values": False,
    "value_normalisation": False,
    "advantage_normalisation": False,
    "fresh_statistics": False,
    "reward_scales": (),
    # E, table D.3: single tasks [-1, 1], DMLab-30 as in figure D.1.
    "reward_clipping": "auto",
    # E, table D.1 names RMSProp; C, experiment.py: decay .99, epsilon .1, the learning
    # rate falls linearly to 0 by total_environment_frames, no clipping of gradients,
    # and a constant entropy cost.
    "optimiser": "rmsprop",
    "rmsprop_decay": 0.99,
    "optimiser_epsilon": 0.1,
    "anneal": True,
    "anneal_frames": 0,
    "final_learning_rate_share": 0.0,
    "max_gradient_norm": 0.0,
    "final_entropy_share": 1.0,
    # S, section 5.1.1 and table 2: λ from 1 linearly to 0.
    "kickstarting_weight": 1.0,
    "kickstarting_final_weight": 0.0,
    # S, equations 2 and 3: H(π_T ‖ π_S) of the policies as they are, and of no values.
    "distillation_form": "cross_entropy",
    "distillation_temperature": 1.0,
    "value_distillation_cost": 0.0,
}
# C, README.md, the training command on DMLab-30; both within E's table D.1.
_OF_README = {
    "entropy_cost": (0.0033391318945337044, 5e-5, 1e-2),
    "learning_rate": (0.00031866995608948655, 5e-6, 5e-3),
}


class PaperTest(parameterized.TestCase):
    def test_each_setting_was_published(self) -> None:
        found = presets.PRESETS["paper"].values
        self.assertCountEqual(found, (*_PAPER, *_OF_README))
        for name, expected in _PAPER.items():
            self.assertEqual(found[name].value, expected, name)
        for name, (stated, least, most) in _OF_README.items():
            self.assertAlmostEqual(found[name].value / stated, 1, delta=0.002)
            self.assertBetween(found[name].value, least, most)
        for name, published in found.items():
            self.assertNotEmpty(published.source, name)

    @parameterized.parameters(*recommended.ROWS)
    def test_nothing_of_the_agent_is_left_to_what_is_recommended(
        self, row: str
    ) -> None:
        # Missions are a task's, and advantages are not normalised there.
        left = {"language", "least_advantage_deviation"}
        self.assertContainsSubset(
            set(recommended.ROWS[row]) - left, presets.PRESETS["paper"].values
        )

    def test_advice_ends_as_in_the_best_of_table_2(self) -> None:
        # 60.8: from 1 to 0 by 2 of 10 billion frames.
        self.assertEqual(presets.PRESETS["paper"].advice_share, 2 / 10)

    @parameterized.parameters(
        ("dmlab30:rooms_watermaze", "soft_asymmetric"), ("doom:basic", "abs_one")
    )
    def test_rewards_are_clipped_as_there(self, task: str, expected: str) -> None:
        config = self._config(task)
        self.assertEqual(config.resolved_loss.reward_clipping, expected)

    def test_one_pass_of_what_the_paper_counts(self) -> None:
        config = self._config("dmlab30:rooms_watermaze")
        # C: frames = batch · unroll · repeat = 12,800 an update.
        self.assertEqual(config.frames_per_batch, 12_800)
        self.assertEqual(config.optimiser.resolved_epsilon, 0.1)

    def _config(self, task: str) -> run.Config:
        named = settings.named(run.Config)
        values = {
            named[name].path: published.value
            for name, published in presets.PRESETS["paper"].values.items()
        }
        return settings.made(
            run.Config, {("tasks",): (task,), ("logdir",): "x", **values}
        )


if __name__ == "__main__":
    absltest.main()
