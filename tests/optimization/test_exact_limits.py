"""What no selection meets by a cent is infeasible, however large the amounts."""

from __future__ import annotations

import pytest

import pmo_analytics as pmo
from pmo_analytics.errors import InfeasibleError
from tests.support.certify_cases import make, money
from tests.support.clock import AMPLE

pytestmark = pytest.mark.usefixtures("warm_module")

NAMES = ("A", "B")


def spending(limit: float) -> pmo.Portfolio:
    """Return two projects that have to spend all of a budget."""
    return make(
        [{"project": name, "value": 3.0} for name in NAMES],
        spend=money(("A", 0, 20_000_000_000.01), ("B", 0, 10_000_000_000.0)),
        budget=[{"budget": "x", "amount": limit, "at_least": limit}],
    )


def test_a_budget_of_billions_is_met_to_the_cent_or_not_at_all() -> None:
    limits = pmo.SolveLimits(seconds=AMPLE, threads=1)
    plan = pmo.optimize(spending(30_000_000_000.01), limits=limits)
    assert set(plan.starts) == {"A", "B"}
    with pytest.raises(InfeasibleError, match=r"Budget 'x' is short of 0\.01"):
        pmo.optimize(spending(30_000_000_000.0), limits=limits)


def test_a_rule_that_nothing_reaches_by_a_half_in_1e12() -> None:
    rows = zip(NAMES, (1e12, 0.5), strict=True)
    portfolio = make(
        [{"project": name, "value": 3.0} for name in NAMES],
        rules=[
            {
                "rule": "r",
                "project": name,
                "weight": weight,
                "applies_to": "selected",
                "at_least": 1e12 + 1,
            }
            for name, weight in rows
        ],
    )
    with pytest.raises(InfeasibleError, match="at least 1,000,000,000,001"):
        pmo.optimize(portfolio, limits=pmo.SolveLimits(seconds=AMPLE, threads=1))
