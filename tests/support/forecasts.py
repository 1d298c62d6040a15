"""Forecasts to draw: one worked by hand, and random ones of any shape."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pmo_analytics.clock.periods import make_horizon
from pmo_analytics.forecasting.forecast import Forecast


def hand_worked() -> Forecast:
    """Developer: short in 3 of 4 draws in January, in 1 of 4 in February, by 1 FTE.

    Tester: never short. Architect: always short by 2 FTE, in March by 4.
    """
    horizon = make_horizon("2027-01", 3, "M")
    developer = [[-1, 1, 2], [-1, 1, 2], [-1, 1, 2], [1, -1, 2]]
    tester = [[2, 2, 2]] * 4
    architect = [[-2, -2, -4]] * 4
    draws = np.array([developer, tester, architect], dtype=float).transpose(1, 2, 0)
    history = pd.DataFrame(
        {"Developer": [0.5, 1.5], "Tester": [2.0, np.nan]},
        index=pd.period_range("2026-11", periods=2, freq="M", name="period"),
    )
    roles = ("Developer", "Tester", "Architect")
    return Forecast("headroom", horizon, roles, draws, history=history)


def random_forecast(
    roles: int | Sequence[str] = 4,
    periods: int = 12,
    *,
    quantity: str = "headroom",
    freq: str = "M",
    start: str = "2027-01",
    history: int = 24,
    seed: int = 1,
) -> Forecast:
    rng = np.random.default_rng(seed)
    names = (
        [f"Role {k + 1}" for k in range(roles)]
        if isinstance(roles, int)
        else list(roles)
    )
    horizon = make_horizon(start, periods, freq)
    level = rng.normal(0.5 if quantity == "headroom" else 8.0, 0.8, len(names))
    walk = rng.normal(0, 0.4, (40, periods, len(names))).cumsum(axis=1)
    before = pd.period_range(
        end=horizon[0] - 1, periods=history, freq=horizon.freq, name="period"
    )
    past = pd.DataFrame(
        level + rng.normal(0, 0.3, (history, len(names))), index=before, columns=names
    )
    return Forecast(quantity, horizon, tuple(names), level + walk, history=past)
