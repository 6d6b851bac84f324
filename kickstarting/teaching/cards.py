"""A teacher's card: what a teacher is, where it comes from and how good it is.

It is read from a file that a stranger may have sent: every field is checked.
"""

import dataclasses
import sys
import typing
from typing import Annotated, Any

import msgspec
import numpy as np

from kickstarting.config import agent as agent_config
from kickstarting.environments import base

_MOST = 2**63 - 1
_Count = Annotated[int, msgspec.Meta(ge=0, le=_MOST)]
_Positive = Annotated[int, msgspec.Meta(ge=1, le=_MOST)]
_Finite = Annotated[float, msgspec.Meta(ge=-sys.float_info.max, le=sys.float_info.max)]


class TeacherError(ValueError):
    """A teacher that cannot be used or written; its message is one line."""


def require(condition: bool, message: str) -> None:
    """Raises TeacherError where the condition does not hold."""
    if not condition:
        raise TeacherError(message)


class _Checked:
    """A dataclass whose fields are what their annotations say."""

    def __post_init__(self) -> None:
        """Checks every field.

        Raises:
          TeacherError: names the field that is wrong.
        """
        kinds = typing.get_type_hints(type(self), include_extras=True)
        for name, kind in kinds.items():
            value = getattr(self, name)
            try:
                # NumPy's numbers become Python's, and lists become tuples.
                plain = msgspec.to_builtins(value, enc_hook=np.generic.item)
                object.__setattr__(self, name, msgspec.convert(plain, kind))
            except (msgspec.ValidationError, TypeError) as error:
                raise TeacherError(
                    f"{name} cannot be {show(value)}: {show_error(error)}"
                ) from error


@dataclasses.dataclass(frozen=True)
class TaskScore(_Checked):
    """How good a teacher is at one task.

    Attributes:
      task: `suite:level`.
      mean_return: raw, over `episodes` evaluation episodes.
      standard_error: of mean_return.
      episodes: of the evaluation.
      normalised_score: of mean_return; None where the task has no reference.
    """

    task: str
    mean_return: _Finite
    standard_error: Annotated[float, msgspec.Meta(ge=0, le=sys.float_info.max)]
    episodes: _Positive
    normalised_score: _Finite | None

    def __post_init__(self) -> None:
        """Checks every field; raises TeacherError."""
        super().__post_init__()
        suite, _, level = self.task.partition(":")
        require(
            bool(suite and level), f"task must be suite:level, not {show(self.task)}"
        )


@dataclasses.dataclass(frozen=True)
class ValueMeaning(_Checked):
    """Of which returns a teacher's values are; they are not normalised.

    Attributes:
      discount: γ of each of its steps.
      reward_clipping: one of agent_config.REWARD_CLIPPINGS but 'auto'.
      reward_scales: by what the rewards of a task were multiplied before, where that is
        not 1.
    """

    discount: Annotated[float, msgspec.Meta(ge=0, le=1)]
    reward_clipping: str
    reward_scales: tuple[tuple[str, Annotated[float, msgspec.Meta(gt=0)]], ...] = ()

    def __post_init__(self) -> None:
        """Checks every field; raises TeacherError."""
        super().__post_init__()
        require(
            self.reward_clipping != "auto"
            and self.reward_clipping in agent_config.REWARD_CLIPPINGS,
            f"reward_clipping is unknown: {show(self.reward_clipping)}",
        )


@dataclasses.dataclass(frozen=True)
class TeacherCard(_Checked):
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
    frame_shape: tuple[_Positive, _Positive, _Positive]
    instruction_length: _Count
    action_repeat: _Positive
    network: agent_config.NetworkConfig
    environment_frames: _Count
    command: str
    seed: _Count
    git_revision: str
    value: ValueMeaning | None = None

    def __post_init__(self) -> None:
        """Checks every field; raises TeacherError."""
        super().__post_init__()
        for name, distinct in (
            ("scores must be of distinct tasks", self.tasks),
            ("action_names must be distinct names", self.action_names),
        ):
            require(
                0 < len(distinct) == len(set(distinct)), f"{name}, not {show(distinct)}"
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
    try:
        card = msgspec.convert(content, TeacherCard)
    except msgspec.ValidationError as error:
        raise TeacherError(show_error(error)) from error
    # Teachers that were exported before their values had a meaning say nothing of it.
    parts = [("it", card, {"value": None, **content})]
    parts += [("its network", card.network, content["network"])]
    scores = zip(card.scores, content["scores"], strict=True)
    parts += [("a score", score, given) for score, given in scores]
    if card.value:
        # Nor did those say that their rewards were not scaled, when none could be.
        given = {"reward_scales": (), **content["value"]}
        parts += [("its value", card.value, given)]
    for what, part, given in parts:
        names = {field.name for field in dataclasses.fields(part)}
        for name in sorted(names ^ given.keys()):
            problem = "lacks" if name in names else "has the unknown field"
            raise TeacherError(f"{what} {problem} {show(name)}")
    return card


def show(value: Any) -> str:
    """Returns `value` in one short line."""
    text = repr(value)
    return text if len(text) <= 200 else text[:200] + "..."


def show_error(error: Exception) -> str:
    """Returns what an error says, in one short line."""
    return " ".join(str(error).split())[:500]
