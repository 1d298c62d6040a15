"""Supply: people, calendars, absences and operations become role capacity.

Nothing here walks day by day over people. A calendar is one cumulative sum of its
working days; a span of days of a person is two events, one where it starts and one
where it stops; capacity is a cumulative sum of events. All cost is per row.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple
from unicodedata import normalize

import numpy as np
import numpy.typing as npt
import pandas as pd

from pmo_analytics.errors import ConfigError, closest, problem
from pmo_analytics.periods import format_period, hours_per_fte

type Ints = npt.NDArray[np.int64]
type Floats = npt.NDArray[np.float64]
type Bools = npt.NDArray[np.bool_]
type Problems = list[dict[str, Any]]

# Days since 1970 that lie before and after every date of a table, and a stride that
# keeps (person, day) pairs sorted when packed into one integer.
_OPEN = 4_000_000
_STRIDE = 1 << 24
_TOLERANCE = 1e-6
_NOISE = 1e-9
# Nearest-name searches are slow; the first few tell the analyst enough.
_SUGGESTIONS = 20


# --------------------------------------------------------------------- public verbs


def people_capacity(
    people: pd.DataFrame,
    absences: pd.DataFrame,
    horizon: pd.PeriodIndex,
    *,
    hours_per_week: float = 40.0,
    country: str = "",
) -> pd.DataFrame:
    """Return the FTE that people offer by period and role.

    Contract hours net of public holidays and absences, divided by the constant
    hours of 1 FTE. A working day has a fifth of the weekly hours; working days are
    Monday to Friday without public holidays, plus make-up days on weekends where
    the country has them (as far as announced: China does so a year ahead). Nobody
    counts for more than 1 FTE: an open row ends where a later row of the same
    person and role starts, and shares that still add up to more than 1 on a day are
    scaled down in proportion (`check_supply` reports both).

    Parameters
    ----------
    people
        Any index; columns `person, role, start, end` (dates, both included, blank
        = open), `fte` (share of a full contract), `country` (`DE`, `DEU`,
        `Germany`, `DE-BY`). An unknown country has no holidays.
    absences
        Any index; columns `person, start, end` (dates, both included), `share`
        (of the day, 0-1). Overlapping ones add up to at most 1.
    horizon
        Contiguous periods.
    hours_per_week
        Contract hours of one full-time person in a week.
    country
        Country of the people who name none; blank = no holidays.

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
    roles, fte = _people_fte(people, absences, horizon, hours_per_week, country)
    return _grid(_rounded(fte), horizon, roles)


def effective_capacity(
    horizon: pd.PeriodIndex,
    *,
    given: pd.DataFrame,
    people: pd.DataFrame,
    absences: pd.DataFrame,
    operations: pd.DataFrame,
    hours_per_week: float = 40.0,
    country: str = "",
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
    hours_per_week, country
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
    supply = _supply(
        horizon, given, people, absences, operations, hours_per_week, country
    )
    untouched = supply.taken <= _NOISE
    exact = untouched & (np.arange(len(supply.roles)) < supply.given)
    left = np.maximum(supply.gross - np.where(untouched, 0.0, supply.taken), 0.0)
    return _grid(np.where(exact, supply.gross, _rounded(left)), horizon, supply.roles)


def working_days(horizon: pd.PeriodIndex, country: str = "") -> pd.Series[int]:
    """Return the working days of each period.

    Parameters
    ----------
    horizon
        Contiguous periods.
    country
        Country whose public holidays and make-up days count; blank = none.

    Returns
    -------
    Series
        `working_days`, index `period`, unit days.

    Raises
    ------
    ConfigError
        If no public holidays are known for the country.

    Examples
    --------
    >>> working_days(pd.period_range("2027-05", periods=1, freq="M"), "DE").iloc[0]
    np.int64(19)
    """
    if country and _resolve(country) is None:
        raise ConfigError(f"Unknown country {country!r}. {_country_fix(country)}")
    bounds = _bounds(horizon)
    counts = np.diff(_workdays_before(_resolve(country), bounds)[bounds - bounds[0]])
    return pd.Series(counts, index=horizon.rename("period"), name="working_days")


def check_supply(
    people: pd.DataFrame,
    absences: pd.DataFrame,
    operations: pd.DataFrame,
    given: pd.DataFrame,
    horizon: pd.PeriodIndex,
    *,
    hours_per_week: float = 40.0,
    country: str = "",
) -> Problems:
    """Return what is wrong or surprising in the supply tables.

    Parameters
    ----------
    people, absences, operations, given, horizon, hours_per_week, country
        As in `effective_capacity`.

    Returns
    -------
    list
        Rows of the problems table (`errors.problems_table` makes the frame).
        Errors: `end_before_start`, `share_out_of_range`, `unknown_country`,
        `unknown_person`, `unknown_role`. Warnings: `holidays_not_known`,
        `open_row_superseded`, `person_over_one_fte`, `absence_outside_employment`,
        `capacity_replaces_people`, `operations_exceed_capacity`.

    Raises
    ------
    ConfigError
        As in `effective_capacity`.
    """
    supply = _supply(
        horizon, given, people, absences, operations, hours_per_week, country
    )
    rows, bounds = _employment(people), _bounds(horizon)
    return [
        *_check_dates(people, "people"),
        *_check_dates(absences, "absences"),
        *_check_dates(operations, "operations"),
        *_check_shares(absences, "absences"),
        *_check_shares(operations, "operations"),
        *_check_countries(people, country, bounds),
        *_check_superseded(people, rows),
        *_check_over_one(people, rows, bounds),
        *_check_absences(people, absences, rows),
        *_check_replaced(people, supply),
        *_check_operations(operations, supply, horizon),
    ]


# ------------------------------------------------------------------------ calendars


@lru_cache(maxsize=1)
def _country_names() -> dict[str, tuple[str, str]]:
    """Folded code or name of a country -> (its code, its name as people write it)."""
    from holidays.registry import COUNTRIES

    names: dict[str, tuple[str, str]] = {}
    for module, (_, *codes) in COUNTRIES.items():
        title = module.replace("_", " ").title()
        for word in (module, *codes):
            names[_folded(word)] = (codes[0], title)
    return names


def _folded(text: str) -> str:
    plain = normalize("NFKD", text).casefold()
    return "".join(letter for letter in plain if letter.isalnum())


@lru_cache(maxsize=4096)
def _resolve(text: str) -> tuple[str, str] | None:
    """Return (country code, part or "") of a text; None for blank and unknown."""
    import holidays

    names = _country_names()
    head, dash, part = text.partition("-")
    if dash and (hit := names.get(_folded(head))):
        entity = getattr(holidays, hit[0])
        parts = {_folded(name): code for name, code in _parts(entity)}
        if code := parts.get(_folded(part)):
            return hit[0], code
    hit = names.get(_folded(text))
    return (hit[0], "") if hit else None


def _parts(entity: Any) -> list[tuple[str, str]]:
    return [
        *entity.subdivisions_aliases.items(),
        *((code, code) for code in entity.subdivisions),
    ]


class _Exceptions(NamedTuple):
    """What a calendar changes about Monday to Friday, as days since 1970."""

    off: Ints
    made_up: Ints
    doubts: tuple[str, ...]  # what the library says it does not know


@lru_cache(maxsize=512)
def _exceptions(place: tuple[str, str], first: int, last: int) -> _Exceptions:
    """Return public holidays and make-up workdays of the years first to last."""
    from holidays import country_holidays

    country, part = place[0], place[1] or None
    years, around = range(first, last + 1), (first - 1, last + 1)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        own = country_holidays(country, subdiv=part, years=years, expand=False)
        doubts = tuple(dict.fromkeys(str(warning.message) for warning in caught))
        # A holiday of one year may be made up for in the year before or after.
        near = country_holidays(country, subdiv=part, years=around, expand=False)

    def days(dates: set[date]) -> Ints:
        found = np.array(sorted(dates), dtype="datetime64[D]").astype(np.int64)
        found.flags.writeable = False  # shared by every caller through the cache
        return found

    made_up = own.weekend_workdays | near.weekend_workdays
    return _Exceptions(days({*own, *near}), days(made_up), doubts)


def _calendar(place: tuple[str, str], bounds: Ints) -> _Exceptions:
    edges = np.array([bounds[0], bounds[-1] - 1]).astype("datetime64[D]")
    first, last = edges.astype("datetime64[Y]").astype(np.int64) + 1970
    return _exceptions(place, int(first), int(last))


def _workdays_before(place: tuple[str, str] | None, bounds: Ints) -> Ints:
    """Return how many working days of the horizon lie before each of its days.

    One entry per day of the horizon and one after the last.
    """
    first, stop = int(bounds[0]), int(bounds[-1])
    weekday = (np.arange(first, stop) + 3) % 7  # 1970-01-01 was a Thursday
    works = weekday < 5
    if place is not None:
        off, made_up, _ = _calendar(place, bounds)
        weekend = ~works
        works[off[(off >= first) & (off < stop)] - first] = False
        made_up = made_up[(made_up >= first) & (made_up < stop)] - first
        works[made_up[weekend[made_up]]] = True
    return np.concatenate(([0], np.cumsum(works, dtype=np.int64)))


# -------------------------------------------------------------- spans of days in rows


def _bounds(horizon: pd.PeriodIndex) -> Ints:
    """Return the first day of each period, and the day after the last."""
    starts = [*horizon.start_time, (horizon[-1] + 1).start_time]
    return _days(pd.Series(starts), _OPEN)


def _days(dates: pd.Series[Any], blank: int) -> Ints:
    values = pd.to_datetime(dates).to_numpy(dtype="datetime64[D]")
    days: Ints = np.clip(values.astype(np.int64), -_OPEN, _OPEN)
    days[np.isnat(values)] = blank
    return days


def _numbers(column: pd.Series[Any], blank: float) -> Floats:
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isnan(values), blank, values)


class _Spans(NamedTuple):
    """Shares of persons from day `start` until before day `stop`."""

    person: Ints
    start: Ints
    stop: Ints
    share: Floats

    def where(self, kept: Bools) -> _Spans:
        """Return the spans of a mask."""
        return _Spans(
            self.person[kept], self.start[kept], self.stop[kept], self.share[kept]
        )

    def plus(self, row: Ints, start: Ints, stop: Ints, share: Floats) -> _Spans:
        """Return the spans and some more, of the persons of `row`."""
        return _Spans(
            np.concatenate((self.person, self.person[row])),
            np.concatenate((self.start, start)),
            np.concatenate((self.stop, stop)),
            np.concatenate((self.share, share)),
        )


class _Rows(NamedTuple):
    """People rows that count, each person and role counted once, by position."""

    position: Ints
    role: Ints
    spans: _Spans
    superseded: Bools  # open rows that end where a later row starts


def _employment(people: pd.DataFrame) -> _Rows:
    person, _ = pd.factorize(people["person"])
    role, _ = pd.factorize(people["role"])
    start = _days(people["start"], -_OPEN)
    stop = _days(people["end"], _OPEN - 1) + 1
    share = np.maximum(_numbers(people["fte"], 1.0), 0.0)
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
    return _Rows(order, role, _Spans(person, start, stop, share), superseded)


def _absent(people: pd.DataFrame, absences: pd.DataFrame) -> _Spans:
    """Return absences; the person is its code in `people`, -1 if it has none."""
    known = pd.Index(pd.unique(people["person"].dropna()), dtype="str")
    return _Spans(
        known.get_indexer(pd.Index(absences["person"])).astype(np.int64),
        _days(absences["start"], -_OPEN),
        _days(absences["end"], _OPEN - 1) + 1,
        np.clip(_numbers(absences["share"], 1.0), 0.0, 1.0),
    )


def _clipped(spans: _Spans, bounds: Ints) -> tuple[_Spans, Bools]:
    """Return the spans inside the horizon in days after its start, and which."""
    length = bounds[-1] - bounds[0]
    start = np.clip(spans.start - bounds[0], 0, length)
    stop = np.clip(spans.stop - bounds[0], 0, length)
    inside = (start < stop) & (spans.person >= 0)
    return spans._replace(start=start, stop=stop).where(inside), inside


def _totals(spans: _Spans) -> _Spans:
    """Return, per person, disjoint sorted spans with the sum of the shares."""
    who = np.concatenate((spans.person, spans.person))
    day = np.concatenate((spans.start, spans.stop))
    order = np.lexsort((day, who))
    who, day = who[order], day[order]
    total = np.cumsum(np.concatenate((spans.share, -spans.share))[order])[:-1]
    real = (who[:-1] == who[1:]) & (day[:-1] < day[1:]) & (total > _NOISE)
    return _Spans(who[:-1][real], day[:-1][real], day[1:][real], total[real])


def _overlaps(rows: _Spans, others: _Spans) -> tuple[Ints, Ints, Ints, Ints]:
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
    base = others.person * _STRIDE + _OPEN
    first = np.searchsorted(
        base + others.stop, rows.person * _STRIDE + _OPEN + rows.start, side="right"
    )
    last = np.searchsorted(
        base + others.start, rows.person * _STRIDE + _OPEN + rows.stop, side="left"
    )
    count = np.maximum(last - first, 0)
    row = np.repeat(np.arange(len(count)), count)
    within = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    other = first[row] + within
    start = np.maximum(rows.start[row], others.start[other])
    stop = np.minimum(rows.stop[row], others.stop[other])
    return row, other, start, stop


def _over_one(spans: _Spans) -> _Spans:
    """Return when the shares of one person add up to more than 1."""
    # Whoever has one row of at most 1 needs no look; that is nearly everyone.
    several = np.bincount(spans.person) > 1 if len(spans.person) else np.zeros(0, bool)
    suspect = several[spans.person] | (spans.share > 1.0)
    totals = _totals(spans.where(suspect))
    return totals.where(totals.share > 1.0 + _TOLERANCE)


def _covered(
    cell: Ints, spans: _Spans, before: Ints, calendar: Ints, bounds: Ints, cells: int
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
    hours_per_week: float,
    country: str,
) -> tuple[pd.Index[str], Floats]:
    if not hours_per_week > 0:
        raise ConfigError(
            f"[calendar] hours_per_week must be greater than 0, not {hours_per_week!r}."
        )
    roles = pd.Index(pd.unique(people["role"].dropna()), dtype="str")
    bounds = _bounds(horizon)
    rows = _employment(people)
    spans, inside = _clipped(rows.spans, bounds)
    row = np.flatnonzero(inside)

    over = _over_one(spans)
    hit, other, start, stop = _overlaps(spans, over)
    excess = spans.share[hit] * (1.0 - 1.0 / over.share[other])
    row = np.concatenate((row, row[hit]))
    spans = spans.plus(hit, start, stop, -excess)

    away, _ = _clipped(_absent(people, absences), bounds)
    away = _totals(away)
    hit, other, start, stop = _overlaps(spans, away)
    lost = spans.share[hit] * np.minimum(away.share[other], 1.0)
    row = np.concatenate((row, row[hit]))
    spans = spans.plus(hit, start, stop, -lost)

    place, before = _calendars(people["country"], country, bounds)
    pair = place[rows.position[row]] * len(roles) + rows.role[row]
    pairs, cell = np.unique(pair, return_inverse=True)
    calendar, role = np.divmod(pairs, max(len(roles), 1))
    days = _covered(cell.astype(np.int64), spans, before, calendar, bounds, len(pairs))
    by_role = np.zeros((len(roles), len(horizon)))
    np.add.at(by_role, role, days.T)
    hours = by_role.T * (hours_per_week / 5.0)
    return roles, hours / hours_per_fte(horizon.freqstr, hours_per_week)


def _calendars(
    countries: pd.Series[Any], default: str, bounds: Ints
) -> tuple[Ints, Ints]:
    """Return the calendar of each people row, and calendar x day workdays before."""
    codes, texts = pd.factorize(countries)
    # A blank has code -1, which picks the last place: that of the default.
    places = [_resolve(str(text)) for text in texts] + [_resolve(default)]
    distinct = list(dict.fromkeys(places))
    calendar = np.array([distinct.index(place) for place in places])[codes]
    return calendar, np.array([_workdays_before(place, bounds) for place in distinct])


class _Supply(NamedTuple):
    """Capacity before operations and what they take; period x role, FTE."""

    roles: pd.Index[str]
    given: int  # the first so many roles are given
    gross: Floats
    taken: Floats


def _supply(
    horizon: pd.PeriodIndex,
    given: pd.DataFrame,
    people: pd.DataFrame,
    absences: pd.DataFrame,
    operations: pd.DataFrame,
    hours_per_week: float,
    country: str,
) -> _Supply:
    clock = given.index
    strange = isinstance(clock, pd.PeriodIndex) and clock.freqstr != horizon.freqstr
    if len(given) and strange:
        raise ConfigError(
            f"The capacity grid has periods of {clock.freqstr}, the horizon of "
            f"{horizon.freqstr}: give capacity in the periods of the horizon."
        )
    known = given.reindex(horizon).to_numpy(dtype=np.float64, na_value=np.nan)
    people_roles, fte = _people_fte(people, absences, horizon, hours_per_week, country)
    own = ~people_roles.isin(given.columns)
    roles = pd.Index([*given.columns, *people_roles[own]], dtype="str")
    gross = np.hstack((known, fte[:, own]))

    bounds = _bounds(horizon)
    start = _days(operations["start"], -_OPEN)
    stop = _days(operations["end"], _OPEN - 1) + 1
    cell = roles.get_indexer(pd.Index(operations["role"])).astype(np.int64)
    before = _workdays_before(None, bounds)[np.newaxis]
    weekdays = np.diff(before[0, bounds - bounds[0]])[:, np.newaxis]

    def fraction(column: str) -> Floats:
        amount = np.maximum(_numbers(operations[column], 0.0), 0.0)
        spans, _ = _clipped(_Spans(cell, start, stop, amount), bounds)
        flat = np.zeros(len(roles), dtype=np.int64)
        days = _covered(spans.person, spans, before, flat, bounds, len(roles))
        return np.asarray(days / weekdays)

    taken = fraction("fte") + fraction("share") * np.nan_to_num(gross)
    return _Supply(roles, given.shape[1], gross, taken)


def _rounded(values: Floats) -> Floats:
    return np.round(values, 6) + 0.0  # no negative zero


def _grid(
    values: Floats, horizon: pd.PeriodIndex, roles: pd.Index[str]
) -> pd.DataFrame:
    return pd.DataFrame(
        values, index=horizon.rename("period"), columns=roles.rename("role")
    )


# --------------------------------------------------------------------------- checks


def _problems(
    severity: str,
    table: str,
    rule: str,
    column: str,
    cases: Iterable[tuple[Any, str, str]],
) -> Problems:
    """Return one problem per (row label, found, fix)."""
    return [
        problem(severity, table, rule, row=row, column=column, found=found, fix=fix)
        for row, found, fix in cases
    ]


def _day(day: int) -> str:
    if abs(day) >= _OPEN - 1:
        return "the beginning" if day < 0 else "an open end"
    return str(np.datetime64(int(day), "D"))


def _nearest(known: pd.Index[str]) -> Callable[[str], str]:
    """Return a function that names the nearest known word, for the first few."""
    found: dict[str, str] = {}

    def nearest(word: str) -> str:
        if word not in found:
            found[word] = closest(word, known) if len(found) < _SUGGESTIONS else ""
        return found[word]

    return nearest


def _check_dates(frame: pd.DataFrame, table: str) -> Problems:
    start, stop = _days(frame["start"], -_OPEN), _days(frame["end"], _OPEN)
    fix = "The row counts on no day. Correct `start` or `end`; both are included."
    cases = (
        (frame.index[at], f"start {_day(start[at])}, end {_day(stop[at])}", fix)
        for at in np.flatnonzero(stop < start).tolist()
    )
    return _problems("error", table, "end_before_start", "end", cases)


def _check_shares(frame: pd.DataFrame, table: str) -> Problems:
    share = _numbers(frame["share"], 0.0)
    fix = "A share lies between 0 and 1; half is 0.5, not 50."
    cases = (
        (frame.index[at], f"{share[at]:g}", fix)
        for at in np.flatnonzero((share < 0) | (share > 1)).tolist()
    )
    return _problems("error", table, "share_out_of_range", "share", cases)


def _country_fix(text: str) -> str:
    from holidays import list_supported_countries

    head, dash, part = text.partition("-")
    hit = _country_names().get(_folded(head))
    if dash and hit is not None:
        parts = list_supported_countries(include_aliases=False).get(hit[0], [])
        usable = f" or with one of {', '.join(parts)}" if parts else ""
        return (
            f"{hit[1]} has no part '{part}', so no holidays are taken off. Use "
            f"{hit[0]} alone{usable}."
        )
    names = dict.fromkeys(name for _, name in _country_names().values())
    return (
        f"No public holidays are known for it{closest(text, names)}, so none are "
        "taken off. Use an ISO code such as DE or CN, or DE-BY for a part."
    )


def _check_countries(people: pd.DataFrame, country: str, bounds: Ints) -> Problems:
    problems: Problems = []
    codes, texts = pd.factorize(people["country"])
    for code, text in enumerate([*map(str, texts), country]):
        default = code == len(texts)  # of the rows that name none, code -1
        labels = people.index[codes == (-1 if default else code)]
        place = _resolve(text)
        if text and place is None:
            fix = _country_fix(text)
            problems += _problems(
                "error",
                "portfolio.toml" if default else "people",
                "unknown_country",
                "calendar.country" if default else "country",
                ((row, f"'{text}'", fix) for row in ([None] if default else labels)),
            )
        elif place and len(labels):
            fix = "Days off that the calendar does not know are counted as worked."
            doubts = (
                (labels[0], f"'{text}': {doubt}", fix)
                for doubt in _calendar(place, bounds).doubts
            )
            problems += _problems(
                "warning", "people", "holidays_not_known", "country", doubts
            )
    return problems


def _check_superseded(people: pd.DataFrame, rows: _Rows) -> Problems:
    def cases() -> Iterator[tuple[Any, str, str]]:
        for at in np.flatnonzero(rows.superseded):
            row = people.iloc[int(rows.position[at])]
            begun, stop = rows.spans.start[at], rows.spans.stop[at]
            found = (
                f"'{row['person']}' as '{row['role']}' from {_day(begun)} has no "
                f"end, and a later row starts on {_day(stop)}"
            )
            fix = (
                f"The row is counted until {_day(stop - 1)}; write that into `end`. If "
                "the person returns to it later, add a row for that."
            )
            yield row.name, found, fix

    return _problems("warning", "people", "open_row_superseded", "end", cases())


def _check_over_one(people: pd.DataFrame, rows: _Rows, bounds: Ints) -> Problems:
    spans, inside = _clipped(rows.spans, bounds)
    position, since = rows.position[inside], rows.spans.start[inside]
    over = _over_one(spans)
    person, first = np.unique(over.person, return_index=True)
    last = np.append(first[1:], len(over.stop))[: len(first)] - 1
    # On the first day of too much of each person: which rows hold?
    moments = _Spans(
        person, over.start[first], over.start[first] + 1, over.share[first]
    )
    span, which, _, _ = _overlaps(spans, moments)
    held: dict[int, list[int]] = {}
    for at, moment in zip(span.tolist(), which.tolist(), strict=True):
        held.setdefault(moment, []).append(at)
    fix = (
        "The shares are scaled in proportion so that they add up to 1. End the row "
        "that no longer holds, or lower `fte`."
    )

    def cases() -> Iterator[tuple[Any, str, str]]:
        for moment, ats in sorted(held.items()):
            ats.sort(key=position.__getitem__)
            latest = int(position[max(ats, key=since.__getitem__)])
            parts = " + ".join(
                f"{people['role'].iloc[int(position[at])]} {spans.share[at]:g}"
                for at in ats
            )
            day = moments.start[moment] + bounds[0]
            until = over.stop[last[moment]] + bounds[0] - 1
            found = (
                f"'{people['person'].iloc[latest]}' adds up to "
                f"{moments.share[moment]:g} on {_day(day)} ({parts}); the last day "
                f"above 1 is {_day(until)}"
            )
            yield people.index[latest], found, fix

    return _problems("warning", "people", "person_over_one_fte", "fte", cases())


def _check_absences(
    people: pd.DataFrame, absences: pd.DataFrame, rows: _Rows
) -> Problems:
    spans, label = _absent(people, absences), absences.index
    name = absences["person"]
    nearest = _nearest(pd.Index(pd.unique(people["person"].dropna()), dtype="str"))
    unknown = (spans.person < 0) & name.notna().to_numpy(dtype=np.bool_)
    strange = (
        (
            label[at],
            f"'{name.iloc[at]}'",
            f"No row of people has this person{nearest(str(name.iloc[at]))}. Correct "
            "the name, add the person, or delete the absence.",
        )
        for at in np.flatnonzero(unknown).tolist()
    )
    # Rows that start before the absence stops, less those that stop before it starts.
    base, own = spans.person * _STRIDE, rows.spans.person * _STRIDE
    begun = np.searchsorted(np.sort(own + rows.spans.start), base + spans.stop)
    ended = np.searchsorted(
        np.sort(own + rows.spans.stop), base + spans.start, side="right"
    )
    outside = (spans.person >= 0) & (spans.start < spans.stop) & (begun <= ended)
    useless = (
        (
            label[at],
            f"'{name.iloc[at]}' from {_day(spans.start[at])} to "
            f"{_day(spans.stop[at] - 1)}",
            "No row of people counts this person on any of these days, so the absence "
            "takes nothing off. Correct the dates here or in people.",
        )
        for at in np.flatnonzero(outside).tolist()
    )
    return [
        *_problems("error", "absences", "unknown_person", "person", strange),
        *_problems(
            "warning", "absences", "absence_outside_employment", "start", useless
        ),
    ]


def _check_replaced(people: pd.DataFrame, supply: _Supply) -> Problems:
    members = people.groupby("role")["person"].nunique().to_dict()

    def cases() -> Iterator[tuple[Any, str, str]]:
        for at, role in enumerate(supply.roles[: supply.given]):
            if role in members:
                blank = bool(np.isnan(supply.gross[:, at]).all())
                beware = " They cover no period of the horizon." if blank else ""
                found = f"'{role}' has capacity rows and {members[role]} people"
                fix = (
                    "The capacity rows count and the people of this role do not."
                    f"{beware} Delete the capacity rows if the people should count."
                )
                yield None, found, fix

    return _problems("warning", "capacity", "capacity_replaces_people", "role", cases())


def _check_operations(
    operations: pd.DataFrame, supply: _Supply, horizon: pd.PeriodIndex
) -> Problems:
    nearest = _nearest(supply.roles)
    named = operations["role"].dropna().astype("str")
    strange = (
        (
            row,
            f"'{role}'",
            f"Neither capacity nor people have this role{nearest(role)}, so there is "
            "nothing to take the work off. Correct the role or add capacity.",
        )
        for row, role in named[~named.isin(supply.roles)].items()
    )
    missing = np.nan_to_num(supply.taken - supply.gross)

    def excess() -> Iterator[tuple[Any, str, str]]:
        for at in np.flatnonzero((missing > _TOLERANCE).any(axis=0)).tolist():
            role, worst = supply.roles[at], int(np.argmax(missing[:, at]))
            taken, gross = supply.taken[worst, at], supply.gross[worst, at]
            short = int((missing[:, at] > _TOLERANCE).sum())
            found = (
                f"'{role}' in {short} of {len(horizon)} periods, most in "
                f"{format_period(horizon[worst])}: {taken:.6g} FTE of operations, "
                f"{gross:.6g} FTE of capacity"
            )
            fix = "Capacity for projects is 0 there. Lower operations or add capacity."
            yield named.index[named == role][0], found, fix

    return [
        *_problems("error", "operations", "unknown_role", "role", strange),
        *_problems(
            "warning", "operations", "operations_exceed_capacity", "role", excess()
        ),
    ]
