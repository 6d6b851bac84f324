"""launch.train by root without CAP_NET_ADMIN, as in many containers."""

import os
import sys

from tests.launch.processes import refused_calls

_CAP_NET_ADMIN = 12

if __name__ == "__main__":
    refused_calls.drop_capability(_CAP_NET_ADMIN)
    os.execv(sys.executable, [sys.executable, "-m", "launch.train", *sys.argv[1:]])
