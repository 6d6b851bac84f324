"""A stand-in gives way to the module once it is open and asked."""

import sys
from types import ModuleType
from typing import Any

from absl.testing import absltest

from kickstarting.loading import stand_in

NAME = "tests_loading_stood_in_for"


class StandInTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.loaded: list[str] = []
        self.module = ModuleType(NAME)
        vars(self.module).update(figure=7, version="real")

        def load(name: str) -> ModuleType:
            self.loaded.append(name)
            return self.module

        self.stand_in = stand_in.StandIn(NAME, load, version="known", only_known=1)
        self.addCleanup(sys.modules.pop, NAME, None)
        sys.modules[NAME] = self.stand_in

    def test_closed_it_has_what_is_known_and_any(self):
        self.assertEqual(self.stand_in.version, "known")
        self.assertIs(self.stand_in.figure, Any)
        self.assertFalse(hasattr(self.stand_in, "__path__"))
        self.assertEmpty(self.loaded)

    def test_open_it_has_what_the_module_has(self):
        self.stand_in.open()
        self.assertEmpty(self.loaded)
        self.assertEqual(self.stand_in.figure, 7)
        self.assertEqual(self.stand_in.version, "real")
        self.assertFalse(hasattr(self.stand_in, "only_known"))
        self.assertEqual(set(self.loaded), {NAME})

    def test_asked_it_leaves_its_place(self):
        self.stand_in.open()
        self.assertIs(sys.modules[NAME], self.stand_in)
        self.assertEqual(self.stand_in.figure, 7)
        self.assertNotIn(NAME, sys.modules)

    def test_it_leaves_no_place_that_is_not_its_own(self):
        sys.modules[NAME] = self.module
        self.stand_in.open()
        self.assertEqual(self.stand_in.figure, 7)
        self.assertIs(sys.modules[NAME], self.module)


if __name__ == "__main__":
    absltest.main()
