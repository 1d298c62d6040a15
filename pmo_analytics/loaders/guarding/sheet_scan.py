"""What scanners of workbooks share: a budget of cells, and targets of an XML parser."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from pmo_analytics.loaders.findings import SheetFacts, Unreadable

MAX_ROWS, MAX_COLUMNS = 1_048_576, 16_384


def too_large(found: str) -> Unreadable:
    """Return the refusal of a workbook that would fill the memory."""
    return Unreadable(
        "workbook_too_large",
        "The workbook is larger inside than any table of a portfolio. Delete sheets "
        "that are no tables, and empty rows and columns beyond the data (Ctrl+End "
        "shows the last cell), then save it.",
        found=found,
    )


@dataclass
class Budget:
    """Bytes, cells and characters that the whole workbook may use, and uses."""

    max_bytes: int
    max_cells: int
    max_text: int
    inflated: int = 0
    cells: int = 0
    area: int = 0
    text: int = 0

    def spend_bytes(self, count: int) -> None:
        """Take bytes that were inflated off the budget."""
        self.inflated += count
        if self.inflated > self.max_bytes:
            raise too_large(f"more than {self.max_bytes // 2**20} MB inflated")

    def spend_cell(self) -> None:
        """Take a cell of a file off the budget."""
        self.cells += 1
        if self.cells > self.max_cells:
            raise too_large(f"more than {self.max_cells:,} cells")

    def check_area(self, rows: int, columns: int) -> None:
        """Refuse a sheet whose rectangle, so far, is too large."""
        if rows * columns > self.max_cells:
            raise too_large(f"a sheet of {rows:,} rows x {columns:,} columns")

    def spend_area(self, rows: int, columns: int) -> None:
        """Take the rectangle of a whole sheet off the budget."""
        self.check_area(rows, columns)
        self.area += rows * columns
        if self.area > 2 * self.max_cells:
            raise too_large(f"{self.area:,} cells")

    def spend_text(self, characters: int) -> None:
        """Take characters that the reader will hold off the budget."""
        self.text += characters
        if self.text > self.max_text:
            raise too_large(f"{self.text / 1e6:,.0f} million characters of text")


class Target:
    """Takes elements with whatever prefix they have; keeps nothing."""

    ends = False
    parser: Any = None

    def start(self, tag: str, attrs: dict[str, str]) -> None:
        """Take an element that begins."""

    def end(self, tag: str) -> None:
        """Take an element that ends; called where `ends` is set."""

    def data(self, text: str) -> None:
        """Take characters."""

    def close(self) -> None:
        """Take the end of the part."""


class Scan(Protocol):
    """How the parts of one kind of workbook are looked at."""

    @property
    def first(self) -> tuple[str, ...]:
        """Parts that explain others."""

    def target(self, name: str) -> Target | None:
        """Return what takes the XML of a part; None = only its size counts."""

    def facts(self) -> dict[str, SheetFacts]:
        """Return what was found, by sheet."""


def local(name: str) -> str:
    """Return the name of an element without its prefix."""
    return name.rpartition(":")[2]
