"""Comparison: scenarios side by side, as tables and sentences."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pmo_analytics.facts import result_html, table_html
from pmo_analytics.formats import called, names_of
from pmo_analytics.optimization import number, series
from pmo_analytics.processes import note_stop
from pmo_analytics.rules import difference
from pmo_analytics.scenarios.loosening import only_more
from pmo_analytics.scenarios.scenario import BASE, Scenario
from pmo_analytics.scenarios.sharing import share_plans

if TYPE_CHECKING:
    from pmo_analytics.optimization import Resolved
    from pmo_analytics.plan import Plan
    from pmo_analytics.portfolio import Portfolio
    from pmo_analytics.scenarios.answer import Terms

# The contract of comparison.csv; what follows are further columns.
COLUMNS = [
    "scenario",
    "status",
    "objective",
    "bound",
    "gap",
    "objective_delta",
    "delta_low",
    "delta_high",
    "entering",
    "leaving",
    "moved",
    "peak_utilization",
]
MORE_COLUMNS = ["effect", "selected", "spend", "least_headroom", "reason"]
_JOIN = "; "
# Projects of a sentence; more are counted.
_NAMED = 5


class Comparison:
    """Plans of scenarios beside the plan of the base.

    Attributes
    ----------
    portfolios
        Scenario -> its portfolio, `base` first.
    plans
        Scenario -> plan, of those that have one.
    scenarios
        Scenario by name.
    """

    def __init__(
        self,
        portfolios: Mapping[str, Portfolio],
        answers: Mapping[str, Resolved],
        scenarios: Mapping[str, Scenario],
        terms: Terms,
    ) -> None:
        self.portfolios = dict(portfolios)
        self.scenarios = dict(scenarios)
        self._answers = dict(answers)
        plans: dict[str, Plan] = {}
        for name, answer in answers.items():
            plan = answer.plan(
                self.portfolios[name], strict=terms.strict, record=terms.record
            )
            if plan is not None:
                plans[name] = plan
        self.plans = plans
        if terms.plain:
            try:
                self.plans = share_plans(self.portfolios, plans, strict=terms.strict)
            except KeyboardInterrupt:
                note_stop()  # what each scenario found itself is there already

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per scenario, `base` first.

        Columns `scenario, status, objective, bound, gap`; `objective_delta` against
        the base with the range `delta_low .. delta_high` that the bounds allow;
        `entering, leaving, moved` (ids of projects, joined by "; ");
        `peak_utilization` (ratio); `effect` (`better`, `worse`, or `noise` where the
        range holds 0), `selected` (how many), `spend` inside the horizon (currency),
        `least_headroom` (FTE), and the `reason` where there is no plan.

        delta_low is the scenario's objective less the base's bound, delta_high the
        scenario's bound less the base's objective; where a scenario only has more
        people or money than the base, delta_low is not below 0, and where it only has
        less, delta_high is not above 0.
        """
        rows = [self._row(name) for name in self._answers]
        table = pd.DataFrame(rows, columns=[*COLUMNS, *MORE_COLUMNS])
        table["selected"] = table["selected"].astype("Int64")
        return table

    def _row(self, name: str) -> dict[str, Any]:
        answer, plan = self._answers[name], self.plans.get(name)
        row: dict[str, Any] = dict.fromkeys([*COLUMNS, *MORE_COLUMNS], np.nan)
        text = dict.fromkeys(("entering", "leaving", "moved", "effect"), "")
        row |= {
            "scenario": name,
            "status": answer.status,
            "reason": " ".join(answer.message.split()),
        }
        row |= text
        if plan is None or plan.report is None:
            return row
        report = plan.report
        row["status"] = str(report.status)
        used = plan.utilization.to_numpy(dtype=float)
        row |= {
            "objective": report.objective,
            "bound": report.bound,
            "gap": report.gap,
            "selected": len(plan.starts),
            "spend": float(plan.spend["amount"].sum()),
            "least_headroom": float(plan.headroom.min().min()),
            "peak_utilization": float(np.nanmax(used))
            if np.isfinite(used).any()
            else np.nan,
        }
        if name == BASE:
            return row | {"objective_delta": 0.0, "delta_low": 0.0, "delta_high": 0.0}
        base = self.plans.get(BASE)
        if base is None:
            return row
        return row | self._delta(name, plan, base) | self._moves(name)

    def _delta(self, name: str, plan: Plan, base: Plan) -> dict[str, Any]:
        ours, theirs = plan.report, base.report
        assert ours is not None
        assert theirs is not None
        low = _less(ours.objective, theirs.bound)
        high = _less(ours.bound, theirs.objective)
        # What keeps the tighter rules keeps the looser ones: no gap can undo that.
        if self._loosens(BASE, name):
            low = 0.0 if np.isnan(low) else max(low, 0.0)
        if self._loosens(name, BASE):
            high = 0.0 if np.isnan(high) else min(high, 0.0)
        scale = 1e-9 * max(1.0, abs(theirs.objective or 0.0))
        effect = "noise"
        if low > scale:
            effect = "better"
        elif high < -scale:
            effect = "worse"
        elif abs(low) <= scale and abs(high) <= scale:
            effect = "none"
        return {
            "objective_delta": _less(ours.objective, theirs.objective),
            "delta_low": low,
            "delta_high": high,
            "effect": effect,
        }

    def _loosens(self, tight: str, loose: str) -> bool:
        """Return whether a scenario only has more people or money than another."""
        return only_more(self.portfolios[tight], self.portfolios[loose])

    def _moves(self, name: str) -> dict[str, str]:
        moves = self.changes
        own = moves[moves["scenario"] == name]
        return {
            column: _JOIN.join(own.loc[own["change"] == column, "project"])
            for column in ("entering", "leaving", "moved")
        }

    @cached_property
    def changes(self) -> pd.DataFrame:
        """What each scenario's plan does otherwise than the base's.

        Columns `scenario, project, change` (`entering`, `leaving`, `moved`),
        `base_start, start` (Period) and `periods` (later than in the base).
        """
        rows: list[dict[str, Any]] = []
        base = self.plans.get(BASE)
        for name, plan in self.plans.items():
            if base is None or name == BASE:
                continue
            for project, change in difference(base.starts, plan.starts).items():
                if change == "kept":
                    continue
                before, after = base.starts.get(project), plan.starts.get(project)
                rows.append(
                    {
                        "scenario": name,
                        "project": project,
                        "change": change,
                        "base_start": _period(base, before),
                        "start": _period(plan, after),
                        "periods": None
                        if before is None or after is None
                        else after - before,
                    }
                )
        columns = ["scenario", "project", "change", "base_start", "start", "periods"]
        table = pd.DataFrame(rows, columns=columns)
        freq = self.portfolios[BASE].freq
        kinds = {"base_start": f"period[{freq}]", "start": f"period[{freq}]"}
        return table.astype({**kinds, "periods": "Int64"})

    @cached_property
    def core(self) -> pd.DataFrame:
        """How often each project is chosen: the core index.

        Columns `project, name, chosen` (plans it is in, the base's among them),
        `plans` and `share`; the most often chosen first. A project that a scenario
        adds counts over all plans.
        """
        chosen = pd.Series(
            [project for plan in self.plans.values() for project in plan.starts],
            dtype="str",
        ).value_counts()
        names: dict[str, Any] = {}
        for portfolio in self.portfolios.values():
            live = portfolio.projects[~portfolio.projects["status"].eq("done")]
            for project, name in live[["project", "name"]].itertuples(index=False):
                names.setdefault(project, name)
        table = pd.DataFrame(
            {"project": list(names), "name": list(names.values())}, dtype="str"
        )
        table["chosen"] = table["project"].map(chosen).fillna(0).astype(int)
        table["plans"] = len(self.plans)
        table["share"] = table["chosen"] / max(len(self.plans), 1)
        order = table["share"].sort_values(ascending=False, kind="stable").index
        return table.loc[order].reset_index(drop=True)

    @cached_property
    def headroom(self) -> pd.DataFrame:
        """Headroom of every plan: (scenario, period) x role, FTE."""
        return pd.concat(
            {name: plan.headroom for name, plan in self.plans.items()},
            names=["scenario", "period"],
        )

    @cached_property
    def budget(self) -> pd.DataFrame:
        """Spend by plan: `scenario, budget, amount, spend, headroom`, currency."""
        parts = [
            plan.budget.drop(columns="at_least").assign(scenario=name)
            for name, plan in self.plans.items()
        ]
        columns = ["scenario", "budget", "amount", "spend", "headroom"]
        if not parts:
            return pd.DataFrame(columns=columns)
        return pd.concat(parts, ignore_index=True)[columns]

    @property
    def failed(self) -> list[str]:
        """Scenarios that were neither solved nor proved infeasible."""
        lost = ("failed", "no_solution")
        return [n for n, answer in self._answers.items() if answer.status in lost]

    def sentences(self) -> list[str]:
        """Return what each scenario does, a sentence each, for reading aloud."""
        return [self._sentence(row) for row in self.table.to_dict("records")]

    def _sentence(self, row: Mapping[str, Any]) -> str:
        name, currency = row["scenario"], self.portfolios[BASE].settings.currency
        unit = f" {currency}" if currency else ""
        if pd.isna(row["objective"]):
            unsolved = row["status"] != "infeasible"
            what = "was not solved" if unsolved else "has no plan"
            return f"'{name}' {what}. {self._answers[name].message}"
        if name == BASE:
            count = row["selected"]
            projects = "1 project" if count == 1 else f"{count} projects"
            most = f", at most {_amount(row['bound'])}{unit}"
            if pd.isna(row["bound"]):
                most = "; no bound is known yet"
            return (
                f"The base is worth {_amount(row['objective'])}{unit} with "
                f"{projects}{most}."
            )
        if pd.isna(row["objective_delta"]):
            return f"'{name}' is worth {_amount(row['objective'])}{unit}."
        moves = self._say_moves(row)
        effect = self._say_effect(row, unit, moves)
        if row["effect"] in ("better", "worse") and moves:
            return f"'{name}' {effect}; {moves}."
        return f"'{name}' {effect}."

    def _say_effect(self, row: Mapping[str, Any], unit: str, moves: str) -> str:
        """Return what a scenario is worth beside the base, and how sure that is."""
        delta, low, high = row["objective_delta"], row["delta_low"], row["delta_high"]
        span = _span(low, high, unit)
        if row["effect"] == "better":
            return f"adds {_amount(delta)}{unit} ({span})"
        if row["effect"] == "worse":
            return f"costs {_amount(-delta)}{unit} ({span})"
        if row["effect"] == "none":
            other = f"is worth as much as the base, by another plan: {moves}"
            return other if moves else "changes nothing"
        if low == 0 and self._loosens(BASE, row["scenario"]):
            span += "; more people or money never cost anything"
        elif high == 0 and self._loosens(row["scenario"], BASE):
            span += "; fewer people or less money never bring anything"
        if moves:
            return (
                f"leads to another plan: {moves}; whether that is worth more or less "
                f"these gaps cannot show ({span})"
            )
        return f"makes no difference that these gaps can show ({span})"

    def _say_moves(self, row: Mapping[str, Any]) -> str:
        """Return by which projects the plan that was found differs."""
        names = names_of(pd.concat([p.projects for p in self._both(row["scenario"])]))
        texts = []
        for column, one, many in (
            ("entering", "enters", "enter"),
            ("leaving", "leaves", "leave"),
            ("moved", "moves", "move"),
        ):
            if not row[column]:
                continue
            own = row[column].split(_JOIN)
            words = [called(project, names) for project in own[:_NAMED]]
            if len(own) > _NAMED:
                words.append(f"{len(own) - _NAMED} more")
            texts.append(f"{series(words)} {one if len(own) == 1 else many}")
        return "; ".join(texts)

    def _both(self, name: str) -> list[Portfolio]:
        return [self.portfolios[BASE], self.portfolios[name]]

    def __repr__(self) -> str:
        return f"<Comparison of {len(self._answers)}>\n" + "\n".join(self.sentences())

    def _repr_html_(self) -> str:
        certified = {
            name: plan.report.certified
            for name, plan in self.plans.items()
            if plan.report is not None
        }
        shown = self.table[[*COLUMNS[:8], "effect", "selected"]].copy()
        shown.insert(5, "certified", shown["scenario"].map(certified))
        others = len(self._answers) - 1
        return result_html(
            f"{others} scenario{'' if others == 1 else 's'} against the base",
            table_html(shown, most=len(shown)),
            notes=self.sentences(),
        )


def _amount(amount: float) -> str:
    return f"{amount:,.0f}" if abs(amount) >= 1 else number(amount)


def _signed(amount: float) -> str:
    text = _amount(abs(amount))
    return text if text == "0" else f"{'+' if amount > 0 else '-'}{text}"


def _span(low: float, high: float, unit: str) -> str:
    """Return a range; one without a bound yet is open on that side."""
    if np.isnan(low) and np.isnan(high):
        return "no bound is known yet"
    if np.isnan(high):
        return f"at least {_signed(low)}{unit}; no upper bound is known yet"
    if np.isnan(low):
        return f"at most {_signed(high)}{unit}; no lower bound is known yet"
    return f"between {_signed(low)} and {_signed(high)}{unit}"


def _less(a: float | None, b: float | None) -> float:
    return np.nan if a is None or b is None else a - b


def _period(plan: Plan, offset: int | None) -> pd.Period:
    return pd.NaT if offset is None else plan.portfolio.horizon[0] + offset
