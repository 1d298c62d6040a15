"""Re-planning against a plan of record: priced, frozen, and told apart."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pmo_analytics.clock.periods import Settings, make_horizon
from pmo_analytics.differences import change_sentences, plan_changes
from pmo_analytics.errors import ConfigError, InfeasibleError
from pmo_analytics.optimization.checker.check import check_bound, check_plan
from pmo_analytics.optimization.limits import SolveLimits
from pmo_analytics.optimization.optimizing import optimize
from pmo_analytics.plan import Plan
from pmo_analytics.portfolio import Portfolio
from pmo_analytics.rules.record import Record
from tests.support import brute_force
from tests.support.clock import AMPLE
from tests.support.counts import tried
from tests.support.instances_random import random_portfolio

pytestmark = pytest.mark.usefixtures("warm_module")

LIMITS = SolveLimits(seconds=AMPLE)


def kept(portfolio: Portfolio) -> set[str]:
    """Return the projects whose start the tables decide."""
    rows = portfolio.projects
    window = rows["earliest"].isna() & rows["latest"].isna() & rows["start"].notna()
    fixed = (rows["status"] == "running") | ((rows["status"] == "approved") & window)
    return set(rows.loc[fixed, "project"])


def enumerated(
    portfolio: Portfolio,
    record: dict[str, int],
    *,
    freeze: int,
    change: float,
    move: float,
    strict: bool,
) -> float | None:
    """Return the best worth less the price of changes over all choices."""
    case = brute_force.read_case(portfolio)
    live = [p for p in case.projects.values() if p.state == "live"]
    free = {p.name for p in live} - kept(portfolio)
    best = None
    for picks in product(*([*p.starts, *([] if p.must else [None])] for p in live)):
        starts = {p.name: s for p, s in zip(live, picks, strict=True) if s is not None}
        price, frozen = 0.0, True
        for name in free:
            old, new = record.get(name), starts.get(name)
            if old != new:
                price += change
                if old is not None and new is not None:
                    price += move * abs(new - old)
                for at in (old, new):
                    frozen &= at is None or not 0 <= at < freeze
        if not frozen or brute_force.broken_rules(case, starts, strict=strict):
            continue
        value = float(brute_force.objective(case, starts)) - price
        best = value if best is None else max(best, value)
    return best


def drawn(seed: int) -> tuple[Portfolio, dict[str, int], dict[str, Any]]:
    """Return a tiny portfolio, a random record of it, and prices."""
    rng = np.random.default_rng([seed, 41])
    while True:
        portfolio = random_portfolio(rng, max_projects=5, max_periods=6)
        if brute_force.combinations(portfolio) <= 3000:
            break
    case = brute_force.read_case(portfolio)
    record = {
        p.name: int(rng.choice(p.starts))
        for p in case.projects.values()
        if p.starts and rng.random() < 0.6
    }
    settings = {
        "freeze": int(rng.choice([0, 0, 1, 2])),
        "change": float(rng.choice([0.0, 0.5, 3.0, 12.0])),
        "move": float(rng.choice([0.0, 0.25, 2.0])),
        "strict": seed % 4 == 3,
    }
    return portfolio, record, settings


@pytest.mark.parametrize("chunk", range(tried(3)))
def test_agrees_with_enumeration(chunk):
    feasible = 0
    for seed in range(chunk * 5, chunk * 5 + 5):
        portfolio, record, settings = drawn(seed)
        wanted = enumerated(portfolio, record, **settings)
        first = portfolio.horizon[0]
        asked: dict[str, Any] = {
            "record": {name: first + s for name, s in record.items()},
            "freeze": settings["freeze"],
            "change_price": settings["change"],
            "move_price": settings["move"],
            "strict": settings["strict"],
        }
        if wanted is None:
            with pytest.raises(InfeasibleError):
                optimize(portfolio, limits=LIMITS, **asked)
            continue
        feasible += 1
        plan = optimize(portfolio, limits=LIMITS, **asked)
        report = plan.report
        assert report is not None
        assert report.objective == pytest.approx(wanted, rel=1e-8, abs=1e-7)
        assert report.status == "optimal", report.attempts
        assert plan.objective == pytest.approx(report.objective, rel=1e-9, abs=1e-9)
        assert report.worth is not None
        assert report.change_cost is not None
        assert report.worth - report.change_cost == pytest.approx(report.objective)
        check = check_plan(
            plan.portfolio,
            plan.schedule,
            strict=plan.strict,
            objective=report.objective,
            record=plan.record,
        )
        assert check.certified, check.violations["message"].tolist()
        assert report.certificate is not None
        bound = check_bound(
            plan.portfolio, report.certificate, strict=plan.strict, record=plan.record
        )
        assert bound is not None
        assert bound >= Fraction(wanted) - Fraction(1, 10**6)
    assert feasible > 1


def company(capacity: float = 1.0) -> Portfolio:
    """Return three flat projects of two months in a year of six months."""
    horizon = make_horizon("2027-01", 6, "M")
    names = ["A", "B", "C"]
    return Portfolio(
        "company",
        horizon=horizon,
        settings=Settings(discount=0.1),
        projects=pd.DataFrame(
            {"project": names, "value": [10.0, 9.0, 8.0], "duration": 2}
        ),
        demand=pd.DataFrame(
            [
                {"project": n, "role": "Dev", "offset": k, "fte": 1.0}
                for n in names
                for k in (0, 1)
            ]
        ),
        capacity=pd.DataFrame({"Dev": capacity}, index=horizon),
    )


RECORD = {"C": "2027-01", "B": "2027-03", "A": "2027-05"}


def test_a_dear_change_is_not_made_and_a_cheap_one_is():
    free = optimize(company(), limits=LIMITS, record=RECORD)
    assert free.starts == {"A": 0, "B": 2, "C": 4}
    assert free.report is not None
    assert free.report.change_cost == 0
    dear = optimize(company(), limits=LIMITS, record=RECORD, change_price=5)
    assert dear.starts == {"C": 0, "B": 2, "A": 4}
    # A and C change places: two changes, four months each.
    gain = (10 - 8) * (1 - 1.1**-4)
    assert gain == pytest.approx(0.634, abs=1e-3)
    cheap = optimize(company(), limits=LIMITS, record=RECORD, change_price=0.3)
    assert cheap.starts == free.starts
    assert cheap.report is not None
    assert cheap.report.change_cost == pytest.approx(0.6)
    assert cheap.summary()["price of changes"] == 0.6
    by_move = optimize(company(), limits=LIMITS, record=RECORD, move_price=0.1)
    assert by_move.starts == dear.starts


def test_what_is_frozen_stays_and_nothing_joins_it():
    plan = optimize(company(2.0), limits=LIMITS, record=RECORD, freeze=2)
    # C stays in January; A and B may not start before March.
    assert plan.starts == {"A": 2, "B": 2, "C": 0}
    assert plan.report is not None
    assert plan.report.status == "optimal"
    without = {"B": "2027-03", "A": "2027-05"}
    plan = optimize(company(2.0), limits=LIMITS, record=without, freeze=2)
    assert plan.starts["C"] >= 2


def test_dropping_costs_as_much_as_moving():
    portfolio = company()
    portfolio.projects.loc[2, "value"] = -1.0
    kept_in = optimize(portfolio, limits=LIMITS, record=RECORD, change_price=2.5)
    assert "C" in kept_in.starts
    dropped = optimize(portfolio, limits=LIMITS, record=RECORD, change_price=0.5)
    assert "C" not in dropped.starts


def test_changes_say_what_moved_and_why():
    old = Plan(company(), RECORD)
    new = optimize(company(), limits=LIMITS, record=old)
    changes = plan_changes(old, new).set_index("project")
    assert changes["change"].to_dict() == {"A": "moved", "B": "kept", "C": "moved"}
    assert changes.at["A", "periods"] == -4
    assert str(changes.at["A", "from"]) == "2027-05"
    assert changes.at["A", "worth_delta"] == pytest.approx(10 - 10 / 1.1**4)
    assert "Dev is short of 1 FTE in 2027-01" in changes.at["C", "why"]
    smaller = company()
    smaller.capacity.loc["2027-05":, "Dev"] = 0.0
    less = optimize(smaller, limits=LIMITS, record=RECORD)
    changes = plan_changes(RECORD, less)
    text = " ".join(change_sentences(changes))
    assert "'C' leaves; it was to start in 2027-01." in text
    assert set(changes.loc[changes["change"] == "leaving", "to"].isna()) == {True}
    nothing = plan_changes({"A": "2027-05"}, less).set_index("project")
    assert nothing.at["B", "change"] == "entering"
    assert nothing.at["B", "why"] == ""


def test_what_cannot_be_asked():
    with pytest.raises(ConfigError, match="need a plan of record"):
        optimize(company(), change_price=1)
    with pytest.raises(ConfigError, match="freeze is 9"):
        optimize(company(), record=RECORD, freeze=9)
    with pytest.raises(ConfigError, match="0 or more"):
        optimize(company(), record=RECORD, move_price=-1)
    plan = optimize(company(), limits=LIMITS, record=RECORD, change_price=1)
    assert plan.report is not None
    assert plan.report.certificate is not None
    with pytest.raises(ConfigError, match="record=True"):
        check_bound(plan.portfolio, plan.report.certificate)


def test_running_work_is_no_change():
    portfolio = company(2.0)
    portfolio.projects["status"] = ["running", "proposed", "proposed"]
    portfolio.projects["start"] = pd.PeriodIndex(["2027-01", None, None], freq="M")
    record = {"B": "2027-01", "C": "2027-03"}
    plan = optimize(portfolio, limits=LIMITS, record=record, change_price=3)
    assert plan.starts == {"A": 0, "B": 0, "C": 2}
    assert plan.report is not None
    assert plan.report.change_cost == 0


def test_without_a_record_nothing_is_told_of_it():
    plan = optimize(company(), limits=LIMITS)
    assert plan.report is not None
    facts = plan.report.to_dict()
    assert not {"worth", "purchase_cost", "change_cost"} & set(facts)
    assert plan.report.certificate is not None
    assert "record" not in plan.report.certificate


def test_a_record_holds_its_freeze_and_prices():
    terms = {"freeze": 2, "change_price": 0.5, "move_price": 0.1}
    record = Record(RECORD, **terms)
    plan = optimize(company(2.0), limits=LIMITS, record=record)
    beside = optimize(company(2.0), limits=LIMITS, record=RECORD, **terms)
    assert plan.starts == beside.starts
    assert plan.objective == beside.objective
    assert plan.record is not None
    assert plan.record.freeze == 2
    assert plan.record.schedule["project"].tolist() == ["A", "B", "C"]
    again = Record(plan)
    assert again.schedule.equals(plan.schedule)


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"change_price": -1}, "change_price must be 0 or more"),
        ({"move_price": float("inf")}, "move_price must be 0 or more"),
        ({"freeze": -1}, "freeze is -1"),
    ],
)
def test_a_record_refuses_terms_that_are_none(terms, said):
    with pytest.raises(ConfigError, match=said):
        Record(RECORD, **terms)


def test_terms_are_given_once():
    record = Record(RECORD, freeze=1)
    with pytest.raises(ConfigError, match="to the Record"):
        optimize(company(), limits=LIMITS, record=record, freeze=2)
