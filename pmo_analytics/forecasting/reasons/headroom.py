"""Why a headroom is forecast: why its capacity is, why its load is, and the risk."""

from __future__ import annotations

import pandas as pd

from pmo_analytics.clock import format_period
from pmo_analytics.forecasting.reasons.piece import fte
from pmo_analytics.uncertainty import WHY_COLUMNS, Forecast, Why


def headroom_story(forecast: Forecast, role: str) -> Why:
    """Return where the headroom of a role comes from, or what is known of it."""
    known = [part for part in forecast.parts if role in part.roles]
    answers = [part.why(role) for part in known]
    if role not in forecast.roles:
        return answers[0]
    capacity, load = answers
    periods = forecast.periods
    chance = forecast.p_overload[role]
    middle = forecast.grid("p50")[role]
    # Chances end at 1: among certain overloads the largest is the worst.
    worst = middle[chance == chance.max()].idxmin()
    short = f"{fte(abs(middle[worst]))} FTE {'short' if middle[worst] < 0 else 'free'}"
    risk = (
        f"in {format_period(worst)} {chance[worst]:.0%} of the futures lack people, "
        f"and the median is {short}"
        if chance[worst] > 0
        else f"no future lacks people; the tightest period is {format_period(worst)}, "
        f"with {short} in the median"
    )
    rows = [
        ("headroom", "risk", "chance of overload", worst, 100.0 * chance[worst], "%"),
        ("headroom", "risk", "p50", worst, middle[worst], "FTE"),
    ]
    tables = [pd.DataFrame(rows, columns=WHY_COLUMNS), capacity.table, load.table]
    first, last = format_period(periods[0]), format_period(periods[-1])
    parts = pd.concat(
        [capacity.parts.add_prefix("capacity: "), -load.parts.add_prefix("load: ")],
        axis=1,
    ).rename_axis(columns="part")
    return Why(
        "headroom",
        role,
        f"{role}: headroom forecast, {first} to {last}",
        (
            ("risk", f"{risk[:1].upper()}{risk[1:]}."),
            *((f"capacity, {topic}", text) for topic, text in capacity.said),
            *(
                ("load" if topic == "load" else f"load, {topic}", text)
                for topic, text in load.said
            ),
        ),
        pd.concat(tables, ignore_index=True),
        parts,
        load.past if len(load.past) else capacity.past,
        load.breaks if len(load.past) else capacity.breaks,
    )
