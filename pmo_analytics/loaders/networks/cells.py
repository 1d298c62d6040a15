"""Cells of planning files become columns; what cannot be read is a problem, blank."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from pmo_analytics.loaders.findings import Place, Problem
from pmo_analytics.loaders.networks.plain_xml import as_text

Floats = npt.NDArray[np.float64]
Times = npt.NDArray[np.datetime64]

_DURATION = re.compile(
    r"(-)?P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?"
    r"(?:T(?:(\d+(?:\.\d*)?)H)?(?:(\d+(?:\.\d*)?)M)?(?:(\d+(?:\.\d*)?)S)?)?"
)
_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?)?"
    r"(?:Z|[+-]\d\d:?\d\d)?"
)
# Days count from 1970: the years in which calendars answer.
_FIRST, _LAST = np.datetime64("1900-01-01", "s"), np.datetime64("2200-01-01", "s")
# Problems of one kind in one column that are told one by one.
MOST = 100


@dataclass
class Told:
    """Problems of one file.

    Parameters
    ----------
    file
        Its name.
    """

    file: str
    problems: list[Problem] = field(default_factory=list)
    _counts: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def warn(
        self,
        frame: str,
        rule: str,
        fix: str,
        *,
        line: int | None = None,
        column: str = "",
        found: object = "",
    ) -> None:
        """Add a warning about a row of a frame.

        Parameters
        ----------
        line
            Of the file.
        found
            The id of the row, and the cell where one is to blame.
        """
        kind = (frame, rule, column)
        self._counts[kind] = self._counts.get(kind, 0) + 1
        if self._counts[kind] > MOST:
            return
        place = Place(frame, self.file)
        told = place.warning(rule, row=line, column=column, found=found, fix=fix)
        self.problems.append(told)

    def all(self) -> list[Problem]:
        """Return the problems; of more than `MOST` of a kind the rest is counted."""
        rest = [
            Place(frame, self.file).warning(
                rule,
                column=column,
                fix=f"The same {count - MOST:,} times more in this file.",
            )
            for (frame, rule, column), count in self._counts.items()
            if count > MOST
        ]
        return [*self.problems, *rest]


@dataclass
class Cells:
    """Rows of one kind of record: raw cells by column.

    Parameters
    ----------
    frame
        What the rows are, as in `Network`.
    columns
        Name -> cells; None = not there.
    lines
        Line of each row in the file.
    ids
        Id of each row, for problems.
    """

    frame: str
    columns: Mapping[str, Sequence[bytes | None]]
    lines: Sequence[int]
    ids: Sequence[str]
    told: Told

    def __len__(self) -> int:
        return len(self.lines)

    def texts(self, name: str) -> list[str]:
        """Return a column as texts, blanks as ""."""
        cells = self._raw(name)
        known = {cell: as_text(cell) for cell in set(cells)}
        return [known[cell] for cell in cells]

    def times(self, name: str) -> Times:
        """Return a column of ISO times; a zone is not moved, `NA` is blank."""
        return self._read(name, read_time, "bad_date", np.datetime64("NaT", "s"))

    def numbers(self, name: str, scale: float = 1.0) -> Floats:
        """Return a column of numbers, divided by `scale`."""
        return self._read(name, read_number, "bad_number", np.nan) / scale

    def hours(self, name: str) -> Floats:
        """Return a column of ISO durations in hours."""
        return self._read(name, read_seconds, "bad_duration", np.nan) / 3600

    def flags(self, name: str, *, blank: bool = False) -> npt.NDArray[np.bool_]:
        """Return a column of 0 and 1 (or words)."""
        yes = (b"1", b"true", b"True", b"Y", b"yes")
        return np.array(
            [blank if not cell else cell.strip() in yes for cell in self._raw(name)],
            dtype=bool,
        )

    def _raw(self, name: str) -> Sequence[bytes | None]:
        return self.columns.get(name, [None] * len(self))

    def _read(
        self, name: str, read: Callable[[str], Any], rule: str, blank: Any
    ) -> Any:
        """Return a column, each different text of it read once."""
        cells = self._raw(name)
        known = {cell: read(as_text(cell)) if cell else blank for cell in set(cells)}
        bad = {cell for cell, value in known.items() if value is None}
        if bad:
            known |= dict.fromkeys(bad, blank)
            for row, cell in enumerate(cells):
                if cell in bad:
                    self._tell(name, rule, row, as_text(cell)[:40])
        found = [known[cell] for cell in cells]
        kind = "datetime64[s]" if rule == "bad_date" else float
        return np.array(found, dtype=kind)

    def _tell(self, name: str, rule: str, row: int, text: str) -> None:
        fix = f"'{text}' of '{self.ids[row]}' cannot be read and counts as blank. "
        fix += "Correct it in the file's own tool."
        line = self.lines[row]
        self.told.warn(self.frame, rule, fix, line=line, column=name, found=text)


def read_time(text: str) -> np.datetime64 | None:
    """Return an ISO time within the years 1900 to 2200, NaT for `NA`, else None."""
    if not text or text == "NA":
        return np.datetime64("NaT", "s")
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = match.groups(default="00")
    try:
        time = np.datetime64(f"{year}-{month}-{day}T{hour}:{minute}:{second}", "s")
    except ValueError:
        return None
    return time if _FIRST <= time < _LAST else None


def read_number(text: str) -> float | None:
    """Return a finite number written with a point, else None."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < 1e15 and "_" not in text else None


def read_seconds(text: str) -> float | None:
    """Return an ISO duration in seconds, to the millisecond; days have 24 hours."""
    match = _DURATION.fullmatch(text)
    if match is None or text in ("P", "-P", "PT"):
        return None
    years, months, days = (int(part or 0) for part in match.groups()[1:4])
    hours, minutes, seconds = (float(part or 0) for part in match.groups()[4:])
    if years or months:
        return None
    total = days * 86_400 + hours * 3600 + minutes * 60 + seconds
    if total > 3.6e12:
        return None
    return round(-total if match[1] else total, 3)
