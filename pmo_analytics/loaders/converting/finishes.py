"""Finishes of projects held against their start and duration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from pmo_analytics.clock import base_freq, parse_day, parse_period

if TYPE_CHECKING:
    from pmo_analytics.loaders.understanding.tidy import Tidy

_STEP = {"W": ("days", 7), "M": ("months", 1), "Q": ("months", 3), "Y": ("months", 12)}
_DAYS = {"W": 7.0, "M": 30.44, "Q": 91.31, "Y": 365.24}


def check_finishes(
    tidy: Tidy,
    starts: list[Any],
    finishes: list[Any],
    durations: list[Any],
    freq: str,
) -> None:
    """Warn of projects whose duration and finish contradict each other, in place.

    A finish agrees where it lies in the last period of the duration, or less than half
    a period from where the duration ends when it is counted from the day of the start.
    """
    rows = zip(tidy.rows, starts, finishes, durations, strict=True)
    for row, start, finish, duration in rows:
        if start is None or finish is None or not isinstance(duration, (int, float)):
            continue
        try:
            first, last = (parse_period(cell, freq) for cell in (start, finish))
            begin, end = parse_day(start), parse_day(finish, end=True)
        except ValueError:
            continue  # said where they are read, or a remark
        spanned = last.ordinal - first.ordinal + 1
        unit, step = _STEP[base_freq(freq)]
        if spanned == duration or not 1 <= duration <= 5000:
            continue
        due = begin + pd.DateOffset(**{unit: int(duration) * step})
        apart = abs((end - due).days + 1) / _DAYS[base_freq(freq)]
        if apart >= 0.5:
            tidy.problems.append(
                tidy.place.warning(
                    "duration_contradicts_finish",
                    row=row,
                    column="duration",
                    found=f"duration {duration:g}, start {_shown(start)}, finish "
                    f"{_shown(finish)}",
                    fix=f"From start to finish are {spanned} periods, and the duration "
                    f"says {duration:g}. The duration counts: correct one of them, or "
                    "leave the duration blank to count from start to finish.",
                )
            )


def _shown(cell: object) -> str:
    return f"{cell:%Y-%m-%d}" if isinstance(cell, pd.Timestamp) else str(cell)
