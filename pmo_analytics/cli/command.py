"""What every command shares: the application, reading, errors and exit codes."""

from __future__ import annotations

import contextlib
import functools
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from pmo_analytics.cli.terminal import escaped, messages, print_json, records
from pmo_analytics.errors import (
    ConfigError,
    DataError,
    InfeasibleError,
    PmoError,
    PmoWarning,
    SolverError,
    say_warnings,
)
from pmo_analytics.files import JOB, clear_drafts
from pmo_analytics.processes import stop_asked, stoppable
from pmo_analytics.reporting import data_facts, try_folder

if TYPE_CHECKING:
    import pandas as pd

    from pmo_analytics.portfolio import Portfolio

OK, UNEXPECTED, USAGE, BAD_DATA, INFEASIBLE, SOME_FAILED, NO_PLAN = range(7)

# Of `pmo --help`; a blank line makes a new one.
EXIT_CODES = """Exit codes:

0 fine (a gap is said, and so is a stop by Ctrl-C that left a plan)

1 something unexpected

2 wrong usage

3 bad data or configuration, or nothing can be written there

4 no plan keeps the rules, or a plan breaks them

5 some scenarios, levels or questions were not solved, or a nightly run was stopped

6 no plan in time, or stopped before there was a result
"""

app = typer.Typer(
    name="pmo",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=EXIT_CODES,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Portfolio analytics, capacity and proven portfolio plans for PMOs.",
)
# Reading so many seconds is not worth speaking of.
_SHORT = 1.0
# How long writing takes, in times of reading: of tables alone, and with charts, which
# have a number of rows and panels that a reader can follow, however large the data.
# Measured with 5,000 projects.
_TABLES, _WITH_CHARTS = 0.4, 2.2
# What a search has of the time of its command at least.
_SEARCH = 0.6
# Of the data that the command at work has read.
_warned: ContextVar[pd.DataFrame | None] = ContextVar("warned", default=None)


def read_data(path: Path) -> Portfolio:
    """Return the checked portfolio of a command; on stderr, how much it warns of.

    Raises
    ------
    DataError
        If the data has errors.
    """
    from pmo_analytics.loaders import read_portfolio

    portfolio = read_portfolio(path)
    list_warnings(portfolio.problems)
    if line := say_warnings(portfolio.problems, path):
        messages().print(escaped(line), style="yellow")
    return portfolio


def seconds_left(
    seconds: float, since: float, *, out: Path | None, charts: bool
) -> float:
    """Return what reading and writing leave of a command's time for its search.

    They count where reading takes longer than a second, and take 40 % at most. How
    long writing will take is told by how long reading took, on this machine and now.

    Parameters
    ----------
    seconds
        Of the whole command.
    since
        When it began, by `time.monotonic`.
    out
        Where files will be written, None = nowhere.
    charts
        Whether charts are among them.
    """
    read = time.monotonic() - since
    if read <= _SHORT:
        return seconds
    written = 0.0 if out is None else _WITH_CHARTS if charts else _TABLES
    return max(seconds - (1.0 + written) * read, _SEARCH * seconds)


def list_warnings(problems: pd.DataFrame) -> None:
    """Let the JSON line of the command list what its data warns of."""
    _warned.set(problems)


def print_answer(facts: Mapping[str, Any]) -> None:
    """Print the JSON line of a command, with what its data warns of."""
    said: dict[str, Any] = {}
    problems = _warned.get()
    if problems is not None:
        said = data_facts(problems)
    stopped = bool(facts.get("stopped")) or stop_asked()
    print_json({**facts, **said, **facts, "stopped": stopped})


_STOPPED = (
    "Stopped by Ctrl-C or a signal: this is what was found until then, not the end of "
    "the search."
)


def _failure(error: BaseException) -> tuple[int, dict[str, Any]]:
    """Return exit code and JSON facts of an error."""
    facts: dict[str, Any] = {"status": "failed", "error": str(error)}
    if isinstance(error, DataError):
        facts |= {"problems": records(error.problems)}
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
        facts |= {"status": "no_solution", "stopped": True}
        facts["error"] = "Stopped before there was a result; nothing was written."
        return NO_PLAN, facts
    return UNEXPECTED, facts


@contextlib.contextmanager
def usage(option: str) -> Iterator[None]:
    """Let what is refused in the block count as wrong usage of an option."""
    try:
        yield
    except ConfigError as error:
        raise typer.BadParameter(str(error), param_hint=option) from error


# Commands whose files no loader takes for data: they may stand among it.
_OWN_NAMES = ("forecast", "report")


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
            out = options.get("out")
            token = _warned.set(None)
            # Hundreds of megabytes each, of a run that was killed.
            with contextlib.suppress(OSError):
                clear_drafts(Path(tempfile.gettempdir()), JOB)
            try:
                with warnings.catch_warnings(), stoppable() as stop:
                    # Reading says what it changed; commands print it themselves.
                    warnings.simplefilter("ignore", PmoWarning)
                    if out is not None:
                        tables = function.__name__ not in _OWN_NAMES
                        try_folder(out, options.get("path"), tables=tables)
                    code = function(*args, **options)
                if stop.asked:
                    messages().print(_STOPPED, style="yellow")
            except (PmoError, KeyboardInterrupt, OSError) as error:
                code, facts = _failure(error)
                if as_json:
                    print_answer({**dict.fromkeys(keys), **facts})
                messages().print(escaped(facts["error"]), style="red")
            finally:
                _warned.reset(token)
            raise typer.Exit(code)

        return wrapped

    return decorate
