"""One test target for each test file, with what all of them need, and its folder."""

load("@rules_python//python:defs.bzl", "py_test")

# What several tests share, in every folder that has some.
_HELPERS = [
    "//tests:helpers",
    "//tests/benchmarks:helpers",
    "//tests/environments:helpers",
    "//tests/experiments:helpers",
    "//tests/launch:helpers",
    "//tests/launch/flags:helpers",
    "//tests/launch/processes:helpers",
]

def python_test(name, size = "small", data = [], **kwargs):
    """Declares the test of `name`.py in this folder.

    Args:
      name: file name of the test without `.py`.
      size: "small" (up to five minutes), "medium" (up to ten) or "large" (up to 20).
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
            "//benchmarks/diagnosis",
            "//examples",
            "//experiments",
            "//kickstarting",
            "//launch",
        ],
        **kwargs
    )

def test_folder(helpers = False, further = []):
    """Declares the files of this folder of tests.

    Args:
      helpers: whether other folders share what is no test here.
      further: patterns of files in folders below that have no BUILD of their own.
    """
    native.filegroup(
        name = "sources",
        srcs = native.glob(["*.py", "BUILD"] + further),
        visibility = ["//tests:__pkg__"],
    )
    if helpers:
        native.filegroup(
            name = "helpers",
            srcs = native.glob(["*.py"] + further, exclude = ["*_test.py"]),
            visibility = ["//visibility:public"],
        )
