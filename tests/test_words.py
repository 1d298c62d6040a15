"""One word, one meaning: names that `docs/glossary.md` has retired do not come back."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.test_floors import MODULES

# Retired name -> the word of the glossary, and the rooms that it is retired in.
EVERYWHERE = ""
RETIRED = {
    "thing": ("resource", "optimization"),
    "things": ("resources", "optimization"),
    "buy_thing": ("buy_resource", "optimization"),
    "rule_first": ("dependency_first", EVERYWHERE),
    "rule_kind": ("dependency_kind", EVERYWHERE),
    "rule_project": ("dependency_project", EVERYWHERE),
    "rule_target": ("dependency_target", EVERYWHERE),
    "rule_wait": ("dependency_lag", EVERYWHERE),
    "rule_wait_max": ("dependency_lag_max", EVERYWHERE),
    "wait": ("lag", "optimization"),
    "waits": ("lags", "optimization.levelling"),
    "enters": ("entering", "optimization"),
    "entered": ("entering", "optimization"),
    "leaves_plan": ("leaving", EVERYWHERE),
    "usage": ("load", "optimization"),
    "shortage": ("overload", EVERYWHERE),
    "availability": ("capacity", EVERYWHERE),
}


def names(tree: ast.AST) -> Iterator[str]:
    """Give every name that a module makes: variables, parameters, functions, fields."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr


@cache
def made(path: Path) -> set[str]:
    return set(names(ast.parse(path.read_text(encoding="utf-8"))))


@pytest.mark.parametrize("word", sorted(RETIRED))
def test_retired_words_stay_away(word):
    better, room = RETIRED[word]
    where = [
        module
        for module, path in MODULES.items()
        if module.startswith(room) and word in made(path)
    ]
    # `wait` of a process is what Python calls it.
    where = [m for m in where if (word, m) != ("wait", "optimization.workers.process")]
    assert not where, f"{word} is {better} (docs/glossary.md): {where}"


def test_the_glossary_has_the_words_that_took_their_place():
    text = (Path(__file__).parents[1] / "docs" / "glossary.md").read_text(
        encoding="utf-8"
    )
    for word in ("resource", "dependency", "lag", "entering", "load", "overload"):
        assert f"| {word}" in text or f"{word}," in text, word


def test_names_are_found_wherever_they_are_made():
    tree = ast.parse(
        "def f(a):\n    b = a\n    for c in b:\n        self.d = c\nclass E: pass\n"
    )
    assert {"f", "a", "b", "c", "d", "E"} <= set(names(tree))
