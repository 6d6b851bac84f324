"""A teacher server in a process of its own, for tests that kill it.

python -m tests.launch.teacher_process PORT
"""

import os
import sys
import threading

import courier

from kickstarting.teaching import server as teacher_server
from tests import small_teachers


def main() -> None:
    """Serves the echo teacher until it is killed, or its parent is gone."""
    server = teacher_server.TeacherServer([[small_teachers.ECHO]], 1)
    courier_server = courier.Server(port=int(sys.argv[1]))
    courier_server.Bind("label", server.label)
    courier_server.Bind("counters", server.counters)
    courier_server.Start()
    stop = threading.Event()
    threading.Thread(target=server.run, args=(stop,), daemon=True).start()
    parent = os.getppid()
    while os.getppid() == parent:
        stop.wait(1.0)
    os._exit(0)


if __name__ == "__main__":
    main()
