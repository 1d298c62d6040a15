"""Whoever wrote a certificate: checking it has an end, and the bound stays right."""

from __future__ import annotations

from typing import Any

from pmo_analytics.optimization.checker.check import check_bound
from pmo_analytics.optimization.checker.proofs.work import MOST_STEPS, Work
from pmo_analytics.portfolio import Portfolio
from tests.support.certify_cases import certificate, make, money, row


def portfolio() -> Portfolio:
    """Return six projects of 3 each that a budget lets two of in."""
    names = [f"P{k}" for k in range(6)]
    return make(
        [{"project": name, "value": 3.0} for name in names],
        spend=money(*((name, 0, 5.0) for name in names)),
        budget=[{"budget": "b", "amount": 14.0}],
    )


def two_of_six() -> dict[str, Any]:
    """Return the cut that says so."""
    members = [[f"P{k}", 5.0, 1] for k in range(6)]
    return {
        "row": "budget",
        "budget": "b",
        "side": "amount",
        "members": members,
        "at_most": 2,
        "multiplier": "3",
    }


def test_cuts_beyond_the_work_prove_nothing_and_that_is_said() -> None:
    proof = certificate(format=2, cuts=[two_of_six()])
    enough, short = Work(), Work(left=10)
    assert check_bound(portfolio(), proof, work=enough) == 6
    assert not enough.short
    assert enough.left < MOST_STEPS
    assert check_bound(portfolio(), proof, work=short) == 18
    assert short.short


def test_many_cuts_share_one_amount_of_work() -> None:
    spent = []
    for many in (1, 40):
        work = Work()
        check_bound(
            portfolio(), certificate(format=2, cuts=[two_of_six()] * many), work=work
        )
        spent.append(MOST_STEPS - work.left)
    # What a row uses is worked out once; to prove a cut of it, each time.
    assert 10 * spent[0] < spent[1] <= 40 * spent[0]


def test_branches_beyond_the_work_leave_the_bound_of_what_was_seen() -> None:
    price = row("budget", "0.6", budget="b", side="amount")
    branches = [
        {"prices": [[1, "0.6"]], "split": ["P0", 5]},
        {"prices": [[1, "0.6"]]},
        {"prices": [[1, "0.6"]]},
    ]
    proof = certificate(price, format=3, branches=branches, enough="6")
    whole = check_bound(portfolio(), proof)
    assert whole is not None
    bounds = []
    for left in (0, 4_000, 7_000, MOST_STEPS):
        work = Work(left=left)
        bound = check_bound(portfolio(), proof, work=work)
        assert bound is not None
        assert work.short == (left < MOST_STEPS)
        bounds.append(bound)
    assert bounds == sorted(bounds, reverse=True)
    assert bounds[-1] == whole
