"""Which candidates come in which future: by their probability, within the rules.

Every candidate is drawn by its own probability, and the rules of the portfolio then
hold in every future:

- Members of an `all_or_none` group come together or not at all, as often as the least
  likely of them.
- Of a group with `at_most`, the keenest of those that came stay; of one with
  `at_least`, the keenest of the others come too, unless their probability is 0. How
  keen one is in a future is its own number drawn, beside its probability: of two equal
  ones each stays in half of the futures, and likelier ones stay more often.
- What a project requires (of every kind of dependency; of a group any member) has to
  come, or it does not come either.

- Of those whose spend a budget row covers, the keenest come as long as it holds them,
  at the dates that they have in that future.

Running, approved and forced members count, and are never left out, whatever they spend;
done ones count as selected; what is cancelled or forced out never comes. What budgets
ask for at least and rules of one's own do not choose, and dependencies move no dates
here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pmo_analytics.errors import ConfigError, closest
from pmo_analytics.forecasting.past import some
from pmo_analytics.rules import budget_matches, budget_spans
from pmo_analytics.tables import CANDIDATES, start_windows
from pmo_analytics.tolerance import ROUNDING
from pmo_analytics.uncertainty import all_or_none, rows_of

if TYPE_CHECKING:
    from pmo_analytics.plan import Plan
    from pmo_analytics.portfolio import Portfolio

# Chance of a candidate whose probability is blank.
CHANCES = {"idea": 0.2, "proposed": 0.5, "paused": 0.5}
# A chance that the rules move by less is not worth a sentence.
_WORTH_SAYING = 0.01
# Rounds of adding for `at_least`; what had to be left out is not tried again.
_ROUNDS = 10
# What holds in every future, without and with budgets.
_RULES = ("Groups and dependencies", "Groups, dependencies and budgets")
# Whose load is forecast.
SCOPES = ("pipeline", "committed", "plan")


def in_scope(
    portfolio: Portfolio, scope: str, plan: Plan | None
) -> tuple[Portfolio, list[str]]:
    """Return a portfolio of the projects that a forecast is of, and a sentence of it.

    Parameters
    ----------
    scope
        `pipeline`: all of them, candidates by their probability. `committed`: running,
        approved and forced ones. `plan`: those too, and the candidates that a plan
        selects, as sure as the others; all at the starts of the plan.
    plan
        For `plan`.

    Raises
    ------
    ConfigError
        If there is no such scope, or `plan` lacks its plan or has one too many.
    """
    if scope not in SCOPES:
        raise ConfigError(
            f"There is no scope {scope!r}{closest(scope, SCOPES)}. There are: "
            f"{', '.join(SCOPES)}."
        )
    if (scope == "plan") != (plan is not None):
        raise ConfigError('scope="plan" and plan= belong together: give both.')
    projects = portfolio.projects.copy()
    windows = start_windows(projects, portfolio.horizon)
    must = projects["project"].map(windows["must"]).fillna(False).astype(bool)
    open_ = projects["status"].isin(CANDIDATES) & ~must
    if scope == "pipeline":
        live = projects["project"].map(windows["state"]) == "live"
        may, sure = int((open_ & live).sum()), int((must & live).sum())
        said = (
            f"Load: of the whole pipeline, {sure} running, approved and forced "
            f"projects and {may} candidates by their probability."
        )
        return portfolio, [said] if len(projects) else []
    if plan is None:
        said = (
            f"Load: of running, approved and forced projects alone; "
            f"{int(open_.sum())} candidates are left out."
        )
    else:
        starts = plan.schedule.set_index("project")["start"]
        planned = projects["project"].map(starts)
        fixed = planned.notna() & (projects["status"] != "running")
        projects.loc[fixed, "start"] = planned[fixed]
        projects.loc[open_ & planned.notna(), "status"] = "approved"
        said = (
            f"Load: as planned; {int((open_ & planned.notna()).sum())} candidates are "
            f"in the plan and come for sure, {int((open_ & planned.isna()).sum())} are "
            "not and never come."
        )
        open_ &= planned.isna()
    projects.loc[open_, "force"] = "out"
    return portfolio.replace(projects=projects), [said]


@dataclass(frozen=True)
class _Limit:
    """A group with limits: its candidates, and how many of them it needs and holds.

    Members that come anyway are taken off both numbers.
    """

    name: str
    rows: list[int]
    least: float
    most: float


@dataclass(frozen=True)
class _Fund:
    """A budget row: its candidates, what each spends of it, and what there is.

    `use` has a row a candidate and a column a draw; what comes anyway is taken off.
    """

    rows: list[int]
    use: np.ndarray
    left: float


def draw_pipeline(
    portfolio: Portfolio,
    windows: pd.DataFrame,
    number: Mapping[str, np.ndarray],
    starts: Mapping[str, np.ndarray],
) -> tuple[dict[str, np.ndarray], list[str]]:
    """Draw which candidates come.

    Parameters
    ----------
    portfolio
        A checked snapshot.
    windows
        Of `start_windows`.
    number
        Candidate -> a number from 0 to 1 in each draw: its own luck, small is good.
    starts
        Live project -> first period in each draw, after the first of the horizon.

    Returns
    -------
    tuple
        Candidate -> the draws it comes in; and sentences about what was assumed and
        what the rules changed.
    """
    if not number:
        return {}, []
    names = list(number)
    row = {name: k for k, name in enumerate(names)}
    luck = np.array([number[name] for name in names])
    chance, notes = _chances(portfolio.projects.set_index("project").loc[names])
    possible = (windows["state"] == "live") & (windows["first"] <= windows["last"])
    sure = set(
        windows.index[(possible & windows["must"]) | (windows["state"] == "done")]
    )
    wished = chance.copy()
    ties = _tied(portfolio.groups, row, sure, luck, chance)
    with np.errstate(divide="ignore", invalid="ignore"):
        eager = np.where(chance[:, None] > 0.0, luck / chance[:, None], np.inf)
    limits = _limits(portfolio.groups, row, sure)
    needs = _needs(portfolio, row, sure)
    funds = _funds(portfolio, row, sure, starts)
    came = luck < chance[:, None]
    barred = np.repeat(chance[:, None] <= 0.0, luck.shape[1], axis=1)
    for _ in range(_ROUNDS):
        before = came.copy()
        for limit in limits:
            _add(came, limit, np.where(barred | came, np.inf, eager), ties)
        tried = came.copy()
        while True:
            kept = came.copy()
            for rows in ties:
                came[rows] &= came[rows].all(axis=0)
            for project, servers in needs:
                came[project] &= came[servers].any(axis=0)
            for limit in limits:
                _leave_out(came, limit, eager)
            for fund in funds:
                _spend(came, fund, eager)
            if (came == kept).all():
                break
        barred |= tried & ~came
        if (came == before).all():
            break
    return dict(zip(names, came, strict=True)), [
        *notes,
        *_changed(names, wished, came, _RULES[bool(funds)]),
        *_too_few(limits, came),
    ]


def _tied(
    groups: pd.DataFrame,
    row: dict[str, int],
    sure: set[str],
    luck: np.ndarray,
    chance: np.ndarray,
) -> list[list[int]]:
    """Give those that come together one luck and one chance; return who they are."""
    ties = []
    for members in all_or_none(groups):
        rows = rows_of(members, row)
        ties.append(rows)
        if not rows:
            continue
        luck[rows] = luck[rows[0]]
        chance[rows] = chance[rows].min()
        if any(member in sure for member in members):
            chance[rows] = 1.0
        if any(member not in sure and member not in row for member in members):
            chance[rows] = 0.0
    return ties


def _chances(facts: pd.DataFrame) -> tuple[np.ndarray, list[str]]:
    """Return the probability of each candidate, and whose is assumed."""
    assumed = facts["status"].map(CHANCES).astype(float)
    blank = facts["probability"].isna()
    chance = facts["probability"].astype(float).fillna(assumed)
    if not blank.any():
        return chance.to_numpy(copy=True), []
    parts = []
    for status, value in CHANCES.items():
        mine = facts.index[blank & (facts["status"] == status)]
        if len(mine):
            parts.append(f"{value:g} for {status} ({some(mine)})")
    return chance.to_numpy(copy=True), [
        f"Probability: {blank.sum()} candidates have none, so it is assumed: "
        f"{'; '.join(parts)}. Fill the column probability of projects."
    ]


def _limits(groups: pd.DataFrame, row: dict[str, int], sure: set[str]) -> list[_Limit]:
    found = []
    rows = groups[groups["rule"] == "limit"].dropna(subset=["group", "project"])
    for name, members in rows.groupby("group", sort=False):
        least, most = members["at_least"].iat[0], members["at_most"].iat[0]
        there = int(members["project"].isin(sure).sum())
        limit = _Limit(
            str(name),
            rows_of(list(members["project"]), row),
            0.0 if pd.isna(least) else max(float(least) - there, 0.0),
            np.inf if pd.isna(most) else max(float(most) - there, 0.0),
        )
        found.append(limit)
    return found


def _needs(
    portfolio: Portfolio, row: dict[str, int], sure: set[str]
) -> list[tuple[int, list[int]]]:
    """Return (candidate, candidates of which one has to come)."""
    members = portfolio.groups.groupby("group")["project"].agg(list).to_dict()
    found = []
    for link in portfolio.dependencies.itertuples():
        if link.project in row:
            servers = members.get(link.requires, [link.requires])
            if not any(server in sure for server in servers):
                found.append((row[link.project], rows_of(servers, row)))
    return found


def _add(
    came: np.ndarray, limit: _Limit, eager: np.ndarray, ties: list[list[int]]
) -> None:
    """Let the keenest others come where too few of a group do."""
    if limit.least <= 0.0 or not limit.rows:
        return
    missing = limit.least - came[limit.rows].sum(axis=0)
    own = eager[limit.rows]
    rank = own.argsort(axis=0, kind="stable").argsort(axis=0, kind="stable")
    more = (rank < missing) & np.isfinite(own)
    came[limit.rows] |= more
    for rows in ties:
        if set(rows) & set(limit.rows):
            came[rows] |= came[rows].any(axis=0)


def _leave_out(came: np.ndarray, limit: _Limit, eager: np.ndarray) -> None:
    """Leave out the least keen where too many of a group come."""
    if np.isinf(limit.most) or not limit.rows:
        return
    own = np.where(came[limit.rows], eager[limit.rows], np.inf)
    rank = own.argsort(axis=0, kind="stable").argsort(axis=0, kind="stable")
    came[limit.rows] &= rank < limit.most


def _funds(
    portfolio: Portfolio,
    row: dict[str, int],
    sure: set[str],
    starts: Mapping[str, np.ndarray],
) -> list[_Fund]:
    """Return the budget rows that limit, each with the candidates it covers."""
    spend, limit = portfolio.spend, portfolio.budget["amount"].to_numpy(dtype=float)
    if not len(spend) or not np.isfinite(limit).any():
        return []
    first, last = budget_spans(portfolio)
    matches = budget_matches(portfolio)
    rows = spend.groupby("project", sort=False).indices
    found = []
    for b in np.flatnonzero(np.isfinite(limit)).tolist():
        used = {}
        for name in starts:
            own = rows.get(name, np.zeros(0, dtype=np.int64))
            own = own[matches[b, own]]
            if len(own):
                used[name] = _falls(spend.iloc[own], starts[name], first[b], last[b])
        fixed = sum(float(used[name].max()) for name in used if name in sure)
        mine = [name for name in used if name in row and used[name].any()]
        if mine:
            use = np.array([used[name] for name in mine])
            # With what floats of these amounts can err by.
            err = ROUNDING * (fixed + float(use.max(axis=1).sum()))
            left = max(float(limit[b]) - fixed, 0.0) + err
            found.append(_Fund([row[name] for name in mine], use, left))
    return found


def _falls(
    spend: pd.DataFrame, starts: np.ndarray, first: int, last: int
) -> np.ndarray:
    """Return what a project's rows spend from a first to a last period, by draw."""
    begins, which = np.unique(starts, return_inverse=True)
    period = begins[:, None] + spend["offset"].to_numpy(dtype=np.int64)
    inside = (period >= first) & (period <= last)
    amount = spend["amount"].to_numpy(dtype=float)
    return np.asarray((inside * amount).sum(axis=1)[which])


def _spend(came: np.ndarray, fund: _Fund, eager: np.ndarray) -> None:
    """Let the keenest come while the budget holds them; who spends nothing stays."""
    own = came[fund.rows]
    order = np.where(own, eager[fund.rows], np.inf).argsort(axis=0, kind="stable")
    draws = np.arange(own.shape[1])
    spent = np.zeros(own.shape[1])
    for now in order:
        need = fund.use[now, draws] * own[now, draws]
        fits = (spent + need <= fund.left) | (need == 0.0)
        own[now, draws] &= fits
        spent += need * fits
    came[fund.rows] = own


def _changed(
    names: list[str], wished: np.ndarray, came: np.ndarray, what: str
) -> list[str]:
    """Return a sentence about those that come less or more often than they would."""
    often = came.mean(axis=1)
    # What chance alone may bring is no change.
    noise = 3.0 * np.sqrt(wished * (1.0 - wished) / came.shape[1])
    moved = np.flatnonzero(np.abs(often - wished) > np.maximum(noise, _WORTH_SAYING))
    if not len(moved):
        return []
    parts = [f"{names[k]} {often[k]:.0%} (alone {wished[k]:.0%})" for k in moved]
    return [
        f"{what} hold in every future, so these candidates come in another share of "
        f"them than their probability: {some(parts)}."
    ]


def _too_few(limits: list[_Limit], came: np.ndarray) -> list[str]:
    said = []
    for limit in limits:
        share = (came[limit.rows].sum(axis=0) < limit.least).mean()
        if share > 0.0:
            said.append(
                f"Group {limit.name}: in {share:.0%} of the futures fewer of its "
                "members come than it needs, for no other one can."
            )
    return said
