"""Branches of certificates: by hand, at random against enumeration, and mangled."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from pmo_analytics.errors import ConfigError
from pmo_analytics.optimization.checker.check import check_bound
from pmo_analytics.optimization.checker.proofs.cuts import Proofs
from pmo_analytics.optimization.checker.proofs.narrowing import Narrowing
from pmo_analytics.optimization.checker.reading import read_question
from pmo_analytics.portfolio import Portfolio
from tests.optimization.checker.test_certify_random import all_rows
from tests.support.brute_force import best_plan
from tests.support.certify_cases import certificate, make, needs, row
from tests.support.counts import tried
from tests.support.instances_random import random_portfolio


def branched(
    rows: list[dict[str, Any]], *nodes: dict[str, Any], enough: Any = -100, **parts: Any
) -> dict[str, Any]:
    return certificate(
        *rows, branches=list(nodes), enough=enough, **{"format": 3, **parts}
    )


def leaf(*prices: list[Any]) -> dict[str, Any]:
    return {"prices": list(prices)}


def node(project: str, last: int, *prices: list[Any]) -> dict[str, Any]:
    return {"prices": list(prices), "split": [project, last]}


def three() -> Portfolio:
    """Return A (5), B (4) and C (3), two months of one of two Devs' 2/3 each."""
    return make(
        [
            {"project": "A", "value": 5.0, "latest": 0},
            {"project": "B", "value": 4.0, "latest": 0},
            {"project": "C", "value": 3.0, "latest": 0},
        ],
        capacity={"Dev": [2.0] * 6},
        demand=needs(*((p, "Dev", o, 1.25) for p in "ABC" for o in (0, 1))),
    )


def test_a_project_that_is_in_leaves_no_room_for_others() -> None:
    portfolio = three()
    assert check_bound(portfolio, certificate()) == 12
    # With A there is room for nobody else, without it for B or C.
    tree = [node("A", 0), leaf(), node("B", 0), leaf(), leaf()]
    assert check_bound(portfolio, branched([], *tree)) == 5
    # Without the last branch B and C remain: 7.
    assert check_bound(portfolio, branched([], node("A", 0), leaf(), leaf())) == 7


def test_prices_of_a_node_rule_out_starts_and_demand_projects() -> None:
    portfolio = three()
    price = row("capacity", "0", role="Dev", period="2027-01")
    # A price of 3.2 on what adds up to 1.25 at most: 4 + 1 + 0 + 0 = 5 in all.
    assert check_bound(portfolio, branched([price], leaf([1, 3.2]))) == 5
    # At 2.4 each pays 3: 3 + 2 + 1 = 6. Looking for more than 4 only, C would have
    # to give its 1 up, and A is needed.
    node_ = node("A", 0, [1, "2.4"])
    tree = branched([price], node_, leaf(), leaf(), enough=4)
    assert check_bound(portfolio, tree) == 5
    tree = branched([price], node_, leaf(), leaf(), enough="5.5")
    assert check_bound(portfolio, tree) == Fraction("5.5")


def test_starts_are_divided() -> None:
    portfolio = make(
        [{"project": "A", "value": 5.0}, {"project": "B", "value": 4.0}],
        dependencies=[{"project": "B", "requires": "A"}],
    )
    # B after A: where A starts in 3 or later there is no time for B.
    tree = [node("A", 2), leaf(), leaf()]
    assert check_bound(portfolio, branched([], *tree)) == 9
    tree = [node("A", 2), node("B", 1), leaf(), leaf(), leaf()]
    assert check_bound(portfolio, branched([], *tree)) == 9
    portfolio = portfolio.replace(
        projects=portfolio.projects.assign(
            force=["in", None], earliest=["2027-04", None]
        )
    )
    assert check_bound(portfolio, branched([], leaf())) == 5


def test_mangled_branches_are_refused() -> None:
    portfolio = three()
    price = row("capacity", "0", role="Dev", period="2027-01")
    for nodes, words in (
        ([node("A", 0), leaf()], "break off"),
        ([leaf(), leaf()], "part of none"),
        ([{"split": ["A", 0]}], "needs 'prices'"),
        ([{"prices": [], "bound": 3}], "needs 'prices'"),
        ([leaf([2, 1])], "no row or no price"),
        ([leaf([0, 1])], "no row or no price"),
        ([leaf([1, "x"])], "no row or no price"),
        ([leaf([1])], "list of"),
        ([leaf([True, 1])], "no number of a row"),
        ([leaf([1, 1], [1, 1])], "twice"),
        ([leaf([1, -1])], "negative"),
        ([node("A", True), leaf(), leaf()], "must be"),
        ([node("X", 0), leaf(), leaf()], "no project is called 'X'"),
    ):
        with pytest.raises(ConfigError, match=words):
            check_bound(portfolio, branched([price], *nodes))
    with pytest.raises(ConfigError, match="enough"):
        check_bound(portfolio, branched([], leaf(), enough=None))
    with pytest.raises(ConfigError, match="cannot have 'branches'"):
        check_bound(portfolio, branched([], leaf(), format=2))


def random_tree(
    rng: np.random.Generator, names: list[str], rows: list[dict[str, Any]], depth: int
) -> list[dict[str, Any]]:
    prices = [
        [
            k + 1,
            float(rng.integers(-64 if entry["row"] == "all_or_none" else 0, 65)) / 8,
        ]
        for k, entry in enumerate(rows)
        if rng.random() < 3 / (len(rows) + 1)
    ]
    if not depth or rng.random() < 0.2:
        return [leaf(*prices)]
    first = node(str(rng.choice(names)), int(rng.integers(-2, 9)), *prices)
    parts = [random_tree(rng, names, rows, depth - 1) for _ in range(2)]
    return [first, *parts[0], *parts[1]]


@pytest.mark.parametrize("chunk", range(tried(5)))
def test_no_tree_proves_less_than_the_best_plan(chunk: int) -> None:
    tight = 0
    for seed in range(chunk * 9, chunk * 9 + 9):
        rng = np.random.default_rng([seed, 9])
        portfolio = random_portfolio(rng, max_projects=5, max_periods=6)
        strict = bool(seed % 3 == 0)
        best, starts = best_plan(portfolio, strict=strict)
        if best is None:
            continue
        rows = [{**entry, "multiplier": "0"} for entry in all_rows(portfolio)]
        names = list(portfolio.projects["project"])
        for depth in (0, 2, 5):
            for share in (Fraction(1, 2), Fraction(1), Fraction(2)):
                enough = best * share - abs(best) / 50
                tree = random_tree(rng, names, rows, depth)
                found = check_bound(
                    portfolio,
                    branched(rows, *tree, enough=float(enough), strict=strict),
                    strict=strict,
                )
                assert found is not None
                assert found >= best, (seed, depth)
                tight += found <= best + Fraction(1, 1000)
        _keeps_the_best_plan(portfolio, strict, starts)
    assert tight


def _keeps_the_best_plan(
    portfolio: Portfolio, strict: bool, starts: dict[str, int] | None
) -> None:
    """The best plan has nothing that no plan can have, and all that all must have."""
    question = read_question(portfolio, strict)
    narrowing = Narrowing.of(question, Proofs(question))
    if narrowing is None or starts is None:
        return
    left, must = narrowing.everything()
    assert narrowing.narrow(left, must)
    for p, project in enumerate(narrowing.projects):
        span = slice(narrowing.first[p], narrowing.first[p + 1])
        if project.name in starts:
            at = project.allowed.index(starts[project.name])
            assert left[span][at], project.name
        else:
            assert not must[p], project.name
