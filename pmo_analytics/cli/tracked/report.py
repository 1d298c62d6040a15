"""The report of a portfolio: one page, one workbook, one set of slides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import pandas as pd
import typer

from pmo_analytics.cli.command import OK, app, command, print_answer
from pmo_analytics.cli.options import JsonOption, PathArgument, UncertaintyOption
from pmo_analytics.cli.results import say_files
from pmo_analytics.cli.terminal import escaped, messages
from pmo_analytics.cli.tracked.status import (
    LeftOption,
    TeamOption,
    read_status,
    work_left,
)
from pmo_analytics.errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from pmo_analytics.plan import Plan
    from pmo_analytics.portfolio import Portfolio
    from pmo_analytics.reporting import Report
    from pmo_analytics.tracking import Status

REPORT_KEYS = ("status", "as_of", "projects", "pages", "files", "not_written")
# Bars of a roadmap, and roles, that a page of paper shows.
_MOST_BARS, _MOST_ROLES, _MOST_PEOPLE = 60, 24, 30
_MOST_ON_SLIDE = 14
_NO_SLIDES = "report.pptx is not written: slides need python-pptx, the extra 'office'."
_OLD_SLIDES = "The one in the folder is of an earlier report: its numbers are old."


@app.command()
@command(REPORT_KEYS)
def report(
    path: PathArgument,
    out: Annotated[Path, typer.Option(help="Folder for the report.")],
    as_of: Annotated[
        str, typer.Option("--as-of", help="Last day that is known; default the newest.")
    ] = "",
    since: Annotated[
        str,
        typer.Option(help="Say what changed since a day, or since an earlier copy."),
    ] = "",
    schedule: Annotated[
        Path | None,
        typer.Option(help="The plan in force: schedule.csv of optimize or of yours."),
    ] = None,
    rules: Annotated[
        Path | None,
        typer.Option(help="TOML file of thresholds: a table an indicator, amber, red."),
    ] = None,
    template: Annotated[
        Path | None, typer.Option(help="Slides of yours whose look is used, .pptx.")
    ] = None,
    left: LeftOption = None,
    team: TeamOption = None,
    uncertainty: UncertaintyOption = None,
    json_output: JsonOption = False,
) -> int:
    """Write one report as HTML, xlsx and pptx, with the same numbers."""
    from pmo_analytics.reporting import manifest, try_folder

    slides = _slides_can_be_written()
    if template is not None and not slides:
        raise ConfigError(_NO_SLIDES)
    try_folder(out)
    work = work_left(left, team)
    found, problems = read_status(
        path, as_of=as_of, since=since, rules=rules, uncertainty=uncertainty, **work
    )
    portfolio = found.portfolio
    plan = None if schedule is None else _plan_in_force(portfolio, schedule)
    facts = manifest(portfolio, command="report")
    facts |= {"as_of": f"{found.as_of:%Y-%m-%d}", "notes": list(found.notes)}
    missing = [] if slides else [_NO_SLIDES]
    if missing and (out / "report.pptx").exists():
        missing = [f"{_NO_SLIDES} {_OLD_SLIDES}"]
    facts["not_written"] = missing
    files, pages = _write(found, plan, problems, facts, out, template, slides)
    for line in missing:
        messages().print(escaped(line), style="yellow")
    if json_output:
        print_answer(
            {
                "status": "ok",
                "as_of": facts["as_of"],
                "projects": len(found.table),
                "pages": pages,
                "files": [str(file) for file in files],
                "not_written": missing,
            }
        )
    else:
        say_files(files)
    return OK


def _slides_can_be_written() -> bool:
    # Only trying tells: a part that python-pptx needs itself may be what is missing.
    try:
        import_module("pptx")
    except ImportError:
        return False
    return True


def _plan_in_force(portfolio: Portfolio, schedule: Path) -> Plan:
    from pmo_analytics.reporting import read_plan

    return read_plan(portfolio, schedule)[0]


def _write(
    found: Status,
    plan: Plan | None,
    problems: pd.DataFrame,
    facts: Mapping[str, Any],
    out: Path,
    template: Path | None,
    slides: bool,
) -> tuple[list[Path], int]:
    """Write all files of a report, whole or not at all; how many pages there are."""
    from pmo_analytics.reporting import (
        drawn,
        status_report,
        write_page,
        write_result,
        write_slides,
        write_spreadsheet,
    )

    made = {
        "Made at": facts["made_at"],
        "Digest of the data": facts["portfolio_digest"],
    }
    with drawn(partial(_figures, found, plan)) as figures:
        whole, pages = status_report(
            found, plan=plan, figures=figures, problems=problems, facts=made
        )
        others: dict[str, Callable[[Path], None]] = {
            "report.html": partial(write_page, report=whole),
            "report.xlsx": partial(write_spreadsheet, report=whole),
        }
        if slides:
            others["report.pptx"] = partial(
                write_slides, report=whole, template=template
            )
        others |= {name: _page_writer(page) for name, page in pages.items()}
        files = write_result(out, tables={}, facts=facts, others=others)
    return list(files), len(pages) + 1


def _page_writer(page: Report) -> Callable[[Path], None]:
    from pmo_analytics.reporting import write_page

    return partial(write_page, report=page)


def _figures(found: Status, plan: Plan | None) -> dict[str, Figure]:
    """Draw what is a picture: roadmap, load and capacity, value and risk, bookings."""
    from pmo_analytics.plan import baseline
    from pmo_analytics.plotting import (
        figure_capacity,
        plot_bookings,
        plot_gantt,
        plot_status_roadmap,
        plot_value_risk,
    )
    from pmo_analytics.tracking import booked_shares, value_and_risk

    portfolio = found.portfolio
    shown = baseline(portfolio) if plan is None else plan
    figures: dict[str, Any] = {}
    if found.indicators[["start", "baseline_finish"]].notna().all(axis=1).any():
        figures["running"] = plot_status_roadmap(found, max_rows=_MOST_BARS).figure
        if len(found.table) > _MOST_ON_SLIDE:
            brief = plot_status_roadmap(found, max_rows=_MOST_ON_SLIDE).figure
            figures["running, slide"] = brief
    if 0 < len(shown.schedule) <= _MOST_BARS:
        figures["roadmap"] = plot_gantt(shown, color="theme").figure
    if 0 < len(shown.headroom.columns) <= _MOST_ROLES:
        figures["capacity"] = figure_capacity(shown)
    risks = value_and_risk(found)
    if risks[["value", "risk"]].notna().all(axis=1).any():
        money = portfolio.settings.currency
        figures["value_risk"] = plot_value_risk(risks, currency=money).figure
    shares = booked_shares(portfolio, found.as_of + pd.Timedelta(days=1))
    if len(shares):
        figures["bookings"] = plot_bookings(shares, max_people=_MOST_PEOPLE).figure
    return figures
