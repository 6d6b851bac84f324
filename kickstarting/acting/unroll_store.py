"""The unrolls that one actor has in flight, assembled in place.

Each of E environments has a ring of S slots of T steps. Observations, and which actions
they leave open, are written into the slots by the environments themselves
(EnvironmentBatch owns that memory); everything else is written here, for many
environments at once. A finished unroll is handed on as views.
"""

import threading

import numpy as np

from kickstarting.agent import trajectory as trajectory_lib
from kickstarting.environments.stepping import batch as environment_batch


class UnrollStore:
    """Slots of unrolls and the cursor of each environment in them.

    Attributes:
      slot: int32 [E], the slot that each environment fills.
      position: int32 [E], steps that are complete in it, 0..T.
    """

    def __init__(
        self,
        environments: environment_batch.EnvironmentBatch,
        tasks: np.ndarray,
        actor: int,
        num_teachers: int,
        core_size: int,
        with_teacher_values: bool = False,
    ) -> None:
        """Lays out the slots.

        Args:
          environments: whose observation memory [E, S, T + 1, ...] is used.
          tasks: int32 [E], index of the task of each environment.
          actor: this actor's index.
          num_teachers: K.
          core_size: units of the student's recurrent core.
          with_teacher_values: whether unrolls have room for the teachers' values.
        """
        num_environments, num_slots, length = environments.pixels.shape[:3]
        steps = (num_environments, num_slots, length - 1)
        num_actions = environments.spec.num_actions
        self.unroll_length = length - 1
        self.num_slots = num_slots
        self._environments = environments
        self._tasks = tasks.astype(np.int32)
        self._actor = np.int32(actor)
        self.slot = np.zeros(num_environments, np.int32)
        self.position = np.zeros(num_environments, np.int32)
        self.action = np.zeros(steps, np.int32)
        self.reward = np.zeros(steps, np.float32)
        self.discount = np.zeros(steps, np.float32)
        self.behaviour_logits = np.zeros((*steps, num_actions), np.float32)
        self.first = np.zeros((*steps[:2], length), bool)
        self.last_action = np.zeros((*steps[:2], length), np.int32)
        self.last_reward = np.zeros((*steps[:2], length), np.float32)
        self.cell = np.zeros((*steps[:2], core_size), np.float32)
        self.hidden = np.zeros((*steps[:2], core_size), np.float32)
        self.params_version = np.zeros(steps[:2], np.int32)
        self.unanswered_logits = np.zeros(
            (num_teachers, self.unroll_length, num_actions), np.float32
        )
        self.unanswered_mask = np.zeros((num_teachers, self.unroll_length), np.float32)
        self.unanswered_values = self.unanswered_mask[
            : num_teachers if with_teacher_values else 0
        ]
        self._busy = np.zeros((num_environments, num_slots), bool)
        self._slot_freed = threading.Event()

    def record_results(self, indices: np.ndarray) -> None:
        """Takes over what the environments' latest steps gave.

        Args:
          indices: int32 [n] of environments whose observation lies at their cursor.
        """
        environments = self._environments
        slot, position = self.slot[indices], self.position[indices]
        first = environments.first[indices]
        self.first[indices, slot, position] = first
        stepped = position > 0
        index, at_slot, at = indices[stepped], slot[stepped], position[stepped]
        self.reward[index, at_slot, at - 1] = environments.reward[index]
        self.discount[index, at_slot, at - 1] = environments.discount[index]
        opens = first[stepped]
        self.last_action[index, at_slot, at] = np.where(
            opens, 0, self.action[index, at_slot, at - 1]
        )
        self.last_reward[index, at_slot, at] = np.where(
            opens, 0, environments.reward[index]
        )

    def open_unroll(self, environment: int) -> None:
        """Begins the next unroll with the last observation of the full one.

        The caller makes sure that the next slot is free.

        Args:
          environment: whose slot is full.
        """
        old, last = self.slot[environment], self.unroll_length
        new = (old + 1) % self.num_slots
        for array in (
            self._environments.pixels,
            self._environments.instruction,
            self._environments.available_actions,
            self.first,
            self.last_action,
            self.last_reward,
        ):
            array[environment, new, 0] = array[environment, old, last]
        self._move_to(environment, new)

    def restart_unroll(self, environment: int) -> None:
        """Drops the unroll in progress: the observation at the cursor is its new first.

        Args:
          environment: which was lost and replaced.
        """
        slot, position = self.slot[environment], self.position[environment]
        for array in (
            self._environments.pixels,
            self._environments.instruction,
            self._environments.available_actions,
        ):
            array[environment, slot, 0] = array[environment, slot, position]
        self.first[environment, slot, 0] = True
        self.last_action[environment, slot, 0] = 0
        self.last_reward[environment, slot, 0] = 0
        self._move_to(environment, slot)

    def _move_to(self, environment: int, slot: int) -> None:
        self.slot[environment] = slot
        self.position[environment] = 0

    def observation(self, indices: np.ndarray) -> trajectory_lib.Observation:
        """Returns copies [n, ...] of the observations at the cursors of `indices`."""
        at = indices, self.slot[indices], self.position[indices]
        return trajectory_lib.Observation(
            pixels=self._environments.pixels[at],
            instruction=self._environments.instruction[at],
            last_action=self.last_action[at],
            last_reward=self.last_reward[at],
        )

    def available_actions(self, indices: np.ndarray) -> np.ndarray:
        """Returns a copy, bool [n, A], of what these observations leave open."""
        at = indices, self.slot[indices], self.position[indices]
        return self._environments.available_actions[at]

    def trajectory(self, environment: int, slot: int) -> trajectory_lib.Trajectory:
        """Returns the unroll in a slot as views; no teacher has answered it yet."""
        at = environment, slot
        return trajectory_lib.Trajectory(
            observation=trajectory_lib.Observation(
                pixels=self._environments.pixels[at],
                instruction=self._environments.instruction[at],
                last_action=self.last_action[at],
                last_reward=self.last_reward[at],
            ),
            action=self.action[at],
            reward=self.reward[at],
            discount=self.discount[at],
            first=self.first[at],
            available_actions=self._environments.available_actions[at],
            behaviour_logits=self.behaviour_logits[at],
            teacher_logits=self.unanswered_logits,
            teacher_mask=self.unanswered_mask,
            teacher_values=self.unanswered_values,
            core_state=trajectory_lib.CoreState(
                cell=self.cell[at], hidden=self.hidden[at]
            ),
            task=self._tasks[environment],
            actor=self._actor,
            params_version=self.params_version[at],
        )

    def task(self, environment: int) -> int:
        """Returns the task index of an environment."""
        return int(self._tasks[environment])

    def next_slot_is_free(self, environment: int) -> bool:
        """Returns whether the slot after the current one may be filled."""
        return not self._busy[
            environment, (self.slot[environment] + 1) % self.num_slots
        ]

    def hold(self, environment: int, slot: int) -> None:
        """Marks a slot as being on its way to the learner."""
        self._busy[environment, slot] = True

    def free(self, environment: int, slot: int) -> None:
        """Gives a slot back, from any thread."""
        self._busy[environment, slot] = False
        self._slot_freed.set()

    def wait_for_free_slot(self, timeout: float) -> None:
        """Sleeps until a slot is given back, at most `timeout` seconds.

        One that was given back since the last call ends the sleep at once: the caller
        may have looked just before.
        """
        self._slot_freed.wait(timeout)
        self._slot_freed.clear()
