"""The pools of a run on Vertex AI, and what is told before anything is sent."""

import contextlib
import io
import json
import os
import pathlib
from typing import Any

from absl.testing import absltest, parameterized

from kickstarting.config import population as population_config
from kickstarting.config import run as config_lib
from kickstarting.config import teachers as teacher_config
from kickstarting.teaching.returns import TeacherReturns
from launch.clusters import cluster, placement, vertex_ai
from launch.flags import preflight
from launch.flags.options import Options

_VERTEX_AI = {"run_folder": "/gcs/bucket/runs"}
_LEARNER = {"cpus": 8, "memory_gigabytes": 30, "accelerators": 1}
_CHECKED = preflight.Checked(TeacherReturns.unknown(1, 1), (0,))


class VertexAiTest(parameterized.TestCase):
    def _placed(
        self,
        groups: dict[str, Any],
        told: dict[str, str] = _VERTEX_AI,
        teacher: str = "teachers/doom/basic",
        **more: Any,
    ) -> placement.Placed:
        folder = self.create_tempdir().full_path
        path = pathlib.Path(folder, "cluster.json")
        path.write_text(json.dumps({"vertex_ai": told, "groups": groups}))
        config = config_lib.Config(
            tasks=("doom:basic",),
            logdir=os.path.join(folder, "run"),
            kickstarting=teacher_config.KickstartingConfig(
                teachers=(("doom:basic", teacher),), schedule="constant"
            ),
            **more,
        )
        options = Options(launch="vertex_ai", cluster=str(path))
        placed = placement.placed(config, options)
        assert placed is not None
        return placed

    def test_nodes_that_get_the_same_are_in_one_pool(self) -> None:
        groups = {
            "learner": _LEARNER,
            "teacher": {"cpus": 4, "replicas": 2},
            "actor": {"cpus": 4, "replicas": 3},
        }
        found = vertex_ai.pools(self._placed(groups))
        self.assertEqual(
            found,
            [
                ((1, 0.0, 0), ["queue/0"]),
                ((8, 30, 1), ["learner/0"]),
                (
                    (4, 0.0, 0),
                    ["teacher/0", "teacher/1", "actor/0", "actor/1", "actor/2"],
                ),
            ],
        )

    def test_the_first_pool_has_one_worker_that_is_taken_from_its_like(self) -> None:
        found = vertex_ai.pools(self._placed({"learner": {}, "actor": {"replicas": 2}}))
        self.assertEqual(
            found,
            [
                ((1, 0.0, 0), ["queue/0"]),
                ((1, 0.0, 0), ["learner/0", "teacher/0", "actor/0", "actor/1"]),
            ],
        )

    @parameterized.parameters(
        # One has a single worker: there are as many pools as needs.
        ({"population": {"cpus": 5}}, 4),
        # None has: one more.
        ({"population": {"cpus": 2}, "evaluator": {"cpus": 5}}, 5),
    )
    def test_more_than_four_pools_are_refused(
        self, more: dict[str, Any], count: int
    ) -> None:
        groups = {
            "queue": {"cpus": 2},
            "learner": {"cpus": 2},
            "teacher": {"cpus": 3, "replicas": 2},
            "actor": {"cpus": 4},
            **more,
        }
        placed = self._placed(
            groups,
            population=population_config.PopulationConfig(size=2),
            evaluation_minutes=10.0 if "evaluator" in more else 0.0,
        )
        if count <= vertex_ai.MOST_POOLS:
            self.assertLen(vertex_ai.pools(placed), count)
        else:
            with self.assertRaisesRegex(
                config_lib.ConfigError, f"need {count} pools of workers"
            ):
                vertex_ai.pools(placed)

    @parameterized.parameters(
        ({"told": {}}, "needs a run_folder in a bucket: /gcs/BUCKET/FOLDER"),
        ({"told": {"run_folder": "/gcs"}}, "needs a run_folder in a bucket"),
        ({"told": {"run_folder": "/srv/runs"}}, "needs a run_folder in a bucket"),
        ({"told": {**_VERTEX_AI, "accelerator": "H1"}}, "no accelerator 'H1'"),
        ({"teacher": "/srv/teacher"}, "is not in the project's folder"),
        ({"teacher": "../teacher"}, "is not in the project's folder"),
        ({"groups": {"learner": {"environment": {"A": "b"}}}}, "an environment"),
    )
    def test_what_cannot_be_done_is_told(
        self, given: dict[str, Any], message: str
    ) -> None:
        placed = self._placed(**{"groups": {"learner": {}}, **given})
        with self.assertRaisesRegex(config_lib.ConfigError, message):
            vertex_ai.show(placed, _CHECKED)

    def test_it_is_shown(self) -> None:
        placed = self._placed({"learner": _LEARNER, "teacher": {}})
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            cluster.show(placed, _CHECKED)
        self.assertIn(
            "1 with cpus 8, memory_gigabytes 30, accelerators 1: learner/0",
            printed.getvalue(),
        )

    def test_packages_that_are_missing_are_named(self) -> None:
        with self.assertRaisesRegex(
            config_lib.ConfigError, "--require-hashes -r requirements-vertex_ai.txt"
        ):
            cluster.submitted(self._placed({"learner": {}}), _CHECKED)


if __name__ == "__main__":
    absltest.main()
