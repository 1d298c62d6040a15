"""Losses of forecasts, each worked by hand or against its definition."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import pmo_analytics as pmo
from pmo_analytics.metrics import mase, rmsse

MONTHS = pd.period_range("2027-01", periods=8, freq="M")
# Changes of 1, 2, 3, ... from month to month; of 3, 5, 7, ... over two months.
HISTORY = pd.DataFrame({"Dev": [0.0, 1, 3, 6, 10, 15, 21, 28], "Flat": 2.0}, MONTHS)


def table() -> pd.DataFrame:
    """Return two months after April and one after May of Dev, and one of Flat."""
    rows = [
        ("Dev", 3, 4, 11.0, 8.0, 14.0),
        ("Dev", 3, 5, 11.0, 9.0, 14.0),
        ("Dev", 4, 5, 18.0, 16.0, 20.0),
        ("Flat", 3, 4, 2.0, 2.0, 2.0),
    ]
    return pd.DataFrame(
        [
            {
                "role": role,
                "cutoff": MONTHS[cutoff],
                "period": MONTHS[period],
                "model": "theta",
                "forecast": told,
                "p10": low,
                "p90": high,
                "actual": HISTORY[role].iloc[period],
            }
            for role, cutoff, period, told, low, high in rows
        ]
    )


def test_plain_losses_by_hand():
    # Errors +1, -4, +3 and 0.
    assert pmo.metrics.mean_absolute_error(table()) == 2.0
    assert pmo.metrics.bias(table()) == 0.0
    shares = [1 / 21, 4 / 26, 3 / 33, 0.0]
    assert pmo.metrics.smape(table()) == pytest.approx(200 * np.mean(shares))
    zeros = table().assign(forecast=0.0, actual=0.0)
    assert pmo.metrics.smape(zeros) == 0.0


def test_scaled_losses_by_hand():
    # Changes until April: 1, 2, 3; until May also 4. Flat has none and is left out.
    assert pmo.metrics.mase(table(), HISTORY, 1) == pytest.approx(
        np.mean([1 / 2, 4 / 2, 3 / 2.5])
    )
    first = np.sqrt(np.mean([1, 16]) / np.mean([1, 4, 9]))
    second = np.sqrt(9 / np.mean([1, 4, 9, 16]))
    assert pmo.metrics.rmsse(table(), HISTORY, 1) == pytest.approx((first + second) / 2)
    # Over two months: 3, 5 until April and 7 more until May.
    assert pmo.metrics.mase(table(), HISTORY, 2) == pytest.approx(
        np.mean([1 / 4, 4 / 4, 3 / 5])
    )
    flat = table().query("role == 'Flat'")
    assert np.isnan(pmo.metrics.mase(flat, HISTORY, 1))
    assert np.isnan(pmo.metrics.rmsse(flat, HISTORY, 1))


def test_interval_losses_by_hand():
    # Actual 10 in 8-14, 15 not in 9-14, 15 not in 16-20, 2 in 2-2.
    assert pmo.metrics.coverage(table()) == 0.5
    low = [0.1 * 2, 0.1 * 6, 0.9 * 1, 0.0]
    high = [0.1 * 4, 0.9 * 1, 0.1 * 5, 0.0]
    assert pmo.metrics.pinball(table(), "p10") == pytest.approx(np.mean(low))
    assert pmo.metrics.pinball(table(), "p90") == pytest.approx(np.mean(high))


def test_crps_by_its_definition():
    rng = np.random.default_rng(0)
    draws = rng.normal(size=(30, 4, 2))
    actual = rng.normal(size=(4, 2))
    actual[1, 1] = np.nan
    expected = []
    for at in np.ndindex(4, 2):
        own = draws[(slice(None), *at)]
        if np.isfinite(actual[at]):
            pairs = np.abs(own[:, None] - own[None, :]).mean()
            expected.append(np.abs(own - actual[at]).mean() - pairs / 2)
    assert pmo.metrics.crps(draws, actual) == pytest.approx(np.mean(expected))
    assert pmo.metrics.crps(np.array([[3.0]]), np.array([5.0])) == 2.0
    assert np.isnan(pmo.metrics.crps(draws, np.full((4, 2), np.nan)))
    # Draws around the truth beat draws beside it.
    assert pmo.metrics.crps(draws, actual) < pmo.metrics.crps(draws + 3.0, actual)


def test_every_loss_of_each_model_beside_what_is_promised():
    both = pd.concat([table(), table().assign(model="naive", forecast=100.0)])
    losses = pmo.metrics.forecast_losses(both, HISTORY, season=1)
    assert losses["model"].tolist() == ["theta", "naive"]
    first = losses.iloc[0]
    assert first["count"] == 4
    assert first["mase"] == pmo.metrics.mase(table(), HISTORY, 1)
    assert (first["nominal"], first["coverage"]) == (0.8, 0.5)
    empty = pmo.metrics.forecast_losses(both.iloc[:0], HISTORY, season=1)
    assert empty.empty
    assert list(empty.columns) == list(losses.columns)


def test_scaled_errors_of_many_roles_are_those_of_each_role_and_cutoff():
    months = pd.period_range("2027-01", periods=10, freq="M")
    rng = np.random.default_rng(3)
    history = pd.DataFrame(rng.random((10, 3)), index=months, columns=list("ABC"))
    history["B"] = 1.0  # never moves: is left out
    history.loc[months[:6], "C"] = np.nan
    table = pd.DataFrame(
        [
            {"role": role, "cutoff": months[k], "forecast": f, "actual": a}
            for role in "CAB"
            for k in (5, 7)
            for f, a in rng.random((2, 2))
        ]
    )
    absolute, squared = [], []
    for (role, cutoff), rows in table.groupby(["role", "cutoff"]):
        moves = history[role][history.index <= cutoff].diff(2)
        apart = (rows["forecast"] - rows["actual"]).abs()
        if moves.abs().mean() > 0:
            absolute += list(apart / moves.abs().mean())
            squared.append(((apart**2).mean() / (moves**2).mean()) ** 0.5)
    assert len(squared) == 2
    assert mase(table, history, 2) == pytest.approx(np.mean(absolute), rel=1e-12)
    assert rmsse(table, history, 2) == pytest.approx(np.mean(squared), rel=1e-12)
