"""How λ, the weight of a teacher's advice, falls while the student learns."""

from kickstarting.config import KickstartingConfig


def kickstarting_weight(
    config: KickstartingConfig,
    frames: int,
    student_return: float | None = None,
    teacher_return: float | None = None,
) -> float:
    """Returns λ of one teacher.

    λ is `weight` up to `start_frames` and exactly 0 from `end_frames` on; 'constant'
    and 'return_gap' never end where `end_frames` is 0. Between the two, with progress
    p from 0 to 1:
      constant: weight.
      linear: weight + p (final_weight − weight).
      exponential: weight (final_weight / weight)^p.
      return_gap: weight · max(1 − G_student / G_teacher, 0), QDagger's schedule
        (Agarwal et al. 2022, https://arxiv.org/abs/2206.01626), at most `weight`. It
        is `weight` while either return is unknown, and 0 if the teacher's is known
        and not above 0: such a teacher is no better than chance.

    Args:
      config: the schedule.
      frames: environment frames learned from so far.
      student_return: mean episode return of the student on the teacher's task, less
        the random policy's, so that 0 is chance; None while unknown.
      teacher_return: the teacher's, measured likewise.
    """
    falls = config.schedule in ("linear", "exponential")
    if frames >= config.end_frames and (config.end_frames or falls):
        return 0.0
    if frames <= config.start_frames or config.schedule == "constant":
        return config.weight
    if config.schedule == "return_gap":
        return config.weight * _return_gap(student_return, teacher_return)
    progress = (frames - config.start_frames) / (
        config.end_frames - config.start_frames
    )
    if config.schedule == "linear":
        return config.weight + progress * (config.final_weight - config.weight)
    return config.weight * (config.final_weight / config.weight) ** progress


def _return_gap(student_return: float | None, teacher_return: float | None) -> float:
    if teacher_return is None:
        return 1.0
    if teacher_return <= 0:
        return 0.0
    if student_return is None:
        return 1.0
    return min(max(1.0 - student_return / teacher_return, 0.0), 1.0)
