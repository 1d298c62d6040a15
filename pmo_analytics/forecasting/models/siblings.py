"""What roles of the same team or parent lend to one of a short history.

Partial pooling: the season of a role with less than two years and a value is that of
its siblings, as far as its own values bear it out, and its typical error leans on
theirs. Season and error of one role alone cannot be told apart so early; what the
siblings agree on can. Borrowing of strength as in Duncan, Gorr and Szczypula
("Forecasting analogous time series", in Armstrong, ed., Principles of Forecasting,
2001).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pmo_analytics.forecasting.models.series import read_series, seasonal_indices

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio

# Siblings' season and typical error count as so many values of one's own.
_COUNT_AS = 12.0
# By how much an interval may change for that of its siblings.
_LEAST, _MOST = 0.5, 3.0
# Siblings that lend to one role, at least and at most, and that a sentence names.
_LEAST_LENDERS, _MOST_LENDERS = 2, 30
_NAMED = 3


@dataclass(frozen=True, eq=False)
class Loan:
    """What roles have from their siblings.

    Attributes
    ----------
    pattern
        Shape (S, season): factors by place in the season, column t of the history has
        place `t % season`; 1 where nothing is lent.
    lenders
        Of each role, the siblings whose season it has; empty where nothing is lent.
    share
        Shape (S,): how much of the siblings' season is used, 0-1.
    """

    pattern: np.ndarray
    lenders: tuple[tuple[str, ...], ...]
    share: np.ndarray

    @property
    def lent(self) -> np.ndarray:
        """Return which roles have something from siblings, shape (S,)."""
        return np.array([bool(names) for names in self.lenders], dtype=bool)

    def past(self, periods: int) -> np.ndarray:
        """Return the factors of the history, shape (S, periods)."""
        return self.pattern[:, np.arange(periods) % self.pattern.shape[1]]

    def ahead(self, periods: int, horizon: int) -> np.ndarray:
        """Return the factors of what comes after so many periods, (S, horizon)."""
        return self.pattern[:, (periods + np.arange(horizon)) % self.pattern.shape[1]]


@dataclass(frozen=True, eq=False)
class Kin:
    """Who is whose sibling, the histories that may lend, and where people work.

    Attributes
    ----------
    families
        Of `siblings_of`.
    histories
        Period x role, on the periods of what is forecast.
    place
        Country and workweek whose working days a history may follow.
    """

    families: Mapping[str, Sequence[Sequence[str]]]
    histories: pd.DataFrame
    place: tuple[str, str] = ("", "")


def kin_of(portfolio: Portfolio, histories: pd.DataFrame) -> Kin:
    """Return what the histories of a portfolio's roles may have from elsewhere."""
    calendar = portfolio.settings.calendar
    place = calendar["country"] or "", calendar["workweek"] or ""
    return Kin(siblings_of(portfolio), histories, place)


def siblings_of(portfolio: Portfolio) -> dict[str, list[list[str]]]:
    """Return the roles of the team and of the parent of each role, itself among them.

    The team is that of the table `roles`, or of its people where they have one in
    common.
    """
    listed = portfolio.roles.dropna(subset=["role"])
    families: dict[tuple[str, str], list[str]] = {}
    team = listed.dropna(subset=["team"]).set_index("role")["team"].to_dict()
    people = portfolio.people.dropna(subset=["role", "team"])
    for role, teams in people.groupby("role")["team"]:
        if teams.nunique() == 1:
            team.setdefault(role, teams.iloc[0])
    parent = listed.dropna(subset=["parent"]).set_index("role")["parent"].to_dict()
    for kind, known in (("team", team), ("parent", parent)):
        for role, name in known.items():
            families.setdefault((kind, str(name)), []).append(str(role))
    found: dict[str, list[list[str]]] = {}
    for members in families.values():
        for role in members:
            # One list for the whole family, however large it is.
            found.setdefault(role, []).append(members)
    return found


def lend(past: pd.DataFrame, season: int, kin: Kin | None) -> Loan:
    """Return what siblings lend to roles of short histories.

    A role borrows with one value up to two seasons of them, all above 0; a sibling
    lends with two seasons and a value, all above 0, and two of them are needed. The
    pattern is the mean of the siblings' own ones in logarithms, each drawn towards none
    by how unsure it is, and the mean by how little they agree. Of that a share is used:
    1 before any value is seen, and where own values speak, what they say with the
    siblings' word counting as twelve of them.

    Parameters
    ----------
    past
        Period x role: the histories that are forecast.
    season
        Periods of a season.
    kin
        Who may lend; None = nobody.
    """
    count = past.shape[1]
    pattern = np.ones((count, max(season, 1)))
    lenders: list[tuple[str, ...]] = [()] * count
    share = np.zeros(count)
    least = 2 * season + 1
    if season < 2 or kin is None or not kin.families:
        return Loan(pattern, tuple(lenders), share)
    histories = kin.histories
    known = histories.notna().sum()
    lowest = histories.min()
    able = set(known.index[(known >= least) & (lowest > 0.0)])
    of_lender = _patterns(histories, sorted(able), season) if able else {}
    for k, role in enumerate(past.columns):
        own = past[role].to_numpy(dtype=float)
        there = np.isfinite(own)
        family = [name for some in kin.families.get(role, ()) for name in some]
        names = [n for n in dict.fromkeys(family) if n != role and n in able]
        names = names[:_MOST_LENDERS]
        if len(names) < _LEAST_LENDERS or not 0 < there.sum() < least:
            continue
        if own[there].min() <= 0.0:
            continue
        logs = _agreed(np.array([of_lender[name] for name in names]))
        share[k] = _borne_out(own, logs, season)
        pattern[k] = np.exp(share[k] * logs)
        lenders[k] = tuple(names)
    return Loan(pattern, tuple(lenders), share)


def _patterns(
    histories: pd.DataFrame, names: Sequence[str], season: int
) -> dict[str, np.ndarray]:
    """Return the seasonal pattern of each lender in logarithms, with a mean of 0."""
    series = read_series(histories[list(names)].to_numpy(dtype=float).T)
    found = series.back(seasonal_indices(series, season, ratio=True, shrink=True))
    logs = np.log(found)
    logs -= logs.mean(axis=1, keepdims=True)
    return dict(zip(names, logs, strict=True))


def _agreed(patterns: np.ndarray) -> np.ndarray:
    """Return the pattern that siblings have in common, in logarithms.

    Their mean, drawn towards none by the share of its power that their differences
    alone would give it (James and Stein).
    """
    count = len(patterns)
    mean = patterns.mean(axis=0)
    power = float((mean**2).sum())
    apart = float(((patterns - mean) ** 2).sum()) / (count * (count - 1))
    return mean * max(1.0 - apart / max(power, 1e-300), 0.0)


def _borne_out(own: np.ndarray, logs: np.ndarray, season: int) -> float:
    """Return the share of a pattern that own values and the siblings' word agree on."""
    at = np.flatnonzero(np.isfinite(own))
    told = logs[at % season]
    told = told - told.mean()
    seen = np.log(own[at])
    seen = seen - seen.mean()
    word = _COUNT_AS * float((logs**2).mean())
    power = word + float((told**2).sum())
    if power <= 1e-300:
        return 0.0
    return float(np.clip((word + float((told * seen).sum())) / power, 0.0, 1.0))


def lean_on(draws: np.ndarray, past: pd.DataFrame, loan: Loan) -> np.ndarray:
    """Return draws with the season that was lent, and a spread that leans on theirs.

    The width of the inner 80 % beside the median, by period ahead: the role's own
    counts as its values, the mean of the siblings' as twelve. The median stays.

    Parameters
    ----------
    draws
        Shape (draws, horizon, roles); changed in place.
    """
    if not loan.lent.any():
        return draws
    rows = np.flatnonzero(loan.lent).tolist()
    draws[:, :, rows] *= loan.ahead(len(past), draws.shape[1])[rows].T

    def bounds(k: int) -> np.ndarray:
        return np.quantile(draws[:, :, k], (0.1, 0.5, 0.9), axis=0)

    for k, factor in _leaning(bounds, past, loan):
        middle = bounds(k)[1]
        moved = middle + factor * (draws[:, :, k] - middle)
        draws[:, :, k] = np.maximum(moved, 0.0)
    return draws


def lean_bounds(
    low: np.ndarray,
    middle: np.ndarray,
    high: np.ndarray,
    past: pd.DataFrame,
    loan: Loan,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return p10, forecast and p90 (S, H) as `lean_on` has them, without the season."""
    told = np.array([low, middle, high])
    for k, factor in _leaning(lambda k: told[:, k], past, loan):
        for side in (0, 2):
            moved = middle[k] + factor * (told[side, k] - middle[k])
            told[side, k] = np.maximum(moved, 0.0)
    return told[0], told[1], told[2]


def _leaning(
    bounds: Callable[[int], np.ndarray], past: pd.DataFrame, loan: Loan
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield roles that lean on siblings, and by how much their intervals change (H,).

    Parameters
    ----------
    bounds
        p10, p50 and p90 of a role, shape (3, H).
    """
    place = {role: k for k, role in enumerate(past.columns)}
    known = past.notna().to_numpy().sum(axis=0)

    @cache
    def width(k: int) -> np.ndarray:
        low, middle, high = bounds(k)
        return np.asarray((high - low) / np.maximum(np.abs(middle), 1e-9))

    for k in np.flatnonzero(loan.lent).tolist():
        lenders = [place[name] for name in loan.lenders[k] if name in place]
        if lenders:
            own, theirs = width(k), np.mean([width(one) for one in lenders], axis=0)
            wanted = (known[k] * own + _COUNT_AS * theirs) / (known[k] + _COUNT_AS)
            yield k, np.clip(wanted / np.maximum(own, 1e-9), _LEAST, _MOST)


def said_of_loan(past: pd.DataFrame, loan: Loan) -> list[str]:
    """Return who borrows from whom, a sentence each; of many, one for all."""
    result = []
    rows = np.flatnonzero(loan.lent)
    for k in rows[:_NAMED]:
        result.append(f"{past.columns[k]}: {lent_by(loan, int(k))}")
    if len(rows) > _NAMED:
        result.append(
            f"{len(rows) - _NAMED} more roles of short histories have their season "
            "from siblings of their team or parent role."
        )
    return result


def lent_by(loan: Loan, k: int) -> str:
    """Return from whom a role has its season, in a sentence; "" where it is its own."""
    names = loan.lenders[k]
    if not names:
        return ""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return (
        f"its history is short, so {loan.share[k]:.0%} of the season of its siblings "
        f"(same team or parent role) is used, {', '.join(names[:_NAMED])}{more}, and "
        "its interval leans on theirs."
    )
