"""Projects that are the same: who they are, and that bounds hold although in order."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

import pmo_analytics as pmo
from pmo_analytics.optimization.checker.check import check_bound, check_plan
from pmo_analytics.optimization.checker.proofs.twins import order_twins
from pmo_analytics.optimization.checker.reading import read_question
from pmo_analytics.optimization.model.compiling import compile_options
from pmo_analytics.optimization.model.symmetry import in_order, ordered, without_order
from pmo_analytics.optimization.model.twins import find_twins
from tests.support.brute_force import best_plan, combinations
from tests.support.certify_cases import make, needs
from tests.support.clock import AMPLE
from tests.support.counts import tried
from tests.support.instances_random import random_portfolio

pytestmark = pytest.mark.usefixtures("warm_module")

LIMITS = pmo.SolveLimits(seconds=AMPLE)


def doubled(portfolio: pmo.Portfolio, names: list[str]) -> pmo.Portfolio:
    """Return a portfolio with some projects a second time, with all of their tables."""
    tables = {}
    for title in ("projects", "demand", "spend", "benefits"):
        table = portfolio.tables[title]
        again = table[table["project"].isin(names)].copy()
        again["project"] = again["project"] + "'"
        tables[title] = pd.concat([table, again], ignore_index=True)
    return portfolio.replace(**tables)


def cases(seeds: range) -> list[pmo.Portfolio]:
    """Return small portfolios in which some projects have a twin."""
    found = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        portfolio = random_portfolio(rng, max_projects=4, max_periods=5)
        names = portfolio.projects["project"].astype(str).tolist()
        wide = doubled(portfolio, [n for n in names if rng.random() < 0.7])
        if combinations(wide) <= 100_000:
            found.append(wide)
    return found


@pytest.mark.parametrize("chunk", range(tried(4)))
def test_bounds_over_twins_in_order_hold_for_every_plan(chunk):
    many = proved = 0
    for portfolio in cases(range(7000 + 6 * chunk, 7006 + 6 * chunk)):
        twins = find_twins(portfolio)
        many += len(twins)
        wanted, _ = best_plan(portfolio)
        if wanted is None:
            with pytest.raises(pmo.InfeasibleError):
                pmo.optimize(portfolio, limits=LIMITS)
            continue
        plan = pmo.optimize(portfolio, limits=LIMITS)
        report = plan.report
        assert report.objective == pytest.approx(float(wanted), rel=1e-9, abs=1e-7)
        assert report.certified
        bound = check_bound(portfolio, report.certificate)
        assert bound >= wanted - Fraction(1, 10**6)
        assert float(bound) <= float(wanted) + 1e-6 * max(1.0, abs(float(wanted)))
        proved += len(twins) > 0
    assert many
    assert proved


@pytest.mark.parametrize("chunk", range(tried(4)))
def test_optimizer_and_checker_find_the_same_twins(chunk):
    """Each by itself: certificates name the order, and the checker has to know it."""
    many = 0
    for portfolio in cases(range(8000 + 10 * chunk, 8010 + 10 * chunk)):
        twins = find_twins(portfolio)
        assert twins == order_twins(read_question(portfolio, strict=False))
        many += len(twins)
    assert many


def team(**tables) -> pmo.Portfolio:
    """Four projects that differ in their names alone, unless tables say otherwise."""
    names = "ABCD"
    projects = [{"project": p, "value": 3.0, "duration": 2} for p in names]
    demand = needs(*((p, "Dev", o, 1.0) for p in names for o in (0, 1)))
    given = {"projects": projects, "demand": demand, **tables}
    return make(given.pop("projects"), capacity={"Dev": [2.0] * 6}, **given)


def test_twins_differ_in_their_names_alone():
    assert find_twins(team()) == [("B", "A"), ("C", "B"), ("D", "C")]


def test_whoever_is_named_elsewhere_or_differs_is_no_twin():
    one = [{"project": p, "value": 3.0, "duration": 2} for p in "ABCD"]
    assert find_twins(
        team(dependencies=[{"project": "C", "requires": "B", "kind": "selected"}])
    ) == [("D", "A")]
    group = [{"group": "G", "project": p, "at_most": 1} for p in "AB"]
    assert find_twins(team(groups=group)) == [("D", "C")]
    for column, value in (("value", 4.0), ("duration", 1), ("latest", 1)):
        other = [dict(row) for row in one]
        other[3][column] = value
        assert find_twins(team(projects=other)) == [("B", "A"), ("C", "B")]
    forced = [dict(row) for row in one]
    forced[0]["force"] = "in"
    assert find_twins(team(projects=forced)) == [("C", "B"), ("D", "C")]
    more = needs(*((p, "Dev", o, 1.0 + (p == "B")) for p in "ABCD" for o in (0, 1)))
    assert find_twins(team(demand=more)) == [("C", "A"), ("D", "C")]


def test_a_plan_is_put_in_order_and_stays_as_good():
    portfolio = team()
    compiled = compile_options(portfolio)
    whole = in_order(compiled, find_twins(portfolio))
    chosen = compiled.chosen({"B": 3, "C": 0, "D": 1})
    again = ordered(whole.options, chosen)
    assert compiled.starts_of(again) == {"A": 0, "B": 1, "C": 3}
    assert np.array_equal(again, ordered(whole.options, again))
    plan = pmo.Plan.from_starts(portfolio, compiled.starts_of(again))
    assert check_plan(portfolio, plan.schedule, objective=9.0).certified
    plain, free = compiled.options.arrays(), without_order(whole.options).arrays()
    for name, array in plain.items():
        assert np.array_equal(array, free[name]), name


def test_a_bound_may_name_the_order_of_twins_and_of_nobody_else():
    portfolio = team()
    row = {"row": "dependency", "kind": "start_start", "form": "by", "t": 1}
    certificate = {"format": 3, "strict": False, "cuts": [], "branches": []}

    def bound(project: str, requires: str) -> Fraction | None:
        entry = {**row, "project": project, "requires": requires, "multiplier": "1"}
        return check_bound(portfolio, {**certificate, "multipliers": [entry]})

    assert bound("B", "A") == 13  # A gains what is charged on B by then
    with pytest.raises(pmo.ConfigError, match="no such dependency"):
        bound("A", "B")
