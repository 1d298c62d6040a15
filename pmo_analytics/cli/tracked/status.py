"""How the projects are doing: status."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import pandas as pd
import typer

from pmo_analytics.cli.command import (
    OK,
    app,
    command,
    list_warnings,
    print_answer,
    usage,
)
from pmo_analytics.cli.options import (
    JsonOption,
    OutOption,
    PathArgument,
    UncertaintyOption,
)
from pmo_analytics.cli.results import say_files
from pmo_analytics.cli.terminal import (
    escaped,
    messages,
    output,
    plain,
    records,
    show_paragraph,
)
from pmo_analytics.clock import format_period
from pmo_analytics.errors import (
    ConfigError,
    DataError,
    has_errors,
    listing,
    say_warnings,
)

if TYPE_CHECKING:
    from rich.console import Console

    from pmo_analytics.tracking import Status

STATUS_KEYS = (
    *("status", "as_of", "projects", "milestones", "changes", "left_out"),
    *("ranges", "record", "sprints", "benefits", "benefits_by_period"),
)
# What one screen holds: projects with their reasons, changes, notes.
_MOST_PROJECTS, _MOST_CHANGES, _MOST_NOTES, _MOST_SPRINTS = 6, 5, 3, 4
_LIKELY = 0.5
# Methods that stand beside the others where they are asked for.
_ASKED, _MOST_ENDS = ("sprints", "simulation"), 6
# What is said of ends that were asked for by name is not cut.
_BY_SPRINTS, _OF_THE_DAY = "By sprints, ", "The day is "
_WIDTH = 80
_WORST_FIRST = {"red": 0, "amber": 1, "green": 3}
_STYLES = {"red": "bold red", "amber": "bold yellow", "green": "bold green"}


LeftOption = Annotated[
    list[str] | None,
    typer.Option("--left", help="PROJECT=POINTS left to do: finish by its sprints."),
]
TeamOption = Annotated[
    list[str] | None,
    typer.Option("--team", help="PROJECT=TEAM whose sprints count for --left."),
]


@app.command()
@command(STATUS_KEYS)
def status(
    path: PathArgument,
    as_of: Annotated[
        str,
        typer.Option("--as-of", help="Last day that is known; default the newest."),
    ] = "",
    since: Annotated[
        str,
        typer.Option(help="Say what changed since a day, or since an earlier copy."),
    ] = "",
    rules: Annotated[
        Path | None,
        typer.Option(help="TOML file of thresholds: a table an indicator, amber, red."),
    ] = None,
    earned: Annotated[
        str,
        typer.Option(help="Earned value by percent, 0/100, 50/50 or milestones."),
    ] = "percent",
    unit: Annotated[str, typer.Option(help="In money or in hours.")] = "money",
    left: LeftOption = None,
    team: TeamOption = None,
    uncertainty: UncertaintyOption = None,
    out: OutOption = None,
    json_output: JsonOption = False,
) -> int:
    """Say how the projects are doing, what is wrong and why, on one screen."""
    found, _ = read_status(
        path,
        as_of=as_of,
        since=since,
        rules=rules,
        earned=earned,
        unit=unit,
        uncertainty=uncertainty,
        **work_left(left, team),
    )
    files = [] if out is None else _write(found, out)
    if json_output:
        print_answer(_facts(found, since, files))
    else:
        console = output()
        console.width = min(console.width, _WIDTH)
        _show(found, since, console)
        say_files(files)
    return OK


def read_status(
    path: Path, *, as_of: str, since: str, **options: Any
) -> tuple[Status, pd.DataFrame]:
    """Return the status of a path, and the warnings of its data.

    On stderr, how much it warns of.

    Raises
    ------
    DataError
        If the data has errors that no status can do without.
    """
    from pmo_analytics.loaders import load_portfolio, loaded_problems
    from pmo_analytics.tracking import read_day
    from pmo_analytics.tracking import status as status_of

    before: Any = since or None
    earlier = Path(since).expanduser()
    if since and earlier.exists():
        before, since = load_portfolio(earlier), ""
    for option, day in (("--as-of", as_of), ("--since", since)):
        with usage(option):
            if day:
                read_day(day)
    portfolio = load_portfolio(path)
    problems = loaded_problems(portfolio)
    warnings = problems[problems["severity"] != "error"]
    list_warnings(warnings)
    try:
        found = status_of(portfolio, as_of=as_of or None, since=before, **options)
    except DataError as error:
        # The same without what merely follows from a table that could not be read.
        raise (DataError(problems) if has_errors(problems) else error) from None
    if line := say_warnings(warnings, path):
        messages().print(escaped(line), style="yellow")
    return found, warnings


def work_left(left: list[str] | None, team: list[str] | None) -> dict[str, Any]:
    """Return what is left of projects, and their teams, as `status` takes them."""
    with usage("--left"):
        amounts = {name: _amount(text) for name, text in _pairs(left)}
    with usage("--team"):
        return {"left": amounts, "teams": dict(_pairs(team))}


def _pairs(given: list[str] | None) -> Iterator[tuple[str, str]]:
    seen = set()
    for pair in given or []:
        name, sign, text = (part.strip() for part in pair.rpartition("="))
        if not (name and sign and text):
            raise ConfigError(f"'{pair}': write PROJECT=..., such as CRM=120.")
        if name in seen:
            raise ConfigError(f"{name} is there twice.")
        seen.add(name)
        yield name, text


def _amount(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise ConfigError(f"'{text}' is no number: write CRM=120.") from error


def _facts(found: Status, since: str, files: list[Path]) -> dict[str, Any]:
    table = _rows(found)
    return {
        "status": "ok",
        "portfolio": found.portfolio.name,
        "as_of": f"{found.as_of:%Y-%m-%d}",
        "since": since or None,
        "projects": plain(records(table)),
        "summary": plain(found.summary().to_dict()),
        "programs": plain(records(_dated(found.by("program").reset_index()))),
        "milestones": plain(records(_dated(found.milestones))),
        "changes": plain(records(found.changes)) if found.changes is not None else [],
        "left_out": records(found.left_out),
        "ranges": plain(records(_dated(found.ranges))),
        "record": plain(records(_dated(found.record.reset_index()))),
        "sprints": plain(records(_dated(found.sprints))),
        **_benefits(found),
        "notes": list(found.notes),
        "files": [str(file) for file in files],
    }


def _benefits(found: Status) -> dict[str, Any]:
    """Return the benefits as keys of the JSON line: so far, and period by period."""
    from pmo_analytics.tracking import benefits_by_period, benefits_so_far

    so_far = benefits_so_far(found)
    table = benefits_by_period(found)
    rows = table.reindex(columns=["planned", "expected", "actual"]).astype(float)
    rows.insert(0, "period", [format_period(p) for p in table.index])
    return {
        "benefits": None if so_far is None else plain(so_far.to_dict()),
        "benefits_by_period": plain(records(rows)),
    }


def _rows(found: Status) -> pd.DataFrame:
    """Return the table of projects with what a reader needs beside it."""
    more = ["name", "program", "manager", "percent_complete", "reported", "comment"]
    more += ["pv", "ev", "ac", "bac", "finish", "baseline_finish"]
    more += ["planned_finish", "deadline"]
    more += ["next_milestone", "next_due", "slip_days", "notes"]
    return _dated(found.table.join(found.indicators[more]).reset_index())


def _dated(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose days are texts."""
    days = {
        name: frame[name].dt.strftime("%Y-%m-%d")
        for name in frame
        if frame[name].dtype.kind == "M"
    }
    frame = frame.assign(**days)
    return frame.astype(object).where(frame.notna(), None)


def _write(found: Status, out: Path) -> list[Path]:
    from pmo_analytics.reporting import manifest, write_result

    rows = _rows(found).drop(columns="notes")
    history = found.history.drop(columns="notes")
    tables = {
        "status.csv": rows,
        "programs.csv": found.by("program").reset_index(),
        "milestones.csv": _dated(found.milestones),
        "status_history.csv": _dated(history),
        "ranges.csv": _dated(found.ranges),
        "sprints.csv": _dated(found.sprints),
    }
    tables = {name: table for name, table in tables.items() if len(table.columns)}
    if found.changes is not None:
        tables["changes.csv"] = found.changes
    benefits = _benefits(found)["benefits_by_period"]
    if benefits:
        tables["benefits.csv"] = pd.DataFrame(benefits)
    facts = manifest(found.portfolio, command="status")
    facts |= {"as_of": f"{found.as_of:%Y-%m-%d}", "notes": list(found.notes)}
    return list(write_result(out, tables=tables, facts=facts))


# -------------------------------------------------------------------------- the screen


def _show(found: Status, since: str, console: Console) -> None:
    for line in _headlines(found):
        show_paragraph(line, console)
    rows = found.indicators.assign(
        order=[_WORST_FIRST.get(str(c), 2) for c in found.indicators["rag"]]
    ).sort_values(["order", "bac"], ascending=[True, False], kind="stable")
    wrong = rows[rows["rag"].isin(["red", "amber"])]
    for project, row in wrong.head(_MOST_PROJECTS).iterrows():
        _show_project(str(project), row, console)
    more = wrong.index[_MOST_PROJECTS:]
    console.print()
    if len(more):
        show_paragraph(f"{len(more)} more red or amber: {listing(more, 8)}", console)
    green = rows.index[rows["rag"] == "green"]
    if len(green):
        show_paragraph(f"Green: {listing(green, 8)}", console)
    for line in _unknown(rows[rows["rag"].isna()]):
        show_paragraph(line, console)
    for line in (*_sprints(found), *_changes(found, since)):
        show_paragraph(line, console)
    for line in _lacking(found):
        show_paragraph(line, console)


def _headlines(found: Status) -> Iterator[str]:
    facts, sums = found.summary(), found.by("program").loc["all"]
    name = found.portfolio.name or "Portfolio"
    yield f"{name}: status of {found.as_of:%Y-%m-%d}"
    if found.table.empty:
        states = found.portfolio.projects["status"].value_counts()
        others = ", ".join(f"{count} {state}" for state, count in states.items())
        yield f"No project is in progress: {others or 'there are none'}."
        return
    counts = [f"{facts['  ' + c]} {c}" for c in ("red", "amber", "green")]
    if facts["  nothing known"]:
        counts.append(f"{facts['  nothing known']} not known")
    pace = [
        f"{label} {sums[column]:.2f}"
        for label, column in (("CPI", "cpi"), ("SPI(t)", "spi_t"))
        if pd.notna(sums[column])
    ]
    yield f"{len(found.table)} running: {', '.join([*counts, *pace])}"
    apart = int(sums["not_counted"])
    without = f" (without {apart} not known)" if apart else ""
    if pd.notna(sums["eac"]):
        more = 100 * (sums["eac"] / sums["bac"] - 1)
        yield (
            f"Budget {_short(sums['bac'])} {found.unit_name}, spent "
            f"{_short(sums['ac'])}, expected {_short(sums['eac'])} ({more:+.0f} %)"
            f"{without}"
        )
    elif pd.notna(sums["bac"]):
        spent = "not known" if pd.isna(sums["ac"]) else _short(sums["ac"])
        yield f"Budget {_short(sums['bac'])} {found.unit_name}, spent {spent}{without}"
    late = int((found.milestones["state"] == "overdue").sum())
    if len(found.milestones):
        yield f"Milestones: {facts['milestones in time']} in time, {late} overdue"
    yield from _came_in(found)


def _came_in(found: Status) -> Iterator[str]:
    """Say what benefits came in of those promised by the day, where any were."""
    from pmo_analytics.tracking import benefits_so_far

    known = benefits_so_far(found)
    if known is None:
        return
    unit = found.portfolio.settings.currency or "of money"
    planned, actual = float(known["planned"]), float(known["actual"])
    promised = f"{_short(planned)} promised by {found.as_of:%Y-%m-%d}"
    if actual == actual:
        share = f" ({actual / planned:.0%})".replace("%", " %") if planned > 0 else ""
        yield f"Benefits: {_short(actual)} {unit} came in of {promised}{share}"
    elif planned > 0:
        yield (
            f"Benefits: {_short(planned)} {unit} promised by "
            f"{found.as_of:%Y-%m-%d}; none is recorded that came in"
        )


def _short(amount: float) -> str:
    for size, unit in ((1e9, "bn"), (1e6, "m"), (1e3, "k")):
        if abs(amount) >= size:
            return f"{amount / size:,.2f}{unit}"
    return f"{amount:,.0f}"


def _show_project(project: str, row: pd.Series[Any], console: Console) -> None:
    from rich.cells import cell_len, set_cell_size
    from rich.text import Text

    name = "" if pd.isna(row["name"]) else f" {row['name']}"
    said = []
    if pd.notna(row["reported"]) and row["reported"] != row["rag"]:
        said.append(f"said {row['reported']}")
    if pd.notna(row["age_days"]) and row["age_days"] > 0:
        said.append(f"{row['age_days']:.0f} days old")
    told = ", ".join(said)
    room = console.width - 7 - (len(told) + 2 if told else 0)
    title = f"{project}{name}"
    if cell_len(title) > room:
        title = set_cell_size(title, room - 1).rstrip() + "…"
    console.print()
    line = Text(f"{str(row['rag']).upper():<7}", style=_STYLES[row["rag"]])
    line.append(title, style="bold")
    if told:
        line.append(" " * (console.width - line.cell_len - len(told)) + told)
    console.print(line, soft_wrap=True)
    show_paragraph(str(row["reason"]), console, indent=7)
    facts = []
    if pd.notna(row["percent_complete"]):
        facts.append(f"{row['percent_complete']:.0f} % done")
    ends = []
    if pd.notna(row["planned_finish"]):
        ends.append(f"planned end {row['planned_finish']:%Y-%m-%d}")
    if pd.notna(row["finish_p50"]) and pd.notna(row["finish_p80"]):
        late = f"p80 {row['finish_p80']:%Y-%m-%d}"
        ends.append(f"expected {row['finish_p50']:%Y-%m-%d} ({late})")
    elif pd.notna(row["finish"]):
        ends.append(f"expected {row['finish']:%Y-%m-%d}")
    if ends:
        facts.append(", ".join(ends))
    if pd.notna(row["next_due"]):
        facts.append(f"next {row['next_milestone']} {row['next_due']:%Y-%m-%d}")
    if pd.notna(row["manager"]):
        facts.append(str(row["manager"]))
    show_paragraph("; ".join(facts), console, indent=7)


def _unknown(rows: pd.DataFrame) -> Iterator[str]:
    """Say which projects have no colour, those with one reason together."""
    begins = rows["reason"].str.startswith("begins")
    worst = rows["reported"].map(_WORST_FIRST).fillna(4).argsort(kind="stable")
    silent = rows.iloc[worst]
    silent = silent[~silent["reason"].str.startswith("begins")]
    for reason, own in silent.groupby("reason", sort=False):
        why = str(reason).removeprefix("nothing is known: ")
        yield f"Not known ({why}): {listing(own.index, 4)}"
    if begins.any():
        later = rows[begins].sort_values("reason", kind="stable")
        first = later.iloc[0]
        yield (f"Not begun: {listing(later.index, 4)}; the next one {first['reason']}")


def _sprints(found: Status) -> Iterator[str]:
    """Say how running sprints go, and ends by sprints beside those of other methods."""
    if len(found.sprints):
        worst = found.sprints.sort_values("p_short", ascending=False, kind="stable")
        worst = worst[worst["p_short"] >= _LIKELY]
        said = [
            f"{_sprint_name(row)} {100 * row.p_short:.0f} %"
            for row in worst.head(_MOST_SPRINTS).itertuples()
        ]
        more = len(worst) - len(said)
        rest = f"; {more} more" if more else ""
        if said:
            yield f"Sprints likely to fall short: {'; '.join(said)}{rest}"
    ends = found.ranges.dropna(subset=["finish_p50"])
    for project in ends.loc[ends["method"].isin(_ASKED), "project"].unique()[
        :_MOST_ENDS
    ]:
        said = [
            f"{str(row.method).replace('_', ' ')} {row.finish_p50:%Y-%m-%d} (p80 "
            f"{row.finish_p80:%Y-%m-%d})"
            for row in ends[ends["project"] == project].itertuples()
        ]
        yield f"Finish of {project} by {'; '.join(said)}"
    yield from (text for text in found.notes if text.startswith(_BY_SPRINTS))


def _sprint_name(row: Any) -> str:
    """Return a sprint with its team, which its name says already often."""
    own = str(row.sprint).casefold().startswith(str(row.team).casefold())
    return str(row.sprint) if own else f"{row.sprint} of {row.team}"


def _changes(found: Status, since: str) -> Iterator[str]:
    if found.changes is None:
        return
    changes = found.changes
    yield ""
    if changes.empty:
        yield f"Nothing changed since {since}."
        return
    worse = int(changes["worse"].eq(True).sum())
    count = f"{len(changes)} change{'' if len(changes) == 1 else 's'}"
    yield f"Since {since}: {count}, {worse} of them for the worse"
    for text in changes["text"].head(_MOST_CHANGES):
        yield f"- {text}"
    # Of a day the tables of today are read, which tell no edits of their own.
    hint = "" if Path(since).exists() else "; edits of projects: --since COPY"
    if len(changes) > _MOST_CHANGES:
        yield f"- and {len(changes) - _MOST_CHANGES} more (--json lists all){hint}"


def _lacking(found: Status) -> Iterator[str]:
    """Say what could not be worked out, and which rows could not be used."""
    told: dict[str, list[str]] = {}
    for project, notes in found.indicators["notes"].items():
        if str(found.indicators.at[project, "reason"]).startswith("begins"):
            continue
        for note in notes:
            # Notes that differ in a number alone are one.
            text = re.sub(r"^[\d,]+ ", "", str(note))
            told.setdefault(text, []).append(str(project))
    lines = [
        f"{text[:1].upper()}{text[1:]} ({listing(names, 4)})"
        for text, names in told.items()
    ]
    lines += [note for note in found.notes if not note.startswith(_BY_SPRINTS)]
    lines.sort(key=lambda line: not line.startswith(_OF_THE_DAY))
    if len(found.left_out):
        first = found.left_out.iloc[0]
        where = f"{first['table']} row {first['row']}, {first['column']}"
        given = str(first["found"]).strip() or "blank"
        lines.insert(
            0,
            f"Rows that could not be used: {len(found.left_out)}; {where} is "
            f"{given}. {first['fix']} See pmo check.",
        )
    if lines:
        yield ""
    yield from lines[:_MOST_NOTES]
    if len(lines) > _MOST_NOTES:
        yield f"And {len(lines) - _MOST_NOTES} more notes; --json lists them."
