"""Which roles run short: worked by hand, and against the draws themselves."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from pmo_analytics.errors import ConfigError
from pmo_analytics.forecasting.shortages import OUTLOOK_COLUMNS, outlook
from tests.support.forecasts import hand_worked, random_forecast


def test_by_hand():
    table = outlook(hand_worked(), chance=0.5).set_index("role")
    assert list(table.index) == ["Architect", "Developer", "Tester"]
    assert table["p_overload"].to_list() == [1.0, 0.75, 0.0]
    # Of three certain overloads the one with most missing.
    assert table["worst"].astype(str).to_list()[:2] == ["2027-03", "2027-01"]
    assert table["short_p50"].to_list() == [4.0, 1.0, 0.0]
    assert table["short_p80"].to_list() == [4.0, 1.0, 0.0]
    first = table["first_at_risk"]
    assert first.astype(str).to_list()[:2] == ["2027-01", "2027-01"]
    assert first.isna().to_list() == [False, False, True]
    assert table["periods_at_risk"].to_list() == [3, 1, 0]


@pytest.mark.parametrize("seed", range(5))
def test_against_the_draws(seed):
    forecast = random_forecast(6, 9, seed=seed)
    table = outlook(forecast, chance=0.3)
    assert list(table["short_p80"]) == sorted(table["short_p80"], reverse=True)
    for row in table.itertuples():
        draws = forecast.draws[:, :, forecast.roles.index(row.role)]
        chances = (draws < 0).mean(axis=0)
        assert row.p_overload == pytest.approx(chances.max())
        k = list(forecast.periods).index(row.worst)
        assert chances[k] == pytest.approx(chances.max())
        assert row.short_p50 == pytest.approx(
            max(0.0, -np.median(draws[:, k])), abs=1e-6
        )
        assert row.periods_at_risk == (chances >= 0.3).sum()
        if row.periods_at_risk:
            assert row.first_at_risk == forecast.periods[np.argmax(chances >= 0.3)]
        else:
            assert pd.isna(row.first_at_risk)


def test_no_roles_and_wrong_arguments():
    none = dataclasses.replace(hand_worked(), roles=(), draws=np.zeros((4, 3, 0)))
    assert list(outlook(none).columns) == list(OUTLOOK_COLUMNS)
    assert outlook(none).empty
    with pytest.raises(ConfigError, match="not of load"):
        outlook(dataclasses.replace(hand_worked(), quantity="load"))
    for chance in (0.0, 1.5):
        with pytest.raises(ConfigError, match="must lie above 0"):
            outlook(hand_worked(), chance=chance)
