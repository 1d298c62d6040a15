"""The application with all its commands."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from pmo_analytics.cli import (
    batches,
    data,
    explanations,
    forecasts,
    plans,
    records,
    simulations,
    what_if,
)
from pmo_analytics.cli.command import OK, app

__all__ = [
    "app",
    "batches",
    "data",
    "explanations",
    "forecasts",
    "plans",
    "records",
    "simulations",
    "what_if",
]


@app.callback(invoke_without_command=True)
def _main(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and stop.")
    ] = False,
) -> None:
    if version:
        from pmo_analytics import __version__

        sys.stdout.write(f"pmo_analytics {__version__}\n")
        raise typer.Exit(OK)
