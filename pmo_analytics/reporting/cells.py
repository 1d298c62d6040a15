"""What the numbers of a result table are, for workbooks and pages alike."""

from __future__ import annotations

from typing import Any, Literal

import pandas as pd
from pandas.api import types

from pmo_analytics.forecasting.outlook import percent
from pmo_analytics.periods import format_period

Kind = Literal["text", "period", "date", "flag", "whole", "percent", "money", "number"]

# Columns of shares between 0 and 1, and of amounts of money; by whole words of the
# name, so that `p_overload_before` and `coverage_80` are shares too.
_SHARES = {
    "p",
    "coverage",
    "inside",
    "chance",
    "share",
    "utilization",
    "nominal",
    "empirical",
}
_AMOUNTS = {"amount", "value", "cost", "spend", "budget", "benefit"}


def kind_of(name: object, cells: pd.Series[Any]) -> Kind:
    """Return what the cells of a column are.

    Parameters
    ----------
    name
        Name of the column; shares and amounts of money are told by it.
    cells
        The column.

    Examples
    --------
    >>> kind_of("p_overload", pd.Series([0.2])), kind_of("fte", pd.Series([0.2]))
    ('percent', 'number')
    """
    dtype = cells.dtype
    if isinstance(dtype, pd.PeriodDtype):
        return "period"
    if types.is_bool_dtype(dtype):
        return "flag"
    if types.is_datetime64_any_dtype(dtype):
        return "date"
    if types.is_integer_dtype(dtype):
        return "whole"
    if types.is_float_dtype(dtype):
        words = set(str(name).casefold().replace(" ", "_").split("_"))
        if words & _SHARES:
            return "percent"
        return "money" if words & _AMOUNTS else "number"
    known = cells[cells.notna()]
    if len(known) and all(isinstance(cell, pd.Period) for cell in known):
        return "period"
    return "text"


def label_of(name: object) -> str:
    """Return the name of a column as a reader sees it.

    Examples
    --------
    >>> [label_of(n) for n in ("p_overload", "fte", "order_by", "p80")]
    ['chance of overload', 'FTE', 'order by', 'p80']
    """
    text = str(name)
    if text in _LABELS:
        return _LABELS[text]
    words = text.replace("_", " ").split()
    return " ".join("FTE" if word == "fte" else word for word in words)


_LABELS = {
    "p_overload": "chance of overload",
    "p_overload_before": "chance of overload before",
    "p_overload_after": "chance of overload after",
    "expected_overload": "expected overload, FTE",
    "short_p50": "FTE short, median",
    "short_p80": "FTE short, worst fifth",
}


def text_of(value: Any, kind: Kind) -> str:
    """Return a cell as a reader sees it; blank where there is nothing.

    Parameters
    ----------
    value
        Cell of a column.
    kind
        What the column is.

    Examples
    --------
    >>> text_of(0.004, "percent"), text_of(1234.6, "money"), text_of(None, "number")
    ('<1 %', '1,235', '')
    """
    if value is None or value is pd.NaT or value is pd.NA or value != value:
        return ""
    if isinstance(value, pd.Period):
        return format_period(value)
    if kind == "flag":
        return "yes" if value else "no"
    if kind == "date":
        return str(value.date())
    if kind == "whole":
        return f"{value:,}"
    if kind not in ("percent", "money", "number"):
        return str(value)
    if value in (float("inf"), -float("inf")):
        return "∞" if value > 0 else "-∞"
    if kind == "percent":
        return percent(value)
    digits = 0 if kind == "money" else 2
    text = f"{value:,.{digits}f}"
    # No minus before what is zero as shown.
    return text.removeprefix("-") if not text.strip("-0.,") else text
