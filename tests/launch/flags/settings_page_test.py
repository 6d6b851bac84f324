"""The page of settings is what the settings are."""

from absl.testing import absltest

from launch.flags import derived, settings_page


class SettingsPageTest(absltest.TestCase):
    def test_is_written_anew(self):
        self.assertEqual(
            settings_page.PATH.read_text(encoding="utf-8"),
            settings_page.text(),
            "the settings have changed: python -m launch.flags.settings_page",
        )

    def test_has_every_flag(self):
        lines = settings_page.text().splitlines()
        rows = [line for line in lines if line.startswith("| `--")]
        self.assertCountEqual(
            [row.split("`")[1].removeprefix("--") for row in rows], derived.DEFINED
        )
        # None has a cell too many, which Markdown would leave out.
        for line in lines:
            if line.startswith("|"):
                self.assertEqual(line.count("|"), 6, line)


if __name__ == "__main__":
    absltest.main()
