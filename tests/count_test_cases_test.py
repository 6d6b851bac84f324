"""Tests for tools/count_test_cases.py: its counts are what CI reports."""

import json
import pathlib
import subprocess
import sys

from absl.testing import absltest

from tools import count_test_cases

_XML = """<testsuites><testsuite>
<testcase name="a" status="run"/>
<testcase name="b" status="run"><failure message="no"/></testcase>
<testcase name="c" status="run"><error message="no"/></testcase>
<testcase name="d" status="notrun"/>
<testcase name="e" status="run"/>
</testsuite></testsuites>"""


_SOUND = json.dumps(
    {"id": {"buildFinished": {}}, "finished": {"exitCode": {"name": "SUCCESS"}}}
)


class CountTestCasesTest(absltest.TestCase):
    def _result(self, label: str, xml: str, status: str, **name: int) -> str:
        path = pathlib.Path(self.create_tempfile(content=xml).full_path)
        return json.dumps(
            {
                "id": {"testResult": {"label": label, **name}},
                "testResult": {
                    "status": status,
                    "testActionOutput": [{"name": "test.xml", "uri": path.as_uri()}],
                },
            }
        )

    def test_cases(self):
        path = self.create_tempfile(content=_XML).full_path
        self.assertEqual(count_test_cases.count_cases(path), (2, 2))

    def test_file_that_was_cut_off_is_a_failure(self):
        path = self.create_tempfile(content=_XML[:40]).full_path
        self.assertEqual(count_test_cases.count_cases(path), (0, 1))

    def test_shards_add_up_and_the_last_attempt_counts(self):
        passing = "<testsuite><testcase name='a'/></testsuite>"
        events = [
            self._result("//a", _XML, "FAILED", shard=1, attempt=1),
            self._result("//a", passing, "PASSED", shard=1, attempt=2),
            self._result("//a", passing, "PASSED", shard=2, attempt=1),
            _SOUND,
        ]
        self.assertEqual(count_test_cases.count_events(events), (2, 0))

    def test_run_that_broke_off_is_a_failure(self):
        passing = "<testsuite><testcase name='a'/></testsuite>"
        events = [self._result("//a", passing, "PASSED")]
        self.assertEqual(count_test_cases.count_events(events), (1, 1))
        self.assertEqual(count_test_cases.count_events([]), (0, 1))

    def test_failed_process_with_passing_cases_is_a_failure(self):
        passing = "<testsuite><testcase name='a'/></testsuite>"
        events = [self._result("//a", passing, "TIMEOUT")]
        self.assertEqual(count_test_cases.count_events(events), (1, 1))

    def test_what_another_run_printed(self):
        self.assertEqual(
            count_test_cases.count_printed("PASSED a\n12 passed, 3 failed\n"), (12, 3)
        )
        for text in ("", "run_tests: there is no Python", "1 passed, 0 failed\nKilled"):
            self.assertEqual(count_test_cases.count_printed(text), (0, 1), text)

    def test_runs_are_added(self):
        events = self.create_tempfile(content=_SOUND).full_path
        library = self.create_tempfile(content="5 passed, 2 failed\n").full_path
        done = subprocess.run(
            [sys.executable, count_test_cases.__file__, events, library],
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertEqual(done.stdout, "5 passed, 2 failed\n", done.stderr)

    def test_target_that_does_not_build_is_a_failure(self):
        events = [
            json.dumps({"id": {"targetCompleted": {"label": "//a"}}, "completed": {}}),
            json.dumps(
                {
                    "id": {"targetCompleted": {"label": "//b"}},
                    "completed": {"success": True},
                }
            ),
            self._result("//b", _XML, "FAILED"),
        ]
        self.assertEqual(count_test_cases.count_events(events), (2, 3))


if __name__ == "__main__":
    absltest.main()
