"""Dependencies, groups and rules that contradict themselves or each other."""

from __future__ import annotations

from typing import Any

import pandas as pd

from pmo_analytics.errors import problem
from pmo_analytics.tables.windows import by_project, live_names

Problem = dict[str, Any]
Tables = dict[str, pd.DataFrame]


def check_dependencies(tables: Tables) -> list[Problem]:
    """Return self-references, contradicting lags and cycles of positive length."""
    frame = tables["dependencies"]
    if frame.empty:
        return []
    problems = []
    for label, project, requires in zip(
        frame.index, frame["project"], frame["requires"], strict=True
    ):
        if isinstance(project, str) and project == requires:
            problems.append(
                problem(
                    "error",
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
        problem(
            "error",
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
        problem(
            "warning",
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
    live = live_names(projects)
    durations = by_project(projects, "duration")
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
        if pd.isna(lag):  # unreadable, and reported
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
        problem(
            "error",
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
    problems: list[Problem] = []
    if tables["groups"].empty:
        return problems
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
            problem(
                "error",
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
            problem(
                "warning",
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
        problem(
            "error",
            "groups",
            "group_contradiction",
            row=label,
            found=f"{name}: {found}",
            fix=fix,
        )
    ]


def check_own_rules(tables: Tables) -> list[Problem]:
    """Return rules whose rows or limits contradict each other, or limit nothing."""
    problems: list[Problem] = []
    if tables["rules"].empty:
        return problems
    for name, rows in tables["rules"].groupby("rule", sort=False):
        label = rows.index[-1]
        mixed = [
            column
            for column in ("applies_to", "at_least", "at_most")
            if rows[column].nunique(dropna=False) > 1
        ]
        least, most = rows["at_least"].iloc[0], rows["at_most"].iloc[0]
        severity, found, fix = "error", "", ""
        if mixed:
            found = ", ".join(mixed)
            fix = f"All rows of rule '{name}' must say the same {' and '.join(mixed)}."
        elif least > most:
            found = f"at_least {least:g} > at_most {most:g}"
            fix = f"Correct the limits of rule '{name}'."
        elif pd.isna(least) and pd.isna(most):
            severity, found = "warning", str(name)
            fix = f"Rule '{name}' has neither at_least nor at_most and limits nothing."
        elif rows["applies_to"].iloc[0] == "themes":
            found, fix = _wrong_of_themes(str(name), rows)
        if fix:
            rule = "rule_contradiction" if severity == "error" else "rule_without_limit"
            problems.append(
                problem(severity, "rules", rule, row=label, found=found, fix=fix)
            )
    return problems


def _wrong_of_themes(name: str, rows: pd.DataFrame) -> tuple[str, str]:
    """Return what a rule on themes says that it cannot mean, and what to do."""
    least, most = rows["at_least"].iloc[0], rows["at_most"].iloc[0]
    weights = rows.loc[rows["weight"] != 1, "weight"]
    if not pd.isna(least):
        found = f"at_least {least:g}"
        return found, f"Rule '{name}' counts themes: leave its at_least blank."
    if most < 0 or most != int(most):
        found = f"at_most {most:g}"
        return found, f"Rule '{name}' counts themes: give a whole number, 0 or more."
    if len(weights):
        found = f"weight {weights.iloc[0]:g}"
        return found, f"Rule '{name}' counts themes: leave the weights blank."
    return "", ""
