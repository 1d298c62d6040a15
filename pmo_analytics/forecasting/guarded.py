"""The future of a history: each role by a model that has earned it."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd

from pmo_analytics.errors import PmoWarning
from pmo_analytics.forecasting.backtesting import backtest, choose_models
from pmo_analytics.forecasting.breaks import Steady, steady
from pmo_analytics.forecasting.intermittent import intermittent
from pmo_analytics.forecasting.intervals import series_draws
from pmo_analytics.forecasting.models import DEFAULT, Model
from pmo_analytics.forecasting.past import some
from pmo_analytics.forecasting.series import read_series, season_of
from pmo_analytics.periods import format_period

# Cutoffs that a model is tried at against the naive ones, and periods between them.
_CUTOFFS, _STEP = 8, 1
# Models for what comes and goes.
_FOR_RARE = (DEFAULT, "croston_sba", "tsb")
# Values that a model has to know at a cutoff, or it has not been tried.
_LEAST_BEFORE = 8
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

    Level shifts are taken out first: what was before counts as if it had been on the
    level of now, and errors from before do not count (`forecasting.breaks`). A model by
    name that does not beat the naive ones on a role's own past is not used for that
    role, unless that comes and goes, where the last value tells nothing; a function is
    used as it is. A history that is short, has gaps or ends early is forecast all the
    same, with a warning that names the role.

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
    calm = steady(past.to_numpy(dtype=float).T, season)
    chosen: list[str | Model] = [model] * past.shape[1]
    if isinstance(model, str):
        calm_past = pd.DataFrame(calm.y.T, index=past.index, columns=past.columns)
        tried = backtest(
            calm_past,
            horizon=min(horizon, _MOST_AHEAD),
            models=(model,),
            windows=_CUTOFFS,
            step=_STEP,
            intervals=False,
        )
        before = calm_past.notna().cumsum().stack()
        cells = pd.MultiIndex.from_arrays([tried["cutoff"], tried["role"]])
        enough = before.reindex(cells).to_numpy() >= _LEAST_BEFORE
        best = choose_models(tried[enough], model)
        rare = intermittent(read_series(calm.y)) & (model in _FOR_RARE)
        chosen = [
            model if seldom else best.get(role, model)
            for role, seldom in zip(past.columns, rare, strict=True)
        ]
    result = np.full((draws, horizon, past.shape[1]), np.nan, dtype=np.float32)
    alone = np.zeros(past.shape[1], dtype=bool)
    notes = _shifts(past, calm)
    for used in dict.fromkeys(chosen):
        rows = np.array([k for k, name in enumerate(chosen) if name == used])
        future, short = series_draws(
            calm.y[rows],
            horizon,
            season,
            draws,
            rng,
            model=used,
            since=calm.since[rows],
        )
        result[:, :, rows] = future
        alone[rows] = short
        if used != model:
            notes.append(
                f"{some(past.columns[rows])}: {model} did not beat the naive forecasts "
                f"on the past, so {used} is used."
            )
    doubts = _doubts(past, alone, season)
    for doubt in doubts:
        warnings.warn(doubt, PmoWarning, stacklevel=4)
    return result, [*doubts, *notes]


def _shifts(past: pd.DataFrame, calm: Steady) -> list[str]:
    """Return a sentence about each level shift, by role and period."""
    notes = []
    for shift in calm.shifts:
        moves = "rises" if shift.size > 0 else "falls"
        when = format_period(past.index[shift.column])
        notes.append(
            f"{past.columns[shift.row]}: the level of its history {moves} by "
            f"{abs(shift.size):.3g} FTE in {when}. It is forecast from the new level: "
            "values before are moved to it, errors from before do not count, and "
            "another such step is not in the interval."
        )
    return notes


def _doubts(past: pd.DataFrame, alone: np.ndarray, season: int) -> list[str]:
    """Return a sentence about each fault of a history, with the roles that have it."""
    known = past.notna()
    count = known.sum()
    last = known[::-1].idxmax()
    first = known.idxmax()
    zeros = ((past == 0.0) | ~known).all() & (count > 0)
    inside = pd.Series(
        {role: int(known.loc[first[role] : last[role], role].size) for role in past},
        dtype=int,
    )
    gaps = inside - count
    over = (count > 0) & (last < past.index[-1])
    found = []
    for role, few in zip(past.columns, alone, strict=True):
        many = f"{count[role]} value{'' if count[role] == 1 else 's'} of history"
        if few:
            found.append(
                f"{role}: {many}, too few to see how wrong forecasts are; the interval "
                "is a rule of thumb."
            )
        elif count[role] < 2 * season + 1:
            found.append(
                f"{role}: {many}, no more than two years; no seasonal pattern is used."
            )
        if gaps[role] > 0:
            found.append(
                f"{role}: {gaps[role]} periods inside its history have no value; they "
                "are filled on a straight line."
            )
        if over[role]:
            found.append(
                f"{role}: its history ends in {format_period(last[role])}; the last "
                f"value stands for the {(past.index[-1] - last[role]).n} periods after "
                "it. Give zeros if there was nothing."
            )
    if zeros.any():
        found.append(
            f"{some(past.columns[zeros])}: every value of the history is 0, so 0 is "
            "forecast."
        )
    return found
