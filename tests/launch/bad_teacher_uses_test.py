"""Uses of a teacher that cannot be are refused in one line."""

from collections.abc import Callable, Sequence

from absl.testing import absltest, parameterized

from tests.launch import program_run, refusal


def _use(
    use: str, *arguments: str, teacher: str = "any"
) -> Callable[[str], Sequence[str]]:
    return lambda logdir: (f"--teacher_use={use}", f"--teachers={teacher}", *arguments)


def _begin_with_another(logdir: str) -> Sequence[str]:
    folder = f"{logdir}.teacher"
    program_run.save_random_teacher(folder)
    return _use("initialise", "--core_size=16", teacher=folder)(logdir)


# (name, what is prepared and which flags are given, what the line must say)
_TABLE = (
    ("alone", _use("dagger", teacher=""), "dagger needs a teacher"),
    ("unknown", _use("osmosis"), "teacher_use"),
    (
        "cloning_with_a_schedule",
        _use("behaviour_cloning", "--kickstarting_schedule=linear"),
        "behaviour_cloning has no schedule",
    ),
    (
        "cloning_without_lambda",
        _use("behaviour_cloning", "--kickstarting_weight=0"),
        "learns from the teacher alone",
    ),
    (
        "endless_jump_start",
        _use("jump_start", "--guided_end_frames=0"),
        "needs guided_end_frames above 0",
    ),
    (
        "empty_jump_start",
        _use("jump_start", "--guided_steps=0"),
        "guided_steps must be at least 1",
    ),
    (
        "jump_start_without_rewards",
        _use("jump_start", "--noreinforcement"),
        "learns from rewards alone",
    ),
    (
        "begin_with_another",
        _begin_with_another,
        "pass --torso=small_grid --core_size=32",
    ),
    (
        "begin_without_weights",
        _use("initialise", teacher="examples.scripted_teacher:make"),
        "has no weights",
    ),
    (
        "begin_with_two",
        _use("initialise", teacher="one,two"),
        "of one teacher, not of 2",
    ),
)


class BadTeacherUsesTest(refusal.RefusalTest):
    @parameterized.named_parameters(*_TABLE)
    def test_refused(self, prepare, says):
        self.check_refused(prepare(self.logdir), says)


if __name__ == "__main__":
    absltest.main()
