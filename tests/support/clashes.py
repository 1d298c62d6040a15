"""A portfolio with some of its rules taken away, edited as a planner would edit it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tests.support.brute_force import Case, read_case

if TYPE_CHECKING:
    from pmo_analytics.optimization.explaining.rulebook import Rulebook

PLENTY = 1e6


def only(book: Rulebook, kept: list[int]) -> Case:
    """Return the portfolio in which just these rules are in force, for brute force.

    Its limits are those in force; judge it with `strict=True`.
    """
    portfolio = book.portfolio
    rules = [book.rules[k] for k in kept]
    on = {(rule.kind, rule.number) for rule in rules}
    projects = portfolio.projects.copy()
    blackouts, groups = portfolio.blackouts, portfolio.groups
    for k, rule in enumerate(book.rules):
        if k in kept:
            continue
        row = projects["project"] == rule.subject
        if rule.kind in ("earliest", "latest", "deadline"):
            projects.loc[row, rule.kind] = None
            approved = projects["status"] == "approved"
            own = {"earliest", "latest"} & {
                r.kind for r in book.rules if r.subject == rule.subject
            }
            if own:  # the planned start was not in force beside a window
                projects.loc[row & approved, "start"] = None
        elif rule.kind == "start":
            projects.loc[row, "start"] = None
        elif rule.kind == "out":
            projects.loc[row, ["status", "force"]] = ["proposed", None]
    resources = len(portfolio.horizon) * len(book.wide.roles)
    capacity = portfolio.capacity * 0.0 + PLENTY
    for kind, resource in on:
        if kind == "capacity":
            role, period = divmod(resource, len(portfolio.horizon))
            limit = book.limits.capacity.iat[period, role]
            capacity.loc[capacity.index[period], book.wide.roles[role]] = limit
    budget = portfolio.budget.copy()
    for b in range(len(budget)):
        label = budget.index[b]
        held = ("budget", resources + b) in on
        budget.loc[label, "amount"] = book.limits.budget[b] if held else np.nan
        if ("budget_at_least", resources + b) not in on:
            budget.loc[label, "at_least"] = np.nan
    gone = {
        book.dependency(rule)
        for k, rule in enumerate(book.rules)
        if rule.kind == "dependency" and k not in kept
    }
    links = portfolio.dependencies
    keys = zip(links["project"], links["requires"], links["kind"], strict=True)
    left = {r.subject for r in rules if r.kind == "group"}
    named = set(links["requires"])
    # A group that is named by a dependency stays as a list of names.
    loose = groups["group"].isin(named - left)
    groups = groups[groups["group"].isin(left) | loose].copy()
    groups.loc[groups["group"].isin(named - left), "rule"] = "limit"
    groups.loc[groups["group"].isin(named - left), ["at_least", "at_most"]] = None
    shown = [k for k in range(len(blackouts)) if ("blackout", k) in on]
    own = {r.subject for r in rules if r.kind == "rule"}
    edited = portfolio.replace(
        rules=portfolio.rules[portfolio.rules["rule"].isin(own)],
        projects=projects,
        capacity=capacity,
        budget=budget,
        dependencies=links[np.array([key not in gone for key in keys], dtype=bool)],
        groups=groups,
        blackouts=blackouts.iloc[shown],
    )
    case = read_case(edited)
    for k, rule in enumerate(book.rules):
        if rule.kind == "must" and k not in kept:
            case.projects[rule.subject].must = False
    return case
