"""The command line: every command is a thin layer over the public verbs.

Results go to stdout, everything else to stderr. Exit codes: 0 fine, 1 unexpected,
2 usage, 3 bad data or configuration, 4 infeasible or a plan that breaks rules, 5 some
scenarios or questions were not solved, 6 no plan in time, or stopped without a result.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from pmo_analytics.processes import stopped_like_ctrl_c

__all__ = ["main", "run"]

_NO_PLAN = 6


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
            # Loading takes a while, in which a stop may come too.
            from pmo_analytics.cli.running import run_words

            return run_words(words)
    except KeyboardInterrupt:
        if "--json" in words:
            sys.stdout.write(
                '{"status": "no_solution", "error": "Stopped before it began.", '
                '"stopped": true}\n'
            )
        sys.stderr.write("Stopped before it began.\n")
        return _NO_PLAN


def run() -> None:
    """Entry point of the `pmo` command."""
    sys.exit(main())
