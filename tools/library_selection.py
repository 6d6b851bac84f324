"""Which tests are the library's: told from what they import, not from a list.

A test belongs to the library where it imports `kickstarting`, and neither it nor any
file of this project that it imports, imports Launchpad, its Courier, Reverb, TensorFlow
or `launch`, which needs them.
"""

import ast
import dataclasses
import pathlib
import re
from collections.abc import Iterator

# What has no wheels for the newer Pythons, and the package that is built on it.
CLUSTER_PACKAGES = ("courier", "launch", "launchpad", "reverb", "tensorflow")
_LIBRARY = "kickstarting"
# A module, as after `python -m`, or something in one.
_MODULE = re.compile(r"[a-z_]\w*(\.[a-z_]\w*)+(:\w+)?")


@dataclasses.dataclass(frozen=True)
class Selection:
    """The tests of a repository, sorted.

    Attributes:
      kept: the library's.
      left_out: the others, each with the reason in a few words.
    """

    kept: tuple[pathlib.Path, ...]
    left_out: tuple[tuple[pathlib.Path, str], ...]


def select(root: pathlib.Path) -> Selection:
    """Sorts every `*_test.py` below `root`/tests.

    Raises:
      SyntaxError: a file is no Python.
    """
    kept, left_out = [], []
    for path in sorted((root / "tests").rglob("*_test.py")):
        reason = _reason_against(root, path)
        if reason:
            left_out.append((path.relative_to(root), reason))
        else:
            kept.append(path.relative_to(root))
    return Selection(tuple(kept), tuple(left_out))


def _reason_against(root: pathlib.Path, test: pathlib.Path) -> str:
    """Returns why a test is not the library's, or nothing."""
    seen = {test}
    waiting = [test]
    is_library = False
    while waiting:
        path = waiting.pop()
        for module in _imported(ast.parse(path.read_text(), str(path))):
            package = module.partition(".")[0]
            if package in CLUSTER_PACKAGES:
                through = "" if path == test else f" by {path.relative_to(root)}"
                return f"imports {package}{through}"
            is_library |= package == _LIBRARY
            for file in _files(root, module):
                if file not in seen:
                    seen.add(file)
                    waiting.append(file)
    return "" if is_library else f"imports nothing of {_LIBRARY}"


def _imported(tree: ast.AST) -> Iterator[str]:
    """Yields the modules that a file imports, and those that its strings name.

    `from a import b` yields both `a` and `a.b`, which may be a module too. What a test
    runs in a fresh process stands in a string: code, `a.b` or `a.b:factory`.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from _named(node.value)


def _named(text: str) -> Iterator[str]:
    """Yields the modules that the text of one string names."""
    if _MODULE.fullmatch(text):
        yield text.partition(":")[0]
    elif "import " in text:
        try:
            code = ast.parse(text)
        except (SyntaxError, ValueError):
            return
        yield from _imported(code)


def _files(root: pathlib.Path, module: str) -> Iterator[pathlib.Path]:
    """Yields the files of this project that a module is, if any."""
    path = root.joinpath(*module.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.is_file():
            yield candidate
