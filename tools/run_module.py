"""Runs a module of this project in the folder where the person is.

run_module.py MODULE ARGUMENTS

Where `python -m MODULE` would look for modules first, this looks last: what lies in the
person's folder is found, and takes no module's place.
"""

import os
import runpy
import sys

if __name__ == "__main__":
    # The folder of this file.
    del sys.path[0], sys.argv[0]
    sys.path.append(os.getcwd())
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
