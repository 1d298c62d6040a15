"""Supply: people, calendars, absences and operations become role capacity.

Nothing here walks day by day over people. A calendar is one cumulative sum of its
working days; a span of days of a person is two events, one where it starts and one
where it stops; capacity is a cumulative sum of events. All cost is per row.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from pmo_analytics.clock import (
    OPEN,
    Contract,
    Ints,
    epoch_days,
    find_country,
    hours_per_fte,
    period_bounds,
    usual_weeks,
    weekdays_before,
    weeks_of,
    worked_before,
)
from pmo_analytics.errors import ConfigError

type Floats = npt.NDArray[np.float64]
type Bools = npt.NDArray[np.bool_]

# Keeps (person, day) pairs sorted when packed into one integer.
STRIDE = 1 << 24
TOLERANCE = 1e-6
_NOISE = 1e-9


def people_capacity(
    people: pd.DataFrame,
    absences: pd.DataFrame,
    horizon: pd.PeriodIndex,
    *,
    hours_per_week: float = 40.0,
    country: str = "",
    workweek: str = "",
    country_workweeks: str = "",
) -> pd.DataFrame:
    """Return the FTE that people offer by period and role.

    Contract hours net of public holidays and absences, divided by the constant
    hours of 1 FTE. Working days are those that are no weekend of the country (Monday
    to Friday where none is named), and share the weekly hours equally; holidays fall
    out, and make-up days on weekends count where the country has them (as far as
    announced: China does so a year ahead). A workweek of one's own takes the place of
    the country's weekdays: days alone (`Mon-Thu`) share the contract hours of `fte`,
    so that 1 FTE works four days of ten hours and 0.8 four days of eight; hours
    (`Mon-Thu 9, Fri 4`) are meant as hours, of the person or, where `fte` is a share
    and says other hours, of a full contract. Holidays and absences take the hours of
    the day; make-up days count only for who works Monday to Friday at least. Nobody
    counts for more than 1 FTE: an open row ends where a later row of the same
    person and role starts, and shares that still add up to more than 1 on a day are
    scaled down in proportion (`check_supply` reports both).

    Parameters
    ----------
    people
        Any index; columns `person, role, start, end` (dates, both included, blank
        = open), `fte` (share of a full contract), `country` (`DE`, `DEU`,
        `Germany`, `DE-BY`, `DE-BY+catholic`), and if there are any `workweek`. An
        unknown country has no holidays.
    absences
        Any index; columns `person, start, end` (dates, both included), `share`
        (of the day, 0-1). Overlapping ones add up to at most 1.
    horizon
        Contiguous periods.
    hours_per_week
        Contract hours of one full-time person in a week.
    country
        Country of the people who name none; blank = no holidays.
    workweek, country_workweeks
        Of the people who have none of their own: the country's (`IL: Sun-Thu 8.5`),
        else that of all; blank = the weekdays of each country.

    Returns
    -------
    DataFrame
        Index `period`, columns `role` in order of first appearance, unit FTE,
        rounded to 1e-6.

    Raises
    ------
    ConfigError
        If `hours_per_week` is not greater than 0.

    Examples
    --------
    >>> people = pd.DataFrame({
    ...     "person": ["Anna"], "role": ["Developer"], "fte": [0.5],
    ...     "start": pd.to_datetime(["2027-02-15"]),
    ...     "end": pd.to_datetime([None]), "country": [None]})
    >>> absences = pd.DataFrame(columns=["person", "start", "end", "share"])
    >>> horizon = pd.period_range("2027-02", periods=2, freq="M")
    >>> people_capacity(people, absences, horizon)["Developer"].tolist()
    [0.229984, 0.528964]
    """
    contract = Contract(hours_per_week, country, workweek, country_workweeks)
    roles, fte = _people_fte(people, absences, horizon, contract)
    return _grid(_rounded(fte), horizon, roles)


def person_capacity(
    people: pd.DataFrame,
    absences: pd.DataFrame,
    horizon: pd.PeriodIndex,
    *,
    hours_per_week: float = 40.0,
    country: str = "",
    workweek: str = "",
    country_workweeks: str = "",
) -> tuple[pd.DataFrame, list[tuple[str, str]]]:
    """Return what each person offers in each of their roles, and whose columns.

    Parameters
    ----------
    people, absences, horizon, hours_per_week, country, workweek, country_workweeks
        As in `people_capacity`, by whose arithmetic the columns of a role add up to
        its capacity.

    Returns
    -------
    tuple
        Frame with index `period` and one column per person and role, FTE; and the
        (person, role) of each column.
    """
    labels = people["person"].astype(str) + "\x1f" + people["role"].astype(str)
    each = people_capacity(
        people.assign(role=labels),
        absences,
        horizon,
        hours_per_week=hours_per_week,
        country=country,
        workweek=workweek,
        country_workweeks=country_workweeks,
    )
    owners = []
    for label in each.columns:
        person, _, role = str(label).partition("\x1f")
        owners.append((person, role))
    return each, owners


def effective_capacity(
    horizon: pd.PeriodIndex,
    *,
    given: pd.DataFrame,
    people: pd.DataFrame,
    absences: pd.DataFrame,
    operations: pd.DataFrame,
    hours_per_week: float = 40.0,
    country: str = "",
    workweek: str = "",
    country_workweeks: str = "",
) -> pd.DataFrame:
    """Return the FTE left for projects by period and role.

    Given capacity, else what people offer, less operations, never below 0. Cells
    that were given and lose nothing to operations come back exactly as given.

    Parameters
    ----------
    horizon
        Contiguous periods.
    given
        Grid `period` x `role` in FTE, may be empty; its columns replace the people
        of those roles. Periods outside the horizon are cut, missing ones are NaN.
    people, absences
        As in `people_capacity`.
    operations
        Any index; columns `role`, `start, end` (dates, both included, blank =
        open), `fte` (FTE) and `share` (of the role's capacity, 0-1), both weighted
        with the fraction of the period's weekdays they cover; rows add up.
    hours_per_week, country, workweek, country_workweeks
        As in `people_capacity`.

    Returns
    -------
    DataFrame
        Index `period`, columns `role`: given roles, then roles of people; FTE,
        derived cells rounded once to 1e-6.

    Raises
    ------
    ConfigError
        If `hours_per_week` is not greater than 0, or `given` has other periods
        than the horizon (months and quarters, for example).
    """
    contract = Contract(hours_per_week, country, workweek, country_workweeks)
    supply = work_out_supply(horizon, given, people, absences, operations, contract)
    untouched = supply.taken <= _NOISE
    exact = untouched & (np.arange(len(supply.roles)) < supply.given)
    # A negative cell is an error of the data and has to stay visible as one.
    floor = np.minimum(supply.gross, 0.0)
    left = np.maximum(supply.gross - np.where(untouched, 0.0, supply.taken), floor)
    return _grid(np.where(exact, supply.gross, _rounded(left)), horizon, supply.roles)


# -------------------------------------------------------------- spans of days in rows


def numbers_of(column: pd.Series[Any], blank: float) -> Floats:
    """Return a column as floats, `blank` where there is none."""
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isnan(values), blank, values)


class Spans(NamedTuple):
    """Shares of persons from day `start` until before day `stop`."""

    person: Ints
    start: Ints
    stop: Ints
    share: Floats

    def where(self, kept: Bools) -> Spans:
        """Return the spans of a mask."""
        return Spans(
            self.person[kept], self.start[kept], self.stop[kept], self.share[kept]
        )

    def plus(self, row: Ints, start: Ints, stop: Ints, share: Floats) -> Spans:
        """Return the spans and some more, of the persons of `row`."""
        return Spans(
            np.concatenate((self.person, self.person[row])),
            np.concatenate((self.start, start)),
            np.concatenate((self.stop, stop)),
            np.concatenate((self.share, share)),
        )


class EmploymentRows(NamedTuple):
    """People rows that count, each person and role counted once, by position."""

    position: Ints
    role: Ints
    spans: Spans
    superseded: Bools  # open rows that end where a later row starts


def employment(people: pd.DataFrame) -> EmploymentRows:
    """Return the people rows that count, open ones ended by later ones."""
    person, _ = pd.factorize(people["person"])
    role, _ = pd.factorize(people["role"])
    start = epoch_days(people["start"], -OPEN)
    stop = epoch_days(people["end"], OPEN - 1) + 1
    share = np.maximum(numbers_of(people["fte"], 1.0), 0.0)
    counts = np.flatnonzero((person >= 0) & (role >= 0) & (start < stop))
    order = counts[np.lexsort((start[counts], role[counts], person[counts]))]
    person, role = person[order].astype(np.int64), role[order].astype(np.int64)
    start, stop, share = start[order], stop[order], share[order]
    # A block is the rows of one person and role with one start.
    same = (person[1:] == person[:-1]) & (role[1:] == role[:-1])
    fresh = np.append(True, ~same | (start[1:] != start[:-1]))[: len(order)]
    begins = np.flatnonzero(fresh)
    block = np.repeat(np.arange(len(begins)), np.diff(np.append(begins, len(order))))
    following = np.append(begins, -1)[block + 1]
    superseded = (
        people["end"].isna().to_numpy(dtype=np.bool_)[order]
        & (following >= 0)
        & (person[following] == person)
        & (role[following] == role)
    )
    stop = np.where(superseded, start[following], stop)
    return EmploymentRows(order, role, Spans(person, start, stop, share), superseded)


def absent_spans(people: pd.DataFrame, absences: pd.DataFrame) -> Spans:
    """Return absences; the person is its code in `people`, -1 if it has none."""
    known = pd.Index(pd.unique(people["person"].dropna()), dtype="str")
    return Spans(
        known.get_indexer(pd.Index(absences["person"])).astype(np.int64),
        epoch_days(absences["start"], -OPEN),
        epoch_days(absences["end"], OPEN - 1) + 1,
        np.clip(numbers_of(absences["share"], 1.0), 0.0, 1.0),
    )


def clipped(spans: Spans, bounds: Ints) -> tuple[Spans, Bools]:
    """Return the spans inside the horizon in days after its start, and which."""
    length = bounds[-1] - bounds[0]
    start = np.clip(spans.start - bounds[0], 0, length)
    stop = np.clip(spans.stop - bounds[0], 0, length)
    inside = (start < stop) & (spans.person >= 0)
    return spans._replace(start=start, stop=stop).where(inside), inside


def _totals(spans: Spans) -> Spans:
    """Return, per person, disjoint sorted spans with the sum of the shares."""
    who = np.concatenate((spans.person, spans.person))
    day = np.concatenate((spans.start, spans.stop))
    order = np.lexsort((day, who))
    who, day = who[order], day[order]
    total = np.cumsum(np.concatenate((spans.share, -spans.share))[order])[:-1]
    real = (who[:-1] == who[1:]) & (day[:-1] < day[1:]) & (total > _NOISE)
    return Spans(who[:-1][real], day[:-1][real], day[1:][real], total[real])


def overlaps(rows: Spans, others: Spans) -> tuple[Ints, Ints, Ints, Ints]:
    """Return every overlap of a row with a span of the same person.

    Parameters
    ----------
    others
        Disjoint and sorted per person, as from `_totals`.

    Returns
    -------
    tuple
        Row, other, first day, day after the last.
    """
    base = others.person * STRIDE + OPEN
    first = np.searchsorted(
        base + others.stop, rows.person * STRIDE + OPEN + rows.start, side="right"
    )
    last = np.searchsorted(
        base + others.start, rows.person * STRIDE + OPEN + rows.stop, side="left"
    )
    count = np.maximum(last - first, 0)
    row = np.repeat(np.arange(len(count)), count)
    within = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    other = first[row] + within
    start = np.maximum(rows.start[row], others.start[other])
    stop = np.minimum(rows.stop[row], others.stop[other])
    return row, other, start, stop


def over_one(spans: Spans) -> Spans:
    """Return when the shares of one person add up to more than 1."""
    # Whoever has one row of at most 1 needs no look; that is nearly everyone.
    several = np.bincount(spans.person) > 1 if len(spans.person) else np.zeros(0, bool)
    suspect = several[spans.person] | (spans.share > 1.0)
    totals = _totals(spans.where(suspect))
    return totals.where(totals.share > 1.0 + TOLERANCE)


def _covered(
    cell: Ints, spans: Spans, before: Floats, calendar: Ints, bounds: Ints, cells: int
) -> Floats:
    """Return working days x share by period and cell, summed over the spans.

    Parameters
    ----------
    cell
        Of each span; all spans of a cell share a calendar.
    before
        Calendar x day: working days before each day.
    calendar
        Row of `before` of each cell.
    """
    periods = len(bounds) - 1
    edges = bounds - bounds[0]
    event_cell = np.concatenate((cell, cell))
    day = np.concatenate((spans.start, spans.stop))
    step = np.concatenate((spans.share, -spans.share))
    inside = day < edges[-1]
    event_cell, day, step = event_cell[inside], day[inside], step[inside]
    period = np.searchsorted(edges, day, side="right") - 1
    work = calendar[event_cell]
    # An event counts for the rest of its own period, then for all later ones whole.
    rest = step * (before[work, edges[period + 1]] - before[work, day])
    shape = (cells, periods + 1)
    place = event_cell * (periods + 1) + period
    own = np.bincount(place, rest, cells * shape[1]).reshape(shape)[:, :periods]
    level = np.bincount(place + 1, step, cells * shape[1]).reshape(shape)[:, :periods]
    whole = np.diff(before[:, edges], axis=1)[calendar]
    return np.asarray((own + np.cumsum(level, axis=1) * whole).T)


# ------------------------------------------------------------------ people and the rest


def _people_fte(
    people: pd.DataFrame,
    absences: pd.DataFrame,
    horizon: pd.PeriodIndex,
    contract: Contract,
) -> tuple[pd.Index[str], Floats]:
    hours_per_week = contract.hours_per_week
    if not hours_per_week > 0:
        raise ConfigError(
            f"[calendar] hours_per_week must be greater than 0, not {hours_per_week!r}."
        )
    if people.empty:
        return pd.Index([], dtype="str"), np.zeros((len(horizon), 0))
    roles = pd.Index(pd.unique(people["role"].dropna()), dtype="str")
    bounds = period_bounds(horizon)
    rows = employment(people)
    spans, inside = clipped(rows.spans, bounds)
    row = np.flatnonzero(inside)

    over = over_one(spans)
    hit, other, start, stop = overlaps(spans, over)
    excess = spans.share[hit] * (1.0 - 1.0 / over.share[other])
    row = np.concatenate((row, row[hit]))
    spans = spans.plus(hit, start, stop, -excess)

    away, _ = clipped(absent_spans(people, absences), bounds)
    away = _totals(away)
    hit, other, start, stop = overlaps(spans, away)
    lost = spans.share[hit] * np.minimum(away.share[other], 1.0)
    row = np.concatenate((row, row[hit]))
    spans = spans.plus(hit, start, stop, -lost)

    calendars, weeks = weeks_of(people, contract, partial(shares_at_once, people, rows))
    before = np.array([worked_before(week, bounds) for week in weeks])
    pair = calendars[rows.position[row]] * len(roles) + rows.role[row]
    pairs, cell = np.unique(pair, return_inverse=True)
    calendar, role = np.divmod(pairs, max(len(roles), 1))
    days = _covered(cell.astype(np.int64), spans, before, calendar, bounds, len(pairs))
    by_role = np.zeros((len(roles), len(horizon)))
    np.add.at(by_role, role, days.T)
    hours = by_role.T * (hours_per_week / 5.0)
    return roles, hours / hours_per_fte(horizon.freqstr, hours_per_week)


def shares_at_once(people: pd.DataFrame, rows: EmploymentRows) -> Floats:
    """Return, for each people row, the most that its person's shares add up to."""
    found = np.zeros(len(people))
    row, other, _, _ = overlaps(rows.spans, totals := _totals(rows.spans))
    np.maximum.at(found, rows.position[row], totals.share[other])
    return found


class Supply(NamedTuple):
    """Capacity before operations and what they take; period x role, FTE."""

    roles: pd.Index[str]
    given: int  # the first so many roles are given
    gross: Floats
    taken: Floats


def work_out_supply(
    horizon: pd.PeriodIndex,
    given: pd.DataFrame,
    people: pd.DataFrame,
    absences: pd.DataFrame,
    operations: pd.DataFrame,
    contract: Contract,
) -> Supply:
    """Return what `effective_capacity` and the checks both start from."""
    clock = given.index
    strange = isinstance(clock, pd.PeriodIndex) and clock.freqstr != horizon.freqstr
    if len(given) and strange:
        raise ConfigError(
            f"The capacity grid has periods of {clock.freqstr}, the horizon of "
            f"{horizon.freqstr}: give capacity in the periods of the horizon."
        )
    known = given.reindex(horizon).to_numpy(dtype=np.float64, na_value=np.nan)
    people_roles, fte = _people_fte(people, absences, horizon, contract)
    own = ~people_roles.isin(given.columns)
    roles = pd.Index([*given.columns, *people_roles[own]], dtype="str")
    gross = np.hstack((known, fte[:, own]))
    if operations.empty:
        return Supply(roles, given.shape[1], gross, np.zeros_like(gross))

    bounds = period_bounds(horizon)
    start = epoch_days(operations["start"], -OPEN)
    stop = epoch_days(operations["end"], OPEN - 1) + 1
    cell = roles.get_indexer(pd.Index(operations["role"])).astype(np.int64)
    week = usual_weeks(contract)(find_country(contract.country))
    before = weekdays_before(week, bounds)[np.newaxis]
    weekdays = np.diff(before[0, bounds - bounds[0]])[:, np.newaxis]

    def fraction(column: str) -> Floats:
        amount = np.maximum(numbers_of(operations[column], 0.0), 0.0)
        spans, _ = clipped(Spans(cell, start, stop, amount), bounds)
        flat = np.zeros(len(roles), dtype=np.int64)
        days = _covered(spans.person, spans, before, flat, bounds, len(roles))
        return np.asarray(days / weekdays)

    taken = fraction("fte") + fraction("share") * np.nan_to_num(gross)
    return Supply(roles, given.shape[1], gross, taken)


def _rounded(values: Floats) -> Floats:
    return np.round(values, 6) + 0.0  # no negative zero


def _grid(
    values: Floats, horizon: pd.PeriodIndex, roles: pd.Index[str]
) -> pd.DataFrame:
    return pd.DataFrame(
        values, index=horizon.rename("period"), columns=roles.rename("role")
    )
