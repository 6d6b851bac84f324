"""Teachers that cannot teach what is asked are refused in one line."""

import json
import pathlib
from collections.abc import Callable, Sequence

from absl.testing import absltest, parameterized

from kickstarting.teaching import cards as teacher_cards
from tests.launch import broken_teachers, program_run, refusal

_GRID = program_run.GRID
_LARGER = "gym:MiniGrid-Empty-6x6-v0"


def _save(logdir: str, name: str, *tasks: str) -> str:
    """Writes a teacher of MiniGrid whose card names other tasks."""
    folder = f"{logdir}.teachers/{name}"
    program_run.save_random_teacher(folder)
    if tasks:
        card = pathlib.Path(folder, "card.json")
        content = json.loads(card.read_text())
        content["scores"] = [content["scores"][0] | {"task": task} for task in tasks]
        card.write_text(json.dumps(content))
    return folder


def _twice(logdir: str) -> Sequence[str]:
    _save(logdir, "one")
    _save(logdir, "deeper/other")
    return (f"--teachers={logdir}.teachers",)


def _uncovered(logdir: str) -> Sequence[str]:
    _save(logdir, "one")
    return (f"--teachers={logdir}.teachers", f"--tasks={_GRID},{_LARGER}")


def _of_other_tasks(logdir: str) -> Sequence[str]:
    _save(logdir, "one", _LARGER)
    return (f"--teachers={logdir}.teachers",)


def _of_another_suite(logdir: str) -> Sequence[str]:
    return (f"--teachers={_save(logdir, 'one', 'doom:basic')}",)


def _card_of_another_network(logdir: str) -> Sequence[str]:
    folder = _save(logdir, "one")
    card = pathlib.Path(folder, "card.json")
    content = json.loads(card.read_text())
    content["network"]["core_size"] = 64
    card.write_text(json.dumps(content))
    return (f"--teachers={folder}",)


def _damaged_card(logdir: str) -> Sequence[str]:
    folder = _save(logdir, "one")
    pathlib.Path(folder, "card.json").write_text("{")
    return (f"--teachers={logdir}.teachers",)


def _empty_folder(logdir: str) -> Sequence[str]:
    pathlib.Path(f"{logdir}.teachers").mkdir()
    return (f"--teachers={logdir}.teachers",)


def _of_other_returns(logdir: str) -> Sequence[str]:
    folder = f"{logdir}.teacher"
    value = teacher_cards.ValueMeaning(discount=0.9, reward_clipping="abs_one")
    program_run.save_random_teacher(folder, value=value)
    return (f"--teachers={folder}", "--value_distillation_cost=1")


def _object(name: str) -> Callable[[str], Sequence[str]]:
    return lambda logdir: (f"--teachers={broken_teachers.__name__}:{name}",)


def _with_teacher(*arguments: str) -> Callable[[str], Sequence[str]]:
    return lambda logdir: (f"--teachers={_save(logdir, 'one')}", *arguments)


# (name, what is prepared and which flags are given, what the line must say)
_TABLE = (
    ("two_cards_of_one_task", _twice, f"both teach {_GRID}: say which by"),
    ("uncovered_task", _uncovered, f"no teacher covers {_LARGER}"),
    ("folder_of_other_tasks", _of_other_tasks, f"teaches {_LARGER}, which are not"),
    ("another_suite", _of_another_suite, "another suite than that of gym:"),
    ("card_of_another_network", _card_of_another_network, "its card's network has"),
    ("damaged_card", _damaged_card, "card.json is not JSON"),
    (
        "it_raises",
        _object("raising"),
        "broken_teachers:raising' raised RuntimeError (its weights are away) when it "
        "was asked about the first observation of its task: mend it, or choose",
    ),
    (
        "it_answers_about_other_actions",
        _object("of_other_actions"),
        "answered logits of shape (2, 10, 3), not (2, 10, 7)",
    ),
    ("it_is_not_finite", _object("not_finite"), "answered logits that are not finite"),
    ("empty_folder", _empty_folder, "has no card.json in or below it"),
    (
        "negative_factor",
        _with_teacher(f"--teacher_factors={_GRID}=-1"),
        f"teacher_factors: ρ of {_GRID} must be at least 0 and finite, not -1.0",
    ),
    (
        "no_number",
        _with_teacher("--teacher_factors=teacher=much"),
        "--teacher_factors must be name=number pairs, not 'teacher=much'",
    ),
    (
        "factor_of_nobody",
        _with_teacher("--teacher_factors=teachers/none=1"),
        "teacher_factors names teachers/none, which is no teacher and no task",
    ),
    (
        "falling_factor_without_end",
        _with_teacher("--teacher_factor_schedule=linear"),
        "teacher_factor_schedule=linear needs teacher_factor_end_frames above ",
    ),
    (
        "unknown_values",
        _with_teacher("--value_distillation_cost=1"),
        "does not say what its values mean",
    ),
    (
        "values_of_other_returns",
        _of_other_returns,
        "under --discount=0.9 --reward_clipping=abs_one "
        f"--reward_scales={program_run.GRID}=1 --action_repeat=1, but the student's "
        "under --discount=0.99 --reward_clipping=abs_one",
    ),
    (
        "negative_cost_of_values",
        _with_teacher("--value_distillation_cost=-1"),
        "value_distillation_cost must be at least 0",
    ),
    (
        "values_without_a_teacher",
        lambda logdir: ("--value_distillation_cost=1",),
        "value_distillation_cost needs a teacher",
    ),
    (
        "values_with_rewards_of_advice",
        _with_teacher(
            "--value_distillation_cost=1", "--distillation_form=expected_entropy"
        ),
        "expected_entropy adds rewards of its own",
    ),
    (
        "unknown_weighting",
        _with_teacher("--teacher_weighting=best"),
        "teacher_weighting",
    ),
)


class BadTeachersTest(refusal.RefusalTest):
    @parameterized.named_parameters(*_TABLE)
    def test_refused(self, prepare, says):
        self.check_refused(prepare(self.logdir), says)


if __name__ == "__main__":
    absltest.main()
