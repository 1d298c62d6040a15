"""Capacity, demand and headroom as distributions, and how wrong they have been."""

from typing import TYPE_CHECKING

from pmo_analytics.faces import face

if TYPE_CHECKING:
    from pmo_analytics.forecasting.backtesting import backtest, choose_models
    from pmo_analytics.forecasting.capacity import forecast_capacity
    from pmo_analytics.forecasting.demand import forecast_demand
    from pmo_analytics.forecasting.forecast import QUANTILES, Forecast, Why, facts_of
    from pmo_analytics.forecasting.headroom import (
        forecast_headroom,
        headroom_of,
        hire_list,
    )
    from pmo_analytics.forecasting.models.registry import (
        NAIVE,
        find_model,
        statsforecast_model,
    )
    from pmo_analytics.forecasting.past import after_history, history_alone
    from pmo_analytics.forecasting.pipeline import SCOPES
    from pmo_analytics.forecasting.shortages import (
        beside,
        forecast_tables,
        outlook,
    )

__getattr__, __dir__, __all__ = face(__name__)
