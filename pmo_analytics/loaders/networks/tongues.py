"""In which language a planning tool wrote an export, and how that language writes."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any, NamedTuple


def folded(text: Any) -> str:
    """Return the letters and digits of a text, small and without accents."""
    plain = unicodedata.normalize("NFKD", str(text or "")).casefold()
    return "".join(letter for letter in plain if letter.isalnum())


class Tongue(NamedTuple):
    """One language of an export.

    Parameters
    ----------
    name
        In English.
    headings
        Folded heading -> column.
    marks
        Columns that tell an export of tasks -> headings as they are printed.
    links
        Letters of a link -> FS, SS, FF or SF.
    units
        Folded word -> m, h, d, w, mo or y.
    elapsed
        What stands before the unit of a length by the clock; "" = not known.
    constraints
        Folded words -> constraint.
    weekdays, months
        How their folded names begin, from Monday and January on.
    comma
        Decimals stand behind a comma.
    order
        `dmy` or `ymd` where a date does not tell; "" = nothing is sure.
    """

    name: str
    headings: Mapping[str, str]
    marks: Mapping[str, tuple[str, ...]]
    links: Mapping[str, str]
    units: Mapping[str, str]
    elapsed: str
    constraints: Mapping[str, str]
    weekdays: tuple[str, ...]
    months: tuple[str, ...]
    comma: bool
    order: str


_LINKS = ("FS", "SS", "FF", "SF")
_UNITS = ("m", "h", "d", "w", "mo", "y")
_MARKS = ("duration", "start")
_CONSTRAINTS = (
    *("", "alap", "must_start_on", "must_finish_on", "start_no_earlier"),
    *("start_no_later", "finish_no_earlier", "finish_no_later"),
)
# Names of columns in the data base of P6, the first row of its own spreadsheets.
_P6 = {
    "taskcode": "id",
    "taskname": "name",
    "statuscode": "status",
    "wbsid": "wbs",
    "startdate": "start",
    "enddate": "finish",
    "actstartdate": "actual_start",
    "actenddate": "actual_finish",
    "targetdrtnhrcnt": "duration",
    "remaindrtnhrcnt": "remaining",
    "totalfloathrcnt": "total_float_h",
    "freefloathrcnt": "free_float_h",
    "predlist": "predecessors",
    "preddetails": "details",
    "cstrtype": "constraint",
    "cstrdate": "constraint_date",
    "tasktype": "type",
    "completepct": "percent",
    "resourcelist": "resources",
}


def make_tongue(
    name: str,
    headings: str,
    *,
    links: str = "",
    units: str,
    elapsed: str = "",
    constraints: str = "",
    weekdays: str = "mon tue wed thu fri sat sun",
    months: str = "jan feb mar apr may jun jul aug sep oct nov dec",
    comma: bool = True,
    order: str = "dmy",
) -> Tongue:
    """Return a language from the words that people read."""
    printed: dict[str, tuple[str, ...]] = {}
    for line in headings.strip().splitlines():
        column, _, words = line.partition(":")
        printed[column.strip()] = tuple(w.strip() for w in words.split("|"))
    own = {folded(word): column for column, ws in printed.items() for word in ws}
    lengths = zip(_UNITS, units.split("|"), strict=True)
    named = {folded(word): unit for unit, words in lengths for word in words.split()}
    # Letters of English mean the same wherever a language has letters of its own.
    kinds = dict(zip(_LINKS, _LINKS, strict=True))
    kinds |= dict(zip(links.split(), _LINKS, strict=True)) if links else {}
    limits = zip(constraints.split("|"), _CONSTRAINTS, strict=False)
    return Tongue(
        name,
        _P6 | own,
        # Names of tasks are called so nowhere else; "name" alone is not one.
        {"links": (*printed["predecessors"], printed["name"][0])}
        | {column: printed[column] for column in _MARKS},
        kinds,
        named,
        elapsed,
        {folded(word): limit for word, limit in limits},
        tuple(weekdays.split()),
        tuple(months.split()),
        comma,
        order,
    )
