"""How λ, the weight of a teacher's advice, falls while the student learns.

Schmitt et al. 2018, section 3.2 (https://arxiv.org/abs/1803.03835): λ_i = α·ρ_i, a
global factor α times a factor ρ_i for each teacher. Each has a schedule of its own.
"""

from typing import NamedTuple

import numpy as np

from kickstarting.config.checks import require
from kickstarting.config.run import Config, KickstartingConfig
from kickstarting.config.teacher_uses import TEACHER_USES

# Schedules that fall by themselves until their end.
FALLING = ("linear", "exponential")


class Weights(NamedTuple):
    """Of all teachers at one moment.

    Attributes:
      global_weight: α.
      teacher_factors: ρ, float32 [num_tasks, K]; 0 where there is no teacher.
    """

    global_weight: float
    teacher_factors: np.ndarray

    @property
    def kickstarting_weight(self) -> np.ndarray:
        """λ, float32 [num_tasks, K]."""
        return (self.global_weight * self.teacher_factors).astype(np.float32)


def global_weight(config: KickstartingConfig, frames: int) -> float:
    """Returns α.

    α is `weight` up to `start_frames` and exactly 0 from `end_frames` on; 'constant'
    and 'return_gap' never end where `end_frames` is 0. Between the two, with progress
    p from 0 to 1:
      constant, return_gap: weight; the gap is each teacher's own (teacher_factor).
      linear: weight + p (final_weight − weight).
      exponential: weight (final_weight / weight)^p.
    'piecewise' has none of these: α is what `points` say, with straight lines between.
    It is never below `floor` times its start, and 0 where teachers are used for
    something else than advice.

    Args:
      config: the schedule.
      frames: environment frames learned from so far.
    """
    if not TEACHER_USES[config.use].labels:
        return 0.0
    if config.schedule == "piecewise":
        at, values = zip(*config.curve, strict=True)
        start, weight = values[0], float(np.interp(frames, at, values))
    else:
        start = config.weight
        weight = _scheduled(
            config.schedule,
            start,
            config.final_weight,
            config.start_frames,
            config.end_frames,
            frames,
        )
    return max(weight, config.floor * start)


def teacher_factor(
    config: KickstartingConfig,
    frames: int,
    factor: float = 1.0,
    student_return: float | None = None,
    teacher_return: float | None = None,
) -> float:
    """Returns ρ_i of one teacher.

    It follows its schedule from `factor` as α does from `weight`. Where α or ρ_i has
    the schedule 'return_gap', it is multiplied by max(1 − G_student / G_teacher, 0)
    after that schedule's start, as QDagger does (Agarwal et al. 2022,
    https://arxiv.org/abs/2206.01626): by at most 1, by 1 while either return is
    unknown, and by 0 if the teacher's is known and not above 0, for such a teacher is
    no better than chance. Where α is to follow the gap, `floor` is the least share.

    Args:
      config: the schedules.
      frames: environment frames learned from so far.
      factor: ρ_i at the start.
      student_return: mean episode return of the student on the teacher's task, less
        the random policy's, so that 0 is chance; None while unknown.
      teacher_return: the teacher's, measured likewise.
    """
    rho = _scheduled(
        config.factor_schedule,
        factor,
        factor * config.factor_final_share,
        config.factor_start_frames,
        config.factor_end_frames,
        frames,
    )
    for schedule, start_frames, least in (
        (config.schedule, config.start_frames, config.floor),
        (config.factor_schedule, config.factor_start_frames, 0.0),
    ):
        if schedule == "return_gap" and frames > start_frames:
            return rho * max(_return_gap(student_return, teacher_return), least)
    return rho


def kickstarting_weight(
    config: KickstartingConfig,
    frames: int,
    student_return: float | None = None,
    teacher_return: float | None = None,
) -> float:
    """Returns λ = α·ρ of one teacher, for a training loop of somebody else's.

    It is computed outside of what is jitted and handed in as an argument, so that its
    fall recompiles nothing.

    Args:
      config: the schedules of α and ρ; its teachers play no part.
      frames: environment frames, or whatever the schedule counts, so far.
      student_return: see teacher_factor; for the schedule 'return_gap' alone.
      teacher_return: likewise.

    Raises:
      ConfigError: α is to fall, but there is no end_frames above start_frames.
    """
    require(
        config.schedule not in FALLING or config.end_frames > config.start_frames,
        f"the {config.schedule} schedule needs end_frames above start_frames "
        f"({config.end_frames} is not above {config.start_frames})",
    )
    rho = teacher_factor(
        config, frames, student_return=student_return, teacher_return=teacher_return
    )
    return global_weight(config, frames) * rho


def weights(
    config: Config,
    frames: int,
    student_returns: np.ndarray,
    teacher_returns: np.ndarray,
    random_returns: np.ndarray,
) -> Weights:
    """Returns α and every ρ_i.

    Args:
      config: of the run.
      frames: environment frames learned from so far.
      student_returns: float [num_tasks], mean raw episode returns; NaN while unknown.
      teacher_returns: float [num_tasks, K], likewise; of a measurement what the teacher
        reaches for all that is known (TeacherReturns.assured).
      random_returns: float [num_tasks], of the random policy.
    """
    kickstarting = config.kickstarting
    factors = np.zeros(teacher_returns.shape, np.float32)
    above_chance = teacher_returns - random_returns[:, None]
    for task, teachers in enumerate(config.teachers_of_task):
        shares = np.ones(len(teachers))
        if kickstarting.weighting == "return":
            shares = _shares(above_chance[task, : len(teachers)])
        for position, teacher in enumerate(teachers):
            factors[task, position] = teacher_factor(
                kickstarting,
                frames,
                kickstarting.factor_of(config.tasks[task], teacher) * shares[position],
                _known(student_returns[task] - random_returns[task]),
                _known(above_chance[task, position]),
            )
    return Weights(global_weight(kickstarting, frames), factors)


def metrics(config: Config, found: Weights) -> dict[str, float]:
    """Returns α, and λ and ρ by task, and by teacher where a task has several.

    Args:
      config: of the run; without teachers there is nothing to tell.
      found: what `weights` returned.
    """
    if not config.kickstarting.teachers:
        return {}
    told = {"global_weight": found.global_weight}
    for task, teachers in enumerate(config.teachers_of_task):
        for position in range(len(teachers)):
            name = config.tasks[task] + (f"/{position}" if position else "")
            for metric, values in (
                ("kickstarting_weight", found.kickstarting_weight),
                ("teacher_factor", found.teacher_factors),
            ):
                told[f"{metric}/{name}"] = float(values[task, position])
    return told


def lambda_is_zero_for_good(config: Config, frames: int) -> np.ndarray:
    """Returns where no teacher is needed any more, bool [num_tasks, K].

    It is True also where there has never been a teacher.

    Args:
      config: of the run.
      frames: environment frames learned from so far.
    """
    kickstarting = config.kickstarting
    is_zero = np.ones((len(config.tasks), config.max_teachers), bool)
    if (
        not config.asks_teachers
        or _is_zero_for_good(kickstarting, frames)
        or _has_ended(
            kickstarting.factor_schedule, kickstarting.factor_end_frames, frames
        )
    ):
        return is_zero
    for task, teachers in enumerate(config.teachers_of_task):
        for position, teacher in enumerate(teachers):
            factor = kickstarting.factor_of(config.tasks[task], teacher)
            is_zero[task, position] = factor == 0
    return is_zero


def _is_zero_for_good(config: KickstartingConfig, frames: int) -> bool:
    """Whether α is 0 from here on."""
    if config.schedule == "piecewise":
        left = [weight for at, weight in config.curve if at > frames]
        return not any((global_weight(config, frames), *left))
    if not config.weight:
        return True
    return not config.floor and _has_ended(config.schedule, config.end_frames, frames)


def _scheduled(
    schedule: str,
    start: float,
    final: float,
    start_frames: int,
    end_frames: int,
    frames: int,
) -> float:
    if _has_ended(schedule, end_frames, frames):
        return 0.0
    if frames <= start_frames or schedule in ("constant", "return_gap") or not start:
        return float(start)
    progress = (frames - start_frames) / (end_frames - start_frames)
    if schedule == "linear":
        return start + progress * (final - start)
    return start * (final / start) ** progress


def _has_ended(schedule: str, end_frames: int, frames: int) -> bool:
    return frames >= end_frames and bool(end_frames or schedule in FALLING)


def _shares(above_chance: np.ndarray) -> np.ndarray:
    """Each teacher's share of what all teachers of a task reach above chance."""
    reached = np.maximum(above_chance, 0.0)
    total = reached.sum()
    return reached / total if total > 0 else np.zeros_like(reached)


def _known(number: float) -> float | None:
    return None if np.isnan(number) else float(number)


def _return_gap(student_return: float | None, teacher_return: float | None) -> float:
    if teacher_return is None:
        return 1.0
    if teacher_return <= 0:
        return 0.0
    if student_return is None:
        return 1.0
    return min(max(1.0 - student_return / teacher_return, 0.0), 1.0)
