"""A folder imports only what its BUILD file names, and nothing imports in a circle."""

import pathlib

from absl.testing import absltest

from tests import folders

ROOT = pathlib.Path.cwd()
PACKAGES = ("kickstarting", "launch", "experiments", "benchmarks", "examples")


class FoldersTest(absltest.TestCase):
    def test_folders_import_what_they_may(self):
        self.assertEmpty("\n".join(folders.faults(ROOT, PACKAGES)))

    def test_the_library_knows_nothing_above_it(self):
        for label, folder in folders.folders(ROOT, PACKAGES).items():
            if label.startswith("//kickstarting"):
                for target in folder.imports:
                    self.assertStartsWith(target, "//kickstarting", label)


class FaultsTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.root = pathlib.Path(self.create_tempdir().full_path)
        self._write("kickstarting/__init__.py", "")
        self._write("kickstarting/BUILD", 'folder(name = "kickstarting")\n')
        self._folder("low")
        self._folder("high", "low")
        self._write("kickstarting/low/number.py", "ONE = 1\n")
        self._write(
            "kickstarting/high/sum.py", "from kickstarting.low import number as n\n"
        )

    def _write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def _folder(self, name: str, *deps: str) -> None:
        self._write(f"kickstarting/{name}/__init__.py", "")
        labels = [f"//kickstarting/{one}" for one in deps]
        build = f'folder(name = "{name}", deps = {labels})\n'
        self._write(f"kickstarting/{name}/BUILD", build)

    def _faults(self) -> list[str]:
        return folders.faults(self.root, ["kickstarting"])

    def test_what_is_allowed(self):
        self.assertEmpty(self._faults())

    def test_an_import_upwards(self):
        text = "def f():\n    from kickstarting.high.sum import n\n"
        self._write("kickstarting/low/number.py", text)
        fault, circle = self._faults()
        self.assertEqual(
            fault,
            "kickstarting/low/number.py:2 imports kickstarting/high/sum.py, but "
            "//kickstarting/low may import only itself (deps in its BUILD file)",
        )
        self.assertStartsWith(circle, "a circle of imports: kickstarting/")

    def test_an_import_by_name(self):
        text = 'SUITES = {"sum": "kickstarting.high.sum"}\n'
        self._write("kickstarting/low/number.py", text)
        self.assertIn("number.py:1 imports kickstarting/high/sum.py", self._faults()[0])

    def test_an_arrow_that_nobody_needs(self):
        self._write("kickstarting/high/sum.py", "")
        fault = "//kickstarting/high may import //kickstarting/low, and does not"
        self.assertEqual(self._faults(), [fault])

    def test_a_circle_of_folders(self):
        self._folder("low", "high")
        text = "import kickstarting.high.product\n"
        self._write("kickstarting/low/other.py", text)
        self._write("kickstarting/high/product.py", "")
        self.assertEqual(
            self._faults(),
            [
                "a circle of folders: //kickstarting/high → //kickstarting/low → "
                "//kickstarting/high"
            ],
        )

    def test_a_file_in_no_target(self):
        self._write("kickstarting/lost/file.py", "")
        self.assertEqual(
            self._faults(),
            ["kickstarting/lost/file.py is in no target of a BUILD file"],
        )


if __name__ == "__main__":
    absltest.main()
