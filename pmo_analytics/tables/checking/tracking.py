"""What is wrong or surprising in progress, milestones and sprints."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pmo_analytics.clock import format_period
from pmo_analytics.errors import problem, suggester

Problem = dict[str, Any]
Tables = dict[str, pd.DataFrame]


def check_tracking(tables: Tables, horizon: pd.PeriodIndex) -> list[Problem]:
    """Return what is wrong or surprising in the tables that status is worked out from.

    All are warnings: plans do not need these tables, and status is worked out from
    what is left, with what was left out named.

    Returns
    -------
    list
        `unknown_project`, `status_after_horizon`, `status_out_of_order`,
        `progress_before_start`, `progress_falls`, `cost_falls`,
        `earned_beyond_budget`, `finish_in_the_past`, `no_baseline`,
        `milestone_without_date`, `milestone_without_status_date`,
        `actual_in_the_future`, `milestone_undone`, `delivered_differs`,
        `negative_cost`.
    """
    progress, milestones = tables["progress"], tables["milestones"]
    if progress.empty and milestones.empty and tables["sprints"].empty:
        return []
    last = horizon[-1].end_time.normalize()
    return [
        *_unknown(progress, "progress", tables),
        *_unknown(milestones, "milestones", tables),
        *_after_horizon(progress, "progress", last),
        *_after_horizon(milestones, "milestones", last),
        *_out_of_order(progress),
        *_before_start(progress, tables),
        *_falling(progress),
        *_cost_falling(progress),
        *_beyond_budget(progress, tables["baselines"]),
        *_finish_in_the_past(progress),
        *_without_baseline(progress, tables),
        *_milestones(milestones),
        *_of_no_day(milestones),
        *_sprints(tables["sprints"]),
        *_credits(tables["actuals"]),
    ]


def _day(value: Any) -> str:
    return f"{value:%Y-%m-%d}"


def _warning(table: str, rule: str, row: Any, column: str, found: Any, fix: str) -> Any:
    return problem("warning", table, rule, row=row, column=column, found=found, fix=fix)


def _unknown(frame: pd.DataFrame, table: str, tables: Tables) -> list[Problem]:
    known = set(tables["projects"]["project"].dropna())
    strange = frame.loc[
        frame["project"].notna() & ~frame["project"].isin(known), "project"
    ]
    nearest = suggester(known)
    return [
        _warning(
            table,
            "unknown_project",
            label,
            "project",
            name,
            f"No project is called '{name}'{nearest(name)}, so the row is not used. "
            "Correct the name.",
        )
        for label, name in strange.items()
    ]


def _after_horizon(
    frame: pd.DataFrame, table: str, last: pd.Timestamp
) -> list[Problem]:
    late = frame.loc[frame["as_of"] > last, "as_of"]
    return [
        _warning(
            table,
            "status_after_horizon",
            label,
            "as_of",
            _day(day),
            f"A status of a day after the horizon, which ends {_day(last)}: is the "
            "year right?",
        )
        for label, day in late.items()
    ]


def _out_of_order(progress: pd.DataFrame) -> list[Problem]:
    """Say where the dates of one project go forth and back: one may be mistyped."""
    found = []
    for name, rows in progress.dropna(subset=["as_of"]).groupby("project", sort=False):
        days = rows["as_of"]
        if days.is_monotonic_increasing or days.is_monotonic_decreasing:
            continue
        sign = 1 if (days.diff() > pd.Timedelta(0)).sum() * 2 >= len(days) - 1 else -1
        steps = days.diff().dt.total_seconds().to_numpy() * sign
        at = int(np.flatnonzero(steps < 0)[0])
        found.append(
            _warning(
                "progress",
                "status_out_of_order",
                rows.index[at],
                "as_of",
                f"{_day(days.iloc[at - 1])}, then {_day(days.iloc[at])}",
                f"The status dates of '{name}' go forth and back, and are used in "
                "their order in time. Is this one right?",
            )
        )
    return found


def _before_start(progress: pd.DataFrame, tables: Tables) -> list[Problem]:
    projects = tables["projects"].dropna(subset=["project", "start"])
    starts = dict(zip(projects["project"], projects["start"], strict=True))
    begun = progress[
        (progress["percent_complete"] > 0) & progress["project"].isin(starts)
    ].dropna(subset=["as_of"])
    found = []
    for label, name, day, share in zip(
        *(begun.index, begun["project"], begun["as_of"], begun["percent_complete"]),
        strict=True,
    ):
        if day < starts[name].start_time:
            found.append(
                _warning(
                    "progress",
                    "progress_before_start",
                    label,
                    "percent_complete",
                    f"{share:g} % on {_day(day)}",
                    f"'{name}' starts {format_period(starts[name])}, after this day. "
                    "Correct the date, or the start in projects.",
                )
            )
    return found


def _falling(progress: pd.DataFrame) -> list[Problem]:
    """Say where less is done than was before: rework, or a mistyped number."""
    told = progress.dropna(subset=["project", "as_of", "percent_complete"])
    told = told[told["percent_complete"].between(0, 100)]
    told = told.sort_values(["project", "as_of"], kind="stable")
    before = told.groupby("project")["percent_complete"].shift()
    fell = told[told["percent_complete"] < before]
    return [
        _warning(
            "progress",
            "progress_falls",
            label,
            "percent_complete",
            f"{before[label]:g} %, then {now:g} %",
            f"Less of '{name}' is done than was before. If work was added or has to "
            "be done again, this is right; else correct the number.",
        )
        for label, name, now in zip(
            fell.index, fell["project"], fell["percent_complete"], strict=True
        )
    ]


def _cost_falling(progress: pd.DataFrame) -> list[Problem]:
    """Say where less was spent than before: both are cumulative."""
    found = []
    for column in ("actual_cost", "actual_hours"):
        told = progress.dropna(subset=["project", "as_of", column])
        told = told.sort_values(["project", "as_of"], kind="stable")
        before = told.groupby("project")[column].shift()
        fell = told[told[column] < before]
        found += [
            _warning(
                "progress",
                "cost_falls",
                label,
                column,
                f"{before[label]:g}, then {now:g}",
                f"'{name}' has spent less than before; the column is what was spent "
                "since the start. If it is that of one period, add up; if it is a "
                "credit, this is right.",
            )
            for label, name, now in zip(
                fell.index, fell["project"], fell[column], strict=True
            )
        ]
    return found


def _beyond_budget(progress: pd.DataFrame, baselines: pd.DataFrame) -> list[Problem]:
    """Say where more is earned than any baseline of the project has."""
    most = baselines.groupby("project")["cost"].max()
    budget = progress["project"].map(most[most > 0]).astype(float)
    return [
        _warning(
            "progress",
            "earned_beyond_budget",
            label,
            "earned_value",
            f"{value:g}, budget {budget[label]:g}",
            "No more can be earned than the budget at completion, so percent complete "
            "counts instead. Correct this, or the cost of the baseline.",
        )
        for label, value in progress.loc[
            progress["earned_value"] > budget * (1 + 1e-9), "earned_value"
        ].items()
    ]


def _finish_in_the_past(progress: pd.DataFrame) -> list[Problem]:
    past = progress[
        (progress["forecast_finish"] < progress["as_of"])
        & ~(progress["percent_complete"] >= 100)
    ]
    return [
        _warning(
            "progress",
            "finish_in_the_past",
            label,
            "forecast_finish",
            f"{_day(finish)}, seen {_day(day)}",
            f"'{name}' was expected to finish before this status was given, and is "
            "not done. Give the day that is expected now.",
        )
        for label, name, finish, day in zip(
            *(past.index, past["project"], past["forecast_finish"], past["as_of"]),
            strict=True,
        )
    ]


def _without_baseline(progress: pd.DataFrame, tables: Tables) -> list[Problem]:
    """Say which running projects are reported on and have nothing to be held to."""
    projects = tables["projects"]
    held = set(tables["baselines"]["project"].dropna())
    told = set(progress["project"].dropna())
    bare = projects[
        (projects["status"] == "running")
        & projects["project"].isin(told)
        & ~projects["project"].isin(held)
    ]
    return [
        _warning(
            "projects",
            "no_baseline",
            label,
            "project",
            name,
            f"'{name}' is reported on and has no row in baselines, so its status is "
            "held against its plan of today. Add what was promised: start, duration, "
            "cost.",
        )
        for label, name in bare["project"].items()
    ]


def _of_no_day(milestones: pd.DataFrame) -> list[Problem]:
    """Say which row of a milestone has no status date while others of it have one.

    What was promised needs none: it counts as before all others.
    """
    dated = milestones["as_of"].notna()
    said = milestones["forecast"].notna() | milestones["actual"].notna()
    others = dated.groupby([milestones["project"], milestones["milestone"]])
    bare = milestones[~dated & said & others.transform("any").eq(True)]
    return [
        _warning(
            "milestones",
            "milestone_without_status_date",
            label,
            "as_of",
            name,
            f"Other rows of '{name}' have a status date; this one counts as older "
            "than all of them. Fill in the day on which it was said.",
        )
        for label, name in bare["milestone"].items()
    ]


def _milestones(milestones: pd.DataFrame) -> list[Problem]:
    found = []
    dates = milestones[["baseline", "forecast", "actual"]]
    for label, name in milestones.loc[dates.isna().all(axis=1), "milestone"].items():
        found.append(
            _warning(
                "milestones",
                "milestone_without_date",
                label,
                "forecast",
                name,
                f"'{name}' has neither baseline nor forecast nor actual and is not "
                "used. Fill in one of them.",
            )
        )
    early = milestones[milestones["actual"] > milestones["as_of"]]
    for label, day, seen in zip(
        early.index, early["actual"], early["as_of"], strict=True
    ):
        found.append(
            _warning(
                "milestones",
                "actual_in_the_future",
                label,
                "actual",
                f"{_day(day)}, seen {_day(seen)}",
                "The milestone was reached after the day on which this was said; it "
                "is taken as a forecast. Correct one of the two.",
            )
        )
    told = milestones.sort_values("as_of", kind="stable", na_position="first")
    before = told.groupby(["project", "milestone"])["actual"].shift()
    undone = told[before.notna() & told["actual"].isna()]
    found += [
        _warning(
            "milestones",
            "milestone_undone",
            label,
            "actual",
            f"reached {_day(before[label])}, then not",
            f"'{name}' was reached before and is open again in this row. If it was "
            "reached, repeat the day.",
        )
        for label, name in undone["milestone"].items()
    ]
    return found


def _credits(actuals: pd.DataFrame) -> list[Problem]:
    """Say which amounts are below 0: credits, or a wrong sign."""
    return [
        _warning(
            "actuals",
            "negative_cost",
            label,
            "amount",
            f"{amount:g}",
            "An amount below 0 is counted as a credit: less was spent. If it is a "
            "cost, correct the sign.",
        )
        for label, amount in actuals.loc[actuals["amount"] < 0, "amount"].items()
    ]


def _sprints(sprints: pd.DataFrame) -> list[Problem]:
    """Say where the rows of one sprint do not agree on what it delivered."""
    given = sprints.dropna(subset=["team", "sprint", "delivered"])
    first = given.groupby(["team", "sprint"])["delivered"].transform("first")
    return [
        _warning(
            "sprints",
            "delivered_differs",
            label,
            "delivered",
            f"{now:g}, before {first[label]:g}",
            "All rows of one sprint say what it delivered in the end. Correct one of "
            "them.",
        )
        for label, now in given.loc[given["delivered"] != first, "delivered"].items()
    ]
