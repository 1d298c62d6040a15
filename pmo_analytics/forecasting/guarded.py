"""The future of a history: each role by a model that has earned it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np
import pandas as pd

from pmo_analytics.errors import PmoWarning
from pmo_analytics.forecasting.backtesting import earned
from pmo_analytics.forecasting.breaks import Steady, steady
from pmo_analytics.forecasting.intervals import past_errors, series_draws
from pmo_analytics.forecasting.models.intermittent import intermittent
from pmo_analytics.forecasting.models.registry import DEFAULT, NAIVE, Model, find_model
from pmo_analytics.forecasting.models.series import read_series, season_of
from pmo_analytics.forecasting.models.siblings import (
    Kin,
    lean_on,
    lend,
    said_of_loan,
)
from pmo_analytics.forecasting.models.working_days import days_of, said_of_days
from pmo_analytics.forecasting.past import some
from pmo_analytics.forecasting.reasons.seen import Seen
from pmo_analytics.forecasting.said import breaks_of, doubts_of

# Models for what comes and goes.
_FOR_RARE = (DEFAULT, "croston_sba", "tsb")
# Periods ahead that they are compared over, at most.
_MOST_AHEAD = 12


def history_draws(
    past: pd.DataFrame,
    horizon: int,
    draws: int,
    rng: np.random.Generator,
    model: str | Model,
    *,
    breaks: pd.DataFrame | bool = True,
    seen: list[Seen] | None = None,
    kin: Kin | None = None,
) -> tuple[np.ndarray, list[str]]:
    """Draw what comes after a history.

    Level shifts, ended trends and outliers are taken out first: what was before counts
    as if it had been on the level of now, and errors from before do not count
    (`forecasting.breaks`). A model by name whose errors on a role's own past were
    nearly twice as large as those of a naive one is not used for that role, unless that
    comes and goes, where the last value tells nothing; a function is used as it is. The
    errors are those that the intervals are made of, up to a year ahead. A history that
    is short, has gaps or ends early is forecast all the same, with a warning that names
    the role.

    Parameters
    ----------
    past
        Period x role, FTE; contiguous, NaN where nothing is known.
    breaks
        False: nothing is taken out. A frame `period, role, event`: what is known of
        them, of `past.events_of`.
    seen
        What was seen and chosen is added here, for `Forecast.why`.
    kin
        Roles that may lend season and spread to those of short histories, and whose
        working days a history may follow (`models.working_days`).

    Returns
    -------
    tuple
        Draws, shape (draws, horizon, roles), and sentences about what was assumed.
    """
    season = season_of(pd.PeriodIndex(past.index).freqstr)
    loan, days = lend(past, season, kin), days_of(past, *(kin.place if kin else ()))
    calm = steady(
        past.to_numpy(dtype=float).T / loan.past(len(past)) / days.past(len(past)),
        season,
        said=_cells(past, breaks) if isinstance(breaks, pd.DataFrame) else (),
        find=breaks is not False,
    )
    names = [model, *(NAIVE if isinstance(model, str) else ())]
    errors = {
        name: past_errors(calm.y, horizon, season, find_model(name), since=calm.since)
        for name in dict.fromkeys(names)
    }
    wrong, chosen = _chosen(model, errors, calm, past.columns)
    result = np.full((draws, horizon, past.shape[1]), np.nan, dtype=np.float32)
    alone = np.zeros(past.shape[1], dtype=bool)
    notes = breaks_of(past, calm)
    for used in dict.fromkeys(chosen):
        rows = np.array([k for k, name in enumerate(chosen) if name == used])
        future, short = series_draws(
            calm.rows(rows),
            horizon,
            season,
            draws,
            rng,
            model=used,
            errors=errors[used][rows],
        )
        result[:, :, rows] = future
        alone[rows] = short
        if used != model:
            notes.append(
                f"{some(past.columns[rows])}: {model} was far more wrong than naive "
                f"forecasts on the past, so {used} is used."
            )
    result = lean_on(result, past, loan)
    result *= days.ahead(len(past), horizon).T.astype(np.float32)
    notes += [*said_of_loan(past, loan), *said_of_days(past, days)]
    made = Seen(past, calm, season, model, tuple(chosen), wrong, alone, loan, days)
    (seen if seen is not None else []).append(made)
    doubts = doubts_of(past, alone, season, loan.lent)
    for doubt in doubts:
        warnings.warn(doubt, PmoWarning, stacklevel=4)
    return result, [*doubts, *notes]


def _chosen(
    model: str | Model,
    errors: Mapping[str | Model, np.ndarray],
    calm: Steady,
    roles: pd.Index,
) -> tuple[pd.DataFrame | None, list[str | Model]]:
    """Return how wrong models were, role x model, and the model of each role."""
    if not isinstance(model, str):
        return None, [model] * len(roles)
    wrong = pd.DataFrame(
        {name: _mean_error(each) for name, each in errors.items()}, index=roles
    )
    rare = intermittent(read_series(calm.y)) & (model in _FOR_RARE)
    return wrong, earned(wrong, model).where(~rare, model).to_list()


def _cells(past: pd.DataFrame, events: pd.DataFrame) -> list[tuple[int, int, str]]:
    """Return role, period and event as numbers of rows and columns, those known."""
    rows = past.columns.get_indexer(events["role"])
    columns = past.index.get_indexer(pd.PeriodIndex(events["period"]))
    return [
        (int(row), int(column), str(event))
        for row, column, event in zip(rows, columns, events["event"], strict=True)
        if row >= 0 and column >= 0
    ]


def _mean_error(errors: np.ndarray) -> np.ndarray:
    """Return the mean absolute error of each series, NaN where none is known."""
    size = np.abs(errors[:, :, :_MOST_AHEAD])
    known = np.isfinite(size)
    number = known.sum(axis=(1, 2))
    total = np.where(known, size, 0.0).sum(axis=(1, 2))
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)
