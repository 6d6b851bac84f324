"""A configuration is read again from config.json."""

import dataclasses
import json
import pathlib
from typing import Any

from absl.testing import absltest, parameterized

from kickstarting.config import agent, run, saved, settings
from kickstarting.config.checks import ConfigError

_CONFIG = run.Config(
    tasks=("doom:basic", "doom:take_cover"),
    logdir="runs/x",
    total_frames=2_000_000,
    show=False,
    loss=agent.LossConfig(discount=1),
    kickstarting=run.KickstartingConfig(
        teachers=(("doom:basic", "a"), ("doom:basic", "b,c")),
        factors=(("doom:basic", 0.5),),
        end_frames=7,
    ),
)


class SavedTest(parameterized.TestCase):
    def _file(self, content: Any) -> str:
        text = content if isinstance(content, str) else json.dumps(content)
        path = pathlib.Path(self.create_tempdir().full_path, "config.json")
        path.write_text(text)
        return str(path)

    def _content(self, **changes: Any) -> dict[str, Any]:
        return {"config": {**dataclasses.asdict(_CONFIG), **changes}, "host": "a"}

    def test_is_the_same(self):
        (values,) = saved.read(self._file(self._content()), run.Config)
        self.assertEqual(settings.made(run.Config, values), _CONFIG)
        self.assertEqual(values, settings.values(_CONFIG))

    def test_what_came_later_is_missing(self):
        content = self._content()
        del content["config"]["loss"]["policy_clip"], content["config"]["population"]
        (values,) = saved.read(self._file(content), run.Config)
        self.assertNotIn(("loss", "policy_clip"), values)
        self.assertEqual(settings.made(run.Config, values), _CONFIG)

    @parameterized.parameters(
        ({"total_frames": -5}, "total_frames must be at least 1, not -5"),
        ({"total_frames": "5"}, "total_frames must be a whole number, not '5'"),
        ({"tasks": "doom:basic"}, "tasks must be a list"),
        ({"tasks": [["doom:basic"]]}, "tasks must be a list"),
        ({"kickstarting": {"teachers": [["a"]]}}, "teachers must be a list"),
        ({"kickstarting": {"factors": [["a", "b"]]}}, "teacher_factors must be a list"),
        ({"checkpoint": {"keep": None}}, "checkpoints_kept must be a whole number"),
        ({"wings": 2}, "has a setting that is unknown here: wings"),
        ({"loss": {"wings": 2}}, "has a setting that is unknown here: loss.wings"),
    )
    def test_what_it_cannot_be(self, changes, says):
        path = self._file(self._content(**changes))
        with self.assertRaises(ConfigError) as caught:
            saved.read(path, run.Config)
        self.assertStartsWith(str(caught.exception), path)
        self.assertIn(says, str(caught.exception))
        self.assertNotIn("\n", str(caught.exception))

    @parameterized.parameters(
        "", "{", "[]", "{}", '{"config": 3}', "[" * 100_000, '{"config": [1]}'
    )
    def test_what_is_none(self, text):
        with self.assertRaisesRegex(ConfigError, "is no config.json of a run"):
            saved.read(self._file(text), run.Config)

    @parameterized.parameters(
        ("/no/such/config.json", "No such file"), ("/proc", "Is a directory")
    )
    def test_cannot_be_read(self, path, says):
        with self.assertRaisesRegex(ConfigError, f"cannot read {path}: {says}"):
            saved.read(path, run.Config)


if __name__ == "__main__":
    absltest.main()
