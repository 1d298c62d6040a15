"""Looks at projects: what was spent and earned on a day, and how it ended at last."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pmo_analytics.errors import DataError, closest, problem, problems_table

NEEDED = ("project", "as_of", "bac", "ev", "ac")
DATES = ("start", "planned_finish", "finished")
AMOUNTS = ("bac", "ev", "ac", "es_days", "cost")


@dataclass(frozen=True)
class Side:
    """One side of a project, money or time, as shares of what was planned.

    All arrays have one entry a look. `used` is what is gone (actual cost / BAC; days
    since the start / planned days), `earned` what is done (EV / BAC; earned schedule
    / planned days), `final` what it came to (1 = as planned; nan while it runs).
    """

    used: np.ndarray
    earned: np.ndarray
    final: np.ndarray

    @property
    def usable(self) -> np.ndarray:
        """Return which looks have all that a forecast needs."""
        return np.isfinite(self.used) & np.isfinite(self.earned) & (self.earned < 1)

    @property
    def teaches(self) -> np.ndarray:
        """Return which looks are of finished projects."""
        return self.usable & np.isfinite(self.final) & (self.final > self.used)

    @property
    def rest_factor(self) -> np.ndarray:
        """Return what the rest took against its plan: 1.2 = a fifth more."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray((self.final - self.used) / (1.0 - self.earned))


def read_looks(looks: pd.DataFrame) -> pd.DataFrame:
    """Return looks with all their columns, in order of their days.

    Parameters
    ----------
    looks
        See `project_ranges`.

    Raises
    ------
    DataError
        If a column is missing, a cell holds no number or day, or a look is there twice.
    """
    given = looks.reset_index() if set(looks.index.names) & {"project"} else looks
    found = [
        problem(
            "error",
            "looks",
            "missing_column",
            column=name,
            fix=f"Add the column {name}{closest(name, set(given.columns))}.",
        )
        for name in NEEDED
        if name not in given.columns
    ]
    if found:
        raise DataError(problems_table(found))
    table = pd.DataFrame({"project": given["project"].astype("str")})
    for name in ("as_of", *DATES):
        cells = given[name] if name in given.columns else pd.NaT
        table[name] = pd.to_datetime(cells, errors="coerce")
    for name in AMOUNTS:
        cells = given[name] if name in given.columns else np.nan
        table[name] = pd.to_numeric(cells, errors="coerce")
    for name in table.columns.intersection(given.columns):
        lost = table[name].isna() & given[name].notna()
        for at in table.index[lost]:
            kind = "number" if name in AMOUNTS else "day such as 2027-03-31"
            found.append(
                problem(
                    "error",
                    "looks",
                    "bad_value",
                    row=at,
                    column=name,
                    found=given.at[at, name],
                    fix=f"Write a {kind}, or leave it blank.",
                )
            )
    for at in table.index[table.duplicated(["project", "as_of"])]:
        fix = "Each project once a day: leave one of the rows."
        text = f"{table.at[at, 'project']} {table.at[at, 'as_of']:%Y-%m-%d}"
        found.append(
            problem("error", "looks", "duplicate", row=at, found=text, fix=fix)
        )
    if found:
        raise DataError(problems_table(found))
    return table.sort_values(["project", "as_of"], kind="stable", ignore_index=True)


def money(table: pd.DataFrame) -> Side:
    """Return the money of looks; looks without a budget at completion are nan."""
    bac = table["bac"].where(table["bac"] > 0).to_numpy(dtype=float)
    columns = (table[name].to_numpy(dtype=float) / bac for name in ("ac", "ev", "cost"))
    return Side(*columns)


def time(table: pd.DataFrame) -> Side:
    """Return the time of looks; those without planned dates are nan.

    Earned schedule is taken from `es_days`; where that is blank, work is planned evenly
    over the planned days, and it is the share earned of them.
    """
    day = np.timedelta64(1, "D")
    planned = ((table["planned_finish"] - table["start"]) / day).to_numpy(dtype=float)
    planned = np.where(planned > 0, planned, np.nan)
    bac = table["bac"].where(table["bac"] > 0)
    earned = (table["es_days"] / planned).fillna(table["ev"] / bac)
    used = (table["as_of"] - table["start"]) / day / planned
    final = (table["finished"] - table["start"]) / day / planned
    return Side(
        used.to_numpy(dtype=float),
        earned.to_numpy(dtype=float),
        final.to_numpy(dtype=float),
    )
