"""What the command line prints: tables and JSON on stdout, progress on stderr."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as RichTable

# Width of tables that go to a file or a pipe.
_WIDTH = 140


def output() -> Console:
    """Return the console of results."""
    return Console(width=None if sys.stdout.isatty() else _WIDTH, highlight=False)


def messages() -> Console:
    """Return the console of everything else."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def print_json(facts: Mapping[str, Any]) -> None:
    """Print exactly one line of JSON."""
    text = json.dumps(plain(facts), ensure_ascii=False, allow_nan=False)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def plain(value: Any) -> Any:
    """Return a value that JSON can hold: no NaN, no pandas types."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return None
    item = getattr(value, "item", None)
    return plain(item()) if callable(item) else str(value)


def records(frame: pd.DataFrame) -> list[dict[Any, Any]]:
    """Return the rows of a table as mappings."""
    return frame.to_dict("records")


def show_table(
    frame: pd.DataFrame, title: str, console: Console, most: int = 60
) -> None:
    """Print a frame as a table, cut after `most` rows with the count of the rest."""
    table = RichTable(
        title=title, title_justify="left", header_style="bold", box=SIMPLE_HEAD
    )
    for column in frame.columns:
        numeric = pd.api.types.is_numeric_dtype(frame[column])
        prose = column in ("fix", "message")
        table.add_column(
            str(column),
            justify="right" if numeric else "left",
            no_wrap=not prose,
            ratio=1 if prose else None,
        )
    for row in frame.head(most).itertuples(index=False):
        # Plain text: ids and names may look like the markup of the terminal.
        table.add_row(*(escaped(_cell(value)) for value in row))
    console.print(table)
    if len(frame) > most:
        console.print(f"... and {len(frame) - most} more rows")


def _cell(value: Any) -> str:
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return ""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.2f}"
    return str(value)


def escaped(text: str) -> str:
    """Return text that rich prints as it stands."""
    from rich.markup import escape

    return escape(text)


def lines(facts: pd.Series[Any]) -> str:
    """Return labels and values in two columns."""
    width = max(len(str(label)) for label in facts.index)
    return "\n".join(
        f"{label!s:<{width}}  {_grouped(value)}" for label, value in facts.items()
    )


def _grouped(value: Any) -> str:
    number = isinstance(value, float) and not isinstance(value, bool)
    return f"{value:,.2f}" if number else str(value)


class Watching:
    """Show incumbent, bound and gap on stderr while the block runs."""

    def __init__(self, *, minimised: bool = False) -> None:
        self.sign = -1.0 if minimised else 1.0
        self.console = messages()
        self.status: Any = None
        self.last: tuple[float | None, float | None] = (None, None)
        self.said = -10.0

    def __enter__(self) -> Callable[[Any], None]:
        if self.console.is_terminal:
            self.status = self.console.status("compiling the model")
            self.status.start()
        return self.show

    def __exit__(self, *_error: object) -> None:
        if self.status is not None:
            self.status.stop()

    def show(self, progress: Any) -> None:
        """Show one step of a search."""
        from pmo_analytics.plan import relative_gap

        parts = [f"{progress.seconds:6.1f} s", progress.stage]
        if progress.objective is not None:
            parts.append(f"objective {progress.objective:,.2f}")
        if progress.bound is not None:
            parts.append(f"bound {progress.bound:,.2f}")
        if progress.objective is not None and progress.bound is not None:
            signed = self.sign * progress.objective, self.sign * progress.bound
            parts.append(f"gap {relative_gap(*signed):.2%}")
        line = escaped("  ".join(parts))
        if self.status is not None:
            self.status.update(line)
        # In a log: a new plan at once, a new bound at most every five seconds.
        new_plan = progress.objective != self.last[0]
        new_bound = progress.bound != self.last[1]
        if new_plan or (new_bound and progress.seconds - self.said > 5.0):
            self.console.print(line)
            self.last = (progress.objective, progress.bound)
            self.said = progress.seconds
