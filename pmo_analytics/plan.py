"""Plan: an answer, as dates with everything that follows from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from pmo_analytics.clock import format_period, offsets_from, parse_period
from pmo_analytics.errors import (
    ConfigError,
    DataError,
    closest,
    problem,
    problems_table,
)
from pmo_analytics.evidence import SolveReport, share_text
from pmo_analytics.facts import Facts, facts_html, result_html
from pmo_analytics.portfolio import Portfolio
from pmo_analytics.rules import (
    Limits,
    Record,
    bought_grid,
    budget_use,
    change_cost,
    find_violations,
    fixed_starts,
    limits,
    load_grid,
    load_rows,
    no_projects,
    not_counted,
    purchase_cost,
    purchase_sentences,
    purchases_table,
    read_purchases,
    short_not_counted,
    spend_rows,
    worth,
)
from pmo_analytics.tables import STATUSES, clean_text, start_windows


class Plan:
    """Start dates for the selected projects of a portfolio.

    Always structurally valid; whether it is feasible is a question, answered by
    `violations`.

    Parameters
    ----------
    portfolio
        A snapshot is taken: later edits of it do not change the plan.
    schedule
        Columns `project, start` (Period or text; a `finish` column is ignored and
        worked out), or a mapping project -> start.
    report
        Evidence of the search that found it.
    strict
        Judge overloads of work that cannot be moved as violations.
    purchases
        Capacity that is bought: `offer` (row of `flex`, from 1), `period`, `fte`.

    Raises
    ------
    DataError
        If the portfolio has errors, or a row names no project, names one twice, or
        has no readable start.
    """

    def __init__(
        self,
        portfolio: Portfolio,
        schedule: pd.DataFrame | Mapping[str, object],
        *,
        report: SolveReport | None = None,
        strict: bool = False,
        purchases: pd.DataFrame | None = None,
    ) -> None:
        self.portfolio = portfolio.validate()
        self.starts = read_starts(self.portfolio, schedule)
        self.report = report
        self.strict = strict
        self.record: Record | None = None
        self._not_counted: pd.DataFrame | None = None
        self._bought = (
            None if purchases is None else read_purchases(self.portfolio, purchases)
        )

    @classmethod
    def from_starts(
        cls,
        portfolio: Portfolio,
        starts: Mapping[str, int],
        *,
        report: SolveReport | None = None,
        strict: bool = False,
        purchases: pd.DataFrame | None = None,
        record: Record | None = None,
    ) -> Plan:
        """Return a plan on a snapshot that is already valid; nothing is checked.

        Parameters
        ----------
        starts
            Project -> whole periods after the first of the horizon.
        purchases
            As `purchases_table` returns them.
        record
            Plan of record; its changes have a price.
        """
        plan = cls.__new__(cls)
        plan.portfolio = portfolio
        order = portfolio.projects["project"]
        plan.starts = {name: int(starts[name]) for name in order if name in starts}
        plan.report = report
        plan.strict = strict
        plan._bought = purchases
        plan.record = record
        plan._not_counted = None
        return plan

    @cached_property
    def schedule(self) -> pd.DataFrame:
        """Columns `project, start, finish` (Period), in the order of `projects`."""
        first = self.portfolio.horizon[0].ordinal
        names = list(self.starts)
        start = np.array([self.starts[n] for n in names], dtype=np.int64) + first
        length = self._windows.loc[names, "duration"].to_numpy()
        freq = self.portfolio.freq
        return pd.DataFrame(
            {
                "project": pd.Series(names, dtype="str"),
                "start": pd.PeriodIndex.from_ordinals(start, freq=freq),
                "finish": pd.PeriodIndex.from_ordinals(start + length - 1, freq=freq),
            }
        )

    @cached_property
    def load(self) -> pd.DataFrame:
        """Load, period x role, FTE."""
        return load_grid(self.portfolio, self.starts)

    @property
    def load_rows(self) -> pd.DataFrame:
        """Load by project: columns `project, role, period, fte`."""
        return load_rows(self.portfolio, self.starts)

    @property
    def not_counted(self) -> pd.DataFrame:
        """Projects that a baseline leaves out although they are wanted.

        `project, name, status, must` (has to be done), `fte` (most that it needs in
        one period, all roles together), `reason`; empty for a plan that was decided.
        """
        return no_projects() if self._not_counted is None else self._not_counted

    @property
    def buys(self) -> bool:
        """Whether capacity could be bought, even if nothing is."""
        return self._bought is not None

    @property
    def purchases(self) -> pd.DataFrame:
        """Capacity that is bought, one row per offer and period.

        `offer` (row of the table `flex`, from 1), `role, kind, period` (Period),
        `fte`, `cost` (currency, not discounted).
        """
        if self._bought is None:
            return purchases_table(self.portfolio, {})
        return self._bought

    @property
    def purchase_sentences(self) -> list[str]:
        """What to buy, one sentence per purchase."""
        return purchase_sentences(self.portfolio, self.purchases)

    @cached_property
    def capacity(self) -> pd.DataFrame:
        """Capacity with the columns of `load`, period x role, FTE; with what is bought.

        Blank where none is given.
        """
        grid = self.portfolio.capacity.reindex(columns=self.load.columns)
        if self._bought is None or self._bought.empty:
            return grid
        return grid + bought_grid(self.portfolio, self._bought, grid.columns)

    @property
    def headroom(self) -> pd.DataFrame:
        """Capacity - load, period x role, FTE; may be negative."""
        return self.capacity.fillna(0.0) - self.load

    @property
    def overload(self) -> pd.DataFrame:
        """max(load - capacity, 0), period x role, FTE."""
        return (-self.headroom).clip(lower=0.0)

    @property
    def utilization(self) -> pd.DataFrame:
        """Load / capacity, period x role; blank where there is neither."""
        ratio = self.load / self.capacity.fillna(0.0)
        return ratio.where((self.load > 0) | (self.capacity.fillna(0.0) > 0))

    @property
    def spend(self) -> pd.DataFrame:
        """Spend inside the horizon: `project, fund, category, ..., period, amount`."""
        return spend_rows(self.portfolio, self.starts)

    @cached_property
    def budget(self) -> pd.DataFrame:
        """One row per budget: `budget, amount, at_least, spend, headroom`, currency."""
        rows = self.portfolio.budget[["budget", "amount", "at_least"]].copy()
        rows["spend"] = budget_use(self.portfolio, self.starts)
        rows["headroom"] = rows["amount"] - rows["spend"]
        return rows.reset_index(drop=True)

    @cached_property
    def worth(self) -> pd.Series[Any]:
        """What each selected project adds to the objective, Series by project."""
        result: pd.Series[Any] = worth(self.portfolio, self.starts)
        return result

    @property
    def objective(self) -> float:
        """What is maximised: the sum of `worth`, less purchases and changes."""
        return float(self.worth.sum()) - self.purchase_cost - self.change_cost

    @property
    def purchase_cost(self) -> float:
        """What purchases take off the objective, discounted."""
        if self._bought is None:
            return 0.0
        return purchase_cost(self.portfolio, self._bought)

    @property
    def change_cost(self) -> float:
        """What departing from the plan of record takes off the objective."""
        if self.record is None:
            return 0.0
        return change_cost(self.portfolio, self.record, self.starts)

    @property
    def value(self) -> float:
        """Business benefit, discounted, before any spend is subtracted."""
        return float(worth(self.portfolio, self.starts, net=False).sum())

    @cached_property
    def _windows(self) -> pd.DataFrame:
        return start_windows(self.portfolio.projects, self.portfolio.horizon)

    @cached_property
    def _limits(self) -> Limits:
        if self.strict:
            return limits(self.portfolio, strict=True)
        fixed = fixed_starts(self.portfolio, windows=self._windows)
        return limits(self.portfolio, fixed=fixed)

    @property
    def inherited(self) -> pd.DataFrame:
        """Limits that work nobody can move exceeds: `rule, subject, period, ...`."""
        return self._limits.inherited

    @cached_property
    def violations(self) -> pd.DataFrame:
        """Every broken rule: `rule, subject, period, found, limit, message`."""
        return find_violations(
            self.portfolio,
            self.starts,
            strict=self.strict,
            purchases=self._bought,
            windows=self._windows,
            bounds=self._limits,
        )

    @cached_property
    def projects(self) -> pd.DataFrame:
        """The decision on every project.

        Columns `project, name, theme, status, force, decision` (`selected`, `not
        selected`, `done`, `out`), `planned_start, start, finish, moved` (periods
        later than planned) and `worth`.
        """
        rows = self.portfolio.projects[
            ["project", "name", "theme", "status", "force", "start"]
        ].rename(columns={"start": "planned_start"})
        state = self._windows["state"]
        chosen = rows["project"].isin(self.starts)
        decision = state.to_numpy(dtype=object).copy()
        decision[decision == "live"] = "not selected"
        decision[chosen.to_numpy()] = "selected"
        rows["decision"] = pd.Series(decision, index=rows.index, dtype="str")
        rows = rows.merge(self.schedule, on="project", how="left")
        planned = offsets_from(rows["planned_start"], self.portfolio.horizon)
        actual = offsets_from(rows["start"], self.portfolio.horizon)
        rows["moved"] = pd.array(actual - planned, dtype="Float64").astype("Int64")
        rows["worth"] = rows["project"].map(self.worth)
        return rows

    def summary(self) -> pd.Series[Any]:
        """Return the answer in a few lines, a labelled Series for reading."""
        facts: dict[str, Any] = {"portfolio": self.portfolio.name}
        facts |= self._worth_facts()
        if self.report is not None:
            facts |= self.report.bound_facts()
            facts |= self.report.risk_facts()
            facts |= self.report.stage_facts()
        if missing := short_not_counted(self.not_counted):
            facts["not counted"] = missing
        candidates = self.projects["decision"].isin(["selected", "not selected"])
        facts["projects selected"] = f"{len(self.starts)} of {int(candidates.sum())}"
        if self.starts:
            facts["last finish"] = format_period(self.schedule["finish"].max())
        facts |= self._use_facts()
        facts["inherited limits"] = len(self.inherited)
        facts["violations"] = len(self.violations)
        return Facts(facts, name="plan", dtype=object)

    def _worth_facts(self) -> dict[str, Any]:
        """Return how the search ended, and what the plan is worth."""
        facts: dict[str, Any] = {}
        report = self.report
        if report is not None:
            facts["status"] = str(report.status)
            if report.stopped:
                facts["stopped"] = "before its limits were reached"
        if report is None or report.measure == "worth":
            facts["objective"] = round(self.objective, 2)
        elif report.objective is not None:
            facts[report.measure] = round(report.objective, 2)
        if self.portfolio.settings.weigh_by_probability:
            unknown = int(self.portfolio.projects["probability"].isna().sum())
            facts["worth counts"] = "times probability" + (
                f"; {unknown} projects have none and count in full" if unknown else ""
            )
        if self.record is not None or self._bought is not None:
            facts["worth"] = round(float(self.worth.sum()), 2)
        if self.record is not None:
            facts["price of changes"] = round(self.change_cost, 2)
        return facts

    def _use_facts(self) -> dict[str, Any]:
        """Return how much of people and money the plan uses."""
        facts: dict[str, Any] = {}
        used = self.utilization
        if used.notna().to_numpy().any():
            peak = used.stack().idxmax()
            facts["peak utilization"] = (
                f"{share_text(used.max().max())} ({peak[1]}, {format_period(peak[0])})"
            )
        facts["overload, FTE-periods"] = round(float(self.overload.sum().sum()), 3)
        if self._bought is not None:
            bought, cost = self._bought["fte"].sum(), self._bought["cost"].sum()
            facts["bought capacity, FTE-periods"] = round(float(bought), 3)
            facts["cost of bought capacity"] = round(float(cost), 2)
        facts["spend in horizon"] = round(float(self.spend["amount"].sum()), 2)
        return facts

    def __repr__(self) -> str:
        return f"<Plan>\n{self.summary()}"

    def _repr_html_(self) -> str:
        title = f"Plan of {self.portfolio.name or 'a portfolio'}"
        return result_html(title, facts_html(self.summary()))


def read_starts(
    portfolio: Portfolio, schedule: pd.DataFrame | Mapping[str, object]
) -> dict[str, int]:
    """Return project -> start offset of a schedule, in the order of `projects`.

    Raises
    ------
    DataError
        If a row names no project, names one twice, or has no readable start.
    """
    if isinstance(schedule, Mapping):
        schedule = pd.DataFrame(
            {"project": list(schedule), "start": list(schedule.values())}, dtype=object
        )
    missing = [c for c in ("project", "start") if c not in schedule.columns]
    if missing:
        raise DataError(
            problems_table(
                [
                    problem(
                        "error",
                        "schedule",
                        "missing_column",
                        column=missing[0],
                        found=", ".join(map(str, schedule.columns)),
                        fix="A schedule has the columns project and start.",
                    )
                ]
            )
        )
    known = set(portfolio.projects["project"])
    first = portfolio.horizon[0].ordinal
    starts: dict[str, int] = {}
    problems = []
    for label, name, value in zip(
        schedule.index, schedule["project"], schedule["start"], strict=True
    ):
        name = "" if pd.isna(name) else clean_text(name)
        rule, found, fix = "", name, ""
        if name not in known:
            rule, fix = "unknown_project", f"No such project{closest(name, known)}."
        elif name in starts:
            rule, fix = "duplicate_key", f"'{name}' is scheduled twice; keep one row."
        else:
            try:
                starts[name] = parse_period(value, portfolio.freq).ordinal - first
            except ValueError as error:
                rule, found, fix = "not_a_period", str(value), f"{error}."
        if rule:
            problems.append(
                problem("error", "schedule", rule, row=label, found=found, fix=fix)
            )
    if problems:
        raise DataError(problems_table(problems))
    order = portfolio.projects["project"]
    return {name: starts[name] for name in order if name in starts}


def baseline(portfolio: Portfolio, *, status: Sequence[str] | None = None) -> Plan:
    """Return the plan as dated in the tables: every live project with a start.

    Parameters
    ----------
    portfolio
        The portfolio; what is done, cancelled or forced out is not in the plan.
    status
        Only projects of these statuses, such as `["running", "approved"]`.

    Returns
    -------
    Plan
        Its table `not_counted` names what the dates leave out: projects without a
        start, and with `approved` those that are forced in and not approved.

    Raises
    ------
    DataError
        If the portfolio has errors.
    ConfigError
        If there is no such status.

    Examples
    --------
    >>> import pmo_analytics as pmo
    >>> plan = pmo.baseline(pmo.example_portfolio(), status=["running"])
    >>> bool((plan.load >= 0).all().all())
    True
    """
    snapshot = portfolio.validate()
    projects = snapshot.projects
    windows = start_windows(projects, snapshot.horizon)
    keep = (windows["state"] == "live").to_numpy() & projects[
        "start"
    ].notna().to_numpy()
    if status is not None:
        status = [status] if isinstance(status, str) else list(status)
        unknown = [s for s in status if s not in STATUSES]
        if unknown:
            raise ConfigError(
                f"There is no status '{unknown[0]}'{closest(unknown[0], STATUSES)}."
            )
        keep &= projects["status"].isin(status).to_numpy()
    start = offsets_from(projects["start"], snapshot.horizon)
    names = projects["project"]
    plan = Plan.from_starts(
        snapshot,
        {names.iat[i]: int(start[i]) for i in np.flatnonzero(keep)},
    )
    plan._not_counted = not_counted(snapshot, status)
    return plan
