"""The ways back on track, each as a scenario."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pmo_analytics.clock import format_period
from pmo_analytics.rules import worth
from pmo_analytics.scenarios import (
    AnyChange,
    Scenario,
    change_demand,
    change_project,
    change_value,
    delay,
    exclude,
    scale_duration,
)
from pmo_analytics.tables import start_windows
from pmo_analytics.tracking.recovery.reasons import Trouble

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio

# In the order of the table where they cost the same.
ACCEPT, RESEQUENCE, PEOPLE = "accept", "resequence", "people"
BUY, SCOPE, STOP = "buy", "scope", "stop"
OPTIONS = (ACCEPT, RESEQUENCE, PEOPLE, BUY, SCOPE, STOP)
# Other projects that are tried as givers, and the periods they may wait.
_GIVERS = 6
_LONGEST = 6
_CUTS = (0.1, 0.2, 0.3, 0.5)


@dataclass(frozen=True)
class Option:
    """One way back: a scenario, what it is in words, and what it needs.

    `named` are the projects that it moves or stops by itself, `shifts` by how many
    periods; `few` whether others may move too; `flex` whether capacity is bought;
    `late` the periods that the project ends after its promise.
    """

    kind: str
    what: str
    scenario: Scenario
    late: int
    named: tuple[str, ...] = ()
    shifts: tuple[tuple[str, int], ...] = ()
    few: bool = False
    flex: bool = False


def ways_back(
    portfolio: Portfolio, trouble: Trouble, starts: Mapping[str, int]
) -> tuple[list[Option], dict[str, str]]:
    """Return the options that can be tried, and why others cannot.

    Parameters
    ----------
    portfolio
        A checked snapshot.
    starts
        Plan of record.
    """
    name, late = trouble.project, trouble.late
    short = trouble.left - late
    missing: dict[str, str] = {}
    found = _accepting(portfolio, trouble)
    on_time: tuple[AnyChange, ...] = ()
    if late and short < 1:
        text = f"{counted(late)} cannot be made good in the {trouble.left} left."
        missing = dict.fromkeys((RESEQUENCE, PEOPLE, BUY, STOP), text)
        return found + _cutting(portfolio, trouble, missing), missing
    if late:
        on_time = (_Faster(name, short / trouble.left),)
    faster = f"in {counted(short)} instead of {trouble.left}, " if late else ""
    if late:
        found.append(
            Option(
                RESEQUENCE,
                f"Finish '{name}' {faster}with the same effort; others move.",
                Scenario(RESEQUENCE, *on_time),
                0,
                few=True,
            )
        )
    else:
        # The slip is nobody's; what does not fit any more is moved.
        found[0] = Option(
            RESEQUENCE,
            f"'{name}' stays as it is; others move.",
            Scenario(RESEQUENCE),
            0,
            few=True,
        )
        found += _slipping(trouble)
    givers = _givers(portfolio, trouble, starts)
    if not givers:
        missing[PEOPLE] = missing[STOP] = (
            f"No other project has people of the roles of '{name}' at that time."
        )
    for giver in givers:
        start = starts[giver]
        found += _giving(portfolio, giver, start, trouble, on_time, faster)
    if len(portfolio.flex):
        what = (
            f"Buy capacity so that '{name}' ends {'on time' if late else 'as planned'}."
        )
        found.append(Option(BUY, what, Scenario(BUY, *on_time), 0, flex=True))
    else:
        missing[BUY] = "The table flex offers nothing."
    return found + _cutting(portfolio, trouble, missing), missing


def _giving(
    portfolio: Portfolio,
    giver: str,
    start: int,
    trouble: Trouble,
    on_time: tuple[AnyChange, ...],
    faster: str,
) -> list[Option]:
    """Return the ways in which another project gives its people: it waits, or stops."""
    work = f"its people work on '{trouble.project}'"
    work += f"; it is finished {faster.strip(', ')}." if faster else "."
    found = [
        Option(
            PEOPLE,
            f"'{giver}' waits {counted(periods)}; {work}",
            Scenario(f"{PEOPLE} {giver} {periods}", *on_time, delay(giver, periods)),
            0,
            named=(giver,),
            shifts=((giver, periods),),
        )
        for periods in range(1, _LONGEST + 1)
    ]
    windows = start_windows(portfolio.projects, portfolio.horizon)
    last = min(int(windows.at[giver, "last"]), start + _LONGEST)
    # Running work and what has one start left waits a number of periods alone.
    if not windows.at[giver, "kept"] and last > start + 1:
        first, latest = (say_period(portfolio, at) for at in (start + 1, last))
        later = change_project(giver, earliest=first, latest=latest)
        found.append(
            Option(
                PEOPLE,
                f"'{giver}' waits; {work}",
                Scenario(f"{PEOPLE} {giver}", *on_time, later),
                0,
                named=(giver,),
                shifts=((giver, 1),),
                few=True,
            )
        )
    stops = Option(
        STOP,
        f"'{giver}' stops and {work}",
        Scenario(f"{STOP} {giver}", *on_time, exclude(giver)),
        0,
        named=(giver,),
    )
    return [*found, stops]


def _accepting(portfolio: Portfolio, trouble: Trouble) -> list[Option]:
    """Return the slip as it stands; a deadline that cannot be met is moved with it."""
    late = counted(trouble.late)
    what = f"'{trouble.project}' ends {late} late; others move only where they must."
    later: tuple[AnyChange, ...] = ()
    rows = portfolio.projects.set_index("project")
    deadline = rows.at[trouble.project, "deadline"]
    if not pd.isna(deadline) and deadline < portfolio.horizon[0] + trouble.finish:
        end = say_period(portfolio, trouble.finish)
        later = (change_project(trouble.project, deadline=end),)
    return [Option(ACCEPT, what, Scenario(ACCEPT, *later), trouble.late, few=True)]


def _slipping(trouble: Trouble) -> list[Option]:
    """Return slips of the project itself, where it is not late yet."""
    name = trouble.project
    slack = 0 if trouble.promise is None else trouble.promise - trouble.finish
    return [
        Option(
            ACCEPT,
            f"'{name}' waits {counted(periods)}; nobody else moves.",
            Scenario(f"{ACCEPT} {periods}", delay(name, periods)),
            max(periods - slack, 0),
            shifts=((name, periods),),
        )
        for periods in range(1, _LONGEST + 1)
    ]


def _givers(
    portfolio: Portfolio, trouble: Trouble, starts: Mapping[str, int]
) -> list[str]:
    """Return the projects whose people could help, the cheapest first.

    They work in the same roles in the periods that the project has left; cheap is
    little worth for many of these people.
    """
    demand = portfolio.demand
    own = demand[demand["project"] == trouble.project]
    roles = set(own["role"])
    others = demand[(demand["project"] != trouble.project) & demand["role"].isin(roles)]
    at = others["project"].map(starts) + others["offset"]
    from_now = max(trouble.start, 0)
    others = others[at.between(from_now, trouble.finish)]
    people = others.groupby("project")["fte"].sum()
    people = people[people > 0]
    value = worth(portfolio, {n: starts[n] for n in people.index})
    price = value.reindex(people.index).fillna(0.0) / people
    return list(price.sort_values(kind="stable").index[:_GIVERS])


def _cutting(
    portfolio: Portfolio, trouble: Trouble, missing: dict[str, str]
) -> list[Option]:
    """Return cuts of scope: the last periods of work, or a share of what is left."""
    name = trouble.project
    if trouble.late:
        if trouble.left <= trouble.late:
            missing[SCOPE] = "Nothing is left of it before its promise."
            return []
        share = _share_of_end(portfolio, trouble)
        what = f"Leave out the last {counted(trouble.late)} of work of '{name}', "
        what += f"{share:.0%} of what is left, and as much of its value."
        scenario = Scenario(
            SCOPE, _Shorter(name, trouble.late), change_value(name, 1 - share)
        )
        return [Option(SCOPE, what, scenario, 0, few=True)]
    return [
        Option(
            SCOPE,
            f"Leave out {cut:.0%} of the work of '{name}', and as much of its value.",
            Scenario(
                f"{SCOPE} {cut:.0%}",
                change_demand(1 - cut, name),
                change_value(name, 1 - cut),
            ),
            0,
        )
        for cut in _CUTS
    ]


def _share_of_end(portfolio: Portfolio, trouble: Trouble) -> float:
    """Return the share of the effort left that falls after the promise."""
    own = portfolio.demand[portfolio.demand["project"] == trouble.project]
    at = own["offset"] + trouble.start
    left = own["fte"][at >= 0].sum()
    if not left > 0:
        return trouble.late / trouble.left
    return float(own["fte"][at > trouble.finish - trouble.late].sum() / left)


class _Faster:
    """A change: a project is done in less time, its effort kept."""

    def __init__(self, project: str, factor: float) -> None:
        self.project = project
        self.factor = factor
        self.__name__ = f"finish {project} in {factor:.0%} of the time left"
        self._last: tuple[Portfolio, Portfolio] | None = None

    def __call__(self, portfolio: Portfolio) -> Portfolio:
        """Return the portfolio with more people of it at once, its effort the same."""
        # Most options begin with it, of the same snapshot.
        if self._last is None or self._last[0] is not portfolio:
            faster = scale_duration(self.factor, self.project)(portfolio)
            self._last = portfolio, faster
        return self._last[1]


class _Shorter:
    """A change: the last periods of a project are not done."""

    def __init__(self, project: str, periods: int) -> None:
        self.project = project
        self.periods = periods
        self.__name__ = f"leave out the last {periods} periods of {project}"

    def __call__(self, portfolio: Portfolio) -> Portfolio:
        """Return the portfolio without them; benefits come as much earlier."""
        rows = portfolio.projects.copy()
        mine = rows["project"] == self.project
        length = int(rows.loc[mine, "duration"].iloc[0]) - self.periods
        rows.loc[mine, "duration"] = length
        changes: dict[str, pd.DataFrame] = {"projects": rows}
        for table in ("demand", "spend"):
            frame = portfolio.tables[table]
            gone = (frame["project"] == self.project) & (frame["offset"] >= length)
            changes[table] = frame[~gone]
        benefits = portfolio.benefits.copy()
        late = (benefits["project"] == self.project) & (
            benefits["offset"] >= length + self.periods
        )
        benefits.loc[late, "offset"] = np.maximum(
            benefits.loc[late, "offset"] - self.periods, 0
        )
        changes["benefits"] = benefits
        return portfolio.replace(**changes)


def counted(periods: int) -> str:
    """Return a number of periods in words."""
    return f"{periods} period{'' if periods == 1 else 's'}"


def say_period(portfolio: Portfolio, offset: int) -> str:
    """Return a period by its place after the first of the horizon."""
    return format_period(portfolio.horizon[0] + offset)
