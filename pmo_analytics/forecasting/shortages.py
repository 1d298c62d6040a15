"""What a headroom forecast says: which roles run short, when, by how much."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from pmo_analytics.errors import ConfigError
from pmo_analytics.forecasting.backtesting import backtest
from pmo_analytics.forecasting.headroom import hire_list
from pmo_analytics.forecasting.models.series import season_of
from pmo_analytics.metrics import forecast_losses

if TYPE_CHECKING:
    from pmo_analytics.forecasting.forecast import Forecast

# Periods that a backtest looks ahead at most.
_MOST_AHEAD = 12
OUTLOOK_COLUMNS = (
    "role",
    "p_overload",
    "worst",
    "short_p50",
    "short_p80",
    "first_at_risk",
    "periods_at_risk",
)


def outlook(headroom: Forecast, *, chance: float = 0.2) -> pd.DataFrame:
    """Return one row per role, those that may miss most first.

    Parameters
    ----------
    headroom
        Forecast of headroom.
    chance
        Probability of overload from which a period counts as at risk.

    Returns
    -------
    DataFrame
        `role`; `p_overload`, the highest chance of overload in any period; `worst`,
        the period that has it, of several the one with most missing; `short_p50` and
        `short_p80`, FTE missing in that period in the median and in the worst fifth
        of the draws, 0 where nothing is missing; `first_at_risk`, blank if no period
        is; and `periods_at_risk`, how many are.

    Raises
    ------
    ConfigError
        If the forecast is not one of headroom, or `chance` is no probability.
    """
    if headroom.quantity != "headroom":
        raise ConfigError(
            "An outlook on overload needs a forecast of headroom, not of "
            f"{headroom.quantity}; make one with forecast_headroom."
        )
    if not 0 < chance <= 1:
        raise ConfigError(f"chance={chance!r} must lie above 0 and up to 1.")
    rows = headroom.table.dropna(subset=["p_overload"])
    if rows.empty:
        return pd.DataFrame(columns=list(OUTLOOK_COLUMNS))
    # Chances end at 1: among certain overloads the largest is the worst.
    likely = rows.sort_values(
        ["p_overload", "p50"], ascending=[False, True], kind="stable"
    )
    worst = likely.drop_duplicates("role").set_index("role")
    at_risk = rows[rows["p_overload"] >= chance].groupby("role", sort=False)["period"]
    found = pd.DataFrame(
        {
            "p_overload": worst["p_overload"],
            "worst": worst["period"],
            "short_p50": (-worst["p50"]).clip(lower=0.0),
            "short_p80": (-worst["p20"]).clip(lower=0.0),
            "first_at_risk": at_risk.min().reindex(worst.index),
            "periods_at_risk": at_risk.size().reindex(worst.index, fill_value=0),
        }
    )
    ranked = found.sort_values(
        ["short_p80", "p_overload"], ascending=False, kind="stable"
    )
    return ranked.reset_index()[list(OUTLOOK_COLUMNS)]


def beside(pipeline: Forecast, plan: Forecast, *, chance: float = 0.2) -> pd.DataFrame:
    """Return the outlook with the whole pipeline and with a plan beside each other.

    Parameters
    ----------
    pipeline, plan
        Forecasts of headroom that differ in their load.
    chance
        As in `outlook`.

    Returns
    -------
    DataFrame
        One row a role, in the order of the pipeline's outlook: `role`, then
        `p_overload`, `worst`, `short_p80` and `periods_at_risk` of each, with
        `_pipeline` and `_plan` behind their names.
    """
    columns = ["role", "p_overload", "worst", "short_p80", "periods_at_risk"]
    both = [outlook(which, chance=chance)[columns] for which in (pipeline, plan)]
    return both[0].merge(
        both[1], on="role", how="left", suffixes=("_pipeline", "_plan")
    )


def forecast_tables(
    headroom: Forecast, *, model: str, chance: float, lead: int, ramp: int = 0
) -> dict[str, pd.DataFrame]:
    """Return the tables of a forecast by file name.

    `forecast.csv`, `hires.csv`, `backtest.csv` and `losses.csv`, which says of each
    model how wrong it was and how often its interval held.

    Parameters
    ----------
    headroom
        Of `forecast_headroom`.
    model
        That is tried on the past: on the load, or on the capacity where history tells
        of no load.
    chance, lead, ramp
        As in `hire_list`.

    Raises
    ------
    ConfigError
        If there is neither capacity nor load of any role.
    """
    capacity, load = headroom.parts
    if not capacity.roles and not load.roles:
        raise ConfigError(
            "There is nothing to forecast: give people or capacity, projects with "
            "demand, or a history with capacity_fte or load_fte."
        )
    source = load if len(load.history) else capacity
    past = source.history
    rows = [part.table for part in (capacity, load, headroom) if part.roles]
    ahead = min(len(headroom.periods), _MOST_AHEAD)
    question = getattr(source.story, "question", None)
    tried = backtest(past, horizon=ahead, models=(model,), portfolio=question)
    season = season_of(headroom.periods.freqstr)
    return {
        "forecast.csv": pd.concat(rows, ignore_index=True) if rows else headroom.table,
        "hires.csv": hire_list(headroom, chance=chance, lead=lead, ramp=ramp),
        "backtest.csv": tried,
        "losses.csv": forecast_losses(tried, past, season=season).round(6),
    }
