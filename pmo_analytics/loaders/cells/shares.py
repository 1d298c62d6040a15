"""Is a column of shares written as 0.5, or as 50 for percent? The column decides.

A cell with its own % sign needs no decision. Of the others either all are percent
or all are shares, whatever the heading says; where both might be meant, the cells
are refused.
"""

from __future__ import annotations

import unicodedata
from typing import Any, NamedTuple

from pmo_analytics.loaders.aliases import fold

# Table -> the column that is a share of a whole (of a contract, a day, a role).
SHARES = {
    "people": "fte",
    "bookings": "fte",
    "operations": "share",
    "absences": "share",
    "demand": "fte",
    "projects": "probability",
    "sprints": "elapsed",
}
# Table -> the column that counts percent, 0 to 100.
PERCENTS = {"progress": "percent_complete"}
# People are asked for by more than one.
_UNLIMITED = ("demand",)
_PERCENT_WORDS = ("percent", "pct", "prozent", "pourcent", "porcent", "百分", "%")
_DIGITS = frozenset("0123456789")
# From here on a share of a person can only be percent; below, 2 FTE may be meant.
_CLEARLY_PERCENT = 5.0


class ShareReading(NamedTuple):
    """What a column turned out to be.

    Parameters
    ----------
    factor
        0.01 where the bare cells are percent, else 1.
    rule, fix
        What has to be said of it, "" = nothing.
    wrong
        Positions of cells that might mean two things.
    """

    factor: float = 1.0
    rule: str = ""
    fix: str = ""
    wrong: tuple[int, ...] = ()


def says_percent(heading: str) -> bool:
    """Return whether a heading says that its cells are percent."""
    folded = fold(unicodedata.normalize("NFKC", heading))
    return any(word in folded for word in _PERCENT_WORDS)


def has_percent_sign(cell: Any) -> bool:
    """Return whether a cell says itself that it is percent."""
    if cell.__class__ is not str:
        return False
    if cell[-1:] in _DIGITS:
        return False
    text = unicodedata.normalize("NFKC", cell).strip().casefold()
    return text.endswith(("%", "percent", "pct", "prozent"))


def weigh_percents(heading: str, raw: list[Any], values: list[Any]) -> ShareReading:
    """Return how the bare numbers of a column of percent, 0 to 100, are to be read.

    Parameters
    ----------
    raw, values
        As in `weigh_shares`.

    Returns
    -------
    ShareReading
        `factor` 100 where no bare cell is above 1 although some are parts of 1, as in
        workbooks that show 0.45 as 45 %.
    """
    bare = [
        (i, v)
        for i, (cell, v) in enumerate(zip(raw, values, strict=True))
        if v.__class__ is float and v != 0 and not has_percent_sign(cell)
    ]
    parts = tuple(i for i, v in bare if 0 < v < 1)
    if not parts:
        return ShareReading()
    if fold(heading) == "percentcomplete":  # the contract's own unit
        if len(parts) < len(bare):
            return ShareReading()
        return ShareReading(
            rule="below_one_percent",
            fix=f"No cell of '{heading}' is above 1, and it counts from 0 to 100: 0.5 "
            "is half of one percent. If half is meant, write 50 or 50 %.",
        )
    if any(v > 1 for _, v in bare):
        return ShareReading(
            rule="percent_or_share",
            fix=f"Other cells of '{heading}' are percent: is this one a share, or less "
            "than 1 %? Write it with its % sign.",
            wrong=parts,
        )
    return ShareReading(
        100.0,
        "read_as_shares",
        f"No cell of '{heading}' is above 1, so they are read as shares: 0.5 is 50 %.",
    )


def weigh_shares(
    table: str, heading: str, raw: list[Any], values: list[Any]
) -> ShareReading:
    """Return how the bare numbers of a column of shares are to be read.

    Parameters
    ----------
    raw
        Cells as written.
    values
        The same read as numbers, cells with % signs as shares.
    """
    bare = [
        (i, abs(v))
        for i, (cell, v) in enumerate(zip(raw, values, strict=True))
        if v.__class__ is float and v != 0 and not has_percent_sign(cell)
    ]
    if not bare:
        return ShareReading()
    top = max(v for _, v in bare)
    small = tuple(i for i, v in bare if v <= 1)
    if says_percent(heading):
        return _percent_heading(table, heading, bare, top, small)
    share = fold(heading) in ("share", "probability")
    if top < _CLEARLY_PERCENT or (share and table not in ("people", "bookings")):
        return ShareReading()  # what is above 1 is found by the checks
    large = tuple(i for i, v in bare if v >= _CLEARLY_PERCENT)
    named = share or "fte" in fold(heading)
    if table in _UNLIMITED:
        if named or fold(heading) in ("demand", "需求", "bedarf"):
            return ShareReading()
        return ShareReading(
            rule="percent_or_share",
            fix=f"'{heading}' might count people or percent. Head the column FTE or "
            "Percent, or write 50 %.",
            wrong=large,
        )
    if named or len(large) < len(bare):
        return ShareReading(
            rule="percent_or_share",
            fix="A person has at most 1 FTE: is this percent? Write 0.5 or 50 % in all "
            "rows, or head the column Percent. A pool of several people belongs into "
            "the table capacity.",
            wrong=large if named else small or large,
        )
    return _as_percent(heading)


def _percent_heading(
    table: str,
    heading: str,
    bare: list[tuple[int, float]],
    top: float,
    small: tuple[int, ...],
) -> ShareReading:
    if not small:
        return _as_percent(heading)
    if top > 1:
        return ShareReading(
            rule="percent_or_share",
            fix=f"Other cells of '{heading}' are percent: does this one mean 1 % or "
            "all, 0.5 % or half? Write it with its % sign.",
            wrong=small,
        )
    if table in ("operations", "projects") and all(v == 1 for _, v in bare):
        return ShareReading(
            rule="percent_or_share",
            fix=f"Does 1 under '{heading}' mean 1 % or all? Write it with its % sign.",
            wrong=small,
        )
    return ShareReading(
        rule="read_as_shares",
        fix=f"No cell of '{heading}' is above 1, so they are read as shares: 0.5 is "
        "half, 1 is all.",
    )


def _as_percent(heading: str) -> ShareReading:
    return ShareReading(
        0.01,
        "scaled_units",
        f"The cells of '{heading}' are percent: 50 is read as 0.5.",
    )
