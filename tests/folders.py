"""Which folder imports which, read from the sources and from the BUILD files."""

import ast
import dataclasses
import pathlib
from collections.abc import Iterable, Iterator, Mapping

# Targets that stand for all that lies below them.
WHOLES = ("//kickstarting", "//launch")


@dataclasses.dataclass(frozen=True)
class Folder:
    """A target of a BUILD file: a folder, or a part of one.

    Attributes:
      files: Python files, by their paths from the root of the repository.
      imports: targets whose files these may import.
    """

    files: frozenset[str]
    imports: frozenset[str]


@dataclasses.dataclass(frozen=True)
class Import:
    """One file that needs another one of the project, and the line that says so.

    Attributes:
      source: file that imports.
      line: of it.
      target: file that is imported.
      by_name: whether it is imported, or run, later, by its name in a text.
    """

    source: str
    line: int
    target: str
    by_name: bool


def folders(root: pathlib.Path, packages: Iterable[str]) -> dict[str, Folder]:
    """Returns what the BUILD files declare, by label.

    Args:
      root: of the repository.
      packages: top folders that are read.
    """
    found: dict[str, Folder] = {}
    for package in packages:
        for build in sorted((root / package).rglob("BUILD")):
            place = build.parent.relative_to(root).as_posix()
            for call in ast.walk(ast.parse(build.read_text())):
                if not isinstance(call, ast.Call) or not isinstance(
                    call.func, ast.Name
                ):
                    continue
                if call.func.id not in ("folder", "py_library"):
                    continue
                arguments = {a.arg: a.value for a in call.keywords}
                name = ast.literal_eval(arguments["name"])
                own = build.parent.name == name
                label = f"//{place}" if own else f"//{place}:{name}"
                files = _files(root, build.parent, arguments.get("srcs"))
                deps = ast.literal_eval(arguments.get("deps", ast.List([])))
                imports = (f"//{place}{d}" if d[0] == ":" else d for d in deps)
                found[label] = Folder(files, frozenset(imports))
    return found


def _files(
    root: pathlib.Path, place: pathlib.Path, sources: ast.expr | None
) -> frozenset[str]:
    if sources is None:
        paths = list(place.glob("*.py"))
    elif isinstance(sources, ast.Call):
        (patterns,) = (ast.literal_eval(a) for a in sources.args)
        paths = [path for pattern in patterns for path in place.glob(pattern)]
    else:
        paths = [place / name for name in ast.literal_eval(sources)]
    return frozenset(path.relative_to(root).as_posix() for path in paths)


def imports(root: pathlib.Path, files: Iterable[str]) -> Iterator[Import]:
    """Yields what each file imports of `files`, in functions as well.

    A text that is a module's name counts too: suites are imported by theirs, and
    processes are started.
    """
    modules = {_module(file): file for file in files}
    for source in sorted(modules.values()):
        for node in ast.walk(ast.parse((root / source).read_text())):
            names: list[str] = []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [
                    max(
                        (f"{node.module}.{a.name}", node.module),
                        key=modules.__contains__,
                    )
                    for a in node.names
                ]
            elif isinstance(node, ast.Import):
                names = [a.name for a in node.names]
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                names = [node.value] if "." in node.value else []
            for name in names:
                target = modules.get(name)
                if target is not None and target != source:
                    by_name = isinstance(node, ast.Constant)
                    yield Import(source, node.lineno, target, by_name)


def _module(file: str) -> str:
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def faults(root: pathlib.Path, packages: Iterable[str]) -> list[str]:
    """Returns a line for each import that no BUILD file allows, and the like.

    Also for files in no target, for allowed imports that nobody needs, and for circles
    of files.
    """
    packages = tuple(packages)
    declared = folders(root, packages)
    home = {file: label for label, f in declared.items() for file in f.files}
    lines = [
        f"{file} is in no target of a BUILD file"
        for package in packages
        for path in sorted((root / package).rglob("*.py"))
        if (file := path.relative_to(root).as_posix()) not in home
    ]
    used: set[tuple[str, str]] = set()
    arrows: dict[str, list[str]] = {file: [] for file in home}
    for one in imports(root, home):
        here, there = home[one.source], home[one.target]
        if not one.by_name:
            arrows[one.source].append(one.target)
        if here == there:
            continue
        used.add((here, there))
        allowed = declared[here].imports
        below = tuple(f"{whole}/" for whole in allowed & set(WHOLES))
        if there not in allowed and not there.startswith(below):
            only = ", ".join(sorted(allowed)) or "itself"
            lines.append(
                f"{one.source}:{one.line} imports {one.target}, but {here} may import "
                f"only {only} (deps in its BUILD file)"
            )
    for label, folder in declared.items():
        if label in WHOLES:
            continue
        needed = {there for here, there in used if here == label}
        for target in sorted(folder.imports - needed):
            below = f"{target}/"
            if target not in WHOLES or not any(n.startswith(below) for n in needed):
                lines.append(f"{label} may import {target}, and does not")
    circle = _circle(arrows)
    if circle:
        lines.append("a circle of imports: " + " → ".join(circle))
    labels = {label: sorted(folder.imports) for label, folder in declared.items()}
    circle = _circle(labels)
    if circle:
        lines.append("a circle of folders: " + " → ".join(circle))
    return lines


def _circle(arrows: Mapping[str, Iterable[str]]) -> list[str]:
    """Returns a circle in the graph, its first element at both ends, or nothing."""
    done: set[str] = set()

    def look(at: str, path: list[str]) -> list[str]:
        if at in path:
            return [*path[path.index(at) :], at]
        if at in done:
            return []
        for target in arrows.get(at, ()):
            circle = look(target, [*path, at])
            if circle:
                return circle
        done.add(at)
        return []

    for start in arrows:
        circle = look(start, [])
        if circle:
            return circle
    return []
