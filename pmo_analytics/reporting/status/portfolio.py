"""The status of a portfolio as a report: for all, and for each program and project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from pmo_analytics.reporting.charts import RAG, Chart
from pmo_analytics.reporting.folder import folder_names
from pmo_analytics.reporting.page import Report, Section
from pmo_analytics.reporting.status.pages import (
    COLOUR_ORDER,
    MONEY,
    MONEY_NAMES,
    TITLE,
    Parts,
    colour_words,
    counted,
    curve_sections,
    headline,
    milestone_section,
    money_table,
    program_page,
    project_page,
)
from pmo_analytics.reporting.status.sections import (
    MOST_ROWS,
    expected_sections,
    left_open,
    portfolio_sections,
    roadmap_sections,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from pmo_analytics.plan import Plan
    from pmo_analytics.tracking import Status

_COLUMNS = {
    "project": "project",
    "name": "name",
    "manager": "manager",
    "rag": "rag",
    "money": "cost",
    "time": "time",
    "milestones": "milestones",
    "reason": "why",
    "reported": "reported",
    "share_done": "share done",
    "over": "share over budget",
    "next_milestone": "next milestone",
    "next_due": "due",
    "age_days": "days old",
    "cpi": "CPI",
    "spi_t": "SPI(t)",
    "bac": "budget",
    "eac": "expected cost",
    "p_over": "chance over budget",
    "planned_finish": "planned finish",
    "finish_p50": "finish p50",
    "finish_p80": "finish p80",
    "p_late": "chance late",
}
# Columns that stand there also where nothing is known; others are left out then.
_ALWAYS = ("project", "name", "rag", "reason")
# Programs that a chart has room for.
_MOST_PROGRAMS = 16


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
        *curve_sections(status, None, sums.loc["all"]),
        *expected_sections(status, pages),
        milestone_section(status.milestones, status.as_of, pages),
        *_people(status, plan, shown),
        *roadmap_sections(plan, shown),
        *portfolio_sections(status, shown, pages),
        *left_open(status),
    ]
    report = Report(
        title=TITLE,
        portfolio=status.portfolio.name,
        as_of=f"{status.as_of:%Y-%m-%d}",
        headline=headline(status.table, sums.loc["all"], status, status.milestones),
        summary=_summary(status),
        sections=[section for section in sections if section is not None],
        problems=problems,
        facts=dict(facts or {}),
        sortable=True,
    )
    parts = Parts.of(status)
    more = {
        page: program_page(status, name, rows, sums, pages)
        for name, page in programs.items()
    } | {
        pages[str(project)]: project_page(status, str(project), parts)
        for project in status.table.index
    }
    return report, more


def nightly_sections(status: Status) -> list[Section]:
    """Return what a nightly report says of a status: projects, changes, what is open.

    As in the report of a status, without pages of their own.
    """
    changes = [
        replace(section, title="What changed in the projects")
        for section in _changes(status)
    ]
    stones = milestone_section(status.milestones, status.as_of, {})
    sections = [_projects(status, _rows(status), {}), *changes, stones]
    return [s for s in (*sections, *left_open(status)) if s is not None]


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


def _summary(status: Status) -> str:
    """Return the message in a sentence or two: what is worst, and why."""
    colours = status.table["rag"]
    red = status.table[colours == "red"]
    names = status.indicators["name"]
    unknown = int(colours.isna().sum())
    if len(red):
        worst = [f"{called(p, names.get(p))}: {red.at[p, 'reason']}" for p in red.index]
        rest = f" And {len(red) - 3} more." if len(red) > 3 else ""
        return f"Red: {'. '.join(worst[:3])}.{rest}"
    if unknown == len(colours):
        said = "Of no project is enough known for a colour."
    else:
        amber = int((colours == "amber").sum())
        said = "No project is red" + (f"; {amber} amber" if amber else "")
        said += f"; of {unknown} the colour is not known." if unknown else "."
    told = status.indicators["reported"].dropna()
    return f"{said} People reported {counted(told)}." if len(told) else said


def called(project: object, name: object) -> str:
    """Return the name of a project, or its key where it has none."""
    return str(project) if pd.isna(name) or not str(name).strip() else str(name)


def _rows(status: Status) -> pd.DataFrame:
    """Return one row a project, the worst first, in the words of a reader."""
    table = status.table.join(
        status.indicators.drop(columns=status.table.columns, errors="ignore")
    )
    table = table.reset_index().rename(columns={"index": "project"})
    table["share_done"] = table["percent_complete"] / 100
    table["over"] = (table["eac"] / table["bac"] - 1).where(table["bac"] > 0)
    order = table["rag"].map({"red": 0, "amber": 1, "green": 3}).fillna(2)
    table = table.iloc[order.argsort(kind="stable").to_numpy()]
    table["age_days"] = table["age_days"].astype("Int64")
    known = [c for c in _COLUMNS if c in _ALWAYS or table[c].notna().any()]
    return table[known].rename(columns=_COLUMNS).reset_index(drop=True)


def _projects(status: Status, rows: pd.DataFrame, pages: Mapping[str, str]) -> Section:
    return Section(
        "Where each project stands",
        f"{counted(status.table['rag'])}.",
        table=rows,
        links=pages,
        rows=MOST_ROWS,
        note="rag is the colour by the rules, reported what a human said; why names "
        "the indicator and the value that made it. Over budget: expected cost over "
        "the budget. Planned finish: start and duration of today; p50, p80: what "
        "reports tell.",
    )


def _colours_over_time(status: Status) -> Section | None:
    """Return how many projects had which colour at the end of each month."""
    history = status.history
    if history.empty:
        return None
    months = history["as_of"].dt.to_period("M")
    newest = history.assign(month=months).sort_values("as_of", kind="stable")
    newest = newest.groupby(["month", "project"], as_index=False).last()
    counts = pd.crosstab(newest["month"], colour_words(newest["rag"]))
    if len(counts) < 2:
        return None
    shown = [c for c in COLOUR_ORDER if c in counts]
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
    count = len(status.changes)
    said = f"{count} changes, {worse} of them for the worse."
    if count < 2:
        said = "Nothing changed." if not count else "1 change"
        said += ", for the worse." if worse else "." if count else ""
    table = status.changes if count else None
    return [Section("What changed", said, table=table)]


def _money(
    status: Status, sums: pd.DataFrame, pages: Mapping[str, str]
) -> list[Section]:
    parts = sums[sums.index != "all"]
    if parts[MONEY].isna().all().all():
        return []
    more = sums.loc["all"]
    said = (
        f"Expected cost is {more['eac'] - more['bac']:+,.0f} {status.unit_name} "
        "against the budget."
        if pd.notna(more["eac"])
        else ""
    )
    if left := int(more["not_counted"]):
        said += f" {left} of {int(more['projects'])} projects are not in the sums."
    drawn = parts[parts[MONEY].notna().any(axis=1)]
    note = "Expected cost is BAC / CPI (PMI). Projects of which something is not known "
    note += "are not in the sums."
    if len(drawn) > _MOST_PROGRAMS:
        order = drawn["bac"].sort_values(ascending=False, kind="stable").index
        drawn = drawn.loc[order[:_MOST_PROGRAMS]]
        note += f" The chart has the {_MOST_PROGRAMS} of the largest budgets."
    return [
        Section(
            "Money by program",
            said.strip(),
            table=money_table(sums, "program"),
            links=pages,
            rows=MOST_ROWS,
            chart=Chart(
                "bar",
                [str(name) for name in drawn.index],
                {
                    MONEY_NAMES[c]: [float(v) for v in drawn[c]]
                    for c in ("bac", "ev", "ac", "eac")
                },
                status.unit_name,
            ),
            note=note,
        )
    ]


def _people(
    status: Status, plan: Plan | None, figures: Mapping[str, Figure]
) -> list[Section]:
    """Return load against capacity by role: of the plan, else of the planned dates."""
    from pmo_analytics.plan import baseline

    shown = baseline(status.portfolio) if plan is None else plan
    headroom = shown.headroom
    if headroom.empty or not (shown.load.to_numpy() > 0).any():
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
