"""The least that has to give way before a plan exists, as rows and in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from pmo_analytics.optimization.explaining.rulebook import Clause, Rulebook
from pmo_analytics.optimization.explaining.wording import (
    added,
    money,
    number,
    rounded_up,
    say_rule,
    series,
    the_project,
    when,
)
from pmo_analytics.optimization.jobs import (
    RepairJob,
)
from pmo_analytics.optimization.limits import SolveLimits
from pmo_analytics.optimization.messages import (
    Repair,
)
from pmo_analytics.optimization.workers.running import run_task

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio

REPAIR_COLUMNS = ["rule", "subject", "period", "amount", "message"]
# What breaking a rule costs in a repair; one limit exceeded by all of itself costs 1.
_PRICE = {"must": 10.0}
_PER_PERIOD = 0.02
# Work that is pushed out of the horizon is not planned, only out of sight.
_BEYOND = 20.0
_GAP = 0.005

Broken = list[tuple[dict[str, Any], str]]


def least_repair(
    book: Rulebook, seconds: float, limits: SolveLimits, seed: int
) -> tuple[Broken, bool]:
    """Return rows and sentences of the cheapest repair, and whether it is proved."""
    options = book.wide.options
    prices = []
    for rule in book.rules:
        price = _PRICE.get(rule.kind, 1.0)
        if rule.kind in ("capacity", "budget"):
            price = 1.0 / max(1.0, float(options.limit[rule.number]))
        elif rule.kind == "budget_at_least":
            price = 1.0 / max(1.0, float(options.least[rule.number]))
        prices.append(price)
    costs = _costs_of_moving(book)
    job = RepairJob(
        seconds=seconds,
        memory_gb=limits.memory_gb,
        seed=seed,
        facts=book.facts(),
        prices=prices,
        costs=costs.tolist(),
        gap=_GAP,
    )
    told = run_task(options, job)
    answer = next((event for event in told if isinstance(event, Repair)), None)
    if answer is None or answer.chosen is None:
        return [], False
    chosen = np.array(answer.chosen, dtype=np.int64)
    starts = book.wide.starts_of(chosen)
    broken = {int(k): float(amount) for k, amount in answer.broken}
    return repair_rows(book, broken, starts), answer.status == "optimal"


def _costs_of_moving(book: Rulebook) -> np.ndarray:
    """Return a small cost for every period that a start lies off its window."""
    options, portfolio = book.wide.options, book.portfolio
    duration = portfolio.projects.set_index("project")["duration"].fillna(0)
    costs = np.zeros(len(options.project))
    allowed = book.allowed
    for p, name in enumerate(book.wide.names):
        span = slice(options.first[p], options.first[p + 1])
        starts, own = options.start[span], allowed.get(name, np.zeros(0))
        if not len(own):
            continue
        off = np.abs(starts[:, None] - own[None, :]).min(axis=1)
        beyond = starts + int(duration[name]) > len(portfolio.horizon)
        costs[span] = _PER_PERIOD * off + _BEYOND * (beyond & (off > 0))
    return costs


def repair_rows(
    book: Rulebook, broken: Mapping[int, float], starts: Mapping[str, int]
) -> Broken:
    """Return a table row and a sentence for each thing to do."""
    portfolio = book.portfolio
    periods = len(portfolio.horizon)
    rows: Broken = []
    people: dict[str, dict[int, float]] = {}
    for k, amount in broken.items():
        rule = book.rules[k]
        if rule.kind == "capacity":
            own = people.setdefault(rule.subject, {})
            own[rule.number % periods] = rounded_up(amount)
    for role, own in people.items():
        text = f"Add {added(portfolio, own)} to {role}."
        for t, amount in sorted(own.items()):
            row = {
                "rule": "capacity",
                "subject": role,
                "period": when(portfolio, t),
                "amount": amount,
                "message": f"Add {number(amount)} FTE of {role} in "
                f"{when(portfolio, t)}.",
            }
            rows.append((row, text))
            text = ""
    for k, amount in broken.items():
        rule = book.rules[k]
        if rule.kind == "capacity":
            continue
        text, size = _way_out(book, k, amount, starts)
        row = {
            "rule": rule.kind,
            "subject": rule.subject,
            "period": "",
            "amount": size,
            "message": text,
        }
        rows.append((row, text))
    return rows


def _way_out(
    book: Rulebook, k: int, amount: float, starts: Mapping[str, int]
) -> tuple[str, float]:
    """Return what to do about one rule, and by how much."""
    portfolio, rule = book.portfolio, book.rules[k]
    name = rule.subject
    who = the_project(portfolio, name)
    if rule.kind == "budget":
        size = rounded_up(amount)
        return f"Raise budget '{name}' by {money(portfolio, size)}.", size
    if rule.kind == "budget_at_least":
        size = rounded_up(amount)
        text = money(portfolio, size)
        return f"Let budget '{name}' spend {text} less than it must.", size
    if rule.kind == "must":
        row = portfolio.projects[portfolio.projects["project"] == name].iloc[0]
        held = row["force"] == "in" or row["status"] == "approved"
        verb = "Leave out" if held else "Stop"
        return f"{verb} {who}, although it must be selected.", 1.0
    if rule.kind == "out":
        return f"Let {who} in again: it is needed.", 1.0
    if rule.kind == "dependency":
        project, requires, _kind = book.dependency(rule)
        text = say_rule(book, rule).rstrip(".")
        one, other = (the_project(portfolio, n) for n in (project, requires))
        return f"Let {one} go ahead without {other}, although {text}.", 1.0
    if rule.kind == "group":
        return f"Loosen group '{name}': {say_rule(book, rule)}", round(amount, 6)
    if rule.kind == "rule":
        text = f"Loosen rule '{name}' by {number(amount)}: {say_rule(book, rule)}"
        return text, round(amount, 6)
    if rule.kind == "blackout":
        moved = [
            project
            for project, start in starts.items()
            if book.forbids(k, project, start)
        ]
        names = series(
            [
                f"{the_project(portfolio, n)} in {when(portfolio, starts[n])}"
                for n in moved
            ]
        )
        return f"Lift the blackout for {names}: {say_rule(book, rule)}", 1.0
    return _window_out(portfolio, rule, starts.get(name, 0))


def _window_out(portfolio: Portfolio, rule: Clause, start: int) -> tuple[str, float]:
    """Return where an end of a window has to move for a start, and by how much."""
    name = rule.subject
    who = the_project(portfolio, name)
    row = portfolio.projects[portfolio.projects["project"] == name].iloc[0]
    wanted = int(row["duration"]) - 1 + start if rule.kind == "deadline" else start
    first = portfolio.horizon[0].ordinal
    shift = abs(wanted - (row[rule.kind].ordinal - first))
    verb = {
        "earliest": f"Let {who} start earlier, in {when(portfolio, start)}",
        "latest": f"Let {who} start later, in {when(portfolio, start)}",
        "deadline": f"Move the deadline of {who} to {when(portfolio, wanted)}",
        "start": f"Move the start of {who} to {when(portfolio, start)}",
    }[rule.kind]
    said = {
        "earliest": "its earliest start",
        "latest": "its latest start",
        "deadline": "it",
        "start": "its planned start",
    }[rule.kind]
    return f"{verb}; {said} is {when(portfolio, row[rule.kind].ordinal - first)}.", (
        float(shift)
    )


def say_repair(broken: Broken, certain: bool) -> list[str]:
    """Return a repair in sentences."""
    texts = [text for _, text in broken if text]
    if not texts:
        return ["What would have to change could not be worked out in time."]
    head = (
        "The least that makes a plan possible:"
        if certain
        else ("This makes a plan possible; something less may do as well:")
    )
    return [head, *(f"  - {text}" for text in texts)]
