"""Tests of what Prometheus and probes are told."""

import contextlib
import io
import socket
import urllib.error
import urllib.request
from unittest import mock

from absl.testing import absltest
from prometheus_client import parser

from kickstarting.reporting import telemetry
from launch.monitoring import metrics_server

_TASKS = ("doom:basic", "doom:my_way_home")


class MetricsServerTest(absltest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.now = 0.0
        self.telemetry = telemetry.Telemetry(
            _TASKS, [None, None], 1000, clock=lambda: self.now
        )
        self.server = metrics_server.MetricsServer(
            0, self.telemetry.row, self.telemetry.silence, clock=lambda: self.now
        )
        self.addCleanup(self.server.close)

    def _get(self, path: str) -> tuple[int, str]:
        address = f"http://127.0.0.1:{self.server.port}{path}"
        try:
            with urllib.request.urlopen(address, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def _connection(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.server.port), timeout=60)

    def test_metrics_are_those_of_the_row(self) -> None:
        self.telemetry.record_update(64, 2, {"entropy": 1.5, "global_weight": 0.25})
        self.telemetry.add_episodes([0, 1], [3.0, 4.0], [10, 20])
        self.telemetry.report("actor/0", counters={"worker_restarts": 2}, gauges={})
        self.now = 7.0
        status, text = self._get("/metrics")
        self.assertEqual(status, 200)
        found = {
            (sample.name, *sample.labels.values()): sample.value
            for family in parser.text_string_to_metric_families(text)
            for sample in family.samples
        }
        self.assertEqual(found[("kickstarting_frames",)], 64)
        self.assertEqual(found[("kickstarting_entropy",)], 1.5)
        self.assertEqual(found[("kickstarting_worker_restarts",)], 2)
        for task, value in zip(_TASKS, (3.0, 4.0), strict=True):
            self.assertEqual(found["kickstarting_episode_return_of", task], value)
        self.assertEqual(found["kickstarting_silence_seconds", "actor/0"], 7.0)
        # What is not known is not there.
        self.assertNotIn("nan", text.lower())

    def test_health_is_whether_updates_are_made(self) -> None:
        self.assertEqual(self._get("/healthz")[0], 200)
        self.now += 299.0
        self.assertEqual(self._get("/healthz")[0], 200)
        self.now += 2.0
        status, said = self._get("/healthz")
        self.assertEqual(status, 503)
        self.assertIn("301 seconds ago", said)
        self.telemetry.record_update(32, 1, {})
        self.assertEqual(self._get("/healthz")[0], 200)

    def test_who_connects_and_says_nothing_holds_nobody_up(self) -> None:
        with self._connection(), self._connection():
            self.assertEqual(self._get("/healthz")[0], 200)
            self.assertEqual(self._get("/metrics")[0], 200)

    def test_who_says_nothing_is_left(self) -> None:
        complaints = io.StringIO()
        with (
            mock.patch.object(metrics_server._Handler, "timeout", 0.1),
            contextlib.redirect_stderr(complaints),
            self._connection() as idle,
        ):
            # Its end has come where nothing more can.
            self.assertEqual(idle.recv(1), b"")
        self.assertEqual(complaints.getvalue(), "")

    def test_anything_else_is_not_there(self) -> None:
        self.assertEqual(self._get("/")[0], 404)

    def test_a_port_that_is_taken(self) -> None:
        with self.assertRaises(OSError):
            metrics_server.MetricsServer(self.server.port, dict, dict)


if __name__ == "__main__":
    absltest.main()
