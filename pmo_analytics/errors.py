"""Errors and the problems table: what is wrong, in which rows, what to do."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any
from unicodedata import combining, normalize

if TYPE_CHECKING:
    import pandas as pd

PROBLEM_COLUMNS = (
    "severity",
    "table",
    "source",
    "sheet",
    "row",
    "column",
    "rule",
    "found",
    "fix",
)


class PmoWarning(UserWarning):
    """Something an analyst should know although the work goes on."""


class PmoError(Exception):
    """Every error this package raises on purpose."""

    def __reduce__(self) -> tuple[Any, ...]:
        # The arguments of the subclasses are not `args`, so the usual way to copy an
        # error or to send it to another process would make it from its own text.
        return _restored, (type(self), self.args, self.__dict__.copy())


def _restored(
    kind: type[PmoError], args: tuple[Any, ...], state: dict[str, Any]
) -> PmoError:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    return error


class ConfigError(PmoError):
    """A setting, an option or a configuration file cannot be used."""


class DataError(PmoError):
    """The data breaks rules; `problems` lists every broken one at once.

    Parameters
    ----------
    problems
        Problems table (see `problems_table`) with at least one error.
    """

    def __init__(self, problems: pd.DataFrame) -> None:
        self.problems = problems
        super().__init__(describe_problems(problems))

    def _repr_html_(self) -> str:
        return str(self.problems.to_html(escape=True, index=False))


class InfeasibleError(PmoError):
    """No plan can satisfy the rules; `conflicts` names what clashes.

    Parameters
    ----------
    conflicts
        Table `rule, project, role, period, needed, available, message`.
    """

    def __init__(self, conflicts: pd.DataFrame, message: str = "") -> None:
        self.conflicts = conflicts
        lines = [message or "No plan satisfies all rules. What clashes:"]
        lines += [f"  - {text}" for text in conflicts["message"].head(10)]
        if len(conflicts) > 10:
            lines.append(f"  ... and {len(conflicts) - 10} more")
        super().__init__("\n".join(lines))


class SolverError(PmoError):
    """Every attempt to solve failed; `attempts` lists them.

    Parameters
    ----------
    attempts
        One mapping per attempt: solver, outcome, seconds, detail.
    status
        `failed`, or `no_solution` when only the time was too short.
    """

    def __init__(
        self,
        attempts: Sequence[Mapping[str, object]],
        message: str = "",
        *,
        status: str = "failed",
    ) -> None:
        self.attempts = list(attempts)
        self.status = status
        lines = [message or "No solver gave an answer that could be used."]
        lines += [
            f"  - {a.get('solver')}: {a.get('outcome')} {a.get('detail', '')}".rstrip()
            for a in self.attempts
        ]
        super().__init__("\n".join(lines))


def problem(
    severity: str,
    table: str,
    rule: str,
    *,
    row: Any = None,
    column: str = "",
    found: object = "",
    fix: str = "",
    source: str = "",
    sheet: str = "",
) -> dict[str, Any]:
    """Return one row of the problems table.

    Parameters
    ----------
    severity
        `error` or `warning`.
    row
        Index label of the row in its frame; a loader turns it into the row of
        the file. None when no single row is to blame.
    fix
        One sentence for the analyst: what to do.
    """
    return {
        "severity": severity,
        "table": table,
        "source": source,
        "sheet": sheet,
        "row": row,
        "column": column,
        "rule": rule,
        "found": found if isinstance(found, str) else str(found),
        "fix": fix,
    }


def problems_table(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Return problem rows as a frame, errors first, otherwise in found order."""
    import numpy as np
    import pandas as pd

    rows = list(rows)
    if not rows:
        return _no_problems().copy()
    # As objects: a None among the row numbers must not make them floats.
    columns = {
        name: np.fromiter((row[name] for row in rows), dtype=object, count=len(rows))
        for name in PROBLEM_COLUMNS
    }
    return _errors_first(pd.DataFrame(columns, dtype=object))


@cache
def _no_problems() -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame({name: [] for name in PROBLEM_COLUMNS}, dtype=object)


def joined_problems(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Return several problems tables as one, errors first, otherwise in their order."""
    import pandas as pd

    columns = list(PROBLEM_COLUMNS)
    frames = [table[columns].astype(object) for table in tables if len(table)]
    return _errors_first(pd.concat(frames)) if frames else problems_table([])


def _errors_first(problems: pd.DataFrame) -> pd.DataFrame:
    order = (problems["severity"] != "error").to_numpy().argsort(kind="stable")
    return problems.iloc[order].reset_index(drop=True)


def problem_records(problems: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a problems table as they were before they were a frame."""
    columns = [problems[name].tolist() for name in PROBLEM_COLUMNS]
    return [
        dict(zip(PROBLEM_COLUMNS, cells, strict=True))
        for cells in zip(*columns, strict=True)
    ]


def has_errors(problems: pd.DataFrame) -> bool:
    """Return whether a problems table holds at least one error."""
    return bool((problems["severity"] == "error").any())


def say_warnings(problems: pd.DataFrame, path: object) -> str:
    """Return how many warnings the data has and what lists them; "" without any."""
    count = int((problems["severity"] == "warning").sum())
    if not count:
        return ""
    listed = f"`pmo check {shlex.quote(str(path))}` lists them"
    return f"{count} warning{'s' if count > 1 else ''} in the data: {listed}."


_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")


@lru_cache(maxsize=1 << 16)
def folded(name: object) -> str:
    """Return a name without case, width, accents, spaces and leading zeros."""
    text = str(name)
    if text.isascii():
        kept = "".join(text.lower().split())
    else:
        plain = normalize("NFKD", text).casefold()
        kept = "".join(c for c in plain if not c.isspace() and not combining(c))
    return _ZEROS.sub("", kept) if "0" in kept else kept


def closest(name: object, known: Iterable[object]) -> str:
    """Return " (did you mean 'X'?)" for the nearest known name, or ""."""
    names = {folded(k): str(k) for k in known}
    word = folded(name)
    hits = [word] if word in names else get_close_matches(word, list(names), n=1)
    return f" (did you mean '{names[hits[0]]}'?)" if hits else ""


def suggester(known: Iterable[object], limit: int = 20) -> Callable[[object], str]:
    """Return `closest` against one set of names, for the first `limit` words only.

    Searches for the nearest name are slow and a whole column can be wrong; the first
    few tell the analyst enough.
    """
    names = list(known)
    found: dict[str, str] = {}

    def nearest(word: object) -> str:
        text = str(word)
        if text not in found:
            found[text] = closest(text, names) if len(found) < limit else ""
        return found[text]

    return nearest


def listing(names: Iterable[object], limit: int = 5) -> str:
    """Return ids in quotes, cut after `limit` with the count of the rest."""
    texts = [f"'{n}'" for n in names]
    more = f" and {len(texts) - limit} more" if len(texts) > limit else ""
    return ", ".join(texts[:limit]) + more


def row_listing(rows: Iterable[int], limit: int = 5) -> str:
    """Return rows as runs: `rows 3-9, 12 and 40 more`."""
    runs: list[list[int]] = []
    for row in sorted(set(rows)):
        if runs and row == runs[-1][1] + 1:
            runs[-1][1] = row
        else:
            runs.append([row, row])
    texts = [str(a) if a == b else f"{a}-{b}" for a, b in runs[:limit]]
    left = sum(b - a + 1 for a, b in runs[limit:])
    one = len(runs) == 1 and runs[0][0] == runs[0][1]
    more = f" and {left:,} more" if left else ""
    return f"row{'' if one else 's'} {', '.join(texts)}{more}"


def condensed(problems: pd.DataFrame, most: int = 5) -> pd.DataFrame:
    """Return a problems table for reading: the first of each kind, the rest counted.

    Parameters
    ----------
    most
        Rows of one rule in one column that are shown; the last one names the others.
    """
    problems = problems.assign(
        **{name: problems[name].map(_short) for name in ("column", "found")}
    )
    if len(problems) <= most:
        return problems
    problems = _extra_together(problems, most)
    kind = ["severity", "table", "source", "sheet", "column", "rule"]
    groups = problems.groupby(kind, sort=False, dropna=False)
    number = groups.cumcount()
    left = groups["rule"].transform("size") - most
    shown = problems[(number < most) | (left <= 1)].copy()
    for at in problems.index[(number == most - 1) & (left > 1)]:
        alike = (problems[kind] == problems.loc[at, kind]).all(axis=1)
        rest = problems.loc[alike & (number >= most), "row"]
        rows = [row for row in rest if isinstance(row, int)]
        where = f" ({row_listing(rows)})" if rows else ""
        shown.loc[at, "fix"] += f" The same {len(rest):,} times more{where}."
    return shown.reset_index(drop=True)


def _short(cell: Any, most: int = 80) -> Any:
    """Return a text on one line, cut where it is long; other cells as they are."""
    if not isinstance(cell, str):
        return cell
    text = " ".join(cell.split())
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _extra_together(problems: pd.DataFrame, most: int) -> pd.DataFrame:
    """Return the problems with one row for the many unused columns of a table."""
    extra = problems[problems["rule"] == "extra_column"]
    for _, own in extra.groupby(["table", "source", "sheet"], dropna=False):
        if len(own) <= most:
            continue
        names = listing([_short(name, 30) for name in own["column"]], most)
        problems = problems.drop(index=own.index[1:])
        problems.loc[own.index[0], "column"] = names
        problems.loc[own.index[0], "found"] = f"{len(own)} columns"
        problems.loc[own.index[0], "fix"] = (
            "The columns are kept and not used. Rename those that are columns of the "
            "table."
        )
    return problems


def _place(row: Mapping[str, Any]) -> str:
    parts = [str(row["source"] or row["table"])]
    if row["sheet"] and str(row["sheet"]) != parts[0]:
        parts.append(f"sheet {row['sheet']}")
    if row["row"] is not None and str(row["row"]) not in ("", "nan", "<NA>"):
        parts.append(f"row {row['row']}")
    if row["column"]:
        parts.append(f"column {row['column']}")
    return ", ".join(parts)


def describe_problems(problems: pd.DataFrame, limit: int = 10) -> str:
    """Return a headline with counts and the first `limit` problems as text."""
    errors = int((problems["severity"] == "error").sum())
    warnings = len(problems) - errors
    lines = [
        f"{errors} error{'' if errors == 1 else 's'} and {warnings} "
        f"warning{'' if warnings == 1 else 's'} in the data."
    ]
    shown = condensed(problems)
    for row in shown.head(limit).to_dict("records"):
        found = f" (found: {row['found']})" if row["found"] else ""
        lines.append(
            f"  {row['severity']} [{row['rule']}] {_place(row)}{found}: {row['fix']}"
        )
    if len(shown) > limit:
        lines.append(f"  ... and {len(shown) - limit} more; see `.problems`")
    return "\n".join(lines)
