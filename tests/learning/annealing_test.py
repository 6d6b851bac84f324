"""What changes while a run goes on."""

import dataclasses

import numpy as np
from absl.testing import absltest, parameterized

from kickstarting.config import agent as agent_config
from kickstarting.config.run import Config
from kickstarting.learning import annealing

RUN = Config(tasks=("doom:basic",), logdir="runs/a", total_frames=8000)


def _with_rate(**fields) -> Config:
    optimiser = agent_config.OptimiserConfig(learning_rate=1e-3, **fields)
    return dataclasses.replace(RUN, optimiser=optimiser)


class AnnealingTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("not_at_all", {}, [1.0, 1.0, 1.0]),
        ("to_zero_at_the_end", {"anneal": True}, [1.0, 0.5, 0.0]),
        (
            "to_a_share_in_frames_of_its_own",
            {
                "anneal": True,
                "anneal_frames": 16000,
                "final_learning_rate_share": 0.2,
            },
            [1.0, 0.8, 0.6],
        ),
        (
            "and_stays_there",
            {
                "anneal": True,
                "anneal_frames": 4000,
                "final_learning_rate_share": 0.2,
            },
            [1.0, 0.2, 0.2],
        ),
    )
    def test_the_learning_rate_falls(self, fields, expected):
        run = _with_rate(**fields)
        rates = [annealing.learning_rate(run, frames) for frames in (0, 4000, 8000)]
        np.testing.assert_allclose(rates, 1e-3 * np.array(expected), atol=1e-12)

    def test_a_run_that_goes_on_past_its_end_has_no_negative_rate(self):
        self.assertEqual(annealing.learning_rate(_with_rate(anneal=True), 9000), 0.0)

    def test_the_entropy_cost_falls_geometrically(self):
        loss = agent_config.LossConfig(entropy_cost=0.01, final_entropy_share=0.01)
        run = dataclasses.replace(RUN, loss=loss)
        costs = [
            annealing.entropy_cost(run, frames) for frames in (0, 4000, 8000, 9000)
        ]
        np.testing.assert_allclose(costs, [1e-2, 1e-3, 1e-4, 1e-4])

    @parameterized.named_parameters(
        ("not_at_all", {}, [0.01, 0.01, 0.01, 0.01]),
        ("to_what_it_is", {"final_discount": 0.99}, [0.01, 0.01, 0.01, 0.01]),
        ("by_the_end", {"final_discount": 0.9999}, [0.01, 1e-3, 1e-4, 1e-4]),
        (
            "in_frames_of_its_own",
            {"final_discount": 0.9999, "discount_end_frames": 4000},
            [0.01, 1e-4, 1e-4, 1e-4],
        ),
        (
            "from_where_it_begins",
            {
                "final_discount": 0.9999,
                "discount_start_frames": 2000,
                "discount_end_frames": 6000,
            },
            [0.01, 1e-3, 1e-4, 1e-4],
        ),
        (
            "in_no_frame_of_a_shorter_run",
            {
                "final_discount": 0.9999,
                "discount_start_frames": 10_000,
                "discount_end_frames": 20_000,
            },
            [0.01, 0.01, 0.01, 0.01],
        ),
        (
            "in_no_frame_of_a_run_that_ends_before",
            {"final_discount": 0.9999, "discount_start_frames": 8000},
            [0.01, 0.01, 0.01, 0.01],
        ),
        ("downwards", {"final_discount": 0.9}, [0.01, 10**-1.5, 0.1, 0.1]),
    )
    def test_the_discount_rises_geometrically(self, fields, expected):
        run = dataclasses.replace(RUN, loss=agent_config.LossConfig(**fields))
        found = [
            1 - annealing.hyperparameters(run, frames, np.ones((1, 1))).discount
            for frames in (0, 4000, 8000, 9000)
        ]
        np.testing.assert_allclose(found, expected, atol=1e-7)

    def test_an_update_is_given_all_of_them(self):
        weight = np.ones((1, 1), np.float32)
        found = annealing.hyperparameters(_with_rate(anneal=True), 4000, weight)
        np.testing.assert_allclose(found.learning_rate, 5e-4)
        np.testing.assert_allclose(found.entropy_cost, RUN.loss.entropy_cost)
        np.testing.assert_allclose(
            found.optimiser_epsilon, RUN.optimiser.resolved_epsilon
        )
        self.assertIs(found.kickstarting_weight, weight)
        np.testing.assert_allclose(found.discount, RUN.loss.discount)
        for value in found:
            self.assertEqual(np.asarray(value).dtype, np.float32)


if __name__ == "__main__":
    absltest.main()
