"""The tables of P6 as networks, one for each project of the file."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pmo_analytics.errors import problems_table
from pmo_analytics.loaders.networks.primavera.activities import (
    Activities,
    activities_of,
    wbs_of,
    with_summaries,
)
from pmo_analytics.loaders.networks.primavera.calendars import calendars_of
from pmo_analytics.loaders.networks.primavera.codes import codes_of
from pmo_analytics.loaders.networks.primavera.links import Names, links_of
from pmo_analytics.loaders.networks.primavera.people import (
    assignments_of,
    people_of,
)
from pmo_analytics.loaders.networks.primavera.tables import P6File
from pmo_analytics.networks import Balance, Network

_LAGS = {
    "rcal_Predecessor": "predecessor",
    "rcal_Successor": "successor",
    "rcal_ProjDefault": "project",
    "rcal_24Hour": "24h",
}
_FLOATS = {"FT_FF": "finish", "FT_SF": "start", "FT_Min": "smallest"}


def networks_of(file: P6File) -> list[Network]:
    """Return the projects of a file of P6; baselines belong to their project."""
    return _Assembly(file).networks()


class _Assembly:
    def __init__(self, file: P6File) -> None:
        self.file = file
        self.people = people_of(file)
        self.calendars, self.shifts = calendars_of(file)
        rows = file.rows("PROJECT")
        self.at = {uid: k for k, uid in enumerate(rows.text("proj_id"))}
        self.projects = rows
        self.names = dict(
            zip(
                rows.text("proj_id"),
                [
                    short or uid
                    for uid, short in rows.records("proj_id", "proj_short_name")
                ],
                strict=True,
            )
        )
        tasks = file.rows("TASK")
        # Activities of the whole file, for links across projects.
        self.task_names = dict(
            zip(tasks.text("task_id"), tasks.text("task_code"), strict=True)
        )
        self.baseline_of = {
            own: base_of
            for own, base_of in {
                **dict(zip(self.at, rows.text("orig_proj_id"), strict=False)),
                **file.baseline_of,
            }.items()
            if base_of in self.at and base_of != own
        }

    def networks(self) -> list[Network]:
        own = [uid for uid in self.at if uid not in self.baseline_of]
        stray = self._strays()
        found = [self._parts(uid, stray if k == 0 else {}) for k, uid in enumerate(own)]
        # What is said about the whole file is said with each of its projects.
        problems = problems_table(self.file.problems).drop_duplicates(
            ["rule", "column", "found"], ignore_index=True
        )
        return [Network(**parts, problems=problems) for parts in found]

    def _strays(self) -> dict[str, list[tuple[int, str]]]:
        """Return rows of projects that the file does not hold: what -> (line, id)."""
        found: dict[str, list[tuple[int, str]]] = {}
        for what, table, key in (
            ("tasks", "TASK", "task_code"),
            ("links", "TASKPRED", "task_pred_id"),
            ("assignments", "TASKRSRC", "taskrsrc_id"),
        ):
            rows = self.file.rows(table)
            found[what] = [
                (line, name)
                for line, project, name in zip(
                    rows.lines, rows.text("proj_id"), rows.text(key), strict=True
                )
                if project not in self.at
            ]
            self.file.said(
                "missing_project",
                f"{table}.proj_id",
                found[what],
                f"The project of these {what} is not in the file. They were not used.",
            )
        return found

    def _parts(
        self, uid: str, stray: dict[str, list[tuple[int, str]]]
    ) -> dict[str, Any]:
        """Return what the network of a project is made of."""
        file, at = self.file, self.at[uid]
        balance = Balance(file.source)
        for what, items in stray.items():
            balance.read(what, len(items))
            for line, name in items:
                balance.leave(
                    what, "Its project is not in the file.", line=line, name=name
                )
        wbs = wbs_of(file, uid)
        activities = activities_of(file, uid, balance)
        names = Names(self.names, self.task_names, activities.by_uid)
        links = links_of(file, uid, names, balance)
        assigned = assignments_of(file, uid, self.people, activities.by_uid, balance)
        frame = self._costs(uid, activities, assigned, balance)
        baselines, base = self._baselines(uid, frame)
        base = base.reindex(frame["task"])
        frame = frame.assign(
            baseline_start=base["start"].to_numpy(),
            baseline_finish=base["finish"].to_numpy(),
        )
        tasks = with_summaries(frame, wbs, file)
        balance.use("tasks", int((tasks["kind"] != "summary").sum()))
        return dict(
            project=self.names[uid],
            name=_title(wbs, self.names[uid]),
            data_date=self.projects.time("last_recalc_date")[at],
            currency=file.currency,
            source=file.source,
            start=tasks["start"].min() if len(tasks) else pd.NaT,
            finish=tasks["finish"].max() if len(tasks) else pd.NaT,
            hours_per_day=self._hours_per_day(at),
            tasks=tasks,
            links=links,
            assignments=assigned,
            resources=self.people.resources,
            calendars=self.calendars.assign(
                default=self.calendars["calendar"] == self.projects.text("clndr_id")[at]
            ),
            shifts=self.shifts,
            baselines=baselines,
            codes=codes_of(file, uid, activities.by_uid, self.people, self.names[uid]),
            rates=self.people.rates,
            units=self.people.units,
            balance=balance.frame(),
            listed=balance.listed(),
            **self._options(uid, at),
        )

    def _hours_per_day(self, at: int) -> float:
        calendar = self.projects.text("clndr_id")[at]
        own = self.calendars[self.calendars["calendar"] == calendar]["hours_per_day"]
        hours = float(own.iloc[0]) if len(own) else 8.0
        return hours if hours > 0 else 8.0

    def _options(self, uid: str, at: int) -> dict[str, Any]:
        """Return how the file says that its network is scheduled."""
        rows = self.file.rows("SCHEDOPTIONS", uid)

        def option(name: str) -> str:
            return rows.text(name)[-1] if len(rows) else ""

        project = {
            name: self.projects.text(name)[at]
            for name in (
                "proj_id",
                "plan_start_date",
                "plan_end_date",
                "scd_end_date",
                "critical_path_type",
                "critical_drtn_hr_cnt",
                "export_flag",
            )
        }
        mode = "retained_logic"
        if option("sched_progress_override") == "Y":
            mode = "progress_override"
        elif option("sched_retained_logic") == "N":
            mode = "actual_dates"
        return {
            "status_mode": mode,
            "lag_calendar": _LAGS.get(
                option("sched_calendar_on_relationship_lag"), "predecessor"
            ),
            "fields": {
                "scheduler": "p6",
                "version": self.file.version,
                "must_finish": project.pop("plan_end_date"),
                "critical_by": "longest_path"
                if project.pop("critical_path_type") == "CT_DrivPath"
                else "float",
                "critical_float_h": project.pop("critical_drtn_hr_cnt"),
                "float_by": _FLOATS.get(option("sched_float_type"), "finish"),
                "open_ends_critical": option("sched_open_critical_flag") or "N",
                "start_lag_from": "actual"
                if option("sched_lag_early_start_flag") == "N"
                else "early",
                "use_expected_finish": option("sched_use_expect_end_flag") or "N",
                **project,
            },
        }

    def _costs(
        self,
        uid: str,
        activities: Activities,
        assigned: pd.DataFrame,
        balance: Balance,
    ) -> pd.DataFrame:
        """Return activities with hours and cost of assignments and expenses."""
        frame = activities.frame
        rows = self.file.rows("PROJCOST", uid)
        spent = np.nan_to_num(rows.number("act_cost"))
        left = np.nan_to_num(rows.number("remain_cost"))
        expenses = pd.DataFrame(
            {
                "task": [activities.by_uid.get(k, "") for k in rows.text("task_id")],
                "cost": spent + left,
                "actual_cost": spent,
                "planned_cost": rows.number("target_cost"),
            }
        )
        for line, task, cost in zip(
            rows.lines, expenses["task"], expenses["cost"].tolist(), strict=True
        ):
            balance.read("money", cost)
            if task:
                balance.use("money", cost)
            else:
                balance.leave(
                    "money",
                    "The task of this expense is not in the project.",
                    amount=cost,
                    line=line,
                )
        money = pd.concat(
            [assigned[expenses.columns], expenses[expenses["task"] != ""]]
        )
        sums = money.groupby("task")[list(expenses.columns[1:])].sum()
        hours = assigned.groupby("task")[["work_h", "actual_h", "remaining_h"]].sum()
        hours.columns = ["work_h", "actual_work_h", "remaining_work_h"]
        both = sums.join(hours, how="outer").reindex(frame["task"])
        return frame.assign(**{name: both[name].to_numpy() for name in both})

    def _baselines(
        self, uid: str, frame: pd.DataFrame
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return `baselines`, and start and finish in the one in force, by task."""
        found = []
        own = [base for base, of in self.baseline_of.items() if of == uid]
        chosen = self.projects.text("sum_base_proj_id")[self.at[uid]]
        for base in own:
            rows = self.file.rows("TASK", base)
            found.append(
                pd.DataFrame(
                    {
                        "task": rows.text("task_code"),
                        "baseline": self.names[base],
                        "start": rows.time("target_start_date"),
                        "finish": rows.time("target_end_date"),
                        "duration_h": rows.number("target_drtn_hr_cnt"),
                        "work_h": rows.number("target_work_qty"),
                    }
                ).drop_duplicates("task")
            )
        if chosen in own or (own and not chosen):
            base = found[own.index(chosen) if chosen in own else 0]
        elif chosen:
            self.file.said(
                "missing_baseline",
                "PROJECT.sum_base_proj_id",
                [(self.projects.lines[self.at[uid]], self.names[uid])],
                f"Its baseline ({chosen}) is not in the file, so it has no baseline "
                "dates. Export the project together with its baselines.",
            )
            base = frame.iloc[:0].assign(start=[], finish=[])
        else:
            # P6 itself takes the planned dates where no baseline is assigned.
            base = frame.assign(
                start=frame["planned_start"], finish=frame["planned_finish"]
            )
        dates = base.set_index("task")[["start", "finish"]].astype("datetime64[s]")
        every = pd.concat(found) if found else None
        if every is not None:
            every = every[every["task"].isin(set(frame["task"]))].reset_index(drop=True)
        return every, dates


def _title(wbs: Any, short: str) -> str:
    roots = [own for own in wbs.order if not wbs.parent[own]]
    return wbs.name.get(roots[0], "") or short if roots else short
