"""Flags that make an experiment's runs on a small grid last seconds."""

TRAIN_FLAGS = "--train_flags=" + ",".join(
    (
        "--norecommended",
        "--torso=small_grid",
        "--nolanguage",
        "--action_repeat=1",
        "--core_size=32",
        "--environments_per_actor=2",
        "--unroll_length=10",
        "--batch_size=2",
        "--evaluation_episodes=2",
    )
)
