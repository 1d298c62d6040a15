"""What can be read and is hardly meant, by hand; what is fine stays unsaid."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from pmo_analytics.errors import closest, folded
from pmo_analytics.portfolio import Portfolio
from pmo_analytics.tables import plausibility
from tests.support.problem_cases import rows
from tests.tables.test_supply import months


def made(**tables: Any) -> Portfolio:
    """Return two candidates and one or two Dev people over 2027."""
    usual = {
        "projects": rows(
            "project value duration", ("A", 100.0, 3), ("B", 200.0, 2), ("C", 1.0, 2)
        ),
        "demand": rows(
            "project role offset fte", ("A", "Dev", 0, 1.0), ("B", "Dev", 1, 0.5)
        ),
        "people": rows("person role fte", ("P1", "Dev", 1.0), ("P2", "Dev", 1.0)),
    }
    return Portfolio(horizon=months("2027-01", 12), **{**usual, **tables})


def found(portfolio: Portfolio, rule: str) -> pd.DataFrame:
    problems = portfolio.check()
    return problems[problems["rule"] == rule]


# ------------------------------------------------------------------------- magnitude


def needing(*amounts: float, role: str = "Dev") -> pd.DataFrame:
    return rows(
        "project role offset fte",
        *(("A", role, k, amount) for k, amount in enumerate(amounts)),
    )


@pytest.mark.parametrize(
    ("amounts", "likely"),
    [
        ((160.0, 160.0, 80.0), "look like hours"),
        ((173.0,), "look like hours"),
        ((22.0, 10.0, 11.0), "look like person-days"),
        ((100.0, 50.0, 20.0), "look like percent"),
        ((3.0,), "never be done in full"),
        ((5000.0,), "never be done in full"),
    ],
)
def test_more_of_a_role_than_there_ever_is(amounts, likely):
    warning = found(made(demand=needing(*amounts)), "more_than_there_is")
    assert warning["severity"].tolist() == ["warning"]
    assert "'A' needs" in warning["found"].iat[0]
    assert f"{max(amounts):g} FTE" in warning["found"].iat[0]
    assert likely in warning["fix"].iat[0]
    # The most there ever is: two people in March, of 23 working days.
    assert "2.116" in warning["found"].iat[0]
    times = max(amounts) / 2.115853
    assert f"{times:.3g} times" in warning["found"].iat[0]


def test_what_fits_at_some_time_or_can_be_bought_is_no_alarm():
    assert found(made(demand=needing(2.1)), "more_than_there_is").empty
    flex = rows("role kind fte_max rate", ("Dev", "hire", 2.0, 50.0))
    assert found(made(demand=needing(4.0), flex=flex), "more_than_there_is").empty
    gone = rows("project value duration status", ("A", 1.0, 3, "cancelled"))
    assert found(made(demand=needing(160.0), projects=gone), "more_than_there_is").empty


def test_many_projects_of_one_fault_are_counted():
    names = [f"P{k:02d}" for k in range(25)]
    case = made(
        projects=rows("project value duration", *((n, 1.0, 2) for n in names)),
        demand=rows("project role offset fte", *((n, "Dev", 0, 160.0) for n in names)),
    )
    warning = found(case, "more_than_there_is")
    assert len(warning) == 10
    assert warning["found"].iat[-1].endswith("and 15 more projects")


def test_capacity_in_hours_is_said():
    grid = pd.DataFrame({"Dev": 320.0}, index=months("2027-01", 12))
    warning = found(made(capacity=grid), "more_than_there_is")
    assert "160 times the 2 people" in warning["found"].iat[0]
    assert "look like hours" in warning["fix"].iat[0]
    nobody = rows("person role fte")
    warning = found(made(capacity=grid, people=nobody), "more_than_there_is")
    assert "FTE that all projects need" in warning["found"].iat[0]
    plenty = pd.DataFrame({"Dev": 30.0}, index=months("2027-01", 12))
    assert found(made(capacity=plenty), "more_than_there_is").empty


def test_money_of_other_units_is_said():
    spend = rows(
        "project fund category offset amount",
        ("A", "f", "c", 0, 250_000.0),
        ("B", "f", "c", 0, 300_000.0),
    )
    small = rows("budget amount", ("all", 500.0))
    warning = found(made(spend=spend, budget=small), "money_of_other_units")
    assert "500 times as much" in warning["found"].iat[0]
    large = rows("budget amount", ("all", 2e9))
    warning = found(made(spend=spend, budget=large), "money_of_other_units")
    assert "times the 550,000" in warning["found"].iat[0]
    for amount in (100_000.0, 500_000.0, 5e7, 0.0):
        fair = rows("budget amount", ("all", amount))
        assert found(made(spend=spend, budget=fair), "money_of_other_units").empty


# -------------------------------------------------------------------------- bookings


def booked(*cells: tuple[Any, ...]) -> pd.DataFrame:
    return rows("person project role start end fte", *cells)


def test_a_person_booked_by_two_projects_at_once():
    case = made(
        bookings=booked(
            ("P1", "A", "Dev", "2027-02-01", "2027-04-30", 1.0),
            ("P1", "B", "Dev", "2027-03-01", "2027-04-30", 1.0),
            ("P2", "B", "Dev", "2027-03-01", "2027-04-30", 1.0),
        )
    )
    warning = found(case, "person_overbooked")
    assert len(warning) == 1
    text = warning["found"].iat[0]
    assert text.startswith("'P1' in 2027-03 .. 2027-04: up to 200% of a contract")
    assert text.endswith("for 'A', 'B'")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("2027-02-01", "2027-02-28", 1.0), ("2027-03-01", "2027-03-31", 1.0)),
        (("2027-02-01", "2027-02-15", 1.0), ("2027-02-16", "2027-02-28", 1.0)),
        (("2027-02-01", "2027-02-15", 1.0), ("2027-02-15", "2027-02-28", 1.0)),
        (("2027-02-01", "2027-02-28", 0.5), ("2027-02-01", "2027-02-28", 0.5)),
        (("2026-02-01", "2026-02-28", 1.0), ("2026-02-01", "2026-02-28", 1.0)),
    ],
    ids=["months", "halves", "handover", "half each", "in the past"],
)
def test_bookings_beside_and_after_each_other_are_fine(first, second):
    case = made(
        bookings=booked(
            ("P1", "A", "Dev", *first),
            ("P1", "B", "Dev", *second),
        )
    )
    assert found(case, "person_overbooked").empty


def test_contract_and_its_dates_count():
    bookings = booked(("P1", "A", "Dev", "2027-02-01", "2027-03-31", 0.8))
    half = rows("person role fte", ("P1", "Dev", 0.5))
    text = found(made(people=half, bookings=bookings), "person_overbooked")
    assert "160% of a contract of 0.5 FTE" in text["found"].iat[0]
    gone = rows("person role end fte", ("P1", "Dev", "2027-02-28", 1.0))
    text = found(made(people=gone, bookings=bookings), "person_overbooked")
    assert "'P1' in 2027-03: up to 0.8 FTE without a contract" in text["found"].iat[0]
    two = rows("person role fte", ("P1", "Dev", 0.5), ("P1", "Test", 0.5))
    assert found(made(people=two, bookings=bookings), "person_overbooked").empty
    done = rows("project value duration status", ("A", 1.0, 3, "done"))
    assert found(
        made(people=half, bookings=bookings, projects=done), "person_overbooked"
    ).empty


# ----------------------------------------------------------------------- twin names


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("7", "007"),
        ("crm", "CRM"),
        ("CRM", "\uff23\uff32\uff2d"),
        ("Müller", "Muller"),
        ("Dev Ops", "DevOps"),
        ("P-01", "P-1"),
    ],
)
def test_names_that_differ_only_in_writing(one, other):
    assert folded(one) == folded(other)
    assert closest(one, [other, "else"]) == f" (did you mean '{other}'?)"
    projects = rows("project value duration", (one, 1.0, 1), (other, 1.0, 1))
    text = found(made(projects=projects), "names_alike")["found"].iat[0]
    assert text == f"'{one}' and '{other}'"
    people = rows("person role fte", (one, "Dev", 1.0), (other, "Dev", 1.0))
    assert len(found(made(people=people), "names_alike")) == 1
    people = rows("person role fte", ("P", one, 1.0), ("P", other, 0.0))
    assert found(made(people=people), "names_alike")["table"].tolist() == ["roles"]


@pytest.mark.parametrize(
    ("one", "other"), [("P-11", "P-1-1"), ("10", "1"), ("100", "10"), ("A1", "A-1")]
)
def test_names_that_differ_are_no_twins(one, other):
    projects = rows("project value duration", (one, 1.0, 1), (other, 1.0, 1))
    assert found(made(projects=projects), "names_alike").empty


# ------------------------------------------------------------ shares that are no FTE


@pytest.mark.parametrize(
    ("fte", "likely"),
    [
        (40.0, "hours or percent"),
        (100.0, "percent"),
        (1.5, ""),
        (700.0, "another unit"),
    ],
)
def test_shares_of_people_in_other_units(fte, likely):
    people = rows("person role fte", ("P1", "Dev", fte), ("P2", "Dev", 1.0))
    text = found(made(people=people), "person_over_one_fte")["fix"].iat[0]
    assert ("looks like" in text) == bool(likely)
    assert likely in text


def test_operations_and_bookings_in_other_units():
    operations = rows("role fte", ("Dev", 80.0))
    text = found(made(operations=operations), "operations_exceed_capacity")
    assert "looks like hours or percent" in text["fix"].iat[0]
    bookings = booked(("P1", "A", "Dev", "2027-02-01", "2027-03-31", 80.0))
    text = found(made(bookings=bookings), "person_overbooked")
    assert "looks like hours or percent" in text["fix"].iat[0]


# ------------------------------------------------------------------ starts and windows


@pytest.mark.parametrize(
    ("status", "cells", "where"),
    [
        ("proposed", {"start": "2027-06", "deadline": "2027-03"}, "after its deadline"),
        ("proposed", {"start": "2027-02", "earliest": "2027-04"}, "before its window"),
        ("approved", {"start": "2027-08", "latest": "2027-05"}, "after its window"),
        ("approved", {"start": "2027-04", "latest": "2027-05"}, ""),
        ("proposed", {"start": "2027-04", "deadline": "2027-09"}, ""),
        ("running", {"start": "2026-12", "earliest": "2027-04"}, ""),
    ],
)
def test_planned_starts_outside_their_window(status, cells, where):
    one = {"project": "A", "value": 1.0, "duration": 2, "status": status, **cells}
    text = found(made(projects=pd.DataFrame([one])), "start_contradicts_window")
    assert len(text) == bool(where)
    if where:
        assert where in text["fix"].iat[0]


def test_budgets_of_one_kind_are_weighed_once(monkeypatch):
    counted = []
    weigh = plausibility._spent_by_project
    monkeypatch.setattr(
        plausibility,
        "_spent_by_project",
        lambda *given: counted.append(given) or weigh(*given),
    )
    names = [f"b{i}" for i in range(60)]
    funds = ["F", "G", None] * 20
    budget = pd.DataFrame({"budget": names, "fund": funds, "amount": 9.0})
    made(budget=budget).check()
    assert len(counted) == 3
