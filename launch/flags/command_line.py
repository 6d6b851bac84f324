"""How every entry point starts and ends: flags, one-line errors, exit status."""

import os
import signal
import sys
from collections.abc import Callable, Sequence

from absl import flags

from kickstarting.environments import base
from launch.computing import (
    compilation_cache,
    drawing_folder,
    process_memory,
    processor_threads,
    scratch,
)
from launch.flags import help, preflight
from launch.monitoring import node_logs, standard_streams
from launch.processes import interruption

# sysexits(3) and Python's argparse agree: 2 is a mistake of the command line.
USAGE_STATUS = 2


def run(
    main: Callable[[list[str]], int],
    passed_on: str = "",
    names: bool = False,
) -> None:
    """Runs `main` with this process's command line, and ends the process.

    Args:
      main: see `status`.
      passed_on: see `status`.
      names: see `status`.
    """
    signal.signal(signal.SIGINT, _end_at_once)
    standard_streams.make_safe()
    process_memory.keep_freed_memory()
    processor_threads.share_cores(processor_threads.usable_cores())
    compilation_cache.keep()
    drawing_folder.keep()
    with scratch.folder():
        number = status(main, sys.argv, passed_on, names)
    sys.stdout.flush()
    sys.stderr.flush()
    # Threads of Courier, Reverb and TensorFlow may still wait in C++; interpreter
    # shutdown would wait for them, or abort under them.
    os._exit(number)


def status(
    main: Callable[[list[str]], int],
    argv: Sequence[str],
    passed_on: str = "",
    names: bool = False,
) -> int:
    """Parses the flags and runs `main`.

    A mistake of the user is told in one line on standard error.

    Args:
      main: given the program's name and what the flags left of the command line.
      argv: the program's name and its arguments.
      passed_on: prefix of flags that `main` parses itself; any other argument that no
        flag takes is refused.
      names: whether arguments that are no flags are names for `main`, not mistakes.

    Returns:
      The exit status: what `main` returns; 2 for a mistake of the user; 128 and the
      signal's number where it was interrupted.
    """
    try:
        rest = flags.FLAGS(argv, known_only=True)
        _refuse_unknown(rest[1:], passed_on, names)
        if explained := help.wanted(argv[0]):
            print(explained)
            return 0
        node_logs.begin_for_people()
        return main(rest)
    except flags.Error as error:
        return _refuse(argv[0], f"{error} (--help lists the flags)")
    except preflight.UserErrors as error:
        return _refuse(argv[0], str(error))
    except interruption.StoppedError as error:
        print(error, file=sys.stderr)
        return error.status


def _end_at_once(number: int, frame: object) -> None:
    """Ends the process; environments' processes end with it.

    Python's own handler raises KeyboardInterrupt wherever the program is, and is lost
    where that is in a callback of JAX.
    """
    del frame
    if sys.stderr.isatty():
        # A progress bar hides the cursor.
        os.write(sys.stderr.fileno(), b"\x1b[?25h\n")
    scratch.remove()
    os._exit(128 + number)


def _refuse_unknown(arguments: Sequence[str], passed_on: str, names: bool) -> None:
    for argument in arguments:
        name = argument.lstrip("-").partition("=")[0]
        if names and not argument.startswith("-"):
            continue
        if not argument.startswith("--"):
            raise flags.Error(f"unexpected argument {argument!r}: flags begin with --")
        if not (passed_on and name.startswith(passed_on)):
            near = base.nearest_name(name, list(flags.FLAGS))
            raise flags.Error(f"unknown flag --{name}{near}")


def _refuse(program: str, message: str) -> int:
    line = " ".join(message.split())
    print(f"{os.path.basename(program)}: {line}", file=sys.stderr)
    return USAGE_STATUS
