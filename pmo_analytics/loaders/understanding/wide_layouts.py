"""What the headings of a wide table stand for: periods, offsets or roles."""

from __future__ import annotations

import re
from difflib import get_close_matches

from pmo_analytics.loaders.aliases import TOTALS, fold
from pmo_analytics.loaders.cells.calendar_words import is_month_alone
from pmo_analytics.loaders.cells.dates import DayOrMonthFirst, read_date
from pmo_analytics.loaders.understanding.headings import HOUR_COLUMNS, Heading
from pmo_analytics.tables import table_spec

FTE_TABLES = ("demand", "capacity", "operations", "bookings", "history")


_VALUES = ("fte", *HOUR_COLUMNS)


MONEY_TABLES = ("spend", "benefits")


# Tables whose rows reach from start to end.
SPANS = ("people", "bookings", "operations")


WIDE_TABLES = ("demand", "capacity", "history", *MONEY_TABLES, *SPANS)


_OFFSET = re.compile(r"\+?\d{1,3}")


def wide_layout(
    table: str, headings: list[Heading], *, dayfirst: bool | None, serials: bool
) -> tuple[str, dict[str, str]]:
    """Return what the headings of a wide table stand for.

    Returns
    -------
    str, dict
        `period`, `offset`, `role` or "" (long); heading name -> period, offset or
        role.
    """
    known = {h.name for h in headings if h.known}
    free = [h for h in headings if not h.known and fold(h.text) not in TOTALS]
    measured = known & {
        *_VALUES,
        *(f"{side}_{unit}" for side in ("capacity", "load") for unit in _VALUES),
    }
    if table not in WIDE_TABLES or measured or not free:
        return "", {}
    if table in MONEY_TABLES or table in SPANS:
        if known & {"amount", "share", "start", "end", "offset", "period"}:
            return "", {}
        if "project" not in known and table in MONEY_TABLES:
            return "", {}
    if "period" in known or (table == "demand" and "offset" in known):
        return _roles(table, known, free)
    periods = _periods(free, dayfirst=dayfirst, serials=serials)
    if table in SPANS and not periods:
        # Months without a clear year: `check_spread` refuses them.
        periods = {h.name: h.text for h in free if is_month_alone(h.text)}
    if len(periods) > (1 if table in SPANS else 0):
        return "period", periods
    if table == "demand" or table in MONEY_TABLES:
        offsets = {h.name: str(int(h.text)) for h in free if _OFFSET.fullmatch(h.text)}
        if offsets:
            return "offset", offsets
    return "", {}


def _roles(
    table: str, known: set[str], free: list[Heading]
) -> tuple[str, dict[str, str]]:
    """Return the roles that stand over the columns of a table with periods."""
    if table in MONEY_TABLES or "role" in known:
        return "", {}
    if table == "demand" and "project" not in known:
        return "", {}
    columns = list(table_spec(table).columns)
    if any(get_close_matches(fold(h.text), columns, 1, 0.8) for h in free):
        return "", {}  # a misspelled column, no role
    return "role", {h.name: h.text for h in free}


def _periods(
    free: list[Heading], *, dayfirst: bool | None, serials: bool
) -> dict[str, str]:
    """Return the headings that are periods, as the strict parser writes them."""
    periods = {}
    for heading in free:
        read = read_date(heading.text, serials=serials)
        if isinstance(read, DayOrMonthFirst):
            # 03/04/2027 without evidence: taken as written, `check_spread` refuses it.
            read = heading.text if dayfirst is None else read.iso(dayfirst)
        if read is None and serials and heading.text.isdecimal():
            read = read_date(float(heading.text), serials=True)
        if read is not None:
            periods[heading.name] = str(read)
    return periods
