r"""What the library reaches on this machine's accelerator, or on its processor.

  python -m benchmarks.accelerator > accelerator.json

Needs `kickstarting/` alone, of no version of Python in particular, and no network: no
Launchpad, no Reverb, no environments. Measures the learner's update (alone, and fed
through the queue in memory), acting, and the teacher server. Prints JSON, and on
standard error what it is at. What fails, e.g. for want of memory, is in the JSON with
its reason; what there was no time for is named there.
"""

import argparse
import functools
import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import jax

from benchmarks.devices import answering, learning
from kickstarting.config.agent import TORSOS, NetworkConfig
from kickstarting.config.checks import ConfigError
from kickstarting.storage import provenance


class _HelpFormatter(
    argparse.RawDescriptionHelpFormatter, argparse.ArgumentDefaultsHelpFormatter
):
    """Leaves the description as it is, and shows defaults."""


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.accelerator",
        description=__doc__,
        formatter_class=_HelpFormatter,
    )
    parser.add_argument(
        "--torsos",
        default=["shallow", "deep"],
        choices=TORSOS,
        help="networks of student and teachers",
        nargs="+",
    )
    for name, default, what in (
        ("batch_sizes", [8, 32, 128], "unrolls in an update"),
        ("inference_sizes", [16, 64, 256, 1024], "environments that act at once"),
        ("teachers", [1, 30], "teachers of a server"),
    ):
        parser.add_argument(
            f"--{name}", type=_whole, default=default, help=what, nargs="+"
        )
    for name, length, what in (
        ("unroll_length", 32, "agent steps of an unroll"),
        ("core_size", 256, "units of the LSTM core"),
    ):
        parser.add_argument(f"--{name}", type=_whole, default=length, help=what)
    for name, seconds, what in (
        ("seconds", 3.0, "of each measurement, once it is compiled"),
        ("total_seconds", 270.0, "after which no other one is begun"),
    ):
        parser.add_argument(f"--{name}", type=_positive, default=seconds, help=what)
    return parser.parse_args(argv)


def _whole(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not above 0")
    return number


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{number} is not above 0")
    return number


class _Report:
    """What is found, part by part, until the time is over."""

    def __init__(self, total_seconds: float) -> None:
        self._end = time.monotonic() + total_seconds
        self.parts: dict[str, list[dict[str, Any]]] = {}
        self.left_out: list[str] = []

    def add(
        self, part: str, what: dict[str, Any], measure: Callable[[], dict[str, float]]
    ) -> None:
        """Measures and keeps what is found, or why it cannot be."""
        title = f"{part} {' '.join(f'{name}={value}' for name, value in what.items())}"
        if time.monotonic() > self._end:
            self.left_out.append(title)
            return
        print(title, end=" ", file=sys.stderr, flush=True)
        try:
            found: dict[str, Any] = dict(measure())
        # A device that lacks memory says so in a way of its own.
        except (ConfigError, RuntimeError, ValueError) as error:
            found = {"error": (str(error).splitlines() or [repr(error)])[0][:200]}
        shown = (
            f"{name} {value:.4g}" if isinstance(value, float) else f"{name}: {value}"
            for name, value in found.items()
        )
        print(", ".join(shown), file=sys.stderr, flush=True)
        self.parts.setdefault(part, []).append({**what, **found})


def main(argv: Sequence[str]) -> None:
    """Measures and prints JSON."""
    arguments = _arguments(argv)
    start = time.monotonic()
    device = jax.local_devices()[0]
    report = _Report(arguments.total_seconds)
    seconds, length = arguments.seconds, arguments.unroll_length
    for torso in arguments.torsos:
        network = NetworkConfig(torso=torso, core_size=arguments.core_size)
        for size in arguments.batch_sizes:
            report.add(
                "updates",
                {"torso": torso, "batch_size": size},
                functools.partial(learning.updates, network, size, length, seconds),
            )
        for size in arguments.inference_sizes:
            report.add(
                "inference",
                {"torso": torso, "batch_size": size},
                functools.partial(answering.inference, network, size, seconds),
            )
        for count in arguments.teachers:
            report.add(
                "labels",
                {"torso": torso, "teachers": count},
                functools.partial(answering.labels, network, count, length, seconds),
            )
    result = {
        "device": {
            "kind": device.device_kind,
            "platform": device.platform,
            "count": jax.local_device_count(),
            "peak_bytes": (device.memory_stats() or {}).get("peak_bytes_in_use"),
        },
        **provenance.describe(vars(arguments), ["benchmarks.accelerator", *argv]),
        **report.parts,
        "left_out": report.left_out,
        "seconds": time.monotonic() - start,
    }
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main(sys.argv[1:])
