"""Question 3 of the paper's readers."""

from experiments.catalogue import _xland

_BETTER = _xland.multi_task_teacher(_xland.SMALL)
_OTHER = _xland.multi_task_teacher(_xland.LARGE)

EXPERIMENT = _xland.of_large_students(
    title="3. Are two teachers for one task better than the better one?",
    shows="Are two teachers for one task better than the better one?",
    conditions=(
        _xland.kickstarted("the better one", _BETTER),
        _xland.kickstarted("the other one", _OTHER),
        _xland.kickstarted("both", _BETTER, _OTHER),
        _xland.kickstarted("both, at half the weight", _BETTER, _OTHER, weight=0.5),
    ),
    budget_shares=(0.1, 0.5, 1.0),
)
