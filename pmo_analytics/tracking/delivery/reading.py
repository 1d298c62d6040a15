"""Sprints as they are kept: read, checked, and put into the order they were worked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pmo_analytics.errors import DataError, closest, problem, problems_table

KEYS = ("team", "sprint", "elapsed")
NEEDED = (*KEYS, "committed", "done", "delivered")
_AMOUNTS = ("committed", "added", "removed", "to_do", "in_progress", "done")
_OTHERS = ("planned_days", "members")
_BELOW = (*_AMOUNTS, *_OTHERS)
COLUMNS = (*NEEDED, "added", "removed", "to_do", "in_progress", *_OTHERS, "start")


@dataclass(frozen=True)
class Sprints:
    """Rows of sprints as arrays; each array has one entry a row.

    `commitment` is what counts as committed at that moment, `delivered` is nan while a
    sprint runs. `sprint` numbers the sprints, `team` the teams, `turn` is the place
    of a sprint among those of its team. `shift` is what lies between `delivered` as it
    was given and as it is here.
    """

    rows: pd.DataFrame
    commitment: np.ndarray
    delivered: np.ndarray
    team: np.ndarray
    sprint: np.ndarray
    turn: np.ndarray
    shift: np.ndarray
    says: str

    @property
    def known(self) -> np.ndarray:
        """Return which rows are of finished sprints."""
        return np.isfinite(self.delivered)

    def column(self, name: str) -> np.ndarray:
        """Return the numbers of one column."""
        return np.asarray(self.rows[name], dtype=float)


def read_sprints(frame: pd.DataFrame) -> Sprints:
    """Return a frame of sprints, checked.

    Parameters
    ----------
    frame
        The table `sprints` (see `forecast_delivery`).

    Raises
    ------
    DataError
        With every row that cannot be used.
    """
    rows = frame.reset_index() if set(frame.index.names) & set(KEYS) else frame
    _all_there(rows)
    numbers, found = _numbers(rows)
    found += _impossible(rows, numbers)
    if found:
        raise DataError(problems_table(found))
    amounts, says = _commitment(numbers)
    below = int((numbers[list(_BELOW)] < 0).to_numpy().sum())
    if below:
        # Trackers hold negative estimates: few, and no reason to lose the row.
        says += f" {below} amounts below 0 count as 0."
        numbers[list(_BELOW)] = numbers[list(_BELOW)].clip(lower=0.0)
    delivered = numbers["delivered"].to_numpy()
    shift = np.zeros(len(rows))
    net = (numbers["added"] - numbers["removed"]).to_numpy()
    if (delivered < 0).any():
        # Told as committed plus the difference to it, so what was added is missing.
        if (delivered + net)[delivered < 0].min() < 0:
            raise DataError(problems_table(_negative(rows, delivered)))
        shift = net
        says += (
            " `delivered` falls below 0, so it was read as the commitment at the start"
            " plus the difference that was delivered: what was added and removed since"
            " is counted in."
        )
    team = pd.factorize(rows["team"])[0]
    pairs = pd.MultiIndex.from_arrays([team, rows["sprint"].astype("str")])
    sprint = pd.factorize(pairs)[0]
    return Sprints(
        rows=numbers,
        commitment=amounts,
        delivered=delivered + shift,
        team=team,
        sprint=sprint,
        turn=_turns(rows, sprint),
        shift=shift,
        says=says,
    )


def _all_there(rows: pd.DataFrame) -> None:
    """Refuse a frame without the columns that a forecast needs."""
    found = [
        problem(
            "error",
            "sprints",
            "missing_column",
            column=name,
            fix=f"Add the column {name}{closest(name, set(rows.columns))}.",
        )
        for name in NEEDED
        if name not in rows.columns
    ]
    if not found and rows.empty:
        fix = "Give one row a sprint and moment; finished ones have `delivered`."
        found = [problem("error", "sprints", "no_rows", fix=fix)]
    if found:
        raise DataError(problems_table(found))


def _numbers(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Return the columns of numbers, blanks filled, and the cells that hold none."""
    columns: dict[str, pd.Series[Any]] = {}
    found = []
    for name in ("elapsed", "delivered", *_AMOUNTS, *_OTHERS):
        given = rows[name] if name in rows.columns else pd.Series(np.nan, rows.index)
        cells = pd.to_numeric(given, errors="coerce").astype(float)
        cells = cells.where(np.isfinite(cells))
        for at in np.flatnonzero((cells.isna() & given.notna()).to_numpy())[:20]:
            found.append(
                _finding(rows, at, name, given.iloc[at], "Write a number or leave it.")
            )
        columns[name] = cells
    table = pd.DataFrame(columns)
    for name in ("elapsed", "committed", "done"):
        for at in np.flatnonzero(table[name].isna().to_numpy())[:20]:
            if name not in rows.columns or pd.isna(rows[name].iloc[at]):
                fix = f"Fill in {name}: nothing can be said about the row without it."
                found.append(_finding(rows, at, name, "blank", fix))
    table[["added", "removed"]] = table[["added", "removed"]].fillna(0.0)
    whole = table["committed"] + table["added"] - table["removed"]
    table["in_progress"] = table["in_progress"].fillna(0.0)
    left = (whole - table["done"] - table["in_progress"]).clip(lower=0.0)
    table["to_do"] = table["to_do"].fillna(left)
    for name, usual in (("planned_days", 14.0), ("members", 5.0)):
        middle = table[name].median()
        table[name] = table[name].fillna(usual if pd.isna(middle) else middle)
    return table, found


def _impossible(rows: pd.DataFrame, numbers: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the cells that no sprint can have, and rows that are there twice."""
    found = []
    for at in np.flatnonzero(~numbers["elapsed"].fillna(0).between(0, 1).to_numpy()):
        value = numbers["elapsed"].iloc[at]
        fix = "Elapsed is the share of the planned time, 0 to 1"
        fix += f": {value / 100:g}?" if 1 < value <= 100 else "."
        found.append(_finding(rows, at, "elapsed", f"{value:g}", fix))
    twice = rows.duplicated(list(KEYS)).to_numpy()
    for at in np.flatnonzero(twice):
        words = " / ".join(str(rows[key].iloc[at]) for key in KEYS)
        fix = "Each team, sprint and moment once: leave one of the rows."
        found.append(_finding(rows, at, "sprint", words, fix, "duplicate"))
    return found


def _negative(rows: pd.DataFrame, delivered: np.ndarray) -> list[dict[str, Any]]:
    fix = "Nobody delivers less than nothing: correct delivered."
    return [
        _finding(rows, at, "delivered", f"{delivered[at]:g}", fix)
        for at in np.flatnonzero(delivered < 0)
    ]


def _finding(
    rows: pd.DataFrame, at: Any, column: str, value: object, fix: str, rule: str = ""
) -> dict[str, Any]:
    return problem(
        "error",
        "sprints",
        rule or "bad_value",
        row=rows.index[at],
        column=column,
        found=value,
        fix=fix,
    )


def _commitment(numbers: pd.DataFrame) -> tuple[np.ndarray, str]:
    """Return what counts as committed at each moment, and how that was read.

    Some trackers keep what was committed at the start, some what is in the sprint now.
    What is on the board (to do, in progress, done) tells which.
    """
    committed = numbers["committed"]
    whole = committed + numbers["added"] - numbers["removed"]
    board = numbers["to_do"] + numbers["in_progress"] + numbers["done"]
    if (board - committed).abs().sum() < (board - whole).abs().sum():
        return committed.clip(lower=0.0).to_numpy(), (
            "Commitment: `committed`, which holds what was added and removed already"
            " (the board adds up to it)."
        )
    return whole.clip(lower=0.0).to_numpy(), (
        "Commitment: `committed` + `added` - `removed` up to that moment."
    )


def _turns(rows: pd.DataFrame, sprint: np.ndarray) -> np.ndarray:
    """Return the place of each row's sprint: by `start`, else in the order given."""
    first = np.arange(len(rows))
    if "start" in rows.columns and rows["start"].notna().all():
        days = pd.to_datetime(rows["start"].astype("str"), errors="coerce")
        if days.notna().all():
            first = days.rank(method="dense").to_numpy().astype(int)
    return np.asarray(pd.Series(first).groupby(sprint).transform("min"))
