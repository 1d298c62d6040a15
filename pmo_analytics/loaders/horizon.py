"""The horizon of what was read: declared, or what comes after the history."""

from __future__ import annotations

from typing import Any

import pandas as pd

from pmo_analytics.clock import canonical_freq, make_horizon, parse_period
from pmo_analytics.errors import ConfigError, DataError, problems_table
from pmo_analytics.loaders.cells.dates import read_date
from pmo_analytics.loaders.converting.layouts import infer_freq
from pmo_analytics.loaders.findings import Problem
from pmo_analytics.loaders.reading.settings import Declared
from pmo_analytics.loaders.understanding.tidy import Tidy

# Without a declared horizon a history is forecast this many periods ahead.
_DEFAULT_PERIODS = 12


def find_horizon(
    declared: Declared, tidies: dict[str, Tidy], problems: list[Problem]
) -> pd.PeriodIndex:
    """Return the horizon that was declared, else the periods after the history.

    Parameters
    ----------
    problems
        Findings so far; what is missing is added.

    Raises
    ------
    DataError
        If there is none; it lists all that was found.
    """
    values = {
        name: declared.values.get(f"horizon.{name}")
        for name in ("start", "periods", "freq")
    }
    history = tidies.get("history")
    projects = tidies.get("projects")
    if (
        values["start"] is None
        and history is not None
        and history.rows
        and not (projects and projects.rows)
        and not any(p["table"] == "portfolio" for p in problems if _is_error(p))
    ):
        return _after_history(declared, history, values)
    start = values["start"]
    read = read_date(start, serials=True)
    if isinstance(read, str):
        start = read
    missing = [
        n
        for n in ("start", "periods")
        if values[n] is None and not _reported(problems, f"horizon.{n}")
    ]
    if missing:
        problems.append(
            declared.place.error(
                "missing_horizon",
                column=", ".join(f"horizon.{n}" for n in missing),
                fix="Say which periods are planned: in portfolio.toml [horizon] with "
                "start = '2027-01', periods = 24 and freq = 'M'; in a workbook the "
                "same keys on the sheet 'portfolio'.",
            )
        )
    freq = values["freq"] or infer_freq([start])
    if start is not None and not freq:
        problems.append(
            declared.place.error(
                "missing_horizon",
                column="horizon.freq",
                found=start,
                fix="Say if the periods are weeks, months, quarters or years: "
                "[horizon] freq = 'M'.",
            )
        )
    everything = problems + [p for tidy in tidies.values() for p in tidy.problems]
    if start is None or values["periods"] is None or not freq:
        raise DataError(problems_table(everything))
    try:
        return make_horizon(start, values["periods"], freq)
    except ConfigError as error:
        fix = str(error).removesuffix(".") + "."
        everything.append(declared.place.error("bad_horizon", fix=fix))
        raise DataError(problems_table(everything)) from error


def _is_error(p: Problem) -> bool:
    return bool(p["severity"] == "error")


def _reported(problems: list[Problem], column: str) -> bool:
    return any(p["column"] == column for p in problems)


def _after_history(
    declared: Declared, history: Tidy, values: dict[str, Any]
) -> pd.PeriodIndex:
    texts = (
        list(history.spread.values())
        if history.wide == "period"
        else history.columns.get("period", [])
    )
    place = history.place
    freq = values["freq"] or infer_freq(texts)
    if not freq:
        raise DataError(
            problems_table(
                [
                    declared.place.error(
                        "missing_horizon",
                        column="horizon.freq",
                        fix="Without a [horizon] it begins after the history, but the "
                        "periods of the history do not tell if they are weeks, months, "
                        "quarters or years. Declare [horizon] freq.",
                    )
                ]
            )
        )
    try:
        freq = canonical_freq(freq)
        last = max(parse_period(t, freq) for t in texts if t is not None)
        return make_horizon(last + 1, values["periods"] or _DEFAULT_PERIODS, freq)
    except (ConfigError, ValueError) as error:
        raise DataError(
            problems_table(
                [
                    place.error(
                        "bad_horizon",
                        column="period",
                        fix="The horizon begins after the history, but: "
                        f"{str(error).removesuffix('.')}.",
                    )
                ]
            )
        ) from error
