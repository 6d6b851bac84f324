"""What an experiment declares: conditions, seeds, budget, and what it shows."""

import dataclasses
from collections.abc import Iterator, Mapping

from experiments.training import Teacher, Training
from kickstarting.config import run as config_lib

_QUICK_SHARE = 20
# In each run of the catalogue with 64 environments every task has an episode that ends
# by then; without one there is nothing to show.
_QUICK_FRAMES = 75_000


@dataclasses.dataclass(frozen=True)
class Condition:
    """One way to train, all else equal.

    Attributes:
      label: of its row and its curves.
      flags: of launch.train, beside those of the experiment.
      teachers: of its runs.
      weaned_share: of the frames, after which a linear λ is 0; None: the flags say how
        λ falls, if it does.
      figure: names the figure that its curves are drawn in, beside those of other
        conditions with the same one; empty: in every figure.
    """

    label: str
    flags: tuple[str, ...] = ()
    teachers: tuple[Teacher, ...] = ()
    weaned_share: float | None = None
    figure: str = ""


@dataclasses.dataclass(frozen=True)
class Experiment:
    """Conditions × seeds × budget, for one question.

    Attributes:
      title: heads its section.
      shows: the question.
      tasks: of every run, each with a reference score.
      total_frames: environment frames of every run, of each member of a population.
      seeds: of each condition.
      conditions: the first is the baseline that the others are compared with.
      flags: of launch.train, for all conditions.
      evaluation_episodes: of each task, that measure final checkpoints; 0: none, and
        the training score stands for them.
      budget_shares: of the frames, at which scores are told.
      levels: training scores of which is told after how many frames they are reached;
        none: that of the baseline at its end.
      charge_teachers: whether the frames that trained a run's teachers, all of which
        are trained here, count as its own in figures and in frames to a level.
      traces: columns of metrics.csv that are drawn over frames, e.g. global_weight.
      paper: what the paper has there, in Markdown.
      paper_scores: the same as a figure: by condition of the paper, its scores at
        shares of its budget, drawn beside ours on the same axes.
      finding: what came out, in Markdown, written after the runs.
      published: whether its runs keep the defaults of the published records; see
        Training.
    """

    title: str
    shows: str
    tasks: tuple[str, ...]
    total_frames: int
    seeds: tuple[int, ...]
    conditions: tuple[Condition, ...]
    flags: tuple[str, ...] = ()
    evaluation_episodes: int = 0
    budget_shares: tuple[float, ...] = (1.0,)
    levels: tuple[float, ...] = ()
    charge_teachers: bool = False
    traces: tuple[str, ...] = ()
    paper: str = ""
    paper_scores: Mapping[str, Mapping[float, float]] = dataclasses.field(
        default_factory=dict
    )
    finding: str = ""
    published: bool = False

    def __post_init__(self) -> None:
        """Checks what a slip of the pen would spoil.

        Raises:
          config_lib.ConfigError: two conditions share a label, or something is empty.
        """
        labels = [condition.label for condition in self.conditions]
        if len(set(labels)) < len(labels):
            raise config_lib.ConfigError(f"{self.title}: two conditions share a label")
        for name in ("conditions", "seeds", "tasks"):
            if not getattr(self, name):
                raise config_lib.ConfigError(f"{self.title} has no {name}")
        if len(set(self.seeds)) < len(self.seeds):
            raise config_lib.ConfigError(f"{self.title} names a seed twice")

    def training(self, condition: Condition, seed: int) -> Training:
        """Returns the run of a condition and a seed."""
        weaned: tuple[str, ...] = ()
        if condition.weaned_share is not None:
            end = round(condition.weaned_share * self.total_frames)
            weaned = (
                "--kickstarting_schedule=linear",
                f"--kickstarting_end_frames={end}",
            )
        return Training(
            tasks=self.tasks,
            seed=seed,
            total_frames=self.total_frames,
            flags=(*self.flags, *condition.flags, *weaned),
            teachers=condition.teachers,
            evaluation_episodes=self.evaluation_episodes,
            published=self.published,
        )

    def trainings(self) -> Iterator[tuple[Condition, Training]]:
        """Yields every run, one seed of all conditions after the other."""
        for seed in self.seeds:
            for condition in self.conditions:
                yield condition, self.training(condition, seed)

    def quick(self) -> "Experiment":
        """Returns the same with one seed and a twentieth of all frames.

        Students keep 75,000 of theirs, if they had as many.

        It shows in minutes whether everything runs; its figures mean little.
        """
        return dataclasses.replace(
            self,
            total_frames=min(
                self.total_frames,
                max(self.total_frames // _QUICK_SHARE, _QUICK_FRAMES),
            ),
            seeds=self.seeds[:1],
            conditions=tuple(
                dataclasses.replace(
                    condition, teachers=tuple(map(_quick_teacher, condition.teachers))
                )
                for condition in self.conditions
            ),
        )


def _quick_teacher(teacher: Teacher) -> Teacher:
    training = teacher.training
    if training is None:
        return teacher
    return dataclasses.replace(
        teacher,
        source=dataclasses.replace(
            training,
            total_frames=max(training.total_frames // _QUICK_SHARE, 1),
            teachers=tuple(map(_quick_teacher, training.teachers)),
        ),
    )
