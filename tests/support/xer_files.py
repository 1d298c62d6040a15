"""Small XER files for tests: tables as rows of mappings, written as P6 writes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Rows = Sequence[Mapping[str, object]]

OFFICE = (
    "(0||CalendarData()((0||DaysOfWeek()((0||1()())"
    + "".join(
        f"(0||{day}()((0||0(s|08:00|f|12:00)())(0||1(s|13:00|f|17:00)())))"
        for day in range(2, 7)
    )
    + "(0||7()())))(0||Exceptions()({}))))"
)
ALWAYS = (
    "(0||CalendarData()((0||DaysOfWeek()("
    + "".join(f"(0||{day}()((0||0(s|00:00|f|00:00)())))" for day in range(1, 8))
    + "))))"
)
PROJECT = {
    "proj_id": "1",
    "proj_short_name": "P",
    "clndr_id": "C",
    "last_recalc_date": "2027-01-04 08:00",
}
CALENDAR = {"clndr_id": "C", "clndr_name": "Office", "day_hr_cnt": "8"}


def task(code: str, hours: float = 8, **cells: object) -> dict[str, object]:
    """Return a row of TASK: not started, its id is its code."""
    return {
        "task_id": code,
        "proj_id": "1",
        "wbs_id": "W",
        "clndr_id": "C",
        "task_code": code,
        "task_name": f"Task {code}",
        "task_type": "TT_Task",
        "status_code": "TK_NotStart",
        "complete_pct_type": "CP_Drtn",
        "target_drtn_hr_cnt": hours,
        "remain_drtn_hr_cnt": hours,
        **cells,
    }


def link(before: str, after: str, kind: str = "FS", lag: float = 0, **cells: object):
    """Return a row of TASKPRED."""
    return {
        "task_pred_id": f"{before}-{after}",
        "task_id": after,
        "pred_task_id": before,
        "proj_id": "1",
        "pred_proj_id": "1",
        "pred_type": f"PR_{kind}",
        "lag_hr_cnt": lag,
        **cells,
    }


def xer_text(tables: Mapping[str, Rows], end: str = "%E\n") -> str:
    """Return tables as the text of an XER."""
    lines = ["ERMHDR\t19.12\t2027-01-04\tProject\tadmin\tAdmin\tdb\tProject\tEUR"]
    for name, rows in tables.items():
        fields = list(dict.fromkeys(key for row in rows for key in row))
        lines += [f"%T\t{name}", "\t".join(("%F", *fields))]
        lines += [
            "\t".join(("%R", *(str(row.get(key, "")) for key in fields)))
            for row in rows
        ]
    return "\n".join(lines) + "\n" + end


def project(
    tasks: Rows,
    links: Rows = (),
    options: Mapping[str, object] | None = None,
    **more: Rows,
) -> dict[str, Rows]:
    """Return the tables of one project on an office calendar."""
    return {
        "PROJECT": [PROJECT],
        "CALENDAR": [{**CALENDAR, "clndr_data": OFFICE.format("")}],
        "SCHEDOPTIONS": [{"proj_id": "1", **(options or {})}],
        "PROJWBS": [
            {
                "wbs_id": "W",
                "proj_id": "1",
                "wbs_short_name": "P",
                "wbs_name": "Plant",
                "parent_wbs_id": "",
            }
        ],
        "TASK": tasks,
        "TASKPRED": links,
        **more,
    }
