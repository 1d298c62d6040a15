"""Kinds of histories: what a forecast of each has to keep, whatever the numbers.

Many histories a case, for a model takes as long for one as for ten.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmo_analytics.forecasting.guarded import history_draws
from tests.support.counts import tried

pytestmark = pytest.mark.filterwarnings("ignore::pmo_analytics.errors.PmoWarning")
MANY = settings(max_examples=tried(4), deadline=None)
COUNT = 48


def quantiles(values: np.ndarray, horizon: int = 6) -> np.ndarray:
    """Return p10, p50 and p90 of histories, shape (3, series, horizon)."""
    periods = pd.period_range("2021-01", periods=values.shape[1], freq="M")
    past = pd.DataFrame(values.T, index=periods)
    rng = np.random.default_rng(0)
    draws, _ = history_draws(past, horizon, 60, rng, "combination")
    assert np.isfinite(draws).all()
    return np.quantile(draws, (0.1, 0.5, 0.9), axis=0).transpose(0, 2, 1)


def wobble(seed: int, rows: int, size: float) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0, size, (rows, COUNT))


def six(low: float, high: float) -> st.SearchStrategy[np.ndarray]:
    numbers = st.floats(low, high)
    return st.lists(numbers, min_size=6, max_size=6).map(np.array)


@MANY
@given(low=six(3, 20), rise=six(1.5, 5), after=six(6, 12), seed=st.integers(0, 99))
def test_a_shift_is_forecast_from_its_new_level(low, rise, after, seed):
    old, new = low.copy(), low * rise
    # Half of them fall.
    old[::2], new[::2] = new[::2].copy(), old[::2].copy()
    later = np.arange(COUNT) >= COUNT - after.astype(int)[:, None]
    values = np.where(later, new[:, None], old[:, None]) + wobble(seed, 6, 0.1)
    low10, middle, high = quantiles(values)
    step, level = np.abs(new - old)[:, None], new[:, None]
    # Nobody has to be hired for a step that is over, and it does not go on.
    assert (np.abs(middle - level) < 0.1 * step + 0.5).all()
    assert (high < level + 0.5 * step + 1.0).all()
    assert (low10 > level - 0.5 * step - 1.0).all()


@MANY
@given(begin=six(1, 20), slope=six(0.2, 2), seed=st.integers(0, 99))
def test_a_ramp_goes_on_and_does_not_run_away(begin, slope, seed):
    line = begin[:, None] + slope[:, None] * np.arange(COUNT)
    values = line + wobble(seed, 6, 0.02)
    low, middle, high = quantiles(values)
    last, slope = values[:, -1:], slope[:, None]
    assert (middle > last - 2 * slope).all()
    assert (middle < last + 12 * slope).all()
    assert (low > 0.5 * last).all()
    assert (high < 2.0 * last + 12 * slope).all()


@MANY
@given(level=six(3, 50), times=six(5, 30), at=six(5, 40), seed=st.integers(0, 99))
def test_a_single_outlier_does_not_count(level, times, at, seed):
    values = level[:, None] * (1.0 + wobble(seed, 6, 0.02))
    with_one = values.copy()
    with_one[np.arange(6), at.astype(int)] *= times
    told = quantiles(np.r_[values, with_one])
    apart = np.abs(told[:, 6:] - told[:, :6])
    assert (apart < 0.25 * level[:, None]).all()


@MANY
@given(every=six(3, 9), size=six(0.5, 700), seed=st.integers(0, 99))
def test_what_is_mostly_zero_stays_within_its_values(every, size, seed):
    there = (np.arange(COUNT) + 1) % every.astype(int)[:, None] == 0
    values = there * size[:, None] * (1.0 + wobble(seed, 6, 0.1))
    low, middle, high = quantiles(np.r_[values, np.zeros((1, COUNT))])
    most = values.max(axis=1)[:, None]
    assert (low >= 0.0).all()
    assert (high[:6] <= most + 1e-4).all()
    assert (middle[:6] <= most).all()
    assert high[6] == pytest.approx(0.0, abs=1e-9)


@MANY
@given(
    many=st.lists(
        st.lists(st.floats(0.5, 50), min_size=1, max_size=18), min_size=4, max_size=6
    )
)
def test_a_short_history_stays_near_its_values(many):
    values = np.full((len(many), 18), np.nan)
    for row, own in zip(values, many, strict=True):
        row[18 - len(own) :] = own
    low, middle, high = quantiles(values)
    least, most = np.nanmin(values, axis=1), np.nanmax(values, axis=1)
    assert (low >= 0.0).all()
    assert (low <= middle + 1e-6).all()
    assert (middle <= high + 1e-6).all()
    assert (high <= (most + 3.0 * (2.0 * most - least))[:, None]).all()
    few = np.array([len(own) < 6 for own in many])
    # So few tell of no trend.
    assert (middle[few] >= least[few, None] - 1e-3).all()
    assert (middle[few] <= most[few, None] + 1e-3).all()
