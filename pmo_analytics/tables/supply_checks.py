"""What is wrong or surprising in people, absences and operations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from pmo_analytics.clock import (
    OPEN,
    SLIP,
    Contract,
    Ints,
    Place,
    calendar_doubts,
    country_fix,
    days_in_doubt,
    epoch_days,
    find_country,
    format_period,
    hours_per_fte,
    parse_workweek,
    period_bounds,
    rest_days,
    usual_weeks,
)
from pmo_analytics.clock import country_workweeks as countries_of
from pmo_analytics.errors import problem, suggester
from pmo_analytics.tables.supply import (
    STRIDE,
    TOLERANCE,
    EmploymentRows,
    Spans,
    Supply,
    absent_spans,
    clipped,
    employment,
    numbers_of,
    over_one,
    overlaps,
    shares_at_once,
    work_out_supply,
)

type Problems = list[dict[str, Any]]


def check_supply(
    people: pd.DataFrame,
    absences: pd.DataFrame,
    operations: pd.DataFrame,
    given: pd.DataFrame,
    horizon: pd.PeriodIndex,
    *,
    hours_per_week: float = 40.0,
    country: str = "",
    workweek: str = "",
    country_workweeks: str = "",
) -> Problems:
    """Return what is wrong or surprising in the supply tables.

    Parameters
    ----------
    people, absences, operations, given, horizon
        As in `effective_capacity`.
    hours_per_week, country, workweek, country_workweeks
        As in `effective_capacity`.

    Returns
    -------
    list
        Rows of the problems table (`errors.problems_table` makes the frame).
        Errors: `end_before_start`, `share_out_of_range`, `unknown_country`,
        `unknown_workweek`, `unknown_person`, `unknown_role`. Warnings:
        `holidays_not_known`, `holidays_of_some`, `week_of_other_days`,
        `hours_and_share_differ`, `open_row_superseded`, `person_over_one_fte`,
        `absence_outside_employment`,
        `capacity_replaces_people`, `no_operations`,
        `operations_exceed_capacity`.

    Raises
    ------
    ConfigError
        As in `effective_capacity`.
    """
    contract = Contract(hours_per_week, country, workweek, country_workweeks)
    supply = work_out_supply(horizon, given, people, absences, operations, contract)
    rows, bounds = employment(people), period_bounds(horizon)
    return [
        *_check_dates(people, "people"),
        *_check_dates(absences, "absences"),
        *_check_dates(operations, "operations"),
        *_check_shares(absences, "absences"),
        *_check_shares(operations, "operations"),
        *_check_countries(people, contract, bounds),
        *_check_workweeks(people, rows, contract),
        *_check_superseded(people, rows),
        *_check_over_one(people, rows, bounds, hours_per_week),
        *_check_absences(people, absences, rows),
        *_check_replaced(people, supply),
        *_check_operations(operations, supply, horizon, hours_per_week),
    ]


def other_unit(times: float, full: float) -> str:
    """Return in which unit an amount looks to be that is `times` what a person has.

    Parameters
    ----------
    full
        Hours of one full-time person that could be meant.
    """
    if times < 5:
        return ""
    units = ["hours"] if times <= 1.5 * full else []
    units += ["percent"] if times <= 200 else []
    likely = " or ".join(units) or "another unit"
    return f" It looks like {likely}: FTE count people, 1 = one full-time person."


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
    if abs(day) >= OPEN - 1:
        return "the beginning" if day < 0 else "an open end"
    return str(np.datetime64(int(day), "D"))


def _check_dates(frame: pd.DataFrame, table: str) -> Problems:
    if frame.empty:
        return []
    start, stop = epoch_days(frame["start"], -OPEN), epoch_days(frame["end"], OPEN)
    fix = "The row counts on no day. Correct `start` or `end`; both are included."
    cases = (
        (frame.index[at], f"start {_day(start[at])}, end {_day(stop[at])}", fix)
        for at in np.flatnonzero(stop < start).tolist()
    )
    return _problems("error", table, "end_before_start", "end", cases)


def _check_shares(frame: pd.DataFrame, table: str) -> Problems:
    if frame.empty:
        return []
    share = numbers_of(frame["share"], 0.0)
    fix = "A share lies between 0 and 1; half is 0.5, not 50."
    cases = (
        (frame.index[at], f"{share[at]:g}", fix)
        for at in np.flatnonzero((share < 0) | (share > 1)).tolist()
    )
    return _problems("error", table, "share_out_of_range", "share", cases)


def _check_countries(
    people: pd.DataFrame, contract: Contract, bounds: Ints
) -> Problems:
    problems: Problems = []
    country, usual = contract.country, usual_weeks(contract)
    codes, texts = pd.factorize(people["country"])
    for code, text in enumerate([*map(str, texts), country]):
        default = code == len(texts)  # of the rows that name none, code -1
        labels = people.index[codes == (-1 if default else code)]
        place = find_country(text)
        if text and place is None:
            fix = country_fix(text)
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
                for doubt in calendar_doubts(place, bounds)
            )
            problems += _problems(
                "warning", "people", "holidays_not_known", "country", doubts
            )
            problems += _check_days_of_some(text, place, labels[0], bounds)
            own = people.loc[labels, "workweek"] if "workweek" in people else None
            if usual(place).own is None and (own is None or own.isna().any()):
                problems += _check_rest(text, place, labels[0], bounds)
    for text in countries_of(contract.country_workweeks):
        if find_country(text) is None:
            problems += _problems(
                "error",
                "portfolio.toml",
                "unknown_country",
                "calendar.country_workweeks",
                [(None, f"'{text}'", country_fix(text))],
            )
    return problems


def _check_days_of_some(text: str, place: Place, row: Any, bounds: Ints) -> Problems:
    """Tell of days that are off for some people of a place, where nothing was said."""
    kinds: dict[str, list[str]] = {}
    for category, day, name in days_in_doubt(place, bounds):
        kinds.setdefault(category, []).append(f"{day} {name}")
    code = "-".join(part for part in (place.country, place.part) if part)

    def cases() -> Iterator[tuple[Any, str, str]]:
        for category, days in kinds.items():
            some, many = days[:3], len(days) - 3
            found = f"'{text}': {', '.join(some)}" + (
                f" and {many} more" if many > 0 else ""
            )
            fix = (
                f"A day off in parts of it, or by custom ({category}), counted as "
                f"worked. Write {code}+{category} where it is off, {code}+public where "
                "it is not."
            )
            yield row, found, fix

    return _problems("warning", "people", "holidays_of_some", "country", cases())


def _check_rest(text: str, place: Place, row: Any, bounds: Ints) -> Problems:
    """Tell of a week of other than five days, which many offices do not keep."""
    rest = rest_days(place, bounds)
    if len(rest) == 2:
        return []
    worked = 7 - len(rest)
    found = f"'{text}': free are {', '.join(rest) or 'no days'}"
    fix = (
        f"The week there has {worked} working days, each with 1/{worked} of the weekly "
        "hours. Where people work other days, write them: workweek = "
        '"Mon-Fri" under [calendar], or in a column workweek of people.'
    )
    return _problems(
        "warning", "people", "week_of_other_days", "country", [(row, found, fix)]
    )


def _check_workweeks(
    people: pd.DataFrame, rows: EmploymentRows, contract: Contract
) -> Problems:
    if people.empty or "workweek" not in people or not people["workweek"].notna().any():
        return []
    full, total = contract.hours_per_week, shares_at_once(people, rows)
    wrong: list[tuple[Any, str, str]] = []
    differ: list[tuple[Any, str, str]] = []
    for at in np.flatnonzero(people["workweek"].notna()).tolist():
        label, text = people.index[at], str(people["workweek"].iloc[at])
        try:
            week = parse_workweek(text)
        except ValueError as error:
            wrong.append((label, f"'{text}'", f"{error}."))
            continue
        share = float(total[at])
        if not week.in_hours or not 0 < share < 1 - TOLERANCE:
            continue
        if abs(share * full - week.hours) >= SLIP:
            found = f"'{text}' has {week.hours:g} hours, and fte {share:g} of {full:g}"
            fix = (
                f"Counted are {share * week.hours:g} hours a week: the share of the "
                f"hours. Write fte {week.hours / full:.4g} where the person works "
                f"{week.hours:g} hours, or the days alone."
            )
            differ.append((label, found, fix))
    return [
        *_problems("error", "people", "unknown_workweek", "workweek", wrong),
        *_problems("warning", "people", "hours_and_share_differ", "workweek", differ),
    ]


def _check_superseded(people: pd.DataFrame, rows: EmploymentRows) -> Problems:
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


def _check_over_one(
    people: pd.DataFrame, rows: EmploymentRows, bounds: Ints, full: float
) -> Problems:
    if people.empty:
        return []
    spans, inside = clipped(rows.spans, bounds)
    position, since = rows.position[inside], rows.spans.start[inside]
    over = over_one(spans)
    person, first = np.unique(over.person, return_index=True)
    last = np.append(first[1:], len(over.stop))[: len(first)] - 1
    # On the first day of too much of each person: which rows hold?
    moments = Spans(person, over.start[first], over.start[first] + 1, over.share[first])
    span, which, _, _ = overlaps(spans, moments)
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
            unit = other_unit(float(moments.share[moment]), full)
            yield people.index[latest], found, f"{fix}{unit}"

    return _problems("warning", "people", "person_over_one_fte", "fte", cases())


def _check_absences(
    people: pd.DataFrame, absences: pd.DataFrame, rows: EmploymentRows
) -> Problems:
    if absences.empty:
        return []
    spans, label = absent_spans(people, absences), absences.index
    name = absences["person"]
    nearest = suggester(pd.Index(pd.unique(people["person"].dropna()), dtype="str"))
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
    base, own = spans.person * STRIDE, rows.spans.person * STRIDE
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


def _check_replaced(people: pd.DataFrame, supply: Supply) -> Problems:
    if people.empty:
        return []
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
    operations: pd.DataFrame, supply: Supply, horizon: pd.PeriodIndex, full: float
) -> Problems:
    if operations.empty:
        return []
    freq = str(horizon.freqstr)
    nearest = suggester(supply.roles)
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
    empty = (
        (
            row,
            f"'{role}'",
            "The row says neither `fte` nor `share`, so nothing is taken off capacity. "
            "Fill in one of them, or delete the row.",
        )
        for row, role in named[
            operations.loc[named.index, ["fte", "share"]].isna().all(axis=1)
        ].items()
    )
    # Capacity below 0 is an error of its own, whether or not work is taken off it.
    missing = np.nan_to_num(supply.taken - np.maximum(supply.gross, 0.0))

    def excess() -> Iterator[tuple[Any, str, str]]:
        for at in np.flatnonzero((missing > TOLERANCE).any(axis=0)).tolist():
            role, worst = supply.roles[at], int(np.argmax(missing[:, at]))
            taken, gross = supply.taken[worst, at], supply.gross[worst, at]
            short = int((missing[:, at] > TOLERANCE).sum())
            found = (
                f"'{role}' in {short} of {len(horizon)} periods, most in "
                f"{format_period(horizon[worst])}: {taken:.6g} FTE of operations, "
                f"{gross:.6g} FTE of capacity"
            )
            fix = "Capacity for projects is 0 there. Lower operations or add capacity."
            if gross > 0:
                fix += other_unit(taken / max(gross, 1.0), hours_per_fte(freq, full))
            yield named.index[named == role][0], found, fix

    return [
        *_problems("error", "operations", "unknown_role", "role", strange),
        *_problems("warning", "operations", "no_operations", "fte", empty),
        *_problems(
            "warning", "operations", "operations_exceed_capacity", "role", excess()
        ),
    ]
