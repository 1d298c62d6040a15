"""The nightly run: batch."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from pmo_analytics.cli.command import (
    OK,
    SOME_FAILED,
    app,
    command,
    list_warnings,
    print_answer,
    usage,
)
from pmo_analytics.cli.options import JsonOption
from pmo_analytics.cli.results import say_files
from pmo_analytics.cli.terminal import escaped, output, show_facts

BATCH_KEYS = ("status", "as_of", "folder", "objective", "gap", "files")


@app.command()
@command(BATCH_KEYS)
def batch(
    config: Annotated[Path, typer.Argument(help="TOML file; see data/batch.toml.")],
    as_of: Annotated[str, typer.Option("--as-of", help="Last day known, 2027-03-31.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of the runs.")],
    json_output: JsonOption = False,
) -> int:
    """Check, forecast, plan and report for one date, as a scheduler does nightly."""
    from pmo_analytics.batch import read_day, run_batch

    with usage("--as-of"):
        read_day(as_of)
    with _logged():
        run = run_batch(config, as_of=as_of, out=out)
    list_warnings(run.portfolio.problems)
    report = None if run.plan is None else run.plan.report
    if json_output:
        print_answer(
            {
                "status": "feasible" if run.stopped else "ok",
                "as_of": as_of,
                "folder": str(run.folder),
                "objective": None if report is None else report.objective,
                "gap": None if report is None else report.gap,
                "accuracy_rows": len(run.accuracy),
                "files": [str(file) for file in run.files],
            }
        )
        return SOME_FAILED if run.stopped else OK
    console = output()
    if run.plan is not None:
        show_facts(run.plan.summary(), console)
    console.print(escaped(f"Report: {run.folder / 'report.html'}"))
    say_files(run.files)
    return SOME_FAILED if run.stopped else OK


@contextmanager
def _logged() -> Iterator[None]:
    """Write what the package logs to stderr, with the time."""
    log = logging.getLogger("pmo_analytics")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    former = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    except Exception as error:
        log.error("%s", str(error).splitlines()[0])
        raise
    finally:
        log.removeHandler(handler)
        log.setLevel(former)
