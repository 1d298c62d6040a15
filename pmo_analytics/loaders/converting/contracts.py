"""Hours or days in a contract become the share of a full one."""

from __future__ import annotations

from typing import Any

from pmo_analytics.loaders.findings import Problem
from pmo_analytics.loaders.understanding.headings import (
    DAYS_OF,
    HOURS_OF,
    full_contract,
)
from pmo_analytics.loaders.understanding.tidy import Tidy

_UNIT = {"weekly_hours": "week", "daily_hours": "day", "monthly_hours": "month"}
# Beyond this many full weeks, hours are those of a longer span.
_LONGEST_WEEK = 1.5
# Hours that may be those of a day as well as those of a week.
_LONGEST_DAY = 12


def to_contract_shares(tidy: Tidy, hours_per_week: float) -> None:
    """Turn the hours or days that people work in a week, ... into FTE, in place."""
    if tidy.place.table != "people":
        return
    given = [name for name in (*HOURS_OF, DAYS_OF) if name in tidy.columns]
    if not given:
        return
    taken = {name: tidy.columns.pop(name) for name in given}
    names = [*(["fte"] if "fte" in tidy.columns else []), *given]
    if len(names) > 1:
        tidy.problems.append(
            tidy.place.error(
                "two_units",
                column="fte",
                found=", ".join(tidy.texts.get(n, n) for n in names),
                fix="Give the share of a full contract or its hours or days, not both; "
                "remove one column.",
            )
        )
        return
    name, cells = next(iter(taken.items()))
    heading = tidy.texts.get(name, name)
    usual = 5.0 if name == DAYS_OF else hours_per_week / HOURS_OF[name]
    full = full_contract(heading) or usual
    what = "days" if name == DAYS_OF else "hours"
    doubts = _doubts(tidy, name, cells, full)
    few = _few_hours(name, cells, full)
    tidy.problems += doubts
    tidy.columns["fte"] = [c / full if c.__class__ is float else c for c in cells]
    tidy.problems.append(
        tidy.place.warning(
            "converted_to_fte",
            column=name,
            found=heading,
            fix=f"Converted to FTE: {full:.6g} {what} a {_UNIT.get(name, 'week')} "
            f"are 1 FTE.{'' if doubts or full_contract(heading) else few}",
        )
    )


def _doubts(tidy: Tidy, name: str, cells: list[Any], full: float) -> list[Problem]:
    """Return an error where the numbers may be something else than the heading says."""
    heading = tidy.texts.get(name, name)
    given = {i: c for i, c in enumerate(cells) if c.__class__ is float and c}
    if not given:
        return []
    what = "days" if name == DAYS_OF else "hours"
    most = max(given.values())
    wrong = [i for i, c in given.items() if c > _LONGEST_WEEK * full]
    fix = (
        f"'{heading}' is read as {what} of which {full:.4g} are a full contract, and "
        "that does not fit. Head the column 'hours per week', 'hours per day', 'hours "
        "per month' or 'FTE', whichever it is."
    )
    if not wrong and full_contract(heading) is None:
        if most <= 1:
            fix = (
                f"Shares of a full contract, or {what}? Head the column 'FTE' if 1 is "
                f"somebody who works full time, or '{heading} (of {full:.4g})' if 1 is "
                f"one of {full:.4g} {what}."
            )
            wrong = list(given)
        elif name == "contract_hours" and most <= _LONGEST_DAY:
            fix = (
                f"Hours a day, or a week? Head the column 'hours per day' or 'hours "
                f"per week (of {full:.4g})'."
            )
            wrong = list(given)
    if not wrong:
        return []
    return [
        tidy.place.error(
            "unlikely_hours",
            row=tidy.rows[wrong[0]],
            column=name,
            found=f"{cells[wrong[0]]:g} ({len(wrong)} cells)",
            fix=fix,
        )
    ]


def _few_hours(name: str, cells: list[Any], full: float) -> str:
    """Return what is said where nobody works more than a day a week."""
    given = [c for c in cells if c.__class__ is float and c]
    if name != "weekly_hours" or not given or max(given) > full / 5:
        return ""
    return (
        " So nobody works more than a day a week; if these are hours a day, head the "
        "column 'hours per day'."
    )
