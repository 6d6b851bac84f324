"""What a learner is to reach, and by when: rolling returns of sampled episodes."""

from typing import NamedTuple


class Mark(NamedTuple):
    """A mean rolling return of three seeds.

    Attributes:
      mean_return: raw, over 100 sampled episodes.
      frames: environment frames by which it is to be reached.
    """

    mean_return: float
    frames: int


MARKS: dict[str, tuple[Mark, ...]] = {
    "doom:basic": (Mark(75, 100_000), Mark(86, 200_000)),
    "doom:defend_the_center": (
        Mark(8.5, 300_000),
        Mark(11, 600_000),
        Mark(20, 4_000_000),
    ),
    "doom:defend_the_line": (Mark(20, 1_500_000), Mark(28, 4_000_000)),
    "doom:health_gathering": (Mark(1500, 2_000_000),),
    "doom:health_gathering_supreme": (Mark(1000, 4_000_000),),
    "gym:MiniGrid-Empty-Random-5x5-v0": (Mark(0.95, 60_000),),
    "gym:MiniGrid-DoorKey-5x5-v0": (Mark(0.9, 90_000), Mark(0.95, 120_000)),
    "gym:MiniGrid-Unlock-v0": (Mark(0.9, 90_000), Mark(0.95, 120_000)),
    "gym:MiniGrid-DoorKey-6x6-v0": (Mark(0.9, 250_000),),
    "gym:MiniGrid-DoorKey-8x8-v0": (Mark(0.9, 800_000),),
    "gym:MiniGrid-KeyCorridorS3R1-v0": (Mark(0.94, 450_000),),
    "gym:MiniGrid-MemoryS9-v0": (Mark(0.9, 700_000),),
    "xland:MiniGrid-Empty-6x6": (Mark(0.9, 60_000), Mark(0.95, 100_000)),
    "xland:MiniGrid-DoorKey-5x5": (Mark(0.9, 60_000), Mark(0.95, 100_000)),
}
