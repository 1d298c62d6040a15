"""Where a forecast comes from: sentences, numbers, and parts that add up."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

import pmo_analytics as pmo
from pmo_analytics.clock.periods import make_horizon
from pmo_analytics.errors import ConfigError, PmoWarning
from pmo_analytics.forecasting.reasons.series import split
from pmo_analytics.plotting import plot_why
from pmo_analytics.portfolio import Portfolio
from tests.support.forecasts import hand_worked

HORIZON = make_horizon("2027-01", 12, "M")


def of_history(values: list[float], horizon: pd.PeriodIndex = HORIZON) -> Portfolio:
    """Return a portfolio of nothing but the load of one role."""
    periods = pd.period_range(end=horizon[0] - 1, periods=len(values), freq="M")
    rows = pd.DataFrame({"period": periods, "role": "Dev", "kind": "total"})
    return Portfolio("past", horizon=horizon, history=rows.assign(load_fte=values))


def load_why(values: list[float], draws: int = 100):
    load = pmo.forecast_demand(of_history(values), draws=draws)
    return load, load.why("Dev")


def said(why) -> dict[str, str]:
    return dict(why.said)


@pytest.fixture(scope="module")
def example() -> pmo.Forecast:
    portfolio = pmo.example_portfolio()
    return pmo.forecast_headroom(portfolio, periods=12, draws=200)


def test_parts_add_up_to_the_mean(example):
    for forecast in (example, *example.parts):
        for role in forecast.roles:
            why = forecast.why(role)
            assert why.parts.sum(axis=1).to_numpy() == pytest.approx(
                forecast.grid("mean")[role].to_numpy(), abs=1e-5
            )
            assert (why.quantity, why.role) == (forecast.quantity, role)


def test_every_line_has_eighty_columns(example):
    for role in example.roles:
        text = str(example.why(role))
        assert max(map(len, text.splitlines())) <= 80
        assert text.startswith(f"{role}: headroom forecast, 2027-01 to 2027-12")


def test_the_numbers_of_headroom(example):
    role = example.roles[0]
    why = example.why(role)
    risk = why.table[why.table["what"] == "chance of overload"].iloc[0]
    chance = example.p_overload[role]
    assert risk["number"] == pytest.approx(100 * chance.max())
    assert chance[risk["period"]] == chance.max()
    topics = [topic for topic, _ in why.said]
    assert topics[0] == "risk"
    assert {"capacity, level", "load, leaves and comes", "load, range"} <= {*topics}
    assert set(why.table["quantity"]) == {"headroom", "capacity", "load"}


def test_a_shift_and_an_outlier_are_told_and_drawn():
    values = [5.0, 5.2, 4.9, 5.1, 9.0, 5.0] * 1 + [5.1, 4.9, 5.0, 5.2] * 3
    values += [12.1, 11.9, 12.0, 12.2, 11.8, 12.0, 12.1]
    load, why = load_why(values)
    assert "level moves by +6.9 FTE in 2026-06" in said(why)["break"]
    assert "2025-00" not in said(why)["outliers"]
    kinds = dict(zip(why.breaks["kind"], why.breaks["period"].astype(str), strict=True))
    assert kinds["shift"] == "2026-06"
    assert kinds["outlier"] == "2025-04"
    assert "errors from before 2026-06 do not" in said(why)["history"]
    assert why.past["counted"].iloc[0] == pytest.approx(12.0, abs=0.5)
    ax = plot_why(load, "Dev", ax=Figure().subplots())
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert {"history", "as it counted", "break", "outlier"} <= {*labels}


def test_season_and_trend_are_told():
    t = np.arange(48)
    wave = 20 + 0.1 * t + 4 * np.sin(2 * np.pi * t / 12)
    _, why = load_why(list(wave))
    assert "Highest in 2027-04" in said(why)["season"]
    assert "lowest in 2027-10" in said(why)["season"]
    rise = why.table[why.table["topic"] == "trend"]["number"].iloc[0]
    assert 0.5 < rise < 1.8
    _, flat = load_why([3.0] * 30)
    assert said(flat)["trend"] == "None: the level stays."
    assert said(flat)["season"].startswith("None")
    assert said(flat)["range"].endswith("None: all futures are alike.")
    with pytest.warns(PmoWarning, match="3 values of history"):
        _, short = load_why([3.0, 4.0, 3.5])
    assert "3 values of history, a season needs 25" in said(short)["season"]
    assert "too short to try it" in said(short)["model"]


def test_a_model_that_was_given_up_is_told():
    rng = np.random.default_rng(1)
    values = list(10 + 3 * rng.standard_normal(40).cumsum())
    portfolio = of_history(values)

    def wrong(y: np.ndarray, horizon: int, _season: int) -> np.ndarray:
        return np.repeat(y[:, -1:] * 3.0, horizon, axis=1)

    why = pmo.forecast_demand(portfolio, draws=100, model=wrong).why("Dev")
    assert said(why)["model"].startswith("wrong: ")
    why = pmo.forecast_demand(portfolio, draws=100, model="naive").why("Dev")
    assert said(why)["model"].startswith("naive: forecast again from earlier")


def test_people_who_begin_and_end_are_told_by_their_last_day():
    people = pd.DataFrame(
        [
            ("Ann", "2020-01-01", "2027-03-31", 1.0),
            ("Bob", "2027-06-01", None, 0.5),
            # A contract that goes on is no change.
            ("Cid", "2020-01-01", "2027-04-30", 1.0),
            ("Cid", "2027-05-01", None, 1.0),
        ],
        columns=["person", "start", "end", "fte"],
    ).assign(role="Dev")
    portfolio = Portfolio("people", horizon=HORIZON, people=people)
    why = pmo.forecast_capacity(portfolio, draws=100).why("Dev")
    text = said(why)["leaves and comes"]
    assert "Begins: Bob 2027-06-01 (0.50 FTE). Ends: Ann 2027-03-31 (1.0 FTE)." in text
    assert "Cid" not in text
    rows = why.table[why.table["what"].isin(["begins: Bob", "ends: Ann"])]
    assert dict(zip(rows["what"], rows["number"], strict=True)) == {
        "begins: Bob": 0.5,
        "ends: Ann": -1.0,
    }


def test_candidates_are_told_with_their_share_of_the_futures():
    projects = pd.DataFrame(
        {
            "project": ["Sure", "May"],
            "status": ["approved", "proposed"],
            "start": ["2027-01", "2027-03"],
            "duration": [3, 4],
            "value": 1.0,
            "probability": [None, 0.4],
        }
    )
    demand = pd.DataFrame(
        [(p, "Dev", k, 2.0) for p, n in (("Sure", 3), ("May", 4)) for k in range(n)],
        columns=["project", "role", "offset", "fte"],
    )
    portfolio = Portfolio("p", horizon=HORIZON, projects=projects, demand=demand)
    portfolio = portfolio.replace(
        capacity=pd.DataFrame(9.0, index=HORIZON, columns=["Dev"])
    )
    load = pmo.forecast_demand(portfolio, draws=4000)
    why = load.why("Dev")
    assert list(why.parts.columns[:2]) == ["'Sure'", "'May'"] or set(
        why.parts.columns[:2]
    ) == {"'Sure'", "'May'"}
    assert why.parts["'Sure'"].to_list()[:4] == [2.0, 2.0, 2.0, 0.0]
    assert why.parts["'May'"].iloc[2] == pytest.approx(0.8, abs=0.1)
    assert "'May' in 2027-03 (expected up to 0.8" in said(why)["leaves and comes"]
    assert said(why)["load"].startswith("The whole pipeline")
    only = pmo.forecast_demand(portfolio, draws=100, scope="committed").why("Dev")
    assert "no candidates" in said(only)["load"]
    assert "'May'" not in only.parts


def test_what_cannot_be_told_is_refused(example):
    with pytest.raises(ConfigError, match=r"no role 'Devloper'.*did you mean"):
        example.why("Devloper")
    with pytest.raises(ConfigError, match="before it is summed up"):
        example.sum().why("all roles")
    with pytest.raises(ConfigError, match="Nothing is kept"):
        hand_worked().why("Developer")


@given(
    level=st.floats(0, 100),
    slope=st.floats(-2, 2),
    waves=st.lists(st.floats(-5, 5), min_size=4, max_size=4),
)
def test_a_line_with_a_season_is_split_into_both(level, slope, waves):
    pattern = np.array(waves) - np.mean(waves)
    steps = np.arange(1, 13)
    path = level + slope * steps + pattern[(steps - 1) % 4]
    start, trend, season = split(path, 4, 10)
    assert start == pytest.approx(level, abs=1e-8)
    assert trend == pytest.approx(slope * steps[:10], abs=1e-8)
    assert season == pytest.approx(pattern[(steps[:10] - 1) % 4], abs=1e-8)
    assert start + trend + season == pytest.approx(path[:10])
