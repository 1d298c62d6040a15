"""Scenario: a named list of edits, possibly on top of another scenario."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any

import pandas as pd

from pmo_analytics.errors import ConfigError, DataError, InfeasibleError, closest
from pmo_analytics.scenarios.change import AnyChange, Change, name_of
from pmo_analytics.tables import start_windows

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio

BASE = "base"


class Scenario:
    """A named list of changes: only what differs from its parent.

    Parameters
    ----------
    name
        What it is called in tables and file names; not `base`.
    *changes
        Functions from a portfolio to a new one, applied in order: the named ones
        such as `add_capacity(...)`, or any of your own.
    parent
        Scenario, or the name of one, whose changes come first; None = the portfolio
        as it is.
    description
        A sentence for reports.

    Raises
    ------
    ConfigError
        If the name is blank or `base`, or a change is no function.
    """

    def __init__(
        self,
        name: str,
        *changes: AnyChange,
        parent: Scenario | str | None = None,
        description: str = "",
    ) -> None:
        self.name = str(name).strip()
        if not self.name or self.name.casefold() == BASE:
            raise ConfigError(
                f"A scenario cannot be called {name!r}: '{BASE}' is the portfolio as "
                "it is, without changes."
            )
        try:
            self.name.encode()
        except UnicodeEncodeError as error:
            raise ConfigError(
                f"A scenario cannot be called {name!r}: half a character cannot be "
                "written."
            ) from error
        for edit in changes:
            if not callable(edit):
                raise ConfigError(
                    f"Scenario '{self.name}': {edit!r} is no change; use a function "
                    "such as add_capacity('Developer', fte=2)."
                )
        self.changes = tuple(changes)
        self.parent = parent
        self.description = description

    @property
    def parent_name(self) -> str:
        """Name of the parent, blank where there is none."""
        if isinstance(self.parent, Scenario):
            return self.parent.name
        return self.parent or ""

    def __repr__(self) -> str:
        edits = ", ".join(
            str(edit) if isinstance(edit, Change) else name_of(edit)
            for edit in self.changes
        )
        on = f", parent={self.parent_name!r}" if self.parent_name else ""
        return f"Scenario({self.name!r}: {edits}{on})"


def in_order(scenarios: Iterable[Scenario]) -> list[Scenario]:
    """Return scenarios with parents given as objects added before their children.

    Raises
    ------
    ConfigError
        If a name stands twice, a parent is unknown, or parents form a circle.
    """
    listed: dict[str, Scenario] = {}
    for scenario in scenarios:
        if not isinstance(scenario, Scenario):
            raise ConfigError(f"{scenario!r} is no Scenario.")
        if listed.get(scenario.name) is not scenario:
            _add(scenario, listed)
    sound: set[str] = set()
    for scenario in listed.values():
        sound |= {one.name for one in ancestry(scenario, listed, sound)}
    return list(listed.values())


def _add(scenario: Scenario, listed: dict[str, Scenario]) -> None:
    """List a scenario behind its parents."""
    line = [scenario]
    while isinstance(parent := line[-1].parent, Scenario):
        if listed.get(parent.name) is parent:
            break
        if len(line) > _MOST:
            raise ConfigError(f"Scenario '{parent.name}' is its own parent.")
        line.append(parent)
    for one in reversed(line):
        known = listed.get(one.name)
        if known is not None and known is not one:
            raise ConfigError(f"Two scenarios are called '{one.name}'.")
        listed[one.name] = one


# Parents above each other; more can only be a circle.
_MOST = 100_000


def ancestry(
    scenario: Scenario, known: Mapping[str, Scenario], sound: Collection[str] = ()
) -> list[Scenario]:
    """Return a scenario's ancestors, the oldest first, and itself.

    Parameters
    ----------
    sound
        Scenarios whose own ancestors are not asked for any more.

    Raises
    ------
    ConfigError
        If one is unknown, or they form a circle.
    """
    line, seen = [scenario], {scenario.name}
    while name := line[-1].parent_name:
        if name.casefold() == BASE or name in sound:
            break
        if name not in known:
            raise ConfigError(
                f"Scenario '{line[-1].name}' has the parent '{name}', which is no "
                f"scenario{closest(name, known)}."
            )
        if name in seen:
            circle = [f"'{s.name}'" for s in [*line, known[name]]]
            if len(circle) > 8:
                circle = [*circle[:4], "...", *circle[-3:]]
            raise ConfigError(
                f"These scenarios are each other's parents: {' -> '.join(circle)}."
            )
        line.append(known[name])
        seen.add(name)
    return line[::-1]


def apply_scenarios(
    portfolio: Portfolio, scenarios: Iterable[Scenario], known: Mapping[str, Scenario]
) -> dict[str, Portfolio]:
    """Return the portfolio of each scenario, not checked yet, each change made once.

    Raises
    ------
    ConfigError
        If a change cannot be applied; it names the scenario and the change.
    """
    made: dict[str, Portfolio] = {}
    asked = list(scenarios)
    for scenario in asked:
        for one in ancestry(scenario, known, made):
            begin = made.get(one.parent_name, portfolio)
            made[one.name] = changed_portfolio(begin, one)
    return {scenario.name: made[scenario.name] for scenario in asked}


def apply_scenario(
    portfolio: Portfolio, scenario: Scenario, known: Mapping[str, Scenario]
) -> Portfolio:
    """Return the portfolio of one scenario, not checked yet.

    Raises
    ------
    ConfigError
        If a change cannot be applied; it names the scenario and the change.
    """
    return apply_scenarios(portfolio, [scenario], known)[scenario.name]


def changed_portfolio(portfolio: Portfolio, scenario: Scenario) -> Portfolio:
    """Return a portfolio with a scenario's own changes, not checked yet.

    Raises
    ------
    ConfigError
        If a change cannot be applied; it names the scenario and the change.
    """
    changed = portfolio
    for number, edit in enumerate(scenario.changes, 1):
        where = f"Scenario '{scenario.name}', change {number} ({name_of(edit)})"
        try:
            changed = edit(changed)
        except ConfigError as error:
            raise ConfigError(f"{where}: {error}") from error
        except TypeError as error:
            raise ConfigError(f"{where} cannot be applied: {error}.") from error
        if type(changed) is not type(portfolio):
            raise ConfigError(f"{where} returned no portfolio: {changed!r}.")
    return changed


def check_scenario(portfolio: Portfolio, name: str) -> Portfolio:
    """Return the checked snapshot of a scenario's portfolio.

    A candidate that the changes leave no start is kept out, which is what no start
    means; a project that has to be in makes the scenario infeasible.

    Raises
    ------
    InfeasibleError
        If a rule can no longer be kept, whatever is chosen.
    DataError
        If the tables are wrong in another way.
    """
    problems = portfolio.check()
    errors = problems[problems["severity"] == "error"]
    if errors.empty:
        return portfolio.snapshot()
    if not errors["rule"].isin([*_NO_START, *_IMPOSSIBLE]).all():
        error = DataError(problems)
        error.args = (f"Scenario '{name}' leaves bad data. {error}",)
        raise error
    rows = portfolio.projects.copy()
    must = start_windows(rows, portfolio.horizon)["must"]
    late = errors[errors["rule"].isin(_NO_START) & errors["row"].isin(rows.index)]
    out = [at for at in late["row"] if not must[rows.at[at, "project"]]]
    if len(out) < len(errors):
        conflicts = errors[~errors["row"].isin(out) | ~errors["rule"].isin(_NO_START)]
        table = pd.DataFrame(
            {"rule": conflicts["rule"], "message": conflicts["fix"]}
        ).reset_index(drop=True)
        raise InfeasibleError(table)
    rows.loc[out, "force"] = "out"
    rows.loc[out, "force_reason"] = "no start left in this scenario"
    return check_scenario(portfolio.replace(projects=rows), name)


# What the checks say of a window that has no start in it, and of rules that clash.
_NO_START = ("window_contradiction", "window_too_short")
_IMPOSSIBLE = (
    "impossible_force",
    "budget_contradiction",
    "group_contradiction",
    "lag_contradiction",
)


def sweep(
    make: Callable[..., Change],
    name: str = "",
    *,
    parent: Scenario | str | None = None,
    **values: Any,
) -> list[Scenario]:
    """Return one scenario per combination of values of a change's arguments.

    Parameters
    ----------
    make
        A named change such as `cut_budget`.
    name
        Begins each scenario's name; default the change's own. A share of `cut_budget`
        is told as more or less: a cut by -0.1 is 10 % more.
    **values
        Argument -> one value, or a list of values to go through; several lists make
        a grid.
    parent
        Scenario that all of them build on; None = the base.

    Raises
    ------
    ConfigError
        If no argument has a list of values, or one is unknown.

    Examples
    --------
    >>> import pmo_analytics as pmo
    >>> [s.name for s in pmo.sweep(pmo.cut_budget, share=[-0.2, 0.2])]
    ['budget 20 % more', 'budget 20 % less']
    """
    lists = {k: list(v) for k, v in values.items() if _is_list(v)}
    fixed = {k: v for k, v in values.items() if k not in lists}
    own = getattr(make, "__name__", "sweep")
    called = name or own
    if own == "cut_budget" and "share" in lists:
        # A name says more or less, and "budget cut, 10 % more" could be either.
        called = name.removesuffix("cut").strip() or "budget"
    if not lists or not all(lists.values()):
        raise ConfigError(f"Sweep '{called}' needs a list of values for an argument.")
    return [
        Scenario(
            f"{called} " + ", ".join(_said(own, k, v) for k, v in chosen.items()),
            make(**fixed, **chosen),
            parent=parent,
        )
        for chosen in (
            dict(zip(lists, combination, strict=True))
            for combination in itertools.product(*lists.values())
        )
    ]


def _is_list(value: Any) -> bool:
    if isinstance(value, (str, Mapping)):
        return False
    return isinstance(value, (Sequence, range)) or hasattr(value, "tolist")


def _said(change: str, argument: str, value: Any) -> str:
    """Return a value of a sweep as the scenario's name has it."""
    if (change, argument) != ("cut_budget", "share") or not isinstance(value, Real):
        return f"{argument}={_short(value)}"
    cut = float(value)
    if not cut:
        return "unchanged"
    return f"{abs(100.0 * cut):.6g} % {'less' if cut > 0 else 'more'}"


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
