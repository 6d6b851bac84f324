"""How a queue ends."""


class QueueStopped(Exception):
    """The program is stopping: the queue takes and gives nothing any more."""
