"""The business rules of a portfolio, each by itself, so that it can be taken away.

The optimizer's options know only what is allowed. Here every start that a project
could take inside the horizon is an option, and every rule that stands against it is
a member of the book with a number of its own: a window, a deadline, a blackout, a
project that must be selected or is out, a capacity, a budget, a dependency, a group.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pmo_analytics.clock import offsets_from
from pmo_analytics.optimization.jobs import RuleFacts
from pmo_analytics.optimization.model.compiling import Compiled, compile_options, grains
from pmo_analytics.optimization.model.grain import grant_people
from pmo_analytics.optimization.model.instance import ALL, Options
from pmo_analytics.rules import Limits, limits, read_rules, requirements
from pmo_analytics.tables import allowed_starts, start_windows

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio

# Capacity that nothing reaches, FTE.
_PLENTY = 1e9
# Rules in the order in which they are given up when one of several is enough: what
# is left over reads best with the people, the money and the projects in it.
KINDS = (
    "blackout",
    "earliest",
    "latest",
    "deadline",
    "start",
    "out",
    "rule",
    "group",
    "dependency",
    "budget_at_least",
    "budget",
    "capacity",
    "must",
)


@dataclass(frozen=True)
class Clause:
    """One rule that can be taken away.

    Attributes
    ----------
    kind
        One of `KINDS`.
    subject
        Role, budget, project or group; of a blackout what it applies to.
    number
        Which one: limited thing, dependency, group, rule of the table `rules`,
        project or row of `blackouts`.
    """

    kind: str
    subject: str
    number: int


@dataclass(frozen=True)
class Rulebook:
    """Every rule of a portfolio, and what each of them forbids.

    Attributes
    ----------
    portfolio, strict
        What it was read from.
    wide
        Options without windows, blackouts and forced refusals; limits in force.
    limits
        The limits in force, inherited ones raised. They stay as they are when the
        project that raised them may be left out.
    rules
        The members, in the order of `KINDS`.
    forbidden
        Shape (2, F): option and the number of a rule that forbids it.
    empty_groups
        Groups that no choice can satisfy: one member is done and another one out.
    unserved
        Dependencies on nobody who could serve.
    """

    portfolio: Portfolio
    strict: bool
    wide: Compiled
    limits: Limits
    rules: list[Clause]
    forbidden: np.ndarray
    empty_groups: list[int]
    unserved: list[tuple[str, str, str]]

    def dependency(self, rule: Clause) -> tuple[str, str, str]:
        """Return project, requires and kind of a dependency."""
        if rule.number < 0:
            return self.unserved[-1 - rule.number]
        return self.wide.dependencies[rule.number]

    @property
    def allowed(self) -> dict[str, np.ndarray]:
        """Project -> starts that its own rules allow as they stand."""
        return allowed_starts(
            self.portfolio.projects, self.portfolio.blackouts, self.portfolio.horizon
        )

    def forbids(self, rule: int, project: str, start: int) -> bool:
        """Return whether a rule forbids one start of a project."""
        option = self.wide.chosen({project: start})
        if option is None:
            return False
        own = self.forbidden[0][self.forbidden[1] == rule]
        return bool(np.isin(option, own).any())

    def numbers(self, kind: str) -> dict[int, int]:
        """Return number of the thing -> number of the rule, of one kind."""
        return {r.number: k for k, r in enumerate(self.rules) if r.kind == kind}

    def projects_of(self, rule: Clause) -> list[str]:
        """Return the projects that a rule names."""
        if rule.kind == "dependency":
            project, requires, _kind = self.dependency(rule)
            return [project, *self._members(requires)]
        if rule.kind == "rule":
            table = self.portfolio.rules
            return table.loc[table["rule"] == rule.subject, "project"].tolist()
        if rule.kind == "group":
            groups = self.portfolio.groups
            return groups.loc[groups["group"] == rule.subject, "project"].tolist()
        return [rule.subject]

    def _members(self, name: str) -> list[str]:
        """Return the projects of a group; a project is its own."""
        groups = self.portfolio.groups
        if name in set(self.portfolio.projects["project"]):
            return [name]
        return groups.loc[groups["group"] == name, "project"].tolist()

    def units(self) -> list[list[int]]:
        """Return the rules as they are first looked at: the months of a role as one."""
        result: list[list[int]] = []
        place: dict[str, int] = {}
        for k, rule in enumerate(self.rules):
            if rule.kind != "capacity":
                result.append([k])
            elif rule.subject in place:
                result[place[rule.subject]].append(k)
            else:
                place[rule.subject] = len(result)
                result.append([k])
        return result

    def facts(self) -> RuleFacts:
        """Return the numbers that the solver's process needs."""
        names = (
            *("capacity", "budget", "budget_at_least"),
            *("dependency", "group", "must"),
        )
        of = {name: list(self.numbers(name).items()) for name in names}
        own = {
            rule.subject: k for k, rule in enumerate(self.rules) if rule.kind == "rule"
        }
        first = len(self.limits.capacity.columns) * len(self.portfolio.horizon)
        first += len(self.portfolio.budget)
        for name, rows, begin in (
            ("linear_resource", self.wide.rules, first),
            ("linear_row", self.wide.rows, 0),
            ("distinct", self.wide.counts, 0),
        ):
            of[name] = [(begin + r, own[rule]) for r, (rule, _) in enumerate(rows)]
        return RuleFacts(
            len(self.rules), of, self.forbidden.tolist(), self.empty_groups
        )


def read_rulebook(
    portfolio: Portfolio, *, strict: bool = False, bought: pd.DataFrame | None = None
) -> Rulebook:
    """Return the rules of a valid portfolio, each by itself.

    Parameters
    ----------
    bought
        FTE on top of the capacity in force, period x role.
    """
    projects = portfolio.projects
    windows = start_windows(projects, portfolio.horizon)
    free = _without_rules(portfolio, windows)
    needed = requirements(free, start_windows(free.projects, free.horizon))
    unserved = sorted(
        {(r.project, r.requires, r.kind) for r in needed if not r.targets}
    )
    keys = pd.MultiIndex.from_frame(free.dependencies[["project", "requires", "kind"]])
    kept = np.array([key not in unserved for key in keys], dtype=bool)
    wide = compile_options(
        free.replace(dependencies=free.dependencies[kept]), strict=strict
    )
    bounds = limits(portfolio, strict=strict)
    if bought is not None:
        more = bought.reindex(columns=bounds.capacity.columns, fill_value=0.0)
        bounds = replace(bounds, capacity=bounds.capacity + more, exact_capacity={})
    done = {rule.name: rule.done for rule in read_rules(portfolio)}
    resources = len(portfolio.horizon) * len(wide.roles)
    wide = replace(wide, options=_limited(portfolio, wide, bounds, done))
    rules = [
        *_rules_on_starts(portfolio, windows),
        *(Clause("rule", name, k) for k, name in enumerate(done)),
        *(Clause("group", name, g) for g, name in enumerate(wide.groups)),
        *(Clause("dependency", d[0], k) for k, d in enumerate(wide.dependencies)),
        *(Clause("dependency", key[0], -1 - k) for k, key in enumerate(unserved)),
        *_rules_on_limits(portfolio, wide, resources),
        *(
            Clause("must", name, p)
            for p, name in enumerate(wide.names)
            if wide.options.must[p]
        ),
    ]
    order = {kind: k for k, kind in enumerate(KINDS)}
    rules.sort(key=lambda rule: order[rule.kind])
    out = set(windows.index[windows["state"] == "out"]) - set(wide.names)
    members = {
        str(group): set(rows["project"])
        for group, rows in portfolio.groups.groupby("group", sort=False)
    }
    return Rulebook(
        portfolio,
        strict,
        wide,
        bounds,
        rules,
        _forbidden(portfolio, free, wide, rules, unserved),
        [
            g
            for g, name in enumerate(wide.groups)
            if wide.options.group.all[g] == ALL and members[name] & out
        ],
        unserved,
    )


def _limited(
    portfolio: Portfolio, wide: Compiled, bounds: Limits, done: dict[str, float]
) -> Options:
    """Return the wide options with the limits in force.

    Parameters
    ----------
    done
        What done projects take of each rule of one's own.
    """
    least = portfolio.budget["at_least"].to_numpy(dtype=float)
    resources = len(portfolio.horizon) * len(wide.roles)
    limit = np.concatenate([bounds.capacity.to_numpy().T.ravel(), bounds.budget])
    many = len(limit)

    def most(rows: list[tuple[str, int]], given: np.ndarray) -> np.ndarray:
        """Return the upper limits in force of rules of one's own."""
        own = [bounds.rules[name][max(t, 0)] - done[name] for name, t in rows]
        return np.where(np.isfinite(given), own, given) if rows else given

    linear, counts = wide.options.linear, wide.options.counts
    slack, unit = _grains(portfolio, bounds, wide.options, many)
    limit, slack, unit = grant_people(portfolio, bounds, limit, slack, unit)
    return replace(
        wide.options,
        slack=slack,
        unit=unit,
        limit=np.concatenate(
            [
                np.where(np.isnan(limit), np.inf, limit),
                most(wide.rules, wide.options.limit[many:]),
            ]
        ),
        least=np.concatenate(
            [
                np.full(resources, -np.inf),
                np.nan_to_num(least, nan=-np.inf),
                wide.options.least[many:],
            ]
        ),
        linear=replace(linear, upper=most(wide.rows, linear.upper)),
        counts=replace(
            counts,
            most=np.array(
                [bounds.rules[name][t] for name, t in wide.counts], dtype=np.int64
            ),
        ),
    )


def _grains(
    portfolio: Portfolio, bounds: Limits, options: Options, many: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return slack and unit of everything limited, of money by the limits in force.

    The wide options know no limit on money, and so not by how much it may be exceeded.
    """
    mine = options.use.row < many
    owner = options.project[options.use_option()[mine]]
    uses = options.use.row[mine], options.use.amount[mine]
    slack, unit = grains(portfolio, bounds, owner, *uses, [], many)
    return (
        np.concatenate([slack, options.slack[many:]]),
        np.concatenate([unit, options.unit[many:]]),
    )


def _without_rules(portfolio: Portfolio, windows: pd.DataFrame) -> Portfolio:
    """Return the portfolio with every start inside the horizon open to everybody.

    Running work keeps its start, and so does approved work that begins outside the
    horizon: those are facts.
    """
    projects = portfolio.projects.copy()
    out = (windows["state"] == "out").to_numpy() & (projects["status"] != "done")
    projects.loc[out, ["status", "force"]] = ["proposed", None]
    projects[["earliest", "latest", "deadline"]] = None
    own = offsets_from(projects["start"], portfolio.horizon)
    inside = (own >= 0) & (own < len(portfolio.horizon))
    kept = windows["kept"].to_numpy() & ~windows["running"].to_numpy() & ~inside
    approved = (projects["status"] == "approved").to_numpy()
    projects.loc[approved & ~kept, "start"] = None
    return portfolio.replace(
        projects=projects,
        blackouts=portfolio.blackouts.iloc[:0],
        capacity=portfolio.capacity * 0.0 + _PLENTY,
        budget=portfolio.budget.assign(amount=None, at_least=None),
    )


def _rules_on_starts(portfolio: Portfolio, windows: pd.DataFrame) -> list[Clause]:
    projects = portfolio.projects
    facts = {
        column: projects[column].notna().to_numpy()
        for column in ("earliest", "latest", "deadline")
    }
    running = windows["running"].to_numpy()
    inside = offsets_from(projects["start"], portfolio.horizon)
    inside = (inside >= 0) & (inside < len(portfolio.horizon))
    kept = windows["kept"].to_numpy() & ~running
    for column in ("earliest", "latest", "deadline"):
        facts[column] = facts[column] & ~running
    facts["start"] = kept & inside
    out = (windows["state"] == "out").to_numpy()
    facts["out"] = out & (projects["status"] != "done").to_numpy()
    live = (windows["state"] == "live").to_numpy() | facts["out"]
    rules = [
        Clause(kind, str(projects["project"].iat[row]), int(row))
        for kind in ("earliest", "latest", "deadline", "start", "out")
        for row in np.flatnonzero(facts[kind] & live)
    ]
    blackouts = portfolio.blackouts
    for row in range(len(blackouts)):
        project, theme = blackouts["project"].iat[row], blackouts["theme"].iat[row]
        subject = theme if pd.isna(project) else project
        rules.append(
            Clause("blackout", "all" if pd.isna(subject) else str(subject), row)
        )
    return rules


def _rules_on_limits(
    portfolio: Portfolio, wide: Compiled, resources: int
) -> list[Clause]:
    """Return the limits that all projects together could exceed."""
    options = wide.options
    periods = max(len(portfolio.horizon), 1)
    budgets = portfolio.budget["budget"].tolist()
    exceeded = np.isfinite(options.limit) & (options.largest_use() > options.limit)
    exceeded[resources + len(budgets) :] = False  # these are rules of one's own
    rules = [
        Clause("capacity", wide.roles[int(resource) // periods], int(resource))
        if resource < resources
        else Clause("budget", str(budgets[resource - resources]), int(resource))
        for resource in np.flatnonzero(exceeded)
    ]
    wanted = np.isfinite(options.least) & (options.least > 0)
    wanted[resources + len(budgets) :] = False
    return rules + [
        Clause("budget_at_least", str(budgets[resource - resources]), int(resource))
        for resource in np.flatnonzero(wanted)
    ]


def _forbidden(
    portfolio: Portfolio,
    free: Portfolio,
    wide: Compiled,
    rules: list[Clause],
    unserved: list[tuple[str, str, str]],
) -> np.ndarray:
    """Return (option, rule) wherever a rule forbids a start."""
    projects, horizon = portfolio.projects, portfolio.horizon
    options = wide.options
    number = {name: p for p, name in enumerate(wide.names)}
    limit = {
        column: offsets_from(projects[column], horizon)
        for column in ("earliest", "latest", "deadline", "start")
    }
    duration = projects["duration"].fillna(0).to_numpy(dtype=np.int64)
    found: list[tuple[np.ndarray, int]] = []
    for k, rule in enumerate(rules):
        if rule.kind == "blackout":
            one = portfolio.blackouts.iloc[[rule.number]]
            left = allowed_starts(free.projects, one, horizon)
            blocked = [
                options.first[p] + np.flatnonzero(~np.isin(_own(options, p), left[n]))
                for n, p in number.items()
            ]
            found += [(part, k) for part in blocked if len(part)]
            continue
        if rule.kind == "dependency" and rule.number < 0:
            p = number[unserved[-1 - rule.number][0]]
            found.append((np.arange(options.first[p], options.first[p + 1]), k))
            continue
        if rule.kind not in (*limit, "out"):
            continue
        p, row = number[rule.subject], rule.number
        starts = _own(options, p)
        edge = np.nan if rule.kind == "out" else limit[rule.kind][row]
        if rule.kind == "earliest":
            wrong = starts < edge
        elif rule.kind == "latest":
            wrong = starts > edge
        elif rule.kind == "deadline":
            wrong = starts + duration[row] - 1 > edge
        else:  # a start that is kept; who is out has none
            wrong = starts != edge
        found.append((options.first[p] + np.flatnonzero(wrong), k))
    if not found:
        return np.zeros((2, 0), dtype=np.int64)
    return np.stack(
        [
            np.concatenate([part for part, _ in found]).astype(np.int64),
            np.concatenate([np.full(len(part), k) for part, k in found]),
        ]
    ).astype(np.int64)


def _own(options: Any, project: int) -> np.ndarray:
    return options.start[options.first[project] : options.first[project + 1]]
