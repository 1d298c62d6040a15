"""Load, spend and worth of start dates, held against plain loops."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from pmo_analytics.clock.periods import Settings, make_horizon
from pmo_analytics.portfolio import Portfolio
from pmo_analytics.rules.workload import (
    all_roles,
    budget_matches,
    budget_spans,
    budget_use,
    counts_value,
    discount_factors,
    fixed_starts,
    limits,
    load_grid,
    load_rows,
    spend_rows,
    worth,
    worth_at_zero,
)
from tests.support.instances_random import drawn
from tests.support.problem_cases import capacity, portfolio, projects, rows
from tests.support.small_portfolios import EVERYTHING_STARTS


def random_starts(case: Portfolio, seed: int) -> dict[str, int]:
    rng = np.random.default_rng(seed)
    return {
        name: int(rng.integers(-3, len(case.horizon) + 2))
        for name in case.projects["project"]
        if rng.random() < 0.8
    }


def test_load_of_the_tiny_portfolio(tiny):
    grid = load_grid(tiny, {"A": 0, "B": 2})
    assert grid["Dev"].tolist() == [2, 2, 1, 1, 0]
    assert grid["Test"].tolist() == [0, 0.5, 1, 1, 0]
    assert grid.index.equals(tiny.horizon)
    assert (grid.index.name, grid.columns.name) == ("period", "role")
    assert (load_grid(tiny, {}) == 0).all(axis=None)


def test_work_outside_the_horizon_is_not_counted(tiny):
    assert load_grid(tiny, {"C": -2})["Dev"].tolist() == [2, 0, 0, 0, 0]
    assert load_grid(tiny, {"C": 4})["Dev"].tolist() == [0, 0, 0, 0, 2]
    assert load_grid(tiny, {"C": 5})["Dev"].sum() == 0
    assert load_grid(tiny, {"C": -3})["Dev"].sum() == 0


def test_load_rows_add_up_to_the_grid(everything):
    table = load_rows(everything, EVERYTHING_STARTS)
    assert list(table.columns) == ["project", "role", "period", "fte"]
    assert str(table["period"].dtype) == "period[M]"
    sums = table.pivot_table("fte", "period", "role", "sum")
    grid = load_grid(everything, EVERYTHING_STARTS)
    pd.testing.assert_frame_equal(
        sums.reindex(index=grid.index, columns=grid.columns).fillna(0.0), grid
    )
    # ERP runs since December: only 3 of its 4 periods are inside.
    assert (table["project"] == "ERP").sum() == 3


def test_roles_without_capacity_are_shown_after_the_others():
    case = portfolio(
        demand=rows("project role offset fte", ("A", "X", 0, 1), ("A", "Dev", 0, 1))
    )
    assert all_roles(case) == ["Dev", "X"]
    assert load_grid(case, {"A": 0})["X"].tolist() == [1, 0, 0, 0, 0, 0]
    assert limits(case).capacity["X"].tolist() == [0.0] * 6


def test_no_demand_is_an_empty_load():
    case = portfolio(demand=None)
    assert load_grid(case, {"A": 0})["Dev"].tolist() == [0.0] * 6
    assert load_rows(case, {"A": 0}).empty
    nobody = portfolio(demand=None, capacity=None)
    assert load_grid(nobody, {"A": 0}).shape == (6, 0)


@pytest.mark.parametrize("seed", range(12))
def test_sums_are_those_of_a_plain_loop(seed):
    case = drawn(seed)
    starts = random_starts(case, seed)
    periods = len(case.horizon)
    load: dict[tuple[int, str], float] = {}
    for row in case.demand.to_dict("records"):
        if row["project"] in starts:
            period = starts[row["project"]] + row["offset"]
            if 0 <= period < periods:
                cell = (period, row["role"])
                load[cell] = load.get(cell, 0.0) + row["fte"]
    grid = load_grid(case, starts)
    for (period, role), fte in load.items():
        assert grid.iloc[period][role] == pytest.approx(fte, rel=1e-12)
    assert grid.to_numpy().sum() == pytest.approx(sum(load.values()))

    about = case.projects.set_index("project")
    use = budget_use(case, starts)
    total = 0.0
    for row in case.spend.to_dict("records"):
        if row["project"] in starts:
            period = starts[row["project"]] + row["offset"]
            total += row["amount"] if 0 <= period < periods else 0.0
    assert spend_rows(case, starts)["amount"].sum() == pytest.approx(total)
    for k, budget in enumerate(case.budget.to_dict("records")):
        first = 0 if pd.isna(budget["start"]) else budget["start"].ordinal
        last = periods - 1 if pd.isna(budget["end"]) else budget["end"].ordinal
        first = first if pd.isna(budget["start"]) else first - case.horizon[0].ordinal
        last = last if pd.isna(budget["end"]) else last - case.horizon[0].ordinal
        spent = 0.0
        for row in case.spend.to_dict("records"):
            if row["project"] not in starts:
                continue
            row["theme"] = about.at[row["project"], "theme"]
            row["program"] = about.at[row["project"], "program"]
            period = starts[row["project"]] + row["offset"]
            if max(first, 0) <= period <= min(last, periods - 1) and all(
                pd.isna(budget[c]) or budget[c] == row[c]
                for c in ("fund", "category", "theme", "program")
            ):
                spent += row["amount"]
        assert use[k] == pytest.approx(spent, abs=1e-9)


# --------------------------------------------------------------------- spend and budget


def test_spend_rows_carry_theme_and_program(everything):
    table = spend_rows(everything, EVERYTHING_STARTS)
    assert list(table.columns) == [
        "project",
        "fund",
        "category",
        "theme",
        "program",
        "period",
        "amount",
    ]
    # The first 4.0 of ERP were spent in December.
    assert table[["project", "theme", "amount"]].to_numpy().tolist() == [
        ["ERP", "R", 4.0],
        ["CRM", "B", 6.0],
        ["APP", "B", 2.0],
    ]
    assert table["period"].astype(str).tolist() == ["2027-01", "2027-04", "2027-06"]


def test_budget_use_by_filter_and_span(everything):
    assert budget_use(everything, EVERYTHING_STARTS).tolist() == [4.0, 12.0, 6.0]
    assert budget_use(everything, {}).tolist() == [0.0, 0.0, 0.0]
    assert budget_matches(everything).tolist() == [
        [True, True, False, False],
        [True, True, True, True],
        [False, False, True, False],
    ]


def test_budget_spans_are_cut_to_the_horizon():
    budget = rows(
        "budget start end amount",
        ("all", None, None, 1),
        ("past", "2026-01", "2026-06", 1),
        ("wide", "2026-01", "2028-12", 1),
        ("later", "2027-09", None, 1),
        ("one", "2027-03", "2027-03", 1),
    )
    case = portfolio(
        budget=budget, spend=rows("project offset amount", ("A", 0, 1.0), ("A", 2, 1.0))
    )
    first, last = budget_spans(case)
    assert (first.tolist()[0], last.tolist()[0]) == (0, 5)
    assert (first.tolist()[4], last.tolist()[4]) == (2, 2)
    assert budget_use(case, {"A": 0}).tolist() == [2.0, 0.0, 2.0, 0.0, 1.0]
    assert budget_use(case, {"A": -2}).tolist() == [1.0, 0.0, 1.0, 0.0, 0.0]


# ----------------------------------------------------------------------------- worth


def valued(source: str, **settings: object) -> Portfolio:
    return Portfolio(
        horizon=make_horizon("2027-01", 6, "M"),
        settings=Settings(source=source, **settings),
        projects=projects(
            status=["proposed", "running"], start=[None, "2026-11"], value=[100.0, 10.0]
        ),
        benefits=rows("project offset amount", ("A", 1, 11.0), ("A", 9, -5.0)),
        spend=rows("project offset amount", ("A", 0, 7.0), ("B", 2, 4.0)),
    )


@pytest.mark.parametrize(
    ("source", "net", "a", "b"),
    [
        ("value", False, 100, 10),
        ("benefits", False, 11 / 1.1 - 5 / 1.1**9, 0),
        ("sum", False, 100 + 11 / 1.1 - 5 / 1.1**9, 10),
        ("value", True, 100 - 7, 10 - 4 / 1.21),
        ("sum", True, 100 + 11 / 1.1 - 5 / 1.1**9 - 7, 10 - 4 / 1.21),
    ],
)
def test_worth_by_source_and_spend(source, net, a, b):
    case = valued(source, discount=0.1, net_of_spend=net)
    assert worth_at_zero(case).to_dict() == pytest.approx({"A": a, "B": b})
    # B runs since before the horizon and is counted as if it started at its first
    # period; A is discounted by its start.
    earned = worth(case, {"A": 3, "B": -2})
    assert earned.to_dict() == pytest.approx({"A": a / 1.1**3, "B": b})
    assert worth(case, {"A": -1}).to_dict() == pytest.approx({"A": a * 1.1})
    assert worth(case, {"A": 0}, net=not net).to_dict() != {"A": a}
    assert earned.name == "worth"


def test_nothing_selected_is_worth_nothing():
    assert worth(valued("sum"), {}).sum() == 0.0
    assert discount_factors(
        valued("sum", discount=0.1), {"A": 2, "B": -2}
    ).to_dict() == {
        "A": pytest.approx(1 / 1.21),
        "B": 1.0,
    }


def test_a_blank_source_counts_what_is_filled():
    assert counts_value(portfolio()) == (True, False)
    benefits = rows("project offset amount", ("A", 0, 1))
    blank = projects(value=[None, None])
    assert counts_value(portfolio(projects=blank, benefits=benefits)) == (False, True)
    assert counts_value(portfolio(projects=blank)) == (True, False)
    assert counts_value(portfolio(source="sum")) == (True, True)
    assert worth_at_zero(portfolio(projects=blank)).tolist() == [0.0, 0.0]


def test_sums_of_tenths_stay_within_the_tolerance():
    case = portfolio(
        demand=rows(
            "project role offset fte", *(("A", "Dev", 0, 0.1), ("B", "Dev", 0, 0.2))
        ),
        capacity=capacity() * 0 + 0.3,
    )
    grid = load_grid(case, {"A": 0, "B": 0})
    assert math.isclose(grid["Dev"].iloc[0], 0.3, abs_tol=1e-12)


# ---------------------------------------------------------------------------- limits


def test_fixed_work_is_what_nobody_can_move(everything):
    # NEW is forced in but has a window; LAW keeps its start; ERP runs.
    assert fixed_starts(everything) == {"ERP": -1, "LAW": 1}
    narrow = everything.snapshot()
    narrow.projects.loc[3, "earliest"] = pd.Period("2027-04", "M")
    assert fixed_starts(narrow) == {"ERP": -1, "LAW": 1, "NEW": 3}
    blackout = everything.replace(
        blackouts=rows("project start end", ("LAW", "2027-02", "2027-02"))
    )
    assert fixed_starts(blackout) == {"ERP": -1}


def test_limits_rise_to_what_fixed_work_uses(everything):
    # ERP spends 4 in January of a budget of 3; capacity is enough everywhere.
    bounds = limits(everything)
    assert bounds.budget.tolist() == [4.0, 20.0, 6.0]
    assert bounds.inherited.to_dict("records") == [
        {"rule": "budget", "subject": "run", "period": "", "use": 4.0, "limit": 3.0}
    ]
    pd.testing.assert_frame_equal(bounds.capacity, everything.capacity)
    strict = limits(everything, strict=True)
    assert strict.budget.tolist() == [3.0, 20.0, 6.0]
    assert strict.inherited.empty
    assert list(strict.inherited.columns) == list(bounds.inherited.columns)


def test_only_the_exceeded_cells_rise():
    case = portfolio(
        projects=projects(
            status=["running", "proposed"], start=["2027-02", None], duration=[2, 1]
        ),
        demand=rows(
            "project role offset fte", ("A", "Dev", 0, 5.0), ("A", "Dev", 1, 1.0)
        ),
        budget=rows("budget amount at_least", ("b", None, 3)),
    )
    bounds = limits(case)
    assert bounds.capacity["Dev"].tolist() == [2.0, 5.0, 2.0, 2.0, 2.0, 2.0]
    assert bounds.inherited.to_dict("records") == [
        {
            "rule": "capacity",
            "subject": "Dev",
            "period": "2027-02",
            "use": 5.0,
            "limit": 2.0,
        }
    ]
    assert np.isnan(bounds.budget).tolist() == [True]
    assert limits(case, fixed={}).inherited.empty
