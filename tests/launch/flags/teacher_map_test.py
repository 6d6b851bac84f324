"""--teachers resolved to tasks, and the table of who teaches what."""

import io
import os
import pathlib

from absl.testing import absltest, parameterized
from rich import console as rich_console

from kickstarting.config import run as config_lib
from kickstarting.teaching import files as teacher_files
from kickstarting.teaching.returns import TeacherReturns
from launch.flags import teacher_map
from tests import small_teachers
from tests.launch import program_run

_DOOM = ("doom:defend_the_center", "doom:take_cover", "doom:health_gathering")
_CENTER, _COVER, _HEALTH = _DOOM
_SHIPPED = str(pathlib.Path(__file__).parents[3] / "teachers" / "doom")


class ResolveTest(parameterized.TestCase):
    @parameterized.parameters(
        # (items, teachers of each task)
        ((), ((), (), ())),
        (("a/teacher",), (("a/teacher",),) * 3),
        (("module:factory", "b"), (("module:factory", "b"),) * 3),
        ((f"{_COVER}=b",), ((), ("b",), ())),
        ((f"{_COVER}=b", f"{_COVER}=c"), ((), ("b", "c"), ())),
        (("a", f"{_COVER}=b"), (("a",), ("b",), ("a",))),
    )
    def test_items(self, items, expected):
        pairs = teacher_map.resolve(_DOOM, items)
        run = config_lib.Config(
            _DOOM,
            "/run",
            kickstarting=config_lib.KickstartingConfig(
                teachers=pairs, schedule="constant"
            ),
        )
        self.assertEqual(run.teachers_of_task, expected)

    def test_a_folder_gives_each_task_its_own(self):
        self.assertEqual(
            teacher_map.resolve(_DOOM, [_SHIPPED]),
            tuple((task, f"{_SHIPPED}/{task.partition(':')[2]}") for task in _DOOM),
        )

    def test_a_task_that_is_named_is_not_taken_from_the_folder(self):
        pairs = teacher_map.resolve(_DOOM, [_SHIPPED, f"{_COVER}=mine"])
        self.assertEqual(dict(pairs)[_COVER], "mine")
        self.assertEqual(dict(pairs)[_CENTER], f"{_SHIPPED}/defend_the_center")
        self.assertLen(pairs, 3)

    def test_one_teacher_of_several_tasks_is_found_for_each(self):
        folder = self.create_tempdir().full_path
        score = teacher_files.read_card(f"{_SHIPPED}/take_cover").scores[0]
        program_run.save_random_teacher(
            f"{folder}/all",
            task=_COVER,
            action_repeat=4,
            scores=(score, type(score)(_HEALTH, 1.0, 0.1, 2, None)),
        )
        self.assertEqual(
            teacher_map.resolve(_DOOM, [folder]),
            ((_COVER, f"{folder}/all"), (_HEALTH, f"{folder}/all")),
        )

    def test_a_task_that_is_not_run(self):
        with self.assertRaisesRegex(config_lib.ConfigError, "not among the tasks"):
            teacher_map.resolve(_DOOM, ["doom:basic=x"])


class TableTest(absltest.TestCase):
    def test_a_teacher_of_another_task_is_called_so(self):
        folder = os.path.join(self.create_tempdir().full_path, "teacher")
        small_teachers.save(folder, tasks=("gym:counting", "gym:other"))
        run = config_lib.Config(
            (_CENTER,),
            "/run",
            kickstarting=config_lib.KickstartingConfig(
                teachers=((_CENTER, folder),), schedule="constant"
            ),
        )
        console = rich_console.Console(file=io.StringIO(), width=200, record=True)
        console.print(teacher_map.table(run, TeacherReturns.unknown(1, 1)))
        self.assertIn(
            "trained on another task: gym:counting and 1 more", console.export_text()
        )

    def test_says_who_teaches_what_and_how_much(self):
        run = config_lib.Config(
            _DOOM,
            "/run",
            kickstarting=config_lib.KickstartingConfig(
                teachers=((_CENTER, "a"), (_CENTER, "b"), (_COVER, "a")),
                schedule="constant",
                weight=2.0,
                factors=(("b", 0.25),),
            ),
        )
        returns = TeacherReturns.unknown(num_tasks=3, num_teachers=2)
        returns.mean[:2, 0] = 12.5, 300.0
        returns.standard_error[:2, 0] = 0.25, 11.0
        console = rich_console.Console(file=io.StringIO(), width=100, record=True)
        console.print(teacher_map.table(run, returns))
        cells = [
            [cell.strip() for cell in line.split("│")[1:-1]]
            for line in console.export_text().splitlines()
            if line.startswith("│")
        ]
        self.assertEqual(
            cells,
            [
                [_CENTER, "a", "12.50 ± 0.25", "2"],
                ["", "b", "?", "0.5"],
                [_COVER, "a", "300.00 ± 11.00", "2"],
                [_HEALTH, "none", "-", "-"],
            ],
        )


if __name__ == "__main__":
    absltest.main()
