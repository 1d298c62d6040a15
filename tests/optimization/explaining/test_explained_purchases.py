"""Explanations of plans that may buy capacity: by hand, and by enumeration."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pmo_analytics.optimization.explaining.displacing import forced_in
from pmo_analytics.optimization.explaining.infeasible import why_infeasible
from pmo_analytics.optimization.explaining.why_not import why_not
from pmo_analytics.optimization.limits import SolveLimits
from pmo_analytics.optimization.optimizing import optimize
from tests.optimization.explaining.test_why_not import portfolio_of
from tests.optimization.test_flex import HOURS, draw_offers, enumerated
from tests.support.clock import AMPLE

pytestmark = pytest.mark.usefixtures("warm_module")

LIMITS = SolveLimits(seconds=AMPLE)
# 1 FTE of Dev for a month costs 8.
OFFER = {"role": "Dev", "kind": "contractor", "fte_max": 1.0, "rate": 8 / HOURS["M"]}


def test_what_could_be_bought_does_not_pay():
    # One developer: A (10) in; B (6) would need a contractor for 8.
    portfolio = portfolio_of({"A": 10, "B": 6}, flex=pd.DataFrame([OFFER]))
    plan = optimize(portfolio, flex=True, limits=LIMITS)
    assert set(plan.starts) == {"A"}
    why = why_not(plan, "B", limits=LIMITS)
    (row,) = why.blocking.to_dict("records")
    assert (row["needed"], row["free"], row["short"]) == (1, 0, 1)
    (row,) = why.repair.to_dict("records")
    assert (row["subject"], row["amount"]) == ("Dev", 1)
    assert why.objective_delta == pytest.approx(-2)
    assert why.delta_low == pytest.approx(-2, abs=1e-4)
    assert why.delta_high == pytest.approx(-2, abs=1e-4)
    text = "\n".join(why.sentences)
    assert (
        "Bought as the table flex offers it, that would cost 8 more, discounted; worth "
        "would grow by 6 with 'B'." in text
    )
    assert "Purchases would cost 8 instead of 0, discounted." in text
    assert "leaving" not in set(why.displaced["change"])
    # A plan that may not buy is told that offers exist.
    plain = optimize(portfolio, limits=LIMITS)
    text = "\n".join(why_not(plain, "B", limits=LIMITS).sentences)
    assert "This plan buys nothing, and the table flex offers 'Dev'" in text


def test_what_is_bought_already_is_not_asked_for_again():
    # A (10) has the developer, C (9) the contractor for 8; nobody is left for B (6).
    portfolio = portfolio_of({"A": 10, "B": 6, "C": 9}, flex=pd.DataFrame([OFFER]))
    plan = optimize(portfolio, flex=True, limits=LIMITS)
    assert set(plan.starts) == {"A", "C"}
    assert plan.purchases["fte"].tolist() == [1]
    why = why_not(plan, "B", limits=LIMITS)
    (row,) = why.blocking.to_dict("records")
    assert (row["needed"], row["free"], row["short"]) == (1, 0, 1)
    (row,) = why.repair.to_dict("records")
    assert (row["subject"], row["amount"]) == ("Dev", 1)
    # A and B with the contractor: 16 - 8 against 19 - 8.
    assert why.objective_delta == pytest.approx(-3)
    changed = why.displaced.set_index("project")["change"].to_dict()
    assert changed == {"B": "entering", "C": "leaving"}
    assert (
        "What the table flex still offers is not enough for that start."
        in why.sentences
    )


@pytest.mark.parametrize(("seed", "name"), [(88, "P3"), (90, "P0")])
def test_what_it_costs_to_take_one_in_by_enumeration(seed, name):
    portfolio = draw_offers(np.random.default_rng([seed, 78]))
    plan = optimize(portfolio, flex=True, limits=LIMITS)
    assert name not in plan.starts
    why = why_not(plan, name, limits=LIMITS)
    best = enumerated(portfolio, strict=False)
    wanted = enumerated(forced_in(portfolio, name), strict=False) - best
    assert why.objective_delta == pytest.approx(wanted, rel=1e-6, abs=1e-5)
    assert why.delta_low - 1e-4 <= wanted <= why.delta_high + 1e-4


def test_a_clash_that_purchases_solve_and_one_that_they_do_not():
    both = {"status": "approved"}
    portfolio = portfolio_of({"A": 10, "B": 6}, more=both, flex=pd.DataFrame([OFFER]))
    # Both are fixed in the only month: together they need 2 and there is 1.
    alone = why_infeasible(portfolio, limits=SolveLimits(seconds=AMPLE), strict=True)
    assert alone.status == "infeasible"
    assert alone.sentences[-1] == (
        "Purchases were not considered, and the table flex offers 'Dev': ask again "
        "with flex."
    )
    bought = why_infeasible(
        portfolio, limits=SolveLimits(seconds=AMPLE), strict=True, flex=True
    )
    assert bought.status == "feasible"
    assert bought.plan.purchases["fte"].tolist() == [1]
    assert "with purchases a plan exists" in bought.sentences[0]
    short = portfolio.replace(flex=pd.DataFrame([{**OFFER, "fte_max": 0.5}]))
    why = why_infeasible(
        short, limits=SolveLimits(seconds=AMPLE), strict=True, flex=True
    )
    assert why.status == "infeasible"
    assert why.rules.loc[why.rules["rule"] == "capacity", "limit"].tolist() == [1.5]
    assert why.repair["amount"].tolist() == [0.5]
    assert why.sentences[-1] == (
        "Of 'Dev' all that the table flex offers counts as bought."
    )
    # With a budget that no purchase raises, that is what clashes.
    spent = portfolio.replace(
        spend=pd.DataFrame({"project": list("AB"), "offset": 0, "amount": 4.0}),
        budget=pd.DataFrame({"budget": ["Total"], "amount": [7.0]}),
    )
    why = why_infeasible(
        spent, limits=SolveLimits(seconds=AMPLE), strict=True, flex=True
    )
    assert sorted(why.rules["rule"]) == ["budget", "must", "must"]


def test_infeasible_with_purchases_means_that_no_choice_can_be_bought():
    told = set()
    for seed in (1, 4):
        portfolio = draw_offers(np.random.default_rng([seed, 79]))
        status = portfolio.projects["status"].replace("proposed", "approved")
        projects = portfolio.projects.assign(status=status)
        portfolio = portfolio.replace(projects=projects)
        feasible = enumerated(portfolio, strict=True) is not None
        why = why_infeasible(
            portfolio, limits=SolveLimits(seconds=AMPLE), strict=True, flex=True
        )
        assert why.status == ("feasible" if feasible else "infeasible")
        told.add(why.status)
    assert told
