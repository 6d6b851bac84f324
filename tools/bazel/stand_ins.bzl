"""Stand-ins for the rule repositories that Bazel 4 asks for even in a pure Python build.

They re-export what Bazel has built in, so that a build needs no download.
"""

_CC = """
cc_binary = native.cc_binary
cc_import = native.cc_import
cc_library = native.cc_library
cc_proto_library = native.cc_proto_library
cc_test = native.cc_test
cc_toolchain = native.cc_toolchain
cc_toolchain_suite = native.cc_toolchain_suite
"""

_JAVA = """
java_binary = native.java_binary
java_import = native.java_import
java_library = native.java_library
java_lite_proto_library = native.java_lite_proto_library
java_plugin = native.java_plugin
java_proto_library = native.java_proto_library
java_runtime = native.java_runtime
java_test = native.java_test
java_toolchain = native.java_toolchain
"""

_PYTHON = """
load("@bazel_tools//tools/python:toolchain.bzl", _py_runtime_pair = "py_runtime_pair")

py_binary = native.py_binary
py_library = native.py_library
py_runtime = native.py_runtime
py_runtime_pair = _py_runtime_pair
py_test = native.py_test
"""

_PYTHON_BUILD = """
alias(
    name = "toolchain_type",
    actual = "@bazel_tools//tools/python:toolchain_type",
    visibility = ["//visibility:public"],
)
"""

_COVERAGE_BUILD = """
filegroup(
    name = "coverage_report_generator",
    visibility = ["//visibility:public"],
)
"""

def _stand_in_impl(repository_ctx):
    repository_ctx.file("WORKSPACE", "")
    for path, content in repository_ctx.attr.files.items():
        repository_ctx.file(path, content)

_stand_in = repository_rule(
    implementation = _stand_in_impl,
    attrs = {"files": attr.string_dict(mandatory = True)},
)

def stand_in_rules():
    """Defines rules_cc, rules_java, rules_python and remote_coverage_tools."""
    _stand_in(
        name = "rules_cc",
        files = {"BUILD": "", "cc/BUILD": "", "cc/defs.bzl": _CC},
    )
    _stand_in(
        name = "rules_java",
        files = {"BUILD": "", "java/BUILD": "", "java/defs.bzl": _JAVA},
    )
    _stand_in(
        name = "rules_python",
        files = {"BUILD": "", "python/BUILD": _PYTHON_BUILD, "python/defs.bzl": _PYTHON},
    )
    _stand_in(
        name = "remote_coverage_tools",
        files = {"BUILD": _COVERAGE_BUILD},
    )
