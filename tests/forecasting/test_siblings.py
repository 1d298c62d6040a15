"""Roles of the same team or parent lend season and spread to short histories."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import pmo_analytics as pmo
from pmo_analytics.clock.periods import make_horizon
from pmo_analytics.forecasting.models.siblings import Kin, lend, siblings_of
from pmo_analytics.portfolio import Portfolio

WAVE = 1.0 + 0.3 * np.sin(2 * np.pi * np.arange(12) / 12)
ROLES = ("Dev", "Ops", "Test")


def grid(short: int, season: int = 12, years: int = 4, seed: int = 1) -> pd.DataFrame:
    """Return roles of one wave; of the last one only the last values are known."""
    rng = np.random.default_rng(seed)
    freq, start = {12: ("M", "2023-01"), 4: ("Q", "2023Q1"), 52: ("W", "2023-01-02")}[
        season
    ]
    count = season * years
    wave = np.interp(np.arange(count) % season, np.arange(12) * season / 12, WAVE)
    periods = pd.period_range(start, periods=count, freq=freq)
    noise = rng.normal(1.0, 0.02, (count, len(ROLES)))
    values = wave[:, None] * np.array([10.0, 20.0, 5.0]) * noise
    past = pd.DataFrame(values, index=periods, columns=list(ROLES))
    past.iloc[: count - short, -1] = np.nan
    return past


def portfolio(past: pd.DataFrame, **roles: str) -> Portfolio:
    rows = past.rename_axis(index="period", columns="role").T.stack()
    history = rows.rename("load_fte").reset_index().assign(kind="total")
    horizon = make_horizon(str(past.index[-1] + 1), 12, past.index.freqstr)
    listed = pd.DataFrame([{"role": role, **roles} for role in past.columns])
    return Portfolio("kin", horizon=horizon, history=history, roles=listed)


@pytest.mark.filterwarnings("ignore::pmo_analytics.errors.PmoWarning")
@pytest.mark.parametrize("short", [3, 6, 12, 18])
def test_a_short_history_has_the_season_of_its_siblings(short):
    past = grid(short)
    wave = 5.0 * WAVE
    wrong = {}
    for kind, roles in (("alone", {}), ("kin", {"team": "IT"})):
        load = pmo.forecast_demand(portfolio(past, **roles), draws=200)
        wrong[kind] = np.abs(load.grid("p50")["Test"].to_numpy() - wave).mean()
    assert wrong["kin"] < 0.35
    assert wrong["kin"] < 0.75 * wrong["alone"]
    assert any(
        "Test: its history is short" in n and "Dev, Ops" in n for n in load.notes
    )
    said = dict(load.why("Test").said)["season"]
    assert "of the season of its siblings" in said
    assert "Dev, Ops" in said
    parts = load.why("Test").parts.sum(axis=1)
    assert parts.to_numpy() == pytest.approx(load.grid("mean")["Test"], abs=1e-4)
    # Those of whole histories have what is their own.
    own = pmo.forecast_demand(portfolio(past), draws=200).grid("p50")
    assert load.grid("p50")["Dev"].to_numpy() == pytest.approx(own["Dev"], rel=1e-6)


def test_a_parent_role_makes_siblings_and_nothing_else_does():
    past = grid(6)
    assert siblings_of(portfolio(past, parent="All"))["Test"] == [list(ROLES)]
    assert siblings_of(portfolio(past)) == {}
    people = pd.DataFrame({"person": ["A", "B"], "role": ["Dev", "Ops"], "team": "T"})
    of_people = portfolio(past).replace(people=people)
    assert siblings_of(of_people) == {"Dev": [["Dev", "Ops"]], "Ops": [["Dev", "Ops"]]}


@pytest.mark.parametrize("season", [4, 12, 52])
def test_what_is_lent_is_the_wave(season):
    past = grid(season // 2 or 1, season)
    kin = Kin({role: [list(ROLES)] for role in ROLES}, past)
    loan = lend(past, season, kin)
    assert list(loan.lent) == [False, False, True]
    wave = np.interp(np.arange(season), np.arange(12) * season / 12, WAVE)
    wanted = wave / np.exp(np.log(wave).mean())
    assert loan.pattern[2] == pytest.approx(wanted, abs=0.06)
    assert (loan.pattern[:2] == 1.0).all()
    assert 0.7 < loan.share[2] <= 1.0


def test_siblings_that_do_not_agree_and_values_that_gainsay_lend_little():
    past = grid(6)
    kin = Kin({"Test": [list(ROLES)]}, past)
    agreed = np.ptp(np.log(lend(past, 12, kin).pattern[2]))
    apart = past.copy()
    apart["Ops"] = np.roll(past["Ops"], 6)
    lent = lend(apart, 12, Kin({"Test": [list(ROLES)]}, apart))
    assert np.ptp(np.log(lent.pattern[2])) < 0.2 * agreed
    against = past.copy()
    against["Test"] = 25.0 / against["Test"]
    assert lend(against, 12, kin).share[2] < 0.75
    # Long enough oneself, one sibling alone, values of 0: nothing is lent.
    for few in (grid(25), past[["Dev", "Test"]], past.assign(Test=past["Test"] * 0.0)):
        assert not lend(few, 12, Kin({"Test": [list(few.columns)]}, few)).lent.any()
    assert not lend(past, 12, None).lent.any()
    assert not lend(past, 1, kin).lent.any()


@pytest.mark.filterwarnings("ignore::pmo_analytics.errors.PmoWarning")
def test_the_interval_leans_on_that_of_the_siblings():
    # The siblings swing by 20 %, three values of the role hardly.
    rng = np.random.default_rng(3)
    periods = pd.period_range("2023-01", periods=48, freq="M")
    values = 10.0 * np.exp(rng.normal(0, 0.2, (48, 3)))
    past = pd.DataFrame(values, index=periods, columns=list(ROLES))
    past["Test"] = np.nan
    past.iloc[-3:, 2] = [5.0, 5.01, 5.0]
    width = {}
    for kind, roles in (("alone", {}), ("kin", {"team": "IT"})):
        load = pmo.forecast_demand(portfolio(past, **roles), draws=400)
        table = load.table.set_index("role").loc["Test"]
        width[kind] = (table["p90"] - table["p10"]).mean() / 5.0
    assert width["kin"] > 1.3 * width["alone"]


def test_a_backtest_of_a_short_history_knows_what_is_lent():
    past = grid(18)
    asked = portfolio(past, team="IT")
    wrong, wide = {}, {}
    for kind, lent in (("alone", None), ("kin", asked)):
        table = pmo.backtest(past, horizon=12, windows=1, portfolio=lent)
        own = table[(table["role"] == "Test") & (table["model"] == "combination")]
        wrong[kind] = (own["forecast"] - own["actual"]).abs().mean()
        wide[kind] = (own["p90"] - own["p10"]).mean()
        other = table[(table["role"] == "Dev") & (table["model"] == "combination")]
        assert len(own) == len(other) == 12
    assert wrong["kin"] < 0.5 * wrong["alone"]
    assert wide["kin"] != wide["alone"]
