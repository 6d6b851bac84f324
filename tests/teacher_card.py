"""The card of a teacher that does not exist, for the tests of teachers' files."""

from kickstarting.config import agent as agent_config
from kickstarting.teaching import cards as teacher_cards

CARD = teacher_cards.TeacherCard(
    scores=(teacher_cards.TaskScore("doom:health_gathering", 1540.5, 12.25, 30, None),),
    action_names=("forward", "attack"),
    frame_shape=(72, 96, 3),
    instruction_length=0,
    action_repeat=4,
    network=agent_config.NetworkConfig("shallow", 256),
    environment_frames=10_000_000,
    command="train --tasks=doom:health_gathering",
    seed=1,
    git_revision="0123abcd",
)
