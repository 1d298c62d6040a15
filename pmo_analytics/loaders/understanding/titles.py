"""Units that are written above a table: "Resource demand in %", "in TEUR", "hours".

Rows above the header are not data, but what they say of the numbers is: it is read
where it can mean one thing only, and refused where it contradicts a heading. Every row
that is passed over is quoted.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from pmo_analytics.loaders.aliases import fold, unit_words
from pmo_analytics.loaders.findings import Problem, RawTable
from pmo_analytics.loaders.understanding.headings import (
    HOUR_COLUMNS,
    Heading,
    unit_factor,
)
from pmo_analytics.loaders.understanding.rows import title_texts
from pmo_analytics.loaders.understanding.tidy import Tidy
from pmo_analytics.loaders.understanding.wide_layouts import FTE_TABLES

_MONEY: dict[str, tuple[str, ...]] = {
    "projects": ("value",),
    "spend": ("amount",),
    "benefits": ("amount",),
    "budget": ("amount", "at_least"),
}
_BRACKETS = re.compile(r"[(\[]([^()\[\]]{1,30})[)\]]")
_AFTER = re.compile(
    r"(?<!\w)(?:in|en|unit|units|einheit|unité|unidad|单位|單位|用)\s*[:=]?\s*(?=\S)",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"%|[^\s,;:()\[\]]+")
_CURRENCY = re.compile(
    r"eur|euros?|usd|dollars?|gbp|pounds?|cny|rmb|chf|jpy|hkd|twd|[€$£¥]|of|x|元",
    re.IGNORECASE,
)
# Letters alone are too short to be a unit in the middle of a title.
_SHORT = frozenset("kmdhtx")


def units_of(table: str, texts: list[str], *, loose: bool) -> dict[str, str]:
    """Return the units that titles name: `fte`, `hours`, ..., `%` or a factor -> text.

    Parameters
    ----------
    loose
        Take a unit that merely occurs (`Demand hours 2027`) where no text says it
        plainly (`in hours`, `(hours)`, `unit: hours`).
    """
    strict: dict[str, str] = {}
    anywhere: dict[str, str] = {}
    for text in texts:
        plain = unicodedata.normalize("NFKC", text)
        for match in _BRACKETS.finditer(plain):
            inner = _AFTER.sub("", match[1], count=1)
            if unit := _unit(table, inner):
                strict.setdefault(unit, text)
        for match in _AFTER.finditer(plain):
            tokens = _TOKEN.findall(plain[match.end() : match.end() + 40])[:3]
            if unit := _longest(table, tokens):
                strict.setdefault(unit, text)
        tokens = _TOKEN.findall(plain)
        for at in range(len(tokens)):
            unit = _longest(table, tokens[at : at + 3])
            if unit and (unit == "%" or fold(tokens[at]) not in _SHORT):
                anywhere.setdefault(unit, text)
        if table not in FTE_TABLES:  # "Budget TEUR" can mean nothing else
            strict |= {u: t for u, t in anywhere.items() if u != "1"}
    return strict or (anywhere if loose else {})


def _longest(table: str, tokens: list[str]) -> str:
    for count in range(len(tokens), 0, -1):
        if unit := _unit(table, " ".join(tokens[:count])):
            return unit
    return ""


def _unit(table: str, phrase: str) -> str:
    folded = fold(phrase)
    if table in FTE_TABLES:
        if folded in ("%", "percent", "pct", "prozent", "百分比"):
            return "%"
        return "" if folded in _SHORT else unit_words().get(folded, "")
    if table not in _MONEY or folded in _SHORT:
        return ""
    number = re.sub(r"[,.' ]", "", phrase)
    factor = {"1000": 1e3, "1000000": 1e6}.get(_CURRENCY.sub("", number))
    factor = factor or unit_factor(phrase) or unit_factor(_CURRENCY.sub("", phrase))
    return "" if factor is None or factor == 0.01 else f"{factor:.0f}"


def note_titles(tidy: Tidy, headings: list[Heading], raw: RawTable, at: int) -> None:
    """Let a unit in the rows above the header, `at`, have its effect.

    Hours and days are those of a wide table; percent and thousands are noted at the
    columns, whose numbers are read later.
    """
    table = tidy.place.table
    texts = title_texts(raw, at)
    units = units_of(table, texts, loose=bool(tidy.spread)) if texts else {}
    if len(units) > 1:
        units.pop("1", None)
    own = {h.name for h in headings if h.has_unit}
    targets = list(tidy.spread) or [
        n
        for n in _MONEY.get(table, ("fte", "share", "load_fte"))
        if n in tidy.columns and n not in own
    ]
    targets = targets or _contradicting(tidy, units)
    if not units or not targets:
        return
    unit, text = next(iter(units.items()))
    if len(units) > 1:
        words = ", ".join(u.replace("_", " ") for u in units)
        tidy.problems.append(_refusal(tidy, raw, at, text, f"names {words}"))
    elif unit == "1" or (unit == "fte" and targets[0] not in HOUR_COLUMNS):
        return
    elif unit == "%" or table not in FTE_TABLES:
        for name in targets:
            tidy.title = text
            tidy.factors[name] = 0.01 if unit == "%" else float(unit)
            tidy.texts[name] = f"{tidy.texts.get(name, name)} ({text})"
    elif tidy.spread:
        tidy.measure, tidy.title = unit, text
        tidy.problems.append(
            tidy.place.warning(
                "unit_in_title",
                row=raw.rows[at],
                found=text,
                fix="As the text above the header says, the numbers are read as "
                f"{unit.replace('_', ' ')}.",
            )
        )
    else:
        heads = ", ".join(f"'{tidy.texts.get(n, n)}'" for n in targets)
        why = f"says {unit.replace('_', ' ')}, and the column is headed {heads}"
        tidy.problems.append(_refusal(tidy, raw, at, text, why))


def _contradicting(tidy: Tidy, units: Mapping[str, str]) -> list[str]:
    """Return the columns that count in one unit below a title that names others."""
    counted = [name for name in HOUR_COLUMNS if name in tidy.columns]
    if tidy.place.table not in FTE_TABLES or units.keys() & {"%", "1", *counted}:
        return []
    return counted


def _refusal(tidy: Tidy, raw: RawTable, at: int, text: str, why: str) -> Problem:
    return tidy.place.error(
        "unit_in_title",
        row=raw.rows[at],
        found=text,
        fix=f"The text above the header {why}. Write the unit into the heading of the "
        "column, such as 'hours' or 'fte', and take it out of the title.",
    )
