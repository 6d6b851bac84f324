"""Whatever an environment does when it is looked at, there is an answer."""

import os
import pathlib
from unittest import mock

from absl.testing import absltest, parameterized

from kickstarting.environments import base, suites
from kickstarting.environments.stepping import asking
from tests.environments import processes, unruly
from tests.launch import program_run

_SECONDS = 20.0


class LookTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.children = pathlib.Path(self.create_tempdir().full_path, "children")
        variables = {unruly.CHILDREN: str(self.children)}
        patch = mock.patch.dict(os.environ, variables)
        patch.start()
        self.addCleanup(patch.stop)
        self.addCleanup(suites._seen.clear)

    def _check_nothing_is_left(self) -> None:
        started = {int(each) for each in self.children.read_text().split()}
        self.assertNotEmpty(started)
        self.assertTrue(processes.wait_until_gone(started, seconds=10))
        self.assertEmpty(program_run.children())

    @parameterized.parameters(
        ("InitHangs", f"cannot be made: it takes more than {_SECONDS:g} seconds"),
        ("InitRaises", "cannot be made: RuntimeError: no init here$"),
        ("InitExits", "cannot be made: it ended its process with .* 7: last words$"),
        ("CloseHangs", f"cannot be closed: it takes more than {_SECONDS:g} seconds"),
        ("CloseRaises", "cannot be closed: RuntimeError: no close here$"),
        ("CloseExits", "cannot be closed: it ended its .* status 7: last words$"),
    )
    def test_refused_in_one_line(self, what: str, says: str) -> None:
        task = unruly.task(what)
        with (
            mock.patch.object(asking, "_SECONDS_TO_TELLING", 0.0),
            self.assertLogs(level="WARNING") as logs,
            self.assertRaisesRegex(base.EnvironmentConfigError, says) as caught,
        ):
            suites.environment_spec(task, 1, deadline_seconds=_SECONDS)
        self.assertStartsWith(str(caught.exception), task)
        self.assertNotIn("\n", str(caught.exception))
        self.assertIn(f"Waits for {task}, ", logs.output[0])
        self._check_nothing_is_left()
        if "Hangs" in what:
            self.assertIn("raise environment_deadline", str(caught.exception))

    def test_what_it_starts_goes_though_nothing_is_wrong(self) -> None:
        spec = suites.environment_spec(unruly.task("StepRaises"), 1)
        self.assertEqual(spec.frame_shape, (5, 5, 3))
        self.assertEqual(spec.action_names, ("action_0", "action_1"))
        self._check_nothing_is_left()

    def test_it_is_looked_at_once(self) -> None:
        for _ in range(3):
            suites.environment_spec(unruly.task("StepHangs"), 1)
        self.assertLen(self.children.read_text().split(), 1)


if __name__ == "__main__":
    absltest.main()
