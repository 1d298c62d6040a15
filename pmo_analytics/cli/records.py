"""The plan of record: read, promoted, verified."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from pmo_analytics.cli.command import OK, app, command, print_answer
from pmo_analytics.cli.options import JsonOption
from pmo_analytics.cli.results import say_files, say_unfinished
from pmo_analytics.cli.terminal import escaped, messages, output
from pmo_analytics.errors import ConfigError
from pmo_analytics.files import read_json


def record_terms(path: Path | None, **terms: float) -> dict[str, Any]:
    """Return the freeze and prices of a plan of record; refused where there is none."""
    if path is None and any(terms.values()):
        raise typer.BadParameter("--freeze and prices need --record.")
    return terms


def known_record(portfolio: Any, path: Path | None, terms: Mapping[str, Any]) -> Any:
    """Return the plan of record with its freeze and prices; None where none is given.

    Projects that are gone are named, and left out.
    """
    if path is None:
        return None
    from pmo_analytics.loaders import read_schedule
    from pmo_analytics.reporting import read_record
    from pmo_analytics.rules import Record

    rows = read_record(path) if path.is_dir() else read_schedule(path)
    gone = ~rows["project"].isin(portfolio.projects["project"])
    if gone.any():
        names = ", ".join(map(str, rows.loc[gone, "project"]))
        messages().print(
            escaped(f"No longer in the portfolio, and left out of the record: {names}.")
        )
    return Record(rows[~gone], **terms)


@app.command()
@command(("status", "as_of", "files"))
def promote(
    schedule: Annotated[Path, typer.Argument(help="schedule.csv of a plan.")],
    to: Annotated[Path, typer.Option("--to", help="Folder of the plan of record.")],
    as_of: Annotated[str, typer.Option("--as-of", help="In force from, 2027-03-31.")],
    who: Annotated[str, typer.Option(help="Who decided.")] = "",
    why: Annotated[str, typer.Option(help="Why.")] = "",
    json_output: JsonOption = False,
) -> int:
    """Make a plan the plan of record; earlier ones stay in its history."""
    from pmo_analytics.loaders import read_schedule
    from pmo_analytics.reporting import save_record

    say_unfinished(schedule.parent)
    rows = read_schedule(schedule)
    manifest = schedule.with_name("manifest.json")
    facts: dict[str, Any] = {}
    if manifest.is_file():
        try:
            made = read_json(manifest)
            names = ("portfolio", "portfolio_digest", "made_at")
            facts = {name: made[name] for name in names if name in made}
            report = made.get("report") or {}
            facts |= {n: report[n] for n in ("objective", "gap") if n in report}
            facts = {n: v for n, v in facts.items() if isinstance(v, (str, float, int))}
        except (ConfigError, AttributeError) as error:
            raise ConfigError(
                f"The manifest beside {schedule.name} cannot be read: {error}."
            ) from error
    file = save_record(rows, to, as_of=as_of, who=who, why=why, facts=facts)
    files = [file, file.with_name("manifest.json")]
    if json_output:
        written = [str(f) for f in files]
        print_answer({"status": "ok", "as_of": as_of, "files": written})
    else:
        output().print(escaped(f"{len(rows)} projects are the plan of record in {to}."))
        say_files(files)
    return OK
