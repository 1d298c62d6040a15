"""Durations that name their unit (`3 months`) become whole periods."""

from __future__ import annotations

from pmo_analytics.clock import base_freq
from pmo_analytics.loaders.cells.durations import read_length
from pmo_analytics.loaders.understanding.tidy import Tidy


def read_lengths(tidy: Tidy, freq: str) -> None:
    """Turn durations with a unit into periods of the portfolio, in place.

    A part of a period counts whole. Days may be those of work or of the calendar:
    where that makes a difference the cell is refused.
    """
    cells = tidy.columns.get("duration")
    if cells is None:
        return
    unit = base_freq(freq)
    out, read = list(cells), []
    for i, cell in enumerate(cells):
        length = read_length(cell) if isinstance(cell, str) else None
        if length is None:
            continue
        periods = length.periods(unit)
        if len(periods) > 1:
            tidy.problems.append(
                tidy.place.error(
                    "ambiguous_duration",
                    row=tidy.rows[i],
                    column="duration",
                    found=cell,
                    fix=f"Working days are {periods[0]} periods of {unit}, days of the "
                    f"calendar {periods[1]}. Write the number of periods.",
                )
            )
            out[i] = None
            continue
        out[i] = float(periods[0])
        if length.unit != unit or not length.number.is_integer():
            read.append((i, cell, periods[0]))
    tidy.columns["duration"] = out
    if read:
        i, cell, count = read[0]
        tidy.problems.append(
            tidy.place.warning(
                "converted_duration",
                row=tidy.rows[i],
                column="duration",
                found=f"{cell} ({len(read)} cells)",
                fix=f"Durations were converted to whole periods of {unit}, parts "
                f"counted whole: this one is {count}.",
            )
        )
