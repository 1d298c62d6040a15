"""The command line: every command is a thin layer over the public verbs.

Results go to stdout, everything else to stderr. Exit codes: 0 fine, 1 unexpected,
2 usage, 3 bad data or configuration, 4 infeasible or a plan that breaks rules, 5 some
scenarios failed, 6 no plan in time.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
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
from pmo_analytics.cli.command import NO_PLAN, OK, app
from pmo_analytics.processes import stopped_like_ctrl_c
from pmo_analytics.terminal import escaped, messages, print_json

__all__ = [
    "app",
    "batches",
    "data",
    "explanations",
    "forecasts",
    "main",
    "plans",
    "records",
    "run",
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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code.

    Parameters
    ----------
    arguments
        Words after the program's name; None = those of the process.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        with stopped_like_ctrl_c():
            code = app(args=words, prog_name="pmo", standalone_mode=False)
    except typer.TyperException as error:
        if "--json" in words:
            print_json({"status": "failed", "error": error.format_message()})
        messages().print(escaped(f"Error: {error.format_message()}"), style="red")
        messages().print("See --help for the commands and their options.")
        return error.exit_code
    except typer.Exit as error:
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return NO_PLAN
    except Exception as error:  # the last resort of a command line
        if "--json" in words:
            print_json(
                {"status": "failed", "error": f"{type(error).__name__}: {error}"}
            )
        raise
    return int(code or OK)


def run() -> None:
    """Entry point of the `pmo` command."""
    sys.exit(main())
