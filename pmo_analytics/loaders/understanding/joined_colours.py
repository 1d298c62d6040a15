"""Two columns of colours that never say different things are one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pmo_analytics.loaders.aliases import choice_words, fold
from pmo_analytics.loaders.findings import Problem, RawTable
from pmo_analytics.loaders.understanding.headings import places_of, shortened


def with_one_colour(raw: RawTable, header: int) -> tuple[RawTable, list[Problem]]:
    """Return a table of reports in which several columns of colours are one.

    As they stand where any row has two different colours: then nothing says whose
    counts, and that is refused.
    """
    if raw.place.table != "progress":
        return raw, []
    places = places_of("progress", raw.records[header], "rag")
    if len(places) < 2:
        return raw, []
    words = choice_words("progress", "rag")
    records, counts = list(raw.records), dict.fromkeys(places, 0)
    for at in range(header + 1, len(records)):
        cells = _cells(records[at], places)
        colours = {p: words.get(fold(str(c)), "") for p, c in cells.items() if c}
        told = {p: colour for p, colour in colours.items() if colour}
        if len(set(told.values())) > 1:
            return raw, []
        taken = next(iter(told or cells), None)
        for place in told:
            counts[place] += place == taken
        records[at] = _joined(records[at], places, None if taken is None else taken)
    texts = [str(raw.records[header][p]) for p in places]
    head = list(raw.records[header])
    for place in places[1:]:
        head[place] = None
    records[header] = head
    each = " and ".join(str(n) for n in counts.values())
    said = raw.place.warning(
        "joined_columns",
        row=raw.rows[header],
        column="rag",
        found=", ".join(shortened(text) for text in texts),
        fix="In no row do these columns say different colours, so they are read as "
        f"one, the first of them before the others ({each} colours). If only one "
        "counts, delete the others.",
    )
    return replace(raw, records=records), [said]


def _cells(record: list[Any], places: list[int]) -> dict[int, Any]:
    """Return the filled cells of some columns of a row."""
    found = {p: record[p] for p in places if p < len(record)}
    return {p: c for p, c in found.items() if c is not None and str(c).strip()}


def _joined(record: list[Any], places: list[int], taken: int | None) -> list[Any]:
    """Return a row that has its colour in the first of the columns alone."""
    cells = list(record)
    colour = None if taken is None else cells[taken]
    for place in places:
        if place < len(cells):
            cells[place] = None
    if places[0] < len(cells):
        cells[places[0]] = colour
    return cells
