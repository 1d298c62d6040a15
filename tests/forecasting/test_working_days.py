"""Histories of hours: what moves with the working days is forecast with them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import pmo_analytics as pmo
from pmo_analytics.clock import Settings, working_days
from pmo_analytics.clock.periods import make_horizon
from pmo_analytics.forecasting.models.working_days import days_of
from pmo_analytics.portfolio import Portfolio

MONTHS = pd.period_range("2024-01", periods=36, freq="M")
# Contract hours of a day, and the hours of 1 FTE in a month.
DAY, FTE = 8.0, 40 * 52.1775 / 12


def told(load: np.ndarray, country: str = "") -> pmo.forecasting.Forecast:
    rows = pd.DataFrame(
        {"period": MONTHS[-len(load) :].astype(str), "role": "Dev", "kind": "total"}
    )
    portfolio = Portfolio(
        "Hours",
        horizon=make_horizon("2027-01", 12, "M"),
        history=rows.assign(load_fte=load),
        settings=Settings(country=country),
    )
    return pmo.forecast_demand(portfolio, periods=12, draws=200)


def hours(heads: np.ndarray, country: str) -> np.ndarray:
    """Return the FTE of who works every working day of the last months."""
    days = working_days(MONTHS[-len(heads) :], country).to_numpy()
    return heads * days * DAY / FTE


@pytest.mark.filterwarnings("ignore:Dev. 13 values")
@pytest.mark.parametrize("count", [13, 36])
@pytest.mark.parametrize("country", ["", "DE"])
def test_the_same_people_in_months_of_20_and_of_23_days_are_forecast_flat(
    count, country
):
    forecast = told(hours(np.full(count, 5.0), country), country)
    days = working_days(forecast.periods, country).to_numpy()
    per_day = forecast.grid("p50")["Dev"].to_numpy() * FTE / DAY / days
    assert per_day == pytest.approx(5.0, rel=1e-3)
    assert any("follows the working days" in note for note in forecast.notes)
    why = forecast.why("Dev")
    assert any("working days" in name for name in why.parts.columns)
    mean = forecast.draws.mean(axis=0)[:, 0]
    assert why.parts.sum(axis=1).to_numpy() == pytest.approx(mean, abs=1e-5)


def test_heads_do_not_follow_the_days():
    forecast = told(np.full(36, 5.0), "DE")
    assert forecast.grid("p50")["Dev"].to_numpy() == pytest.approx(5.0)
    assert not any("working days" in note for note in forecast.notes)


def test_what_happens_by_chance_or_by_season_is_not_taken_for_days():
    rng = np.random.default_rng(0)
    months = np.where(MONTHS.month == 2, 0.9, 1.0)[:, None]
    heads = 10.0 * months * np.exp(rng.normal(0, 0.05, (36, 200)))
    grid = pd.DataFrame(heads, index=MONTHS)
    assert days_of(grid, "DE").follows.mean() <= 0.01
    share = working_days(MONTHS, "DE").to_numpy()[:, None] / 21.0
    noisy = 10.0 * months * share * np.exp(rng.normal(0, 0.02, (36, 200)))
    assert days_of(pd.DataFrame(noisy, index=MONTHS), "DE").follows.mean() > 0.95


def test_a_shift_a_gap_and_zeros_do_not_hide_the_days():
    heads = np.full(36, 5.0)
    heads[20:] = 9.0
    load = hours(heads, "DE")
    load[[3, 30]] = 0.0, np.nan
    assert days_of(pd.DataFrame({"Dev": load}, index=MONTHS), "DE").follows.all()


def test_a_backtest_knows_the_days_that_come():
    grid = pd.DataFrame({"Dev": hours(np.full(36, 5.0), "DE")}, index=MONTHS)
    portfolio = Portfolio(
        "Hours",
        horizon=make_horizon("2027-01", 12, "M"),
        settings=Settings(country="DE"),
    )
    table = pmo.backtest(grid, horizon=6, windows=2, portfolio=portfolio)
    own = table[table["model"] == "combination"]
    assert own["forecast"].to_numpy() == pytest.approx(own["actual"], rel=1e-3)
