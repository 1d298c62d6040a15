"""The numbers of the house: how large its rooms, modules, functions and classes are.

`python tests/benchmarks/house.py` prints one row a measure and what exceeds it, and
ends with 1 where anything exceeds a limit that is not in `OWED`. `OWED` names what is
still to be mended. It only shrinks: take a name off when it is said to be met.

Lines are counted as `wc -l` does, code lines without blank lines, comments and
docstrings, complexity as ruff counts it. Circles count imports for type checking and
within functions too.
"""

from __future__ import annotations

import ast
import io
import json
import subprocess
import sys
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "pmo_analytics"

FOLDER_MODULES = 15
MODULE_LINES = 500
FUNCTION_LINES = 60
COMPLEXITY = 10
CLASS_LINES = 350
CLASS_ATTRIBUTES = 20
ROOT_NAMES = 100
# 64,008 lines before the house was built, less a tenth.
PACKAGE_LINES = 57_600

# Still to be mended, by name: modules without their folder, so that they may move.
_OWED = {
    "modules of a folder": """
    """,
    "lines of a module": """
    """,
    "code lines of a function": """
    """,
    "McCabe": """
    """,
    "lines of a class": """
    """,
    "attributes of a class": """
    """,
    "lines of the package": """
        pmo_analytics
    """,
}
OWED = {measure: frozenset(names.split()) for measure, names in _OWED.items()}
_LAYOUT = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}
_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Measure:
    """What exceeds one limit, by name, and how many may.

    `sizes` holds what exceeds `limit`; `spared` of them are allowed.
    """

    name: str
    limit: int
    worst: int
    sizes: Mapping[str, int] = field(default_factory=dict)
    spared: int = 0

    @property
    def met(self) -> bool:
        """Return whether the issue's number is reached."""
        return len(self.sizes) <= self.spared

    @property
    def owed(self) -> frozenset[str]:
        """Return the names that are known to exceed."""
        return OWED.get(self.name, frozenset())

    @property
    def grown(self) -> list[str]:
        """Return what exceeds the limit and is not known to; none where it is met."""
        return [] if self.met else sorted(set(self.sizes) - self.owed)

    @property
    def mended(self) -> list[str]:
        """Return what is listed as owed and need not be any more."""
        return sorted(self.owed if self.met else self.owed - set(self.sizes))


@dataclass(frozen=True)
class Module:
    """One file of the package by its dotted name inside it."""

    name: str
    path: Path

    @cached_property
    def text(self) -> str:
        """Return the source."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        """Return the parsed source."""
        return ast.parse(self.text)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Return the tree and every statement in it, without the expressions."""
        found: list[ast.AST] = [self.tree]
        for node in found:
            found += _below(node)
        return found

    @property
    def short(self) -> str:
        """Return the last part of the name."""
        return self.name.rpartition(".")[2] or "pmo_analytics"

    @cached_property
    def code(self) -> frozenset[int]:
        """Return the numbers of the lines that hold code."""
        found: set[int] = set()
        for token in tokenize.generate_tokens(io.StringIO(self.text).readline):
            if token.type not in _LAYOUT:
                found.update(range(token.start[0], token.end[0] + 1))
        for node in self.nodes:
            if isinstance(node, (*_FUNCTION, ast.ClassDef, ast.Module)):
                found.difference_update(_docstring(node))
        return frozenset(found)

    @cached_property
    def definitions(self) -> list[tuple[str, ast.stmt]]:
        """Return functions and classes with the names they have inside the module."""
        found: list[tuple[str, ast.stmt]] = []
        open_: list[tuple[str, ast.AST]] = [("", self.tree)]
        while open_:
            prefix, node = open_.pop()
            for child in _below(node):
                if isinstance(child, (*_FUNCTION, ast.ClassDef)):
                    found.append((prefix + child.name, child))
                    open_.append((f"{prefix}{child.name}.", child))
                else:
                    open_.append((prefix, child))
        return found


def _below(node: ast.AST) -> Iterator[ast.AST]:
    for block in ("body", "orelse", "finalbody", "handlers", "cases"):
        yield from getattr(node, block, ())


def _docstring(
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module,
) -> range:
    if ast.get_docstring(node, clean=False) is None:
        return range(0)
    return range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1)


def modules(root: Path = PACKAGE) -> list[Module]:
    """Return the modules below a package; the package itself is called ""."""
    found = []
    for path in sorted(root.rglob("*.py")):
        parts = list(path.relative_to(root).with_suffix("").parts)
        if parts[-1] == "__init__":
            parts.pop()
        found.append(Module(".".join(parts), path))
    return found


def _measure(
    name: str, limit: int, sizes: Mapping[str, int], spared: int = 0
) -> Measure:
    over = {key: size for key, size in sizes.items() if size > limit}
    return Measure(name, limit, max(sizes.values(), default=0), over, spared)


def _count(name: str, found: Iterable[str], spared: int = 0) -> Measure:
    """Return a measure of things none of which (or `spared`) should be there."""
    sizes = dict.fromkeys(found, 1)
    return Measure(name, spared, len(sizes), sizes, spared)


def folders(found: list[Module], root: Path = PACKAGE) -> Measure:
    """Count the modules of each folder, its face among them."""
    sizes: dict[str, int] = {}
    for module in found:
        folder = module.path.parent.relative_to(root).as_posix()
        sizes[folder] = sizes.get(folder, 0) + 1
    return _measure("modules of a folder", FOLDER_MODULES, sizes)


def lengths(found: list[Module]) -> Measure:
    """Count the lines of each module."""
    sizes: dict[str, int] = {}
    for module in found:
        lines = module.text.count("\n")
        sizes[module.short] = max(lines, sizes.get(module.short, 0))
    return _measure("lines of a module", MODULE_LINES, sizes)


def functions(found: list[Module]) -> Measure:
    """Count the code lines of each function, those inside it among them."""
    sizes = {}
    for module in found:
        for name, node in module.definitions:
            inside = range(node.lineno, (node.end_lineno or 0) + 1)
            # Reading tokens takes time: only where there are lines enough.
            if isinstance(node, _FUNCTION) and len(inside) > FUNCTION_LINES:
                sizes[f"{module.short}.{name}"] = len(module.code.intersection(inside))
    return _measure("code lines of a function", FUNCTION_LINES, sizes, spared=3)


def complexity(root: Path = PACKAGE) -> Measure:
    """Ask ruff for the functions of too many branches (McCabe)."""
    asked = [sys.executable, "-m", "ruff", "check", str(root), "--isolated"]
    asked += ["--select", "C901", "--output-format", "json", "--exit-zero"]
    asked += ["--config", f"lint.mccabe.max-complexity={COMPLEXITY}"]
    answer = subprocess.run(asked, capture_output=True, text=True, check=True)
    sizes = {}
    for row in json.loads(answer.stdout):
        # It reads: "`name` is too complex (11 > 10)".
        name = row["message"].split("`")[1]
        size = row["message"].rpartition("(")[2].partition(" ")[0]
        module = Path(row["filename"]).stem
        # A method is named without its class: the row tells two of one name apart.
        key = f"{module}.{name}"
        while key in sizes:
            key += "'"
        sizes[key] = int(size)
    return Measure("McCabe", COMPLEXITY, max(sizes.values(), default=0), sizes, 15)


def imports(module: Module, names: frozenset[str]) -> set[str]:
    """Return the modules of the package that one imports, wherever it does."""
    found = set()
    for node in module.nodes:
        if isinstance(node, ast.Import):
            asked = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            full = [f"{node.module}.{alias.name}" for alias in node.names]
            inner = [name.partition(".")[2] in names for name in full]
            asked = [
                one if inside else str(node.module)
                for one, inside in zip(full, inner, strict=True)
            ]
        else:
            continue
        found |= {
            name.partition(".")[2]
            for name in asked
            if name.partition(".")[0] == "pmo_analytics"
        }
    return (found & names) - {module.name}


def circles(found: list[Module]) -> Measure:
    """Find the modules that import each other, over others or directly."""
    names = frozenset(module.name for module in found)
    graph = {module.name: imports(module, names) for module in found}
    reach = {name: _reached(graph, name) for name in graph}
    groups = {
        "<->".join(
            other.rpartition(".")[2]
            for other in sorted(reach[name])
            if name in reach[other]
        )
        for name in graph
        if name in reach[name]
    }
    return _count("import circles", groups)


def _reached(graph: Mapping[str, set[str]], start: str) -> set[str]:
    found: set[str] = set()
    open_ = list(graph[start])
    while open_:
        name = open_.pop()
        if name not in found:
            found.add(name)
            open_ += graph[name]
    return found


def private_imports(found: list[Module]) -> Measure:
    """Find `from pmo_analytics.x import _y`."""
    return _count(
        "private imports",
        (
            f"{module.short}: {alias.name}"
            for module in found
            for node in module.nodes
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
            if alias.name.startswith("_") and not alias.name.startswith("__")
        ),
    )


def class_lines(found: list[Module]) -> Measure:
    """Count the lines of each class."""
    sizes = {
        f"{module.short}.{name}": (node.end_lineno or 0) - node.lineno + 1
        for module in found
        for name, node in module.definitions
        if isinstance(node, ast.ClassDef)
    }
    return _measure("lines of a class", CLASS_LINES, sizes)


def class_attributes(found: list[Module]) -> Measure:
    """Count the attributes of each class: its fields and what it sets on `self`."""
    sizes = {
        f"{module.short}.{name}": len(set(_attributes(node)))
        for module in found
        for name, node in module.definitions
        if isinstance(node, ast.ClassDef)
    }
    return _measure("attributes of a class", CLASS_ATTRIBUTES, sizes)


def _attributes(node: ast.ClassDef) -> Iterator[str]:
    for child in node.body:
        if isinstance(child, ast.AnnAssign) and isinstance(child.target, ast.Name):
            if "ClassVar" not in ast.unparse(child.annotation):
                yield child.target.id
        elif isinstance(child, _FUNCTION):
            for inner in ast.walk(child):
                if (
                    isinstance(inner, ast.Attribute)
                    and isinstance(inner.ctx, ast.Store)
                    and isinstance(inner.value, ast.Name)
                    and inner.value.id == "self"
                ):
                    yield inner.attr


def root_names(found: list[Module]) -> Measure:
    """Count the public names of the package itself."""
    (root,) = (module for module in found if not module.name)
    names: list[str] = []
    for node in root.tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_PUBLIC":
            names = list(ast.literal_eval(node.value))
    # And __version__.
    return _measure("public names", ROOT_NAMES, {"pmo_analytics": len(names) + 1})


def package_lines(found: list[Module]) -> Measure:
    """Count the lines of the whole package."""
    lines = sum(module.text.count("\n") for module in found)
    return _measure("lines of the package", PACKAGE_LINES, {"pmo_analytics": lines})


def silenced(found: list[Module]) -> Measure:
    """Find the lines that silence the linter."""
    return _count(
        "noqa",
        (
            f"{module.short}:{number}"
            for module in found
            for number, line in enumerate(module.text.splitlines(), start=1)
            if "# noqa" in line
        ),
        spared=5,
    )


def measure(root: Path = PACKAGE) -> list[Measure]:
    """Return every measure of a package."""
    found = modules(root)
    return [
        folders(found, root),
        lengths(found),
        functions(found),
        complexity(root),
        circles(found),
        private_imports(found),
        class_lines(found),
        class_attributes(found),
        root_names(found),
        package_lines(found),
        silenced(found),
    ]


def report(measures: list[Measure]) -> str:
    """Return the table, at most 80 columns wide, and what exceeds below it."""
    lines = [f"{'':26}{'limit':>8}{'largest':>10}{'above':>8}{'may be':>8}  "]
    for row in measures:
        said = "met" if row.met else "GROWN" if row.grown else "owed"
        lines.append(
            f"{row.name:26}{row.limit:>8,}{row.worst:>10,}{len(row.sizes):>8,}"
            f"{row.spared:>8,}  {said}"
        )
    for row in measures:
        if row.sizes:
            lines += ["", f"{row.name}:"]
            worst = sorted(row.sizes, key=lambda name: (-row.sizes[name], name))
            marks = dict.fromkeys(row.grown, " (new)")
            lines += [
                f"  {row.sizes[name]:>7,}  {name}{marks.get(name, '')}"[:80]
                for name in worst
            ]
        if row.mended:
            lines += ["", f"{row.name}: met, take off OWED: {', '.join(row.mended)}"]
    return "\n".join(line.rstrip() for line in lines)


def main() -> int:
    """Print the numbers; 1 where something grew over a limit."""
    measures = measure()
    print(report(measures))
    return int(any(row.grown for row in measures))


if __name__ == "__main__":
    sys.exit(main())
