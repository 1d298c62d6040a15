"""Which table a file or sheet holds, by its name; and which look like one and are not.

A sheet called `demand (hours)` is not read: nobody knows whether it is the table, a
copy of it, or an old one. Left unread in silence it would make projects free, so a name
that begins with (or holds) a table's name is an error where the columns are that
table's too, and a warning otherwise.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from pmo_analytics.loaders.aliases import LATER_TABLES, fold, table_names
from pmo_analytics.loaders.findings import Place, Problem, RawTable
from pmo_analytics.loaders.understanding.headings import find_header, known_columns
from pmo_analytics.loaders.understanding.titles import units_of
from pmo_analytics.tables import TABLES

_WORDS = re.compile(r"[^\W\d_]+|\d+")
# Shorter words are too like others to be taken for a misspelling, or a beginning.
_LONG = 5


def left_out(
    place: Place, patterns: Collection[str], names: Iterable[str]
) -> tuple[set[str], list[Problem]]:
    """Return the files or sheets that `[files] ignore` names, and what is to be said.

    Parameters
    ----------
    place
        Where the setting stands.
    patterns
        Names, or patterns such as `old_*.csv`; upper and lower case are one.
    names
        Files of the folder, or sheets of the workbook.
    """
    hits = {
        pattern: {n for n in names if fnmatchcase(n.casefold(), pattern.casefold())}
        for pattern in patterns
    }
    out = set().union(*hits.values())
    what = "sheets" if place.sheet else "files"
    problems = []
    if out:
        problems.append(
            place.warning(
                f"ignored_{what}",
                column="files.ignore",
                found=", ".join(sorted(out)),
                fix=f"These {what} are not read, as [files] ignore says.",
            )
        )
    if idle := [pattern for pattern, found in hits.items() if not found]:
        problems.append(
            place.warning(
                "ignores_nothing",
                column="files.ignore",
                found=", ".join(idle),
                fix=f"[files] ignore names {what} that are not there. Correct the "
                "name, or remove it.",
            )
        )
    return out, problems


def missing_choice(place: Place, where: str, names: Any) -> Problem:
    """Return the error of a file or sheet that was asked for and is not there."""
    near = get_close_matches(place.sheet or place.source, list(names), n=1, cutoff=0.6)
    hint = f" (did you mean '{near[0]}'?)" if near else ""
    return place.error(
        "missing_file",
        found=place.sheet or place.source,
        fix=f"The {where} has none of this name{hint}. Correct the name given for "
        f"the table '{place.table}'.",
    )


def unknown_name(
    place: Place,
    name: str,
    matched: Collection[str],
    records: list[list[Any]],
    chosen: Collection[str] = (),
) -> Problem:
    """Return the finding for a file or sheet whose name is no table.

    Parameters
    ----------
    matched
        Tables that were found: a name like theirs is no misspelling.
    records
        Its first rows.
    chosen
        Tables for which the user named a file or sheet: a like name is left alone.
    """
    what = "sheet" if place.sheet else "file"
    folded = fold(name)
    near = get_close_matches(folded, list(_plain_words()), 1, 0.82)
    table = _plain_words()[near[0]] if near else ""
    if table and table not in matched and folded not in LATER_TABLES:
        return place.error(
            "misspelled_table",
            found=name,
            fix=f"Rename the {what} to '{table}' if it is that table, or to something "
            "less alike if it is your own.",
        )
    table, begins = named_table(name)
    columns = _columns_of(table, records) if table and table not in chosen else []
    if len(columns) >= (1 if begins else 2):
        named = "begins with" if begins else "holds"
        other = (
            f"Another {what} is read as '{table}'; put all rows there"
            if table in matched
            else f"Rename it to '{table}' if it is that table"
        )
        units = units_of(table, [name], loose=True)
        unit = next((u for u in units if u != "1"), "")
        hint = f" (and write '{unit}' above its header)" if unit else ""
        return place.of(table).error(
            "unread_table",
            found=name,
            fix=f"The {what} '{name}' is not read, although its name {named} the name "
            f"of the table '{table}' and it has columns of it ({', '.join(columns)}). "
            f"{other}{hint}; or give it a name without '{table}' if it is something "
            "else, or name it under [files] ignore.",
        )
    return place.warning(
        f"unknown_{what}",
        found=name,
        fix=f"The {what} is not read: its name is no table. Tables: "
        f"{', '.join((*TABLES, 'capacity'))}.",
    )


def unread_copy(place: Place, name: str) -> Problem:
    """Return the error of a table in a file of a kind that a folder does not hold."""
    return place.error(
        "unread_table",
        found=place.source,
        fix=f"The file '{place.source}' is not read, although its name begins with the "
        f"name of the table '{place.table}': in a folder tables are .csv or .tsv "
        f"files. Save it as '{name}.csv', or move it away, or name it under [files] "
        "ignore.",
    )


def named_table(name: str) -> tuple[str, bool]:
    """Return the table whose name a name holds, and whether it begins with it.

    Examples
    --------
    >>> named_table("Demand_2027"), named_table("Copy of projects")
    (('demand', True), ('projects', False))
    >>> named_table("Dashboard")
    ('', False)
    """
    words = _tables()
    tokens = _WORDS.findall(unicodedata.normalize("NFKC", name))
    for count in range(len(tokens), 0, -1):
        start = fold("".join(tokens[:count]))
        if start in words:
            return words[start], True
    folded = fold(name)
    glued = [
        word
        for word in words
        if len(word) >= (_LONG if word.isascii() else 2) and folded.startswith(word)
    ]
    if glued:
        return words[max(glued, key=len)], True
    for count in (2, 1):
        start = fold("".join(tokens[:count]))
        near = get_close_matches(start, list(_plain_words()), 1, 0.82)
        if len(start) > _LONG and near:
            return _plain_words()[near[0]], True
    for first in range(1, len(tokens)):
        for last in range(len(tokens), first, -1):
            part = fold("".join(tokens[first:last]))
            if part in words:
                return words[part], False
    return "", False


@cache
def _tables() -> dict[str, str]:
    return {w: t for w, t in table_names().items() if t != "portfolio"}


@cache
def _plain_words() -> dict[str, str]:
    return {
        word: table
        for word, table in table_names().items()
        if word.isascii() and (word == table or len(word) > _LONG)
    }


def _columns_of(table: str, records: list[list[Any]]) -> list[str]:
    """Return the columns of a table that the likely header of a sheet names."""
    rows = list(range(1, len(records) + 1))
    raw = RawTable(Place(table, ""), records, rows)
    header = find_header(raw)
    return [] if header is None else known_columns(table, records[header])
