"""The command line: every command is a thin layer over the public verbs.

Results go to stdout, everything else to stderr. Exit codes: 0 fine, 1 unexpected,
2 usage, 3 bad data or configuration, 4 infeasible or a plan that breaks rules, 5 some
scenarios or questions were not solved, 6 no plan in time, or stopped without a result.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Sequence

from pmo_analytics.cli.streams import Guarded, fill_handles, guarded_streams
from pmo_analytics.processes import stopped_like_ctrl_c

__all__ = ["main", "run"]

_UNEXPECTED, _NO_PLAN = 1, 6


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code.

    Parameters
    ----------
    arguments
        Words after the program's name; None = those of the process.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    with guarded_streams() as out:
        code = _answered(words, out)
        out.flush()
        if out.error is None or out.error.errno in (errno.EPIPE, errno.EBADF):
            return code  # nobody wants to read it
        sys.stderr.write(
            "The answer could not be written to standard output: "
            f"{out.error.strerror}.\n"
        )
        return code or _UNEXPECTED


def _answered(words: list[str], out: Guarded) -> int:
    try:
        with stopped_like_ctrl_c():
            # Loading takes a while, in which a stop may come too.
            from pmo_analytics.cli.commands import run_words

            return run_words(words)
    except KeyboardInterrupt:
        if "--json" in words and not out.written:
            sys.stdout.write(
                '{"status": "no_solution", "error": "Stopped before it began.", '
                '"stopped": true}\n'
            )
        sys.stderr.write("Stopped before it began.\n")
        return _NO_PLAN


def run() -> None:
    """Entry point of the `pmo` command."""
    fill_handles()
    try:
        code = main()
    except Exception as error:
        if os.environ.get("PMO_TRACEBACK"):
            raise
        code = _UNEXPECTED
        with guarded_streams():
            sys.stderr.write(
                f"Unexpected: {type(error).__name__}: {error}\nThis is a fault of the "
                "program. PMO_TRACEBACK=1 in front of the same command shows where; "
                "please report it with that.\n"
            )
    # What comes now is the end of the interpreter: the exit code stands.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(code)
