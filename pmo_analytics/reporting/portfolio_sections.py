"""Parts of a portfolio's report that look at all projects: worth, stages, bookings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pmo_analytics.clock import format_period
from pmo_analytics.reporting.charts import Chart
from pmo_analytics.reporting.page import Section
from pmo_analytics.tracking import (
    Status,
    benefits_by_period,
    booked_shares,
    pipeline_stages,
    value_and_risk,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FULL = 1.0 + 1e-6


def portfolio_sections(
    status: Status, figures: Mapping[str, Figure], pages: Mapping[str, str]
) -> Iterator[Section]:
    """Give the parts of which the tables hold something.

    Parameters
    ----------
    figures
        Pictures, each where there is one: `value_risk`, `bookings`.
    pages
        Project -> its page.
    """
    yield from _value_and_risk(status, figures, pages)
    yield from _pipeline(status)
    yield from _benefits(status)
    yield from _bookings(status, figures)


def _value_and_risk(
    status: Status, figures: Mapping[str, Figure], pages: Mapping[str, str]
) -> Iterator[Section]:
    table = value_and_risk(status).dropna(subset=["value", "risk"])
    if table.empty:
        return
    table = table.sort_values("value", ascending=False, kind="stable").reset_index()
    likely = table[table["risk"] >= 0.5]
    yield Section(
        "Value and risk",
        f"{len(likely)} of {len(table)} projects are more likely to end late, to cost "
        f"more or not to come than not; they are {_part(likely, table)} of the value.",
        figure=figures.get("value_risk"),
        table=table.rename(columns={"risk": "p risk", "cost": "budget"}),
        links=pages,
        note="Risk: of a running project the larger of its chances to end late and to "
        "cost more, of a candidate 1 - its probability.",
    )


def _part(some: pd.DataFrame, table: pd.DataFrame) -> str:
    whole = float(table["value"].sum())
    share = float(some["value"].sum()) / whole if whole > 0 else 0.0
    return f"{100 * share:.0f} %"


def _pipeline(status: Status) -> Iterator[Section]:
    stages = pipeline_stages(status.portfolio, status.as_of)
    if not stages["reached"].iloc[0] > 0:
        return
    beside = [f"{n} {word}" for word, n in stages.attrs["beside"].items() if n]
    said = f"Not in it: {', '.join(beside)}." if beside else ""
    shown = stages.reset_index().rename(
        columns={
            "reached": "here or further",
            "conversion": "share further",
            "age_days": "days old, median",
            "oldest_days": "days old, oldest",
            "dated": "of known age",
        }
    )
    yield Section(
        "Pipeline",
        said,
        chart=Chart(
            "bar",
            list(stages.index),
            {
                "here now": [float(n) for n in stages["projects"]],
                "here or further": [float(n) for n in stages["reached"]],
            },
            "projects",
        ),
        table=shown,
        note="Approved projects have waited since their first baseline, running ones "
        "since their start; nothing tells how old ideas and proposals are.",
    )


def _benefits(status: Status) -> Iterator[Section]:
    benefits = benefits_by_period(status)
    if benefits.empty:
        return
    sums = benefits.cumsum()
    yield Section(
        "Benefits",
        "As promised at the dates of the baselines, and as they are to come now.",
        chart=Chart(
            "line",
            [format_period(period) for period in sums.index],
            {name: [float(v) for v in sums[name]] for name in sums},
            status.unit_name,
        ),
        table=sums.reset_index(),
        note="Cumulative, of running, approved and finished projects. No table holds "
        "benefits that came in.",
    )


def _bookings(status: Status, figures: Mapping[str, Figure]) -> Iterator[Section]:
    shares = booked_shares(status.portfolio, status.as_of + pd.Timedelta(days=1))
    if shares.empty:
        return
    values = shares.to_numpy(dtype=float)
    worst = values.argmax(axis=1)
    over = (values > _FULL).sum(axis=1)
    table = pd.DataFrame(
        {
            "person": shares.index,
            "weeks over 100 %": over,
            "worst week": [format_period(shares.columns[k]) for k in worst],
            "share booked then": np.where(
                np.isfinite(values.max(axis=1)), values.max(axis=1), np.nan
            ),
        }
    )
    some = int((over > 0).sum())
    yield Section(
        "Who is booked",
        f"{some} of {len(shares)} people with bookings are booked over 100 % of their "
        "contract in some week."
        if some
        else "Nobody is booked over 100 %.",
        figure=figures.get("bookings"),
        table=table,
        note="Soft and hard bookings of the next 26 weeks over the shares of a "
        "contract in people. A blank share: booked without a contract then.",
    )


def left_open(status: Status) -> list[Section]:
    """Say what could not be worked out, by project, and what was left out."""
    rows = [
        (str(project), str(note))
        for project, notes in status.indicators["notes"].items()
        for note in notes
    ]
    rows += [("all", note) for note in status.notes]
    sections = []
    if rows:
        table = pd.DataFrame(rows, columns=["project", "not known"], dtype=object)
        sections.append(Section("What could not be worked out", table=table))
    if len(status.left_out):
        said = f"{len(status.left_out)} rows could not be used and are not counted."
        sections.append(Section("Rows left out", said, table=status.left_out))
    return sections
