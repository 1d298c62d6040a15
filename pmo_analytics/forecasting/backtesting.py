"""Forecasts made again as if it were then, beside what happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pmo_analytics.errors import ConfigError
from pmo_analytics.forecasting.breaks import Steady, steady
from pmo_analytics.forecasting.intervals import interval
from pmo_analytics.forecasting.models.registry import (
    DEFAULT,
    NAIVE,
    Model,
    find_model,
    name_of,
    remembering,
)
from pmo_analytics.forecasting.models.rolling import Remembered, rolling_origin
from pmo_analytics.forecasting.models.series import season_of
from pmo_analytics.forecasting.models.siblings import (
    Loan,
    kin_of,
    lean_bounds,
    lend,
)
from pmo_analytics.forecasting.models.working_days import Days, days_of

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio

COLUMNS = ["role", "cutoff", "period", "model", "forecast", "p10", "p90", "actual"]
# A model is given up where its errors were so many times those of a naive one.
_FAR_WORSE = 1.8


def backtest(
    history: pd.DataFrame,
    *,
    horizon: int = 12,
    models: Sequence[str | Model] = (DEFAULT,),
    windows: int = 3,
    step: int = 1,
    season: int | None = None,
    intervals: bool = True,
    portfolio: Portfolio | None = None,
) -> pd.DataFrame:
    """Forecast from earlier cutoffs and set that beside what happened.

    Every forecast and its interval know nothing after their cutoff. Level shifts that
    could be seen by then are taken out first (see `forecasting.breaks`). The naive
    models are always among them, on the history as it is.

    Parameters
    ----------
    history
        Grid of FTE, period down and role across, NaN where nothing is known.
    horizon
        Periods forecast from each cutoff; shorter where the history ends before.
    models
        Names of models, or functions (see `forecasting.models.find_model`).
    windows
        How many cutoffs; the last one leaves a whole horizon to compare with where
        the history is long enough for that, else half of the history.
    step
        Periods between two cutoffs.
    season
        Periods of a season; by default those of a year.
    intervals
        False leaves `p10` and `p90` blank, which takes a sixth of the time.
    portfolio
        Whose roles lend season and spread to siblings of short histories, and whose
        working days the history may follow, as in a forecast; by default neither.

    Returns
    -------
    DataFrame
        `role, cutoff, period, model, forecast, p10, p90, actual`; cutoff is the last
        period known. Empty where the history has fewer than two periods.

    Raises
    ------
    ConfigError
        If a number is below 1 or no model has such a name.

    Examples
    --------
    >>> periods = pd.period_range("2024-01", periods=36, freq="M")
    >>> flat = pd.DataFrame({"Dev": 3.0}, index=periods)
    >>> float(backtest(flat, horizon=6)["forecast"].max())
    3.0
    """
    for name, number in (("horizon", horizon), ("windows", windows), ("step", step)):
        if number < 1:
            raise ConfigError(f"A backtest needs {name} of 1 or more, not {number}.")
    periods = pd.PeriodIndex(history.index)
    season = season_of(periods.freqstr) if season is None else season
    y = history.to_numpy(dtype=float).T
    last = len(periods) - min(horizon, len(periods) // 2)
    cutoffs = [last - k * step for k in range(windows)]
    cutoffs = sorted(c for c in cutoffs if c >= 1)
    names = list(dict.fromkeys([*models, *NAIVE]))
    parts, told_by = [], []
    usable = bool(cutoffs) and bool(y.size)
    known_by = [_known(history, c, season, portfolio) for c in cutoffs if usable]
    for wanted in names if usable else []:
        model = find_model(wanted)
        told_by.append(name_of(wanted))
        once = _once(model) if isinstance(wanted, str) else model
        # What is remembered otherwise need not be asked for once.
        used, fitted = model if remembering(model) else once, Remembered()
        bare = wanted in NAIVE
        pasts = None if bare else [each.calm.y for each in known_by]
        told, actual = rolling_origin(y, cutoffs, horizon, season, once, pasts=pasts)
        for k, (cutoff, past) in enumerate(zip(cutoffs, known_by, strict=True)):
            known = min(horizon, len(periods) - cutoff)
            past = past.bare(y) if bare else past
            middle = told[:, k]
            low = high = np.full_like(middle, np.nan)
            if intervals:
                low, high = interval(past.calm, middle, horizon, season, used, fitted)
            low, middle, high = past.as_values(low, middle, high)
            parts.append(
                {
                    "role": np.repeat(np.arange(len(y)), known),
                    "cutoff": np.full(len(y) * known, cutoff - 1),
                    "period": np.tile(np.arange(cutoff, cutoff + known), len(y)),
                    "model": np.full(len(y) * known, len(told_by) - 1),
                    "forecast": middle[:, :known].ravel(),
                    "p10": low[:, :known].ravel(),
                    "p90": high[:, :known].ravel(),
                    "actual": actual[:, k, :known].ravel(),
                }
            )
    if not parts:
        return pd.DataFrame(columns=COLUMNS)
    whole = {name: np.concatenate([part[name] for part in parts]) for name in COLUMNS}
    return _in_words(whole, history.columns, told_by, periods)


@dataclass(frozen=True)
class _Known:
    """What is known of a history at a cutoff, and what it is forecast from.

    Attributes
    ----------
    past
        Period x role, up to the cutoff.
    calm
        Without breaks, without what siblings lend and without working days.
    loan, days
        These; None = nothing.
    """

    past: pd.DataFrame
    calm: Steady
    loan: Loan | None = None
    days: Days | None = None

    def bare(self, y: np.ndarray) -> _Known:
        """Return it with the history as it is, of all roles (S, T)."""
        return _Known(self.past, replace(self.calm, y=y[:, : len(self.past)]))

    def as_values(
        self, low: np.ndarray, middle: np.ndarray, high: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return p10, forecast and p90 (S, H) with what was taken from the past."""
        if self.loan is None or self.days is None:
            return low, middle, high
        span = len(self.past), middle.shape[1]
        factor = self.loan.ahead(*span) * self.days.ahead(*span)
        low, middle, high = lean_bounds(low, middle, high, self.past, self.loan)
        return low * factor, middle * factor, high * factor


def _known(
    history: pd.DataFrame, cutoff: int, season: int, portfolio: Portfolio | None
) -> _Known:
    past = history.iloc[:cutoff]
    values = past.to_numpy(dtype=float).T
    if portfolio is None:
        return _Known(past, steady(values, season))
    kin = kin_of(portfolio, past)
    loan, days = lend(past, season, kin), days_of(past, *kin.place)
    plain = values / loan.past(cutoff) / days.past(cutoff)
    return _Known(past, steady(plain, season), loan, days)


def _in_words(
    numbers: dict[str, np.ndarray],
    roles: pd.Index,
    models: Sequence[str],
    periods: pd.PeriodIndex,
) -> pd.DataFrame:
    """Return the table of what is known, in order: names and periods by their places.

    They are looked up at the end: to sort and to join numbers takes a tenth as long.
    """
    known = np.isfinite(numbers["actual"]) & np.isfinite(numbers["forecast"])
    numbers = {name: values[known] for name, values in numbers.items()}
    by_name = [pd.factorize(names, sort=True)[0] for names in (roles, pd.Index(models))]
    order = np.lexsort(
        (
            numbers["period"],
            numbers["cutoff"],
            by_name[1][numbers["model"]],
            by_name[0][numbers["role"]],
        )
    )
    numbers = {name: values[order] for name, values in numbers.items()}
    words = {
        "role": roles.take(numbers["role"]),
        "cutoff": periods.take(numbers["cutoff"]),
        "period": periods.take(numbers["period"]),
        "model": pd.Index(models).take(numbers["model"]),
    }
    rounded = {name: numbers[name].round(6) for name in COLUMNS[4:]}
    return pd.DataFrame({**words, **rounded})[COLUMNS]


def _once(model: Model) -> Model:
    """Return a model that forecasts no series twice: earlier cutoffs share their past.

    For models that look at one series at a time.
    """
    known: dict[tuple[bytes, int, int], np.ndarray] = {}

    def told(y: np.ndarray, horizon: int, season: int) -> np.ndarray:
        first = np.isfinite(y).argmax(axis=1)
        keys = [
            (row[begin:].tobytes(), horizon, season)
            for row, begin in zip(y, first, strict=True)
        ]
        new = {key: k for k, key in enumerate(keys) if key not in known}
        if new:
            fresh = model(y[list(new.values())], horizon, season)
            known.update(zip(new, fresh, strict=True))
        return np.array([known[key] for key in keys])

    return told


def choose_models(table: pd.DataFrame, wanted: str = DEFAULT) -> pd.Series:
    """Return for each role the model to use: the wanted one, or a naive one.

    A model is given up for the better one of the naive models where its mean absolute
    error was nearly twice as large. That happens by chance too: on the M1 and M3
    competitions forecasts are worse the sooner a model is given up.

    Parameters
    ----------
    table
        Of `backtest`.
    """
    error = (table["forecast"] - table["actual"]).abs()
    wrong = error.groupby([table["role"], table["model"]]).mean().unstack()
    if wrong.empty:
        return pd.Series(dtype=object, name="model")
    return earned(wrong, wanted)


def earned(wrong: pd.DataFrame, wanted: str) -> pd.Series:
    """Return the model to use of each role, as `choose_models` does.

    Parameters
    ----------
    wrong
        Role x model: mean absolute errors; NaN where a model was not tried.
    """
    naive = wrong[list(NAIVE)].fillna(np.inf)
    worse = wrong[wanted] > _FAR_WORSE * naive.min(axis=1) + 1e-12
    return naive.idxmin(axis=1).where(worse, wanted).rename("model")
