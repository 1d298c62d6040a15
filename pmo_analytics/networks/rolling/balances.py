"""The balance of networks on their way into a portfolio."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from pmo_analytics.errors import DataError, problem, problems_table
from pmo_analytics.networks.balancing import Balance
from pmo_analytics.networks.network import Network
from pmo_analytics.networks.rolling.spreading import MILLI

MICRO = 1_000_000


def begun(network: Network) -> Balance:
    """Return the balance of a network as its reader left it, to go on with.

    What its reader used is what is read here; where the frames do not hold it (more
    than rounding), the difference stays open and shows.
    """
    balance = Balance(network.source)
    said = network.balance.set_index("what")
    left = network.listed.groupby("what")["amount"].sum()
    held = held_by(network)
    for what, amount in held.items():
        total = amount + Fraction(repr(float(left.get(what, 0.0))))
        read = said["read"].get(what, float(total))
        # A reader may make summary tasks of what its file calls otherwise.
        held_all = read - float(total) <= 1e-6 * max(1.0, abs(read))
        balance.read(what, total if held_all else float(read))
    for what, row in said.iterrows():
        if what not in held:
            balance.read(what, float(row["read"]))
            balance.use(what, float(row["used"]))
    for row in network.listed.to_dict("records"):
        balance.leave(
            row["what"],
            row["reason"],
            amount=float(row["amount"]),
            line=row["line"] or None,
            name=row["id"],
        )
    return balance


def held_by(network: Network) -> dict[str, Fraction]:
    """Return the tasks, links, hours and money that the frames of a network hold."""
    hours = whole(network.assignments["work_h"], MILLI, network).sum()
    return {
        "tasks": Fraction(len(network.tasks)),
        "links": Fraction(len(network.links)),
        "hours": Fraction(int(hours), MILLI),
        "money": Fraction(int(priced(network)["amount"].sum()), MICRO),
    }


def left_whole(network: Network, reason: str) -> Balance:
    """Return the balance of a network of which nothing is used."""
    balance = begun(network)
    for what, amount in held_by(network).items():
        if amount:
            balance.leave(what, reason, amount=amount, name=network.project)
    return balance


def priced(network: Network) -> pd.DataFrame:
    """Return assignments and fixed costs of tasks, `amount` in millionths."""
    own = network.assignments.copy()
    own["amount"] = whole(own["cost"], MICRO, network)
    kinds = own["resource"].map(network.resources["kind"])
    own["category"] = kinds.astype(object).fillna("work")
    tasks = network.tasks
    if "fixed_cost" not in tasks:
        # What a task costs beyond its assignments: expenses.
        people = own.groupby("task")["cost"].sum().reindex(tasks.index).fillna(0)
        beyond = (tasks["cost"] - people).where(tasks["kind"] != "summary")
        tasks = tasks.assign(fixed_cost=beyond.where(beyond.abs() > 1e-6))
    tasks = tasks[tasks["fixed_cost"].fillna(0) != 0]
    fixed = pd.DataFrame({"task": tasks.index.to_numpy()})
    for column in ("start", "finish", "line"):
        fixed[column] = tasks[column].to_numpy()
    fixed["amount"] = whole(tasks["fixed_cost"], MICRO, network)
    fixed["resource"], fixed["contour"], fixed["category"] = "", "", "fixed"
    fixed.index = -1 - fixed.index
    return pd.concat([own, fixed]) if len(fixed) else own


def whole(values: pd.Series, unit: int, network: Network) -> np.ndarray:
    """Return amounts in whole parts of 1 / `unit`, blanks as 0.

    Raises
    ------
    DataError
        If an amount is beyond what can be counted exactly.
    """
    parts = np.rint(values.fillna(0).to_numpy(dtype=float) * unit)
    beyond = ~(np.abs(parts) < 2.0**62)
    if beyond.any():
        found = float(values.to_numpy(dtype=float)[beyond.argmax()])
        name = {"work_h": "hours of work"}.get(str(values.name), "cost")
        fix = f"{name.capitalize()} beyond what anybody can mean: look for a number "
        fix += "that was joined to another in the file."
        told = problem(
            "error", "network", "too_large", source=network.source, found=found, fix=fix
        )
        raise DataError(problems_table([told]))
    return parts.astype(np.int64)


def count_tasks(network: Network, balance: Balance) -> None:
    """Count tasks that a project uses, and list the others."""
    tasks = network.tasks
    reasons = np.where(tasks["kind"] == "", "a blank row", "")
    reasons = np.where(tasks["kind"] == "summary", "sums up the tasks below", reasons)
    inactive = ~tasks["active"] & (reasons == "")
    reasons = np.where(inactive, "inactive", reasons)
    undated = (tasks["start"].isna() | tasks["finish"].isna()) & (reasons == "")
    reasons = np.where(undated, "without dates", reasons)
    balance.use("tasks", int((reasons == "").sum()))
    for at in np.flatnonzero(reasons != ""):
        line = tasks["line"].iloc[at]
        balance.leave(
            "tasks",
            str(reasons[at]),
            line=None if line != line else int(line),
            name=str(tasks.index[at]),
        )


def leave_rows(
    balance: Balance,
    what: str,
    rows: pd.DataFrame,
    reasons: np.ndarray,
    unit: int,
) -> None:
    """List rows with an `amount` of 1 / `unit`, each with its reason."""
    for row, reason in zip(rows.itertuples(), reasons, strict=True):
        balance.leave(
            what,
            str(reason),
            amount=Fraction(int(row.amount), unit),
            line=None if row.line != row.line else int(row.line),
            name=str(row.task),
        )


def listed_warnings(
    networks: Sequence[Network], balances: Sequence[Balance]
) -> list[dict[str, Any]]:
    """Return a warning for each reason for which hours or money are not used."""
    told = []
    for network, balance in zip(networks, balances, strict=True):
        listed = balance.listed()
        listed = listed[listed["what"].isin(["hours", "money"])]
        for (what, reason), rows in listed.groupby(["what", "reason"], sort=False):
            word = "h" if what == "hours" else network.currency or "units of money"
            amount = f"{rows['amount'].sum():,.1f} {word}"
            fix = f"{amount} of {len(rows)} assignments are not in the portfolio: "
            fix += f"{reason}."
            table = "demand" if what == "hours" else "spend"
            told.append(
                problem(
                    "warning",
                    table,
                    f"{what}_left_out",
                    source=network.source,
                    found=amount,
                    fix=fix,
                )
            )
    return told
