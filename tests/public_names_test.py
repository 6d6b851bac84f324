"""The names that the library gives to others: few, told of, and loaded when used."""

import inspect
import pathlib
import re
import subprocess
import sys

from absl.testing import absltest

import kickstarting

_PAGE = pathlib.Path("docs/library.md")


class PublicNamesTest(absltest.TestCase):
    def test_every_name_is_there_and_has_a_docstring(self):
        for name in kickstarting.__all__:
            # A dataclass without one gets its signature.
            docstring = inspect.getdoc(getattr(kickstarting, name))
            self.assertRegex(docstring, r"^[A-Z].*\.", name)
            self.assertNotRegex(docstring, rf"^{name}\(", name)
            self.assertIn(name, dir(kickstarting))

    def test_the_page_tells_of_every_name_and_of_no_other(self):
        page = _PAGE.read_text(encoding="utf-8")
        told = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
        self.assertEqual(sorted(told), kickstarting.__all__)

    def test_the_page_names_every_example(self):
        page = _PAGE.read_text(encoding="utf-8")
        for path in pathlib.Path("examples").glob("[a-z]*.py"):
            self.assertIn(f"examples/{path.name}", page)

    def test_other_names_are_refused(self):
        with self.assertRaisesRegex(AttributeError, "kickstarting.*no attribute 'tra'"):
            _ = kickstarting.tra

    def test_to_import_it_loads_nothing(self):
        program = (
            "import sys; before = set(sys.modules); import kickstarting; "
            "print(*sorted(set(sys.modules) - before))"
        )
        loaded = subprocess.run(
            (sys.executable, "-S", "-c", program),
            check=True,
            capture_output=True,
            text=True,
        ).stdout.split()
        own = {"kickstarting"}
        self.assertEmpty({name.partition(".")[0] for name in loaded} - own - _STDLIB)


_STDLIB = sys.stdlib_module_names


if __name__ == "__main__":
    absltest.main()
