"""Activity codes, project codes, resource codes and user fields of P6, in one table."""

from __future__ import annotations

from typing import Any

import pandas as pd

from pmo_analytics.loaders.networks.primavera.people import People
from pmo_analytics.loaders.networks.primavera.tables import P6File

# Assigned codes: table, its key, the code types and values, what they belong to.
_CODES = (
    ("TASKACTV", "task_id", "actv_code", "ACTVTYPE", "ACTVCODE", "task"),
    ("PROJPCAT", "proj_id", "proj_catg", "PCATTYPE", "PCATVAL", "project"),
    ("RSRCRCAT", "rsrc_id", "rsrc_catg", "RCATTYPE", "RCATVAL", "resource"),
)
_OWNERS = {"TASK": "task", "PROJECT": "project", "RSRC": "resource"}
_COLUMNS = ["of", "id", "code", "value", "description"]


def codes_of(
    file: P6File, project: str, by_task: dict[str, str], people: People, name: str
) -> pd.DataFrame:
    """Return `of, id, code, value, description` of one project and of the resources."""
    owners = {
        "task": by_task,
        "project": {project: name},
        "resource": people.by_resource,
    }
    rows: list[tuple[Any, ...]] = []
    for table, key, prefix, kinds, values, of in _CODES:
        labels = _labels(file, kinds, prefix)
        texts = _values(file, values, prefix)
        assigned = file.rows(table)
        for uid, kind, value in assigned.records(
            key, f"{prefix}_type_id", f"{prefix}_id"
        ):
            if uid in owners[of]:
                short, long = texts.get(value, (value, ""))
                rows.append((of, owners[of][uid], labels.get(kind, kind), short, long))
    return pd.DataFrame(rows + _user_fields(file, owners), columns=_COLUMNS)


def _labels(file: P6File, table: str, prefix: str) -> dict[str, str]:
    rows = file.rows(table)
    kinds = rows.text(f"{prefix}_type_id"), rows.text(f"{prefix}_type")
    return dict(zip(*kinds, strict=True))


def _values(file: P6File, table: str, prefix: str) -> dict[str, tuple[str, str]]:
    """Return id -> short name and description of the values of codes."""
    rows = file.rows(table)
    shorts = "short_name" if rows.has("short_name") else f"{prefix}_short_name"
    return {
        own: (short or name, name)
        for own, short, name in rows.records(f"{prefix}_id", shorts, f"{prefix}_name")
    }


def _user_fields(
    file: P6File, owners: dict[str, dict[str, str]]
) -> list[tuple[Any, ...]]:
    kinds = {
        uid: (_OWNERS.get(table, ""), label or name)
        for uid, table, name, label in file.rows("UDFTYPE").records(
            "udf_type_id", "table_name", "udf_type_name", "udf_type_label"
        )
    }
    found = []
    for uid, owner, *cells in file.rows("UDFVALUE").records(
        "udf_type_id", "fk_id", "udf_text", "udf_number", "udf_date", "udf_code_id"
    ):
        of, label = kinds.get(uid, ("", ""))
        value = next((cell for cell in cells if cell), "")
        if of and value and owner in owners[of]:
            found.append((of, owners[of][owner], label, value, ""))
    return found
