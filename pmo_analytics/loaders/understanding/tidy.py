"""A table on its way from file to frame."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pmo_analytics.loaders.cells.dates import Clock
from pmo_analytics.loaders.findings import Place, Problem
from pmo_analytics.loaders.understanding.headings import is_money
from pmo_analytics.loaders.understanding.wide_layouts import MONEY_TABLES


@dataclass
class Tidy:
    """A table on its way from file to frame.

    Parameters
    ----------
    place
        Table, file and sheet.
    columns
        Name -> cells, all of one length; blank = None.
    rows
        Row number in the file of each.
    texts
        Name -> heading as written.
    units
        Name -> period unit the heading says the column counts in.
    wide
        What the columns spread over headings mean: `period`, `offset`, `role`, or
        "" in a long table.
    spread
        Names of those columns and what each stands for.
    was_wide
        `wide` of a table that has been made long.
    measure
        What the cells of those columns count: `fte`, `hours`, `person_days`, ...
    title
        Text above the header that says a unit which was used.
    problems
        Findings so far.
    factors
        Name -> what its heading says the cells are multiplied with.
    delimiter
        Of a CSV file.
    dotted
        Whether days are written 31.12.2027.
    currencies
        Sign or code -> where it stands first.
    typed
        Cells carried types (a workbook).
    clocked
        Columns of a workbook whose cells all show a time of day.
    clocks
        Column -> time of day of each of its cells, until `clock_columns` uses them.
    """

    place: Place
    columns: dict[str, list[Any]] = field(default_factory=dict)
    rows: list[int] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    wide: str = ""
    spread: dict[str, str] = field(default_factory=dict)
    was_wide: str = ""
    measure: str = "fte"
    title: str = ""
    problems: list[Problem] = field(default_factory=list)
    factors: dict[str, float] = field(default_factory=dict)
    delimiter: str = ""
    dotted: bool = False
    currencies: dict[str, str] = field(default_factory=dict)
    typed: bool = False
    clocked: set[str] = field(default_factory=set)
    clocks: dict[str, list[Clock | None]] = field(default_factory=dict)

    @property
    def money(self) -> set[str]:
        """Columns of amounts, also those of a table with one column a period."""
        table = self.place.table
        spread = self.spread if table in MONEY_TABLES else ()
        return {name for name in self.columns if is_money(table, name)} | {*spread}
