"""What is drawn of some projects of a portfolio, before any numbers and dates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pmo_analytics.rules import all_roles, worth_at_zero
from pmo_analytics.tables import CANDIDATES, person_capacity, start_windows
from pmo_analytics.uncertainty.distributions import Overruns, Reference, read_overruns
from pmo_analytics.uncertainty.draw_ties import all_or_none, rows_of

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio
    from pmo_analytics.uncertainty.uncertainty import Uncertainty


@dataclass(frozen=True)
class Link:
    """A dependency between projects that are drawn; indices into `Model.names`.

    Attributes
    ----------
    project
        Who waits.
    members
        Who can serve it.
    kind
        `finish_start`, `start_start` or `selected`.
    """

    project: int
    members: tuple[int, ...]
    kind: str
    lag: int


@dataclass(frozen=True, eq=False)
class Model:
    """What is drawn of some projects, without any dates.

    Attributes
    ----------
    names
        Projects; their order is that of every array.
    profiles, used
        FTE by offset and used role of each project, and the roles' numbers.
    gross, cost
        Worth of a start in the first period, and the part of it that is spend.
    free
        Whether a project may be moved by what it waits for: it has not begun.
    chance
        To be won.
    ties
        Projects that are won together or not at all, by the luck of the first.
    capacity, bought
        (roles, periods): what the tables offer, which is uncertain, and what the plan
        buys beside it, which is not.
    persons
        (name, column of `roles`, FTE by period, share that leaves in a period).
    """

    portfolio: Portfolio
    uncertainty: Uncertainty
    names: tuple[str, ...]
    roles: tuple[str, ...]
    duration: np.ndarray
    profiles: tuple[np.ndarray, ...]
    used: tuple[tuple[int, ...], ...]
    running: np.ndarray
    gross: np.ndarray
    cost: np.ndarray
    chance: np.ndarray
    capacity: np.ndarray
    bought: np.ndarray
    links: tuple[Link, ...]
    ties: tuple[tuple[int, ...], ...]
    themes: tuple[Any, ...]
    statuses: tuple[str, ...]
    persons: tuple[tuple[str, int, np.ndarray, float], ...]
    overruns: Overruns
    notes: tuple[str, ...] = ()

    @cached_property
    def rings(self) -> np.ndarray:
        """Number of the ring of links that each project is in, alone or not."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        n = len(self.names)
        edges = [(m, link.project) for link in self.links for m in link.members]
        if not edges:
            return np.arange(n)
        ones = (np.ones(len(edges)), tuple(zip(*edges, strict=True)))
        graph = coo_array(ones, shape=(n, n))
        return np.asarray(connected_components(graph, connection="strong")[1])

    @property
    def periods(self) -> int:
        """Number of periods of the horizon."""
        return len(self.portfolio.horizon)


def profile_of(
    demand: pd.DataFrame, length: int, number: Mapping[str, int]
) -> tuple[np.ndarray, list[int]]:
    """Return FTE by offset and role of one project's rows, and the roles' numbers."""
    used = sorted({number[role] for role in demand["role"]})
    profile = np.zeros((length, len(used)))
    offset = demand["offset"].to_numpy(dtype=np.int64)
    inside = (offset >= 0) & (offset < length)
    column = np.searchsorted(used, [number[role] for role in demand["role"]])
    fte = demand["fte"].to_numpy(dtype=float)
    np.add.at(profile, (offset[inside], column[inside]), fte[inside])
    return profile, used


def model_of(
    portfolio: Portfolio,
    names: Sequence[str],
    uncertainty: Uncertainty,
    *,
    bought: np.ndarray | None = None,
) -> Model:
    """Return what is drawn of some projects of a checked portfolio.

    Parameters
    ----------
    bought
        Capacity that a plan buys, period x role in the order of `all_roles`, FTE.

    Raises
    ------
    ConfigError
        If the uncertainty names what the portfolio does not have.
    """
    uncertainty.check(portfolio)
    number = {name: k for k, name in enumerate(names)}
    roles = all_roles(portfolio)
    at_role = {role: k for k, role in enumerate(roles)}
    windows = start_windows(portfolio.projects, portfolio.horizon).loc[list(names)]
    facts = portfolio.projects.set_index("project").loc[list(names)]
    duration = windows["duration"].to_numpy(dtype=np.int64)
    by_project = dict(tuple(portfolio.demand.groupby("project", sort=False)))
    empty = portfolio.demand.iloc[:0]
    pairs = [
        profile_of(by_project.get(name, empty), max(int(length), 1), at_role)
        for name, length in zip(names, duration, strict=True)
    ]
    gross = worth_at_zero(portfolio, net=False).loc[list(names)].to_numpy()
    net = worth_at_zero(portfolio).loc[list(names)].to_numpy()
    open_ = facts["status"].isin(CANDIDATES).to_numpy() & ~windows["must"].to_numpy()
    chance = facts["probability"].astype(float).fillna(1.0).to_numpy()
    chance = np.where(open_ & uncertainty.wins, chance, 1.0)
    ties = _tie(portfolio, number, open_, chance)
    overruns = read_overruns(portfolio)
    referenced = any(
        isinstance(s.distribution, Reference)
        for quantity in ("duration", "demand")
        for s in uncertainty.spreads(quantity)
    )
    capacity = portfolio.capacity.reindex(columns=roles).fillna(0.0).to_numpy().T
    return Model(
        portfolio=portfolio,
        uncertainty=uncertainty,
        names=tuple(names),
        roles=tuple(roles),
        duration=duration,
        profiles=tuple(p for p, _ in pairs),
        used=tuple(tuple(u) for _, u in pairs),
        running=windows["running"].to_numpy(dtype=bool),
        gross=gross,
        cost=gross - net,
        chance=chance,
        capacity=np.ascontiguousarray(capacity),
        bought=np.zeros_like(capacity) if bought is None else bought.T,
        links=_links(portfolio, number),
        ties=ties,
        themes=tuple(facts["theme"]),
        statuses=tuple(facts["status"].fillna("proposed")),
        persons=_persons(portfolio, uncertainty, roles),
        overruns=overruns,
        notes=(overruns.note,) if referenced else (),
    )


def _tie(
    portfolio: Portfolio,
    number: dict[str, int],
    open_: np.ndarray,
    chance: np.ndarray,
) -> tuple[tuple[int, ...], ...]:
    """Return what groups `all_or_none` tie together, and give it one chance, in place.

    As in a forecast of the pipeline: the smallest of its chances, and 1 where one of
    them is certain. What is not drawn ties nothing, but for what is done.
    """
    states = start_windows(portfolio.projects, portfolio.horizon)["state"]
    ties = []
    for members in all_or_none(portfolio.groups):
        rows = rows_of(members, number)
        if not rows:
            continue
        done = any(states.get(member) == "done" for member in members)
        chance[rows] = 1.0 if done or not open_[rows].all() else chance[rows].min()
        if len(rows) > 1:
            ties.append(tuple(rows))
    return tuple(ties)


def _links(portfolio: Portfolio, number: Mapping[str, int]) -> tuple[Link, ...]:
    """Return the dependencies between drawn projects; what is done serves always."""
    states = start_windows(portfolio.projects, portfolio.horizon)["state"]
    groups = portfolio.groups.groupby("group")["project"].agg(list).to_dict()
    links = []
    for row in portfolio.dependencies.itertuples():
        if row.project not in number:
            continue
        members = groups.get(row.requires, [row.requires])
        if any(states.get(member) == "done" for member in members):
            continue
        drawn = tuple(number[member] for member in members if member in number)
        if drawn:
            lag = 0 if pd.isna(row.lag) else int(row.lag)
            links.append(Link(number[row.project], drawn, str(row.kind), lag))
    return tuple(links)


def _persons(
    portfolio: Portfolio, uncertainty: Uncertainty, roles: Sequence[str]
) -> tuple[tuple[str, int, np.ndarray, float], ...]:
    """Return who may leave: people of the table, else as many as the FTE need."""
    rates = {role: uncertainty.attrition_of(role) for role in roles}
    leaving = [role for role in roles if rates[role] > 0]
    if not leaving:
        return ()
    given = set(portfolio.given_capacity.columns)
    people = portfolio.people
    people = people[people["role"].isin(set(leaving) - given)]
    each, owners = person_capacity(
        people,
        portfolio.absences,
        portfolio.horizon,
        **portfolio.settings.calendar,
    )
    found = [
        (person, roles.index(role), each.iloc[:, k].to_numpy(float), rates[role])
        for k, (person, role) in enumerate(owners)
    ]
    known = {role for _, role in owners}
    capacity = portfolio.capacity
    for role in leaving:
        if role not in known and role in capacity.columns:
            fte = capacity[role].fillna(0.0).to_numpy(float)
            count = max(int(np.ceil(fte.max() - 1e-6)), 1)
            found += [
                (f"{role} {k + 1}", roles.index(role), fte / count, rates[role])
                for k in range(count)
            ]
    return tuple(found)
