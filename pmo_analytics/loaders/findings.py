"""Where something was found in a file, and raw tables before they are understood."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from pmo_analytics.errors import DataError, problem, problems_table

Problem = dict[str, Any]

# Day 0 of a workbook, and the days by which that of an old Mac workbook is later.
FIRST_DAY = date(1899, 12, 30)
MAC_SHIFT = 1462


class Unreadable(Exception):
    """A whole file cannot be used; the caller knows which one and says so."""

    def __init__(
        self, rule: str, fix: str, *, found: object = "", row: int | None = None
    ) -> None:
        super().__init__(fix)
        self.rule, self.fix, self.found, self.row = rule, fix, found, row


@dataclass(frozen=True)
class Place:
    """A table in a file, as problems name it.

    Parameters
    ----------
    table
        Table of the contract, or `portfolio` for settings and whole files.
    source
        File name relative to the portfolio.
    sheet
        Sheet of a workbook, else blank.
    """

    table: str
    source: str
    sheet: str = ""

    def error(self, rule: str, **fields: Any) -> Problem:
        """Return an error row of the problems table at this place."""
        return problem(
            "error", self.table, rule, source=self.source, sheet=self.sheet, **fields
        )

    def warning(self, rule: str, **fields: Any) -> Problem:
        """Return a warning row of the problems table at this place."""
        return problem(
            "warning", self.table, rule, source=self.source, sheet=self.sheet, **fields
        )

    def unreadable(self, error: Unreadable) -> Problem:
        """Return the error row of a file that cannot be used at all."""
        return self.error(error.rule, row=error.row, found=error.found, fix=error.fix)

    def of(self, table: str) -> Place:
        """Return the same file and sheet under another table name."""
        return replace(self, table=table)


def fatal(place: Place, rule: str, fix: str, *, found: object = "") -> DataError:
    """Return the DataError of a portfolio that cannot be read at all."""
    return DataError(problems_table([place.error(rule, found=found, fix=fix)]))


@dataclass(frozen=True)
class FileFormat:
    """What a portfolio declares about its files (`[files]` of `portfolio.toml`).

    Parameters
    ----------
    encoding
        Code page of CSV files that are not UTF-8, for example `gb18030`.
    decimal
        `.` or `,`; blank = recognised where unambiguous.
    dayfirst
        Whether 03/04/2027 is 3 April; None = recognised where unambiguous.
    delimiter
        Of CSV files; blank = recognised from the header.
    blank
        Words that stand for a blank cell, beside the usual ones.
    """

    encoding: str = ""
    decimal: str = ""
    dayfirst: bool | None = None
    delimiter: str = ""
    blank: tuple[str, ...] = ()


@dataclass
class SheetFacts:
    """What a look at a sheet told that its reader does not.

    Rows count from 1, columns from 0, as in `errors`: (row, column) -> text.

    Parameters
    ----------
    errors
        Cells that hold an error such as #REF!, and its text.
    unsaved
        Formulas whose result was never saved.
    clocks, no_clocks
        Columns with numbers whose format shows a time of day, and others.
    currencies
        (column, sign in the format of its numbers) -> first row.
    state
        `hidden`, `very hidden` or "".
    hidden_rows, hidden_columns
        First and last of each run that is hidden, by hand or by a filter.
    merged
        Top, left, bottom and right of merged cells.
    shift
        Days by which day 0 of the workbook is later than usual.
    gaps, cuts
        (last row before it, count) of empty rows that were taken out, and the bytes.
    """

    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    unsaved: set[tuple[int, int]] = field(default_factory=set)
    clocks: set[int] = field(default_factory=set)
    no_clocks: set[int] = field(default_factory=set)
    currencies: dict[tuple[int, str], int] = field(default_factory=dict)
    state: str = ""
    hidden_rows: list[tuple[int, int]] = field(default_factory=list)
    hidden_columns: list[tuple[int, int]] = field(default_factory=list)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    shift: int = 0
    gaps: list[tuple[int, int]] = field(default_factory=list)
    cuts: list[tuple[int, int]] = field(default_factory=list)


@dataclass
class RawTable:
    """One table as its file holds it, header and title rows included.

    Parameters
    ----------
    place
        Table, file and sheet.
    records
        Rows of cells; a blank cell is "" or None.
    rows
        Row number of each record as an analyst sees it: the sheet's row, or the
        line of a CSV file on which the record begins.
    typed
        Cells carry types (a workbook), so a number is a number.
    delimiter
        Of a CSV file.
    facts
        What else is known of the sheet.
    """

    place: Place
    records: list[list[Any]]
    rows: list[int]
    typed: bool = False
    delimiter: str = ""
    facts: SheetFacts = field(default_factory=SheetFacts)
