"""The status of a portfolio as a report: for all, and for each program and project."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from pmo_analytics.clock import format_period
from pmo_analytics.formats import percent
from pmo_analytics.reporting.charts import RAG, Chart
from pmo_analytics.reporting.folder import folder_names
from pmo_analytics.reporting.page import Fact, Report, Section
from pmo_analytics.reporting.portfolio_sections import (
    BY_METHOD,
    expected_sections,
    left_open,
    portfolio_sections,
    ranges_of,
    roadmap_sections,
)
from pmo_analytics.tracking import on_time_rate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from pmo_analytics.plan import Plan
    from pmo_analytics.tracking import Status

TITLE = "Portfolio status"
_ORDER = ("red", "amber", "green", "not known")
# All running projects stand on the page, up to what a browser sorts without waiting.
_MOST_ROWS = 2000
_COLUMNS = {
    "project": "project",
    "name": "name",
    "manager": "manager",
    "rag": "rag",
    "reported": "reported",
    "money": "cost",
    "time": "time",
    "milestones": "milestones",
    "reason": "why",
    "share_done": "share done",
    "cpi": "CPI",
    "spi_t": "SPI(t)",
    "bac": "budget",
    "eac": "expected cost",
    "p_over": "p over budget",
    "planned_finish": "planned finish",
    "finish_p50": "finish p50",
    "finish_p80": "finish p80",
    "p_late": "p late",
    "next_milestone": "next milestone",
    "next_due": "due",
    "age_days": "days old",
}
_MONEY_NAMES = {
    "pv": "planned value",
    "ev": "earned value",
    "ac": "actual cost",
    "bac": "budget",
    "eac": "expected cost",
}
_MONEY = list(_MONEY_NAMES)
_INDICES = {"cpi": "CPI", "spi": "SPI", "spi_t": "SPI(t)", "tcpi": "TCPI"}


def status_report(
    status: Status,
    *,
    plan: Plan | None = None,
    figures: Mapping[str, Figure] | None = None,
    problems: pd.DataFrame | None = None,
    facts: Mapping[str, object] | None = None,
) -> tuple[Report, dict[str, Report]]:
    """Return the report of a status, and one of each program and project.

    Parameters
    ----------
    status
        Of `pmo.status`.
    plan
        The plan in force, for its roadmap and what proves it; None = no part on it.
    figures
        Charts that are pictures: `running`, `roadmap`, `capacity`, `value_risk`,
        `bookings`.
    problems, facts
        As in `Report`.

    Returns
    -------
    tuple
        The report of the portfolio, and page -> report of a program or a project;
        pages are names such as `projects/CRM.html`, beside the first one.
    """
    rows, sums = _rows(status), status.by("program")
    pages, programs = _pages(status, sums)
    shown = dict(figures or {})
    sections = [
        _projects(status, rows, pages),
        _colours_over_time(status),
        *_changes(status),
        *_money(status, sums, programs),
        _curve(status, None),
        *expected_sections(status, pages),
        _milestones(status, pages),
        *_people(status, plan, shown),
        *roadmap_sections(plan, shown),
        *portfolio_sections(status, shown, pages),
        *left_open(status),
    ]
    report = Report(
        title=TITLE,
        portfolio=status.portfolio.name,
        as_of=f"{status.as_of:%Y-%m-%d}",
        headline=_headline(status, sums.loc["all"]),
        summary=_summary(status),
        sections=[section for section in sections if section is not None],
        problems=problems,
        facts=dict(facts or {}),
        sortable=True,
    )
    more = {
        page: _program(status, name, rows, sums, pages)
        for name, page in programs.items()
    } | {
        pages[str(project)]: _project(status, str(project))
        for project in status.table.index
    }
    return report, more


def _pages(status: Status, sums: pd.DataFrame) -> tuple[dict[str, str], dict[str, str]]:
    """Return the page of each project, and of each program; they may share a name."""
    words = [p for p in sums.index if p not in ("all", "none")]
    first, then = (
        folder_names(map(str, names)) for names in (status.table.index, words)
    )
    return (
        {name: f"projects/{page}.html" for name, page in first.items()},
        {name: f"programs/{page}.html" for name, page in then.items()},
    )


def _colour(cells: pd.Series[Any]) -> pd.Series[Any]:
    return cells.astype(object).where(cells.notna(), "not known")


def _counted(colours: pd.Series[Any]) -> str:
    counts = _colour(colours).value_counts()
    return ", ".join(f"{counts[c]} {c}" for c in _ORDER if c in counts)


def _headline(status: Status, sums: pd.Series[Any]) -> list[Fact]:
    colours = status.table["rag"]
    facts = [
        Fact(
            "Running projects",
            str(len(status.table)),
            _counted(colours),
            alarm=bool((colours == "red").any()),
        )
    ]
    for column, label, note in (
        ("cpi", "CPI", "earned for each unit of money spent"),
        ("spi_t", "SPI(t)", "earned time for each period gone by"),
    ):
        if pd.notna(sums[column]):
            low = bool(sums[column] < 0.95)
            facts.append(Fact(label, f"{sums[column]:.2f}", note, alarm=low))
    if pd.notna(sums["eac"]) and sums["bac"] > 0:
        more = sums["eac"] / sums["bac"] - 1
        facts.append(
            Fact(
                "Expected cost",
                f"{sums['eac']:,.0f} {status.unit_name}",
                f"{100 * more:+.0f} % against a budget of {sums['bac']:,.0f}",
                alarm=bool(more > 0.05),
            )
        )
    late = int((status.milestones["state"] == "overdue").sum())
    reached, due = on_time_rate(status.milestones, status.as_of)
    alarm = late > 0 or 2 * reached < due
    said = f"{reached} of {due} due"
    facts.append(Fact("Milestones in time", said, f"{late} overdue now", alarm))
    return facts


def _summary(status: Status) -> str:
    """Return the message in a sentence or two: what is worst, and why."""
    red = status.table[status.table["rag"] == "red"]
    names = status.indicators["name"]
    if red.empty:
        amber = int((status.table["rag"] == "amber").sum())
        return f"No project is red; {amber} amber." if amber else "No project is red."
    worst = [f"{names.get(p) or p} ({red.at[p, 'reason']})" for p in red.index[:3]]
    rest = f", and {len(red) - 3} more" if len(red) > 3 else ""
    return f"Red: {'; '.join(worst)}{rest}."


def _rows(status: Status) -> pd.DataFrame:
    """Return one row a project, the worst first, in the words of a reader."""
    table = status.table.join(
        status.indicators.drop(columns=status.table.columns, errors="ignore")
    )
    table = table.reset_index().rename(columns={"index": "project"})
    table["share_done"] = table["percent_complete"] / 100
    order = table["rag"].map({"red": 0, "amber": 1, "green": 3}).fillna(2)
    table = table.iloc[order.argsort(kind="stable").to_numpy()]
    table["age_days"] = table["age_days"].astype("Int64")
    return table[list(_COLUMNS)].rename(columns=_COLUMNS).reset_index(drop=True)


def _projects(status: Status, rows: pd.DataFrame, pages: Mapping[str, str]) -> Section:
    return Section(
        "Where each project stands",
        f"{_counted(status.table['rag'])}.",
        table=rows,
        links=pages,
        rows=_MOST_ROWS,
        note="rag is the colour by the rules, reported what a human said; why names "
        "the indicator and the value that made it. p late, p over budget: chances. "
        "Planned finish: start and duration of today; p50, p80: what reports tell.",
    )


def _colours_over_time(status: Status) -> Section | None:
    """Return how many projects had which colour at the end of each month."""
    history = status.history
    if history.empty:
        return None
    months = history["as_of"].dt.to_period("M")
    newest = history.assign(month=months).sort_values("as_of", kind="stable")
    newest = newest.groupby(["month", "project"], as_index=False).last()
    counts = pd.crosstab(newest["month"], _colour(newest["rag"]))
    if len(counts) < 2:
        return None
    shown = [c for c in _ORDER if c in counts]
    return Section(
        "Colours by month",
        "The colour of each project's newest report in the month, by the same rules.",
        chart=Chart(
            "stacked",
            [str(month) for month in counts.index],
            {c: [float(v) for v in counts[c]] for c in shown},
            "projects with a report",
            RAG,
        ),
        table=counts[shown].reset_index().rename_axis(columns=None),
    )


def _changes(status: Status) -> list[Section]:
    if status.changes is None:
        return []
    worse = int(status.changes["worse"].eq(True).sum())
    said = f"{len(status.changes)} changes, {worse} of them for the worse."
    return [Section("What changed", said, table=status.changes)]


def _money_table(sums: pd.DataFrame, first: str) -> pd.DataFrame:
    table = sums[[*_MONEY, *_INDICES]].rename(columns=_MONEY_NAMES | _INDICES)
    table.index.name = first
    return table.reset_index().astype({first: object})


def _money(
    status: Status, sums: pd.DataFrame, pages: Mapping[str, str]
) -> list[Section]:
    parts = sums[sums.index != "all"]
    if parts[_MONEY].isna().all().all():
        return []
    more = sums.loc["all"]
    over = (
        f"Expected cost is {more['eac'] - more['bac']:+,.0f} {status.unit_name} "
        "against the budget."
        if pd.notna(more["eac"])
        else ""
    )
    return [
        Section(
            "Money by program",
            over,
            table=_money_table(sums, "program"),
            links=pages,
            chart=Chart(
                "bar",
                [str(name) for name in parts.index],
                {
                    _MONEY_NAMES[c]: [float(v) for v in parts[c]]
                    for c in ("bac", "ev", "ac", "eac")
                },
                status.unit_name,
            ),
            note="Expected cost is BAC / CPI (PMI). Projects of which something is not "
            "known are not in the sums.",
        )
    ]


def _curve(status: Status, project: str | None) -> Section | None:
    """Return planned value, earned value and actual cost over time."""
    curve = status.curve(project)
    if curve.empty or curve["pv"].isna().all():
        return None
    values = curve[["pv", "ev", "ac"]].rename(columns=_MONEY_NAMES)
    table = values.reset_index(names="period")
    known = curve["ev"].notna().to_numpy().nonzero()[0]
    said = ""
    if len(known):
        last = curve.iloc[known[-1]]
        said = (
            f"{last['ev']:,.0f} earned of {last['pv']:,.0f} planned by "
            f"{format_period(curve.index[known[-1]])}; {last['ac']:,.0f} spent."
        )
    return Section(
        "Planned, earned, spent",
        said,
        chart=Chart(
            "line",
            [format_period(period) for period in curve.index],
            {name: [float(v) for v in values[name]] for name in values},
            status.unit_name,
        ),
        table=table,
        note="Cumulative. Earned value and actual cost end with the last report.",
    )


def _milestones(status: Status, pages: Mapping[str, str]) -> Section | None:
    rows = status.milestones
    if rows.empty:
        return None
    order = {"overdue": 0, "due": 1, "reached": 3}
    place = rows["state"].map(order).fillna(2)
    rows = rows.assign(place=place).sort_values(["place", "due"], kind="stable")
    late = int((rows["state"] == "overdue").sum())
    reached, due = on_time_rate(status.milestones, status.as_of)
    table = rows[
        ["project", "milestone", "state", "baseline", "due", "slip_days", "moves"]
    ].rename(columns={"slip_days": "slip, days", "moves": "times moved"})
    table["slip, days"] = table["slip, days"].round().astype("Int64")
    return Section(
        "Milestones",
        f"{reached} of {due} due in time; {late} overdue.",
        table=table.reset_index(drop=True),
        links=pages,
        rows=_MOST_ROWS,
    )


def _people(
    status: Status, plan: Plan | None, figures: Mapping[str, Figure]
) -> list[Section]:
    """Return load against capacity by role: of the plan, else of the planned dates."""
    from pmo_analytics.plan import baseline

    shown = baseline(status.portfolio) if plan is None else plan
    headroom = shown.headroom
    if headroom.empty:
        return []
    least = headroom.idxmin()
    table = pd.DataFrame(
        {
            "role": headroom.columns,
            "mean capacity": shown.capacity[headroom.columns].mean().to_numpy(),
            "mean load": shown.load[headroom.columns].mean().to_numpy(),
            "least_headroom": headroom.min().to_numpy(),
            "worst": list(least),
        }
    ).sort_values("least_headroom", kind="stable", ignore_index=True)
    short = int((table["least_headroom"] < -1e-6).sum())
    what = "the plan" if plan is not None else "the planned dates"
    said = (
        f"{short} of {len(table)} roles are overloaded in some period by {what}."
        if short
        else f"No role is overloaded by {what}."
    )
    chart = Chart(
        "bar",
        [str(role) for role in table["role"]],
        {
            "mean capacity": [float(v) for v in table["mean capacity"]],
            "mean load": [float(v) for v in table["mean load"]],
        },
        "FTE",
    )
    return [
        Section(
            "People",
            said,
            figure=figures.get("capacity"),
            table=table,
            chart=None if "capacity" in figures else chart,
        )
    ]


def _program(
    status: Status,
    name: str,
    rows: pd.DataFrame,
    sums: pd.DataFrame,
    pages: Mapping[str, str],
) -> Report:
    members = status.indicators.index[status.indicators["program"] == name]
    table = rows[rows["project"].isin(members)].reset_index(drop=True)
    said = f"{_counted(table['rag'])}."
    links = {key: f"../{page}" for key, page in pages.items()}
    sections = [
        Section("Projects", said, table=table, links=links, rows=_MOST_ROWS),
        Section("Money", table=_money_table(sums.loc[[name]], "program")),
    ]
    return Report(
        title=f"Program {name}",
        portfolio=status.portfolio.name,
        as_of=f"{status.as_of:%Y-%m-%d}",
        sections=sections,
        sortable=True,
        back=("../report.html", TITLE),
    )


def _project(status: Status, project: str) -> Report:
    row = status.indicators.loc[project]
    table = status.table.loc[project]
    facts = [
        Fact("Colour", str(table["rag"]) if pd.notna(table["rag"]) else "not known"),
        *_numbers(row, table),
    ]
    history = status.history[status.history["project"] == project]
    seen = history[["as_of", "rag", "reported", "cpi", "spi_t", "comment", "author"]]
    seen = seen.rename(columns={"cpi": "CPI", "spi_t": "SPI(t)", "as_of": "day"})
    stones = status.milestones[status.milestones["project"] == project]
    columns = ["milestone", "state", "baseline", "due", "slip_days", "moves"]
    ranges = ranges_of(status, project)
    sections: list[Section | None] = [
        _curve(status, project),
        None if ranges.empty else Section(BY_METHOD, table=ranges),
        Section("Milestones", table=stones[columns].reset_index(drop=True)),
        Section("Reports so far", table=seen.iloc[::-1].reset_index(drop=True)),
    ]
    if notes := list(row["notes"]):
        missing = pd.DataFrame({"not known": notes}, dtype=object)
        sections.append(Section("What could not be worked out", table=missing))
    name = project if pd.isna(row["name"]) else str(row["name"])
    return Report(
        title=name,
        portfolio=status.portfolio.name,
        as_of=f"{status.as_of:%Y-%m-%d}",
        headline=facts,
        summary="" if pd.isna(table["reason"]) else f"{table['reason']}.",
        sections=[section for section in sections if section is not None],
        sortable=True,
        back=("../report.html", TITLE),
    )


def _numbers(row: pd.Series[Any], table: pd.Series[Any]) -> list[Fact]:
    facts = []
    for column, label in (("cpi", "CPI"), ("spi_t", "SPI(t)")):
        if pd.notna(table[column]):
            value = float(table[column])
            facts.append(Fact(label, f"{value:.2f}", alarm=value < 0.95))
    if pd.notna(table["eac"]) and pd.notna(row["bac"]):
        over = f"budget {row['bac']:,.0f}"
        facts.append(Fact("Expected cost", f"{table['eac']:,.0f}", over))
    if pd.notna(table["finish_p50"]):
        late = f"p80 {table['finish_p80']:%Y-%m-%d}"
        if pd.notna(row["planned_finish"]):
            late += f", planned {row['planned_finish']:%Y-%m-%d}"
        facts.append(Fact("Expected finish", f"{table['finish_p50']:%Y-%m-%d}", late))
    for column, label in (
        ("p_late", "Chance to end late"),
        ("p_over", "Chance to cost more"),
    ):
        if pd.notna(table[column]) and math.isfinite(table[column]):
            facts.append(Fact(label, percent(float(table[column]))))
    return facts
