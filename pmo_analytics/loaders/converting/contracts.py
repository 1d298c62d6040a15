"""Hours or days in a contract become the share of a full one."""

from __future__ import annotations

from typing import Any

from pmo_analytics.loaders.understanding.headings import DAYS_OF, HOURS_OF
from pmo_analytics.loaders.understanding.tidy import Tidy

_UNIT = {"weekly_hours": "week", "daily_hours": "day", "monthly_hours": "month"}
# Beyond this many full weeks, hours are those of a longer span.
_LONGEST_WEEK = 1.5


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
    of_days = name == DAYS_OF
    full = 5.0 if of_days else hours_per_week / HOURS_OF[name]
    what = "days" if of_days else "hours"
    heading = tidy.texts.get(name, name)
    if wrong := _unlikely(cells, full):
        few = (
            " If everybody works a day a week or less, write 0.2 for a day under 'FTE'."
        )
        tidy.problems.append(
            tidy.place.error(
                "unlikely_hours",
                row=tidy.rows[wrong[0]],
                column=name,
                found=f"{cells[wrong[0]]:g} ({len(wrong)} cells)",
                fix=f"'{heading}' is read as {what} of which {full:.4g} are a full "
                "contract, and that does not fit. Head the column 'hours per week', "
                "'hours per day', 'hours per month' or 'FTE', whichever it is."
                f"{few if of_days and cells[wrong[0]] <= 1 else ''}",
            )
        )
    tidy.columns["fte"] = [c / full if c.__class__ is float else c for c in cells]
    tidy.problems.append(
        tidy.place.warning(
            "converted_to_fte",
            column=name,
            found=heading,
            fix=f"Converted to FTE: {full:.6g} {what} a {_UNIT.get(name, 'week')} "
            "are 1 FTE.",
        )
    )


def _unlikely(cells: list[Any], full: float) -> list[int]:
    """Return the cells that are more than a long week, or all if they are shares."""
    hours = {i: c for i, c in enumerate(cells) if c.__class__ is float and c}
    if hours and max(hours.values()) <= 1:
        return list(hours)
    return [i for i, c in hours.items() if c > _LONGEST_WEEK * full]
