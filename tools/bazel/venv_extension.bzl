"""Makes the .venv toolchain known to MODULE.bazel."""

load("//tools/bazel:venv.bzl", "venv_python")

venv_extension = module_extension(
    implementation = lambda module_ctx: venv_python(name = "venv_python"),
    doc = "Defines @venv_python.",
)
