"""What every command shares: the application, its options, errors and exit codes."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from pmo_analytics.errors import (
    ConfigError,
    DataError,
    InfeasibleError,
    PmoError,
    PmoWarning,
    SolverError,
)
from pmo_analytics.terminal import escaped, messages, print_json, records

OK, UNEXPECTED, USAGE, BAD_DATA, INFEASIBLE, SOME_FAILED, NO_PLAN = range(7)

app = typer.Typer(
    name="pmo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Portfolio analytics, capacity and proven portfolio plans for PMOs.",
)
PathArgument = Annotated[
    Path, typer.Argument(help="Folder of CSV files with portfolio.toml, or a workbook.")
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print exactly one JSON line on stdout.")
]
OutOption = Annotated[
    Path | None, typer.Option("--out", help="Folder for the result files.")
]
StrictOption = Annotated[
    bool,
    typer.Option(help="Overloads of work that cannot be moved count as broken rules."),
]
SecondsOption = Annotated[
    float, typer.Option(min=0.1, max=1e6, help="Wall clock of the search.")
]
GapOption = Annotated[
    float, typer.Option(min=0.0, help="Stop at this gap, 0.01 = 1 %.")
]
WorkOption = Annotated[
    int | None,
    typer.Option(min=1, help="Stop after so many nodes, for equal answers."),
]
WorkersOption = Annotated[
    int | None, typer.Option(min=1, help="Local processes; default one per core.")
]
ClusterOption = Annotated[
    str, typer.Option(help="Address of a Dask scheduler, tcp://HOST:8786.")
]
SeedOption = Annotated[int, typer.Option(min=0, help="Seed of the search.")]
ChartsOption = Annotated[bool, typer.Option(help="Draw the charts.")]


def _failure(error: BaseException) -> tuple[int, dict[str, Any]]:
    """Return exit code and JSON facts of an error."""
    facts: dict[str, Any] = {"status": "failed", "error": str(error)}
    if isinstance(error, DataError):
        facts["problems"] = records(error.problems)
        return BAD_DATA, facts
    if isinstance(error, ConfigError):
        return BAD_DATA, facts
    if isinstance(error, InfeasibleError):
        facts["status"] = "infeasible"
        facts["conflicts"] = records(error.conflicts)
        return INFEASIBLE, facts
    if isinstance(error, SolverError):
        facts["status"] = error.status
        facts["attempts"] = error.attempts
        return (NO_PLAN if error.status == "no_solution" else UNEXPECTED), facts
    if isinstance(error, KeyboardInterrupt):
        facts["status"] = "no_solution"
        facts["error"] = "Interrupted before there was a result."
        return NO_PLAN, facts
    return UNEXPECTED, facts


def command(keys: Sequence[str] = ("status",)) -> Callable[..., Any]:
    """Make a command that turns errors into a message, JSON facts and an exit code.

    Parameters
    ----------
    keys
        Keys that the JSON line has on failures too, null where unknown.
    """

    def decorate(function: Callable[..., int]) -> Callable[..., None]:
        @functools.wraps(function)
        def wrapped(*args: Any, **options: Any) -> None:
            as_json = bool(options.get("json_output"))
            try:
                with warnings.catch_warnings():
                    # Reading says what it changed; commands print it themselves.
                    warnings.simplefilter("ignore", PmoWarning)
                    code = function(*args, **options)
            except (PmoError, KeyboardInterrupt, OSError) as error:
                code, facts = _failure(error)
                if as_json:
                    print_json({**dict.fromkeys(keys), **facts})
                messages().print(escaped(facts["error"]), style="red")
            raise typer.Exit(code)

        return wrapped

    return decorate
