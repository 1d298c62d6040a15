"""All charts of a forecast, as a folder and a report hold them."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from pmo_analytics.forecasting import Forecast
from pmo_analytics.plotting.accuracy import (
    figure_accuracy,
    plot_backtest_errors,
    plot_calibration,
)
from pmo_analytics.plotting.fan import figure_forecast
from pmo_analytics.plotting.heat_maps import plot_overload_chance


def forecast_figures(
    headroom: Forecast, backtest: pd.DataFrame, accuracy: pd.DataFrame | None = None
) -> dict[str, Figure]:
    """Return the charts by name; those with nothing to show are left out.

    Parameters
    ----------
    headroom
        Of `forecast_headroom`.
    backtest, accuracy
        Of `backtest` and `forecast_accuracy`; may be empty, and the latter missing.
    """
    figures: dict[str, Figure] = {}
    if headroom.roles:
        figures["overload"] = _whole(plot_overload_chance(headroom).figure)
        figures["headroom"] = figure_forecast(headroom)
    for part in headroom.parts:
        if part.roles:
            figures[part.quantity] = figure_forecast(part)
    if len(backtest):
        figures["backtest"] = _whole(plot_backtest_errors(backtest).figure)
        figures["calibration"] = _whole(plot_calibration(backtest).figure)
    if accuracy is not None and len(accuracy):
        figures["accuracy"] = figure_accuracy(accuracy)
    return figures


def _whole(figure: object) -> Figure:
    assert isinstance(figure, Figure)
    return figure
