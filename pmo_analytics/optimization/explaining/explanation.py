"""explain: what was left out of a plan and why, what FTE are worth, why none exists."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from pmo_analytics.clock import with_period_texts
from pmo_analytics.errors import ConfigError, InfeasibleError, closest
from pmo_analytics.facts import result_html
from pmo_analytics.formats import names_of
from pmo_analytics.optimization.explaining.infeasible import (
    WhyInfeasible,
    why_infeasible,
)
from pmo_analytics.optimization.explaining.role_value import role_value, say_role_values
from pmo_analytics.optimization.explaining.sensitivity import (
    say_sensitivity,
    sensitivity,
)
from pmo_analytics.optimization.explaining.why_not import WhyNot, why_not
from pmo_analytics.optimization.limits import ProgressFunction, SolveLimits
from pmo_analytics.optimization.optimizing import optimize
from pmo_analytics.plan import Plan
from pmo_analytics.processes import stop_asked, stoppable

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio

# Tables of a `WhyNot`.
_TABLES = ("blocking", "displaced", "repair")


@dataclass(frozen=True)
class Explanation:
    """What was asked about a plan, or about there being none, and answered.

    Attributes
    ----------
    portfolio
        That was asked about.
    plan
        That was asked about; None where there is none.
    clash
        Why no plan exists, where that was asked or found.
    projects
        Why each project is not in.
    roles, values
        Of `role_value` and `sensitivity`; None where not asked.
    unasked
        What was to be asked when Ctrl-C came.
    stopped
        Ctrl-C came before the end.
    """

    portfolio: Portfolio = field(repr=False)
    plan: Plan | None = field(default=None, repr=False)
    clash: WhyInfeasible | None = field(default=None, repr=False)
    projects: tuple[WhyNot, ...] = field(default=(), repr=False)
    roles: pd.DataFrame | None = field(default=None, repr=False)
    values: pd.DataFrame | None = field(default=None, repr=False)
    unasked: tuple[str, ...] = ()
    stopped: bool = False

    @property
    def status(self) -> str:
        """`ok`, `infeasible`, or `no_solution` where a question has no answer."""
        if self.clash is not None and self.clash.status != "feasible":
            return "infeasible" if self.clash.status == "infeasible" else "no_solution"
        return "no_solution" if self.stopped else "ok"

    @property
    def answered(self) -> bool:
        """Whether anything that was asked has an answer."""
        return bool(
            (self.clash is not None and self.clash.status != "unknown")
            or any(why.status != "unknown" for why in self.projects)
            or (self.roles is not None and self.roles["value"].notna().any())
            or (self.values is not None and self.values["found"].notna().any())
        )

    @property
    def sentences(self) -> tuple[str, ...]:
        """Everything in words; blank lines between the answers."""
        names = names_of(self.portfolio.projects)
        lines = [] if self.clash is None else list(self.clash.sentences)
        if self.plan is not None and len(self.plan.violations):
            lines.append(
                f"The schedule itself breaks {len(self.plan.violations)} rules, so "
                "what follows compares it with plans that do not: see pmo verify."
            )
        answers = []
        for why in self.projects:
            name = names.get(why.project, "")
            head = f"{why.project} ({name}):" if name else f"{why.project}:"
            answers.append([head, *why.sentences])
        if self.roles is not None:
            answers.append(say_role_values(self.roles, names))
        if self.values is not None:
            answers.append(say_sensitivity(self.values, names))
        for answer in answers:
            lines += [*([""] if lines else []), *answer]
        if self.unasked:
            lines.append(f"Not asked, for it was stopped: {', '.join(self.unasked)}.")
        return tuple(lines)

    def __str__(self) -> str:
        return "\n".join(self.sentences)

    def _repr_html_(self) -> str:
        said = [line for line in self.sentences if line]
        return result_html("What was asked about the plan", notes=said)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return what there is to write, by file name."""
        lines = [line for line in self.sentences if line]
        tables = {"explanation.csv": pd.DataFrame({"sentence": lines})}
        if self.clash is not None:
            tables["clash.csv"] = self.clash.rules
            tables["repair.csv"] = self.clash.repair
        if self.projects:
            facts = ("project", "status", "objective_delta", "delta_low", "delta_high")
            rows = [
                {name: getattr(why, name) for name in facts} for why in self.projects
            ]
            tables["why_not.csv"] = pd.DataFrame(rows)
            for name in _TABLES:
                tables[f"{name}.csv"] = _joined(self.projects, name)
        if self.roles is not None:
            tables["role_value.csv"] = self.roles
        if self.values is not None:
            tables["sensitivity.csv"] = self.values
        return tables

    def to_dict(self) -> dict[str, Any]:
        """Return everything but plan and portfolio, ready for JSON."""
        return {
            "status": self.status,
            "objective": None if self.plan is None else self.plan.objective,
            "sentences": [line for line in self.sentences if line],
            "projects": [_flat(why.to_dict()) for why in self.projects],
            "roles": None if self.roles is None else _rows(self.roles),
            "values": None if self.values is None else _rows(self.values),
            "clash": None if self.clash is None else self.clash.to_dict(),
        }


def _rows(table: pd.DataFrame) -> list[dict[Any, Any]]:
    return with_period_texts(table).to_dict("records")


def _flat(facts: dict[str, Any]) -> dict[str, Any]:
    return {
        key: _rows(pd.DataFrame(value)) if key in _TABLES else value
        for key, value in facts.items()
    }


def _joined(answers: Sequence[WhyNot], name: str) -> pd.DataFrame:
    """Return one table of several answers, with the project asked about."""
    parts = []
    for why in answers:
        table = with_period_texts(getattr(why, name))
        table.insert(0, "about", why.project)
        parts.append(table)
    filled = [part for part in parts if len(part)]
    return pd.concat(filled or parts[:1], ignore_index=True)


@stoppable()
def explain(
    question: Plan | Portfolio,
    projects: Sequence[str] | None = None,
    *,
    roles: bool = False,
    values: bool = False,
    strict: bool = False,
    flex: bool = False,
    limits: SolveLimits | None = None,
    seed: int = 0,
    workers: int | None = None,
    on_ask: Callable[[str], None] | None = None,
    progress: ProgressFunction | None = None,
) -> Explanation:
    """Say why projects are not in a plan, what FTE are worth, or why no plan exists.

    Parameters
    ----------
    question
        A plan; or a portfolio, which is optimized first. Where it can have no plan,
        that is explained.
    projects
        Why are they not in? None = all that are left out, or none where only `roles`
        or `values` are asked for.
    roles
        What is one FTE of each role worth?
    values
        How far may values and the discount rate move without changing the plan?
    strict, flex
        As in `optimize`, where a portfolio is given.
    limits
        Of each search: the plan, and every question about it; default 20 seconds.
    seed
        Of the searches.
    workers
        Processes at work at once; None = one per core.
    on_ask
        Called with a sentence before each question.
    progress
        Called with a `Progress` while a portfolio is optimized.

    Raises
    ------
    ConfigError
        If a project is not in the portfolio.
    DataError
        If the portfolio has errors or no projects.
    SolverError
        If a portfolio has no plan in time, or a solver failed.

    Examples
    --------
    >>> import pmo_analytics as pmo
    >>> limits = pmo.SolveLimits(seconds=5, gap=0.05)
    >>> plan = pmo.optimize(pmo.example_portfolio(), limits=limits)
    >>> pmo.explain(plan, projects=["CHAIN"], limits=limits).status
    'ok'
    """
    limits = limits or SolveLimits(seconds=20.0)
    say = on_ask or (lambda _: None)
    portfolio = question.portfolio if isinstance(question, Plan) else question
    check_named(portfolio, projects or ())
    if isinstance(question, Plan):
        plan = question
    else:
        try:
            plan = optimize(
                portfolio,
                limits=limits,
                seed=seed,
                strict=strict,
                flex=flex,
                progress=progress,
            )
        except InfeasibleError:
            say("No plan keeps every rule; looking for what clashes.")
            return explain_clash(
                portfolio, strict=strict, flex=flex, limits=limits, seed=seed
            )
    terms = _Terms(limits, seed, workers, say)
    answer = Explanation(portfolio, plan)
    answer = _ask_projects(answer, plan, projects, roles or values, terms)
    answer = _ask_worth(answer, plan, roles, values, terms)
    return replace(answer, stopped=stop_asked())


def check_named(portfolio: Portfolio, projects: Sequence[str]) -> None:
    """Raise ConfigError where a project that is asked about is not there."""
    known = portfolio.projects["project"].tolist()
    for name in projects:
        if name not in known:
            raise ConfigError(f"There is no project '{name}'{closest(name, known)}.")


def explain_clash(
    portfolio: Portfolio, *, strict: bool, flex: bool, limits: SolveLimits, seed: int
) -> Explanation:
    """Return why a portfolio has no plan, as `why_infeasible` finds it."""
    clash = why_infeasible(
        portfolio, limits=limits, strict=strict, flex=flex, seed=seed
    )
    return Explanation(portfolio, clash=clash, stopped=stop_asked())


@dataclass(frozen=True)
class _Terms:
    """How every question is asked."""

    limits: SolveLimits
    seed: int
    workers: int | None
    say: Callable[[str], None]


def _ask_projects(
    answer: Explanation,
    plan: Plan,
    projects: Sequence[str] | None,
    others: bool,
    terms: _Terms,
) -> Explanation:
    decisions = plan.projects
    left_out = decisions.loc[decisions["decision"] == "not selected", "project"]
    names = list(projects or ([] if others else left_out))
    found: list[WhyNot] = []
    unasked: tuple[str, ...] = ()
    for k, name in enumerate(names, 1):
        if stop_asked():
            unasked = tuple(f"why not '{other}'" for other in names[k - 1 :])
            break
        terms.say(f"{k} of {len(names)}: why not {name}?")
        found.append(why_not(plan, name, limits=terms.limits, seed=terms.seed))
    return replace(answer, projects=tuple(found), unasked=unasked)


def _ask_worth(
    answer: Explanation, plan: Plan, roles: bool, values: bool, terms: _Terms
) -> Explanation:
    unasked = list(answer.unasked)
    asked: dict[str, Any] = {
        "limits": terms.limits,
        "seed": terms.seed,
        "workers": terms.workers,
    }
    found: dict[str, Any] = {}
    if roles and stop_asked():
        unasked.append("what roles are worth")
    elif roles:
        terms.say("Solving with more and less of each role.")
        found["roles"] = role_value(plan, **asked)
    if values and stop_asked():
        unasked.append("how far values may move")
    elif values:
        terms.say("Solving with each project in or out.")
        found["values"] = sensitivity(plan, **asked)
    return replace(answer, unasked=tuple(unasked), **found)
