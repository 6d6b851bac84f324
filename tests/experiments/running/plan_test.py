"""Steps are what is missing, each once, teachers before their students."""

import dataclasses
import itertools
import pathlib

from absl.testing import absltest

from experiments.running import plan
from experiments.running import records as run_records
from experiments.training import Teacher, Training
from kickstarting.reporting import run_files
from kickstarting.teaching import files as teacher_files

_TEACHER = Training(("doom:basic",), seed=101, total_frames=400)
_TAUGHT = Training(
    ("doom:basic",), seed=1, total_frames=100, teachers=(Teacher(_TEACHER),)
)
_SCRATCH = dataclasses.replace(_TAUGHT, teachers=())


class StepsTest(absltest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        folder = pathlib.Path(self.create_tempdir().full_path)
        self.results, self.records = str(folder / "results"), str(folder / "records")

    def _names(self, *trainings: Training) -> list[str]:
        steps = plan.steps(trainings, self.results, self.records)
        return [step.name for step in steps]

    def _keep_record(self, training: Training) -> None:
        run_records.save(
            run_records.path(self.records, training.key),
            run_records.Record(training.identity(), (), "", 1.0, (), {}, {}, 0, {}),
        )

    def test_a_training_that_is_wanted_twice_is_run_once(self) -> None:
        self.assertEqual(self._names(_SCRATCH, _SCRATCH), [f"training {_SCRATCH.name}"])

    def test_teachers_are_trained_and_exported_first(self) -> None:
        steps = plan.steps([_TAUGHT], self.results, self.records)
        self.assertEqual(
            [step.name for step in steps],
            [
                f"training {_TEACHER.name}",
                f"export {_TEACHER.name}",
                f"training {_TAUGHT.name}",
            ],
        )
        for before, after in itertools.pairwise(steps):
            self.assertEqual(after.needs, (before.name,))
        self.assertEqual([step.frames for step in steps], [400, 0, 100])

    def test_one_teacher_serves_several_students(self) -> None:
        other = dataclasses.replace(_TAUGHT, seed=2)
        self.assertLen(self._names(_TAUGHT, other), 4)

    def test_what_has_a_record_is_not_run_nor_its_teachers(self) -> None:
        self._keep_record(_TAUGHT)
        self.assertEmpty(self._names(_TAUGHT))

    def test_a_teacher_with_a_record_but_no_weights_here_is_trained(self) -> None:
        self._keep_record(_TEACHER)
        self.assertLen(self._names(_TAUGHT), 3)

    def test_a_teacher_that_stands_here_is_not_trained(self) -> None:
        folder = pathlib.Path(_TEACHER.teacher_folder(self.results))
        folder.mkdir(parents=True)
        (folder / teacher_files.CARD).write_text("{}")
        self.assertEqual(self._names(_TAUGHT), [f"training {_TAUGHT.name}"])

    def test_progress_is_that_of_the_member_furthest_behind(self) -> None:
        step = plan.steps([_SCRATCH], self.results, self.records)[0]
        self.assertEqual(step.done_frames(), 0)
        logdir = pathlib.Path(_SCRATCH.logdir(self.results))
        for member, frames in (("member_0", 80), ("member_1", 60)):
            files = run_files.RunFiles(str(logdir / member))
            files.write_row({run_files.FRAMES: 20})
            files.write_row({run_files.FRAMES: frames})
            files.close()
        self.assertEqual(step.done_frames(), 60)
        # A row that is being written does not count yet.
        with open(logdir / "member_1" / run_files.METRICS_FILE, "ab") as metrics:
            metrics.write(b"70")
        self.assertEqual(step.done_frames(), 60)


if __name__ == "__main__":
    absltest.main()
