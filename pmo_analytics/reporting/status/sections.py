"""Parts of a portfolio's report that look at all projects: worth, stages, bookings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pmo_analytics.clock import format_period
from pmo_analytics.facts import text_of_fact
from pmo_analytics.reporting.charts import Chart
from pmo_analytics.reporting.page import Section
from pmo_analytics.tracking import (
    Status,
    benefits_by_period,
    benefits_so_far,
    booked_shares,
    pipeline_stages,
    value_and_risk,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from pmo_analytics.plan import Plan

_FULL = 1.0 + 1e-6
# All rows stand on the page, up to what a browser sorts without waiting.
MOST_ROWS = 2000
_RANGE_NAMES = {
    "eac_p50": "cost p50",
    "eac_p80": "cost p80",
    "finish_p50": "finish p50",
    "finish_p80": "finish p80",
}
BY_METHOD = "Cost and finish by every method"


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
        table=table.rename(columns={"risk": "chance", "cost": "budget"}),
        links=pages,
        rows=MOST_ROWS,
        note="Chance: of a running project the larger of those to end late and to cost "
        "more, of a candidate 1 - its probability.",
    )


def _part(some: pd.DataFrame, table: pd.DataFrame) -> str:
    whole = float(table["value"].sum())
    share = float(some["value"].sum()) / whole if whole > 0 else 0.0
    return f"{100 * share:.0f} %"


def _pipeline(status: Status) -> Iterator[Section]:
    stages = pipeline_stages(status.portfolio, status.as_of)
    if (stages["projects"] > 0).sum() < 2:
        return
    beside = [f"{n} {word}" for word, n in stages.attrs["beside"].items() if n]
    said = f"Not in it: {', '.join(beside)}." if beside else ""
    days = ["age_days", "oldest_days"]
    stages[days] = stages[days].round().astype("Int64")
    shown = stages.reset_index().rename(
        columns={
            "projects": "here now",
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
    benefits, known = benefits_by_period(status), benefits_so_far(status)
    if known is None:
        return
    unit = status.portfolio.settings.currency or "of money"
    sums = benefits.cumsum().rename(
        columns={
            "planned": "planned benefit",
            "expected": "expected benefit",
            "actual": "actual benefit",
        }
    )
    said = "As promised at the dates of the baselines, and as they are to come now."
    note = "Cumulative, of running, approved and finished projects. "
    if "actual benefit" in sums:
        said = (
            f"{known['actual']:,.0f} {unit} came in of "
            f"{known['planned']:,.0f} promised by "
            f"{status.as_of:%Y-%m-%d}."
        )
        note += "Actual: the column benefit of actuals."
    else:
        note += "No benefit is recorded that came in (column benefit of actuals)."
    yield Section(
        "Benefits",
        said,
        chart=Chart(
            "line",
            [format_period(period) for period in sums.index],
            {name: [float(v) for v in sums[name]] for name in sums},
            unit,
        ),
        table=sums.reset_index(),
        rows=MOST_ROWS,
        note=note,
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
        rows=MOST_ROWS,
        note="Soft and hard bookings of the next 26 weeks over the shares of a "
        "contract in people. A blank share: booked without a contract then.",
    )


def ranges_of(status: Status) -> pd.DataFrame:
    """Return cost and finish of projects by every method, in the words of a reader."""
    table = status.ranges.rename(columns=_RANGE_NAMES)
    used = status.indicators[["cost_method", "finish_method"]].reindex(table["project"])
    table["in force for"] = [
        ", ".join(
            word
            for word, chosen in (("cost", cost), ("finish", finish))
            if chosen == method
        )
        for method, (cost, finish) in zip(
            table["method"], used.itertuples(index=False), strict=True
        )
    ]
    table["method"] = table["method"].str.replace("_", " ")
    names = status.indicators["name"].reindex(table["project"]).to_numpy()
    table.insert(1, "name", names)
    return table


def expected_sections(status: Status, pages: Mapping[str, str]) -> Iterator[Section]:
    """Give what is to be expected: by every method, how right, and by sprint.

    Parameters
    ----------
    pages
        Project -> its page.
    """
    table = ranges_of(status)
    if len(table):
        yield Section(
            BY_METHOD,
            "",
            table=table,
            links=pages,
            rows=MOST_ROWS,
            note="In force is the method that has been most right so far on finished "
            "projects. Throughput draws the project's own steps, sprints those of its "
            "team.",
        )
        yield from _record(status.record)
    yield from _sprints(status)


def _record(record: pd.DataFrame) -> Iterator[Section]:
    """Say how right each method has been; nothing where nothing has finished."""
    if len(record) and record[["cost_cases", "finish_cases"]].to_numpy().sum() > 0:
        shown = record[record[["cost_cases", "finish_cases"]].sum(axis=1) > 0]
        shown = pd.DataFrame(
            {
                "method": [str(name).replace("_", " ") for name in shown.index],
                "reports, cost": shown["cost_cases"].astype("Int64").to_numpy(),
                "share within cost p50": shown["cost_p50_held"].to_numpy(),
                "share within cost p80": shown["cost_p80_held"].to_numpy(),
                "reports, finish": shown["finish_cases"].astype("Int64").to_numpy(),
                "share within finish p50": shown["finish_p50_held"].to_numpy(),
                "share within finish p80": shown["finish_p80_held"].to_numpy(),
            }
        )
        note = (
            "Reports of finished projects, each answered by the others. 50 % and 80 % "
        )
        note += "are right."
        said = "How often what came lay within what was said."
        yield Section("How right the methods have been", said, table=shown, note=note)


def _sprints(status: Status) -> Iterator[Section]:
    """Give the early warning of the sprints that run."""
    if status.sprints.empty:
        return
    names = {
        "elapsed": "share of the time",
        "seen": "seen on",
        "p_short": "chance to fall short",
        "low": "delivers at least",
        "high": "at most",
    }
    rows = status.sprints.sort_values("p_short", ascending=False, kind="stable")
    likely = int((rows["p_short"] >= 0.5).sum())
    table = rows.rename(columns=names).reset_index(drop=True)
    yield Section(
        "Running sprints",
        f"{likely} of {len(rows)} are more likely than not to deliver less than "
        "committed.",
        table=table,
        rows=MOST_ROWS,
        note="As of the newest look at each. The range holds four of five.",
    )


def roadmap_sections(plan: Plan | None, figures: Mapping[str, Figure]) -> list[Section]:
    """Return what runs on the calendar, planned dates, and what proves the plan."""
    sections = []
    if "running" in figures:
        note = (
            "Thin bars are baselines; wide ones run to the expected end, dark as far "
        )
        note += "as they are done, with a whisker to p80."
        brief = figures.get("running, slide")
        sections.append(
            Section("Roadmap", figure=figures["running"], note=note, slide=brief)
        )
    if "roadmap" in figures:
        note = "Bars show planned dates, not the finish that is expected."
        sections.append(Section("Planned dates", figure=figures["roadmap"], note=note))
    if plan is not None:
        sections.append(proof_section(plan))
    return sections


def proof_section(plan: Plan, note: str = "") -> Section:
    """Return what a plan is worth, uses and breaks, and what proves it."""
    table = pd.DataFrame(
        [(str(n), text_of_fact(value)) for n, value in plan.summary().items()],
        columns=["what", "answer"],
        dtype=object,
    )
    return Section("The plan, and what proves it", table=table, note=note)


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
        sections.append(
            Section("What could not be worked out", table=table, rows=MOST_ROWS)
        )
    if len(status.left_out):
        said = f"{len(status.left_out)} rows could not be used and are not counted."
        sections.append(
            Section("Rows left out", said, table=status.left_out, rows=MOST_ROWS)
        )
    return sections
