"""What nodes log, in processes of their own and as words."""

import io
import json
import logging
import pathlib
import subprocess
import sys

from absl import logging as absl_logging
from absl.testing import absltest

from launch.monitoring import log_tail, node_logs

_NODE = """\
import threading
from absl import flags, logging
from launch.monitoring import node_logs

flags.FLAGS(["node"])
node_logs.begin("member/3")
logging.info("not told")
logging.warning("a %s", "line\\nof two")
with node_logs.work_of("actor/0"):
    logging.warning("of a thread")
with node_logs.work_of("member/3"):
    for number in range(1000):
        logging.warning("again %d", number)
thread = threading.Thread(target=lambda: {}["key"])
thread.start()
thread.join()
raise ValueError("the end")
"""


def _record(place: int, name: str = "x.py") -> logging.LogRecord:
    return logging.LogRecord("", logging.WARNING, name, place, "words", (), None)


class _Clock:
    seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


class NodeLogsTest(absltest.TestCase):
    def test_a_process_logs_lines_of_json(self) -> None:
        done = subprocess.run(
            [sys.executable, "-c", _NODE], capture_output=True, text=True
        )
        self.assertEqual(done.returncode, 1)
        entries = [json.loads(line) for line in done.stderr.splitlines()]
        first, of_thread, *again, failed_thread, failed = entries
        self.assertEqual(
            (first["level"], first["node"], first["message"]),
            ("WARNING", "member/3", "a line\nof two"),
        )
        self.assertRegex(first["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00")
        self.assertRegex(first["place"], r"^<string>:8$")
        self.assertEqual(of_thread["node"], "member/3/actor/0")
        self.assertEqual({each["node"] for each in again}, {"member/3"})
        self.assertLen(again, node_logs.MOST_REPEATS)
        self.assertEqual(failed_thread["message"], "KeyError: 'key'")
        self.assertEqual(failed["message"], "ValueError: the end")
        self.assertIn("Traceback (most recent call last)", failed["traceback"])

    def test_repeats_are_counted_and_told_later(self) -> None:
        clock = _Clock()
        repeats = node_logs.NoRepeats(clock)
        passed = sum(repeats.filter(_record(1)) for _ in range(1000))
        self.assertEqual(passed, node_logs.MOST_REPEATS)
        # Another place has lines of its own.
        self.assertTrue(repeats.filter(_record(2)))
        self.assertTrue(repeats.filter(_record(1, "y.py")))

        clock.seconds += node_logs.REPEATS_SECONDS
        later = _record(1)
        self.assertTrue(repeats.filter(later))
        self.assertEqual(later.held_back, 1000 - node_logs.MOST_REPEATS)
        next_one = _record(1)
        self.assertTrue(repeats.filter(next_one))
        self.assertEqual(next_one.held_back, 0)

    def test_one_process_logs_words_with_the_nodes_names(self) -> None:
        node_logs.begin_for_people()
        handler = absl_logging.get_absl_handler().python_handler
        written = io.StringIO()
        before = handler.setStream(written)
        self.addCleanup(handler.setStream, before)
        with node_logs.work_of("actor/1"):
            absl_logging.warning("it %s", "stopped")
        absl_logging.warning("of nobody")
        first, second = written.getvalue().splitlines()
        self.assertRegex(first, r"^\d\d:\d\d:\d\d \[actor/1\] WARNING it stopped$")
        self.assertRegex(second, r"^\d\d:\d\d:\d\d WARNING of nobody$")

    def test_what_is_shown_of_the_logs(self) -> None:
        folder = pathlib.Path(self.create_tempdir().full_path)
        (folder / "actor").mkdir()
        entry = {"level": "ERROR", "message": "E: x", "place": "a.py:1"}
        lines = [
            json.dumps(entry | {"traceback": "Traceback:\n  here"}),
            "[reverb/cc/platform/server.cc] noise",
            '"words"',
            "not JSON",
            "half a li",
        ]
        (folder / "actor" / "0").write_text("\n".join(lines))
        shown = io.StringIO()
        log_tail.show_new_lines(str(folder), {}, shown)
        self.assertEqual(
            shown.getvalue().splitlines(),
            [
                "[actor/0] ERROR E: x (a.py:1)",
                "[actor/0] Traceback:",
                "[actor/0]   here",
                '[actor/0] "words"',
                "[actor/0] not JSON",
            ],
        )


if __name__ == "__main__":
    absltest.main()
