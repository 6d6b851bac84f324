"""The card of a teacher that does not exist, for the tests of teachers' files."""

from kickstarting import config, teacher_files

CARD = teacher_files.TeacherCard(
    task="doom:health_gathering",
    action_names=("forward", "attack"),
    frame_shape=(72, 96, 3),
    instruction_length=0,
    action_repeat=4,
    network=config.NetworkConfig("shallow", 256),
    environment_frames=10_000_000,
    mean_return=1540.5,
    standard_error=12.25,
    episodes=30,
    normalised_score=None,
    command="train --tasks=doom:health_gathering",
    seed=1,
    git_revision="0123abcd",
)
