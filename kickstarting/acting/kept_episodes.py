"""Keeps the episodes of an evaluation on its way: who begins again goes on with them.

A file of JSON lines. The first says of which evaluation it is, each other one holds an
episode that has ended.
"""

import errno
import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np
from absl import logging

from kickstarting.acting.episodes import Episode
from kickstarting.agent import trajectory

SUFFIX = ".episodes.jsonl"

_IDENTITY = "evaluation"
_BEGIN = f'{{"{_IDENTITY}": '.encode()
_CHUNK = 2**20
# Of file systems without locks: there nobody can be told from anybody else.
_WITHOUT_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


def identity(
    params: trajectory.Params,
    *,
    seed: int,
    greedy: bool,
    action_repeat: int,
    max_agent_steps: int,
    held_out: bool,
) -> dict[str, Any]:
    """Returns what tells an agent's evaluation from others, but for its levels.

    Args:
      params: of the agent.
      seed: see evaluator.evaluate.
      greedy: see evaluator.AgentPlayer.
      action_repeat: see evaluator.evaluate.
      max_agent_steps: see evaluator.evaluate.
      held_out: see evaluator.evaluate.
    """
    digest = hashlib.sha256()
    for path, leaf in jax.tree_util.tree_leaves_with_path(params):
        array = np.ascontiguousarray(leaf)
        digest.update(f"{path} {array.dtype} {array.shape}".encode())
        digest.update(array.tobytes())
    return {
        "weights": digest.hexdigest(),
        "seed": seed,
        "greedy": greedy,
        "action_repeat": action_repeat,
        "max_agent_steps": max_agent_steps,
        "held_out": held_out,
    }


class KeptEpisodes:
    """The episodes of one evaluation, by level; for one thread.

    Where the file cannot be written, a line says so, and nothing is kept.
    """

    def __init__(
        self,
        path: str | None,
        of: Mapping[str, Any],
        say: Callable[[str], None] = logging.warning,
    ) -> None:
        """Opens the file, and goes on with what it has, or starts it afresh.

        Args:
          path: of the file, made with its folder where it is missing; None keeps
            nothing.
          of: JSON members that tell the evaluation from others; see `identity`. A file
            of another one starts afresh.
          say: told in one line what a person should know.
        """
        self._path = path or ""
        self._say = say
        self._episodes: dict[str, list[Episode]] = {}
        self._file = -1
        if path is None:
            return
        try:
            self._open(json.loads(json.dumps(dict(of))))
        except OSError as error:
            self._give_up(error)

    @property
    def is_kept(self) -> bool:
        """Whether the same evaluation would go on with what has been played."""
        return self._file >= 0

    def of(self, level: str) -> list[Episode]:
        """Returns the level's episodes in the order in which they ended."""
        return list(self._episodes.get(level, ()))

    def keep(self, level: str, episode: Episode) -> None:
        """Adds an episode of a level that has just ended."""
        self._episodes.setdefault(level, []).append(episode)
        if self._file < 0:
            return
        fields = {"level": level, **episode._asdict()}
        size = os.fstat(self._file).st_size
        try:
            self._write(fields)
        except OSError as error:
            # Half a line may have found room.
            os.ftruncate(self._file, size)
            self._give_up(error)

    def remove(self) -> None:
        """Removes the file, which is of no more use, and closes it."""
        if self._file >= 0:
            os.unlink(self._path)
        self.close()

    def close(self) -> None:
        """Closes the file; safe to call twice."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _open(self, own: dict[str, Any]) -> None:
        os.makedirs(os.path.dirname(os.path.abspath(self._path)), exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._file = os.open(self._path, flags, 0o666)
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in _WITHOUT_LOCKS:
                raise
        content = b"".join(iter(lambda: os.read(self._file, _CHUNK), b""))
        if not content.startswith(_BEGIN[: len(content)]):
            self.close()
            self._say(
                f"Episodes are not kept on the way: {self._path} is not of this program"
            )
            return
        first, *lines = content.split(b"\n")
        # What follows the last line's end was not written in whole.
        other = _parsed(first).get(_IDENTITY) if lines else None
        if other != own:
            if isinstance(other, dict):
                self._say(
                    f"Starts afresh: {self._path} is of another evaluation "
                    f"({_difference(other, own)})"
                )
            os.ftruncate(self._file, 0)
            self._write({_IDENTITY: own})
            return
        size = len(first) + 1
        for line in lines[:-1]:
            fields = _parsed(line)
            try:
                level, episode = str(fields.pop("level")), _episode(**fields)
            except (TypeError, ValueError, KeyError):
                break
            self._episodes.setdefault(level, []).append(episode)
            size += len(line) + 1
        os.ftruncate(self._file, size)
        if count := sum(map(len, self._episodes.values())):
            self._say(f"Goes on with {count} episodes of {self._path}")

    def _write(self, fields: Mapping[str, Any]) -> None:
        rest = memoryview(json.dumps(fields).encode() + b"\n")
        while rest:
            rest = rest[os.write(self._file, rest) :]

    def _give_up(self, error: OSError) -> None:
        self.close()
        reason = error.strerror or str(error)
        if isinstance(error, BlockingIOError | PermissionError):
            reason += " (another evaluation may write there)"
        self._say(f"Episodes are not kept on the way in {self._path}: {reason}")


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(line)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}


def _episode(
    environment: int, episode_return: float, agent_steps: int, cut: bool
) -> Episode:
    return Episode(int(environment), float(episode_return), int(agent_steps), bool(cut))


def _difference(other: Mapping[str, Any], own: Mapping[str, Any]) -> str:
    names = [name for name in own if other.get(name) != own[name]]
    return ", ".join(
        name
        if isinstance(own[name], str)
        else f"{name} {other.get(name)} there, {own[name]} here"
        for name in names
    )
