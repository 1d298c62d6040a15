"""Cells of P6 files as numbers and times. Empty is blank, never 0."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
Times = npt.NDArray[np.datetime64]

_ISO = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?Z?"
)
_NAMED = re.compile(r"(\d{1,2})-([A-Za-z]{3})-(\d{2,4})(?: (\d{1,2}):(\d{2}))?")
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun"]
_MONTHS += ["jul", "aug", "sep", "oct", "nov", "dec"]
_PLAIN = re.compile(r"-?\d+(?:,\d+)?")
_LEAST, _MOST = 1900, 2200
_HUGE = 1e15


def numbers(cells: Sequence[str]) -> tuple[Numbers, list[int]]:
    """Return cells as numbers, NaN for blanks, and the places that are none.

    A decimal comma is read where it is the only separator.
    """
    found = np.full(len(cells), np.nan)
    bad = []
    for at, cell in enumerate(cells):
        if not cell:
            continue
        try:
            value = float(cell)
        except ValueError:
            if not _PLAIN.fullmatch(cell):
                bad.append(at)
                continue
            value = float(cell.replace(",", "."))
        if abs(value) < _HUGE:  # neither NaN nor infinite
            found[at] = value
        else:
            bad.append(at)
    return found, bad


def times(cells: Sequence[str]) -> tuple[Times, list[int]]:
    """Return cells as times to the second, NaT for blanks, and places of what is none.

    `2027-1-4 08:00`, `2027-01-04T08:00:00` and `4-Jan-27 08:00` are read.
    """
    known: dict[str, np.datetime64 | None] = {"": np.datetime64("NaT", "s")}
    found = np.full(len(cells), np.datetime64("NaT", "s"))
    bad = []
    for at, cell in enumerate(cells):
        if cell not in known:
            known[cell] = _time(cell)
        time = known[cell]
        if time is None:
            bad.append(at)
        else:
            found[at] = time
    return found, bad


@lru_cache(maxsize=2**16)
def _time(cell: str) -> np.datetime64 | None:
    if match := _ISO.fullmatch(cell):
        year, month, day, hour, minute, second = (int(g or 0) for g in match.groups())
    elif match := _NAMED.fullmatch(cell):
        name = match[2].lower()
        if name not in _MONTHS:
            return None
        year, month, day = int(match[3]), _MONTHS.index(name) + 1, int(match[1])
        year += 0 if year > 99 else 1900 if year >= 70 else 2000
        hour, minute, second = int(match[4] or 0), int(match[5] or 0), 0
    else:
        return None
    if not _LEAST <= year <= _MOST:
        return None
    # 24:00 is the end of a day.
    late = hour == 24 and minute == second == 0
    clock = f"{0 if late else hour:02}:{minute:02}:{second:02}"
    try:
        time = np.datetime64(f"{year}-{month:02}-{day:02}T{clock}", "s")
    except ValueError:
        return None
    return time + np.timedelta64(int(late), "D")
