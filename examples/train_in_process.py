"""Trains a student in this process, kickstarted by a shipped teacher.

It shows how it goes, and can be broken off and called again: it goes on from its last
checkpoint.

  python -m examples.train_in_process runs/in_process 200000
"""

import pathlib
import sys

import kickstarting

TASK = "xland:MiniGrid-Empty-8x8"
TEACHER = pathlib.Path(__file__).parents[1] / "teachers/study/xland"


def config(logdir: str, total_frames: int) -> kickstarting.Config:
    """Returns what is to be trained: λ falls to 0 over the first half."""
    return kickstarting.Config(
        tasks=(TASK,),
        logdir=logdir,
        total_frames=total_frames,
        action_repeat=1,
        kickstarting=kickstarting.KickstartingConfig(
            teachers=((TASK, str(TEACHER)),),
            schedule="linear",
            end_frames=total_frames // 2,
        ),
    )


def main(logdir: str, total_frames: int) -> kickstarting.Trained:
    """Trains, and says how good the student is at the end."""
    trained = kickstarting.train(config(logdir, total_frames))
    for task, score in trained.scores.items():
        print(f"{task}: {score.mean:.2f} ± {score.standard_error:.2f}")
    return trained


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
