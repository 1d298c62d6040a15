"""The future of a history: each role by a model that has earned it."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd

from pmo_analytics.clock import format_period
from pmo_analytics.errors import PmoWarning
from pmo_analytics.forecasting.backtesting import earned
from pmo_analytics.forecasting.breaks import Steady, steady
from pmo_analytics.forecasting.intermittent import intermittent
from pmo_analytics.forecasting.intervals import past_errors, series_draws
from pmo_analytics.forecasting.models import DEFAULT, NAIVE, Model, find_model
from pmo_analytics.forecasting.past import some
from pmo_analytics.forecasting.series import read_series, season_of

# Models for what comes and goes.
_FOR_RARE = (DEFAULT, "croston_sba", "tsb")
# Periods ahead that they are compared over, at most.
_MOST_AHEAD = 12
# So many roles have a sentence each; more share one for each reason.
_SAID_APART = 3


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
    name whose errors on a role's own past were half again as large as those of a naive
    one is not used for that role, unless that comes and goes, where the last value
    tells nothing; a function is used as it is. The errors are those that the intervals
    are made of, up to a year ahead. A history that is short, has gaps or ends early is
    forecast all the same, with a warning that names the role.

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
    names = [model, *(NAIVE if isinstance(model, str) else ())]
    errors = {
        name: past_errors(calm.y, horizon, season, find_model(name), since=calm.since)
        for name in dict.fromkeys(names)
    }
    chosen: list[str | Model] = [model] * past.shape[1]
    if isinstance(model, str):
        wrong = pd.DataFrame(
            {name: _mean_error(each) for name, each in errors.items()},
            index=past.columns,
        )
        rare = intermittent(read_series(calm.y)) & (model in _FOR_RARE)
        best = earned(wrong, model).to_list()
        chosen = [
            model if seldom else name for name, seldom in zip(best, rare, strict=True)
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
            errors=errors[used][rows],
        )
        result[:, :, rows] = future
        alone[rows] = short
        if used != model:
            notes.append(
                f"{some(past.columns[rows])}: {model} was far more wrong than naive "
                f"forecasts on the past, so {used} is used."
            )
    doubts = _doubts(past, alone, season)
    for doubt in doubts:
        warnings.warn(doubt, PmoWarning, stacklevel=4)
    return result, [*doubts, *notes]


def _mean_error(errors: np.ndarray) -> np.ndarray:
    """Return the mean absolute error of each series, NaN where none is known."""
    size = np.abs(errors[:, :, :_MOST_AHEAD])
    known = np.isfinite(size)
    number = known.sum(axis=(1, 2))
    total = np.where(known, size, 0.0).sum(axis=(1, 2))
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)


def _shifts(past: pd.DataFrame, calm: Steady) -> list[str]:
    """Return what is said of level shifts, by role and period; of many, some."""
    told = [
        (
            past.columns[shift.row],
            f"{'rises' if shift.size > 0 else 'falls'} by {abs(shift.size):.3g} FTE in "
            f"{format_period(past.index[shift.column])}",
        )
        for shift in calm.shifts
    ]
    rest = (
        "forecast from the new level: values before are moved to it, errors from "
        "before do not count, and another such step is not in the interval."
    )
    if len(told) > _SAID_APART:
        named = some(f"{role} ({moves})" for role, moves in told)
        return [f"{named}: the level of the history moves. It is {rest}"]
    return [
        f"{role}: the level of its history {moves}. It is {rest}"
        for role, moves in told
    ]


def _doubts(past: pd.DataFrame, alone: np.ndarray, season: int) -> list[str]:
    """Return what is doubtful of histories: by reason, with the roles that have it."""
    known = past.notna().to_numpy()
    count = known.sum(axis=0)
    end = len(known) - 1
    last = end - known[::-1].argmax(axis=0)
    gaps = last - known.argmax(axis=0) + 1 - count
    after = end - last
    few = alone.astype(bool)
    short = ~few & (count < 2 * season + 1)
    zeros = ((past.to_numpy() == 0.0) | ~known).all(axis=0) & (count > 0)

    def values(rows: np.ndarray) -> str:
        return f"{_span(count[rows])} value{'' if count[rows].max() == 1 else 's'}"

    def is_few(rows: np.ndarray, _whose: str) -> str:
        return (
            f"{values(rows)} of history, too few to see how wrong forecasts are; the "
            "interval is a rule of thumb."
        )

    def is_short(rows: np.ndarray, _whose: str) -> str:
        return (
            f"{values(rows)} of history, no more than two years; no seasonal pattern "
            "is used."
        )

    def has_gaps(rows: np.ndarray, whose: str) -> str:
        return (
            f"{_span(gaps[rows])} periods inside {whose} history have no value; they "
            "are filled on a straight line."
        )

    def ends(rows: np.ndarray, whose: str) -> str:
        ended = [format_period(past.index[k]) for k in np.unique(last[rows])[[0, -1]]]
        return (
            f"{whose} history ends in {' to '.join(dict.fromkeys(ended))}; the last "
            f"value stands for the {_span(after[rows])} periods after it. Give zeros "
            "if there was nothing."
        )

    found = []
    for which, said in (
        (few, is_few),
        (short, is_short),
        (gaps > 0, has_gaps),
        ((count > 0) & (after > 0), ends),
    ):
        rows = np.flatnonzero(which)
        if len(rows) > _SAID_APART:
            found.append(f"{some(past.columns[rows])}: {said(rows, 'their')}")
        else:
            found += [
                f"{past.columns[k]}: {said(np.array([k]), 'its')}"
                for k in rows.tolist()
            ]
    if zeros.any():
        found.append(
            f"{some(past.columns[zeros])}: every value of the history is 0, so 0 is "
            "forecast."
        )
    return found


def _span(numbers: np.ndarray) -> str:
    """Return the least and the largest of some numbers as text; one where all agree."""
    low, high = int(numbers.min()), int(numbers.max())
    return f"{low}" if low == high else f"{low} to {high}"
