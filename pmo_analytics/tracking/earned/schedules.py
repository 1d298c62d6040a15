"""Earned schedule: when what is done was to be done, in periods (Lipke 2003).

ES = C + I, where C is the number of whole periods whose cumulative planned value is at
most the earned value, and I the share of the next one: (EV - PV_C) / (PV_C+1 - PV_C).
SV(t) = ES - AT, SPI(t) = ES / AT, IEAC(t) = PD / SPI(t); AT is the time gone by, PD the
planned duration. (W. Lipke, Schedule is Different, The Measurable News, 2003; K.
Henderson, Further Developments in Earned Schedule, 2004.) Unlike SV and SPI they do not
come back to zero and one when a late project ends.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from pmo_analytics.errors import ConfigError
from pmo_analytics.tracking.earned.values import ratio

type Floats = npt.NDArray[np.float64]


def earned_schedule(
    planned: npt.ArrayLike, *, ev: npt.ArrayLike, at: npt.ArrayLike
) -> pd.DataFrame:
    """Return the earned schedule of a project on some dates.

    Parameters
    ----------
    planned
        Cumulative planned value at the end of its periods 1, 2, ..., never falling; the
        last is the budget at completion.
    ev
        Earned value on each date, in the same unit; blank = not known.
    at
        Time gone by since the start on each date, in periods.

    Returns
    -------
    DataFrame
        A row a date: `es, at, pd, sv_t, spi_t, ieac_t` and `tspi` = (PD - ES) / (PD -
        AT), the pace at which the rest would end in time; all in periods.

    Raises
    ------
    ConfigError
        If planned value falls, or there is none.

    Examples
    --------
    >>> late = earned_schedule([10, 30, 60, 80], ev=45, at=3)
    >>> late[["es", "spi_t"]].round(3).iloc[0].to_list()
    [2.5, 0.833]
    """
    curve = np.concatenate([[0.0], np.asarray(planned, dtype=float).ravel()])
    if not np.isfinite(curve).all() or (np.diff(curve) < 0).any() or curve[-1] <= 0:
        raise ConfigError(
            "Cumulative planned value must not fall and must come to something."
        )
    earned, gone = np.broadcast_arrays(
        np.atleast_1d(np.asarray(ev, dtype=float)),
        np.atleast_1d(np.asarray(at, dtype=float)),
    )
    duration = float(np.argmax(curve >= curve[-1]))
    es = schedule_of(curve, earned)
    spi_t = ratio(es, gone)
    return pd.DataFrame(
        {
            "es": es,
            "at": gone,
            "pd": duration,
            "sv_t": es - gone,
            "spi_t": spi_t,
            "ieac_t": ratio(np.full(len(es), duration), spi_t),
            "tspi": ratio(duration - es, duration - gone),
        }
    )


def schedule_of(curve: Floats, earned: Floats) -> Floats:
    """Return ES, in periods, of a cumulative plan that begins with 0 at time 0."""
    duration = int(np.argmax(curve >= curve[-1]))
    at = np.searchsorted(curve, earned, side="right") - 1
    at = np.clip(at, 0, max(duration - 1, 0))
    share = ratio(earned - curve[at], curve[at + 1] - curve[at])
    es = at + np.clip(np.nan_to_num(share), 0.0, 1.0)
    es = np.where(earned <= 0, 0.0, es)
    return np.where(np.isnan(earned), np.nan, es)


class Limits(NamedTuple):
    """An index with the range that its own past allows.

    Attributes
    ----------
    low, value, high
        Of the index; blank where fewer than two periods are known.
    spread
        Standard deviation of the logarithm of the index of single periods.
    periods
        How many there are.
    """

    low: float
    value: float
    high: float
    spread: float
    periods: int


def index_limits(
    done: npt.ArrayLike, used: npt.ArrayLike, *, total: float, level: float = 0.9
) -> Limits:
    """Return the statistical limits of CPI (of EV, AC, BAC) or SPI(t) (of ES, AT, PD).

    ln(index) +- z * s / sqrt(n) * AF, where s is the spread of the logarithms of the
    periodic indices around that of the cumulative one and AF = sqrt((T - D) / (T -
    D / n)) takes account of what is done already (D of T): the nearer the end, the less
    can change. W. Lipke, O. Zwikael, K. Henderson, F. Anbari, Prediction of project
    outcome, International Journal of Project Management 27 (2009) 400-407.

    Parameters
    ----------
    done, used
        Cumulative, one value a status date in order: EV and AC, or ES and AT.
    total
        BAC or PD.
    level
        Confidence, 0 to 1.

    Examples
    --------
    >>> limits = index_limits([8, 18, 27], [10, 20, 30], total=100)
    >>> [round(x, 3) for x in limits[:3]]
    [0.818, 0.9, 0.99]
    """
    earned, spent = (np.asarray(x, dtype=float).ravel() for x in (done, used))
    known = np.isfinite(earned) & np.isfinite(spent)
    earned, spent = earned[known], spent[known]
    value = float(earned[-1] / spent[-1]) if len(spent) and spent[-1] > 0 else math.nan
    steps = ratio(np.diff(earned, prepend=0.0), np.diff(spent, prepend=0.0))
    steps = steps[np.isfinite(steps) & (steps > 0)]
    n = len(steps)
    if n < 2 or not value > 0:
        return Limits(math.nan, value, math.nan, math.nan, n)
    logs = np.log(steps)
    spread = float(np.sqrt(((logs - math.log(value)) ** 2).sum() / (n - 1)))
    left = max(total - float(earned[-1]), 0.0)
    narrowed = math.sqrt(left / (total - float(earned[-1]) / n)) if left else 0.0
    half = NormalDist().inv_cdf(0.5 + level / 2) * spread / math.sqrt(n) * narrowed
    return Limits(value * math.exp(-half), value, value * math.exp(half), spread, n)
