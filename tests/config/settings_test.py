"""A setting is declared once: its field knows all that there is to know of it."""

import dataclasses
from typing import Any

import hypothesis
import numpy as np
from absl.testing import absltest, parameterized
from hypothesis import strategies as st

from kickstarting.config import run, settings
from kickstarting.config.checks import ConfigError
from tests import out_of_range

_NUMBERS = {
    setting.path: setting for setting in settings.declared(run.Config) if setting.within
}
_GROUP = settings.Group("birds", "what flies", "bird_")


@dataclasses.dataclass(frozen=True)
class _Wings:
    span: float = _GROUP.setting(0.3, "(0, 4]").help("In metres.")
    count: int = _GROUP.setting(2, "[0, inf)", "wings").help("Of them.")

    def __post_init__(self) -> None:
        settings.check(self)


@dataclasses.dataclass(frozen=True)
class _Bird:
    song: str = _GROUP.setting("none", ("none", "trill")).help("Its song.")
    sings: bool = _GROUP.setting(True).help("Whether it does.")
    eggs: int = _GROUP.setting(0, "0 or [2, 5]", flag="").help("In the nest.")
    seen: tuple[str, ...] = _GROUP.setting(()).help("""Where it
        was. Default: where it
        sings.""")
    wings: _Wings = _Wings()

    def __post_init__(self) -> None:
        settings.check(self)


@dataclasses.dataclass(frozen=True)
class _Plain:
    plain: int = 3


@dataclasses.dataclass(frozen=True)
class _Unexplained:
    number: float = _GROUP.setting(1.0, "[0, 1]")


@dataclasses.dataclass(frozen=True)
class _Unbounded:
    number: float = _GROUP.setting(1.0).help("Whatever.")


class DeclaredTest(parameterized.TestCase):
    def test_names_and_places(self):
        found = settings.declared(_Bird)
        self.assertEqual(
            [(each.path, each.flag, each.kind) for each in found],
            [
                (("song",), "bird_song", str),
                (("sings",), "bird_sings", bool),
                (("eggs",), "", int),
                (("seen",), "bird_seen", tuple[str, ...]),
                (("wings", "span"), "bird_span", float),
                (("wings", "count"), "wings", int),
            ],
        )
        self.assertEqual([each.default for each in found][3:], [(), 0.3, 2])
        self.assertEqual(found[0].choices, ("none", "trill"))
        self.assertEqual(
            (found[3].about, found[3].otherwise), ("Where it was.", "where it sings")
        )

    @parameterized.parameters(
        (_Plain, "plain is no setting"),
        (_Unexplained, "number is no setting"),
        (_Unbounded, "range"),
    )
    def test_nothing_is_left_unsaid(self, kind: Any, said: str):
        with self.assertRaisesRegex(TypeError, said):
            settings.declared(kind)

    @parameterized.parameters(
        (_Bird, {"song": "caw"}, "bird_song must be one of none, trill, not 'caw'"),
        (_Bird, {"song": 3}, "bird_song must be text, not 3"),
        (_Bird, {"sings": 1}, "bird_sings must be true or false, not 1"),
        (_Bird, {"eggs": 1}, "eggs must be 0 or in [2, 5], not 1"),
        (
            _Bird,
            {"seen": "here"},
            "bird_seen must be a list of texts or of pairs, not 'here'",
        ),
        (_Wings, {"span": 5.0}, "bird_span must be in (0, 4], not 5.0"),
        (_Wings, {"span": "5"}, "bird_span must be a number, not '5'"),
        (_Wings, {"span": True}, "bird_span must be a number, not True"),
        (_Wings, {"count": -1}, "wings must be at least 0, not -1"),
        (_Wings, {"count": 1.5}, "wings must be a whole number, not 1.5"),
    )
    def test_a_value_that_it_cannot_have(self, kind: Any, fields, said: str):
        with self.assertRaises(ConfigError) as caught:
            kind(**fields)
        self.assertEqual(str(caught.exception), said)

    def test_numbers_of_numpy_are_numbers(self):
        self.assertEqual(_Wings(np.float32(1), np.int64(3)), _Wings(1.0, 3))


class RunTest(parameterized.TestCase):
    @parameterized.parameters(*_NUMBERS)
    def test_out_of_range_names_the_flag(self, *path):
        setting = _NUMBERS[path]
        for value in out_of_range.values(setting):
            with self.assertRaises(ConfigError) as caught:
                settings.made(run.Config, {("logdir",): "x", setting.path: value})
            message = str(caught.exception)
            self.assertStartsWith(message, f"{setting.name} must be ")
            self.assertNotIn("\n", message)

    def test_flags_are_told_apart(self):
        found = [each.flag for each in settings.declared(run.Config) if each.flag]
        self.assertLen(set(found), len(found))

    def test_defaults_are_in_range(self):
        for setting in settings.declared(run.Config):
            setting.check(setting.default)

    @hypothesis.settings(deadline=None)
    @hypothesis.given(
        st.integers(1, 10**6), st.floats(0, 1), st.sampled_from(["adam", "rmsprop"])
    )
    def test_made_of_its_values_again(self, keep, discount, optimiser):
        values = {
            ("logdir",): "x",
            ("checkpoint", "keep"): keep,
            ("loss", "discount"): discount,
            ("optimiser", "name"): optimiser,
        }
        made = settings.made(run.Config, values)
        self.assertEqual((made.checkpoint.keep, made.loss.discount), (keep, discount))
        self.assertEqual(made.optimiser.name, optimiser)
        self.assertEqual(settings.made(run.Config, settings.values(made)), made)


if __name__ == "__main__":
    absltest.main()
