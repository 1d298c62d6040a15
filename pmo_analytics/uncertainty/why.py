"""What a forecast of one role is made of, in sentences and numbers."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

import pandas as pd

from pmo_analytics.facts import result_html, table_html

# A reader's line.
_WIDTH = 80
WHY_COLUMNS = ["quantity", "topic", "what", "period", "number", "unit"]


@dataclass(frozen=True, eq=False)
class Why:
    """Where the forecast of one role comes from.

    `str()` of it, or `print`, gives the sentences at 80 columns.

    Attributes
    ----------
    quantity, role
        What it is of.
    title
        One line.
    said
        (topic, sentences): level, season, trend, break, outliers, leaves and comes,
        model, range, history.
    table
        The numbers of the sentences: `quantity, topic, what, period, number, unit`;
        period is blank where a number is of no single one.
    parts
        Period x part, FTE: what the mean of the futures adds up from. The sum of a row
        is `forecast.grid("mean")` of that period.
    past
        Period x (`history`, `counted`), FTE: what happened, and what counted of it,
        without breaks and outliers. Empty where history is not forecast from.
    breaks
        `period, kind, size` of what was taken out of the history.
    """

    quantity: str
    role: str
    title: str
    said: tuple[tuple[str, str], ...]
    table: pd.DataFrame
    parts: pd.DataFrame
    past: pd.DataFrame
    breaks: pd.DataFrame

    def __str__(self) -> str:
        """Return the sentences, a paragraph a topic, at 80 columns."""
        blocks = [textwrap.fill(self.title, _WIDTH)]
        blocks += [
            textwrap.fill(
                f"{topic[:1].upper()}{topic[1:]}: {sentence}",
                _WIDTH,
                subsequent_indent="  ",
                break_long_words=False,
                break_on_hyphens=False,
            )
            for topic, sentence in self.said
        ]
        return "\n".join(blocks)

    def __repr__(self) -> str:
        return f"<Why of {self.quantity} of {self.role}: print it for the sentences>"

    def _repr_html_(self) -> str:
        notes = [f"{topic[:1].upper()}{topic[1:]}: {text}" for topic, text in self.said]
        return result_html(self.title, notes=notes) + table_html(self.table)
