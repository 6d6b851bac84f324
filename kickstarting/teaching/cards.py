"""A teacher's card: what a teacher is, where it comes from and how good it is.

It is read from a file that a stranger may have sent: every field is checked.
"""

import dataclasses
import sys
from typing import Any

from kickstarting.config import agent as agent_config
from kickstarting.config import run as config
from kickstarting.environments import base


class TeacherError(ValueError):
    """A teacher that cannot be used or written; its message is one line."""


def require(condition: bool, message: str) -> None:
    """Raises TeacherError where the condition does not hold."""
    if not condition:
        raise TeacherError(message)


@dataclasses.dataclass(frozen=True)
class TaskScore:
    """How good a teacher is at one task.

    Attributes:
      task: `suite:level`.
      mean_return: raw, over `episodes` evaluation episodes.
      standard_error: of mean_return.
      episodes: of the evaluation.
      normalised_score: of mean_return; None where the task has no reference.
    """

    task: str
    mean_return: float
    standard_error: float
    episodes: int
    normalised_score: float | None

    def __post_init__(self) -> None:
        """Checks every field.

        Raises:
          TeacherError: names the field that is wrong.
        """
        suite, _, level = self.task.partition(":") if _is_text(self.task) else ("",) * 3
        require(
            bool(suite and level), f"task must be suite:level, not {show(self.task)}"
        )
        require(
            is_whole(self.episodes, 1),
            f"episodes must be a whole number from 1, not {show(self.episodes)}",
        )
        for name in ("mean_return", "standard_error", "normalised_score"):
            value = getattr(self, name)
            require(
                _is_finite(value) or (value is None and name == "normalised_score"),
                f"{name} must be a finite number, not {show(value)}",
            )
        require(self.standard_error >= 0, "standard_error must not be negative")


@dataclasses.dataclass(frozen=True)
class ValueMeaning:
    """Of which returns a teacher's values are; they are not normalised.

    Attributes:
      discount: γ of each of its steps.
      reward_clipping: one of agent_config.REWARD_CLIPPINGS but 'auto'.
    """

    discount: float
    reward_clipping: str

    def __post_init__(self) -> None:
        """Checks every field.

        Raises:
          TeacherError: names the field that is wrong.
        """
        require(
            _is_finite(self.discount) and 0 <= self.discount <= 1,
            f"discount must be in [0, 1], not {show(self.discount)}",
        )
        require(
            self.reward_clipping != "auto"
            and self.reward_clipping in agent_config.REWARD_CLIPPINGS,
            f"reward_clipping is unknown: {show(self.reward_clipping)}",
        )


@dataclasses.dataclass(frozen=True)
class TeacherCard:
    """What a teacher is, where it comes from and how good it is.

    Attributes:
      scores: one for each task that it was trained on.
      action_names: its action set, in order.
      frame_shape: shape [H, W, C] of the uint8 pixels that it sees.
      instruction_length: word ids that it sees; 0 without language.
      action_repeat: environment frames for each of its steps.
      network: its architecture.
      environment_frames: that it was trained on.
      command: that made it.
      seed: of that command.
      git_revision: of the program that made it.
      value: what its values mean; None where that is not known. With a value for each
        task they are in the order of the scores.
    """

    scores: tuple[TaskScore, ...]
    action_names: tuple[str, ...]
    frame_shape: tuple[int, int, int]
    instruction_length: int
    action_repeat: int
    network: agent_config.NetworkConfig
    environment_frames: int
    command: str
    seed: int
    git_revision: str
    value: ValueMeaning | None = None

    def __post_init__(self) -> None:
        """Checks every field.

        Raises:
          TeacherError: names the field that is wrong.
        """
        require(
            isinstance(self.scores, tuple)
            and all(isinstance(score, TaskScore) for score in self.scores)
            and 0 < len(self.tasks) == len(set(self.tasks)),
            f"scores must be of distinct tasks, not {show(self.scores)}",
        )
        for name in ("command", "git_revision"):
            value = getattr(self, name)
            require(_is_text(value), f"{name} must be text, not {show(value)}")
        require(
            isinstance(self.action_names, tuple)
            and all(_is_text(name) for name in self.action_names)
            and 0 < len(self.action_names) == len(set(self.action_names)),
            f"action_names must be distinct names, not {show(self.action_names)}",
        )
        require(
            isinstance(self.frame_shape, tuple)
            and len(self.frame_shape) == 3
            and all(is_whole(size, 1) for size in self.frame_shape),
            f"frame_shape must be three sizes, not {show(self.frame_shape)}",
        )
        for name, least in (
            ("instruction_length", 0),
            ("action_repeat", 1),
            ("environment_frames", 0),
            ("seed", 0),
        ):
            value = getattr(self, name)
            require(
                is_whole(value, least),
                f"{name} must be a whole number from {least}, not {show(value)}",
            )

        require(
            self.value is None or self.network.num_values in (1, len(self.tasks)),
            f"{self.network.num_values} values do not fit {len(self.tasks)} tasks",
        )

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks that it was trained on."""
        return tuple(score.task for score in self.scores)

    def score_of(self, task: str) -> TaskScore | None:
        """Returns how good it is at a task; None if it was not trained on it."""
        return next((score for score in self.scores if score.task == task), None)


def spec_of(card: TeacherCard) -> base.EnvironmentSpec:
    """Returns what a teacher knows of its environments."""
    return base.EnvironmentSpec(
        frame_shape=card.frame_shape,
        instruction_length=card.instruction_length,
        action_names=card.action_names,
        action_repeat=card.action_repeat,
    )


def check_matches(card: TeacherCard, spec: base.EnvironmentSpec) -> None:
    """Checks that a teacher can advise on an environment.

    Args:
      card: the teacher's.
      spec: the environment's.

    Raises:
      TeacherError: their action sets or observations differ; both are named.
    """
    for what, teachers, environments in (
        ("action set", card.action_names, spec.action_names),
        ("frame shape", card.frame_shape, spec.frame_shape),
        ("instruction length", card.instruction_length, spec.instruction_length),
    ):
        require(
            teachers == environments,
            f"the teacher of {', '.join(card.tasks)} has the {what} {teachers}, but "
            f"the environment has {environments}: choose a teacher with the same "
            f"{what}",
        )


def from_json(content: Any) -> TeacherCard:
    """Returns the card that a JSON object describes.

    Raises:
      TeacherError: names the first thing that is wrong.
    """
    # Teachers that were exported before their values had a meaning say nothing of it.
    if isinstance(content, dict):
        content = {"value": None, **content}
    content = dict(_fields_of(TeacherCard, content))
    for name in ("action_names", "frame_shape"):
        if isinstance(content[name], list):
            content[name] = tuple(content[name])
    require(
        isinstance(content["scores"], list),
        f"scores must be a list, not {show(content['scores'])}",
    )
    content["scores"] = tuple(
        TaskScore(**_fields_of(TaskScore, score)) for score in content["scores"]
    )
    content["network"] = _network(content["network"])
    if content["value"] is not None:
        content["value"] = ValueMeaning(**_fields_of(ValueMeaning, content["value"]))
    return TeacherCard(**content)


def _fields_of(kind: Any, content: Any) -> dict[str, Any]:
    require(isinstance(content, dict), f"{show(content)} is no JSON object")
    names = {field.name for field in dataclasses.fields(kind)}
    for name in sorted(names ^ content.keys()):
        problem = "lacks" if name in names else "has the unknown field"
        raise TeacherError(f"it {problem} {show(name)}")
    return content


def _network(content: Any) -> agent_config.NetworkConfig:
    require(
        isinstance(content, dict)
        and content.keys() == {"torso", "core_size", "num_values", "language"}
        and isinstance(content["torso"], str)
        and is_whole(content["core_size"], 1)
        and is_whole(content["num_values"], 1)
        and isinstance(content["language"], bool),
        f"network must have a torso, a core_size, num_values and language, but is "
        f"{show(content)}",
    )
    try:
        return agent_config.NetworkConfig(**content)
    except config.ConfigError as error:
        raise TeacherError(show(str(error))) from error


def show(value: Any) -> str:
    """Returns `value` in one short line."""
    text = repr(value)
    return text if len(text) <= 200 else text[:200] + "..."


def is_whole(value: Any, least: int) -> bool:
    """Returns whether `value` is an int of 64 bits from `least` on."""
    return type(value) is int and least <= value < 2**63


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_finite(value: Any) -> bool:
    # A whole number of JSON can be too large for a float.
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and abs(value) <= sys.float_info.max
