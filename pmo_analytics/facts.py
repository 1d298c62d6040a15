"""Results as a few labelled facts and short tables, in text and in notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import pandas as pd

from pmo_analytics.formats import NUMBERS, kind_of, label_of, text_of

# Rows of a table in a notebook; the whole one is an attribute of the result.
_MOST = 20
# Notebooks style tables by this class in light and dark; elsewhere it says nothing.
_TABLE = '<table border="1" class="dataframe" style="margin-bottom:1em">'


class Facts(pd.Series):  # type: ignore[misc]
    """Labelled facts, whose numbers are shown with thousands separators.

    The values themselves stay numbers.

    Examples
    --------
    >>> print(Facts({"objective": 1234567.5, "projects": 12}, dtype=object))
    objective  1,234,567.50
    projects             12
    """

    @property
    def _constructor(self) -> Any:
        return Facts

    def __repr__(self) -> str:
        texts = [text_of_fact(value) for value in self]
        labels = [str(label) for label in self.index]
        wide = max(map(len, labels), default=0)
        long = max(map(len, texts), default=0)
        return "\n".join(
            f"{label:<{wide}}  {text:>{long}}".rstrip()
            for label, text in zip(labels, texts, strict=True)
        )

    def to_string(self, *_args: Any, **_options: Any) -> str:
        """Return the facts as text, a line each."""
        return repr(self)

    def _repr_html_(self) -> str:
        return facts_html(self)


def text_of_fact(value: Any) -> str:
    """Return a value as a reader sees it.

    Examples
    --------
    >>> [text_of_fact(v) for v in (27018456.4, 21, True, "2.00 %", None)]
    ['27,018,456.40', '21', 'True', '2.00 %', '']
    """
    if value is None or isinstance(value, bool):
        return "" if value is None else str(value)
    if pd.api.types.is_integer(value):
        return f"{value:,}"
    if pd.api.types.is_float(value):
        return text_of(value, "number")
    return str(value)


def facts_html(facts: pd.Series[Any]) -> str:
    """Return facts as an HTML table of two columns, everything escaped."""
    rows = "".join(
        f'<tr><th style="text-align:left">{_indented(label)}</th>'
        f'<td style="text-align:left">{escape(text_of_fact(value))}</td></tr>'
        for label, value in facts.items()
    )
    return f"{_TABLE}<tbody>{rows}</tbody></table>"


def _indented(label: object) -> str:
    """Return a label with the blanks it begins with, which HTML would drop."""
    return escape(str(label).replace("  ", "\N{EM SPACE}"))


def table_html(table: pd.DataFrame, *, most: int = _MOST) -> str:
    """Return the first rows of a table as HTML, headings in words.

    What is left out is said below. No colour is set, so that it reads on light and
    on dark ground.
    """
    kinds = [kind_of(name, table[name]) for name in table.columns]
    ends = ["right" if kind in NUMBERS else "left" for kind in kinds]
    sides = [f' style="text-align:{end}"' for end in ends]
    head = "".join(
        f"<th{side}>{escape(label_of(name))}</th>"
        for name, side in zip(table.columns, sides, strict=True)
    )
    shown = table.head(most)
    columns = [
        [f"<td{side}>{escape(text_of(cell, kind))}</td>" for cell in shown[name]]
        for name, side, kind in zip(table.columns, sides, kinds, strict=True)
    ]
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in zip(*columns, strict=True))
    more = len(table) - most
    rest = (
        f"<p>... and {more:,} more row{'' if more == 1 else 's'}.</p>"
        if more > 0
        else ""
    )
    return f"{_TABLE}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{rest}"


def result_html(
    title: str, *parts: str, notes: Sequence[str] = (), notes_title: str = ""
) -> str:
    """Return a result for a notebook: what it is, its parts, and notes as a list."""
    listed = "".join(f"<li>{escape(note)}</li>" for note in notes)
    named = f"<p>{escape(notes_title)}</p>" if notes_title and listed else ""
    inside = "".join(parts)
    return (
        f"<div><p><strong>{escape(title)}</strong></p>{inside}"
        f"{named}{f'<ul>{listed}</ul>' if listed else ''}</div>"
    )
