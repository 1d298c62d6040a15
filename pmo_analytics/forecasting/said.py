"""What is said of a history: what is doubtful, and what it is forecast without."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from pmo_analytics.clock import format_period
from pmo_analytics.forecasting.breaks import Break, Steady
from pmo_analytics.forecasting.models.combination import LONGEST_SEASON
from pmo_analytics.forecasting.models.registry import DEFAULT
from pmo_analytics.forecasting.past import some

# So many roles have a sentence each; more share one for each reason.
_SAID_APART = 3


def breaks_of(past: pd.DataFrame, calm: Steady) -> list[str]:
    """Return what was taken out, by role and period; of many, some.

    Parameters
    ----------
    past
        Period x role: the history as it is.
    calm
        Of the same, role by role.
    """
    result = []
    for kind, (told, one, many, then) in _KINDS.items():
        found = [each for each in calm.breaks if each.kind == kind]
        roles = [str(past.columns[each.row]) for each in found]
        facts = [told(past, each) for each in found]
        then = f"{then} {_OVERRULE}"
        if len(found) > _SAID_APART:
            both = zip(roles, facts, strict=True)
            named = some(f"{role} ({fact})" for role, fact in both)
            result.append(f"{named}: {many}. {then}")
        else:
            result += [
                f"{role}: {one.format(fact)}. {then}"
                for role, fact in zip(roles, facts, strict=True)
            ]
    return result


def _shift(past: pd.DataFrame, found: Break) -> str:
    moves = "rises" if found.size > 0.0 else "falls"
    return f"{moves} by {abs(found.size):.3g} FTE in {_when(past, found)}"


def _trend(past: pd.DataFrame, found: Break) -> str:
    moved = "rose" if found.size < 0.0 else "fell"
    return f"{moved} by {abs(found.size):.3g} FTE a period until {_when(past, found)}"


def _outlier(past: pd.DataFrame, found: Break) -> str:
    value = float(past.to_numpy()[found.column, found.row])
    usual = value - found.size
    return f"{value:.3g} FTE in {_when(past, found)} instead of about {usual:.3g}"


def _last(past: pd.DataFrame, found: Break) -> str:
    return f"{_outlier(past, found)}, of which {found.stays:.0%} is taken to stay"


def _when(past: pd.DataFrame, found: Break) -> str:
    return format_period(past.index[found.column])


_OVERRULE = "If that is wrong, say what it is in the column event of history."
# What is said of a break, of one role and of many, and what follows from it.
_KINDS: dict[str, tuple[Callable[[pd.DataFrame, Break], str], str, str, str]] = {
    "shift": (
        _shift,
        "the level of its history {}",
        "the level of the history moves",
        "It is forecast from the new level: values before are moved to it, errors from "
        "before do not count, and another such step is not in the interval.",
    ),
    "trend": (
        _trend,
        "its history {} and has not since",
        "the trend of the history has ended",
        "It is forecast without the trend: values before are moved to where it ended, "
        "and errors from before do not count.",
    ),
    "outlier": (
        _outlier,
        "its history has an outlier, {}",
        "the history has an outlier",
        "It does not count, and another such value is not in the interval.",
    ),
    "last": (
        _last,
        "the last value of its history stands out: {}",
        "the last value of the history stands out",
        "Only the next value tells whether it stays: the interval reaches both levels, "
        "or the usual one's distance from 0 to either side if they lie further apart.",
    ),
}


def doubts_of(
    past: pd.DataFrame, alone: np.ndarray, season: int, lent: np.ndarray
) -> list[str]:
    """Return what is doubtful of histories: by reason, with the roles that have it.

    Parameters
    ----------
    alone
        Roles without any error of their own.
    lent
        Roles whose season is their siblings', which is said elsewhere.
    """
    known = past.notna().to_numpy()
    count = known.sum(axis=0)
    end = len(known) - 1
    last = end - known[::-1].argmax(axis=0)
    gaps = last - known.argmax(axis=0) + 1 - count
    after = end - last
    few = alone.astype(bool)
    short = ~few & ~lent & (count < 2 * season + 1)
    year = (count >= season) & (1 < season <= LONGEST_SEASON)
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

    def is_year(rows: np.ndarray, _whose: str) -> str:
        return (
            f"{values(rows)} of history, no more than two years: too few for a "
            f"seasonal pattern. {DEFAULT} counts what last year was at the same time "
            "by up to half."
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
        (short & ~year, is_short),
        (short & year, is_year),
        (gaps > 0, has_gaps),
        ((count > 0) & (after > 0), ends),
    ):
        found += _said_of(past.columns, np.flatnonzero(which), said)
    if zeros.any():
        found.append(
            f"{some(past.columns[zeros])}: every value of the history is 0, so 0 is "
            "forecast."
        )
    return found


def _said_of(
    roles: pd.Index, rows: np.ndarray, said: Callable[[np.ndarray, str], str]
) -> list[str]:
    """Return a sentence a role, or one for all where there are many."""
    if len(rows) > _SAID_APART:
        return [f"{some(roles[rows])}: {said(rows, 'their')}"]
    return [f"{roles[k]}: {said(np.array([k]), 'its')}" for k in rows.tolist()]


def _span(numbers: np.ndarray) -> str:
    """Return the least and the largest of some numbers as text; one where all agree."""
    low, high = int(numbers.min()), int(numbers.max())
    return f"{low}" if low == high else f"{low} to {high}"
