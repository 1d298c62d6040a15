"""When work ends by the throughput of sprints, and the sprints of a day, by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import pmo_analytics as pmo
from pmo_analytics.errors import ConfigError
from pmo_analytics.examples import example_portfolio
from pmo_analytics.tracking import finish_by_sprints, running_sprints

DAY = pd.Timestamp("2027-03-28")


def sprints(team: str, delivered: list[float], start: str = "2027-01-04") -> list[dict]:
    """Return sprints of two weeks, one after the other; nan while they run."""
    first = pd.Timestamp(start)
    return [
        {
            "team": team,
            "sprint": f"{team} {number}",
            "start": first + pd.Timedelta(days=14 * number),
            "end": first + pd.Timedelta(days=14 * number + 13),
            "planned_days": 14.0,
            "elapsed": 0.5,
            "committed": 20.0,
            "done": 5.0,
            "delivered": amount,
        }
        for number, amount in enumerate(delivered)
    ]


@pytest.fixture(scope="module")
def example() -> pmo.Portfolio:
    return example_portfolio()


def with_sprints(portfolio: pmo.Portfolio, *rows: list[dict]) -> pmo.Portfolio:
    table = pd.DataFrame([row for team in rows for row in team])
    return portfolio.replace(sprints=table)


def test_even_velocity_by_hand(example):
    """50 left at 20 a sprint are two and a half sprints: 35 days."""
    portfolio = with_sprints(example, sprints("A", [20, 20, 20, 20]))
    row = finish_by_sprints(portfolio, {"BROKER": 50}, day=DAY).loc["BROKER"]
    assert row["finish_p50"] == row["finish_p80"] == DAY + pd.Timedelta(days=35)
    assert (row["team"], row["sprints"], row["velocity"]) == ("A", 4, 20)
    assert "drawn from 4 sprints of A (20 each, 14 days)" in row["says"]


@pytest.mark.parametrize("lost", [["planned_days"], ["end"], ["start", "end"]])
def test_the_length_of_a_sprint_is_told_by_what_there_is(example, lost):
    table = pd.DataFrame(sprints("A", [20, 20, 20]))
    table[lost] = table[lost].where(table["team"] != "A")
    portfolio = example.replace(sprints=table)
    row = finish_by_sprints(portfolio, {"BROKER": 50}, day=DAY).loc["BROKER"]
    assert row["finish_p50"] == DAY + pd.Timedelta(days=35)


def test_draws_hold_what_velocities_say(example):
    """One sprint of 10 or 30 a half each: 30 left end in one (p50), or up to three."""
    portfolio = with_sprints(example, sprints("A", [10, 30, 10, 30]))
    row = finish_by_sprints(portfolio, {"BROKER": 30}, day=DAY, draws=4000).loc[
        "BROKER"
    ]
    # 30 at once (a half); 10 and 30 (a quarter); 10, 10 and 30 (an eighth): 2 1/3.
    assert row["finish_p80"] == DAY + pd.Timedelta(days=np.ceil(7 / 3 * 14))
    assert row["finish_p50"] <= DAY + pd.Timedelta(days=np.ceil(5 / 3 * 14))


def test_projects_of_one_team_share_what_it_delivers(example):
    portfolio = with_sprints(example, sprints("A", [20, 20, 20]))
    both = finish_by_sprints(portfolio, {"BROKER": 30, "MDM": 30}, day=DAY)
    assert set(both["finish_p50"]) == {DAY + pd.Timedelta(days=42)}
    assert "'BROKER', 'MDM'" in both.at["MDM", "says"]


def test_what_is_not_known_yet_is_not_used(example):
    """The last sprint ends on 2027-04-11: on the day it still runs."""
    rows = sprints("A", [20, 20, 20, 20, 20, 20, 900])
    known = with_sprints(example, rows)
    blank = with_sprints(example, [r | {"delivered": np.nan} for r in rows[-1:]])
    row = finish_by_sprints(known, {"BROKER": 40}, day=DAY).loc["BROKER"]
    assert (row["sprints"], row["velocity"]) == (6, 20)
    running, _ = running_sprints(known, pd.Timestamp("2027-04-04"))
    assert running["sprint"].tolist() == ["A 6"]
    assert running["p_short"].between(0, 1).all()
    early, _ = running_sprints(blank, pd.Timestamp("2027-03-29"))
    assert early.empty  # what was seen at half of the time was not seen then


def test_too_few_sprints_say_so(example):
    portfolio = with_sprints(example, sprints("A", [20, 20]))
    row = finish_by_sprints(portfolio, {"BROKER": 50}, day=DAY).loc["BROKER"]
    assert pd.isna(row["finish_p50"])
    assert row["says"] == "A has finished 2 sprints; it takes 3"
    none = with_sprints(example, sprints("A", [0, 0, 0]))
    row = finish_by_sprints(none, {"BROKER": 50}, day=DAY).loc["BROKER"]
    assert "more than 500 sprints" in row["says"]


@pytest.mark.parametrize(
    ("left", "teams", "says"),
    [
        ({"BROKR": 3}, {}, "did you mean 'BROKER'"),
        ({"BROKER": 0}, {}, "above 0"),
        ({"BROKER": 9}, {}, "Name the team: --team BROKER=Policy"),
        ({}, {"BROKER": "Broker"}, "What is left of BROKER"),
        ({"BROKER": 9}, {"BROKER": "Brokr"}, "did you mean 'Broker'"),
    ],
)
def test_what_cannot_be_told_is_refused(example, left, teams, says):
    with pytest.raises(ConfigError, match=says):
        finish_by_sprints(example, left, day=DAY, teams=teams)


def test_the_status_sets_all_methods_side_by_side(example):
    found = pmo.status(
        example,
        as_of="2026-12-31",
        left={"BROKER": 240, "COACH": 30},
        teams={"BROKER": "Broker", "COACH": "Policy"},
    )
    own = found.ranges[found.ranges["project"] == "BROKER"]
    assert set(own["method"]) == {
        *("earned_value", "reference_class", "throughput", "sprints")
    }
    # COACH has no report: nothing else tells its end.
    assert found.indicators.at["COACH", "finish_method"] == "sprints"
    assert found.table.at["COACH", "finish_p50"] > found.as_of
    assert found.table.at["BROKER", "finish_p50"] == own["finish_p50"].iloc[0]
    assert set(found.sprints["team"]) == {"Policy", "Broker", "Data"}
    assert any(note.startswith("By sprints, BROKER: drawn") for note in found.notes)
