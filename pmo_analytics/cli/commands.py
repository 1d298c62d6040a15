"""The application with all its commands, and one call of it: words in, code out."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from typing import Annotated, Any

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
from pmo_analytics.cli.terminal import escaped, messages, print_json
from pmo_analytics.cli.tracked import report, schedules, status

__all__ = [
    "app",
    "batches",
    "data",
    "explanations",
    "forecasts",
    "plans",
    "records",
    "report",
    "run_words",
    "schedules",
    "simulations",
    "status",
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


@cache
def _command() -> Any:
    """Return the commands with their options, read from the signatures once."""
    return typer.main.get_command(app)


def run_words(words: Sequence[str]) -> int:
    """Run the command that the words name and return the exit code."""
    try:
        code = _command()(args=list(words), prog_name="pmo", standalone_mode=False)
    except typer.TyperException as error:
        if "--json" in words:
            print_json({"status": "failed", "error": error.format_message()})
        messages().print(escaped(f"Error: {error.format_message()}"), style="red")
        messages().print("See --help for the commands and their options.")
        return error.exit_code
    except typer.Exit as error:
        return error.exit_code
    except typer.Abort:
        raise KeyboardInterrupt from None
    except Exception as error:  # the last resort of a command line
        if "--json" in words:
            print_json(
                {"status": "failed", "error": f"{type(error).__name__}: {error}"}
            )
        raise
    return int(code or OK)
