"""One file of Microsoft Project XML while it is read: its parts, balance, problems."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Container, Iterable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from pmo_analytics.loaders.findings import Unreadable
from pmo_analytics.loaders.networks.cells import (
    Cells,
    Floats,
    Told,
    read_number,
    read_seconds,
)
from pmo_analytics.loaders.networks.mspdi.nested import NESTED, Nested
from pmo_analytics.loaders.networks.plain_xml import (
    Lines,
    Records,
    as_text,
    elements,
    leaves,
    section,
)
from pmo_analytics.networks import Balance

# Ids that stand for nobody and for no calendar.
NOBODY = re.compile(r"-\d+|")


class MspdiFile:
    """One file while it is read."""

    def __init__(self, name: str, data: bytes) -> None:
        if b"<Project" not in data[:10_000]:
            raise Unreadable(
                "unsupported_file",
                "The file is XML of another kind, not of Microsoft Project.",
            )
        self.data = data
        self.told = Told(name)
        self.balance = Balance(name)
        self.name = name
        parts = ("Calendars", "Tasks", "Resources", "Assignments")
        self.parts = {tag: section(data, tag) for tag in parts}
        first = min((a for a, _ in self.parts.values() if a), default=len(data))
        self.head = data[:first]
        self.project = leaves(re.sub(rb"<(\w+s)>.*?</\1>", b"", self.head, flags=re.S))

    def say(self, name: str, read: Callable[[str], Any]) -> Any:
        """Return what the file says of the project under a name; None = nothing."""
        text = as_text(self.project.get(name.encode()))
        value = read(text) if text else None
        if text and value is None:
            fix = f"'{text[:40]}' of the project cannot be read and counts as blank."
            self.told.warn("project", "bad_value", fix, column=name)
        return value

    def cells(self, tag: str, frame: str, names: Sequence[str]) -> tuple[Cells, Nested]:
        """Return the rows of a part of the file that have an id of their own."""
        begin, end = self.parts[f"{tag}s"]
        records = Records(["UID", *names], list(NESTED))
        rows, lines, ids = [], [], []
        nested = Nested(frame)
        seen: set[str] = set()
        count = Lines(self.data)
        read = 0
        for at, content in elements(self.data, tag, begin, end):
            line = count.of(at)
            read += 1
            own, *row = records.of(content)
            inside = row[len(names) :]
            uid = as_text(own)
            if not uid or uid in seen:
                nested.drop(inside)
                self._leave(tag, frame, uid, line, leaves(content))
                continue
            seen.add(uid)
            nested.keep(inside, uid, line)
            rows.append(row[: len(names)])
            lines.append(line)
            ids.append(uid)
        self.balance.read(frame, read)
        columns = zip(names, zip(*rows, strict=True), strict=True) if rows else ()
        # What no record has is no column.
        there = {n: c for n, c in columns if any(cell is not None for cell in c)}
        return Cells(frame, there, lines, ids, self.told), nested

    def _leave(
        self, tag: str, frame: str, uid: str, line: int, found: dict[bytes, bytes]
    ) -> None:
        reason = f"another {tag.lower()} has this id" if uid else "it has no id"
        self.balance.leave(frame, reason, line=line, name=uid)
        fix = f"{tag} '{uid or as_text(found.get(b'Name'))}' is left out: {reason}."
        rule = "duplicate_id" if uid else "missing_id"
        self.told.warn(frame, rule, fix, line=line, found=uid)
        if frame == "assignments":
            self.read_hours([found.get(b"Work")])
            self.read_money([found.get(b"Cost")])
            for what, amount in (
                ("hours", exact_hours(found.get(b"Work"))),
                ("money", exact_money(found.get(b"Cost"))),
            ):
                if amount:
                    self.balance.leave(what, reason, amount=amount, line=line, name=uid)
        elif frame == "tasks" and (fixed := exact_money(found.get(b"FixedCost"))):
            self.balance.read("money", fixed)
            self.balance.leave("money", reason, amount=fixed, line=line, name=uid)

    def read_hours(self, work: Iterable[bytes | None], what: str = "hours") -> None:
        """Count hours (or quantities) as they stand in the file."""
        for text, times in Counter(work).items():
            self.balance.read(what, exact_hours(text) * times)

    def read_money(self, cost: Iterable[bytes | None]) -> None:
        """Count money as it stands in the file."""
        for text, times in Counter(cost).items():
            self.balance.read("money", exact_money(text) * times)

    def calendar_ids(
        self, cells: Cells, known: set[str], blank: Container[int] = ()
    ) -> list[str]:
        """Return the calendars of rows; one that is not there is told, and blank.

        Parameters
        ----------
        blank
            Rows that need no calendar.
        """
        ids = []
        for row, text in enumerate(cells.texts("CalendarUID")):
            if text in known or NOBODY.fullmatch(text) or row in blank:
                ids.append(text if text in known else "")
                continue
            ids.append("")
            cells.told.warn(
                cells.frame,
                "unknown_calendar",
                f"Calendar '{text}' of '{cells.ids[row]}' is not in the file, so that "
                "of the project counts. Give it a calendar in Microsoft Project.",
                line=cells.lines[row],
                found=text,
            )
        return ids

    def labels(self) -> dict[str, str]:
        """Return field id -> what people call a custom field."""
        labels = {}
        for tag in ("ExtendedAttribute", "OutlineCode"):
            for _, content in elements(self.head, tag):
                found = leaves(content)
                name = as_text(found.get(b"Alias")) or as_text(found.get(b"FieldName"))
                labels[as_text(found.get(b"FieldID"))] = name
        return labels


def money_of(cells: Cells, name: str) -> Floats:
    """Return money of cells in units of the currency; the file has hundredths."""
    return np.round(cells.numbers(name) / 100, 6)


def exact_hours(cell: bytes | None) -> Fraction:
    """Return hours of a duration of the file, exactly; 0 where it cannot be read."""
    return Fraction(round((read_seconds(as_text(cell)) or 0) * 1000), 3_600_000)


def exact_money(cell: bytes | None) -> Fraction:
    """Return money of the file in units of the currency; 0 where it is unreadable."""
    number = read_number(as_text(cell)) or 0.0
    return Fraction(repr(float(np.round(number / 100, 6))))


def sum_of_hours(hours: Floats) -> Fraction:
    """Return the sum of hours, each to the millisecond."""
    return Fraction(int(np.rint(hours * 3_600_000).sum()), 3_600_000)


def sum_of(amounts: Floats) -> Fraction:
    """Return the exact sum of amounts, blanks left out."""
    counts = Counter(amounts[~np.isnan(amounts)].tolist())
    return sum((Fraction(repr(a)) * n for a, n in counts.items()), Fraction(0))
