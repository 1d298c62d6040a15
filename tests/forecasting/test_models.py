"""Models of time series: by hand, on the competition data, and on odd series."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmo_analytics.errors import ConfigError
from pmo_analytics.forecasting.intervals import spread_of
from pmo_analytics.forecasting.models.registry import MODELS, find_model
from pmo_analytics.forecasting.models.series import read_series, seasonal_indices
from tests.support.counts import tried
from tests.support.real_data import DATA

M3 = DATA / "forecasting" / "m3_data.json"
NAN = float("nan")


def one(name: str, values: list[float], horizon: int = 3, season: int = 1):
    return MODELS[name](np.array([values]), horizon, season)[0]


def test_the_naive_ones_by_hand():
    assert one("naive", [1, 2, 5]).tolist() == [5, 5, 5]
    assert one("drift", [1, 2, 5]).tolist() == [7, 9, 11]
    assert one("seasonal_naive", [9, 1, 2, 3, 4], 5, 4).tolist() == [1, 2, 3, 4, 1]
    # Shorter than a season: the last value.
    assert one("seasonal_naive", [1, 2], 3, 4).tolist() == [2, 2, 2]


def test_simple_smoothing_of_a_step_ends_between_the_levels():
    forecast = one("ses", [1.0] * 10 + [3.0] * 2)
    assert 1.0 < forecast[0] <= 3.0
    assert (forecast == forecast[0]).all()


def test_trends_go_on():
    line = [2.0 + 0.5 * t for t in range(20)]
    assert one("holt", line) == pytest.approx([12.0, 12.5, 13.0], abs=0.01)
    damped = one("damped", line, 50)
    assert 12.0 < damped[-1] < 2.0 + 0.5 * 69


def test_a_pattern_is_repeated():
    pattern = [5.0, 1.0, 3.0, 7.0]
    for name in ("holt_winters", "holt_winters_additive", "theta", "combination"):
        assert one(name, pattern * 6, 4, 4) == pytest.approx(pattern, rel=0.05)


def test_theta_adds_half_the_slope():
    line = [1.0 + t for t in range(30)]
    forecast = one("theta", line, 2)
    assert forecast[1] - forecast[0] == pytest.approx(0.5)


def test_intermittent_demand_by_hand():
    # Size 2 every 2 periods: 1 a period, less half of the smoothing of 0.1.
    assert one("croston_sba", [0, 2] * 20)[0] == pytest.approx(0.95)
    assert one("tsb", [0, 2] * 20)[0] == pytest.approx(1.0, abs=0.06)
    # What is no longer asked for dies away with TSB and stays with Croston.
    assert one("tsb", [2] * 10 + [0] * 30)[0] < 0.1
    assert one("croston_sba", [2] * 10 + [0] * 30)[0] > 1.5


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(
    ("values", "low", "high"),
    [
        ([4.0], 4, 4),
        ([3.0] * 40, 3, 3),
        ([0.0] * 40, 0, 0),
        ([NAN] * 30 + [2.0] * 10, 2, 2),
        ([2.0, NAN, 2.0, NAN, NAN, 2.0] * 5, 2, 2),
        ([-1.0] * 20, -1, -1),
        ([2.0, 2.0, 2.0], 2, 2),
    ],
)
def test_odd_series_have_an_answer(name, values, low, high):
    forecast = one(name, values, 5, 12)
    slack = 0.06 * max(abs(low), abs(high)) + 1e-9  # Croston's correction
    assert np.isfinite(forecast).all()
    assert (forecast >= low - slack).all()
    assert (forecast <= high + slack).all()


@pytest.mark.parametrize("name", MODELS)
def test_a_series_without_a_value_has_no_forecast(name):
    told = MODELS[name](np.array([[NAN, NAN], [1.0, 1.0]]), 2, 1)
    assert np.isnan(told[0]).all()
    assert np.isfinite(told[1]).all()


@settings(max_examples=tried(80), deadline=None)
@given(
    st.lists(
        st.lists(st.floats(0, 50, allow_nan=False), min_size=1, max_size=40),
        min_size=2,
        max_size=4,
    ),
    st.sampled_from(sorted(MODELS)),
)
def test_series_do_not_know_of_each_other(rows, name):
    length = max(len(row) for row in rows)
    y = np.full((len(rows), length), NAN)
    for k, row in enumerate(rows):
        y[k, length - len(row) :] = row
    together = MODELS[name](y, 4, 4)
    assert (together >= 0).all()
    for k in range(len(rows)):
        alone = MODELS[name](y[k : k + 1], 4, 4)[0]
        assert together[k] == pytest.approx(alone, rel=1e-6, abs=1e-6)


def test_a_misspelt_model_is_named():
    with pytest.raises(ConfigError, match="did you mean 'theta'"):
        find_model("tehta")


@cache
def monthly() -> tuple[np.ndarray, np.ndarray]:
    """Return the 1,428 monthly series of the M3 competition, and what came after."""
    rows = json.loads(M3.read_text(encoding="utf-8")).values()
    rows = [row for row in rows if row["period"][0] == "MONTHLY"]
    length = max(len(row["x"]) for row in rows)
    y = np.full((len(rows), length), NAN)
    for k, row in enumerate(rows):
        y[k, length - len(row["x"]) :] = row["x"]
    return y, np.array([row["xx"] for row in rows])


@cache
def forecast_of(name: str) -> np.ndarray:
    """Return what a model says of them."""
    y, actual = monthly()
    return MODELS[name](y, actual.shape[1], 12)


def errors(name: str) -> tuple[float, float]:
    """Return sMAPE and MASE."""
    (y, actual), told = monthly(), forecast_of(name)
    apart = np.abs(told - actual)
    scale = np.nanmean(np.abs(y[:, 12:] - y[:, :-12]), axis=1)
    relative = 200.0 * apart / (np.abs(told) + np.abs(actual))
    return float(relative.mean()), float((apart.mean(axis=1) / scale).mean())


@pytest.mark.skipif(not M3.exists(), reason="../shared/data/forecasting is not here")
def test_the_m3_competition():
    # As published for the data and as Theta was entered in it.
    assert errors("seasonal_naive") == pytest.approx((17.234, 1.1461), abs=1e-3)
    assert errors("theta")[0] == pytest.approx(13.85, abs=0.05)
    smape, mase = errors("combination")
    assert smape < 13.5
    assert mase < 0.83


@pytest.mark.skipif(not M3.exists(), reason="../shared/data/forecasting is not here")
def test_intervals_on_the_m3_competition_hold_what_they_promise():
    y, actual = monthly()
    model = MODELS["combination"]
    told = forecast_of("combination")
    spread = spread_of(y, actual.shape[1], 12, model)
    low = told + spread.scale * spread.quantile(0.1)
    high = told + spread.scale * spread.quantile(0.9)
    inside = (actual >= low) & (actual <= high)
    assert 0.78 < inside.mean() < 0.82
    assert (np.abs(inside.mean(axis=0) - 0.8) < 0.04).all()


def test_an_unsure_season_is_drawn_towards_none():
    noise = np.random.default_rng(0).normal(0, 1, (1, 60)) + 20
    wave = 20 + 5 * np.sin(np.arange(60) * 2 * np.pi / 12)[None, :]
    for ratio, neutral in ((True, 1.0), (False, 0.0)):
        plain, drawn = (
            np.abs(
                seasonal_indices(read_series(noise), 12, ratio=ratio, shrink=shrink)
                - neutral
            ).sum()
            for shrink in (False, True)
        )
        assert drawn < 0.5 * plain
        sure = [
            seasonal_indices(read_series(wave), 12, ratio=ratio, shrink=shrink)
            for shrink in (False, True)
        ]
        assert sure[1] == pytest.approx(sure[0], rel=1e-3, abs=1e-3)


def test_intervals_are_wider_for_calm_short_histories_wherever_they_stand():
    # The same moves around a level of 10 and of 2; of 200 months it does not matter.
    rng = np.random.default_rng(0)
    for months, ratio in ((30, 5.0**0.145), (200, 1.0)):
        moves = rng.normal(0.0, 0.3, (1, months))
        errors = np.ones((1, 1, 6))
        calm, restless = (
            spread_of(level * (1 + 0 * moves) + moves, 6, 12, None, errors=errors)
            for level in (10.0, 2.0)
        )
        wider = calm.scale / restless.scale
        assert wider == pytest.approx(np.full((1, 6), ratio), rel=0.05)


def test_intervals_of_a_short_history_do_not_hold_on_to_one_error():
    # Two years: errors come from more than the last month.
    rng = np.random.default_rng(5)
    y = 10 + rng.normal(0, 1, (200, 36)).cumsum(axis=1) * 0.3
    told = MODELS["combination"](y[:, :24], 12, 12)
    spread = spread_of(y[:, :24], 12, 12, MODELS["combination"])
    low, high = (told + spread.scale * spread.quantile(q) for q in (0.1, 0.9))
    inside = (y[:, 24:] >= low) & (y[:, 24:] <= high)
    assert 0.7 < inside.mean() < 0.9
    assert inside.mean(axis=0).min() > 0.65


@pytest.mark.parametrize("count", [12, 18, 24])
def test_of_one_to_two_years_last_year_counts_by_up_to_half(count):
    t = np.arange(count + 12)
    wave = 10.0 + 3.0 * np.sin(2 * np.pi * t / 12)
    ramp = 10.0 + t
    told = MODELS["combination"](np.array([wave, ramp])[:, :count], 12, 12)
    without = MODELS["combination"](np.array([wave])[:, :count], 12, 52)
    wrong, more_wrong = (np.abs(x - wave[count:]).mean() for x in (told[0], without[0]))
    assert wrong < 0.75 * more_wrong
    assert np.corrcoef(told[0], wave[count:])[0, 1] > 0.8
    # A ramp is not turned back.
    assert (told[1] > ramp[count - 1]).all()


@pytest.mark.parametrize("count", [6, 8, 11])
def test_less_than_a_year_has_a_trend_only_where_it_is_straight(count):
    t = np.arange(count)
    ramp, wave = 10.0 + t, 10.0 + 3.0 * np.sin(2 * np.pi * t / 12)
    told = MODELS["combination"](np.array([ramp, wave]), 12, 12)
    assert (told[0] > ramp[-1]).all()
    assert wave.min() - 0.5 < told[1].min()
    assert told[1].max() < wave.max() + 0.5
    quarters = MODELS["combination"](np.array([wave]), 12, 4)
    assert np.ptp(told[1]) <= np.ptp(quarters[0])


def test_a_season_of_52_weeks_is_told_from_chance():
    rng = np.random.default_rng(4)
    t = np.arange(172)
    wave = 10 + 3 * np.sin(t * 2 * np.pi / 52) + rng.normal(0, 0.7, (20, 172))
    wrong = {
        name: np.abs(MODELS[name](wave[:, :160], 12, 52) - wave[:, 160:]).mean()
        for name in ("combination", "seasonal_naive")
    }
    assert wrong["combination"] < 0.95 * wrong["seasonal_naive"]
