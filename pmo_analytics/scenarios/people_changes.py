"""Changes of supply: capacity, hires, people who leave."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pmo_analytics.errors import ConfigError
from pmo_analytics.scenarios.change import (
    Names,
    When,
    change,
    known_names,
    number_of,
    period_of,
    span_of,
    whole_of,
)
from pmo_analytics.tables import effective_capacity, empty_table

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio


def _roles(portfolio: Portfolio) -> list[str]:
    demanded = portfolio.demand["role"].dropna().unique()
    return list(dict.fromkeys([*portfolio.capacity.columns, *demanded]))


def _with_capacity(portfolio: Portfolio, role: str, fte: np.ndarray) -> Portfolio:
    """Return the portfolio with another capacity of one role, FTE by period."""
    if (fte < -1e-9).any():
        worst = int(np.argmin(fte))
        raise ConfigError(
            f"{role} would have {fte[worst]:.6g} FTE in "
            f"{portfolio.horizon[worst]}: take away less."
        )
    grid = portfolio.capacity.copy()
    grid[role] = np.maximum(fte, 0.0)
    return portfolio.replace(capacity=grid)


def _capacity_of(portfolio: Portfolio, role: str) -> np.ndarray:
    if role not in portfolio.capacity.columns:
        return np.zeros(len(portfolio.horizon))
    return portfolio.capacity[role].to_numpy(dtype=float)


@change
def add_capacity(
    portfolio: Portfolio, role: str, fte: float, start: When = None, end: When = None
) -> Portfolio:
    """Add FTE to a role's capacity, or take them away where `fte` is negative.

    Parameters
    ----------
    role
        Role that gets more, or with a negative `fte` less.
    fte
        FTE in every period of the span.
    start, end
        First and last period; blank = the horizon's.
    """
    known_names(role, _roles(portfolio), "role")
    inside = span_of(start, end, portfolio)
    added = np.where(inside, number_of(fte, "fte"), 0.0)
    return _with_capacity(portfolio, role, _capacity_of(portfolio, role) + added)


@change
def scale_capacity(
    portfolio: Portfolio,
    factor: float,
    role: Names | None = None,
    start: When = None,
    end: When = None,
) -> Portfolio:
    """Multiply the capacity of roles, all where none is named, over a span.

    Parameters
    ----------
    factor
        What each FTE of capacity is multiplied by.
    role
        Only this role; None = all.
    start, end
        First and last period; None = of the horizon.
    """
    columns = list(portfolio.capacity.columns)
    roles = columns if role is None else known_names(role, columns, "role")
    inside = span_of(start, end, portfolio)
    scale = np.where(inside, number_of(factor, "factor", 0.0), 1.0)
    grid = portfolio.capacity.copy()
    grid[roles] = grid[roles].mul(scale, axis=0)
    return portfolio.replace(capacity=grid)


@change
def hire(
    portfolio: Portfolio, role: str, fte: float = 1.0, start: When = None, ramp: int = 0
) -> Portfolio:
    """Hire people into a role, with the holidays of the portfolio's country.

    Parameters
    ----------
    role
        Role that the new people have.
    fte
        In full contracts; 1.5 are one full-time person and a half-time one.
    start
        First period; blank = the horizon's first.
    ramp
        Periods until they count in full: with 3, a quarter counts in the first,
        half in the second, three quarters in the third.
    """
    known_names(role, _roles(portfolio), "role")
    amount = number_of(fte, "fte", 0.0)
    steps = whole_of(ramp, "ramp", 0) + 1
    first = period_of(start, portfolio, "start") or portfolio.horizon[0]
    shares = [(k + 1) / steps for k in range(steps)]
    new = _new_people(portfolio, role, amount, first, shares)
    people = pd.concat([portfolio.people, new], ignore_index=True)
    return _with_people(portfolio, people=people)


def _with_people(portfolio: Portfolio, **tables: pd.DataFrame) -> Portfolio:
    """Return the portfolio with other people, and what that does to capacity.

    Where capacity was given for a role, or changed before, it replaces the people:
    then it changes by as much as theirs.
    """
    changed = portfolio.replace(**tables)
    given = list(portfolio.given_capacity.columns)
    if not given:
        return changed
    before, after = _by_people(portfolio), _by_people(changed)
    shift = (
        after.reindex(columns=given, fill_value=0.0)
        - before.reindex(columns=given, fill_value=0.0)
    ).round(6)
    grid = changed.capacity.copy()
    grid[given] = (grid[given] + shift[given]).clip(lower=0.0)
    return changed.replace(capacity=grid)


def _by_people(portfolio: Portfolio) -> pd.DataFrame:
    """Return what people alone would give, period x role, FTE."""
    nothing = portfolio.operations.iloc[:0]
    return effective_capacity(
        portfolio.horizon,
        given=portfolio.given_capacity.iloc[:, :0],
        people=portfolio.people,
        absences=portfolio.absences,
        operations=nothing,
        **portfolio.settings.calendar,
    )


def _new_people(
    portfolio: Portfolio, role: str, fte: float, first: pd.Period, shares: list[float]
) -> pd.DataFrame:
    """Return dated rows of new people, a row for each step of their ramp."""
    taken = set(portfolio.people["person"])
    rows: list[dict[str, Any]] = []
    for number in range(math.ceil(fte)):
        name = f"new {role} {number + 1}"
        while name in taken:
            name += "+"
        taken.add(name)
        contract = min(fte - number, 1.0)
        for step, share in enumerate(shares):
            begin = first + step
            last = step == len(shares) - 1
            end = pd.NaT if last else begin.end_time.normalize()
            rows.append(
                {
                    "person": name,
                    "role": role,
                    "start": begin.start_time,
                    "end": end,
                    "fte": contract * share,
                }
            )
    template = empty_table("people", portfolio.freq)
    frame = pd.DataFrame(rows, columns=["person", "role", "start", "end", "fte"])
    return frame.reindex(columns=template.columns).astype(template.dtypes.to_dict())


@change
def freeze_hiring(portfolio: Portfolio, start: When = None) -> Portfolio:
    """Leave out everybody who would join from a period on; hires of `flex` too.

    Parameters
    ----------
    start
        First period of the freeze; blank = the horizon's first.
    """
    first = period_of(start, portfolio, "start") or portfolio.horizon[0]
    people, flex = portfolio.people, portfolio.flex
    # Blank = always been there; a later row of somebody there already stays.
    there = people["start"].isna() | (people["start"] < first.start_time)
    late = ~there.groupby(people["person"]).transform("any")
    flex = flex[flex["kind"] != "hire"]
    return _with_people(portfolio, people=people[~late], flex=flex)


@change
def lose_person(portfolio: Portfolio, person: Names, start: When = None) -> Portfolio:
    """Let people leave: they count until the day before a period begins.

    Parameters
    ----------
    person
        Key of the person.
    start
        First period without them; blank = the horizon's first.
    """
    people = portfolio.people
    names = known_names(person, list(dict.fromkeys(people["person"])), "person")
    first = period_of(start, portfolio, "start") or portfolio.horizon[0]
    last_day = first.start_time.normalize() - pd.Timedelta(days=1)
    changes = {}
    for table in ("people", "bookings"):
        rows = portfolio.tables[table].copy()
        theirs = rows["person"].isin(names)
        never = theirs & (rows["start"] > last_day)
        cut = theirs & ~never & (rows["end"].isna() | (rows["end"] > last_day))
        rows.loc[cut, "end"] = last_day
        changes[table] = rows[~never]
    absences = portfolio.absences
    changes["absences"] = absences[
        ~(absences["person"].isin(names) & (absences["start"] > last_day))
    ]
    return _with_people(portfolio, **changes)
