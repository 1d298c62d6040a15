"""The history table as series, and the periods that come after."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING

import pandas as pd

from pmo_analytics.clock import format_period
from pmo_analytics.errors import ConfigError, PmoWarning, closest
from pmo_analytics.forecasting.breaks import EVENTS

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio

# Names that a sentence lists.
_NAMED = 20


def periods_ahead(portfolio: Portfolio, count: int | None) -> pd.PeriodIndex:
    """Return the periods to forecast: the horizon, cut or extended to a length."""
    horizon = portfolio.horizon
    if count is None:
        return horizon
    if count < 1:
        raise ConfigError(f"A forecast needs 1 period or more, not {count}.")
    return pd.period_range(horizon[0], periods=count, freq=horizon.freq)


def history_alone(portfolio: Portfolio) -> bool:
    """Return whether a portfolio has a history and nothing else to forecast from."""
    tables = portfolio.projects, portfolio.people, portfolio.given_capacity.T
    known = portfolio.history[["load_fte", "capacity_fte"]].notna()
    return bool(known.any(axis=None)) and not any(len(table) for table in tables)


def after_history(portfolio: Portfolio) -> tuple[Portfolio, list[str]]:
    """Return a portfolio of nothing but history with a horizon after it, and notes.

    Whatever its file says: what is known need not be forecast, and what is not known is
    not skipped. Any other portfolio stays as it is.
    """
    if not history_alone(portfolio):
        return portfolio, []
    rows = portfolio.history
    rows = rows[rows["load_fte"].notna() | rows["capacity_fte"].notna()]
    horizon = portfolio.horizon
    begin = rows["period"].max() + 1
    if begin == horizon[0]:
        return portfolio, []
    periods = pd.period_range(begin, periods=len(horizon), freq=horizon.freq)
    note = (
        f"The history ends in {format_period(begin - 1)}: the forecast begins after "
        f"it, not in {format_period(horizon[0])}."
    )
    return portfolio.replace(horizon=periods), [note]


def too_late(portfolio: Portfolio) -> list[str]:
    """Warn if history tells of periods that are to be forecast; return the sentence."""
    late = portfolio.history["period"] >= portfolio.horizon[0]
    if not late.any():
        return []
    roles = dict.fromkeys(portfolio.history.loc[late, "role"])
    said = (
        f"{some(roles)}: {int(late.sum())} rows of history lie in or after "
        f"{format_period(portfolio.horizon[0])}, where the horizon begins, and are not "
        "used."
    )
    warnings.warn(said, PmoWarning, stacklevel=3)
    return [said]


def reaching(
    portfolio: Portfolio, periods: pd.PeriodIndex
) -> tuple[Portfolio, list[str]]:
    """Return the portfolio with a horizon that reaches over some periods, and notes.

    A longer horizon stays: projects are not squeezed into the periods that are shown.
    Capacity given in FTE is known for the horizon only: beyond it the last period
    stands for the rest.
    """
    if len(periods) <= len(portfolio.horizon):
        return portfolio, []
    given = portfolio.given_capacity
    changed = portfolio.replace(horizon=periods)
    if not given.shape[1]:
        return changed, []
    grid = changed.capacity.copy()
    former = portfolio.capacity
    for role in given.columns:
        grid[role] = former[role].reindex(periods).ffill()
    note = (
        f"Capacity given in FTE ends in {portfolio.horizon[-1]}; its last period "
        "stands for the periods after it."
    )
    return changed.replace(capacity=grid), [note]


def past_of(portfolio: Portfolio, column: str, kinds: tuple[str, ...]) -> pd.DataFrame:
    """Return what really happened, period x role, FTE, up to the horizon.

    Parameters
    ----------
    column
        `capacity_fte` or `load_fte`.
    kinds
        Kinds of history to add up, where a role has them.

    Returns
    -------
    DataFrame
        Contiguous periods; NaN where nothing is known. Empty without any value.
    """
    rows = portfolio.history
    rows = rows[rows["kind"].isin(kinds) & rows[column].notna()]
    rows = rows[rows["period"] < portfolio.horizon[0]]
    if not len(rows):
        return pd.DataFrame(index=portfolio.horizon[:0])
    wide = rows.groupby(["period", "role"])[column].sum().unstack()
    periods = pd.period_range(
        wide.index.min(), portfolio.horizon[0] - 1, freq=portfolio.horizon.freq
    )
    wide = wide.reindex(pd.PeriodIndex(periods, name="period"))
    return wide.astype(float)


def load_past(portfolio: Portfolio) -> pd.DataFrame:
    """Return the load of the past, meaning what the load to come means.

    That of projects for roles whose operations lower the capacity, all of it for
    others.
    """
    return _of_kinds(portfolio, "load_fte", ("project", "operations"))


def capacity_past(portfolio: Portfolio) -> pd.DataFrame:
    """Return the capacity of the past, meaning what the capacity to come means."""
    return _of_kinds(portfolio, "capacity_fte", ("project",))


def _of_kinds(
    portfolio: Portfolio, column: str, parts: tuple[str, ...]
) -> pd.DataFrame:
    total = past_of(portfolio, column, ("total",))
    project = past_of(portfolio, column, ("project",))
    apart = past_of(portfolio, column, parts)
    net = set(portfolio.operations["role"].dropna())
    columns = {}
    for role in dict.fromkeys([*total.columns, *apart.columns]):
        sources = [project, total, apart] if role in net else [total, apart]
        columns[role] = next(grid[role] for grid in sources if role in grid.columns)
    if not columns:
        return total
    return pd.DataFrame(columns).rename_axis(index="period", columns="role")


def events_of(portfolio: Portfolio, breaks: pd.DataFrame | bool) -> pd.DataFrame | bool:
    """Return what is known of breaks: `period, role, event`, as `history` says it.

    Parameters
    ----------
    breaks
        False and nothing is looked for; True; or rows that count before those of
        `history`.

    Raises
    ------
    ConfigError
        If a column is missing or an event is not one of `breaks.EVENTS`.
    """
    if breaks is False:
        return False
    columns = ["period", "role", "event"]
    known = portfolio.history[columns].dropna()
    if isinstance(breaks, pd.DataFrame):
        if missing := sorted(set(columns) - set(breaks.columns)):
            raise ConfigError(f"breaks lacks the columns {missing}.")
        unknown = sorted(set(breaks["event"].astype(str)) - {*EVENTS})
        if unknown:
            raise ConfigError(
                f"There is no event {unknown[0]!r} in breaks"
                f"{closest(unknown[0], EVENTS)}. There are: {', '.join(EVENTS)}."
            )
        if not all(isinstance(period, pd.Period) for period in breaks["period"]):
            raise ConfigError("period of breaks holds pandas Periods.")
        known = pd.concat([breaks[columns], known])
    return known.drop_duplicates(["period", "role"])


def some(names: Iterable[object]) -> str:
    """Return names as text, the first twenty of many."""
    listed = [str(name) for name in names]
    rest = len(listed) - _NAMED
    more = f" and {rest} more" if rest > 0 else ""
    return ", ".join(listed[:_NAMED]) + more
