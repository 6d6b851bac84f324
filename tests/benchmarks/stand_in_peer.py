"""A peer whose returns rise with the frames: one episode in every ten frames."""

import os

from benchmarks.peers import training as training_lib

EPISODE_FRAMES = 10


def main() -> None:
    """Writes what a peer writes; more than it was asked for, as whole batches are."""
    training = training_lib.Training.from_arguments()
    threads = os.environ["OMP_NUM_THREADS"]
    training_lib.write_settings(training.folder, {"threads": threads})
    episodes = training_lib.EpisodeFile(training.folder, training_lib.process_began())
    for frames in range(EPISODE_FRAMES, 2 * training.frames, EPISODE_FRAMES):
        raw_return = training.seed * frames / training.frames
        episodes.add(frames, raw_return, raw_return / 100)


if __name__ == "__main__":
    main()
