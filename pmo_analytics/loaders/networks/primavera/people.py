"""Resources, roles, rates and assignments of P6."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from pmo_analytics.loaders.networks.primavera.cells import Numbers
from pmo_analytics.loaders.networks.primavera.tables import P6File, Rows, unique
from pmo_analytics.networks import Balance

# Word of P6 -> kind, and what P6 calls it.
KINDS = {
    "RT_Labor": ("work", "labor"),
    "RT_Equip": ("work", "nonlabor"),
    "RT_Mat": ("material", "material"),
}
RATE_TABLES = 5


class People(NamedTuple):
    """Resources and roles of a file, and how assignments call them."""

    resources: pd.DataFrame
    rates: pd.DataFrame
    units: pd.DataFrame
    by_resource: dict[str, str]
    by_role: dict[str, str]
    role_names: dict[str, str]
    role_of: dict[str, str]
    word_of: dict[str, str]


def people_of(file: P6File) -> People:
    """Return the resources of a file, its roles among them as generic ones.

    Resources belong to the database, so every project of the file has all of them.
    """
    rows, roles = file.rows("RSRC"), file.rows("ROLES")
    uids, role_uids = rows.text("rsrc_id"), roles.text("role_id")
    names = roles.text("role_name")
    role_names = dict(zip(role_uids, names, strict=True))
    ids, changed = unique([*rows.text("rsrc_short_name"), *names], [*uids, *role_uids])
    lines = [*rows.lines, *roles.lines]
    count = len(rows)
    file.said(
        "duplicate_resource",
        "RSRC.rsrc_short_name",
        [(lines[k], ids[k]) for k in changed],
        "The ids of these resources are blank or stand more than once; the id of the "
        "database tells them apart. Give them ids of their own in P6.",
    )
    _say_nameless(file, rows, ids)
    kinds = [KINDS.get(cell, ("work", "labor")) for cell in rows.text("rsrc_type")]
    role_of = {
        own: role_names.get(role, "")
        for own, role in zip(uids, rows.text("role_id"), strict=True)
    }
    frame = pd.DataFrame(
        {
            "resource": ids,
            "uid": [*uids, *role_uids],
            "name": [
                name or own
                for name, own in zip(
                    [*rows.text("rsrc_name"), *names], ids, strict=True
                )
            ],
            "kind": [kind for kind, _ in kinds] + ["work"] * len(roles),
            "type": [word for _, word in kinds] + ["labor"] * len(roles),
            "calendar": [*rows.text("clndr_id"), *[""] * len(roles)],
            "role": [*(role_of[own] for own in uids), *names],
            "email": [*rows.text("email_addr"), *[""] * len(roles)],
            "code": [*rows.text("employee_code"), *[""] * len(roles)],
            "generic": [False] * count + [True] * len(roles),
            "line": np.array(lines, dtype=float),
        }
    )
    by_resource = dict(zip(uids, ids[:count], strict=True))
    by_role = dict(zip(role_uids, ids[count:], strict=True))
    rates, units = _rates(file, by_resource, by_role)
    frame = frame.assign(
        rate=_latest(frame["resource"], rates[rates["table"] == "1"], "rate"),
        max_units=_latest(frame["resource"], units, "units"),
    )
    words = dict(zip(uids, rows.text("rsrc_type"), strict=True))
    return People(frame, rates, units, by_resource, by_role, role_names, role_of, words)


def _say_nameless(file: P6File, rows: Rows, ids: list[str]) -> None:
    """Say which resources have no name."""
    file.said(
        "missing_name",
        "RSRC.rsrc_name",
        [
            (line, own)
            for line, own, name in zip(
                rows.lines, ids, rows.text("rsrc_name"), strict=False
            )
            if not name
        ],
        "These resources have no name. Their ids stand for it.",
    )


def _rates(
    file: P6File, by_resource: dict[str, str], by_role: dict[str, str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return `rates` and `units`; a rate holds until the next one begins."""
    rates, units = [], []
    for table, key, ids in (
        ("RSRCRATE", "rsrc_id", by_resource),
        ("ROLERATE", "role_id", by_role),
    ):
        rows = file.rows(table)
        owner = [ids.get(uid, "") for uid in rows.text(key)]
        start = rows.time("start_date")
        for number in range(1, RATE_TABLES + 1):
            name = "cost_per_qty" + ("" if number == 1 else str(number))
            rates.append(
                pd.DataFrame(
                    {
                        "resource": owner,
                        "table": str(number),
                        "start": start,
                        "rate": rows.number(name),
                    }
                )
            )
        units.append(
            pd.DataFrame(
                {
                    "resource": owner,
                    "start": start,
                    "units": rows.number("max_qty_per_hr"),
                }
            )
        )
    return (
        _until_next(pd.concat(rates), ["resource", "table"], "rate"),
        _until_next(pd.concat(units), ["resource"], "units"),
    )


def _until_next(frame: pd.DataFrame, keys: list[str], value: str) -> pd.DataFrame:
    known = frame[frame[value].notna() & (frame["resource"] != "")]
    known = known.sort_values([*keys, "start"], kind="stable", na_position="first")
    known["finish"] = known.groupby(keys, sort=False)["start"].shift(-1)
    return known.reset_index(drop=True)


def _latest(names: pd.Series, frame: pd.DataFrame, value: str) -> Numbers:
    """Return the value in force at the end; the file says no day for which it asks."""
    return frame.groupby("resource")[value].last().reindex(names).to_numpy(float)


def assignments_of(
    file: P6File,
    project: str,
    people: People,
    by_task: dict[str, str],
    balance: Balance,
) -> pd.DataFrame:
    """Return the assignments of a project; hours and cost at completion."""
    rows = file.rows("TASKRSRC", project)
    amounts = _amounts(rows)
    tasks = [by_task.get(uid, "") for uid in rows.text("task_id")]
    uids, role_uids = rows.text("rsrc_id"), rows.text("role_id")
    of_people = np.array(
        [
            KINDS.get(word or people.word_of.get(uid, ""), ("work", ""))[0] == "work"
            for word, uid in zip(rows.text("rsrc_type"), uids, strict=True)
        ],
        dtype=bool,
    )
    frame = pd.DataFrame(
        {
            "task": tasks,
            "resource": [
                people.by_resource.get(uid) or people.by_role.get(role, "")
                for uid, role in zip(uids, role_uids, strict=True)
            ],
            "role": [
                people.role_names.get(role, "") or people.role_of.get(uid, "")
                for uid, role in zip(uids, role_uids, strict=True)
            ],
            **_dates(rows),
            **_kinds(amounts, of_people),
            "assignment": rows.text("taskrsrc_id"),
            "line": np.array(rows.lines, dtype=float),
        }
    )
    hours = np.where(of_people, amounts["quantity"], 0.0)
    balance.read("assignments", len(rows))
    balance.read("hours", _whole(hours))
    balance.read("money", _whole(amounts["cost"]))
    known = np.array([bool(task) for task in tasks], dtype=bool)
    _leave(file, rows, balance, ~known, {"hours": hours, "money": amounts["cost"]})
    _say_missing(file, rows, people)
    frame = frame[known].reset_index(drop=True)
    balance.use("assignments", len(frame))
    balance.use("hours", _whole(frame["work_h"].to_numpy()))
    balance.use("money", _whole(frame["cost"].to_numpy()))
    return frame


def _leave(
    file: P6File,
    rows: Rows,
    balance: Balance,
    lost: Any,
    amounts: dict[str, Numbers],
) -> None:
    """List the assignments whose task is not in the project, with what they hold."""
    lines, tasks, names = rows.lines, rows.text("task_id"), rows.text("taskrsrc_id")
    reason = "Its task is not in the project."
    places = np.flatnonzero(lost)
    for at in places:
        line, name = lines[at], names[at]
        balance.leave("assignments", reason, line=line, name=name)
        for what, values in amounts.items():
            if values[at]:
                amount = float(values[at])
                balance.leave(what, reason, amount=amount, line=line, name=name)
    file.said(
        "missing_task",
        "TASKRSRC.task_id",
        [(lines[at], tasks[at]) for at in places],
        "The tasks of these assignments are not in the project. They were not used.",
    )


def _say_missing(file: P6File, rows: Rows, people: People) -> None:
    uids = rows.text("rsrc_id")
    file.said(
        "missing_resource",
        "TASKRSRC.rsrc_id",
        [
            (line, uid)
            for line, uid in zip(rows.lines, uids, strict=True)
            if uid and uid not in people.by_resource
        ],
        "These resources are not in the file. Their hours are kept without a name.",
    )


def _amounts(rows: Rows) -> dict[str, Numbers]:
    def whole(*names: str) -> Numbers:
        return np.nansum([rows.number(name) for name in names], axis=0)

    actual = whole("act_reg_qty", "act_ot_qty")
    spent = whole("act_reg_cost", "act_ot_cost")
    left, to_spend = rows.number("remain_qty"), rows.number("remain_cost")
    return {
        "quantity": np.nansum([actual, left], axis=0),
        "actual": actual,
        "remaining": np.nan_to_num(left),
        "overtime": np.nan_to_num(rows.number("act_ot_qty")),
        "planned": rows.number("target_qty"),
        "cost": np.nansum([spent, to_spend], axis=0),
        "actual_cost": spent,
        "planned_cost": rows.number("target_cost"),
        "units": rows.number("target_qty_per_hr"),
    }


def _kinds(amounts: dict[str, Numbers], of_people: Any) -> dict[str, Any]:
    """Return amounts by what they are of: hours of people and machines, or material."""

    def hours(name: str) -> Numbers:
        return np.where(of_people, amounts[name], np.nan)

    return {
        "units": amounts["units"],
        "work_h": hours("quantity"),
        "actual_h": hours("actual"),
        "remaining_h": hours("remaining"),
        "overtime_h": hours("overtime"),
        "planned_h": hours("planned"),
        "quantity": np.where(of_people, np.nan, amounts["quantity"]),
        "cost": amounts["cost"],
        "actual_cost": amounts["actual_cost"],
        "planned_cost": amounts["planned_cost"],
    }


def _dates(rows: Rows) -> dict[str, Any]:
    found = {}
    for name, choices in (
        ("start", ("act_start_date", "restart_date", "target_start_date")),
        ("finish", ("act_end_date", "reend_date", "target_end_date")),
    ):
        first, *others = (pd.Series(rows.time(choice)) for choice in choices)
        for other in others:
            first = first.fillna(other)
        found[name] = first
    return found


def _whole(amounts: Any) -> Any:
    """Return the exact sum of floats, as decimals."""
    return sum((Decimal(repr(float(x))) for x in amounts if x == x), Decimal(0))
