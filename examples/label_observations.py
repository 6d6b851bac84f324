"""A shipped teacher says what it would do in a batch of observations.

python -m examples.label_observations
"""

import pathlib

import numpy as np

import kickstarting

TEACHER = pathlib.Path(__file__).parents[1] / "teachers/doom/defend_the_center"


def label(folder: str, pixels: np.ndarray) -> np.ndarray:
    """Returns the teacher's probabilities of its actions.

    Args:
      folder: of the teacher.
      pixels: uint8 [B, T, H, W, C]: B pieces of episodes, each T frames one after the
        other, as the teacher's card has their shape.

    Returns:
      float32 [B, T, A].
    """
    teacher = kickstarting.load_teacher(folder)
    steps = pixels.shape[:2]
    observation = kickstarting.Observation(
        pixels=pixels,
        # This one reads nothing, and has been told neither actions nor rewards.
        instruction=np.zeros((*steps, 0), np.int32),
        last_action=np.zeros(steps, np.int32),
        last_reward=np.zeros(steps, np.float32),
    )
    first = np.zeros(steps, bool)
    first[:, 0] = True
    # It remembers: to label the frames that follow, hand the state in again.
    logits, _ = teacher.label(observation, first, teacher.initial_state(len(pixels)))
    exponentials = np.exp(logits - logits.max(-1, keepdims=True))
    return exponentials / exponentials.sum(-1, keepdims=True)


def main() -> None:
    """Labels random frames, for want of better ones."""
    teacher = kickstarting.load_teacher(str(TEACHER))
    frames = np.random.default_rng(0).integers(0, 256, (2, 5, 72, 96, 3), np.uint8)
    for piece in label(str(TEACHER), frames):
        for step, policy in enumerate(piece):
            best = int(policy.argmax())
            print(f"{step}: {teacher.action_names[best]} {policy[best]:.2f}")


if __name__ == "__main__":
    main()
