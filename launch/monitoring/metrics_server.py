"""Serves a run's metrics as Prometheus reads them, and whether the run is well.

  /metrics   every column of metrics.csv, now, and when each node was last heard of
  /healthz   200 while unrolls are learned from, else 503, with a line of why

Anybody who reaches the port may read them; nothing can be changed there.
"""

import contextlib
import math
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from wsgiref import simple_server

import prometheus_client
from prometheus_client import core, exposition

_PREFIX = "kickstarting_"
# Without an update, after which a run stands still. At first it may compile so long.
_STILL_SECONDS = 300.0


class _Collector:
    """Turns a telemetry's row into gauges; what follows a slash becomes a label."""

    def __init__(
        self,
        row: Callable[[], Mapping[str, float]],
        silence: Callable[[], Mapping[str, float]],
    ) -> None:
        self._row = row
        self._silence = silence

    def collect(self) -> Iterator[core.GaugeMetricFamily]:
        families: dict[str, core.GaugeMetricFamily] = {}
        for column, value in self._row().items():
            if math.isnan(value):
                continue
            name, _, of = column.partition("/")
            name = _PREFIX + re.sub(r"\W", "_", name)
            # One metric has the same labels throughout.
            key = f"{name}/" if of else name
            if key not in families:
                full_name = f"{name}_of" if of else name
                labels = ["of"] if of else []
                families[key] = core.GaugeMetricFamily(full_name, column, labels=labels)
            families[key].add_metric([of] if of else [], value)
        silence = core.GaugeMetricFamily(
            f"{_PREFIX}silence_seconds", "since a node reported", labels=["node"]
        )
        for node, seconds in self._silence().items():
            silence.add_metric([node], seconds)
        yield from families.values()
        yield silence


class MetricsServer:
    """Serves until the process ends, each request in a thread of its own."""

    def __init__(
        self,
        port: int,
        row: Callable[[], Mapping[str, float]],
        silence: Callable[[], Mapping[str, float]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begins to serve.

        Args:
          port: to listen on; 0: a free one.
          row: Telemetry.row.
          silence: Telemetry.silence.
          clock: returns seconds.

        Raises:
          OSError: the port is taken.
        """
        self._row = row
        self._clock = clock
        # Requests are answered side by side.
        self._lock = threading.Lock()
        self._updates = -1.0
        self._updated_at = clock()
        registry = prometheus_client.CollectorRegistry()
        registry.register(_Collector(row, silence))
        self._metrics = prometheus_client.make_wsgi_app(registry)
        self._server = simple_server.make_server(
            "", port, self._answer, exposition.ThreadingWSGIServer, _Handler
        )
        threading.Thread(
            target=self._server.serve_forever, name="metrics", daemon=True
        ).start()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_port)

    def close(self) -> None:
        """Ends serving."""
        self._server.shutdown()
        self._server.server_close()

    def _answer(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/metrics":
            return self._metrics(environ, start_response)
        if environ["PATH_INFO"] != "/healthz":
            start_response("404 Not Found", [])
            return [b"/metrics and /healthz are here\n"]
        still = self._seconds_still()
        status = "200 OK" if still < _STILL_SECONDS else "503 Service Unavailable"
        start_response(status, [("Content-Type", "text/plain")])
        return [f"the last update was seen {still:.0f} seconds ago\n".encode()]

    def _seconds_still(self) -> float:
        """Returns the seconds since the number of updates was seen to rise."""
        with self._lock:
            updates = self._row().get("updates", 0.0)
            if updates != self._updates:
                self._updates, self._updated_at = updates, self._clock()
            return self._clock() - self._updated_at


class _Handler(simple_server.WSGIRequestHandler):
    """Waits for nobody for ever, and writes no line for each request."""

    timeout = 30.0

    def handle(self) -> None:
        """Leaves who is silent or gone."""
        with contextlib.suppress(OSError):
            super().handle()

    def log_message(self, format: str, *args: Any) -> None:
        """Is called for each of them."""
