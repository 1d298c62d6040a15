"""What the numbers of a result table are, for workbooks and pages alike."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

import pandas as pd
from pandas.api import types

from pmo_analytics.clock import format_period

# From here on amounts of money are shown without cents.
_LARGE = 1000
Kind = Literal[
    "text", "period", "date", "flag", "whole", "percent", "ratio", "money", "number"
]

# What is written at the right of its column.
NUMBERS: frozenset[Kind] = frozenset({"whole", "percent", "ratio", "money", "number"})

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
_AMOUNTS = {
    "amount",
    "value",
    "cost",
    "spend",
    "budget",
    "benefit",
    "objective",
    "bound",
    "worth",
    "earned",
    "delta",
    "gain",
    "swing",
}


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
    if (kind := _kind_of_type(str(name), cells.dtype)) is not None:
        return kind
    # Mostly the first cell tells.
    if any(isinstance(cell, str) for cell in cells.array):
        return "text"
    known = cells[cells.notna()]
    if len(known) and all(isinstance(cell, pd.Period) for cell in known):
        return "period"
    return "text"


@lru_cache(maxsize=4096)
def _kind_of_type(name: str, dtype: Any) -> Kind | None:
    """Return what a column is by its type; None where only its cells tell.

    The pages of a portfolio have thousands of columns of a few dozen names.
    """
    if isinstance(dtype, pd.PeriodDtype):
        return "period"
    if isinstance(dtype, pd.StringDtype):
        return "text"
    if types.is_bool_dtype(dtype):
        return "flag"
    if types.is_datetime64_any_dtype(dtype):
        return "date"
    if types.is_integer_dtype(dtype):
        return "whole"
    if not types.is_float_dtype(dtype):
        return None
    words = set(name.casefold().replace(" ", "_").split("_"))
    if words & _SHARES:
        return "percent"
    if words == {"gap"}:
        return "ratio"
    return "money" if words & _AMOUNTS else "number"


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
    "p_overload_pipeline": "chance of overload, pipeline",
    "worst_pipeline": "worst period, pipeline",
    "short_p80_pipeline": "FTE short, worst fifth, pipeline",
    "periods_at_risk_pipeline": "periods at risk, pipeline",
    "p_overload_plan": "chance of overload, plan",
    "worst_plan": "worst period, plan",
    "short_p80_plan": "FTE short, worst fifth, plan",
    "periods_at_risk_plan": "periods at risk, plan",
    "p_overload_before": "chance of overload before",
    "p_overload_after": "chance of overload after",
    "p_deadline": "chance to meet the deadline",
    "p_win": "chance to be won",
    "p_in": "chance to drive the end",
    "expected_overload": "expected overload, FTE",
    "short_p50": "FTE short, median",
    "short_p80": "FTE short, worst fifth",
    "worst": "worst period",
    "first_at_risk": "at risk from",
    "periods_at_risk": "periods at risk",
    "objective_delta": "difference",
    "delta_low": "difference, at least",
    "delta_high": "difference, at most",
    "least_headroom": "least headroom, FTE",
    "se": "standard error",
    "coverage_80": "inside the 80 % interval",
    "capacity_fte": "capacity, FTE",
    "load_fte": "load, FTE",
    "fte_max": "at most, FTE",
}


def names_of(projects: pd.DataFrame) -> dict[str, str]:
    """Return id -> name of the projects that have a name beside their id."""
    rows = projects[["project", "name"]].dropna()
    return {
        str(project): str(name)
        for project, name in rows.itertuples(index=False)
        if str(name).strip() and str(name) != str(project)
    }


def called(project: object, names: Mapping[str, str]) -> str:
    """Return a project as a reader knows it.

    Examples
    --------
    >>> called("CRM", {"CRM": "Customer platform"}), called("X1", {})
    ('CRM (Customer platform)', "'X1'")
    """
    name = names.get(str(project))
    return f"{project} ({name})" if name else f"'{project}'"


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
    if kind not in ("percent", "ratio", "money", "number"):
        return str(value)
    return _text_of_number(value, kind)


def _text_of_number(value: float, kind: Kind) -> str:
    if value in (float("inf"), -float("inf")):
        return "∞" if value > 0 else "-∞"
    if kind == "percent":
        return percent(value)
    if kind == "ratio":
        return f"{100 * value:,.2f} %"
    # Cents of thousands are noise to a reader, those of a score are not.
    digits = 0 if kind == "money" and abs(value) >= _LARGE else 2
    text = f"{value:,.{digits}f}"
    if kind == "money":
        text = text.removesuffix(".00")
    # No minus before what is zero as shown.
    return text.removeprefix("-") if not text.strip("-0.,") else text


def percent(share: float) -> str:
    """Return a probability as text; a small one is not none, a great one not sure.

    Examples
    --------
    >>> [percent(p) for p in (0.0, 0.004, 0.2, 0.998, 1.0)]
    ['0 %', '<1 %', '20 %', '>99 %', '100 %']
    """
    if 0 < share < 0.01:
        return "<1 %"
    if 0.99 < share < 1:
        return ">99 %"
    return f"{100 * share:,.0f} %"
