"""The thirty tasks of DMLab-30 and the levels that train and test them."""

from typing import NamedTuple

from kickstarting.environments import base

FOLDER = "contributed/dmlab30/"


class Task(NamedTuple):
    """One task of DMLab-30.

    Attributes:
      name: short name, without the folder.
      train: name of the level that agents are trained on.
      test: name of the level that scores are measured on.
    """

    name: str
    train: str
    test: str


def _one_level(name: str) -> Task:
    return Task(name, name, name)


def _two_levels(name: str) -> Task:
    return Task(name, f"{name}_train", f"{name}_test")


# In the order of Beattie et al.'s list.
TASKS = (
    _two_levels("rooms_collect_good_objects"),
    _two_levels("rooms_exploit_deferred_effects"),
    _one_level("rooms_select_nonmatching_object"),
    _one_level("rooms_watermaze"),
    _one_level("rooms_keys_doors_puzzle"),
    _one_level("language_select_described_object"),
    _one_level("language_select_located_object"),
    _one_level("language_execute_random_task"),
    _one_level("language_answer_quantitative_question"),
    _one_level("lasertag_one_opponent_small"),
    _one_level("lasertag_three_opponents_small"),
    _one_level("lasertag_one_opponent_large"),
    _one_level("lasertag_three_opponents_large"),
    _one_level("natlab_fixed_large_map"),
    _one_level("natlab_varying_map_regrowth"),
    _one_level("natlab_varying_map_randomized"),
    _one_level("skymaze_irreversible_path_hard"),
    _one_level("skymaze_irreversible_path_varied"),
    _one_level("psychlab_arbitrary_visuomotor_mapping"),
    _one_level("psychlab_continuous_recognition"),
    _one_level("psychlab_sequential_comparison"),
    _one_level("psychlab_visual_search"),
    _one_level("explore_object_locations_small"),
    _one_level("explore_object_locations_large"),
    _one_level("explore_obstructed_goals_small"),
    _one_level("explore_obstructed_goals_large"),
    _one_level("explore_goal_locations_small"),
    _one_level("explore_goal_locations_large"),
    _one_level("explore_object_rewards_few"),
    _one_level("explore_object_rewards_many"),
)

_TASK_OF = {name: task for task in TASKS for name in task}

_TESTS = frozenset(task.test for task in TASKS) - {task.train for task in TASKS}

# What a psychlab level, by the beginning of its name, reads from the data set's folder:
# Brady et al.'s photographs, or MNIST. DeepMind Lab contains neither.
_DATASET_FILES = {
    "arbitrary_visuomotor_mapping": "0001.png",
    "continuous_recognition": "0001.png",
    "harlow": "0001.png",
    "what_then_where": "train-images-idx3-ubyte",
}


def find(name: str) -> Task:
    """Returns the task of a short name, or of a train or test level's name.

    Raises:
      base.EnvironmentConfigError: DMLab-30 has no such task.
    """
    if name not in _TASK_OF:
        near = base.nearest_name(name, tuple(_TASK_OF))
        raise base.EnvironmentConfigError(f"dmlab30 has no level {name!r}{near}")
    return _TASK_OF[name]


def is_test(level: str) -> bool:
    """Returns whether a level, by name or by path, is for DMLab-30's tests alone."""
    return level.removeprefix(FOLDER) in _TESTS


def dataset_file(level: str) -> str | None:
    """Returns a file that must be in the folder of the images which a level shows.

    Args:
      level: by name or by path.

    Returns:
      The file's name; None where the level shows no images.
    """
    name = level.rpartition("/")[2]
    if "psychlab" not in level:
        return None
    name = name.removeprefix("psychlab_")
    for beginning, file in _DATASET_FILES.items():
        if name.startswith(beginning):
            return file
    return None
