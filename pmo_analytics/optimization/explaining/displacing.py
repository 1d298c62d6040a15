"""The best plan with one more project in, and what it takes the place of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from pmo_analytics.errors import InfeasibleError, SolverError
from pmo_analytics.formats import called, names_of
from pmo_analytics.optimization.explaining.infeasible import why_infeasible
from pmo_analytics.optimization.explaining.resolving import settings_of
from pmo_analytics.optimization.explaining.wording import (
    is_nothing,
    money,
    number,
    series,
    when,
)
from pmo_analytics.optimization.limits import SolveLimits
from pmo_analytics.optimization.optimizing import optimize
from pmo_analytics.plan import Plan
from pmo_analytics.processes import stop_asked
from pmo_analytics.rules import difference
from pmo_analytics.tables import start_windows

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio

DISPLACED_COLUMNS = ["project", "name", "change", "start", "new_start", "worth"]
DISPLACED_COLUMNS += ["new_worth"]
# Changes that are named, of each kind.
_SHOWN = 6


class Asked:
    """The search for the best plan with the project in, beside the plan."""

    def __init__(
        self,
        plan: Plan,
        project: str,
        released: Portfolio,
        limits: SolveLimits,
        seed: int,
    ) -> None:
        self.base = plan
        self.project = project
        self.released = released
        state = start_windows(plan.portfolio.projects, plan.portfolio.horizon)
        self.was_out = bool(state.at[project, "state"] == "out")
        self.limits = limits
        self.seed = seed
        self.plan: Plan | None = None
        self.status = "unknown"
        self.delta: float | None = None
        self.low: float | None = None
        self.high: float | None = None
        self.clash: tuple[str, ...] = ()

    def solve(self) -> None:
        """Search for the plan; what came out is in the attributes."""
        forced = forced_in(self.released, self.project)
        options: Mapping[str, Any] = {
            "limits": self.limits,
            "start": self.base,
            **settings_of(self.base, self.seed),
        }
        try:
            self.plan = optimize(forced, **options)
        except InfeasibleError:
            self.status = "impossible"
            why = why_infeasible(
                forced,
                limits=self.limits,
                strict=self.base.strict,
                flex=self.base.buys,
                seed=self.seed,
            )
            self.clash = tuple(
                line
                for line in why.rules["message"].tolist()
                if asking(self.project) not in line
            )
            return
        except (SolverError, KeyboardInterrupt):
            self.plan = None
        if stop_asked():
            self.plan = None
        if self.plan is None:
            return
        assert self.plan.report is not None
        assert self.plan.report.objective is not None
        objective = self.base.objective
        self.delta = self.plan.report.objective - objective
        scale = 1e-6 * max(1.0, abs(objective))
        self.status = (
            "equal"
            if abs(self.delta) <= scale
            else "better"
            if self.delta > 0
            else "worse"
        )
        bound = self._base_bound(options)
        if bound is not None:
            self.low = self.plan.report.objective - bound
        if self.plan.report.bound is not None:
            self.high = self.plan.report.bound - objective

    def _base_bound(self, options: Mapping[str, Any]) -> float | None:
        report = self.base.report
        if (
            report is not None
            and report.measure == "worth"
            and report.risk is None
            and report.bound is not None
        ):
            return report.bound
        try:
            found = optimize(self.base.portfolio, **options)
        except (InfeasibleError, SolverError):
            return None
        return None if found.report is None else found.report.bound

    def displaced(self) -> pd.DataFrame:
        """Return what is entering, leaving and moved."""
        if self.plan is None:
            return pd.DataFrame(columns=DISPLACED_COLUMNS)
        return changes(self.base, self.plan)

    def sentences(self) -> list[str]:
        """Return what taking the project in would mean."""
        name = called(self.project, names_of(self.base.portfolio.projects))
        if self.status == "impossible":
            head = f"No plan at all can hold {name}, whatever else is left out."
            if not self.clash:
                return [head]
            return [f"{head} What clashes:", *(f"  - {line}" for line in self.clash)]
        if stop_asked() and self.plan is None:
            return [f"It was stopped before the best plan with {name} was known."]
        if self.plan is None or self.delta is None:
            seconds = number(self.limits.seconds)
            return [
                f"No plan with {name} was found in {seconds} seconds. Allow more time."
            ]
        return [*self._say_delta(name), *self._say_changes()]

    def _say_delta(self, name: str) -> list[str]:
        assert self.delta is not None
        cost = number(-self.delta)
        if self.status == "equal":
            return [f"{name} is in another plan that is just as good."]
        if self.status == "better" and self.was_out:
            return [
                f"Let in, {name} would bring {number(self.delta)} by the plans found."
            ]
        if self.status == "better":
            return [
                f"A plan with {name} is worth {number(self.delta)} more: the plan is "
                "not the best one. Optimize again, with more time or from this plan."
            ]
        if self.low is None or self.high is None:
            return [f"Taking {name} in would cost {cost} of the objective."]
        if self.high < 0 or is_nothing(self.high, self.base.objective):
            between = (
                ""
                if self.high - self.low <= 1e-6 * max(1.0, abs(self.delta))
                else f" (the bounds allow {number(-self.high)} to {number(-self.low)})"
            )
            return [f"Taking {name} in would cost {cost} of the objective{between}."]
        return [
            f"Taking {name} in would cost {cost} by the plans found; the gaps leave "
            f"open whether it costs up to {number(-self.low)} or brings up to "
            f"{number(self.high)}."
        ]

    def _say_changes(self) -> list[str]:
        table = self.displaced()
        lines = []
        portfolio = self.base.portfolio
        rows = table[table["project"] == self.project]
        if len(rows):
            start = rows["new_start"].iat[0]
            offset = start.ordinal - portfolio.horizon[0].ordinal
            lines.append(
                f"It would start in {when(portfolio, offset)}, worth "
                f"{number(float(rows['new_worth'].iat[0]))}."
            )
        for change, verb in (
            ("leaving", "It would take the place of"),
            ("entering", "There would be room for"),
            ("moved", "It would move"),
        ):
            rows = table[
                (table["change"] == change) & (table["project"] != self.project)
            ]
            if rows.empty:
                continue
            words = [_say_change(portfolio, row) for row in rows.to_dict("records")]
            more = len(words) - _SHOWN
            if more > 0:
                words = [*words[:_SHOWN], f"{more} more"]
            lines.append(f"{verb} {series(words)}.")
        if self.plan is not None and self.plan.buys:
            before, after = self.base.purchase_cost, self.plan.purchase_cost
            if abs(after - before) > 1e-6 * max(1.0, before):
                lines.append(
                    f"Purchases would cost {money(portfolio, after)} instead of "
                    f"{money(portfolio, before)}, discounted."
                )
        return lines


def _say_change(portfolio: Portfolio, row: Mapping[str, Any]) -> str:
    first = portfolio.horizon[0].ordinal
    name = called(row["project"], names_of(portfolio.projects))
    if row["change"] == "moved":
        old = when(portfolio, row["start"].ordinal - first)
        return (
            f"{name} from {old} to {when(portfolio, row['new_start'].ordinal - first)}"
        )
    worth = row["worth"] if row["change"] == "leaving" else row["new_worth"]
    return f"{name} (worth {number(float(worth))})"


def asking(project: str) -> str:
    """Return the name of the group that asks for a project."""
    return f"asked for: {project}"


def forced_in(portfolio: Portfolio, project: str) -> Portfolio:
    """Return the portfolio in which a project has to be selected.

    By a group of its own and not by `force`: work that is forced in and has one start
    only would raise the limits that it exceeds.
    """
    row = {"group": asking(project), "project": project, "rule": "limit"}
    rows = pd.DataFrame([{**row, "at_least": 1, "at_most": None}])
    groups = portfolio.groups
    together = pd.concat([groups, rows.reindex(columns=groups.columns)])
    return portfolio.replace(groups=together.reset_index(drop=True))


def changes(before: Plan, after: Plan) -> pd.DataFrame:
    """Return what is entering, leaving and moved between two plans of one portfolio.

    Returns
    -------
    DataFrame
        `project, name, change, start, new_start, worth, new_worth`.
    """
    rows = before.portfolio.projects[["project", "name"]].copy()
    names = rows["project"]
    first = before.portfolio.horizon[0]
    for column, plan in (("start", before), ("new_start", after)):
        rows[column] = pd.array(
            [first + plan.starts[n] if n in plan.starts else pd.NaT for n in names],
            dtype=pd.PeriodDtype(before.portfolio.freq),
        )
    rows["worth"] = names.map(before.worth).astype(float)
    rows["new_worth"] = names.map(after.worth).astype(float)
    found = difference(before.starts, after.starts)
    rows["change"] = names.map(found).fillna("kept")
    return rows.loc[rows["change"] != "kept", DISPLACED_COLUMNS].reset_index(drop=True)
