"""Forecasts made again: nothing known too early, errors by hand, the naive guard."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import pmo_analytics as pmo
from pmo_analytics import metrics
from pmo_analytics.errors import ConfigError
from pmo_analytics.forecasting.guarded import history_draws
from pmo_analytics.forecasting.models.registry import MODELS
from tests.support.counts import ALL

PERIODS = pd.period_range("2023-01", periods=48, freq="M")


def wave(noise: float = 0.0, seed: int = 0) -> pd.DataFrame:
    t = np.arange(48)
    shaken = np.random.default_rng(seed).normal(0, noise, 48)
    load = 4 + np.sin(t * 2 * np.pi / 12) + shaken
    return pd.DataFrame({"Dev": load, "Test": load / 2}, index=PERIODS)


def test_the_contract_of_the_table():
    table = pmo.backtest(wave(), horizon=6, windows=3, step=2)
    assert list(table.columns) == [
        *("role", "cutoff", "period", "model", "forecast", "p10", "p90", "actual")
    ]
    assert set(table["model"]) == {"combination", "naive", "seasonal_naive"}
    assert sorted(set(table["cutoff"].astype(str))) == ["2026-02", "2026-04", "2026-06"]
    assert (table["period"] > table["cutoff"]).all()
    assert len(table) == 2 * 3 * 3 * 6
    assert (table["p10"] <= table["p90"]).all()


def test_nothing_is_known_before_it_happened():
    history = wave(0.3)
    changed = history.copy()
    changed.iloc[-8:] += 100.0
    keys = ["role", "cutoff", "period", "model"]
    one, other = (
        pmo.backtest(h, horizon=8, windows=1).set_index(keys).drop(columns="actual")
        for h in (history, changed)
    )
    pd.testing.assert_frame_equal(one, other)


def test_naive_errors_by_hand():
    history = pd.DataFrame({"Dev": [1.0, 2.0, 4.0, 7.0]}, index=PERIODS[:4])
    table = pmo.backtest(history, horizon=1, windows=2, models=("naive",), season=1)
    rows = table[table["model"] == "naive"]
    assert rows["forecast"].tolist() == [2.0, 4.0]
    assert rows["actual"].tolist() == [4.0, 7.0]
    assert metrics.mean_absolute_error(rows) == 2.5
    assert metrics.bias(rows) == -2.5
    assert metrics.smape(rows) == pytest.approx(100 * (2 / 6 + 3 / 11))


def test_short_histories_have_no_backtest_and_say_nothing_wrong():
    for count in (0, 1):
        assert pmo.backtest(wave().iloc[:count]).empty
    assert len(pmo.backtest(wave().iloc[:4], horizon=12)) > 0
    with pytest.raises(ConfigError, match="windows of 1 or more"):
        pmo.backtest(wave(), windows=0)


def test_gaps_are_left_out_of_the_comparison():
    history = wave()
    history.iloc[40, 0] = np.nan
    table = pmo.backtest(history, horizon=12, windows=1)
    assert "2026-05" not in set(table.loc[table["role"] == "Dev", "period"].astype(str))
    assert "2026-05" in set(table.loc[table["role"] == "Test", "period"].astype(str))


def test_a_model_far_worse_than_the_naive_ones_is_given_up():
    rows = []
    for cutoff in PERIODS[:4]:
        for role, error in (("Good", 0.1), ("Bad", 3.0)):
            for model, apart in (
                ("theta", error),
                ("naive", 2.0),
                ("seasonal_naive", 1.0),
            ):
                rows.append((role, cutoff, model, 5.0 + apart, 5.0))
    columns = ["role", "cutoff", "model", "forecast", "actual"]
    chosen = pmo.forecasting.choose_models(pd.DataFrame(rows, columns=columns), "theta")
    assert chosen.to_dict() == {"Bad": "seasonal_naive", "Good": "theta"}


def test_the_guard_is_said_and_the_draws_are_whole():
    noise = np.random.default_rng(3).normal(0, 1, 48).cumsum() + 30
    past = pd.DataFrame({"Walk": noise, "Wave": wave()["Dev"]}, index=PERIODS)
    draws, notes = history_draws(past, 6, 300, np.random.default_rng(0), "ses")
    assert draws.shape == (300, 6, 2)
    assert np.isfinite(draws).all()
    said = [note for note in notes if "far more wrong than naive" in note]
    assert [note.split(":")[0] for note in said] == ["Wave"]
    assert "seasonal_naive is used" in said[0]


def test_draws_hold_what_comes_about_as_often_as_they_say():
    inside = []
    for seed in range(40 if ALL else 10):
        history = wave(0.4, seed)
        draws, _ = history_draws(
            history.iloc[:36, :1], 12, 400, np.random.default_rng(seed), "combination"
        )
        low, high = np.quantile(draws[:, :, 0], (0.1, 0.9), axis=0)
        actual = history["Dev"].to_numpy()[36:]
        inside.append(((actual >= low) & (actual <= high)).mean())
    assert 0.7 < np.mean(inside) < 0.92


def test_a_function_is_a_model_too():
    def fives(y, horizon, season):
        assert season == 12
        return np.full((len(y), horizon), 5.0)

    table = pmo.backtest(wave(), horizon=3, windows=1, models=(fives, "theta"))
    assert set(table["model"]) == {"fives", "theta", "naive", "seasonal_naive"}
    assert (table.loc[table["model"] == "fives", "forecast"] == 5.0).all()


def test_a_model_by_name_gives_each_role_what_it_gives_it_alone():
    history = wave(0.3)
    history.loc[PERIODS[:9], "Dev"] = np.nan
    table = pmo.backtest(history, horizon=4, windows=3)
    own = table[(table["model"] == "combination") & (table["role"] == "Dev")]
    cutoff = own["cutoff"].max()
    told = MODELS["combination"](history.loc[:cutoff, ["Dev"]].to_numpy().T, 4, 12)
    assert own["forecast"].tail(4).tolist() == pytest.approx(told[0], abs=1e-6)


def test_without_intervals_the_forecasts_are_the_same():
    whole, bare = (
        pmo.backtest(wave(0.2), horizon=4, windows=2, intervals=intervals)
        for intervals in (True, False)
    )
    assert bare["p10"].isna().all()
    assert bare["forecast"].tolist() == whole["forecast"].tolist()
