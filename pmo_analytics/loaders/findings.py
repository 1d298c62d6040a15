"""Where something was found in a file, and raw tables before they are understood."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from pmo_analytics.errors import DataError, problem, problems_table

Problem = dict[str, Any]


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
    """

    encoding: str = ""
    decimal: str = ""
    dayfirst: bool | None = None
    delimiter: str = ""


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
    errors
        (row, 0-based column) -> text of cells that hold an error such as #REF!.
    unsaved
        (row, 0-based column) of formulas whose result was never saved.
    delimiter
        Of a CSV file.
    """

    place: Place
    records: list[list[Any]]
    rows: list[int]
    typed: bool = False
    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    unsaved: set[tuple[int, int]] = field(default_factory=set)
    delimiter: str = ""
