"""Networks become a portfolio: one project each, one pool of people, one balance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from pmo_analytics.clock import Settings, checked_horizon, hours_per_fte
from pmo_analytics.errors import (
    ConfigError,
    joined_problems,
    problem,
    problem_records,
    problems_table,
)
from pmo_analytics.networks.network import Network
from pmo_analytics.networks.rolling import facts
from pmo_analytics.networks.rolling.across import dependency_rows
from pmo_analytics.networks.rolling.balances import (
    MICRO,
    begun,
    count_tasks,
    leave_rows,
    left_whole,
    listed_warnings,
    priced,
    whole,
)
from pmo_analytics.networks.rolling.horizons import horizon_of
from pmo_analytics.networks.rolling.parts import parts_of
from pmo_analytics.networks.rolling.pool import Pool, pooled
from pmo_analytics.networks.rolling.spreading import MILLI, clock_of, spread
from pmo_analytics.networks.rolling.staff import Staff, week_hours
from pmo_analytics.networks.rolling.updates import Updates, split_updates
from pmo_analytics.portfolio import Portfolio

_OLDER = "a newer update of this project is among the files"


@dataclass(frozen=True)
class RolledUp:
    """A portfolio of networks, and what became of what they hold.

    Parameters
    ----------
    portfolio
        The question.
    balance
        `file, what, read, used, listed`: of the networks (read) into the portfolio
        (used), tasks, links, hours and money; exact.
    listed
        `what, amount, file, line, id, reason` of what the portfolio does not use.
    """

    portfolio: Portfolio
    balance: pd.DataFrame
    listed: pd.DataFrame


def roll_up(
    networks: Sequence[Network],
    *,
    name: str = "",
    freq: str = "M",
    horizon: pd.PeriodIndex | None = None,
    settings: Settings | None = None,
    theme: str = "",
    program: str = "",
) -> Portfolio:
    """Return the portfolio of networks; see `roll_up_balanced`."""
    return roll_up_balanced(
        networks,
        name=name,
        freq=freq,
        horizon=horizon,
        settings=settings,
        theme=theme,
        program=program,
    ).portfolio


def roll_up_balanced(
    networks: Sequence[Network],
    *,
    name: str = "",
    freq: str = "M",
    horizon: pd.PeriodIndex | None = None,
    settings: Settings | None = None,
    theme: str = "",
    program: str = "",
) -> RolledUp:
    """Return the portfolio of networks and its balance.

    Each network is a project: done where every task is complete, running where one has
    begun, proposed otherwise, and then not to start before the day it is planned for.
    Hours go to the periods in which they are worked, on the calendar of whom they are
    assigned to, and to the role (else the group, else the name) of that resource. The
    people of all files are one pool. Costs are spread like the hours that they pay, or
    evenly from start to finish. A file with several projects, as `write_mspdi` makes
    one: summary tasks with a custom field `PMO project` are projects of that id. Of
    updates of one project (one id or name but for the day of the update, other data
    dates, the same activities) the newest counts; the others give progress and
    milestones, and the first the baseline where it had not begun and the newest file
    has none.

    Parameters
    ----------
    networks
        Of `read_networks`.
    name
        Of the portfolio.
    freq
        Length of a period where there is no `horizon`.
    horizon
        Periods to plan; None = from the first work that is not done to the last finish,
        and as long again as the longest project.
    settings
        Of the portfolio; None = hours of a week as in the calendars of most projects.
    theme, program
        Code or custom field that names theme and program of a project; "" = those
        called so, and the folder of the file as program.

    Returns
    -------
    RolledUp
        `portfolio.problems` are those of the files, and what was guessed or left out.

    Raises
    ------
    ConfigError
        If there is no network, or none has a date.
    """
    if not networks:
        raise ConfigError("There is no network to make a portfolio of.")
    parts = [part for network in networks for part in parts_of(network)]
    updates = split_updates(parts)
    return _Rolling(updates, freq, horizon, settings, (theme, program)).result(name)


def projects_of(networks: Sequence[Network]) -> dict[str, Network]:
    """Return the networks that `roll_up` makes projects of, by the id of the project.

    Tasks that a file marks as projects are networks of their own; of updates of one
    project the newest is here.
    """
    newest = split_updates([part for n in networks for part in parts_of(n)]).newest
    return dict(zip(facts.project_ids(newest)[0], newest, strict=True))


class _Rolling:
    """Tables while they are made."""

    def __init__(
        self,
        updates: Updates,
        freq: str,
        horizon: pd.PeriodIndex | None,
        settings: Settings | None,
        codes: tuple[str, str],
    ) -> None:
        self.networks = networks = updates.newest
        self.older = updates.older
        self.codes = codes
        self.ids, twice = facts.project_ids(networks)
        files = [*networks, *(network for _, network in self.older)]
        # Networks of one file may each tell what is wrong with the file.
        told = joined_problems([n.problems for n in files]).drop_duplicates()
        self.problems = problem_records(told)
        self.problems += updates.problems
        self.problems += [self._same_id(number) for number in twice]
        self.spans = [facts.span_of(n) for n in networks]
        self.status = [facts.status_of(n) for n in networks]
        self.pool: Pool = pooled(networks)
        self.problems += self.pool.doubts
        if horizon is None:
            horizon, told = horizon_of(networks, self.spans, self.status, freq)
            self.problems += told
        self.horizon = checked_horizon(horizon)
        self.freq = str(self.horizon.freqstr)
        self.settings = settings or Settings(
            hours_per_week=self._week(), currency=self._currency()
        )
        full = self.settings.hours_per_week
        self.staff = Staff(networks, self.pool, self.horizon, full)
        self.problems += self.staff.problems
        self.balances = [begun(n) for n in networks]
        self.roles = self.pool.members.set_index("member")["role"].to_dict()

    def result(self, name: str) -> RolledUp:
        """Return the portfolio and its balance."""
        demand, bookings, spend = [], [], []
        for number, network in enumerate(self.networks):
            count_tasks(network, self.balances[number])
            hours, booked = self._hours(number)
            demand.append(hours)
            bookings.append(booked)
            spend.append(self._money(number))
        dependencies, told = dependency_rows(
            self.networks, self.ids, self.spans, self.freq, self.balances
        )
        self.problems += told
        self.problems += listed_warnings(self.networks, self.balances)
        projects = self._projects()
        whole_demand = pd.concat(demand, ignore_index=True)
        portfolio = Portfolio(
            name,
            horizon=self.horizon,
            settings=self.settings,
            capacity=self._idle(whole_demand),
            problems=problems_table(self.problems),
            projects=projects,
            demand=whole_demand,
            people=self.staff.people,
            absences=self.staff.absences,
            bookings=pd.concat(bookings, ignore_index=True),
            dependencies=dependencies,
            spend=pd.concat(spend, ignore_index=True),
            **self._tracked(),
        )
        balances = [*self.balances, *(left_whole(n, _OLDER) for _, n in self.older)]
        balance = pd.concat(
            [b.frame().assign(file=b.file) for b in balances], ignore_index=True
        )
        names = ["file", "what", "read", "used", "listed"]
        listed = pd.concat([b.listed() for b in balances], ignore_index=True)
        return RolledUp(portfolio, balance[names], listed)

    def _tracked(self) -> dict[str, pd.DataFrame | None]:
        """Return progress, milestones and baselines, of older updates too."""
        progress, milestones, baselines = [], [], []
        own = list(enumerate(self.networks))
        for number, network in [*self.older, *own]:
            project, finish = self.ids[number], facts.span_of(network)[1]
            if row := facts.progress_row(network, project, finish):
                progress.append(row)
            milestones += facts.milestone_rows(network, project)
        first = dict(reversed(self.older))
        for number, network in own:
            project = self.ids[number]
            rows = facts.baseline_rows(network, project, self.freq)
            if not rows and number in first:
                row = facts.plan_row(first[number], project, self.freq)
                rows = [] if row is None else [row]
            baselines += rows
        return {
            "baselines": _table(baselines),
            "progress": _table(progress),
            "milestones": _table(milestones),
        }

    def _same_id(self, number: int) -> dict[str, Any]:
        network = self.networks[number]
        fix = f"Another file has a project '{network.project}' too, so this one is "
        fix += (
            f"called '{self.ids[number]}' and its work counts once more. If they are "
        )
        fix += (
            "updates of one project, keep the newest alone in the folder; `pmo story` "
        )
        fix += "compares updates."
        return problem(
            "warning",
            "projects",
            "duplicate_project",
            found=network.project,
            source=network.source,
            fix=fix,
        )

    def _week(self) -> float:
        weeks = [round(week_hours(n.clock()), 6) for n in self.networks]
        usual = [w for w in weeks if 15 <= w <= 60]
        return max(usual, key=usual.count) if usual else 40.0

    def _currency(self) -> str:
        found = dict.fromkeys(n.currency for n in self.networks if n.currency)
        if len(found) > 1:
            fix = "The files are in several currencies; amounts are added up as they "
            fix += "are. Convert them, or plan the files of one currency at a time."
            self.problems.append(
                problem(
                    "warning",
                    "spend",
                    "several_currencies",
                    found=", ".join(found),
                    fix=fix,
                )
            )
        return next(iter(found), "")

    def _projects(self) -> pd.DataFrame:
        rows = []
        unvalued = 0
        for number, network in enumerate(self.networks):
            start, finish = self.spans[number]
            status = self.status[number]
            value = pd.to_numeric(facts.code_of(network, "value"), errors="coerce")
            unvalued += bool(pd.isna(value))
            first = pd.NaT if pd.isna(start) else pd.Period(start, freq=self.freq)
            last = pd.NaT if pd.isna(finish) else pd.Period(finish, freq=self.freq)
            length = 1 if pd.isna(first) else last.ordinal - first.ordinal + 1
            movable = status == "proposed" and pd.notna(first)
            deadline = facts.deadline_of(network, finish)
            folder = network.fields.get("folder", "")
            rows.append(
                {
                    "project": self.ids[number],
                    "name": network.name or self.ids[number],
                    "status": status,
                    "value": 1.0 if pd.isna(value) else float(value),
                    "duration": length,
                    "start": first,
                    "earliest": max(first, self.horizon[0]) if movable else pd.NaT,
                    "deadline": pd.NaT
                    if pd.isna(deadline)
                    else pd.Period(deadline, freq=self.freq),
                    "theme": facts.code_of(network, "theme", self.codes[0]),
                    "program": facts.code_of(network, "program", self.codes[1])
                    or folder,
                    "manager": network.fields.get("Manager", ""),
                    "phase": facts.code_of(network, "phase"),
                }
            )
        if unvalued:
            fix = f"{unvalued} of {len(rows)} files say no value of their project, so "
            fix += "each counts 1 and a plan takes as many projects as fit. Write the "
            fix += "portfolio to a folder and fill in the column 'value'."
            self.problems.append(problem("warning", "projects", "no_value", fix=fix))
        return _table(rows)

    def _hours(self, number: int) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return demand and bookings of a project."""
        network, balance = self.networks[number], self.balances[number]
        rows = network.assignments.copy()
        rows["amount"] = whole(rows["work_h"], MILLI, network)
        rows = rows[rows["amount"] != 0]
        rows, reasons = self._usable(number, rows)
        named = rows["resource"].map(
            lambda uid: self.pool.places.get((number, uid), "")
        )
        reasons = np.where((reasons == "") & (named == ""), "nobody is named", reasons)
        leave_rows(balance, "hours", rows[reasons != ""], reasons[reasons != ""], MILLI)
        rows, named = rows[reasons == ""], named[reasons == ""]
        spreads = spread(network, rows, self.freq)
        balance.use("hours", Fraction(int(spreads["amount"].sum()), MILLI))
        first = self._first(number)
        role = named.map(self.roles)
        spreads = spreads.assign(
            role=role.reindex(spreads["row"]).to_numpy(),
            offset=spreads["period"] - first,
        )
        grouped = spreads.groupby(["role", "offset"], as_index=False)["amount"].sum()
        full = hours_per_fte(self.freq, self.settings.hours_per_week)
        demand = pd.DataFrame(
            {
                "project": self.ids[number],
                "role": grouped["role"],
                "offset": grouped["offset"],
                "fte": grouped["amount"] / MILLI / full,
            }
        )
        return demand, self._bookings(number, rows, named, role)

    def _first(self, number: int) -> int:
        start = self.spans[number][0]
        return 0 if pd.isna(start) else pd.Period(start, freq=self.freq).ordinal

    def _usable(
        self, number: int, rows: pd.DataFrame
    ) -> tuple[pd.DataFrame, np.ndarray]:
        """Return rows with dates inside the project, and why some cannot be used."""
        tasks = self.networks[number].tasks
        own = tasks.reindex(rows["task"])
        bad = rows["start"].isna() | rows["finish"].isna()
        bad |= rows["finish"] < rows["start"]
        rows = rows.assign(
            start=np.where(bad, own["start"].to_numpy(), rows["start"]),
            finish=np.where(bad, own["finish"].to_numpy(), rows["finish"]),
        )
        start = self.spans[number][0]
        active = own["active"].fillna(False).to_numpy(dtype=bool)
        reasons = np.where(active, "", "its task is inactive")
        undated = rows["start"].isna() | rows["finish"].isna()
        undated = (undated | (rows["finish"] < rows["start"])).to_numpy()
        reasons = np.where((reasons == "") & undated, "it has no dates", reasons)
        negative = (rows["amount"] < 0).to_numpy()
        reasons = np.where((reasons == "") & negative, "it is negative", reasons)
        if pd.notna(start):
            # Work before the first task starts counts on its first day.
            rows["start"] = rows["start"].clip(lower=start)
            rows["finish"] = rows[["start", "finish"]].max(axis=1)
        return rows, reasons

    def _bookings(
        self, number: int, rows: pd.DataFrame, named: pd.Series, role: pd.Series
    ) -> pd.DataFrame:
        """Return bookings of people who are no placeholders, of work ahead."""
        network = self.networks[number]
        ahead = rows["finish"] >= self.horizon[0].start_time
        ahead &= named.isin(list(self.staff.named)) & (self.status[number] != "done")
        rows, named, role = rows[ahead], named[ahead], role[ahead]
        hours = np.zeros(len(rows))
        pairs = list(zip(rows["task"], rows["resource"], strict=True))
        clocks = [clock_of(network, *pair) for pair in pairs]
        keys = np.array([id(clock) for clock in clocks], dtype=np.int64)
        for clock in {id(c): c for c in clocks}.values():
            here = keys == id(clock)
            hours[here] = clock.hours_between(rows["start"][here], rows["finish"][here])
        days = (rows["finish"] - rows["start"]).dt.total_seconds() / 86_400
        hours = np.where(hours > 0, hours, np.maximum(np.ceil(days), 1) * 8)
        week = {id(c): week_hours(c) or 40.0 for c in clocks}
        full = np.array([week[key] for key in keys], dtype=float)
        fte = rows["amount"] / MILLI / hours * full / self.settings.hours_per_week
        return pd.DataFrame(
            {
                "person": named.to_numpy(),
                "project": self.ids[number],
                "role": role.to_numpy(),
                "start": rows["start"].dt.normalize().to_numpy(),
                "end": rows["finish"].dt.normalize().to_numpy(),
                "fte": np.round(fte.to_numpy(dtype=float), 6),
                "kind": "hard",
            }
        )

    def _money(self, number: int) -> pd.DataFrame:
        """Return the rows of `spend` of a project."""
        network, balance = self.networks[number], self.balances[number]
        rows = priced(network)
        rows = rows[rows["amount"] != 0]
        rows, reasons = self._usable(number, rows)
        left = reasons != ""
        leave_rows(balance, "money", rows[left], reasons[left], MICRO)
        rows = rows[~left]
        spreads = spread(network, rows, self.freq)
        balance.use("money", Fraction(int(spreads["amount"].sum()), MICRO))
        category = rows["category"].reindex(spreads["row"]).to_numpy()
        spreads = spreads.assign(
            category=category, offset=spreads["period"] - self._first(number)
        )
        grouped = spreads.groupby(["category", "offset"], as_index=False)[
            "amount"
        ].sum()
        return pd.DataFrame(
            {
                "project": self.ids[number],
                "fund": "",
                "category": grouped["category"],
                "offset": grouped["offset"],
                "amount": grouped["amount"] / MICRO,
            }
        )

    def _idle(self, demand: pd.DataFrame) -> pd.DataFrame | None:
        """Return capacity 0 of roles that are demanded and that nobody has."""
        staffed = set(self.staff.people["role"])
        missing = [r for r in dict.fromkeys(demand["role"]) if r not in staffed]
        if not missing:
            return None
        return pd.DataFrame(0.0, index=self.horizon, columns=missing)


def _table(rows: list[dict[str, Any]]) -> pd.DataFrame | None:
    return pd.DataFrame(rows) if rows else None
