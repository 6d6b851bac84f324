"""Episodes are kept on the way, and what is found is told from what is another's."""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
from absl.testing import absltest, parameterized

from kickstarting.acting import kept_episodes
from kickstarting.acting.episodes import Episode

_OF = {"weights": "abc", "seed": 1, "greedy": False}
_ONE, _TWO = Episode(0, 0.5, 7, False), Episode(1, -2.0, 9, True)


class KeptEpisodesTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.create_tempdir().full_path, "new", "x.jsonl")
        self.said: list[str] = []

    def _open(self, **of) -> kept_episodes.KeptEpisodes:
        kept = kept_episodes.KeptEpisodes(
            str(self.path), {**_OF, **of}, self.said.append
        )
        self.addCleanup(kept.close)
        return kept

    def _write(self) -> None:
        kept = self._open()
        for level, episode in (("gym:a", _ONE), ("gym:b", _ONE), ("gym:a", _TWO)):
            kept.keep(level, episode)
        kept.close()

    def test_the_same_evaluation_goes_on(self):
        self._write()
        for line in self.path.read_text().splitlines():
            json.loads(line)
        kept = self._open()
        self.assertEqual(kept.of("gym:a"), [_ONE, _TWO])
        self.assertEqual(kept.of("gym:b"), [_ONE])
        self.assertEqual(kept.of("gym:c"), [])
        self.assertEqual(self.said, [f"Goes on with 3 episodes of {self.path}"])
        kept.remove()
        self.assertFalse(self.path.exists())

    @parameterized.parameters(
        ({"seed": 2}, "seed 1 there, 2 here"),
        ({"greedy": True}, "greedy False there, True here"),
        ({"weights": "other"}, "(weights)"),
    )
    def test_another_one_starts_afresh_and_says_so(self, of, says):
        self._write()
        self.assertEmpty(self._open(**of).of("gym:a"))
        (line,) = self.said
        self.assertStartsWith(line, "Starts afresh")
        self.assertIn(says, line)
        self.assertLen(self.path.read_text().splitlines(), 1)

    def test_a_line_that_was_not_written_in_whole_is_played_again(self):
        self._write()
        whole = self.path.read_bytes()
        # Cut anywhere, also within the first line.
        for size in range(len(whole)):
            self.path.write_bytes(whole[:size])
            kept = self._open()
            count = max(whole[:size].count(b"\n") - 1, 0)
            found = kept.of("gym:a") + kept.of("gym:b")
            self.assertLen(found, count)
            kept.keep("gym:b", _TWO)
            kept.close()
            again = self._open()
            self.assertEqual(again.of("gym:b")[-1], _TWO)
            again.close()

    def test_a_file_of_somebody_else_is_left_alone(self):
        self.path.parent.mkdir()
        self.path.write_text('{"mine": 1}\n')
        kept = self._open()
        kept.keep("gym:a", _ONE)
        self.assertFalse(kept.is_kept)
        self.assertEqual(kept.of("gym:a"), [_ONE])
        kept.remove()
        self.assertEqual(self.path.read_text(), '{"mine": 1}\n')
        self.assertIn("is not of this program", self.said[0])

    def test_two_at_once_do_not_mix(self):
        self._open()
        program = (
            "import sys; from kickstarting.acting import kept_episodes;"
            f"k = kept_episodes.KeptEpisodes(sys.argv[1], {_OF!r}, print);"
            "print(k.is_kept)"
        )
        output = subprocess.run(
            [sys.executable, "-c", program, str(self.path)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        self.assertIn("another evaluation may write there", output)
        self.assertIn("False", output)

    def test_where_nothing_can_be_written_it_goes_on(self):
        self.path.parent.write_text("no folder")
        kept = self._open()
        kept.keep("gym:a", _ONE)
        self.assertEqual(kept.of("gym:a"), [_ONE])
        self.assertFalse(kept.is_kept)
        self.assertLen(self.said, 1)

    def test_agents_are_told_apart(self):
        def of(value: float) -> dict:
            return kept_episodes.identity(
                {"a": {"b": np.full(3, value)}},
                seed=1,
                greedy=True,
                action_repeat=1,
                max_agent_steps=5,
                held_out=True,
            )

        self.assertEqual(of(0.5), of(0.5))
        self.assertNotEqual(of(0.5), of(0.25))


if __name__ == "__main__":
    absltest.main()
