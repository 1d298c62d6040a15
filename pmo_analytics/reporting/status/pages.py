"""The page of a program and of a project, and the parts that the portfolio has too."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pmo_analytics.clock import format_period
from pmo_analytics.errors import listing
from pmo_analytics.formats import percent
from pmo_analytics.reporting.charts import Chart
from pmo_analytics.reporting.page import Fact, Report, Section
from pmo_analytics.reporting.status.sections import BY_METHOD, MOST_ROWS, ranges_of
from pmo_analytics.tracking import milestone_trends, money_by_period, on_time_rate

if TYPE_CHECKING:
    from pmo_analytics.tracking import Status

type Floats = npt.NDArray[np.float64]
# What is known of something, by the name of each number.
type Known = Mapping[str, Any] | pd.Series[Any]

TITLE = "Portfolio status"
COLOUR_ORDER = ("red", "amber", "green", "not known")
MONEY_NAMES = {
    "pv": "planned value",
    "ev": "earned value",
    "ac": "actual cost",
    "bac": "budget",
    "eac": "expected cost",
}
MONEY = list(MONEY_NAMES)
_INDICES = {"cpi": "CPI", "spi": "SPI", "spi_t": "SPI(t)", "tcpi": "TCPI"}
_LOW, _OVER = 0.95, 0.05
# Lines that a chart of milestones tells apart.
_MOST_LINES = 6


def colour_words(cells: pd.Series[Any]) -> pd.Series[Any]:
    """Return colours, and words where there is none."""
    return cells.astype(object).where(cells.notna(), "not known")


def counted(colours: pd.Series[Any]) -> str:
    """Return how many are of which colour, the worst first."""
    counts = colour_words(colours).value_counts()
    return ", ".join(f"{counts[c]} {c}" for c in COLOUR_ORDER if c in counts)


def headline(
    table: pd.DataFrame, sums: pd.Series[Any], status: Status, stones: pd.DataFrame
) -> list[Fact]:
    """Return the few numbers of some projects together.

    Parameters
    ----------
    table, sums, stones
        Rows of `status.table`, the row of `status.by` and the milestones of them.
    """
    colours = table["rag"]
    alarm = bool((colours == "red").any())
    facts = [Fact("Running projects", str(len(table)), counted(colours), alarm)]
    for column, label, note in (
        ("cpi", "CPI", "earned for each unit of money spent"),
        ("spi_t", "SPI(t)", "earned time for each period gone by"),
    ):
        if pd.notna(sums[column]):
            low = bool(sums[column] < _LOW)
            facts.append(Fact(label, f"{sums[column]:.2f}", note, alarm=low))
    if pd.notna(sums["eac"]) and sums["bac"] > 0:
        more = sums["eac"] / sums["bac"] - 1
        facts.append(
            Fact(
                "Expected cost",
                f"{sums['eac']:,.0f} {status.unit_name}",
                f"{100 * more:+.0f} % against a budget of {sums['bac']:,.0f}",
                alarm=bool(more > _OVER),
            )
        )
    if len(stones):
        late = int((stones["state"] == "overdue").sum())
        reached, due = on_time_rate(stones, status.as_of)
        said = f"{reached} of {due} due"
        alarm = late > 0 or 2 * reached < due
        facts.append(Fact("Milestones in time", said, f"{late} overdue now", alarm))
    return facts


def money_table(sums: pd.DataFrame, first: str) -> pd.DataFrame:
    """Return rows of `Status.by` as a table whose first column is named so."""
    table = sums[[*MONEY, *_INDICES]].rename(columns=MONEY_NAMES | _INDICES)
    table.index.name = first
    return table.reset_index().astype({first: object})


def curve_sections(
    status: Status, projects: str | list[str] | None, sums: Known
) -> Iterator[Section]:
    """Give the S-curve, money by period, and the indices over time.

    Parameters
    ----------
    projects
        One or several; None = all that run.
    sums
        PV, EV, AC, BAC and EAC of them.
    """
    curve = status.curve(projects)
    planned = _numbers_of(curve, {"pv": "planned value"})["planned value"]
    if not np.isfinite(planned).any():
        return
    labels = [format_period(period) for period in curve.index]
    values = _numbers_of(
        curve, {name: MONEY_NAMES[name] for name in ("pv", "ev", "ac")}
    )
    known = {name: v for name, v in values.items() if not np.isnan(v).all()}
    said = ""
    if _are_known(sums, "pv", "ev", "ac"):
        said = (
            f"{sums['ev']:,.0f} earned of {sums['pv']:,.0f} planned by the days of the "
            f"newest reports; {sums['ac']:,.0f} spent."
        )
    others = ", ".join(name for name in values if name not in known)
    yield Section(
        "Planned, earned, spent",
        said,
        chart=Chart("line", labels, _series(known), status.unit_name),
        table=pd.DataFrame({"period": curve.index, **values}),
        rows=MOST_ROWS,
        note="Cumulative. Planned value is that at the end of each period; earned "
        "value and actual cost are those of the newest reports by then."
        + (f" Not known: {others}." if others else "")
        + _left_off(status, projects),
    )
    yield from _by_period(status, curve, labels, sums)
    indices = _numbers_of(curve, {name: _INDICES[name] for name in ("cpi", "spi_t")})
    there = np.flatnonzero(~np.isnan(np.array([*indices.values()])).all(axis=0))
    if len(there) >= 2:
        seen = {name: v[there] for name, v in indices.items()}
        yield Section(
            "CPI and SPI(t) over time",
            "Below 1: dearer, and slower, than planned.",
            chart=Chart("line", [labels[k] for k in there], _series(seen)),
            table=pd.DataFrame({"period": curve.index[there], **seen}),
            rows=MOST_ROWS,
        )


def _are_known(facts: Known, *names: str) -> bool:
    return not any(pd.isna(facts[name]) for name in names)


def _left_off(status: Status, projects: str | list[str] | None) -> str:
    """Say which projects are not in a curve of several, where others are."""
    apart = () if isinstance(projects, str) else status.left_off(projects)
    if not apart or len(apart) == len(status.table if projects is None else projects):
        return ""
    return f" Not in it, for something of them is not known: {listing(apart, 4)}."


def _numbers_of(table: pd.DataFrame, names: Mapping[str, str]) -> dict[str, Floats]:
    """Return columns under other names: of hundreds of projects frames take seconds."""
    return {said: table[name].to_numpy(dtype=float) for name, said in names.items()}


def _series(columns: Mapping[str, Floats]) -> dict[str, list[float]]:
    return {name: values.tolist() for name, values in columns.items()}


def _by_period(
    status: Status, curve: pd.DataFrame, labels: list[str], sums: Known
) -> Iterator[Section]:
    """Give what was planned and spent period by period, where anything was spent."""
    names = {"planned": "planned cost", "spent": "actual cost"}
    money = _numbers_of(money_by_period(curve), names)
    if np.isnan(money["actual cost"]).all():
        return
    said = ""
    if _are_known(sums, "bac", "ac", "eac"):
        said = (
            f"Budget {sums['bac']:,.0f} {status.unit_name}, spent {sums['ac']:,.0f}, "
            f"expected at completion {sums['eac']:,.0f}."
        )
    what = "Hours by period" if status.unit == "hours" else "Money by period"
    yield Section(
        what,
        said,
        chart=Chart(
            "bar",
            labels,
            _series(money),
            status.unit_name,
        ),
        table=pd.DataFrame({"period": curve.index, **money}),
        rows=MOST_ROWS,
        note="Planned: by the baselines in force. Spent: what reports added in the "
        "period; a period without a report has nothing, the next one all of it.",
    )


def milestone_section(
    milestones: pd.DataFrame, as_of: pd.Timestamp, pages: Mapping[str, str]
) -> Section | None:
    """Return the milestones, those that are overdue first; None without any."""
    if milestones.empty:
        return None
    order = {"overdue": 0, "due": 1, "reached": 3}
    place = milestones["state"].map(order).fillna(2)
    rows = milestones.assign(place=place).sort_values(["place", "due"], kind="stable")
    late = int((rows["state"] == "overdue").sum())
    reached, due = on_time_rate(milestones, as_of)
    table = rows[
        ["project", "milestone", "state", "baseline", "due", "slip_days", "moves"]
    ].rename(columns={"slip_days": "slip, days", "moves": "times moved"})
    table["slip, days"] = table["slip, days"].round().astype("Int64")
    return Section(
        "Milestones",
        f"{reached} of {due} due in time; {late} overdue.",
        table=table.reset_index(drop=True),
        links=pages,
        rows=MOST_ROWS,
    )


def program_page(
    status: Status,
    name: str,
    rows: pd.DataFrame,
    sums: pd.DataFrame,
    pages: Mapping[str, str],
) -> Report:
    """Return the report of one program.

    Parameters
    ----------
    rows, sums
        One row a project in the words of a reader, and `status.by("program")`.
    pages
        Project -> its page, beside that of the portfolio.
    """
    members = status.indicators.index[status.indicators["program"] == name]
    table = rows[rows["project"].isin(members)].reset_index(drop=True)
    links = {key: f"../{page}" for key, page in pages.items()}
    stones = status.milestones[status.milestones["project"].isin(members)]
    own = sums.loc[name]
    sections: list[Section | None] = [
        Section(
            "Projects",
            f"{counted(table['rag'])}.",
            table=table,
            links=links,
            rows=MOST_ROWS,
        ),
        Section("Money", table=money_table(sums.loc[[name]], "program")),
        *curve_sections(status, [str(member) for member in members], own),
        milestone_section(stones, status.as_of, links),
    ]
    return Report(
        title=f"Program {name}",
        portfolio=status.portfolio.name,
        as_of=f"{status.as_of:%Y-%m-%d}",
        headline=headline(status.table.loc[members], own, status, stones),
        sections=[section for section in sections if section is not None],
        sortable=True,
        back=("../report.html", TITLE),
    )


@dataclass(frozen=True)
class Parts:
    """What the pages of projects show of a status, put in order once for all of them.

    Attributes
    ----------
    rows
        Project -> what `Status.table` and `Status.indicators` say of it.
    history, ranges, stones, trends
        Project -> its reports, the newest first, its cost and finish by every method,
        its milestones, and what was expected of them over time.
    """

    rows: Mapping[str, tuple[dict[Any, Any], dict[Any, Any]]]
    history: Mapping[str, pd.DataFrame]
    ranges: Mapping[str, pd.DataFrame]
    stones: Mapping[str, pd.DataFrame]
    trends: Mapping[str, pd.DataFrame]

    @classmethod
    def of(cls, status: Status) -> Parts:
        """Return the parts of a status."""
        columns = ["project", "as_of", "rag", "reported", "cpi", "spi_t"]
        seen = status.history[[*columns, "comment", "author"]].iloc[::-1]
        names = {"cpi": "CPI", "spi_t": "SPI(t)", "as_of": "day"}
        told = status.indicators.to_dict("index")
        rows = {
            str(project): (row, told[project])
            for project, row in status.table.to_dict("index").items()
        }
        return cls(
            rows,
            _by_project(seen.rename(columns=names)),
            _by_project(ranges_of(status).drop(columns="name")),
            _by_project(_in_words(status.milestones)),
            milestone_trends(status.portfolio),
        )


def _in_words(milestones: pd.DataFrame) -> pd.DataFrame:
    """Return milestones in the columns and words of a page."""
    columns = ["milestone", "state", "baseline", "due", "slip_days", "moves"]
    names = {"slip_days": "slip, days", "moves": "times moved"}
    table = milestones[["project", *columns]].rename(columns=names)
    table["slip, days"] = table["slip, days"].round().astype("Int64")
    return table


def _by_project(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return project -> its rows, in their order, without its name."""
    codes, names = pd.factorize(table["project"])
    order = np.argsort(codes, kind="stable")
    order = order[codes[order] >= 0]
    # Parts of a sorted table are views: of hundreds of projects copies take seconds.
    rows = table.drop(columns="project").iloc[order]
    ends = np.searchsorted(codes[order], np.arange(len(names) + 1))
    found = {}
    for name, begin, end in zip(names, ends, ends[1:], strict=False):
        own = rows.iloc[begin:end]
        own.index = pd.RangeIndex(len(own))
        found[str(name)] = own
    return found


def project_page(status: Status, project: str, parts: Parts) -> Report:
    """Return the report of one project."""
    table, row = parts.rows[project]
    colour = str(table["rag"]) if pd.notna(table["rag"]) else "not known"
    facts = [Fact("Colour", colour, alarm=colour == "red"), *_numbers(row, table)]
    sections = list(curve_sections(status, project, row))
    if (ranges := parts.ranges.get(project)) is not None:
        sections.append(Section(BY_METHOD, table=ranges))
    if (stones := parts.stones.get(project)) is not None:
        sections += _milestones(status.as_of, stones, parts.trends.get(project))
    seen = parts.history.get(project)
    sections.append(Section("Reports so far", table=seen, rows=MOST_ROWS))
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
        sections=sections,
        sortable=True,
        back=("../report.html", TITLE),
    )


def _milestones(
    as_of: pd.Timestamp, stones: pd.DataFrame, trend: pd.DataFrame | None
) -> Iterator[Section]:
    """Give the milestones of a project, and how they have moved."""
    yield Section("Milestones", table=stones, rows=MOST_ROWS)
    if trend is None:
        return
    trend = trend[trend.index <= as_of]
    promised = stones["baseline"].to_numpy("datetime64[s]")
    first_of = dict(zip(stones["milestone"], promised, strict=True))
    blank = np.datetime64("NaT", "s")
    baseline = np.array([first_of.get(name, blank) for name in trend.columns])
    days = trend.to_numpy("datetime64[s]") - baseline.astype("datetime64[s]")
    late = days / np.timedelta64(1, "D")
    known = ~np.isnan(late).all(axis=0)
    names = [str(name) for name in trend.columns[known]]
    late = np.floor(late[:, known])
    if len(late) < 2 or not names:
        return
    first = max(len(names) - _MOST_LINES, 0)
    moved = {"day": trend.index} | {
        name: pd.array(late[:, k], dtype="Int64") for k, name in enumerate(names)
    }
    yield Section(
        "Milestone trend",
        "Days by which each milestone was expected after its baseline, as it was seen.",
        chart=Chart(
            "line",
            [f"{day:%Y-%m-%d}" for day in trend.index],
            {name: late[:, k].tolist() for k, name in enumerate(names) if k >= first},
            "days late",
        ),
        table=pd.DataFrame(moved),
        rows=MOST_ROWS,
        note="A flat line is a promise that is kept; one that climbs slips."
        + (f" The chart has the last {_MOST_LINES} milestones." if first else ""),
    )


def _numbers(row: Known, table: Known) -> list[Fact]:
    facts = []
    for column, label in (("cpi", "CPI"), ("spi_t", "SPI(t)")):
        if pd.notna(table[column]):
            value = float(table[column])
            facts.append(Fact(label, f"{value:.2f}", alarm=value < _LOW))
    if pd.notna(table["eac"]) and pd.notna(row["bac"]):
        over = f"budget {row['bac']:,.0f}"
        more = bool(table["eac"] > (1 + _OVER) * row["bac"])
        facts.append(Fact("Expected cost", f"{table['eac']:,.0f}", over, alarm=more))
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
