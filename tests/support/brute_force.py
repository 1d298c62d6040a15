"""The best plan by plain enumeration: slow, and right by reading it.

Nothing of the package's arithmetic is used. Only the tables of a portfolio are read;
every rule is written a second time here, in exact fractions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from math import lcm, prod
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio

# Of FTE, absolute; of all else as a share of the absolute amounts that are added.
TOLERANCE = Fraction(1, 1_000_000)
ROUNDING = Fraction(1, 2**52)


@dataclass
class Project:
    """One row of `projects`, blanks as None, periods as offsets from the first."""

    name: str
    state: str  # "live", "done" or "out"
    running: bool
    must: bool
    planned: int | None  # of approved projects
    duration: int
    value: Fraction
    theme: str | None
    program: str | None
    chance: Fraction  # by which its worth is multiplied
    starts: list[int] = field(default_factory=list)

    @property
    def fixed(self) -> bool:
        return self.must and (self.running or len(self.starts) == 1)


@dataclass
class Case:
    """A portfolio in plain numbers."""

    periods: int
    rate: Fraction  # 1 + discount
    source: str
    net_of_spend: bool
    projects: dict[str, Project]
    capacity: dict[tuple[str, int], Fraction]  # (role, period)
    demand: dict[str, list[tuple[str, int, Fraction]]]  # project: role, offset, fte
    spend: dict[str, list[dict[str, Any]]]
    benefits: dict[str, list[tuple[int, Fraction]]]
    budgets: list[dict[str, Any]]
    dependencies: list[dict[str, Any]]
    groups: dict[str, dict[str, Any]]
    rules: dict[str, dict[str, Any]]


# ------------------------------------------------------------------ reading the tables


def exact(number: Any) -> Fraction:
    """Return the decimal number that a float shows."""
    return Fraction(Decimal(repr(float(number))))


def _records(frame: pd.DataFrame, first: pd.Period) -> list[dict[str, Any]]:
    def plain(cell: Any) -> Any:
        if cell is None or cell is pd.NaT or cell is pd.NA or cell != cell:
            return None
        if isinstance(cell, pd.Period):
            return cell.ordinal - first.ordinal
        return cell

    # Thousands of small tables are read, most of them empty.
    names = list(frame.columns) if len(frame) else []
    columns = [map(plain, frame[name].tolist()) for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def read_case(portfolio: Portfolio) -> Case:
    """Return a portfolio in plain numbers."""
    first = portfolio.horizon[0]
    periods = len(portfolio.horizon)
    settings = portfolio.settings
    rows = {
        name: _records(getattr(portfolio, name), first)
        for name in (
            "projects",
            "demand",
            "spend",
            "benefits",
            "budget",
            "dependencies",
            "groups",
            "rules",
            "blackouts",
        )
    }
    if not settings.weigh_by_probability:
        rows["projects"] = [{**row, "probability": None} for row in rows["projects"]]
    projects = {
        row["project"]: _read_project(row, rows["blackouts"], periods)
        for row in rows["projects"]
    }

    source = settings.source
    if source == "":
        filled = any(row["value"] is not None for row in rows["projects"])
        source = "benefits" if rows["benefits"] and not filled else "value"

    demand: dict[str, list[tuple[str, int, Fraction]]] = {name: [] for name in projects}
    for row in rows["demand"]:
        if row["fte"] > 0:
            fte = exact(row["fte"])
            demand[row["project"]].append((row["role"], int(row["offset"]), fte))
    grid = portfolio.capacity
    asked = {
        role: None
        for name, needs in demand.items()
        if projects[name].state == "live"
        for role, _, _ in needs
    }
    capacity = {
        (role, period): exact(fte)
        for role in asked
        for period, fte in enumerate(grid[role].tolist())
    }
    spend: dict[str, list[dict[str, Any]]] = {name: [] for name in projects}
    for row in rows["spend"]:
        row["amount"] = exact(row["amount"])
        spend[row["project"]].append(row)
    benefits: dict[str, list[tuple[int, Fraction]]] = {name: [] for name in projects}
    for row in rows["benefits"]:
        benefits[row["project"]].append((int(row["offset"]), exact(row["amount"])))
    for row in rows["budget"]:
        for column in ("amount", "at_least"):
            row[column] = None if row[column] is None else exact(row[column])
    groups: dict[str, dict[str, Any]] = {}
    for row in rows["groups"]:
        groups.setdefault(row["group"], {**row, "members": []})
        groups[row["group"]]["members"].append(row["project"])
    rules: dict[str, dict[str, Any]] = {}
    for row in rows["rules"]:
        rules.setdefault(row["rule"], {**row, "weights": {}})
        rules[row["rule"]]["weights"][row["project"]] = exact(row["weight"])
    return Case(
        periods=periods,
        rate=1 + exact(settings.discount),
        source=source,
        net_of_spend=settings.net_of_spend,
        projects=projects,
        capacity=capacity,
        demand=demand,
        spend=spend,
        benefits=benefits,
        budgets=rows["budget"],
        dependencies=rows["dependencies"],
        groups=groups,
        rules=rules,
    )


def _read_project(
    row: dict[str, Any], blackouts: list[dict[str, Any]], periods: int
) -> Project:
    status, force = row["status"], row["force"]
    if force == "out":
        state = "out"
    elif status == "done":
        state = "done"
    elif status == "cancelled" and force != "in":
        state = "out"
    else:
        state = "live"
    project = Project(
        name=row["project"],
        state=state,
        running=state == "live" and status == "running",
        must=state == "live" and (status in ("running", "approved") or force == "in"),
        planned=row["start"] if status == "approved" else None,
        duration=int(row["duration"] or 0),
        value=Fraction(0) if row["value"] is None else exact(row["value"]),
        theme=row["theme"],
        program=row["program"],
        chance=Fraction(1) if row["probability"] is None else exact(row["probability"]),
    )
    if state == "live":
        project.starts = _allowed_starts(row, project, blackouts, periods)
    return project


def _allowed_starts(
    row: dict[str, Any],
    project: Project,
    blackouts: list[dict[str, Any]],
    periods: int,
) -> list[int]:
    if project.running:
        return [row["start"]]
    duration, deadline = project.duration, row["deadline"]
    earliest, latest = row["earliest"], row["latest"]
    if project.planned is not None and earliest is None and latest is None:
        starts = [project.planned]
    else:
        approved = row["status"] == "approved"
        last = periods - 1 if approved else periods - duration
        starts = list(range(last + 1))
        if earliest is not None:
            starts = [s for s in starts if s >= earliest]
        if latest is not None:
            starts = [s for s in starts if s <= latest]
    if deadline is not None:
        starts = [s for s in starts if s + duration - 1 <= deadline]
    for blackout in blackouts:
        if blackout["project"] is not None:
            concerned = blackout["project"] == project.name
        elif blackout["theme"] is not None:
            concerned = blackout["theme"] == project.theme
        else:
            concerned = True
        if concerned:
            starts = [s for s in starts if not _blocked(s, duration, blackout, periods)]
    return starts


def _blocked(start: int, duration: int, row: dict[str, Any], periods: int) -> bool:
    first = 0 if row["start"] is None else row["start"]
    last = periods - 1 if row["end"] is None else row["end"]
    if row["applies_to"] == "start":
        touched = [start]
    elif row["applies_to"] == "finish":
        touched = [start + duration - 1]
    else:
        touched = list(range(start, start + duration))
    return any(first <= period <= last for period in touched)


# ---------------------------------------------------------- what one choice uses, earns


def worth(case: Case, name: str, start: int) -> Fraction:
    """Return what a selected project adds to the objective."""
    project = case.projects[name]
    since = 0 if project.running else start
    total = Fraction(0)
    if case.source in ("value", "sum"):
        total += project.value / case.rate**since
    if case.source in ("benefits", "sum"):
        for offset, amount in case.benefits[name]:
            total += amount / case.rate ** (since + offset)
    if case.net_of_spend:
        for row in case.spend[name]:
            total -= row["amount"] / case.rate ** (since + int(row["offset"]))
    return total * project.chance


def loads(case: Case, name: str, start: int) -> dict[tuple[str, int], Fraction]:
    """Return the FTE that a project needs by role and period of the horizon."""
    result: dict[tuple[str, int], Fraction] = {}
    for role, offset, fte in case.demand[name]:
        if 0 <= start + offset < case.periods:
            cell = (role, start + offset)
            result[cell] = result.get(cell, Fraction(0)) + fte
    return result


def summed(case: Case, starts: dict[str, int]) -> dict[tuple[str, int], Fraction]:
    """Return the FTE that projects need together by role and period."""
    total: dict[tuple[str, int], Fraction] = {}
    for name, start in starts.items():
        for cell, fte in loads(case, name, start).items():
            total[cell] = total.get(cell, Fraction(0)) + fte
    return total


def costs(case: Case, budget: dict[str, Any], name: str, start: int) -> Fraction:
    """Return the spend of a project that falls under a budget row."""
    project = case.projects[name]
    first = 0 if budget["start"] is None else max(budget["start"], 0)
    last = case.periods - 1
    if budget["end"] is not None:
        last = min(budget["end"], last)
    total = Fraction(0)
    for row in case.spend[name]:
        if (
            budget["fund"] in (None, row["fund"])
            and budget["category"] in (None, row["category"])
            and budget["theme"] in (None, project.theme)
            and budget["program"] in (None, project.program)
            and first <= start + int(row["offset"]) <= last
        ):
            total += row["amount"]
    return total


def limits(
    case: Case, strict: bool
) -> tuple[dict[tuple[str, int], Fraction], list[Fraction | None]]:
    """Return the limit of each capacity cell and of each budget row's amount."""
    fixed = {p.name: p.starts[0] for p in case.projects.values() if p.fixed}
    capacity = dict(case.capacity)
    amounts = [budget["amount"] for budget in case.budgets]
    if strict:
        return capacity, amounts
    inherited_load = summed(case, fixed)
    for cell in capacity:
        capacity[cell] = max(capacity[cell], inherited_load.get(cell, Fraction(0)))
    for k, budget in enumerate(case.budgets):
        if amounts[k] is not None:
            inherited = sum(costs(case, budget, n, s) for n, s in fixed.items())
            amounts[k] = max(amounts[k], Fraction(inherited))
    return capacity, amounts


# --------------------------------------------------------------------------- the rules


def broken_rules(
    portfolio: Portfolio | Case, starts: dict[str, int], *, strict: bool = False
) -> list[str]:
    """Return every rule that a choice breaks, in words; nothing when it is feasible.

    Parameters
    ----------
    starts
        Selected live project -> start in periods after the first of the horizon.
    """
    case = portfolio if isinstance(portfolio, Case) else read_case(portfolio)
    found = []
    for name, project in case.projects.items():
        if name in starts and starts[name] not in project.starts:
            found.append(f"start {name}")
        if project.must and name not in starts:
            found.append(f"must {name}")
    capacity, amounts = limits(case, strict)
    used = summed(case, starts)
    for cell, limit in capacity.items():
        if used.get(cell, Fraction(0)) > limit + TOLERANCE:
            found.append(f"capacity {cell}")
    for budget, limit in zip(case.budgets, amounts, strict=True):
        total = sum(costs(case, budget, n, s) for n, s in starts.items())
        if limit is not None and total > limit + ROUNDING * total:
            found.append(f"budget {budget['budget']}")
    return found + _broken_logic(case, starts, strict)


def _broken_logic(case: Case, starts: dict[str, int], strict: bool) -> list[str]:
    """Return broken rules that a later choice can mend, so checked at the end only."""
    selected = {*starts, *(p.name for p in case.projects.values() if p.state == "done")}
    found = []
    for row in case.dependencies:
        if row["project"] in starts and not _satisfied(case, row, starts, selected):
            found.append(f"dependency {row['project']} {row['requires']}")
    for name, group in case.groups.items():
        chosen = sum(member in selected for member in group["members"])
        if group["rule"] == "all_or_none":
            fine = chosen in (0, len(group["members"]))
        else:
            fine = (group["at_least"] is None or chosen >= group["at_least"]) and (
                group["at_most"] is None or chosen <= group["at_most"]
            )
        if not fine:
            found.append(f"group {name}")
    for budget in case.budgets:
        if budget["at_least"] is not None:
            total = sum(costs(case, budget, n, s) for n, s in starts.items())
            if total < budget["at_least"] - ROUNDING * total:
                found.append(f"at_least {budget['budget']}")
    for name, rule in case.rules.items():
        for period in range(case.periods) if rule["applies_to"] == "work" else [None]:
            total = weighed(case, rule, starts, period)
            granted = ROUNDING * weighed(case, rule, starts, period, sizes=True)
            least, most = rule["at_least"], rule["at_most"]
            if most is not None:
                most = exact(most)
                if period is not None and not strict:
                    fixed = {
                        p.name: p.starts[0] for p in case.projects.values() if p.fixed
                    }
                    inherited = weighed(case, rule, fixed, period)
                    if inherited > 0:
                        most = max(most, inherited)
                if total > most + granted:
                    found.append(f"rule {name}")
            if least is not None and total < exact(least) - granted:
                found.append(f"rule {name}")
    return found


def weighed(
    case: Case,
    rule: dict[str, Any],
    starts: dict[str, int],
    period: int | None,
    *,
    sizes: bool = False,
) -> Fraction:
    """Return the sum of a rule, once or for the projects at work in a period.

    With `sizes` of the absolute weights.
    """
    total = Fraction(0)
    for name, given in rule["weights"].items():
        weight = abs(given) if sizes else given
        project = case.projects[name]
        if period is None:
            total += weight * (name in starts or project.state == "done")
        elif name in starts:
            begin = starts[name]
            total += weight * (begin <= period < begin + project.duration)
    return total


def _satisfied(
    case: Case, row: dict[str, Any], starts: dict[str, int], selected: set[str]
) -> bool:
    """Return whether a selected live project has what it requires."""
    j, kind, lag, lag_max = row["project"], row["kind"], row["lag"], row["lag_max"]
    if row["requires"] in case.projects:
        serving = [row["requires"]]
    else:
        serving = [m for m in case.groups[row["requires"]]["members"] if m != j]
    for i in serving:
        if i not in selected:
            continue
        if case.projects[i].state == "done" or kind == "selected":
            return True
        wait = starts[j] - starts[i]
        if kind == "finish_start":
            wait -= case.projects[i].duration
        if wait >= lag and (lag_max is None or wait <= lag_max):
            return True
    return False


# ---------------------------------------------------------------------- the enumeration


def objective(portfolio: Portfolio | Case, starts: dict[str, int]) -> Fraction:
    """Return the objective of a choice."""
    case = portfolio if isinstance(portfolio, Case) else read_case(portfolio)
    return sum((worth(case, n, s) for n, s in starts.items()), Fraction(0))


def lateness(portfolio: Portfolio | Case, starts: dict[str, int]) -> int:
    """Return what breaks ties: starts, or distances to the planned ones, summed."""
    case = portfolio if isinstance(portfolio, Case) else read_case(portfolio)
    total = 0
    for name, start in starts.items():
        project = case.projects[name]
        if project.fixed:
            continue
        total += start if project.planned is None else abs(start - project.planned)
    return total


def combinations(portfolio: Portfolio | Case) -> int:
    """Return how many combinations of starts and refusals there are."""
    case = portfolio if isinstance(portfolio, Case) else read_case(portfolio)
    live = [p for p in case.projects.values() if p.state == "live"]
    return prod(len(p.starts) + (not p.must) for p in live)


def best_plan(
    portfolio: Portfolio | Case, strict: bool = False
) -> tuple[Fraction | None, dict[str, int] | None]:
    """Return the best objective and its plan; (None, None) when nothing is feasible.

    Every combination of allowed starts and refusals is tried. Cut short are only
    those whose partial load or spend already exceeds a limit (neither can fall
    again) and those that cannot reach the best objective even if every project
    still to come were at its own best.

    Returns
    -------
    tuple
        Objective; selected live project -> start in periods after the first of the
        horizon. Among equal objectives the smallest `lateness` wins.
    """
    case = portfolio if isinstance(portfolio, Case) else read_case(portfolio)
    capacity, amounts = limits(case, strict)
    rows = [*capacity, *(k for k, a in enumerate(amounts) if a is not None)]
    ceilings = [*capacity.values(), *(a for a in amounts if a is not None)]
    live = [p for p in case.projects.values() if p.state == "live"]

    # Per project: (start or None, worth, lateness, row -> use), in fractions.
    options: list[list[tuple[int | None, Fraction, int, dict[int, Fraction]]]] = []
    for project in live:
        mine: list[tuple[int | None, Fraction, int, dict[int, Fraction]]] = []
        for start in project.starts:
            load = loads(case, project.name, start)
            use = {r: load[c] for r, c in enumerate(rows) if c in load}
            for r, k in enumerate(rows):
                if isinstance(k, int):
                    use[r] = costs(case, case.budgets[k], project.name, start)
            late = lateness(case, {project.name: start})
            mine.append((start, worth(case, project.name, start), late, use))
        if not project.must:
            mine.append((None, Fraction(0), 0, {}))
        if not mine:
            return None, None
        options.append(sorted(mine, key=lambda option: -option[1]))

    # The same in whole numbers, for speed.
    money = lcm(*(o[1].denominator for each in options for o in each))
    unit = lcm(
        TOLERANCE.denominator,
        *(c.denominator for c in ceilings),
        *(u.denominator for each in options for o in each for u in o[3].values()),
    )
    whole = [
        [
            (
                start,
                int(gain * money),
                late,
                [(r, int(u * unit)) for r, u in use.items()],
            )
            for start, gain, late, use in each
        ]
        for each in options
    ]
    tops = [
        int(
            (ceiling + TOLERANCE if r < len(capacity) else ceiling / (1 - ROUNDING))
            * unit
        )
        for r, ceiling in enumerate(ceilings)
    ]
    still = [sum(each[0][1] for each in whole[k:]) for k in range(len(whole) + 1)]

    used = [0] * len(rows)
    starts: dict[str, int] = {}
    best: tuple[int, int, dict[str, int]] | None = None

    def choose(k: int, gained: int, late: int) -> None:
        nonlocal best
        if best is not None and gained + still[k] < best[0]:
            return
        if k == len(whole):
            better = best is None or (gained, -late) > (best[0], -best[1])
            if better and not _broken_logic(case, starts, strict):
                best = (gained, late, dict(starts))
            return
        name = live[k].name
        for start, gain, more, uses in whole[k]:
            for r, use in uses:
                used[r] += use
            if all(used[r] <= tops[r] for r, _ in uses):
                if start is not None:
                    starts[name] = start
                choose(k + 1, gained + gain, late + more)
                starts.pop(name, None)
            for r, use in uses:
                used[r] -= use

    choose(0, 0, 0)
    if best is None:
        return None, None
    plan = best[2]
    assert not broken_rules(case, plan, strict=strict)
    assert objective(case, plan) == Fraction(best[0], money)
    return objective(case, plan), plan
