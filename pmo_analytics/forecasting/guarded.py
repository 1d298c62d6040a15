"""The future of a history: each role by a model that has earned it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pmo_analytics.forecasting.backtesting import backtest, choose_models
from pmo_analytics.forecasting.intervals import series_draws
from pmo_analytics.forecasting.models import Model
from pmo_analytics.forecasting.series import season_of

# Cutoffs that a model is tried at against the naive ones, and periods between them.
_CUTOFFS, _STEP = 8, 1
# Periods ahead that they are compared over, at most.
_MOST_AHEAD = 12


def history_draws(
    past: pd.DataFrame,
    horizon: int,
    draws: int,
    rng: np.random.Generator,
    model: str | Model,
) -> tuple[np.ndarray, list[str]]:
    """Draw what comes after a history.

    A model by name that does not beat the naive ones on a role's own past is not used
    for that role; a function is used as it is.

    Parameters
    ----------
    past
        Period x role, FTE; contiguous, NaN where nothing is known.

    Returns
    -------
    tuple
        Draws, shape (draws, horizon, roles), and sentences about what was assumed.
    """
    season = season_of(pd.PeriodIndex(past.index).freqstr)
    chosen: list[str | Model] = [model] * past.shape[1]
    if isinstance(model, str):
        tried = backtest(
            past,
            horizon=min(horizon, _MOST_AHEAD),
            models=(model,),
            windows=_CUTOFFS,
            step=_STEP,
            intervals=False,
        )
        best = choose_models(tried, model)
        chosen = [best.get(role, model) for role in past.columns]
    result = np.full((draws, horizon, past.shape[1]), np.nan)
    notes = []
    y = past.to_numpy(dtype=float).T
    for used in dict.fromkeys(chosen):
        rows = np.array([k for k, name in enumerate(chosen) if name == used])
        future, short = series_draws(y[rows], horizon, season, draws, rng, model=used)
        result[:, :, rows] = future
        notes += _short(past.iloc[:, rows], short, season)
        if used != model:
            names = ", ".join(str(past.columns[k]) for k in rows)
            notes.append(
                f"{names}: {model} did not beat the naive forecasts on the past, so "
                f"{used} is used."
            )
    return result, notes


def _short(past: pd.DataFrame, short: np.ndarray, season: int) -> list[str]:
    """Return a sentence about each role whose history says little."""
    notes = []
    known = past.notna().sum()
    for role, alone in zip(past.columns, short, strict=True):
        if alone:
            notes.append(
                f"{role}: {known[role]} values of history are too few to see how wrong "
                "forecasts are; the interval is a rule of thumb."
            )
        elif known[role] < 2 * season + 1:
            notes.append(
                f"{role}: {known[role]} values of history are no more than two years; "
                "no seasonal pattern is used."
            )
    return notes
