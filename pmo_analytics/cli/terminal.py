"""What the command line prints: tables and JSON on stdout, progress on stderr."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from pmo_analytics.errors import condensed
from pmo_analytics.facts import text_of_fact
from pmo_analytics.formats import NUMBERS, Kind, kind_of, label_of, text_of

# Width of what goes to a file or a pipe, where nothing else is asked for.
_WIDTH = 140
# Texts fold to this width, and prose, which is longer than that, to this one.
_LEAST_TEXT, _PROSE, _LEAST_PROSE = 14, 40, 24
# A table of problems is one where the advice has this width; else they are listed.
_READABLE, _MOST_PROBLEMS = 40, 200
# From here on numbers are shown without decimals.
_NO_CENTS = 1000


def output() -> Console:
    """Return the console of results, as wide as the screen or as COLUMNS says."""
    known = sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit()
    return Console(width=None if known else _WIDTH, highlight=False, emoji=False)


def messages() -> Console:
    """Return the console of everything else."""
    return Console(stderr=True, highlight=False, emoji=False, soft_wrap=True)


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
    """Print a frame as a table, cut after `most` rows with the count of the rest.

    Where the columns do not fit beside each other texts are folded, and where that
    does not do the rows become a list: nothing is left out for lack of room.
    """
    kinds = [kind_of(name, frame[name]) for name in frame.columns]
    head = [label_of(name) for name in frame.columns]
    cells = [
        [_text(cell, kind) for cell in frame[name].head(most)]
        for name, kind in zip(frame.columns, kinds, strict=True)
    ]
    rows = list(zip(*cells, strict=True))
    console.print(escaped(title), style="italic" if console.is_terminal else None)
    # Wide, else close together, else as a list.
    for left in (1, 0):
        room = console.width - 1 - (2 + left) * len(head)
        widths = _fitted(head, rows, kinds, room)
        if widths is not None:
            break
    if widths is None:
        _show_list(head, rows, console)
    else:
        table = RichTable(header_style="bold", box=SIMPLE_HEAD, padding=(0, 1, 0, left))
        for label, kind, width in zip(head, kinds, widths, strict=True):
            side: Any = "right" if kind in NUMBERS else "left"
            table.add_column(escaped(label), justify=side, width=width, overflow="fold")
        for row in rows:
            # Plain text: ids and names may look like the markup of the terminal.
            table.add_row(*map(escaped, row))
        console.print(table)
    more = len(frame) - most
    if more > 0:
        console.print(f"... and {more:,} more row{'' if more == 1 else 's'}")


def _text(cell: Any, kind: Kind) -> str:
    if kind == "number" and abs(cell) >= _NO_CENTS:
        return text_of(cell, "money")
    return text_of(cell, kind)


def _fitted(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    kinds: Sequence[Kind],
    room: int,
) -> list[int] | None:
    """Return a width for each column, None where they do not fit in any way.

    Headings fold between words. Texts fold too, but no cell becomes narrower than a
    reader can follow; numbers and periods stay on one line.
    """
    columns = list(zip(*rows, strict=True)) or [()] * len(head)
    natural, least = [], []
    for label, cells, kind in zip(head, columns, kinds, strict=True):
        words = max((cell_len(word) for word in label.split()), default=1)
        full = max(map(cell_len, cells), default=0)
        narrow = full
        if kind == "text":
            narrow = _LEAST_PROSE if full > _PROSE else min(full, _LEAST_TEXT)
        natural.append(max(cell_len(label), full, 1))
        least.append(max(words, narrow, 1))
    left = room - sum(least)
    if left < 0:
        return None
    widths = list(least)
    while left > 0 and widths != natural:
        lacking = [k for k, width in enumerate(widths) if width < natural[k]]
        share = max(left // len(lacking), 1)
        for k in lacking:
            more = min(share, natural[k] - widths[k], left)
            widths[k] += more
            left -= more
    return widths


def _show_list(
    head: Sequence[str], rows: Sequence[Sequence[str]], console: Console
) -> None:
    """Print rows below each other: what each is of, then the rest of its cells."""
    for row in rows:
        console.print()
        show_paragraph(f"{head[0]} {row[0]}", console, style="bold")
        line = ""
        for label, text in zip(head[1:], row[1:], strict=True):
            cell = f"{label}: {text}"
            if text and line and cell_len(line) + cell_len(cell) + 5 > console.width:
                show_paragraph(f"{line};", console, indent=2)
                line = ""
            if text:
                line = f"{line}; {cell}" if line else cell
        show_paragraph(line, console, indent=2)
    console.print()


def show_paragraph(
    text: str, console: Console, *, indent: int = 0, style: str = ""
) -> None:
    """Print text as it stands, folded at the width, each line indented."""
    words = Text(text, style=style, overflow="fold")
    for line in words.wrap(console, max(console.width - indent, 10)):
        console.print(Text(" " * indent).append(line), soft_wrap=True)


def show_problems(problems: pd.DataFrame, title: str, console: Console) -> None:
    """Print what is wrong in the data: where it stands, and what to do."""
    problems = condensed(problems)
    filled = [name for name in problems if problems[name].map(text_of_fact).any()]
    shown = problems[filled].astype(object)
    head = [label_of(name) for name in filled]
    rows = [[text_of_fact(cell) for cell in row] for row in shown.to_numpy()]
    room = console.width - 1 - 3 * len(head)
    wide = _fitted(head, rows, ["text"] * len(head), room)
    if wide is not None and wide[filled.index("fix")] >= _READABLE:
        show_table(shown, title, console, most=_MOST_PROBLEMS)
        return
    console.print(escaped(title), style="italic" if console.is_terminal else None)
    console.print()
    for row in problems.head(_MOST_PROBLEMS).to_dict("records"):
        show_paragraph(_place(row), console)
        show_paragraph(f"fix: {row['fix']}", console, indent=4)
    if len(problems) > _MOST_PROBLEMS:
        more = len(problems) - _MOST_PROBLEMS
        console.print(f"... and {more:,} more; --json lists all of them")


def _place(row: Mapping[str, Any]) -> str:
    """Return which cell a problem is about, what was found there, and its rule."""
    text = {name: text_of_fact(value) for name, value in row.items()}
    cell = [f"{w} {text[w]}" for w in ("sheet", "row", "column") if text[w]]
    parts = [text["severity"], text["source"] or text["table"], ", ".join(cell)]
    place = " ".join(part for part in parts if part)
    found = f": {text['found']}" if text["found"] else ""
    return f"{place}{found} [{text['rule']}]"


def escaped(text: str) -> str:
    """Return text that rich prints as it stands."""
    from rich.markup import escape

    return escape(text)


def show_facts(facts: pd.Series[Any], console: Console) -> None:
    """Print labels and values in two columns; a long value goes on below itself."""
    wide = max(cell_len(str(label)) for label in facts.index) + 2
    for label, value in facts.items():
        text = Text(text_of_fact(value), overflow="fold")
        start = str(label)
        for line in text.wrap(console, max(console.width - wide, 10)):
            blanks = " " * (wide - cell_len(start))
            console.print(Text(start + blanks).append(line), soft_wrap=True)
            start = ""


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
        from pmo_analytics.evidence import relative_gap

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
