"""Tests of kickstarting.rolling."""

from absl.testing import absltest, parameterized

from kickstarting import rolling


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
