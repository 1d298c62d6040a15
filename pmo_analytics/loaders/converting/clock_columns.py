"""What a time of day beside a date means: zones, ends at midnight, half days."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from pmo_analytics.loaders.cells.dates import Clock
from pmo_analytics.loaders.understanding.headings import kind_of
from pmo_analytics.loaders.understanding.tidy import Tidy

_DAY = 86_400
_NOON = 12 * 3600
# Where a day of work begins and ends as far as halves of it are concerned.
_OPENS, _CLOSES = 9 * 3600, 17 * 3600
# Why an end at 0:00 means the whole day: what is said of the first row, in this order.
_DAYS_MEANT = (
    "This row starts and ends at the same 0:00",
    "This row runs from the first of a month to the last day of one",
    "This row ends on the last day of a month",
)


def settle_clocks(tidy: Tidy, zone: str, hours_per_week: float) -> None:
    """Let times of day have their effect on the days of a table, in place.

    Parameters
    ----------
    zone
        Time zone of the portfolio, "" = not known.
    """
    if not tidy.clocks and not tidy.clocked:
        return
    _move_to_zone(tidy, zone)
    if tidy.place.table in ("progress", "milestones"):
        tidy.clocks = {}  # days on which something is said or is due, no spans
        return
    _ends_at_midnight(tidy)
    if tidy.place.table == "absences":
        _half_days(tidy, hours_per_week / 5 * 3600)
    else:
        _say_dropped(tidy)
    tidy.clocks = {}


def _days(tidy: Tidy, name: str) -> Iterator[tuple[int, date, Clock | None]]:
    """Yield row index, day and time of day of the cells that are days."""
    cells = tidy.columns[name]
    clocks = tidy.clocks.get(name) or [None] * len(cells)
    for index, (cell, clock) in enumerate(zip(cells, clocks, strict=True)):
        day = _day(cell)
        if day is not None:
            yield index, day, clock


def _day(cell: object) -> date | None:
    if not isinstance(cell, str) or len(cell) != 10:
        return None
    try:
        return date.fromisoformat(cell)
    except ValueError:
        return None


def _is_end(table: str, name: str) -> bool:
    if table == "projects":
        return name in ("finish", "deadline")
    return name == "end" or kind_of(table, name) == "end_day"


# ------------------------------------------------------------------------------- zones


def _move_to_zone(tidy: Tidy, zone: str) -> None:
    zoned = [
        (name, index, day, clock)
        for name in tidy.clocks
        for index, day, clock in _days(tidy, name)
        if clock is not None and clock.offset is not None
    ]
    if not zoned:
        return
    name, index, day, clock = zoned[0]
    found = f"{day} {_time(clock)} ({len(zoned)} cells)"
    if not zone:
        tidy.problems.append(
            tidy.place.warning(
                "time_zone_dropped",
                row=tidy.rows[index],
                column=name,
                found=found,
                fix="Times with a zone are read as they stand; near midnight another "
                "zone is in another day. Declare [calendar] timezone = "
                "'Europe/Berlin', or a country that has one zone.",
            )
        )
        return
    home = ZoneInfo(zone)
    moved = 0
    midnights = all(c.seconds == 0 and c.offset == 0 for *_, c in zoned if c)
    for name, index, day, clock in zoned:
        local = _local(day, clock, home)
        if (local.date(), _seconds(local)) == (day, clock.seconds):
            continue
        moved += 1
        if not midnights:
            tidy.columns[name][index] = local.date().isoformat()
            tidy.clocks[name][index] = Clock(_seconds(local))
    if not moved:
        return
    name, index, day, clock = zoned[0]
    tidy.problems.append(
        tidy.place.warning(
            "time_zone_dropped" if midnights else "time_zone_moved",
            row=tidy.rows[index],
            column=name,
            found=found,
            fix="All times of this table are 0:00 UTC, so whole days are meant and "
            f"nothing was moved to {zone}."
            if midnights
            else f"Times with a zone were moved to {zone}; this one is "
            f"{_local(day, clock, home):%Y-%m-%d %H:%M} there.",
        )
    )


def _local(day: date, clock: Clock, home: ZoneInfo) -> datetime:
    start = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo("UTC"))
    instant = start + timedelta(seconds=clock.seconds, minutes=-(clock.offset or 0))
    return instant.astimezone(home)


def _seconds(when: datetime) -> int:
    return when.hour * 3600 + when.minute * 60 + when.second


def _time(clock: Clock) -> str:
    hours, rest = divmod(clock.seconds, 3600)
    zone = "" if clock.offset is None else f"{clock.offset / 60:+g} h from UTC"
    return f"{hours:02d}:{rest // 60:02d} {zone}".strip()


# ---------------------------------------------------------------------------- midnight


def _ends_at_midnight(tidy: Tidy) -> None:
    """Read an end at 0:00 as the day before, as far as the clocks mean anything."""
    table = tidy.place.table
    real = any(
        clock is not None and clock.seconds % _DAY
        for clocks in tidy.clocks.values()
        for clock in clocks
    )
    if tidy.typed:
        # A workbook keeps 0:00 as a mere day; beside times, or shown, it is a time.
        ends = {n for n in tidy.columns if _is_end(table, n)}
        for name in tidy.clocks.keys() | ends if real else tidy.clocked:
            if kind_of(table, name):
                tidy.clocks[name] = [
                    Clock(0) if clock is None and _day(cell) is not None else clock
                    for cell, clock in zip(
                        tidy.columns[name],
                        tidy.clocks.get(name) or [None] * len(tidy.rows),
                        strict=True,
                    )
                ]
    for name in list(tidy.clocks):
        if _is_end(table, name):
            _shift_ends(tidy, name, real)
        for index, day, clock in list(_days(tidy, name)):
            if clock is not None and clock.seconds == _DAY and not _is_end(table, name):
                tidy.columns[name][index] = str(day + timedelta(days=1))


def _months(start: date | None, end: date) -> bool:
    begins = start is None or start.day == 1
    return begins and (end + timedelta(days=1)).day == 1


def _shift_ends(tidy: Tidy, name: str, real: bool) -> None:
    starts = {}
    if "start" in tidy.columns:
        starts = {i: (day, clock) for i, day, clock in _days(tidy, "start")}
    ends = [
        (i, day) for i, day, clock in _days(tidy, name) if clock and clock.seconds == 0
    ]
    if not ends:
        return
    same = [i for i, day in ends if i in starts and starts[i][0] == day]
    # All but absences are long: they end with a month, whenever they began.
    long = tidy.place.table != "absences" and all(day.day > 1 for _, day in ends)
    whole = [
        i
        for i, day in ends
        if _months(None if long else starts.get(i, (None, None))[0], day)
    ]
    if (same or whole) and not real and name != "deadline":
        first = (same or whole)[0]
        from_first = first in starts and starts[first][0].day == 1
        reason = next(
            text
            for holds, text in zip((same, from_first, 1), _DAYS_MEANT, strict=True)
            if holds
        )
        tidy.problems.append(
            tidy.place.warning(
                "clock_dropped",
                row=tidy.rows[first],
                column=name,
                found=f"{tidy.columns[name][first]} 00:00",
                fix=f"{reason}, so the days are meant, the last one included; the "
                "times of this table are not used.",
            )
        )
        tidy.clocks = {n: [] for n in tidy.clocks}
        return
    shifted = [(i, day) for i, day in ends if i not in same]
    for i, day in shifted:
        tidy.columns[name][i] = str(day - timedelta(days=1))
        tidy.clocks[name][i] = Clock(_DAY)
    if shifted:
        i, day = shifted[0]
        before = tidy.columns[name][i]
        tidy.problems.append(
            tidy.place.warning(
                "end_at_midnight",
                row=tidy.rows[i],
                column=name,
                found=f"{day} 00:00 ({len(shifted)} cells)",
                fix=f"An end at 0:00 is the end of the day before: {before}. If whole "
                "days are meant, write them without a time.",
            )
        )


# --------------------------------------------------------------------------- half days


def _half_days(tidy: Tidy, full: float) -> None:
    """Give absences that begin or end inside a day their share of it.

    Within one day hours count; where an absence goes over several days, its first
    and its last are whole or half. Rows that then differ from day to day are split.
    """
    columns = tidy.columns
    if "start" not in columns or "end" not in columns:
        return
    count = len(tidy.rows)
    given = columns.get("share", [None] * count)
    starts = {i: (day, clock) for i, day, clock in _days(tidy, "start")}
    ends = {i: (day, clock) for i, day, clock in _days(tidy, "end")}
    rows: list[tuple[int, str, str, float | None]] = []
    changed = []
    for i in range(count):
        whole = (i, columns["start"][i], columns["end"][i], None)
        if i not in starts or i not in ends or given[i] is not None:
            rows.append(whole)
            continue
        pieces = _pieces(*starts[i], *ends[i], full)
        if all(share == 1.0 for *_, share in pieces):
            rows.append(whole)
            continue
        changed.append(i)
        rows += [(i, str(a), str(b), share) for a, b, share in pieces if share]
    if not changed:
        return
    order = [i for i, *_ in rows]
    first = changed[0]
    found = f"{_when(starts[first])} .. {_when(ends[first])} ({len(changed)} rows)"
    tidy.columns = {n: [cells[i] for i in order] for n, cells in columns.items()}
    tidy.columns["start"] = [a for _, a, _, _ in rows]
    tidy.columns["end"] = [b for _, _, b, _ in rows]
    tidy.columns["share"] = [
        given[i] if share is None else share for i, _, _, share in rows
    ]
    row = tidy.rows[first]
    tidy.rows = [tidy.rows[i] for i in order]
    tidy.problems.append(
        tidy.place.warning(
            "half_days",
            row=row,
            column="start",
            found=found,
            fix=f"Absences with times are read as parts of days of {full / 3600:g} "
            "hours; those of several days begin and end with a whole or half day.",
        )
    )


def _when(moment: tuple[date, Clock | None]) -> str:
    return f"{moment[0]} {_time(moment[1]) if moment[1] else ''}".strip()


def _pieces(
    start: date, begins: Clock | None, end: date, ends: Clock | None, full: float
) -> list[tuple[date, date, float]]:
    """Return spans of days with the share of each day that is away."""
    first = 1.0 if begins is None else _half((_CLOSES - begins.seconds) / full)
    last = 1.0 if ends is None else _half((ends.seconds - _OPENS) / full)
    if start == end and begins is not None and ends is not None:
        if ends.seconds <= begins.seconds:
            return [(start, end, 1.0)]  # times that contradict each other
        early, late = begins.seconds <= _DAY // 4, ends.seconds >= _DAY * 5 // 6
        hours = (ends.seconds - begins.seconds) / full
        share = min(first, last) if early or late else min(1.0, round(hours, 6))
        return [(start, end, share)]
    if start == end:
        return [(start, end, min(first, last))]
    day = timedelta(days=1)
    inner = [(start + day, end - day, 1.0)] if end - start > day else []
    return [(start, start, first), *inner, (end, end, last)]


def _half(share: float) -> float:
    """Return 0, 0.5 or 1, whichever is nearest."""
    return min(max(int(share * 2 + 0.5), 0), 2) / 2


def _say_dropped(tidy: Tidy) -> None:
    """Say where a day counts whole although its times are those of a part."""
    table = tidy.place.table
    for name in tidy.clocks:
        if kind_of(table, name) not in ("start_day", "end_day"):
            continue
        partial = [
            (index, day, clock)
            for index, day, clock in _days(tidy, name)
            if clock is not None
            and (
                0 < clock.seconds <= _NOON + 3600
                if _is_end(table, name)
                else clock.seconds >= _NOON
            )
        ]
        if partial:
            index, day, clock = partial[0]
            tidy.problems.append(
                tidy.place.warning(
                    "clock_dropped",
                    row=tidy.rows[index],
                    column=name,
                    found=f"{day} {_time(clock)} ({len(partial)} cells)",
                    fix="Times of day are not used here: the whole day counts.",
                )
            )
