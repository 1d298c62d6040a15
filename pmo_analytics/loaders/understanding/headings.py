"""From rows of cells to named columns: headings, blank rows and totals rows."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from typing import Any

from pmo_analytics.clock import WEEKS_PER_YEAR
from pmo_analytics.loaders.aliases import column_names, fold, unit_words, weak_names
from pmo_analytics.loaders.findings import Place, Problem, RawTable
from pmo_analytics.loaders.writing.escape import unescape_text
from pmo_analytics.tables import table_spec

# How far down a header row is searched, below title rows.
_HEADER_ROWS = 20
MAX_COLUMNS = 6_000
_UNIT = re.compile(r"(.*?)\s*[(\[]([^()\[\]]*)[)\]]\s*\*?\s*")
_IN_UNIT = re.compile(r"(.+?)\s+(?:in|en)\s+(\S.*?)\s*", re.IGNORECASE)
_LAST_WORD = re.compile(r"(.*\S)\s+([^\W\d_]{3,5}|[A-Za-z]?[€$£¥])\s*")
_PERCENT = re.compile(r"(?:%\s*(.+?)|(.+?)[\s_]*%)\s*")
# Of a heading that may be a paragraph.
_SHOWN = 34
_FACTORS = {
    fold(word): factor
    for words, factor in (
        (
            "k|tsd|thousand|thousands|000|千|千元|keur|kusd|kgbp|k€|k$|k£|€k|$k|£k|t€|"
            "teur",
            1e3,
        ),
        (
            "m|mio|mn|million|millions|meur|musd|mgbp|m€|m$|m£|€m|$m|£m|€mn|$mn|£mn|"
            "mio €|mio eur|百万|百万元|百萬|百萬元",
            1e6,
        ),
        ("bn|€bn|$bn|£bn|mrd|mrd €|十亿|十億", 1e9),
        ("万|万元|万人民币|萬|萬元", 1e4),
        ("亿|亿元|億|億元", 1e8),
        ("%|percent|pct|百分比|prozent", 0.01),
        (
            "eur|usd|gbp|cny|rmb|chf|jpy|hkd|twd|€|$|£|¥|元|人民币|人民幣|currency|score|"
            "points|share|0-1|fte|ftes|number|planned|plan|actual|optional|required",
            1.0,
        ),
    )
    for word in words.split("|")
}
_PERIOD_UNITS = {
    fold(word): unit
    for unit, words in {
        "": "periods|period|whole periods|期|期数|期數|perioden|optional|required",
        "D": "days|day|天|日|工作日|tage|jours|días",
        "W": "weeks|week|周|週|wochen|semaines|semanas",
        "M": "months|month|月|个月|個月|monate|mois|meses",
        "Q": "quarters|quarter|季度|季|quartale|trimestres",
        "Y": "years|year|年|jahre|années|años",
    }.items()
    for word in words.split("|")
}
# Columns that `layouts` turns into FTE.
HOUR_COLUMNS = ("hours", "person_days", "person_weeks", "person_months")
# Hours of a contract, which `contracts` turns into a share -> how many are a week's.
HOURS_OF = {
    "weekly_hours": 1.0,
    "daily_hours": 5.0,
    "monthly_hours": 12 / WEEKS_PER_YEAR,
    "contract_hours": 1.0,
}
# Days of a contract, likewise; a full week has five.
DAYS_OF = "weekly_days"
# What a heading says a full contract has: `days per week (of 5)`.
_OF_A_FULL_ONE = re.compile(
    r"[(\[](?:of|out of|von|sur|de|共|/) ?(\d+(?:[.,]\d+)?)[^\d()\[\]]*[)\]]"
)
NUMBER_COLUMNS = frozenset(
    (
        *HOUR_COLUMNS,
        *HOURS_OF,
        DAYS_OF,
        *(f"{side}_{unit}" for side in ("capacity", "load") for unit in HOUR_COLUMNS),
    )
)


@dataclass
class Heading:
    """One column of a file.

    Parameters
    ----------
    index
        Position in the file, from 0.
    text
        Heading as written.
    name
        Column of the contract (or one `layouts` turns into it), else `text`.
    known
        Whether `name` is one of those.
    factor
        What cells are multiplied with (`Value (k€)`: 1000).
    unit
        Period unit in which a column counts (`Duration (weeks)`: W), or "".
    has_unit
        The heading names a unit.
    """

    index: int
    text: str
    name: str
    known: bool
    factor: float = 1.0
    unit: str = ""
    has_unit: bool = False


# Columns that `layouts` and `spans` turn into offsets and durations.
_BY_DATE = {
    ("demand", "period"): "period",
    ("demand", "start"): "start_day",
    ("demand", "end"): "end_day",
    ("spend", "period"): "period",
    ("benefits", "period"): "period",
    ("projects", "finish"): "period",
}


@cache
def kind_of(table: str, column: str) -> str:
    """Return the kind of a column: of the contract, `number` for hours, or ""."""
    info = table_spec(table).columns.get(column)
    if info is not None:
        return info.kind
    if column in NUMBER_COLUMNS:
        return "number"
    return _BY_DATE.get((table, column), "")


_MONEY = frozenset(
    (
        *("value", "amount", "cost", "rate"),
        *("planned_value", "earned_value", "actual_cost"),
    )
)


def is_money(table: str, column: str) -> bool:
    """Return whether a column holds amounts of the portfolio's currency."""
    return column in _MONEY or (table, column) == ("budget", "at_least")


def full_contract(text: str) -> float | None:
    """Return what a heading says a full contract has, None if it does not.

    Examples
    --------
    >>> full_contract("days per week (of 5)"), full_contract("hours per week")
    (5.0, None)
    """
    match = _OF_A_FULL_ONE.search(unicodedata.normalize("NFKC", text).casefold())
    return float(match[1].replace(",", ".")) if match else None


def heading_text(cell: Any) -> str:
    """Return a heading cell as text: 2027.0 as 2027, dates as ISO."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, date):
        return cell.strftime("%Y-%m-%d")
    return " ".join(unescape_text(str(cell)).split())


def known_names(table: str, cells: list[Any]) -> int:
    """Return how many different columns of a table a row of cells names."""
    return len(known_columns(table, cells))


def known_columns(table: str, cells: list[Any]) -> list[str]:
    """Return the different columns of a table that a row of cells names."""
    texts = dict.fromkeys(heading_text(cell) for cell in cells[:MAX_COLUMNS] if cell)
    names = dict.fromkeys(_identify(table, text)[0] for text in texts)
    return [name for name in names if name]


def places_of(table: str, cells: list[Any], name: str) -> list[int]:
    """Return where a row of headings names a column of a table for sure."""
    found = []
    for place, cell in enumerate(cells[:MAX_COLUMNS]):
        own, _, is_weak = _identify(table, heading_text(cell)) if cell else ("", "", 1)
        if own == name and not is_weak:
            found.append(place)
    return found


def shortened(text: str) -> str:
    """Return a heading that may be a paragraph as its first words."""
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1].rstrip() + "…"


def unit_factor(word: str) -> float | None:
    """Return what numbers of a unit such as k€ are multiplied with; None = unknown."""
    return _FACTORS.get(fold(word))


# The cells of the first rows are asked about under each delimiter, then once more.
@lru_cache(maxsize=10_000)
def _identify(table: str, text: str) -> tuple[str, str, bool]:
    """Return column and unit text of a heading ("" if unknown), and if it is weak."""
    names, weak = column_names(table), weak_names(table)
    for name, unit, sure in _readings(text):
        folded = fold(name)
        if folded in names:
            return names[folded], unit, not sure
        if folded in weak:
            return weak[folded], unit, True
    # duration_months, 工期月
    folded = fold(text)
    for word in _PERIOD_UNITS:
        head = folded.removesuffix(word)
        if head != folded and names.get(head) == "duration":
            return "duration", word, False
    return "", "", False


def _readings(text: str) -> list[tuple[str, str, bool]]:
    """Return what name and unit a heading may be, and whether a unit is marked."""
    plain = unicodedata.normalize("NFKC", text)
    readings = [(plain, "", True)]
    # Cost (£m) (with taxes): the brackets before the last may hold the unit.
    name, notes = plain, []
    while match := _UNIT.fullmatch(name):
        name = match[1]
        notes.append(match[2])
        unit = next((note for note in notes if _is_unit(note)), notes[0])
        readings.append((name, unit, True))
    if match := _PERCENT.fullmatch(plain):
        readings.append((match[1] or match[2], "%", True))
    # Value in TEUR, Betrag EUR: only where the end is a unit, so no name is cut.
    if ((match := _IN_UNIT.fullmatch(plain)) and _is_unit(match[2])) or (
        (match := _LAST_WORD.fullmatch(plain)) and fold(match[2]) in _FACTORS
    ):
        readings.append((match[1], match[2], False))
    return readings


def _is_unit(text: str) -> bool:
    folded = fold(text)
    return folded in _FACTORS or folded in unit_words() or folded in _PERIOD_UNITS


def find_header(raw: RawTable) -> int | None:
    """Return the position of the header row; None = the table has no filled row.

    The first row that names two columns of the table, unless most of its cells name
    none and a later row names more (filters and facts above a table do that); if
    there is none the first that names one, then the first filled row. Rows with a
    single filled cell are titles as long as a fuller row follows.
    """
    filled = [
        (i, [c for c in record if c not in (None, "")])
        for i, record in enumerate(raw.records[: _HEADER_ROWS * 5])
    ]
    filled = [(i, cells) for i, cells in filled if cells][:_HEADER_ROWS]
    if not filled:
        return None
    fuller = [pair for pair in filled if len(pair[1]) > 1] or filled
    table = raw.place.table
    counts = [(i, known_names(table, cells), len(cells)) for i, cells in fuller]
    for least in (2, 1):
        found = [row for row in counts if row[1] >= least]
        if not found:
            continue
        best = found[0]
        for row in found[1:]:
            richer = row[1] > best[1] or (least == 1 and row[2] > 2 * best[2])
            if richer and 2 * best[1] <= best[2]:
                best = row
        return best[0]
    return fuller[0][0]


def read_headings(
    cells: list[Any], place: Place, row: int
) -> tuple[list[Heading], list[Problem]]:
    """Return the named columns of a header row, and what is wrong with it.

    Blank headings are left out; of two columns for one thing the first is kept. A
    repeated heading that names nothing of the contract is a warning here: `tidying`
    knows whether it stands for a period or a role.
    """
    headings: list[Heading] = []
    problems: list[Problem] = []
    weak: list[tuple[Heading, str, str]] = []
    for index, cell in enumerate(cells):
        text = heading_text(cell)
        if not text:
            continue
        name, unit, is_weak = _identify(place.table, text)
        if is_weak:
            heading = Heading(index, text, text, known=False)
            weak.append((heading, name, unit))
        elif name:
            heading = Heading(index, text, name, known=True, has_unit=bool(unit))
            problems += _apply_unit(heading, unit, place, row)
        else:
            heading = Heading(index, text, text, known=False)
        headings.append(heading)
    problems += _use_weak(headings, weak, place, row)
    kept: dict[str, Heading] = {}
    for heading in headings:
        first = kept.setdefault(heading.name, heading)
        if first is not heading and not heading.known:
            problems.append(
                place.warning(
                    "repeated_heading",
                    row=row,
                    column=heading.name,
                    found=heading.text,
                    fix=f"Two columns are headed '{heading.text}', which is no column "
                    "of the table; only the first is kept, and not used.",
                )
            )
        elif first is not heading:
            same = "twice" if heading.text == first.text else "under two names"
            problems.append(
                place.error(
                    "duplicate_column",
                    row=row,
                    column=heading.name,
                    found=f"{shortened(first.text)}, {shortened(heading.text)}",
                    fix=f"The column '{heading.name}' is there {same}. Keep one of "
                    "them, put both into one, or rename the other.",
                )
            )
    return list(kept.values()), problems


def _use_weak(
    headings: list[Heading],
    weak: list[tuple[Heading, str, str]],
    place: Place,
    row: int,
) -> list[Problem]:
    taken = {h.name for h in headings if h.known}
    problems: list[Problem] = []
    for heading, name, unit in weak:
        if name not in taken:
            heading.name, heading.known, heading.has_unit = name, True, bool(unit)
            problems += _apply_unit(heading, unit, place, row)
    if place.table != "projects" or any(h.name == "project" for h in headings):
        return problems
    named = next((h for h in headings if h.known and h.name == "name"), None)
    if named is None:
        return problems
    named.name = "project"
    return [
        *problems,
        place.warning(
            "name_as_id",
            row=row,
            column="project",
            found=named.text,
            fix="There is no column 'project', so the names identify the projects. "
            "They must then be the same in all tables.",
        ),
    ]


def _apply_unit(heading: Heading, unit: str, place: Place, row: int) -> list[Problem]:
    """Let a unit in a heading have its effect."""
    folded = fold(unit)
    kind = kind_of(place.table, heading.name)
    if not folded or kind not in ("number", "whole"):
        return []
    if kind == "whole":
        if folded in _PERIOD_UNITS:
            heading.unit = _PERIOD_UNITS[folded]
            return []
    elif heading.name in ("fte", "capacity_fte", "load_fte") and folded in unit_words():
        word = unit_words()[folded]
        if place.table == "people" and word == "hours":
            heading.name = "contract_hours"
        elif word != "fte":
            side = heading.name.removesuffix("fte")
            heading.name = f"{side}{word}"
        return []
    elif folded in _FACTORS:
        heading.factor = _FACTORS[folded]
        return []
    elif heading.name in (*HOURS_OF, DAYS_OF) and full_contract(heading.text):
        return []
    return [
        place.error(
            "unknown_unit",
            row=row,
            column=heading.name,
            found=heading.text,
            fix=f"The unit '{unit}' of the column '{heading.name}' is not known. "
            "Convert the numbers and take the unit out of the heading.",
        )
    ]
