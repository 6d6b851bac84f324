"""One test target for each test file, with what all of them need."""

load("@rules_python//python:defs.bzl", "py_test")

# What several tests share, in every folder that has some.
_HELPERS = [
    "//tests:helpers",
    "//tests/benchmarks:helpers",
    "//tests/environments:helpers",
    "//tests/experiments:helpers",
    "//tests/launch:helpers",
    "//tests/launch/processes:helpers",
]

def python_test(name, size = "small", data = [], **kwargs):
    """Declares the test of `name`.py in this folder.

    Args:
      name: file name of the test without `.py`.
      size: "small" (up to two minutes), "medium" (up to five) or "large" (up to 15).
      data: further files that the test reads, such as "//:teachers".
      **kwargs: further arguments of py_test.
    """
    py_test(
        name = name,
        size = size,
        srcs = [name + ".py"],
        data = data + _HELPERS,
        legacy_create_init = 0,
        main = name + ".py",
        deps = [
            "//benchmarks",
            "//examples",
            "//experiments",
            "//kickstarting",
            "//launch",
        ],
        **kwargs
    )
