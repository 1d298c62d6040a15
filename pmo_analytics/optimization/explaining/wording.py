"""Rules and amounts in words, for the sentences of explanations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pmo_analytics.clock import format_period
from pmo_analytics.formats import called, names_of

if TYPE_CHECKING:
    from pmo_analytics.optimization.explaining.rulebook import Clause, Rulebook
    from pmo_analytics.portfolio import Portfolio

# Projects of a sentence; more are counted.
_NAMED = 5
# Amounts by period that take more letters than this are summed up.
_READABLE = 130
# What objectives are rounded by, as a share of them.
_ROUNDED = 1e-8


def number(amount: float) -> str:
    """Return an amount as people write it: 12,400 and 0.25; 0 below rounding."""
    if abs(amount) <= _ROUNDED:
        return "0"
    if abs(amount) >= 10_000:
        return f"{amount:,.0f}"
    if abs(amount) >= 0.01:
        return f"{amount:,.2f}".rstrip("0").rstrip(".")
    return f"{amount:.2g}"


def is_nothing(difference: float, objective: float) -> bool:
    """Return whether a difference of objectives is below what they are rounded by.

    Amounts that are bought are rounded, and sums of floats are: 1e-8, of the
    objective where that is more.
    """
    return abs(difference) <= _ROUNDED * max(1.0, abs(objective))


def rounded_up(amount: float) -> float:
    """Return an amount with two digits that is enough: 0.42 is not, for 0.4245."""
    return float(np.ceil(round(amount * 100.0, 4)) / 100.0)


def money(portfolio: Portfolio, amount: float) -> str:
    """Return an amount of money with its currency."""
    return f"{number(amount)} {portfolio.settings.currency}".rstrip()


def when(portfolio: Portfolio, offset: int) -> str:
    """Return a period of the clock by its offset from the first of the horizon."""
    return format_period(portfolio.horizon[0] + int(offset))


def spans(portfolio: Portfolio, offsets: Iterable[int]) -> str:
    """Return periods as spans: `2027-01 to 2027-03 and 2027-06`."""
    runs: list[str] = []
    ordered = sorted(set(offsets))
    for _, run in groupby(enumerate(ordered), key=lambda pair: pair[1] - pair[0]):
        own = [offset for _, offset in run]
        first, last = when(portfolio, own[0]), when(portfolio, own[-1])
        runs.append(first if len(own) == 1 else f"{first} to {last}")
    return series(runs)


def series(words: Sequence[str]) -> str:
    """Return words as a list in a sentence: `a, b and c`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def amounts(portfolio: Portfolio, by_period: Mapping[int, float], unit: str) -> str:
    """Return amounts over periods, equal ones together."""
    same: dict[str, list[int]] = {}
    for offset, amount in sorted(by_period.items()):
        same.setdefault(number(amount), []).append(offset)
    return series(
        [f"{text} {unit} in {spans(portfolio, own)}" for text, own in same.items()]
    )


def in_short(portfolio: Portfolio, own: Mapping[int, float]) -> str:
    """Return FTE by period, or their range where they are too many to read."""
    text = amounts(portfolio, own, "FTE")
    if len(text) <= _READABLE:
        return text
    low, high = number(min(own.values())), number(max(own.values()))
    return f"{low} to {high} FTE in {spans(portfolio, own)}"


def added(portfolio: Portfolio, own: Mapping[int, float]) -> str:
    """Return FTE to add by period, or how much in all where they are too many."""
    text = amounts(portfolio, own, "FTE")
    if len(text) <= _READABLE:
        return text
    span = f"{when(portfolio, min(own))} and {when(portfolio, max(own))}"
    return (
        f"up to {number(max(own.values()))} FTE between {span} "
        f"({number(sum(own.values()))} FTE-periods in all)"
    )


type Say = Callable[[Rulebook, Clause], str]

# Kind of clause -> what says it.
SAYS: dict[str, Say] = {}


def says(*kinds: str) -> Callable[[Say], Say]:
    """Register the sentence of some kinds of clauses."""

    def register(function: Say) -> Say:
        SAYS.update(dict.fromkeys(kinds, function))
        return function

    return register


def say_rule(book: Rulebook, rule: Clause) -> str:
    """Return one rule as a sentence; the capacity of one period alone."""
    return SAYS[rule.kind](book, rule)


@says("capacity")
def _say_capacity(book: Rulebook, rule: Clause) -> str:
    offset = rule.number % len(book.portfolio.horizon)
    limit = number(float(book.wide.options.limit[rule.number]))
    return f"{rule.subject} has {limit} FTE in {when(book.portfolio, offset)}."


@says("budget", "budget_at_least")
def _say_budget(book: Rulebook, rule: Clause) -> str:
    options, portfolio = book.wide.options, book.portfolio
    least = rule.kind == "budget_at_least"
    amount = (options.least if least else options.limit)[rule.number]
    verb = "must spend at least" if least else "allows at most"
    text = f"Budget '{rule.subject}' {verb} {money(portfolio, float(amount))}"
    if least:
        most = float(options.largest_use()[rule.number])
        if most < amount:
            text += f", but all its projects together cost {money(portfolio, most)}"
    return f"{text}."


def the_project(portfolio: Portfolio, project: object) -> str:
    """Return a project with its name: `CRM (Customer platform)`."""
    return called(project, names_of(portfolio.projects))


def the_projects(portfolio: Portfolio, projects: Iterable[object]) -> str:
    """Return projects with their names, cut after a few with the count of the rest."""
    names = names_of(portfolio.projects)
    texts = [called(project, names) for project in projects]
    more = f" and {len(texts) - _NAMED} more" if len(texts) > _NAMED else ""
    return ", ".join(texts[:_NAMED]) + more


def say_dependency(portfolio: Portfolio, project: str, requires: str, kind: str) -> str:
    """Return one row of `dependencies` as a sentence."""
    rows = portfolio.dependencies
    row = rows[
        (rows["project"] == project)
        & (rows["requires"] == requires)
        & (rows["kind"] == kind)
    ].iloc[0]
    who, whom = (the_project(portfolio, name) for name in (project, requires))
    lag = 0 if pd.isna(row["lag"]) else int(row["lag"])
    if kind == "selected":
        return f"{who} is selected only together with {whom}."
    event = "ends" if kind == "finish_start" else "starts"
    later = f" plus {lag}" if lag > 0 else f" minus {-lag}" if lag < 0 else ""
    most = (
        ""
        if pd.isna(row["lag_max"])
        else f", and at most {int(row['lag_max'])} periods after that"
    )
    return (
        f"{who} must not start before {whom} {event}"
        f"{later + ' periods' if later else ''}{most}."
    )


def say_group(portfolio: Portfolio, group: str) -> str:
    """Return what a group asks for as a sentence."""
    rows = portfolio.groups[portfolio.groups["group"] == group]
    members = the_projects(portfolio, rows["project"])
    finished = portfolio.projects["project"][portfolio.projects["status"] == "done"]
    done = [name for name in rows["project"] if name in set(finished)]
    if done:
        verb = "is" if len(done) == 1 else "are"
        members += f", of which {the_projects(portfolio, done)} {verb} done"
    if rows["rule"].iat[0] == "all_or_none":
        return f"Group '{group}' takes all or none of {members}."
    least, most = rows["at_least"].iat[0], rows["at_most"].iat[0]
    parts = []
    if not pd.isna(least):
        parts.append(f"at least {int(least)}")
    if not pd.isna(most):
        parts.append(f"at most {int(most)}")
    return f"Group '{group}' takes {series(parts) or 'any number'} of {members}."


def say_own_rule(portfolio: Portfolio, name: str) -> str:
    """Return one rule of the table `rules` as a sentence."""
    rows = portfolio.rules[portfolio.rules["rule"] == name]
    least, most = rows["at_least"].iat[0], rows["at_most"].iat[0]
    parts = []
    if not pd.isna(least):
        parts.append(f"at least {number(float(least))}")
    if not pd.isna(most):
        parts.append(f"at most {number(float(most))}")
    if rows["applies_to"].iat[0] == "themes":
        members = the_projects(portfolio, rows["project"])
        return (
            f"Rule '{name}' allows {series(parts) or 'any number of'} different themes "
            f"at work in every period, counting {members}."
        )
    each = " in every period" if rows["applies_to"].iat[0] == "work" else ""
    what = "at work" if each else "selected"
    return (
        f"Rule '{name}' asks that {the_projects(portfolio, rows['project'])}, as far "
        f"as they are {what}, add up to {series(parts) or 'anything'}{each}."
    )


def say_blackout(portfolio: Portfolio, row: int) -> str:
    """Return one row of `blackouts` as a sentence."""
    facts = portfolio.blackouts.iloc[row]
    if not pd.isna(facts["project"]):
        who = the_project(portfolio, facts["project"])
    elif not pd.isna(facts["theme"]):
        who = f"No project of theme '{facts['theme']}'"
    else:
        who = "No project"
    verb = {"start": "start", "finish": "end"}.get(facts["applies_to"], "be worked on")
    begin, end = format_period(facts["start"]), format_period(facts["end"])
    span = (
        f"in {begin}"
        if begin == end and begin
        else " ".join(
            ([f"from {begin}"] if begin else []) + ([f"until {end}"] if end else [])
        )
    )
    may = "may" if pd.isna(facts["project"]) else "must not"
    return f"{who} {may} {verb} {span or 'at any time'} (blackout)."


def _say_project(portfolio: Portfolio, kind: str, project: str) -> str:
    row = fact_row(portfolio, project)
    who = the_project(portfolio, project)
    if kind in ("must", "out"):
        return f"{who} {say_state(portfolio, project)}."
    value = format_period(row[kind])
    return {
        "earliest": f"{who} must not start before {value} (earliest).",
        "latest": f"{who} must start by {value} (latest).",
        "deadline": f"{who} must end by {value} (deadline).",
        "start": f"{who} keeps its planned start, {value}.",
    }[kind]


def fact_row(portfolio: Portfolio, project: str) -> pd.Series[Any]:
    """Return the row of `projects` of one project."""
    rows = portfolio.projects
    return rows[rows["project"] == project].iloc[0]


def say_state(portfolio: Portfolio, project: str) -> str:
    """Return why a project has to be in or out: `must stay in: it is approved`."""
    row = fact_row(portfolio, project)
    reason = "" if pd.isna(row["force_reason"]) else f": {row['force_reason']}"
    if row["force"] == "out":
        return f"is forced out{reason}"
    if row["force"] == "in":
        return f"is forced in{reason}"
    return {
        "cancelled": "is cancelled",
        "done": "is done",
        "running": "is running and stays in",
        "approved": "is approved and stays in",
    }.get(str(row["status"]), f"is {row['status']}")


@says("dependency")
def _of_dependency(book: Rulebook, rule: Clause) -> str:
    return say_dependency(book.portfolio, *book.dependency(rule))


@says("group")
def _of_group(book: Rulebook, rule: Clause) -> str:
    return say_group(book.portfolio, rule.subject)


@says("rule")
def _of_own_rule(book: Rulebook, rule: Clause) -> str:
    return say_own_rule(book.portfolio, rule.subject)


@says("blackout")
def _of_blackout(book: Rulebook, rule: Clause) -> str:
    return say_blackout(book.portfolio, rule.number)


@says("must", "out", "earliest", "latest", "deadline", "start")
def _of_project(book: Rulebook, rule: Clause) -> str:
    return _say_project(book.portfolio, rule.kind, rule.subject)
