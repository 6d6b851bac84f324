"""The model of the ring against cases that can be worked out by hand."""

import dataclasses

from absl.testing import absltest, parameterized
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import ring_model

_PARTS = ring_model.Parts(
    wait_seconds=0.1,
    acting=0.003,
    batch_size=4.0,
    cold_call=0.0,
    queue=0.0005,
    teacher=0.0,
    update=0.0005,
    poll=0.0001,
    pull=0.0,
    unroll_bytes=20_000.0,
    parameter_bytes=4e6,
)


class RingModelTest(parameterized.TestCase):
    def test_every_update_costs_every_actor_new_parameters(self) -> None:
        parts = dataclasses.replace(_PARTS, pull=0.128)
        for actors in (1, 16):
            ring = ring_model.Ring(actors, 8, 50.0, steps_per_update=256)
            # 128 ms in 256 steps: half a millisecond a step for each.
            self.assertAlmostEqual(
                ring_model.step_cost(parts, ring), 0.004 + 0.0005 * actors
            )

    def test_one_half_batch_alone_waits_for_nobody(self) -> None:
        ring = ring_model.Ring(
            actors=1, environments=1, polls_per_second=0.0, steps_per_update=256
        )
        cost = ring_model.step_cost(_PARTS, ring)
        for cores in (1, 2, 8):
            found = ring_model.on_one_machine(_PARTS, ring, cores)
            self.assertAlmostEqual(found, 1 / (0.1 + cost))

    @settings(deadline=None)
    @given(
        actors=st.integers(1, 64),
        environments=st.integers(1, 64),
        cores=st.integers(1, 64),
    )
    def test_neither_the_cores_nor_the_waiting_is_outrun(
        self, actors: int, environments: int, cores: int
    ) -> None:
        ring = ring_model.Ring(actors, environments, 0.0, 256)
        found = ring_model.on_one_machine(_PARTS, ring, cores)
        cost = ring_model.step_cost(_PARTS, ring)
        waiting = actors * environments / (0.1 + cost)
        bound = min(cores / cost, waiting)
        self.assertLessEqual(found, bound * (1 + 1e-9))
        # Asymptotic bounds of a closed network: no worse than half of the smaller.
        self.assertGreater(found, bound / 2)

    def test_many_actors_reach_what_the_cores_can_do(self) -> None:
        ring = ring_model.Ring(
            actors=1000, environments=8, polls_per_second=0.0, steps_per_update=256
        )
        self.assertAlmostEqual(
            ring_model.on_one_machine(_PARTS, ring, 2), 2 / 0.004, delta=1.0
        )

    def test_processes_that_share_a_core_find_a_cold_cache(self) -> None:
        parts = dataclasses.replace(_PARTS, cold_call=0.004)
        alone = ring_model.Ring(1, 8, 0.0, 256)
        for cores, share in ((2, 0.0), (1, 0.5)):
            # A batch of four costs 16 ms, and a share of 4 ms more.
            limit = cores * 4 / (0.016 + share * 0.004)
            many = ring_model.on_one_machine(
                dataclasses.replace(parts, wait_seconds=0.0), alone, cores
            )
            self.assertLessEqual(many, limit * (1 + 1e-9))
            self.assertGreater(many, limit * 0.6)

    def test_polls_take_cores_away(self) -> None:
        # 1000 calls a second of 0.1 ms: a tenth of one core.
        ring = ring_model.Ring(
            actors=1000, environments=8, polls_per_second=1.0, steps_per_update=256
        )
        self.assertAlmostEqual(
            ring_model.on_one_machine(_PARTS, ring, 1), 0.9 / 0.004, delta=1.0
        )

    def test_what_far_actors_ask_for(self) -> None:
        ring = ring_model.Ring(
            actors=100, environments=8, polls_per_second=2.0, steps_per_update=2000
        )
        # 0.1 s of waiting and 12 ms for a batch of four.
        steps = ring_model.demand(_PARTS, ring)
        self.assertAlmostEqual(steps, 800 / 0.112)
        update, queue, parameters = ring_model.loads(_PARTS, ring, 1000.0)
        self.assertEqual(
            (update.part, update.cores, update.bytes_per_second), ("update", 0.5, 2e7)
        )
        self.assertEqual((queue.part, queue.bytes_per_second), ("queue", 4e7))
        self.assertAlmostEqual(parameters.cores, 0.02)
        # Half an update a second: that is how often there is something new to send.
        self.assertEqual(parameters.bytes_per_second, 100 * 0.5 * 4e6)

    @parameterized.parameters(
        (10.0, 1e6, 1), (33.0, 1e6, 2), (1.0, 2.5e9, 3), (0.0, 0.0, 1)
    )
    def test_how_many_machines(self, cores: float, network: float, count: int) -> None:
        load = ring_model.Load("queue", cores, network)
        self.assertEqual(ring_model.replicas(load, 32, 1e9), count)


if __name__ == "__main__":
    absltest.main()
