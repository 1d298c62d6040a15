"""Rules that need more than one table, or more than one cell.

Every function takes conformed tables and returns rows of the problems table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pmo_analytics.errors import closest, listing, problem
from pmo_analytics.periods import format_period
from pmo_analytics.windows import CANDIDATES, start_windows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pmo_analytics.periods import Settings

Problem = dict[str, Any]
Tables = dict[str, pd.DataFrame]


def check_rules(
    tables: Tables,
    capacity: pd.DataFrame,
    horizon: pd.PeriodIndex,
    settings: Settings,
) -> list[Problem]:
    """Return every broken rule between tables.

    Parameters
    ----------
    tables
        Conformed tables by name.
    capacity
        Effective capacity, period x role, FTE.
    """
    problems: list[Problem] = []
    problems += check_not_empty(tables, capacity)
    problems += check_references(tables)
    problems += check_durations(tables)
    problems += check_dates(tables, horizon)
    problems += check_dependencies(tables)
    problems += check_groups(tables)
    problems += check_budget(tables, horizon)
    problems += check_capacity(tables, capacity, horizon)
    problems += check_value(tables, settings)
    problems += check_use(tables)
    return problems


def _error(table: str, rule: str, **fields: Any) -> Problem:
    return problem("error", table, rule, **fields)


def _warning(table: str, rule: str, **fields: Any) -> Problem:
    return problem("warning", table, rule, **fields)


def check_not_empty(tables: Tables, capacity: pd.DataFrame) -> list[Problem]:
    """Return an error when there is nothing to plan and nothing to forecast."""
    if len(tables["projects"]) or len(tables["people"]) or len(tables["history"]):
        return []
    if capacity.notna().to_numpy().any():
        return []
    return [
        _error(
            "projects",
            "empty_table",
            fix="The portfolio has no projects, no people and no history. Fill in "
            "the table 'projects'.",
        )
    ]


def _live(tables: Tables) -> pd.Series[Any]:
    """Return the rows of `projects` that can use people or money."""
    projects = tables["projects"]
    out = (projects["force"] == "out") | (
        projects["status"].isin(["cancelled"]) & (projects["force"] != "in")
    )
    return ~out & (projects["status"] != "done")


def check_references(tables: Tables) -> list[Problem]:
    """Return rows that name a project, theme or fund nobody knows."""
    problems = []
    known = set(tables["projects"]["project"].dropna())
    for name in ("demand", "groups", "blackouts", "spend", "benefits", "bookings"):
        problems += _unknown(tables[name], name, "project", known, "error")
    problems += _unknown(
        tables["dependencies"], "dependencies", "project", known, "error"
    )
    for name in ("actuals", "baselines"):
        problems += _unknown(tables[name], name, "project", known, "warning")
    groups = set(tables["groups"]["group"].dropna())
    requires = tables["dependencies"]["requires"]
    for label, value in requires[requires.notna()].items():
        if value not in known and value not in groups:
            problems.append(
                _error(
                    "dependencies",
                    "unknown_project",
                    row=label,
                    column="requires",
                    found=value,
                    fix=f"No project and no group is called '{value}'"
                    f"{closest(value, known | groups)}.",
                )
            )
    if len(tables["people"]):
        people = set(tables["people"]["person"].dropna())
        problems += _unknown(
            tables["bookings"], "bookings", "person", people, "error", "person"
        )
    for table, column in (
        ("blackouts", "theme"),
        ("budget", "theme"),
        ("budget", "program"),
    ):
        words = set(tables["projects"][column].dropna())
        problems += _unknown(tables[table], table, column, words, "warning", column)
    for column in ("fund", "category"):
        words = set(tables["spend"][column].dropna())
        problems += _unknown(
            tables["budget"], "budget", column, words, "warning", column
        )
    return problems


def _unknown(
    frame: pd.DataFrame,
    table: str,
    column: str,
    known: Iterable[object],
    severity: str,
    noun: str = "project",
) -> list[Problem]:
    known = set(known)
    values = frame[column]
    strange = values[values.notna() & ~values.isin(known)]
    return [
        problem(
            severity,
            table,
            f"unknown_{noun}",
            row=label,
            column=column,
            found=value,
            fix=f"No {noun} is called '{value}'{closest(value, known)}. Correct the "
            f"name{'' if severity == 'warning' else ' or add it'}.",
        )
        for label, value in strange.items()
    ]


def check_durations(tables: Tables) -> list[Problem]:
    """Return live projects without a duration, and demand after their end."""
    projects = tables["projects"]
    problems = []
    missing = projects[_live(tables) & projects["duration"].isna()]
    for label, name in missing["project"].items():
        problems.append(
            _error(
                "projects",
                "missing_value",
                row=label,
                column="duration",
                fix=f"Give project '{name}' a duration in whole periods.",
            )
        )
    durations = _by_project(projects, "duration")
    demand = tables["demand"]
    length = demand["project"].map(durations).astype("float64")
    beyond = demand["offset"].astype("float64") >= length
    for label in demand.index[beyond.fillna(False)]:
        name = demand.at[label, "project"]
        problems.append(
            _error(
                "demand",
                "demand_beyond_duration",
                row=label,
                column="offset",
                found=demand.at[label, "offset"],
                fix=f"Project '{name}' lasts {durations[name]} periods, so offsets "
                f"end at {durations[name] - 1}. Lengthen it or move the demand.",
            )
        )
    return problems


def _by_project(projects: pd.DataFrame, column: str) -> dict[str, Any]:
    rows = projects[projects["project"].notna() & projects[column].notna()]
    rows = rows.drop_duplicates("project")
    return dict(zip(rows["project"], rows[column], strict=True))


def check_dates(tables: Tables, horizon: pd.PeriodIndex) -> list[Problem]:
    """Return projects whose dates contradict each other or leave no start."""
    projects = tables["projects"]
    named = projects[projects["project"].notna() & projects["duration"].notna()]
    windows = start_windows(named, horizon)
    problems = []
    for label, row, window in zip(
        named.index,
        named.to_dict("records"),
        windows.to_dict("records"),
        strict=True,
    ):
        if window["state"] == "live":
            problems += _check_project_dates(label, row, window, horizon)
    no_duration = projects[projects["duration"].isna() & (_live(tables))]
    for label, row in no_duration.iterrows():
        if row["status"] == "running" and pd.isna(row["start"]):
            problems.append(_running_without_start(label, row["project"]))
    blackouts = tables["blackouts"]
    backwards = blackouts["start"].notna() & (blackouts["end"] < blackouts["start"])
    problems += [
        _error(
            "blackouts",
            "end_before_start",
            row=label,
            column="end",
            found=format_period(blackouts.at[label, "end"]),
            fix="Let the blackout end in or after the period where it starts.",
        )
        for label in blackouts.index[backwards]
    ]
    return problems


def _running_without_start(label: object, name: object) -> Problem:
    return _error(
        "projects",
        "running_without_start",
        row=label,
        column="start",
        fix=f"Project '{name}' is running: give the period in which it started.",
    )


def _check_project_dates(
    label: object,
    row: Mapping[Any, Any],
    window: Mapping[Any, Any],
    horizon: pd.PeriodIndex,
) -> list[Problem]:
    name, duration = row["project"], int(row["duration"])

    def at(column: str) -> float:
        value = row[column]
        return float("nan") if pd.isna(value) else value.ordinal - horizon[0].ordinal

    start, earliest, latest, deadline = (
        at(c) for c in ("start", "earliest", "latest", "deadline")
    )
    if window["running"]:
        return _check_running(label, name, duration, start, deadline, horizon)
    problems = []
    if earliest > latest:
        problems.append(
            _error(
                "projects",
                "window_contradiction",
                row=label,
                column="latest",
                found=f"{format_period(row['earliest'])} .. "
                f"{format_period(row['latest'])}",
                fix=f"The earliest start of '{name}' is after its latest. Swap or "
                "correct them.",
            )
        )
        return problems
    # A window that has wholly passed is time gone by, not a contradiction.
    opening = (
        start if window["kept"] else np.fmax(earliest, 0 if deadline >= 0 else -1e9)
    )
    if opening + duration - 1 > deadline:
        problems.append(
            _error(
                "projects",
                "window_too_short",
                row=label,
                column="deadline",
                found=format_period(row["deadline"]),
                fix=f"'{name}' lasts {duration} periods and cannot finish by its "
                "deadline even at its first allowed start. Move the deadline, the "
                "window or the duration.",
            )
        )
        return problems
    if window["kept"] and start < 0:
        problems.append(
            _warning(
                "projects",
                "approved_in_the_past",
                row=label,
                column="start",
                found=format_period(row["start"]),
                fix=f"'{name}' is approved and starts before the horizon. If it is "
                "under way, set its status to running.",
            )
        )
    elif window["kept"] and start >= len(horizon):
        problems.append(_beyond(label, name, row["start"]))
    elif window["first"] > window["last"]:
        problems.append(_no_start(label, name, row, window, duration, horizon))
    return problems


def _beyond(label: object, name: object, start: Any) -> Problem:
    return _warning(
        "projects",
        "outside_horizon",
        row=label,
        column="start",
        found=format_period(start),
        fix=f"'{name}' starts after the horizon ends and uses nothing inside it.",
    )


def _no_start(
    label: object,
    name: object,
    row: Mapping[Any, Any],
    window: Mapping[Any, Any],
    duration: int,
    horizon: pd.PeriodIndex,
) -> Problem:
    span = f"{format_period(horizon[0])} .. {format_period(horizon[-1])}"
    dates = ", ".join(
        f"{column} {format_period(row[column])}"
        for column in ("earliest", "latest", "deadline")
        if not pd.isna(row[column])
    )
    why = f"lasts {duration} periods and has no start inside the horizon {span}"
    if window["must"]:
        word = "forced in" if row["force"] == "in" else "approved"
        return _error(
            "projects",
            "impossible_force",
            row=label,
            column="force" if row["force"] == "in" else "status",
            found=dates or f"duration {duration}",
            fix=f"'{name}' is {word} but {why}. Widen its window, shorten it, or "
            "lengthen the horizon.",
        )
    return _warning(
        "projects",
        "outside_horizon",
        row=label,
        column="duration",
        found=dates or f"duration {duration}",
        fix=f"'{name}' {why}; it can never be chosen.",
    )


def _check_running(
    label: object,
    name: object,
    duration: int,
    start: float,
    deadline: float,
    horizon: pd.PeriodIndex,
) -> list[Problem]:
    if np.isnan(start):
        return [_running_without_start(label, name)]
    problems = []
    if start + duration <= 0:
        problems.append(
            _warning(
                "projects",
                "running_has_ended",
                row=label,
                column="duration",
                found=f"duration {duration}",
                fix=f"'{name}' is running but ends before the horizon. Set it to done "
                "or give the duration now expected.",
            )
        )
    if start > 0:
        problems.append(
            _warning(
                "projects",
                "running_in_the_future",
                row=label,
                column="start",
                found=format_period(horizon[0] + int(start)),
                fix=f"'{name}' is running but starts after the horizon begins. Is it "
                "approved?",
            )
        )
    if start + duration - 1 > deadline:
        problems.append(
            _warning(
                "projects",
                "deadline_missed",
                row=label,
                column="deadline",
                found=format_period(horizon[0] + int(deadline)),
                fix=f"'{name}' is running and will finish after its deadline; the "
                "deadline is not applied to it.",
            )
        )
    return problems


def check_dependencies(tables: Tables) -> list[Problem]:
    """Return self-references, contradicting lags and cycles of positive length."""
    frame = tables["dependencies"]
    problems = []
    for label, project, requires in zip(
        frame.index, frame["project"], frame["requires"], strict=True
    ):
        if isinstance(project, str) and project == requires:
            problems.append(
                _error(
                    "dependencies",
                    "depends_on_itself",
                    row=label,
                    column="requires",
                    found=requires,
                    fix=f"'{project}' cannot require itself. Remove the row.",
                )
            )
    backwards = frame["lag_max"].notna() & (frame["lag_max"] < frame["lag"])
    problems += [
        _error(
            "dependencies",
            "lag_contradiction",
            row=label,
            column="lag_max",
            found=f"lag {frame.at[label, 'lag']}, lag_max {frame.at[label, 'lag_max']}",
            fix="lag_max must be at least lag.",
        )
        for label in frame.index[backwards.fillna(False)]
    ]
    names = set(tables["projects"]["project"].dropna())
    both = frame["requires"].isin(names) & frame["requires"].isin(
        set(tables["groups"]["group"].dropna())
    )
    problems += [
        _warning(
            "dependencies",
            "ambiguous_name",
            row=label,
            column="requires",
            found=frame.at[label, "requires"],
            fix="A project and a group have this name; the project is meant. Rename "
            "the group if not.",
        )
        for label in frame.index[both]
    ]
    return problems + _check_cycles(tables, names)


def _check_cycles(tables: Tables, names: set[str]) -> list[Problem]:
    """Report cycles whose total length is positive: nobody in them could start."""
    projects = tables["projects"]
    live = set(projects.loc[_live(tables), "project"].dropna())
    durations = _by_project(projects, "duration")
    frame = tables["dependencies"]
    edges: dict[tuple[str, str], tuple[float, object]] = {}
    for label, j, i, kind, lag in zip(
        frame.index,
        frame["project"],
        frame["requires"],
        frame["kind"],
        frame["lag"],
        strict=True,
    ):
        if kind == "selected" or i == j or i not in live or j not in live:
            continue
        length = float(lag) + (
            float(durations.get(i, 0)) if kind != "start_start" else 0
        )
        if (i, j) not in edges or edges[i, j][0] < length:
            edges[i, j] = (length, label)
    cycle = _positive_cycle(sorted(names & live), edges)
    if not cycle:
        return []
    label = edges[cycle[-1], cycle[0]][1]
    path = " -> ".join([*cycle, cycle[0]])
    return [
        _error(
            "dependencies",
            "cyclic_dependency",
            row=label,
            column="requires",
            found=path,
            fix="These projects wait for each other in a circle, so none can ever "
            "start. Remove one of the rows.",
        )
    ]


def _positive_cycle(
    nodes: list[str], edges: dict[tuple[str, str], tuple[float, object]]
) -> list[str]:
    """Return one cycle of positive total length, or []; Bellman-Ford, longest path."""
    used = {node for edge in edges for node in edge}
    nodes = [node for node in nodes if node in used]
    distance = dict.fromkeys(nodes, 0.0)
    parent: dict[str, str] = {}
    changed = ""
    for _ in range(len(nodes) + 1):
        changed = ""
        for (i, j), (length, _label) in edges.items():
            if distance[i] + length > distance[j] + 1e-9:
                distance[j] = distance[i] + length
                parent[j] = i
                changed = j
        if not changed:
            return []
    node = changed
    for _ in range(len(nodes)):
        node = parent[node]
    cycle = [node]
    while (node := parent[node]) != cycle[0]:
        cycle.append(node)
    return cycle[::-1]


def check_groups(tables: Tables) -> list[Problem]:
    """Return groups whose rows or limits contradict each other."""
    problems = []
    for name, rows in tables["groups"].groupby("group", sort=False):
        problems += _check_group(str(name), rows)
    return problems


def _check_group(name: str, rows: pd.DataFrame) -> list[Problem]:
    label = rows.index[-1]
    mixed = [
        column
        for column in ("rule", "at_least", "at_most")
        if rows[column].nunique(dropna=False) > 1
    ]
    if mixed:
        return [
            _error(
                "groups",
                "group_contradiction",
                row=label,
                column=", ".join(mixed),
                found=name,
                fix=f"All rows of group '{name}' must say the same "
                f"{' and '.join(mixed)}.",
            )
        ]
    rule, least, most = (rows[c].iloc[0] for c in ("rule", "at_least", "at_most"))
    has_least, has_most = not pd.isna(least), not pd.isna(most)
    members = rows["project"].nunique()
    if rule == "all_or_none":
        if not (has_least or has_most):
            return []
        found, fix = "all_or_none with limits", "Leave at_least and at_most blank."
    elif has_least and has_most and least > most:
        found, fix = f"at_least {least} > at_most {most}", "Correct one of them."
    elif has_least and least > members:
        found = f"at_least {least} of {members} members"
        fix = "Lower at_least or add members."
    elif not (has_least or has_most):
        return [
            _warning(
                "groups",
                "group_without_limit",
                row=label,
                found=name,
                fix=f"Group '{name}' has neither at_least nor at_most and limits "
                "nothing.",
            )
        ]
    else:
        return []
    return [
        _error(
            "groups",
            "group_contradiction",
            row=label,
            found=f"{name}: {found}",
            fix=fix,
        )
    ]


def check_budget(tables: Tables, horizon: pd.PeriodIndex) -> list[Problem]:
    """Return budget rows that limit nothing, and spend that nothing limits."""
    budget = tables["budget"]
    problems = []
    for label, row in zip(budget.index, budget.to_dict("records"), strict=True):
        name, start, end = row["budget"], row["start"], row["end"]
        if pd.isna(row["amount"]) and pd.isna(row["at_least"]):
            problems.append(
                _error(
                    "budget",
                    "missing_value",
                    row=label,
                    column="amount",
                    found=name,
                    fix=f"Budget '{name}' needs an amount or an at_least.",
                )
            )
        if row["at_least"] > row["amount"]:
            problems.append(
                _error(
                    "budget",
                    "budget_contradiction",
                    row=label,
                    column="at_least",
                    found=f"at_least {row['at_least']:g} > amount {row['amount']:g}",
                    fix=f"Correct the limits of budget '{name}'.",
                )
            )
        if not pd.isna(start) and not pd.isna(end) and end < start:
            problems.append(
                _error(
                    "budget",
                    "end_before_start",
                    row=label,
                    column="end",
                    found=format_period(end),
                    fix=f"Budget '{name}' ends before it starts.",
                )
            )
        elif (not pd.isna(start) and start < horizon[0]) or (
            not pd.isna(end) and end > horizon[-1]
        ):
            problems.append(
                _warning(
                    "budget",
                    "outside_horizon",
                    row=label,
                    column="start, end",
                    found=f"{format_period(start)} .. {format_period(end)}",
                    fix=f"Budget '{name}' reaches outside the horizon; its amount is "
                    "taken as what is left for the periods inside.",
                )
            )
    return problems + _check_covered(tables)


def _check_covered(tables: Tables) -> list[Problem]:
    """Warn of spend that no budget row covers at any time."""
    spend, budget, projects = tables["spend"], tables["budget"], tables["projects"]
    live = set(projects.loc[_live(tables), "project"].dropna())
    rows = spend[spend["project"].isin(live) & (spend["amount"] > 0)]
    if rows.empty:
        return []
    facts = pd.DataFrame(
        {
            "fund": rows["fund"],
            "category": rows["category"],
            "theme": rows["project"].map(_by_project(projects, "theme")),
            "program": rows["project"].map(_by_project(projects, "program")),
        }
    )
    covered = np.zeros(len(rows), dtype=bool)
    for row in budget.to_dict("records"):
        if pd.isna(row["amount"]):
            continue
        hit = np.ones(len(rows), dtype=bool)
        for column in ("fund", "category", "theme", "program"):
            if not pd.isna(row[column]):
                hit &= (facts[column] == row[column]).to_numpy()
        covered |= hit
    if covered.all():
        return []
    names = list(dict.fromkeys(rows.loc[~covered, "project"]))
    return [
        _warning(
            "spend",
            "spend_without_budget",
            row=rows.index[~covered][0],
            column="amount",
            found=f"{int((~covered).sum())} rows",
            fix="No budget row covers this spend, so nothing limits it: "
            f"{listing(names)}.",
        )
    ]


def check_capacity(
    tables: Tables, capacity: pd.DataFrame, horizon: pd.PeriodIndex
) -> list[Problem]:
    """Return demanded roles without capacity, in all or in some periods."""
    demand = tables["demand"]
    live = set(tables["projects"].loc[_live(tables), "project"].dropna())
    needed = demand[(demand["fte"] > 0) & demand["project"].isin(live)]
    first_rows = needed.drop_duplicates("role")
    problems = []
    for label, role in zip(first_rows.index, first_rows["role"], strict=True):
        if not isinstance(role, str):
            continue
        if role not in capacity.columns:
            rows = int((needed["role"] == role).sum())
            problems.append(
                _error(
                    "demand",
                    "unknown_role",
                    row=label,
                    column="role",
                    found=role,
                    fix=f"{rows} demand rows name the role '{role}', which has neither "
                    f"capacity nor people{closest(role, capacity.columns)}. Correct "
                    "the name or add its capacity.",
                )
            )
            continue
        missing = horizon[capacity[role].isna().to_numpy()]
        if len(missing):
            problems.append(
                _error(
                    "capacity",
                    "capacity_missing",
                    column="fte",
                    found=role,
                    fix=f"Role '{role}' is demanded but has no capacity in "
                    f"{listing((format_period(p) for p in missing), 3)}. Add rows; "
                    "write 0 if nobody is there.",
                )
            )
    negative = capacity.columns[(capacity < 0).any(axis=0)]
    for role in negative:
        problems.append(
            _error(
                "capacity",
                "below_minimum",
                column="fte",
                found=role,
                fix=f"Role '{role}' has negative capacity; it must be at least 0.",
            )
        )
    return problems


def check_value(tables: Tables, settings: Settings) -> list[Problem]:
    """Return an unclear or missing source of value."""
    live = _live(tables)
    has_value = bool(tables["projects"]["value"].notna().any())
    has_benefits = not tables["benefits"].empty
    if settings.source == "" and has_value and has_benefits:
        return [
            _error(
                "portfolio",
                "unclear_value_source",
                column="source",
                found="projects.value and benefits",
                fix="Both are filled. Say which one counts: [value] source = "
                "'value', 'benefits' or 'sum' in portfolio.toml.",
            )
        ]
    if not len(tables["projects"]):
        return []
    by_value = settings.source in ("value", "sum") or (
        settings.source == "" and not has_benefits
    )
    if by_value and settings.source != "sum":
        blank = tables["projects"][live & tables["projects"]["value"].isna()]
        if len(blank):
            return [
                _warning(
                    "projects",
                    "no_value",
                    row=blank.index[0],
                    column="value",
                    found=f"{len(blank)} projects",
                    fix="A project without a value counts 0 and is chosen only when "
                    f"it must be: {listing(blank['project'])}.",
                )
            ]
    if settings.source == "benefits" and not has_benefits:
        return [
            _warning(
                "benefits",
                "no_value",
                fix="The objective counts benefits, and there are none.",
            )
        ]
    return []


def check_use(tables: Tables) -> list[Problem]:
    """Return candidates that would cost neither people nor money."""
    projects = tables["projects"]
    demand, spend = tables["demand"], tables["spend"]
    using = set(demand.loc[demand["fte"] > 0, "project"]) | set(
        spend.loc[spend["amount"] > 0, "project"]
    )
    idle = projects[
        _live(tables)
        & projects["status"].isin(CANDIDATES)
        & projects["project"].notna()
        & ~projects["project"].isin(using)
    ]
    return [
        _warning(
            "projects",
            "no_demand_no_spend",
            row=label,
            column="project",
            found=name,
            fix=f"'{name}' needs neither people nor money, so it looks free. Add its "
            "demand or spend.",
        )
        for label, name in idle["project"].items()
    ]
