"""Who may import whom: a module imports only from lower floors."""

from __future__ import annotations

import ast
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

from tests.support.places import ROOT as PROJECT

ROOT = PROJECT / "pmo_analytics"

# From the ground up; a name stands for a module or for a whole sub-package. Modules of
# one floor do not import each other, those of one sub-package may, without cycles.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("errors", "faces", "moved", "tolerance", "versions"),
    ("clock", "files", "metrics", "processes"),
    ("formats", "tables"),
    ("facts",),
    ("portfolio",),
    ("networks",),
    ("evidence", "examples", "loaders", "rules"),
    ("plan", "uncertainty"),
    ("differences", "forecasting", "optimization", "simulation"),
    ("scenarios",),
    ("tracking",),
    ("plotting", "reporting"),
    ("batch",),
    ("cli",),
    ("__main__",),
)
# The same inside the largest room.
OPTIMIZATION: tuple[tuple[str, ...], ...] = (
    ("numbers_given",),
    ("params", "messages"),
    ("model", "checker", "limits", "jobs"),
    ("heuristics", "arguments"),
    ("bounds",),
    ("workers",),
    ("run", "risk", "conflicts"),
    ("greedy_plans",),
    ("plan_search", "levelling"),
    ("few_changes", "second_objectives"),
    ("optimizing",),
    ("explaining",),
)
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms} | {
    f"optimization.{room}": floor
    for floor, rooms in enumerate(OPTIMIZATION)
    for room in rooms
}
# The checker has its own arithmetic: nothing of the model writers may reach it.
CERTIFIER = {"errors", "clock", "portfolio", "rules"}
# What a module may see of the package itself, whose other names load other rooms.
OF_THE_PACKAGE = {"__version__", "__file__", "__path__"}
SOLVERS = {
    "pulp": {"optimization.model.pulp_sink", "optimization.workers.pulp_job"},
    "highspy": {"optimization.workers.pulp_job", "optimization.model.highs"},
}


def modules() -> dict[str, Path]:
    """Return every module by its name inside the package; the package itself is ""."""
    found = {}
    for path in ROOT.rglob("*.py"):
        parts = list(path.relative_to(ROOT).with_suffix("").parts)
        if parts[-1] == "__init__":
            parts.pop()
        found[".".join(parts)] = path
    return found


MODULES = modules()


def room(module: str) -> str:
    return module.partition(".")[0]


def rooms_of(module: str, other: str) -> tuple[str, str]:
    """Return the rooms that have to lie on different floors, the same where none do."""
    if module != "optimization" and room(module) == room(other) == "optimization":
        return ".".join(module.split(".")[:2]), ".".join(other.split(".")[:2])
    return room(module), room(other)


class Imports(ast.NodeVisitor):
    """Full dotted names that a module imports anywhere, for type checking too."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.of_the_package: set[str] = set()

    def visit_Import(self, node: ast.Import) -> None:
        self.names |= {alias.name for alias in node.names}

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        assert node.level == 0, "imports are absolute"
        for alias in node.names:
            full = f"{node.module}.{alias.name}"
            inside = full.removeprefix("pmo_analytics.")
            self.names.add(full if inside in MODULES else str(node.module))
            if node.module == "pmo_analytics" and inside not in MODULES:
                self.of_the_package.add(alias.name)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if isinstance(node.value, ast.Name) and node.value.id == "pmo_analytics":
            self.of_the_package.add(node.attr)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        called = ast.unparse(node.func)
        texts = [a.value for a in node.args if isinstance(a, ast.Constant)]
        if called.endswith(("import_module", "__import__")) and texts:
            self.names.add(str(texts[0]))
        self.generic_visit(node)


@cache
def imports(module: str) -> Imports:
    found = Imports()
    found.visit(ast.parse(MODULES[module].read_text(encoding="utf-8")))
    return found


@cache
def inside(module: str) -> frozenset[str]:
    """Return the modules of the package that a module imports."""
    return frozenset(
        name.removeprefix("pmo_analytics.")
        for name in imports(module).names
        if name.startswith("pmo_analytics.")
    )


def test_every_module_has_a_floor():
    rooms = {rooms_of(name, name)[0] for name in MODULES if name}
    assert rooms - {"optimization"} | {"optimization"} == set(FLOOR)
    assert len(FLOOR) == sum(map(len, FLOORS)) + sum(map(len, OPTIMIZATION))


def test_no_room_for_odds_and_ends():
    stems = {path.stem for path in MODULES.values()}
    assert not stems & {"utils", "common", "helpers", "base", "core", "misc"}


def test_imports_go_down():
    wrong = []
    for module in filter(None, sorted(MODULES)):
        for other in sorted(inside(module)):
            assert other in MODULES, f"{module} imports {other}, which is not there"
            own, target = rooms_of(module, other)
            if own != target and FLOOR[target] >= FLOOR[own]:
                wrong.append(f"{module} imports {other}")
    assert not wrong


def test_nobody_reaches_past_a_face():
    past = [
        f"{module} imports {name}: name it in the face of its room"
        for module in filter(None, sorted(MODULES))
        for name in sorted(inside(module))
        if "." in name and room(name) != room(module)
    ]
    assert not past


@pytest.mark.parametrize("name", sorted({room(n) for n in MODULES if "." in n}))
def test_nobody_uses_the_face_of_the_own_room(name):
    users = {n for n in MODULES if room(n) == name != n and name in inside(n)}
    assert not users


@pytest.mark.parametrize("name", sorted({room(n) for n in MODULES if "." in n}))
def test_a_face_offers_what_it_imports(name):
    face = import_module(f"pmo_analytics.{name}")
    offered = getattr(face, "__all__", ())
    assert name == "cli" or offered
    for public in offered:
        # A module of the same name would hide it, once loaded.
        assert f"{name}.{public}" not in MODULES
        assert getattr(face, public) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = face.nothing


def test_the_package_itself_is_not_a_back_door():
    used = [
        f"{module} uses pmo_analytics.{name}"
        for module in filter(None, sorted(MODULES))
        for name in sorted(imports(module).of_the_package - OF_THE_PACKAGE)
    ]
    assert not used


def test_the_package_imports_nothing_by_itself():
    assert inside("") == {"moved"}, "when an old name is asked for"


def test_there_are_no_circles():
    done: set[str] = set()

    def walk(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " -> ".join((*path, module))
        if module in done:
            return
        for other in inside(module):
            walk(other, (*path, module))
        done.add(module)

    for name in MODULES:
        walk(name, ())


def test_the_certifier_shares_no_arithmetic():
    parts = {name for name in MODULES if name.startswith("optimization.checker.")}
    assert parts
    for part in parts:
        assert inside(part) - parts <= CERTIFIER
        assert not imports(part).of_the_package


@pytest.mark.parametrize("solver", SOLVERS)
def test_solvers_are_loaded_in_their_own_rooms_only(solver):
    users = {
        name
        for name in MODULES
        if any(room(used) == solver for used in imports(name).names)
    }
    assert users <= SOLVERS[solver]


def test_the_walls_are_real(tmp_path):
    source = tmp_path / "x.py"
    source.write_text(
        "from typing import TYPE_CHECKING\n"
        "import pmo_analytics\n"
        "if TYPE_CHECKING:\n    from pmo_analytics.cli import run\n"
        "else:\n    import json\n"
        "def late():\n"
        "    from pmo_analytics import plan, optimize\n"
        "    import pulp.apis\n"
        "    return pmo_analytics.simulate, __import__('highspy')\n",
        encoding="utf-8",
    )
    found = Imports()
    found.visit(ast.parse(source.read_text(encoding="utf-8")))
    assert found.names == {
        "typing",
        "pmo_analytics",
        "pmo_analytics.cli",
        "pmo_analytics.plan",
        "json",
        "pulp.apis",
        "highspy",
    }
    assert found.of_the_package == {"optimize", "simulate"}
