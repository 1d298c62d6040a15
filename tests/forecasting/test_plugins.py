"""Models of others: by their method, by name, and when they fail."""

from __future__ import annotations

import sys
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

import pmo_analytics as pmo
from pmo_analytics.errors import ConfigError, PmoWarning
from pmo_analytics.forecasting.models.registry import MODELS, find_model

NAN = float("nan")


class Mean:
    """Has the method that models of statsforecast have, and their manners."""

    def __init__(self, season_length: int = 1):
        self.season_length = season_length

    def forecast(self, y, h, X=None, level=None):
        if len(y) < 2 * self.season_length:
            raise ValueError("too short")
        assert np.isfinite(y).all()
        return {"mean": np.repeat(y.mean(), h)}


@pytest.fixture
def library(monkeypatch):
    """Put a library in the place of statsforecast."""
    package, models = ModuleType("statsforecast"), ModuleType("statsforecast.models")
    models.Mean = Mean
    monkeypatch.setitem(sys.modules, "statsforecast", package)
    monkeypatch.setitem(sys.modules, "statsforecast.models", models)


def test_a_made_model_gets_whole_series():
    model = pmo.forecasting.statsforecast_model(Mean())
    y = np.array([[NAN, 1.0, NAN, 3.0], [4.0, 4.0, 4.0, 8.0], [NAN] * 4])
    told = model(y, 2, 12)
    assert told[:2].tolist() == [[2.0, 2.0], [5.0, 5.0]]
    assert np.isnan(told[2]).all()
    assert model.__name__ == "statsforecast:Mean"


@pytest.mark.usefixtures("library")
def test_by_name_it_knows_the_season():
    model = find_model("statsforecast:Mean")
    long, short = [float(t) for t in range(24)], [NAN] * 20 + [1.0, 2.0, 3.0, 4.0]
    with pytest.warns(PmoWarning, match="could not forecast 1 of 2 series .*too short"):
        told = model(np.array([long, short]), 3, 12)
    assert told[0].tolist() == [11.5] * 3
    ours = MODELS["combination"](np.array([short]), 3, 12)[0]
    assert told[1] == pytest.approx(ours)
    with pytest.raises(ConfigError, match="did you mean 'Mean'"):
        find_model("statsforecast:Maen")


@pytest.mark.usefixtures("library")
def test_it_goes_all_the_way():
    months = pd.period_range("2023-01", periods=48, freq="M")
    history = pd.DataFrame({"Dev": [4.0, 6.0] * 24}, index=months)
    table = pmo.backtest(history, horizon=3, windows=1, models=("statsforecast:Mean",))
    ours = table[table["model"] == "statsforecast:Mean"]
    # The mean of the 45 months before: 22 pairs and a 4.
    assert ours["forecast"].tolist() == pytest.approx([4.9778] * 3, abs=1e-3)


def test_without_the_library_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "statsforecast", None)
    monkeypatch.setitem(sys.modules, "statsforecast.models", None)
    with pytest.raises(ConfigError, match=r"pmo_analytics\[forecast\]"):
        find_model("statsforecast:AutoETS")
