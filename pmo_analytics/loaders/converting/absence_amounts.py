"""Hours or days beside an absence: how much of a single day it takes."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np

from pmo_analytics.errors import listing
from pmo_analytics.loaders.understanding.tidy import Tidy


def to_absence_shares(tidy: Tidy, hours_per_week: float) -> None:
    """Turn the hours or days of absences into shares of their day, in place.

    They tell how much of a single day is away. An absence of several days counts from
    its start to its end; where its amount is that of a part of them, this is said.
    """
    if tidy.place.table != "absences":
        return
    full = {"hours": hours_per_week / 5, "person_days": 1.0}
    given = [(name, tidy.columns.pop(name)) for name in full if name in tidy.columns]
    if not given or not {"start", "end"} <= tidy.columns.keys():
        return
    name, cells = given[0]
    shares = list(tidy.columns.get("share", [None] * len(tidy.rows)))
    used, unused = [], []
    for i, cell in enumerate(cells):
        if cell.__class__ is not float or cell < 0 or shares[i] is not None:
            continue
        days, amount = _weekdays(tidy, i), cell / full[name]
        if days == 1 and amount < 1:
            shares[i] = amount
            used.append(i)
        elif days > 1 and (amount % 1 or amount * 2 <= days):
            unused.append(i)
    heading = tidy.texts.get(name, name)
    if used:
        tidy.columns["share"] = shares
        _say(
            tidy,
            heading,
            used,
            f"An absence within one day takes the part of it that '{heading}' says; "
            f"{full[name]:g} are a day.",
        )
    if unused:
        _say(
            tidy,
            heading,
            unused,
            f"'{heading}' says less than the days from start to end, which count in "
            "full: the part cannot be told. Give each day of part its own row.",
        )


def _weekdays(tidy: Tidy, index: int) -> int:
    """Return the days from start to end without Saturdays and Sundays, or 0."""
    try:
        start, end = (
            date.fromisoformat(str(tidy.columns[name][index]))
            for name in ("start", "end")
        )
    except ValueError:
        return 0  # refused where days are read
    if start == end:
        return 1
    return int(np.busday_count(start, end)) + int(np.is_busday(end))


def _say(tidy: Tidy, heading: str, at: list[Any], fix: str) -> None:
    rows = [tidy.rows[i] for i in at]
    tidy.problems.append(
        tidy.place.warning(
            "parts_of_days",
            row=rows[0],
            column="share",
            found=f"{heading} (rows {listing(rows, 3)})",
            fix=fix,
        )
    )
