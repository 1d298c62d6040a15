"""What a baseline cannot count is named, with the people it needs."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmo_analytics.clock.periods import make_horizon
from pmo_analytics.plan import baseline
from pmo_analytics.portfolio import Portfolio
from pmo_analytics.rules.undated import say_not_counted
from tests.support.counts import tried

COMMITTED = ["running", "approved"]


def portfolio(rows: list[tuple[str, str, str | None, str | None]]) -> Portfolio:
    """Return projects of (name, status, start, force) that need 2 Dev, then 3 + 1."""
    demand = [
        row
        for name, *_ in rows
        for row in (
            (name, "Dev", 0, 2.0),
            (name, "Dev", 1, 3.0),
            (name, "Test", 1, 1.0),
        )
    ]
    horizon = make_horizon("2027-01", 6, "M")
    table = pd.DataFrame(rows, columns=["project", "status", "start", "force"])
    return Portfolio(
        "undated",
        horizon=horizon,
        projects=table.assign(value=1.0, duration=2),
        demand=pd.DataFrame(demand, columns=["project", "role", "offset", "fte"]),
        capacity=pd.DataFrame({"Dev": 9.0, "Test": 9.0}, index=horizon),
    )


def test_who_is_not_counted_and_why():
    asked = portfolio(
        [
            ("R", "running", "2027-01", None),
            ("A", "approved", None, None),
            ("D", "approved", "2027-02", None),
            ("F", "proposed", None, "in"),
            ("G", "idea", "2027-03", "in"),
            ("P", "proposed", None, None),
            ("X", "approved", None, "out"),
            ("C", "cancelled", None, None),
        ]
    )
    committed = baseline(asked, status=COMMITTED)
    assert set(committed.starts) == {"R", "D"}
    table = committed.not_counted
    assert table["project"].tolist() == ["A", "F", "G"]
    assert table["must"].all()
    assert table["fte"].tolist() == [4.0, 4.0, 4.0]
    assert table["reason"].tolist() == [
        "no start",
        "forced in, no start",
        "forced in, not approved",
    ]
    (sentence,) = say_not_counted(table)
    assert sentence == (
        "Not counted: 3 projects that must be done (up to 12 FTE): A (approved, no "
        "start), F (proposed, forced in, no start), G (idea, forced in, not approved)."
    )
    summary = committed.summary()
    assert summary["not counted"] == "3 projects that must be done (up to 12 FTE)"
    # Of every planned date only what has none is missing, candidates too.
    planned = baseline(asked)
    assert set(planned.starts) == {"R", "D", "G"}
    assert planned.not_counted["project"].tolist() == ["A", "F", "P"]
    assert planned.not_counted["must"].tolist() == [True, True, False]
    assert len(say_not_counted(planned.not_counted)) == 2
    # Who asks for running work alone is not told of approved work.
    assert baseline(asked, status=["running"]).not_counted.empty


def test_nothing_is_said_where_all_is_counted():
    plan = baseline(portfolio([("R", "running", "2027-01", None)]))
    assert plan.not_counted.empty
    assert say_not_counted(plan.not_counted) == []
    assert "not counted" not in plan.summary().index


STATUS = st.sampled_from(["idea", "proposed", "approved", "done", "cancelled"])
START = st.sampled_from([None, "2027-01", "2027-05"])
FORCE = st.sampled_from([None, "in", "out"])


@settings(max_examples=tried(24), deadline=None)
@given(st.lists(st.tuples(STATUS, START, FORCE), min_size=1, max_size=6))
@pytest.mark.filterwarnings("ignore")
def test_what_must_be_done_is_counted_or_named(rows):
    asked = portfolio(
        [
            (f"P{k}", status, None if status == "done" else start, force)
            for k, (status, start, force) in enumerate(rows)
            if not (status == "cancelled" and force == "in")
        ]
        or [("P", "idea", None, None)]
    )
    if (asked.check()["severity"] == "error").any():
        return
    plan = baseline(asked, status=COMMITTED)
    named = set(plan.not_counted["project"])
    assert not named & set(plan.starts)
    live = asked.projects[~asked.projects["status"].isin(["done", "cancelled"])]
    live = live[live["force"].fillna("") != "out"]
    must = live[(live["status"] == "approved") | (live["force"].fillna("") == "in")]
    assert set(must["project"]) == named | set(plan.starts)
