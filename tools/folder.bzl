"""A folder of one idea as a target: its files, and the folders that it may import."""

load("@rules_python//python:defs.bzl", "py_library")

def folder(name, srcs = None, data = [], deps = []):
    """Declares the Python files of this folder.

    Args:
      name: of the folder, or of a part of it.
      srcs: files; without them all Python files of the folder.
      data: what they read.
      deps: folders that they import, and no others (//tests:folders_test).
    """
    py_library(
        name = name,
        srcs = srcs or native.glob(["*.py"]),
        # The list of what may be imported, which the test reads.
        data = data + ["BUILD"],
        visibility = ["//visibility:public"],
        deps = deps,
    )
