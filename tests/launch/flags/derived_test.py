"""Flags are made of settings, and settings of flags."""

import csv
import dataclasses

from absl import flags
from absl.testing import absltest, flagsaver, parameterized

from kickstarting.config import settings
from kickstarting.config.checks import ConfigError
from launch.flags import derived

_GROUP = settings.Group("birds", "what flies", "bird_")


@dataclasses.dataclass(frozen=True)
class _Bird:
    song: str = _GROUP.setting("none", ("none", "trill")).help("Its song.")
    name: str = _GROUP.setting("").help("Its name. Default: as its song.")
    sings: bool = _GROUP.setting(True).help("Whether it does.")
    span: float = _GROUP.setting(0.3, "(0, 4]").help("Of its wings.")
    eggs: int = _GROUP.setting(0, "[0, 1000000]").help("In the nest.")
    seen: tuple[str, ...] = _GROUP.setting(("here",)).help("Where.")
    shares: tuple[tuple[str, float], ...] = _GROUP.setting(()).help("Of each place.")
    hidden: int = _GROUP.setting(1, "[0, 2]", flag="").help("Not on a command line.")

    def __post_init__(self) -> None:
        settings.check(self)


derived.define(_Bird)


def _parse(*arguments: str) -> None:
    flags.FLAGS(["program", *arguments])


class DerivedTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.enter_context(flagsaver.flagsaver())

    def test_nothing_given_is_the_default(self):
        _parse()
        self.assertEqual(derived.given(_Bird), {})
        self.assertEqual(derived.made(_Bird), _Bird())
        # What follows from others has none.
        self.assertIsNone(flags.FLAGS.bird_name)
        self.assertNotIn("hidden", flags.FLAGS)
        self.assertNotIn("bird_hidden", flags.FLAGS)

    def test_what_is_given(self):
        _parse(
            "--bird_song", "trill", "--nobird_sings", "--bird_span=.5",
            "--bird_eggs=2k", '--bird_seen=here, there,"a, b"',
            "--bird_shares=here=0.5,x=y=1",
        )  # fmt: skip
        made = derived.made(_Bird)
        self.assertEqual(
            made,
            _Bird(
                song="trill",
                sings=False,
                span=0.5,
                eggs=2000,
                seen=("here", "there", "a, b"),
                shares=(("here", 0.5), ("x=y", 1.0)),
            ),
        )
        words = derived.arguments(made)
        # Its own default, but that of the flag would follow from others.
        self.assertIn("--bird_name=", words)
        _parse(*words)
        self.assertEqual(derived.made(_Bird), made)
        self.assertNotIn("--bird_eggs=2000", derived.arguments(made, ("bird_eggs",)))

    def test_a_default_that_is_given_is_known(self):
        _parse("--bird_eggs=0")
        self.assertEqual(derived.given(_Bird), {("eggs",): 0})

    @parameterized.parameters(
        ("--bird_span=5", "bird_span must be in (0, 4], not 5.0"),
        ("--bird_eggs=1G", "bird_eggs must be in [0, 1000000], not 1000000000"),
        ("--bird_shares=x", "--bird_shares must be name=number pairs, not 'x'"),
        ("--bird_shares==1", "--bird_shares must be name=number pairs, not '=1'"),
        ("--bird_shares=x=y", "--bird_shares must be name=number pairs, not 'x=y'"),
    )
    def test_what_cannot_be(self, argument, says):
        _parse(argument)
        with self.assertRaises(ConfigError) as caught:
            derived.given(_Bird)
        self.assertEqual(str(caught.exception), says)

    def test_is_defined_once(self):
        derived.define(_Bird)
        self.assertEqual(derived.DEFINED["bird_eggs"].path, ("eggs",))

    @parameterized.parameters(
        (True, "true"),
        (0.5, "0.5"),
        (1e-6, "1e-06"),
        (7, "7"),
        ("a b", "a b"),
        ((), ""),
        (("a", "b"), "a,b"),
        (("a,b", 'c"'), '"a,b","c"""'),
        ((("a", 0.5), ("b", 2.0)), "a=0.5,b=2.0"),
    )
    def test_text(self, value, text):
        self.assertEqual(derived.text(value), text)
        if isinstance(value, tuple) and value and isinstance(value[0], str):
            self.assertEqual(next(csv.reader([text])), list(value))


if __name__ == "__main__":
    absltest.main()
