"""The actor: steps a batch of environments with the newest policy and cuts unrolls.

It never waits for one environment in particular: the policy is batched over those that
are ready, padded to one of a few sizes so that nothing recompiles.
"""

import collections
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from kickstarting.acting import actor_words
from kickstarting.acting.guides import Guide
from kickstarting.acting.newest_parameters import NewestParameters, parameters_period
from kickstarting.acting.policy import Policy, inference_device
from kickstarting.acting.unroll_sender import UnrollSender
from kickstarting.acting.unroll_store import UnrollStore
from kickstarting.agent import trajectory
from kickstarting.agent.agent import Agent
from kickstarting.config import run as config_lib
from kickstarting.environments.stepping import batch as environment_batch

# Unrolls of one environment that may be in flight: one being acted, and one on its way
# past the teachers into the queue. More would only make the policy lag behind.
NUM_SLOTS = 2
_WAIT_SECONDS = 0.2
_REPORT_SECONDS = 0.5
_CLOSE_SECONDS = 3.0
# A small batch is worth waiting this much for more environments,
_GATHER_SECONDS = 0.002
# and this much while others wait for the learner: acting sooner would only take the
# processor from it.
_HELD_GATHER_SECONDS = 0.02


class LearnerClient(Protocol):
    """What an actor asks of the learner."""

    def parameters(self, held: int) -> Any:
        """Returns None, or (version, flat float32 parameters, λ [num_tasks, K]).

        None says that there are no others than the version `held`, -1 for none.
        """

    def report(
        self,
        source: str,
        counters: dict[str, float],
        gauges: dict[str, float],
        episodes: Any,
        doing: str,
    ) -> None:
        """Takes an actor's report and its episodes (tasks, returns, agent steps).

        What counters and gauges are, Telemetry.report says; `doing` is for a person.
        """


class Actor:
    """Steps environments, cuts unrolls, fetches parameters, reports episodes."""

    def __init__(
        self,
        config: config_lib.Config,
        index: int,
        agent: Agent,
        environments: environment_batch.EnvironmentBatch,
        tasks: np.ndarray,
        learner: LearnerClient,
        make_sender: Callable[[UnrollStore, Callable[[int], np.ndarray]], UnrollSender],
        guide: Guide | None = None,
    ) -> None:
        """Builds the actor; nothing runs yet.

        Args:
          config: of the run.
          index: of this actor.
          agent: the student.
          environments: this actor's batch of E.
          tasks: int32 [E], task index of each environment.
          learner: where parameters come from.
          make_sender: given the store and a function task -> λ [K].
          guide: of the teachers that act in the student's place; None where none does.
        """
        self._config = config
        self._source = f"actor/{index}"
        self._environments = environments
        self._learner = learner
        self._guide = guide
        self._policy = Policy(
            agent,
            config.seed * 100_003 + index,
            environments.num_environments,
            inference_device(config),
        )
        self._tasks = tasks
        self._store = UnrollStore(
            environments,
            tasks,
            index,
            config.max_teachers,
            config.network.core_size,
            config.asks_teacher_values,
        )
        num_environments = environments.num_environments
        shape = (num_environments, config.network.core_size)
        self._state = trajectory.CoreState(
            np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        )
        self._steps = np.zeros(num_environments, np.int32)
        self._parameters = NewestParameters(
            config, learner.parameters, self._policy.set_parameters
        )
        self._sender = make_sender(
            self._store, lambda task: self._parameters.kickstarting_weight[task]
        )
        self._episodes: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self._lock = threading.Lock()
        self._dropped_unrolls = 0
        self._agent_steps = 0
        self._batches = 0
        self._seconds = {"environment": 0.0, "slot": 0.0}
        self._began = time.monotonic()
        self._doing = actor_words.Doing(
            [config.tasks[task] for task in tasks], self._began
        )

    def run(self, stop: threading.Event) -> None:
        """Acts until `stop` is set.

        Args:
          stop: set when the program ends.

        Raises:
          EnvironmentConfigError: an environment cannot be made.
        """
        # Not with the program alone: another actor may take a failed one's place.
        has_ended = threading.Event()
        helper = threading.Thread(
            target=self._exchange_with_learner,
            args=(stop, has_ended),
            name="exchange",
            daemon=True,
        )
        try:
            self._environments.start()
            self._parameters.wait_for_first(stop)
            if stop.is_set():
                return
            helper.start()
            # A resumed run must not draw the random numbers of its past again.
            self._steps += self._frames_learned() // self._config.action_repeat
            self._policy.warm_up(
                self._environments.spec,
                self._config.network.core_size,
                guided=self._guide is not None,
            )
            self._sender.start()
            self._began = time.monotonic()
            self._doing.act()
            self._loop(stop)
        finally:
            has_ended.set()
            self._sender.close(_CLOSE_SECONDS)
            self._environments.close()
            # In compiled code when the interpreter ends, it would take it down.
            if helper.is_alive():
                helper.join(_CLOSE_SECONDS)

    def _loop(self, stop: threading.Event) -> None:
        held = np.zeros(0, np.int32)
        while not stop.is_set():
            if self._sender.failure is not None:
                raise self._sender.failure
            arrived = self._wait(len(held), stop)
            self._take_results(arrived)
            ready = np.concatenate([held, arrived])
            if not len(ready):
                continue
            ready.sort()
            ready, held = self._open_unrolls(ready)
            self._doing.hold(held)
            self._seconds["slot"] += self._parameters.wait(stop)
            if len(ready):
                self._act(ready)
            elif not len(arrived):
                start = time.monotonic()
                # Those in flight may be ready sooner than a slot.
                all_held = len(held) == self._environments.num_environments
                self._store.wait_for_free_slot(
                    _WAIT_SECONDS if all_held else _patience(len(held))
                )
                self._seconds["slot"] += time.monotonic() - start

    def _wait(self, num_held: int, stop: threading.Event) -> np.ndarray:
        """Returns environments with new results; all of them in lockstep."""
        num_environments = self._environments.num_environments
        start = time.monotonic()
        # With environments held back, look without sleeping: the slots are slept on.
        in_flight = num_environments - num_held
        ready = self._environments.wait(
            _WAIT_SECONDS if in_flight and not num_held else 0
        )
        wanted = num_environments if self._config.lockstep else num_environments // 2
        patience = _WAIT_SECONDS if self._config.lockstep else _patience(num_held)
        while 0 < len(ready) < min(wanted, in_flight) and not stop.is_set():
            more = self._environments.wait(patience)
            if not len(more) and not self._config.lockstep:
                break
            ready = np.concatenate([ready, more])
        self._seconds["environment"] += time.monotonic() - start
        return ready.astype(np.int32)

    def _take_results(self, arrived: np.ndarray) -> None:
        if not len(arrived):
            return
        self._doing.took(arrived)
        environments = self._environments
        lost = environments.restarted[arrived]
        for environment in arrived[lost]:
            self._dropped_unrolls += int(self._store.position[environment] > 0)
            self._store.restart_unroll(environment)
        self._store.record_results(arrived)
        ended = arrived[environments.ended[arrived]]
        if self._guide is not None:
            ended = self._guide.without_guided(ended)
        if len(ended):
            with self._lock:
                self._episodes.append(
                    (
                        self._tasks[ended],
                        environments.episode_return[ended].copy(),
                        environments.episode_steps[ended].copy(),
                    )
                )

    def _open_unrolls(self, ready: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Sends full unrolls and opens new ones.

        Returns:
          the environments that can act, and those that must wait for a slot.
        """
        store = self._store
        full = store.position[ready] == store.unroll_length
        can_act = ~full
        for i in np.flatnonzero(full):
            environment = int(ready[i])
            if (
                store.next_slot_is_free(environment)
                and not self._parameters.turn_is_over
            ):
                slot = int(store.slot[environment])
                store.open_unroll(environment)
                self._sender.send(environment, slot)
                self._parameters.count_opened_unroll()
                can_act[i] = True
        return ready[can_act], ready[~can_act]

    def _act(self, ready: np.ndarray) -> None:
        store, policy = self._store, self._policy
        slot, position = store.slot[ready], store.position[ready]
        first = store.first[ready, slot, position]
        state = trajectory.CoreState(*(x[ready] for x in self._state))
        opening = position == 0
        at = ready[opening], slot[opening]
        store.cell[at] = state.cell[opening]
        store.hidden[at] = state.hidden[opening]
        store.params_version[at] = self._parameters.version
        observation, guidance = store.observation(ready), None
        if self._guide is not None:
            guidance = self._guide.guidance(
                ready, observation, first, self._frames_learned()
            )
        actions, logits, state = policy.act(
            observation,
            first,
            store.available_actions(ready),
            state,
            ready,
            self._steps[ready],
            guidance,
        )
        self._state.cell[ready] = state.cell
        self._state.hidden[ready] = state.hidden
        self._environments.step(ready, actions, slot, position + 1)
        self._doing.asked(ready)
        store.action[ready, slot, position] = actions
        store.behaviour_logits[ready, slot, position] = logits
        store.position[ready] += 1
        self._steps[ready] += 1
        self._agent_steps += len(ready)
        self._batches += 1

    def _frames_learned(self) -> int:
        """Returns the environment frames that led to the newest parameters."""
        config = self._config
        return self._parameters.version * config.frames_per_batch // config.passes

    def _exchange_with_learner(
        self, stop: threading.Event, has_ended: threading.Event
    ) -> None:
        """Fetches parameters and reports, behind the acting."""
        polled = reported = time.monotonic()
        period = parameters_period(self._config)
        while not (stop.wait(min(period, _REPORT_SECONDS)) or has_ended.is_set()):
            try:
                due = time.monotonic() - polled >= period
                is_own = self._doing.acts and not self._parameters.are_waited_for
                if due and is_own:
                    polled = time.monotonic()
                    self._parameters.poll()
                if time.monotonic() - reported > _REPORT_SECONDS:
                    reported = time.monotonic()
                    self._report(max(reported - self._began, _REPORT_SECONDS))
            except Exception:  # noqa: BLE001 - the learner goes first when all stops
                if not stop.wait(_REPORT_SECONDS):
                    continue

    def _report(self, seconds: float) -> None:
        with self._lock:
            episodes, self._episodes = self._episodes, []
        columns = (
            tuple(np.concatenate(column) for column in zip(*episodes, strict=True))
            if episodes
            else None
        )
        sender = self._sender
        self._learner.report(
            self._source,
            {
                "agent_steps": float(self._agent_steps),
                "unrolls": float(sender.unrolls),
                "teacher_unrolls": float(sender.teacher_unrolls),
                "teacher_timeouts": float(sender.teacher_timeouts),
                "unanswered_unrolls": float(sender.unanswered_unrolls),
                "dropped_unrolls": float(self._dropped_unrolls),
                **self._advice_counters(),
                **(self._guide.counters() if self._guide is not None else {}),
                **self._environments.counters(),
            },
            {
                "teachers_resting": float(sender.resting_teachers),
                "acting_batch_size": self._agent_steps / max(self._batches, 1),
                "wait_environment": self._seconds["environment"] / seconds,
                "wait_queue": self._seconds["slot"] / seconds,
                "wait_teacher": sender.seconds_for_teacher / seconds,
            },
            columns,
            self._doing.words(self._agent_steps),
        )

    def _advice_counters(self) -> dict[str, float]:
        """Returns for each teacher what it was asked, and what it did not answer."""
        counters: collections.Counter[str] = collections.Counter()
        for name, counts in (
            ("asked_unrolls", self._sender.asked),
            ("unanswered_unrolls", self._sender.unanswered),
        ):
            # The sender's thread goes on counting.
            for (task, position), count in dict(counts).items():
                for teacher in self._config.teachers_of_task[task][position:][:1]:
                    counters[f"{name}/{teacher}"] += count
        return {name: float(count) for name, count in counters.items()}


def _patience(num_held: int) -> float:
    """Returns how many seconds more environments are worth, while some are held."""
    return _HELD_GATHER_SECONDS if num_held else _GATHER_SECONDS
