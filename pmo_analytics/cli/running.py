"""One call of the command line: words in, exit code out, whatever happens."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from pmo_analytics.cli.command import OK
from pmo_analytics.cli.commands import app
from pmo_analytics.cli.terminal import escaped, messages, print_json


def run_words(words: Sequence[str]) -> int:
    """Run the command that the words name and return the exit code."""
    try:
        code = app(args=list(words), prog_name="pmo", standalone_mode=False)
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
