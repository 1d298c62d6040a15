"""Value against risk, stages, benefits and bookings, worked out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import pmo_analytics as pmo
from pmo_analytics.errors import ConfigError
from pmo_analytics.plotting import (
    plot_benefits,
    plot_bookings,
    plot_pipeline,
    plot_reliability,
    plot_value_risk,
)
from pmo_analytics.reporting import status_report
from pmo_analytics.tracking import (
    benefits_by_period,
    booked_shares,
    pipeline_stages,
    reliability,
    value_and_risk,
)

DAY = "2027-03-31"


def rows(columns: str, *records: tuple) -> pd.DataFrame:
    return pd.DataFrame(list(records), columns=columns.split())


def company(**more) -> pmo.Portfolio:
    parts = {
        "projects": rows(
            "project name status duration start probability handed_in",
            ("A", "Älpha", "running", 4, "2027-01", None, None),
            ("B", "Beta", "approved", 2, "2027-06", 0.9, None),
            ("C", "Gamma", "proposed", 2, None, 0.25, "2027-03-01"),
            ("D", "Delta", "idea", 2, None, None, None),
            ("E", "Epsilon", "done", 2, "2026-01", None, None),
            ("F", "Phi", "cancelled", 2, None, None, None),
        ),
        "benefits": rows(
            "project offset amount",
            *(("A", 2, 10), ("A", 4, 100), ("A", 5, 100), ("B", 3, 50), ("C", 2, 7)),
        ),
        "baselines": rows(
            "project baseline set_on start duration cost",
            ("A", "go", "2026-12-01", "2027-01", 4, 400),
            ("B", "go", "2027-03-11", "2027-05", 2, 200),
        ),
        "progress": rows(
            "project as_of percent_complete actual_cost",
            ("A", "2027-02-28", 25, 100),
            ("A", "2027-03-31", 50, 200),
        ),
    }
    parts.update(more)
    return pmo.Portfolio("v", horizon=pmo.make_horizon("2027-01", 12, "M"), **parts)


@pytest.fixture(scope="module")
def status():
    return pmo.status(company(), as_of=DAY)


def test_value_and_risk(status):
    table = value_and_risk(status)
    assert list(table.index) == ["A", "B", "C", "D"]  # neither done nor cancelled
    assert table.loc["A", "value"] == 210  # of its benefits
    assert table.loc["C", "risk"] == 0.75
    assert np.isnan(table.loc["D", "risk"])
    assert table.loc["A", "cost"] == 400
    ax = plot_value_risk(table, currency="EUR", ax=Figure().subplots())
    said = " ".join(text.get_text() for text in ax.texts)
    assert "of 1 more value or risk is unknown" in said
    none = plot_value_risk(table.head(0), ax=Figure().subplots())
    assert "known" in none.texts[0].get_text()


def test_stages_with_age_and_conversion():
    table = pipeline_stages(company(), DAY, entered="handed_in")
    assert table["projects"].to_list() == [1, 1, 1, 1, 1]
    assert table["reached"].to_list() == [5, 4, 3, 2, 1]
    assert table["conversion"].to_list()[:4] == pytest.approx(
        [4 / 5, 3 / 4, 2 / 3, 0.5]
    )
    assert np.isnan(table.loc["done", "conversion"])
    # Handed in on 1 March; baseline of 11 March; begun on 1 January.
    ages = table["age_days"].to_dict()
    assert (ages["proposed"], ages["approved"], ages["running"]) == (30, 20, 89)
    assert np.isnan(ages["idea"])
    assert table["dated"].to_list() == [0, 1, 1, 1, 0]
    assert table.attrs["beside"] == {"paused": 0, "cancelled": 1}
    with pytest.raises(ConfigError, match="no column 'handed'"):
        pipeline_stages(company(), DAY, entered="handed")
    ax = plot_pipeline(table, ax=Figure().subplots())
    texts = [text.get_text() for text in ax.texts]
    assert "80 % further" in texts
    assert any("89 days old" in text for text in texts)


def test_benefits_as_promised_and_as_they_are_to_come(status):
    # A earns half of four months in three: it ends in June instead of April.
    assert status.indicators.loc["A", "finish"] == pd.Timestamp("2027-06-30")
    table = benefits_by_period(status)
    planned, expected = (
        {str(p): v for p, v in table[name].items() if v} for name in table
    )
    assert planned == {"2027-03": 10, "2027-05": 100, "2027-06": 100, "2027-08": 50}
    late = (pd.Period(status.indicators.loc["A", "finish"], "M") + 1).ordinal
    late -= pd.Period("2027-05", "M").ordinal
    assert late == 2
    assert expected == {"2027-03": 10, "2027-07": 100, "2027-08": 100, "2027-09": 50}
    assert table["planned"].sum() == table["expected"].sum() == 260
    ax = plot_benefits(table, as_of=status.as_of, ax=Figure().subplots())
    assert len(ax.lines) == 3
    bare = pmo.status(company(benefits=None), as_of=DAY)
    assert benefits_by_period(bare).empty
    assert plot_benefits(benefits_by_period(bare), ax=Figure().subplots()).texts


def test_benefits_that_came_in():
    actuals = rows(
        "period project benefit",
        ("2027-02", "A", 4),
        ("2027-03", "A", 8.5),
        ("2027-03", "C", 1000),  # a candidate has none yet
        ("2027-09", "A", 7),  # after the day
    )
    found = pmo.status(company(actuals=actuals), as_of=DAY)
    table = benefits_by_period(found)
    actual = table["actual"].dropna()
    assert {str(p): v for p, v in actual.items()} == {"2027-02": 4, "2027-03": 8.5}
    assert table["planned"].sum() == 260
    assert found.indicators.loc["A", "ac"] == 200  # as reported: no money was spent
    ax = plot_benefits(table, as_of=found.as_of, ax=Figure().subplots())
    assert len(ax.lines) == 4
    large = table * 1e6
    ax = plot_benefits(large, currency="EUR", ax=Figure().subplots())
    assert ax.get_ylabel() == "EUR million"
    report = status_report(found)[0]
    section = next(s for s in report.sections if s.title == "Benefits")
    assert "12 of money came in of 10 promised by 2027-03-31" in section.takeaway
    assert "actual benefit" in section.chart.series


def test_who_is_booked_over_100_percent():
    people = rows(
        "person role start end fte",
        ("Ann", "Dev", None, None, 0.5),
        ("Bob", "Dev", None, "2027-04-30", 1.0),
    )
    bookings = rows(
        "person project role start end fte kind",
        ("Ann", "A", "Dev", "2027-04-05", "2027-04-18", 0.4, "hard"),
        ("Ann", "B", "Dev", "2027-04-14", "2027-04-18", 0.5, "soft"),
        ("Bob", "A", "Dev", "2027-05-03", "2027-05-09", 0.2, "hard"),
        ("Eve", "A", "Dev", "2027-04-05", "2027-04-09", 1.0, "hard"),
        ("Old", "A", "Dev", "2026-01-01", "2026-02-01", 1.0, "hard"),
    )
    portfolio = company(people=people, bookings=bookings)
    shares = booked_shares(portfolio, "2027-04-07", weeks=5)
    assert list(shares.columns.strftime("%Y-%m-%d")[:1]) == ["2027-04-11"]
    # Half a contract; from Wednesday the second booking: 0.4 + 0.5 x 3 / 5.
    assert shares.loc["Ann"].to_list() == pytest.approx([0.8, 1.4, 0, 0, 0])
    assert shares.loc["Bob"].to_list() == [0, 0, 0, 0, np.inf]  # has left
    assert shares.loc["Eve"].to_list() == [1, 0, 0, 0, 0]  # not listed: full time
    assert list(shares.index) == ["Bob", "Ann", "Eve"]
    ax = plot_bookings(shares, max_people=2, ax=Figure().subplots())
    assert ax.get_title(loc="left") == "Who is booked: the 2 most booked of 3 people"
    assert "2 of 3 people booked over 100 %" in ax.texts[-1].get_text()
    assert plot_bookings(shares.head(0), ax=Figure().subplots()).texts


def test_reliability_diagram():
    table = reliability([0.05, 0.05, 0.95, 0.95], [0, 0, 1, 0])
    ax = plot_reliability(table, what="late", ax=Figure().subplots())
    assert list(ax.lines[-1].get_ydata()) == [0, 0.5]
    assert "4 cases" in ax.texts[-1].get_text()
    empty = plot_reliability(table.head(0), ax=Figure().subplots())
    assert "has ended yet" in empty.texts[0].get_text()
