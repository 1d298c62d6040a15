"""Two small portfolios: one to work out by hand, one that uses everything once."""

from __future__ import annotations

import pandas as pd

from pmo_analytics.clock.periods import Settings, make_horizon
from pmo_analytics.portfolio import Portfolio


def tiny_portfolio() -> Portfolio:
    """Return 3 candidates, 2 roles and 5 months, with a best plan found by hand.

    Dev 2 and Test 1 FTE a month, 10 % discount a month.

    | project | value | months | Dev | Test           |
    |---------|-------|--------|-----|----------------|
    | A       | 10    | 2      | 2   | 0.5 in its 2nd |
    | B       | 8     | 2      | 1   | 1              |
    | C       | 5     | 3      | 2   |                |

    Dev has 10 FTE-months; A, B and C need 4, 2 and 6, so one stays out. A takes all
    of Dev while it lasts, so B or C comes before or after it, 2 months (or, after C,
    3) later. A first, then B: 10 + 8 / 1.1^2 = 16.6116. B first: 8 + 10 / 1.21 =
    16.2645. A and C: 10 + 5 / 1.21 = 14.1322. B and C: less than 13. So the best
    plan starts A in January and B in March and is worth 16.6116.
    """
    horizon = make_horizon("2027-01", 5, "M")
    demand = [
        *(("A", "Dev", k, 2.0) for k in range(2)),
        ("A", "Test", 1, 0.5),
        *(("B", "Dev", k, 1.0) for k in range(2)),
        *(("B", "Test", k, 1.0) for k in range(2)),
        *(("C", "Dev", k, 2.0) for k in range(3)),
    ]
    return Portfolio(
        "tiny",
        horizon=horizon,
        settings=Settings(discount=0.1),
        projects=pd.DataFrame(
            {
                "project": ["A", "B", "C"],
                "value": [10.0, 8.0, 5.0],
                "duration": [2, 2, 3],
                "theme": ["Red", "Blue", "Blue"],
            }
        ),
        demand=pd.DataFrame(demand, columns=["project", "role", "offset", "fte"]),
        capacity=pd.DataFrame({"Dev": 2.0, "Test": 1.0}, index=horizon),
    )


def everything_portfolio() -> Portfolio:
    """Return a valid portfolio with every table, every status and every rule once.

    Six months from January 2027. Dev is given, Test comes from people. `ERP` runs
    since December; `LAW` keeps its start; `NEW` is forced in; `OLD` is done; `NIX`
    is cancelled; `OUT` is forced out. A feasible plan is `EVERYTHING_STARTS`.
    """
    horizon = make_horizon("2027-01", 6, "M")

    def rows(columns: str, *records: tuple) -> pd.DataFrame:
        return pd.DataFrame(list(records), columns=columns.split())

    projects = rows(
        "project status value duration start earliest latest deadline force theme "
        "program",
        ("ERP", "running", 50, 4, "2026-12", None, None, "2027-02", None, "R", "N"),
        ("LAW", "approved", 20, 2, "2027-02", None, None, "2027-04", None, "R", "S"),
        ("NET", "approved", 10, 2, None, "2027-02", "2027-04", None, None, "R", "S"),
        ("NEW", "idea", 15, 2, None, None, "2027-04", None, "in", "B", "N"),
        ("CRM", "proposed", 30, 3, None, None, None, "2027-06", None, "B", "N"),
        ("APP", "paused", 25, 2, None, "2027-02", None, None, None, "B", "S"),
        ("OLD", "done", 5, 1, "2026-11", None, None, None, None, "R", "N"),
        ("NIX", "cancelled", 5, 1, None, None, None, None, None, "B", "N"),
        ("OUT", "running", 5, 3, "2026-12", None, None, None, "out", "B", "N"),
    )
    return Portfolio(
        "everything",
        horizon=horizon,
        settings=Settings(
            discount=0.01, source="sum", net_of_spend=True, currency="EUR", country="DE"
        ),
        capacity=pd.DataFrame({"Dev": 3.0}, index=horizon),
        projects=projects.assign(
            name=projects["project"].str.title(),
            force_reason=[None, None, None, "law"] + [None] * 4 + ["stopped"],
            probability=0.8,
            sponsor="Ada",
            manager="Bob",
            phase="Build",
            priority="1",
            kind="IT",
            goal="Grow",
        ),
        demand=rows(
            "project role offset fte",
            *(("ERP", "Dev", k, 1.0) for k in range(4)),
            *(("LAW", "Dev", k, 1.0) for k in range(2)),
            *(("NET", "Test", k, 0.5) for k in range(2)),
            *(("NEW", "Dev", k, 0.5) for k in range(2)),
            *(("CRM", "Dev", k, 1.0) for k in range(3)),
            *(("APP", "Test", k, 0.25) for k in range(2)),
            ("OUT", "Dev", 0, 9.0),
        ),
        people=rows(
            "person role start end fte country team rate",
            ("Ann", "Test", None, None, 1.0, None, "T1", 90),
            ("Bob", "Test", "2027-01-01", "2027-05-31", 0.5, "DE-BY", "T1", 80),
        ),
        absences=rows(
            "person start end kind share",
            ("Ann", "2027-03-01", "2027-03-12", "vacation", 0.5),
        ),
        operations=rows(
            "role start end fte share",
            ("Dev", None, "2027-03-31", 0.25, None),
            ("Test", None, None, None, 0.1),
        ),
        bookings=rows(
            "person project role start end fte kind",
            ("Ann", "NET", "Test", "2027-02-01", "2027-03-31", 0.5, "hard"),
        ),
        dependencies=rows(
            "project requires kind lag lag_max",
            ("NET", "ERP", "start_start", 1, None),
            ("CRM", "LAW", "finish_start", -1, 2),
            ("APP", "twins", "finish_start", None, None),
            ("NEW", "OLD", "selected", 0, None),
        ),
        groups=rows(
            "group project rule at_least at_most",
            ("twins", "NEW", "all_or_none", None, None),
            ("twins", "LAW", "all_or_none", None, None),
            ("few", "CRM", "limit", 1, 2),
            ("few", "APP", "limit", 1, 2),
            ("few", "NIX", "limit", 1, 2),
        ),
        rules=rows(
            "rule project weight applies_to at_least at_most",
            ("parallel", "CRM", 1.0, "work", None, 2.0),
            ("parallel", "APP", 1.0, "work", None, 2.0),
            ("mixed", "CRM", 1.5, "selected", -1.0, 0.5),
            ("mixed", "APP", -1.0, "selected", -1.0, 0.5),
        ),
        blackouts=rows(
            "project theme start end applies_to",
            ("NEW", None, None, "2027-01", "start"),
            (None, "B", "2027-03", "2027-03", "finish"),
            (None, None, "2026-11", "2026-12", "work"),
        ),
        spend=rows(
            "project fund category offset amount",
            ("ERP", "Run", "opex", 0, 4.0),
            ("ERP", "Run", "opex", 1, 4.0),
            ("CRM", "Change", "capex", 0, 6.0),
            ("APP", None, "opex", 1, 2.0),
        ),
        budget=rows(
            "budget fund category theme program start end amount at_least",
            ("run", "Run", None, None, None, "2027-01", "2027-01", 3.0, None),
            ("all", None, None, None, None, None, None, 20.0, 5.0),
            ("blue", None, "capex", "B", "N", None, "2027-06", 6.0, None),
        ),
        benefits=rows(
            "project offset amount", ("CRM", 3, 10.0), ("CRM", 9, 10.0), ("APP", 2, 3.0)
        ),
        roles=rows(
            "role parent team rate", ("Dev", "IT", "T2", 100), ("Test", "IT", "T1", 90)
        ),
        flex=rows(
            "role kind start end fte_max rate lead",
            ("Dev", "contractor", "2027-02", "2027-06", 1.0, 150, 1),
        ),
        history=rows(
            "period role kind capacity_fte load_fte",
            ("2026-11", "Dev", "total", 3, 2.5),
            ("2026-12", "Dev", "total", 3, 3.5),
        ),
        actuals=rows(
            "period project role person hours amount",
            ("2026-12", "ERP", "Test", "Ann", 40, 3600),
        ),
        baselines=rows(
            "project baseline set_on start duration effort cost",
            ("ERP", "first", "2026-10-01", "2026-12", 3, 3, 8),
        ),
        progress=rows(
            "project as_of percent_complete planned_value earned_value actual_cost "
            "actual_hours remaining_hours forecast_finish rag comment author",
            (
                "ERP",
                "2026-12-15",
                10.5,
                2,
                1,
                1.5,
                40,
                400,
                "2027-03",
                "green",
                "",
                "A",
            ),
            ("ERP", "2026-12-31", 20, 3, 2, 2.5, 90, 300, "2027-04", "red", "Bad", "A"),
        ),
        milestones=rows(
            "project milestone as_of baseline forecast actual kind",
            ("ERP", "Live", None, "2027-02-28", None, None, "gate"),
            ("ERP", "Live", "2026-12-31", "2027-02-28", "2027-03-15", None, "gate"),
            ("OLD", "Live", "2026-12-31", "2026-11-30", None, "2026-12-04", "gate"),
        ),
        sprints=rows(
            "team sprint start end planned_days elapsed members committed added "
            "removed to_do in_progress done delivered",
            ("T", "S1", "2026-12-01", "2026-12-14", 14, 0.5, 5, 20, 2, 1, 8, 5, 8, 19),
            (
                "T",
                "S2",
                "2026-12-15",
                "2026-12-28",
                14,
                0.3,
                5,
                22,
                0,
                0,
                15,
                4,
                3,
                None,
            ),
        ),
    )


# Offsets from January 2027, feasible (ERP makes the `run` budget an inherited one).
EVERYTHING_STARTS = {
    "ERP": -1,
    "LAW": 1,
    "NET": 1,
    "NEW": 2,
    "CRM": 3,
    "APP": 4,
}
