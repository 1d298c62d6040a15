"""Who works when: load, spend and worth of start dates. The one arithmetic.

Starts are integers: whole periods after the first of the horizon, negative before
it. Work at offset k of a project that starts in s falls into period s + k; what
falls outside the horizon is not counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pmo_analytics.clock import format_period, offsets_from
from pmo_analytics.rules.linear_rules import (
    Rule,
    raised_periods,
    read_rules,
    rule_limits,
)
from pmo_analytics.tables import allowed_starts, by_project, start_windows
from pmo_analytics.tolerance import TOLERANCE as TOLERANCE
from pmo_analytics.tolerance import exact_sum, exceeds, written

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio

Starts = Mapping[str, int]


def all_roles(portfolio: Portfolio) -> list[str]:
    """Return every role with capacity, then those that are only demanded."""
    roles = dict.fromkeys(portfolio.capacity.columns)
    asked = dict.fromkeys(portfolio.demand["role"].tolist())
    return [*roles, *(r for r in asked if isinstance(r, str) and r not in roles)]


def _placed(
    rows: pd.DataFrame, starts: Starts, periods: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return which rows fall inside the horizon, and into which period."""
    own = [starts.get(project, np.nan) for project in rows["project"].tolist()]
    start = np.array(own, dtype=float)
    period = start + rows["offset"].to_numpy(dtype=float, na_value=np.nan)
    inside = (period >= 0) & (period < periods)
    return inside, period[inside].astype(np.int64)


def load_rows(portfolio: Portfolio, starts: Starts) -> pd.DataFrame:
    """Return load by project: columns `project, role, period` (Period), `fte`."""
    demand = portfolio.demand
    inside, period = _placed(demand, starts, len(portfolio.horizon))
    rows = demand.loc[inside, ["project", "role", "fte"]]
    rows.insert(2, "period", portfolio.horizon[period])
    return rows.reset_index(drop=True)


def overloaded_cells(
    portfolio: Portfolio,
    starts: Starts,
    capacity: np.ndarray,
    exactly: Callable[[int, int], float | Fraction],
) -> np.ndarray:
    """Return the cells in which starts load more than there is, period x role.

    Parameters
    ----------
    capacity
        FTE, period x role as in `load_grid`.
    exactly
        Period, role number -> the same without the noise of floats; asked only where
        floats cannot tell.
    """
    load = load_grid(portfolio, starts).to_numpy()
    over = load - np.maximum(capacity, 0.0) - TOLERANCE
    # Sums are far better than this, and what they leave open is added up exactly.
    open_ = np.abs(over) <= 1e-12 * (load + np.abs(capacity))
    cells = (over > 0) & (load > 0)
    for t, r in np.argwhere(open_ & (load > 0)).tolist():
        amounts = cell_amounts(portfolio, starts, t, r)
        cells[t, r] = exceeds(amounts, exactly(t, r), fte=True)
    return cells


def cell_amounts(
    portfolio: Portfolio, starts: Starts, period: int, role: int
) -> np.ndarray:
    """Return the FTE that add up to the load of one role in one period."""
    demand = portfolio.demand
    inside, at = _placed(demand, starts, len(portfolio.horizon))
    mine = (demand["role"] == all_roles(portfolio)[role]).to_numpy()[inside]
    return np.asarray(demand["fte"].to_numpy()[inside][mine & (at == period)])


def load_grid(portfolio: Portfolio, starts: Starts) -> pd.DataFrame:
    """Return load, period x role, FTE; a demanded role without capacity included."""
    roles = all_roles(portfolio)
    demand = portfolio.demand
    inside, period = _placed(demand, starts, len(portfolio.horizon))
    number = {role: i for i, role in enumerate(roles)}
    placed = demand["role"].to_numpy(dtype=object)[inside].tolist()
    column = np.array([number[role] for role in placed], dtype=np.int64)
    grid = np.zeros((len(portfolio.horizon), len(roles)))
    np.add.at(grid, (period, column), demand["fte"].to_numpy()[inside])
    return pd.DataFrame(
        grid, index=portfolio.horizon, columns=pd.Index(roles, name="role", dtype="str")
    )


def stretched_length(left: int | np.ndarray, factor: np.ndarray) -> np.ndarray:
    """Return whole periods that `left` ones take at each factor; work takes one."""
    return np.maximum(np.rint(left * factor).astype(np.int64), np.minimum(left, 1))


def stretched(profile: np.ndarray, length: int, *, keep: str = "effort") -> np.ndarray:
    """Return the work of a project that takes longer or shorter than planned.

    The same share of the work is done at the same share of the way.

    Parameters
    ----------
    profile
        FTE by offset (down) and role.
    length
        Periods that it takes.
    keep
        `effort`: the same FTE-periods in all, so fewer FTE at a time when it takes
        longer; `fte`: as many FTE at a time, so that the effort grows.
    """
    planned = len(profile)
    if length == planned or not planned:
        return profile
    if not profile.shape[1]:  # nobody works
        return np.zeros((length, 0))
    done = np.vstack([np.zeros(profile.shape[1]), np.cumsum(profile, axis=0)])
    marks = np.linspace(0.0, planned, length + 1)
    grid = np.arange(planned + 1)
    spread = np.diff([np.interp(marks, grid, c) for c in done.T], axis=1).T
    return np.asarray(spread * (length / planned if keep == "fte" else 1.0))


def spend_rows(portfolio: Portfolio, starts: Starts) -> pd.DataFrame:
    """Return spend inside the horizon, one row per amount.

    Returns
    -------
    DataFrame
        `project, fund, category, theme, program, period` (Period), `amount`
        (currency).
    """
    spend = portfolio.spend
    inside, period = _placed(spend, starts, len(portfolio.horizon))
    rows = spend.loc[inside, ["project", "fund", "category", "amount"]]
    about = portfolio.projects.drop_duplicates("project").set_index("project")
    rows.insert(3, "theme", rows["project"].map(about["theme"]))
    rows.insert(4, "program", rows["project"].map(about["program"]))
    rows.insert(5, "period", portfolio.horizon[period])
    return rows.reset_index(drop=True)


def budget_spans(portfolio: Portfolio) -> tuple[np.ndarray, np.ndarray]:
    """Return first and last period offset of each budget row; blanks = horizon."""
    start = offsets_from(portfolio.budget["start"], portfolio.horizon)
    end = offsets_from(portfolio.budget["end"], portfolio.horizon)
    last = len(portfolio.horizon) - 1
    return (
        np.where(np.isnan(start), 0, np.fmax(start, 0)).astype(np.int64),
        np.where(np.isnan(end), last, np.fmin(end, last)).astype(np.int64),
    )


def budget_matches(portfolio: Portfolio) -> np.ndarray:
    """Return which spend rows each budget row's filters cover.

    Returns
    -------
    ndarray
        Boolean, budget rows x spend rows.
    """
    spend, budget = portfolio.spend, portfolio.budget
    owners = spend["project"].tolist()
    hit = np.ones((len(budget), len(spend)), dtype=bool)
    for column in ("fund", "category", "theme", "program"):
        wanted = budget[column].tolist()
        rows = np.flatnonzero(budget[column].notna().to_numpy()).tolist()
        if not rows:
            continue
        if column in ("fund", "category"):
            own = spend[column].to_numpy(dtype=object)
        else:
            known = by_project(portfolio.projects, column)
            own = np.array([known.get(name) for name in owners], dtype=object)
        for row in rows:
            hit[row] &= own == wanted[row]
    return hit


def budget_amounts(portfolio: Portfolio, starts: Starts) -> list[np.ndarray]:
    """Return the amounts that fall on each budget row, currency."""
    inside, period = _placed(portfolio.spend, starts, len(portfolio.horizon))
    amount = portfolio.spend["amount"].to_numpy()[inside]
    matches = budget_matches(portfolio)[:, inside]
    first, last = budget_spans(portfolio)
    within = (period >= first[:, None]) & (period <= last[:, None])
    return [amount[row] for row in matches & within]


def budget_use(portfolio: Portfolio, starts: Starts) -> np.ndarray:
    """Return the spend that falls on each budget row, currency."""
    return np.array([own.sum() for own in budget_amounts(portfolio, starts)])


def counts_value(portfolio: Portfolio) -> tuple[bool, bool]:
    """Return whether the objective counts `value` and whether `benefits`."""
    source = portfolio.settings.source
    if not source:
        source = "value" if portfolio.benefits.empty else "benefits"
    return source in ("value", "sum"), source in ("benefits", "sum")


def worth_at_zero(portfolio: Portfolio, *, net: bool | None = None) -> pd.Series[Any]:
    """Return what each project adds to the objective if it starts in s = 0.

    Worth(s) = worth(0) / (1 + discount)^s, for value, benefits and spend alike,
    because all of them are discounted by s plus their own offset.

    Parameters
    ----------
    net
        Subtract spend; None = as the settings say.
    """
    settings = portfolio.settings
    names = portfolio.projects["project"]
    by_value, by_benefits = counts_value(portfolio)
    worth = pd.Series(0.0, index=pd.Index(names, name="project"))
    if by_value:
        worth += portfolio.projects["value"].fillna(0.0).to_numpy()
    tables = [(portfolio.benefits, 1.0)] if by_benefits else []
    if settings.net_of_spend if net is None else net:
        tables.append((portfolio.spend, -1.0))
    for rows, sign in tables:
        factor = (1.0 + settings.discount) ** -rows["offset"].to_numpy(dtype=float)
        present = (rows["amount"] * factor * sign).groupby(rows["project"]).sum()
        worth = worth.add(present.reindex(worth.index, fill_value=0.0))
    return worth * chances(portfolio)


def chances(portfolio: Portfolio) -> np.ndarray:
    """Return what the worth of each project is multiplied by, in their order."""
    projects = portfolio.projects
    if not portfolio.settings.weigh_by_probability:
        return np.ones(len(projects))
    return projects["probability"].fillna(1.0).to_numpy(dtype=float)


def discount_factors(portfolio: Portfolio, starts: Starts) -> pd.Series[Any]:
    """Return 1 / (1 + discount)^s by project; s = 0 for running ones."""
    projects = portfolio.projects
    running = set(projects.loc[projects["status"] == "running", "project"])
    return pd.Series(
        {
            project: (1.0 + portfolio.settings.discount)
            ** -(0 if project in running else start)
            for project, start in starts.items()
        },
        dtype=float,
    )


def worth(portfolio: Portfolio, starts: Starts, *, net: bool | None = None) -> Any:
    """Return what each scheduled project adds to the objective, Series by project."""
    factors = discount_factors(portfolio, starts)
    at_zero = worth_at_zero(portfolio, net=net)
    return (at_zero.reindex(factors.index) * factors).rename("worth")


def fixed_starts(
    portfolio: Portfolio,
    allowed: Mapping[str, np.ndarray] | None = None,
    windows: pd.DataFrame | None = None,
) -> dict[str, int]:
    """Return the work nobody can move: must be selected, one start allowed.

    Parameters
    ----------
    allowed, windows
        Of `allowed_starts` and `start_windows`, where they are known.
    """
    if windows is None:
        windows = start_windows(portfolio.projects, portfolio.horizon)
    if allowed is None:
        allowed = allowed_starts(
            portfolio.projects, portfolio.blackouts, portfolio.horizon, windows
        )
    must = set(windows.index[windows["must"]])
    return {
        name: int(starts[0])
        for name, starts in allowed.items()
        if name in must and len(starts) == 1
    }


@dataclass(frozen=True)
class Limits:
    """The limits in force.

    Attributes
    ----------
    capacity
        period x role, FTE.
    budget
        Amount of each budget row (NaN = no upper limit), currency.
    inherited
        Table `rule, subject, period, use, limit`: where work that cannot be moved
        already takes more than the table's own limit.
    rules
        Name -> upper limit of each rule, one or one per period.
    exact_capacity
        (period, role number) -> capacity as an exact sum, where fixed work raised it.
    exact_budget
        Number of a budget row -> the same of its amount.
    exact_rules
        (rule, period) -> the same of its upper limit.
    """

    capacity: pd.DataFrame
    budget: np.ndarray
    inherited: pd.DataFrame
    rules: Mapping[str, np.ndarray] = field(default_factory=dict)
    exact_capacity: Mapping[tuple[int, int], Fraction] = field(default_factory=dict)
    exact_budget: Mapping[int, Fraction] = field(default_factory=dict)
    exact_rules: Mapping[tuple[str, int], Fraction] = field(default_factory=dict)

    def budget_limit(self, row: int) -> float | Fraction:
        """Return the amount of a budget row, without the noise of floats."""
        return self.exact_budget.get(row, float(self.budget[row]))

    def rule_limit(self, rule: Rule, period: int) -> float | Fraction:
        """Return the upper limit of a rule, without the noise of floats."""
        return self.exact_rules.get((rule.name, period), rule.at_most)


def limits(
    portfolio: Portfolio,
    *,
    strict: bool = False,
    fixed: Starts | None = None,
) -> Limits:
    """Return the limits in force; unless `strict`, fixed work raises them."""
    capacity = portfolio.capacity.reindex(columns=all_roles(portfolio)).fillna(0.0)
    raising = _Raising(
        portfolio,
        capacity,
        portfolio.budget["amount"].to_numpy(dtype=float).copy(),
        {rule.name: rule_limits(portfolio, rule) for rule in read_rules(portfolio)},
    )
    if not strict:
        fixed = fixed_starts(portfolio) if fixed is None else fixed
        raising.capacity_for(fixed)
        raising.budgets_for(fixed)
        raising.rules_for(fixed)
    return raising.limits()


@dataclass
class _Raising:
    """Limits that fixed work raises, with what is inherited by that."""

    portfolio: Portfolio
    capacity: pd.DataFrame
    budget: np.ndarray
    rules: dict[str, np.ndarray]
    rows: list[dict[str, object]] = field(default_factory=list)
    exact_capacity: dict[tuple[int, int], Fraction] = field(default_factory=dict)
    exact_budget: dict[int, Fraction] = field(default_factory=dict)
    exact_rules: dict[tuple[str, int], Fraction] = field(default_factory=dict)

    def capacity_for(self, fixed: Starts) -> None:
        """Raise the capacity of each role and period that fixed work exceeds."""
        use = load_grid(self.portfolio, fixed)
        given = self.capacity.to_numpy()
        over = overloaded_cells(
            self.portfolio, fixed, given, lambda t, r: written(max(given[t, r], 0.0))
        )
        for t, r in np.argwhere(over).tolist():
            amounts = cell_amounts(self.portfolio, fixed, t, r)
            self.exact_capacity[t, r] = exact_sum(amounts)
            role, limit = self.capacity.columns[r], self.capacity.iat[t, r]
            self._inherit("capacity", role, use.iat[t, r], limit, period=t)
        self.capacity = self.capacity.mask(over, use)

    def budgets_for(self, fixed: Starts) -> None:
        """Raise the amount of each budget that fixed work exceeds."""
        for b, spent in enumerate(budget_amounts(self.portfolio, fixed)):
            if exceeds(spent, self.budget[b]):
                self.exact_budget[b] = exact_sum(spent)
                name = self.portfolio.budget["budget"].iat[b]
                self._inherit("budget", name, float(spent.sum()), self.budget[b])
                self.budget[b] = float(self.exact_budget[b])

    def rules_for(self, fixed: Starts) -> None:
        """Raise the upper limits of own rules that fixed work exceeds."""
        for rule in read_rules(self.portfolio):
            raised = raised_periods(self.portfolio, rule, fixed)
            for t, total in raised.items():
                self.exact_rules[rule.name, t] = total
                self.rules[rule.name][t] = float(total)
                self._inherit("rule", rule.name, float(total), rule.at_most, period=t)

    def _inherit(
        self,
        rule: str,
        subject: object,
        use: float,
        limit: object,
        *,
        period: int | None = None,
    ) -> None:
        when = "" if period is None else format_period(self.portfolio.horizon[period])
        self.rows.append(
            {
                "rule": rule,
                "subject": subject,
                "period": when,
                "use": use,
                "limit": limit,
            }
        )

    def limits(self) -> Limits:
        """Return the limits in force."""
        columns = ["rule", "subject", "period", "use", "limit"]
        return Limits(
            self.capacity,
            self.budget,
            pd.DataFrame(self.rows, columns=columns),
            self.rules,
            self.exact_capacity,
            self.exact_budget,
            self.exact_rules,
        )
