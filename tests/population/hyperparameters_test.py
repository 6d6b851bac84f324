"""What evolves is read from a configuration and put into one."""

from absl.testing import absltest

from kickstarting.config import checks as config_checks
from kickstarting.config.agent import LossConfig, OptimiserConfig
from kickstarting.config.population import PopulationConfig
from kickstarting.config.run import Config, KickstartingConfig
from kickstarting.population import hyperparameters

_TASKS = ("doom:basic", "doom:take_cover", "doom:my_way_home")


def _config(**changed) -> Config:
    return Config(
        _TASKS,
        "/run",
        loss=LossConfig(entropy_cost=0.02),
        optimiser=OptimiserConfig(name="rmsprop", learning_rate=1e-3),
        **changed,
    )


_TAUGHT = KickstartingConfig(
    teachers=((_TASKS[0], "a"), (_TASKS[1], "a")),
    schedule="constant",
    weight=2.0,
    factors=((_TASKS[1], 0.5),),
)


class HyperparametersTest(absltest.TestCase):
    def test_from_scratch_there_is_no_advice_to_weigh(self):
        self.assertEqual(
            hyperparameters.of_config(_config()),
            {"learning_rate": 1e-3, "entropy_cost": 0.02, "optimiser_epsilon": 0.1},
        )

    def test_each_task_with_a_teacher_has_its_rho(self):
        found = hyperparameters.of_config(_config(kickstarting=_TAUGHT))
        self.assertEqual(found["kickstarting_weight"], 2.0)
        self.assertEqual(
            {name: value for name, value in found.items() if "/" in name},
            {
                "teacher_factor/doom:basic": 1.0,
                "teacher_factor/doom:take_cover": 0.5,
            },
        )

    def test_what_was_put_in_is_read_again(self):
        config = _config(kickstarting=_TAUGHT)
        evolved = {
            name: value * 1.2
            for name, value in hyperparameters.of_config(config).items()
        }
        found = hyperparameters.applied(config, evolved)
        self.assertEqual(hyperparameters.of_config(found), evolved)
        self.assertEqual(found.kickstarting.factor_of(_TASKS[1], "a"), 0.6)

    def test_alpha_alone_evolves_where_no_rho_is_to(self):
        alone = PopulationConfig(size=2, factors=False)
        config = _config(kickstarting=_TAUGHT, population=alone)
        evolved = {**hyperparameters.of_config(config), "kickstarting_weight": 3.0}
        self.assertNotIn("teacher_factor/doom:basic", evolved)
        found = hyperparameters.applied(config, evolved).kickstarting
        self.assertEqual(found.weight, 3.0)
        self.assertEqual(found.factors, _TAUGHT.factors)

    def test_a_learning_rate_cannot_outgrow_its_range(self):
        config = _config()
        evolved = {**hyperparameters.of_config(config), "learning_rate": 3.0}
        found = hyperparameters.applied(config, evolved)
        self.assertEqual(found.optimiser.learning_rate, 1.0)

    def test_what_cannot_be_is_refused(self):
        config = _config()
        evolved = {**hyperparameters.of_config(config), "entropy_cost": -1.0}
        with self.assertRaisesRegex(config_checks.ConfigError, "entropy_cost"):
            hyperparameters.applied(config, evolved)


if __name__ == "__main__":
    absltest.main()
