"""Runs a module as `python -m` does, but finds modules only where this process does.

run_module.py MODULE ARGUMENTS

`python -m` would look in the current folder first, whose modules may have the names of
others.
"""

import sys

if __name__ == "__main__":
    # The folder of this file.
    del sys.path[0], sys.argv[0]
    import runpy

    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
