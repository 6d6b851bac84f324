"""Runs parts of a program as threads: the first that ends ends all of them."""

import threading
from collections.abc import Callable, Mapping

# A part: runs until its argument is set, or it is done, or fails.
Part = Callable[[threading.Event], None]

_WAIT_SECONDS = 0.2
# Within which a part ends once it was told to.
_SECONDS_TO_END = 60.0


def run_together(
    main: Part,
    beside: Mapping[str, Part],
    stop: threading.Event,
    asked: threading.Event | None = None,
) -> None:
    """Runs `main`, and the other parts as long as it runs.

    A part that fails stops all of them. So does KeyboardInterrupt, which is raised when
    all have ended; a second one is raised at once.

    Args:
      main: waited for however long it takes to end, for it keeps what was done.
      beside: by their names; they are to end soon after they are told to.
      stop: what every part is given; set here.
      asked: set by somebody else to have them end; None where nobody does.

    Raises:
      Exception: that of the part that failed first.
      TimeoutError: a part did not end, and none had failed.
    """
    failures: list[BaseException] = []
    # Not Thread.join: where Ctrl-C interrupts that, Python up to 3.12 takes the thread
    # for ended (its remedy of bpo-45274), and nobody waits for the last checkpoint.
    main_ended = threading.Event()

    def body(part: Part) -> None:
        try:
            part(stop)
        except BaseException as error:  # noqa: BLE001 - raised below
            failures.append(error)
        finally:
            stop.set()

    def body_of_main() -> None:
        body(main)
        main_ended.set()

    first = threading.Thread(target=body_of_main, name="main part", daemon=True)
    others = [
        threading.Thread(target=body, args=(part,), name=name, daemon=True)
        for name, part in beside.items()
    ]
    for thread in (first, *others):
        thread.start()
    interrupted = None
    try:
        while not main_ended.wait(_WAIT_SECONDS):
            if asked is not None and asked.is_set():
                stop.set()
    except KeyboardInterrupt as interrupt:
        interrupted = interrupt
        stop.set()
        main_ended.wait()
    first.join()
    for thread in others:
        thread.join(_SECONDS_TO_END)
    if failures:
        raise failures[0]
    if interrupted is not None:
        raise interrupted
    for thread in others:
        if thread.is_alive():
            raise TimeoutError(f"{thread.name} does not end")
