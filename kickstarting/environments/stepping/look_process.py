"""The process in which look.spec makes an environment, and closes it again.

Started by asking.ask, with the environment's settings and its factory.
"""

import dataclasses
import importlib
import json
import signal
import sys

from kickstarting.environments import base
from kickstarting.environments.stepping import asking

REFUSED = "!"


def main(argument: str) -> None:
    """Answers with the spec, and then that the environment is closed.

    Args:
      argument: the process's.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    (fields, factory), descriptor = asking.orders(argument)
    settings = base.TaskSettings.from_fields(fields)
    what = "made"
    try:
        module, _, function = factory.partition(":")
        environment = getattr(importlib.import_module(module), function)(settings)
        spec = json.dumps(dataclasses.asdict(environment.spec), default=int)
        asking.answer(descriptor, spec)
        what = "closed"
        environment.close()
    except base.EnvironmentConfigError as error:
        asking.answer(descriptor, f"{REFUSED}{_line(error)}")
    except BaseException as error:  # noqa: BLE001 - what others wrote raises anything
        asking.answer(
            descriptor,
            f"{REFUSED}{settings.task} cannot be {what}: "
            f"{type(error).__name__}: {_line(error)}",
        )
    asking.answer(descriptor, "")


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())


if __name__ == "__main__":
    main(sys.argv[1])
