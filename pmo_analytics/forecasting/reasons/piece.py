"""What one source of a forecast says of a role: sentences, numbers, parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from pmo_analytics.clock import base_freq, format_period
from pmo_analytics.uncertainty import WHY_COLUMNS, Why

# In the order in which they are read.
TOPICS = (
    "load",
    "level",
    "trend",
    "season",
    "break",
    "outliers",
    "leaves and comes",
    "model",
    "range",
    "history",
)
BREAK_COLUMNS = ["period", "kind", "size"]
_EACH = {"W": "week", "M": "month", "Q": "quarter", "Y": "year"}
# What is smaller is not worth a sentence, FTE.
SMALL = 0.05


@dataclass
class Piece:
    """What is collected of one role.

    Attributes
    ----------
    said
        (topic, sentences); one topic may come several times.
    rows
        Topic, what, period or None, number, unit.
    parts
        Name -> FTE by period.
    past, breaks
        As in `Why`.
    """

    said: list[tuple[str, str]] = field(default_factory=list)
    rows: list[tuple[str, str, pd.Period | None, float, str]] = field(
        default_factory=list
    )
    parts: dict[str, np.ndarray] = field(default_factory=dict)
    past: pd.DataFrame = field(default_factory=pd.DataFrame)
    breaks: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(columns=BREAK_COLUMNS)
    )

    def say(self, topic: str, text: str) -> None:
        """Add sentences."""
        if text:
            self.said.append((topic, text))

    def add(
        self,
        topic: str,
        what: str,
        number: float,
        period: pd.Period | None = None,
        unit: str = "FTE",
    ) -> None:
        """Add a number."""
        self.rows.append((topic, what, period, float(number), unit))


def why_of(
    piece: Piece, quantity: str, role: str, periods: pd.PeriodIndex, mean: np.ndarray
) -> Why:
    """Return the answer made of a piece; what its parts leave over is the range's.

    Parameters
    ----------
    mean
        Of the futures, by period.
    """
    first, last = format_period(periods[0]), format_period(periods[-1])
    parts = dict(piece.parts)
    left = mean - np.sum([*parts.values(), np.zeros(len(mean))], axis=0)
    if np.abs(left).max(initial=0.0) > 1e-9 or not parts:
        parts["range, off centre"] = left
    said = [
        (topic, " ".join(text for t, text in piece.said if t == topic))
        for topic in TOPICS
        if any(t == topic for t, _ in piece.said)
    ]
    order = {topic: k for k, topic in enumerate(TOPICS)}
    rows = sorted(piece.rows, key=lambda row: order[row[0]])
    table = pd.DataFrame([(quantity, *row) for row in rows], columns=WHY_COLUMNS)
    table["number"] = table["number"].astype(float).round(6)
    return Why(
        quantity,
        role,
        f"{role}: {quantity} forecast, {first} to {last}",
        tuple(said),
        table,
        pd.DataFrame(parts, index=periods.rename("period")).rename_axis(columns="part"),
        piece.past,
        piece.breaks,
    )


def say_range(
    piece: Piece, grids: Mapping[str, np.ndarray], periods: pd.PeriodIndex
) -> None:
    """Say how far the inner 80 % of the futures reach, at first and last."""
    ends = dict.fromkeys((0, len(periods) - 1))
    wide = (grids["p90"] - grids["p10"]).max() > 1e-9
    texts = [
        f"{fte(grids['p10'][k])} to {fte(grids['p90'][k])} FTE in "
        f"{format_period(periods[k])}"
        for k in ends
    ]
    piece.say(
        "range",
        f"80 % of the futures lie within {' and '.join(texts)} (p10 to p90)."
        if wide
        else "None: all futures are alike.",
    )
    for k in ends:
        for which in ("p10", "p50", "p90"):
            piece.add("range", which, grids[which][k], periods[k])


def fte(number: float, *, sign: bool = False) -> str:
    """Return FTE as text: one decimal, two of what is small; never -0."""
    digits = 2 if abs(number) < 0.995 else 1
    number = round(float(number), digits) + 0.0
    return f"{number:+,.{digits}f}" if sign else f"{number:,.{digits}f}"


def each(periods: pd.PeriodIndex) -> str:
    """Return what a period is called."""
    return _EACH[base_freq(periods.freqstr)]


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number with its word."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def shown(names: Sequence[str], most: int = 4) -> str:
    """Return the first of some names and how many more there are."""
    rest = len(names) - most
    more = f" and {rest} more" if rest > 0 else ""
    return ", ".join(names[:most]) + more
