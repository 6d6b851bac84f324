"""Tests of scores/rolling.py."""

import itertools
import json

import hypothesis
import numpy as np
from absl.testing import absltest, parameterized
from hypothesis import strategies

from kickstarting.scores import rolling


class EpisodeWindowTest(absltest.TestCase):
    def test_a_smaller_window_restores_the_newest_episodes(self):
        large = rolling.EpisodeWindow(10)
        for episode_return in range(10):
            large.add(float(episode_return), 5)
        small = rolling.EpisodeWindow(2)
        small.restore(large.state())
        self.assertEqual(small.mean_return(), 8.5)
        self.assertEqual(small.episodes, 10)
        small.add(20.5, 15)
        self.assertEqual(small.mean_return(), 14.75)
        self.assertEqual(small.mean_agent_steps(), 10)

    def test_empty(self):
        window = rolling.EpisodeWindow(2)
        self.assertIsNone(window.mean_return())
        self.assertIsNone(window.mean_agent_steps())


class FrameWindowTest(parameterized.TestCase):
    def test_empty(self):
        self.assertIsNone(rolling.FrameWindow(10).mean_return(5))

    @hypothesis.settings(deadline=None)
    @hypothesis.given(
        steps=strategies.lists(
            strategies.tuples(
                strategies.integers(0, 300), strategies.floats(-1e3, 1e3)
            ),
            min_size=1,
            max_size=60,
        ),
        size=strategies.integers(1, 100),
    )
    def test_of_a_short_window_it_is_the_mean_of_its_episodes(self, steps, size):
        # So short that a part is one frame.
        window = rolling.FrameWindow(size)
        frames = list(itertools.accumulate(step for step, _ in steps))
        for now, (_, episode_return) in zip(frames, steps, strict=True):
            window.add(now, episode_return)
        newest = frames[-1]
        inside = [
            episode_return
            for now, (_, episode_return) in zip(frames, steps, strict=True)
            if now > newest - size
        ]
        np.testing.assert_allclose(
            window.mean_return(newest), np.mean(inside), rtol=1e-9, atol=1e-9
        )

    def test_a_long_window_leaves_out_at_most_a_hundredth(self):
        window = rolling.FrameWindow(1000)
        for frames in range(5000):
            window.add(frames, float(frames))
        # 4000 to 4999, or 4009 to 4999.
        self.assertBetween(window.mean_return(4999), 4499.5, 4504)
        self.assertBetween(len(window.state()), 99, 101)

    def test_the_newest_episodes_stay(self):
        window = rolling.FrameWindow(100)
        window.add(10, 1.0)
        window.add(500, 3.0)
        window.add(500, 4.0)
        self.assertEqual(window.mean_return(10_000), 3.5)

    @parameterized.parameters((1000, 2.5), (250, 3.5))
    def test_restored_it_goes_on_also_in_another_size(self, size, mean):
        first = rolling.FrameWindow(1000)
        for number, frames in enumerate((100, 200, 300, 400), start=1):
            first.add(frames, float(number))
        second = rolling.FrameWindow(size)
        second.restore(json.loads(json.dumps(first.state())))
        self.assertEqual(second.mean_return(450), mean)


class FrameRateTest(parameterized.TestCase):
    @parameterized.parameters(0.001, 0.1, 1.0, 7.0)
    def test_steady_rate_at_any_distance_of_updates(self, seconds):
        rate = rolling.FrameRate(0.0, 0, longest_window=20)
        updates = int(60 / seconds)
        for update in range(1, updates + 1):
            rate.record(update * seconds, update)
        now = updates * seconds
        self.assertAlmostEqual(rate.over(now, 20) * seconds, 1, delta=0.05)
        self.assertAlmostEqual(rate.over(now, 5) * seconds, 1, delta=0.05)

    def test_counts_from_the_frames_at_its_start(self):
        rate = rolling.FrameRate(100.0, 5000, longest_window=20)
        self.assertEqual(rate.over(100.0, 10), 0)
        rate.record(102.0, 5010)
        self.assertEqual(rate.over(102.0, 10), 5)


if __name__ == "__main__":
    absltest.main()
