"""Kept forecasts held against what happened, and what is learnt from that."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pmo_analytics.clock import format_period
from pmo_analytics.errors import ConfigError
from pmo_analytics.forecasting import Forecast
from pmo_analytics.versions import versions

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio

from pmo_analytics.batch.store import Store, open_store

# A role's own errors count as so many against those of all roles.
_SHRINK = 12.0


# What the factor of an interval may be.
_LEAST_FACTOR, _MOST_FACTOR = 0.5, 3.0


ACCURACY_COLUMNS = (
    "role",
    "lead",
    "quantity",
    "count",
    "bias",
    "mae",
    "inside_p10_p90",
    "inside_p20_p80",
)


def forecast_accuracy(
    store: Store,
    actuals: pd.DataFrame,
    *,
    portfolio: str | None = None,
    teams: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Return how right the forecasts kept turned out, by role and how far ahead.

    Parameters
    ----------
    store
        From `open_store`.
    actuals
        Rows of a `history` table: `period, role, kind, capacity_fte, load_fte`; kind
        `project` is taken before `total`, for that is what forecasts of roles with
        operations mean.
    portfolio
        Name; None = all in the store.
    teams
        Team of each role: then there is a row for each team instead, over all cells of
        its roles; roles without a team are left out.

    Returns
    -------
    DataFrame
        `role` (or `team`), `lead, quantity, count, bias, mae, inside_p10_p90,
        inside_p20_p80`: bias is the mean of median - actual, FTE; of the two intervals
        0.8 and 0.6 is promised. Empty where no period forecast is over.
    """
    compared = _compared(store, actuals, portfolio)
    first, *others = ACCURACY_COLUMNS
    if teams is not None:
        first = "team"
        compared = compared.assign(team=compared["role"].map(dict(teams)))
        compared = compared.dropna(subset=["team"])
    rows = []
    for (whose, lead, quantity), part in compared.groupby(
        [first, "lead", "quantity"], sort=True
    ):
        actual = part["actual"]
        apart = part["p50"] - actual
        rows.append(
            (
                whose,
                lead,
                quantity,
                len(part),
                apart.mean(),
                apart.abs().mean(),
                actual.between(part["p10"], part["p90"]).mean(),
                actual.between(part["p20"], part["p80"]).mean(),
            )
        )
    return pd.DataFrame(rows, columns=[first, *others])


def learn_intervals(
    store: Store, actuals: pd.DataFrame, *, portfolio: str | None = None
) -> pd.DataFrame:
    """Return by how much intervals should have been wider, for the next forecast.

    The factor that would have made p10 - p90 hold 80 % of what came about: the 80 %
    quantile of |actual - median| over half the width, by role and quantity, drawn
    towards that of all roles where there is little to go by.

    Parameters
    ----------
    store
        Memory of former forecasts, of `open_store`.
    actuals
        What has happened since.
    portfolio
        Portfolio of the forecast to come.

    Returns
    -------
    DataFrame
        `role, lead, quantity, factor`, between 0.5 and 3: what `accuracy=` of
        `forecast_headroom` takes. Empty where no period forecast is over.
    """
    compared = _compared(store, actuals, portfolio)
    half = ((compared["p90"] - compared["p10"]) / 2.0).clip(lower=1e-3)
    compared = compared.assign(z=(compared["actual"] - compared["p50"]).abs() / half)
    rows = []
    for quantity, of_all in compared.groupby("quantity"):
        pooled = float(of_all["z"].quantile(0.8))
        for role, own in of_all.groupby("role"):
            weight = len(own) / (len(own) + _SHRINK)
            factor = weight * float(own["z"].quantile(0.8)) + (1.0 - weight) * pooled
            factor = float(np.clip(factor, _LEAST_FACTOR, _MOST_FACTOR))
            rows += [(role, lead, quantity, factor) for lead in (1, own["lead"].max())]
    table = pd.DataFrame(rows, columns=["role", "lead", "quantity", "factor"])
    return table.drop_duplicates(["role", "lead", "quantity"], ignore_index=True)


def _compared(
    store: Store, actuals: pd.DataFrame, portfolio: str | None
) -> pd.DataFrame:
    """Return forecasts beside what happened, one row each."""
    told = store.forecasts(portfolio)
    happened = _happened(actuals)
    told = told[told["quantity"].isin(["capacity", "load"])]
    if told.empty or happened.empty:
        return told.assign(actual=pd.Series(dtype=float)).iloc[:0]
    return told.merge(happened, on=["role", "period", "quantity"], how="inner")


def _happened(actuals: pd.DataFrame) -> pd.DataFrame:
    """Return `role, period (text), quantity, actual`, each once."""
    missing = {"period", "role", "kind"} - set(actuals.columns)
    if missing:
        raise ConfigError(f"What happened lacks the columns {sorted(missing)}.")
    kinds = actuals[actuals["kind"].isin(["project", "total"])]
    kinds = kinds.sort_values("kind").drop_duplicates(["period", "role"])
    parts = []
    for quantity in ("capacity", "load"):
        column = f"{quantity}_fte"
        if column in kinds.columns:
            part = kinds[["role", "period", column]].dropna()
            part = part.rename(columns={column: "actual"})
            parts.append(part.assign(quantity=quantity))
    if not parts:
        return pd.DataFrame(columns=["role", "period", "actual", "quantity"])
    rows = pd.concat(parts, ignore_index=True)
    rows["period"] = [
        format_period(p) if isinstance(p, pd.Period) else str(p) for p in rows["period"]
    ]
    rows["actual"] = rows["actual"].astype(float)
    return rows


@dataclass(frozen=True)
class Memory:
    """What is known of former forecasts of a portfolio when a new one is made.

    Attributes
    ----------
    learnt
        Of `learn_intervals`; None without a store.
    accuracy
        Of `forecast_accuracy`; empty without a store.
    by_team
        The same by the teams of the `roles` table.
    keep
        Keeps a forecast of headroom with its parts, as of the period before it.
    statuses
        What was kept of projects, the oldest day first; empty without a store.
    keep_status
        Keeps the indicators of a status, with its day as text.
    """

    learnt: pd.DataFrame | None
    accuracy: pd.DataFrame
    by_team: pd.DataFrame
    keep: Callable[[Forecast], None]
    statuses: pd.DataFrame
    keep_status: Callable[[pd.DataFrame, str], None]

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the accuracy of former forecasts by the names of their files."""
        return {
            "accuracy.csv": self.accuracy,
            "accuracy_by_team.csv": self.by_team,
        }


@contextmanager
def remembering(
    place: str, portfolio: Portfolio, as_of: pd.Period | None = None
) -> Iterator[Memory]:
    """Open a store for one forecast of a portfolio; a blank place remembers nothing.

    Parameters
    ----------
    place
        As in `open_store`.
    as_of
        Last period known; by default the one before the horizon.
    """
    if not place:
        none = pd.DataFrame()
        yield Memory(None, none, none, lambda _: None, none, lambda _, __: None)
        return
    store = open_store(place)
    past = portfolio.history
    known = portfolio.horizon[0] - 1 if as_of is None else as_of
    past = past[past["period"] <= known]

    def keep(headroom: Forecast) -> None:
        store.save(
            *headroom.parts,
            headroom,
            portfolio=portfolio.name,
            as_of=known,
            digest=portfolio.digest(),
            facts={"versions": versions(), "notes": list(headroom.notes)},
        )

    def keep_status(indicators: pd.DataFrame, day: str) -> None:
        store.save_statuses(indicators, portfolio=portfolio.name, as_of=day)

    try:
        name = portfolio.name
        learnt = learn_intervals(store, past, portfolio=name)
        accuracy, by_team = (
            forecast_accuracy(store, past, portfolio=name, teams=teams)
            for teams in (None, _teams(portfolio))
        )
        said = store.statuses(name)
        yield Memory(learnt, accuracy, by_team, keep, said, keep_status)
    finally:
        store.close()


def _teams(portfolio: Portfolio) -> dict[str, str]:
    """Return the team of each role, from `roles` or, if all agree, from its people."""
    listed = portfolio.roles.dropna(subset=["role", "team"])
    known = dict(zip(listed["role"], listed["team"], strict=True))
    people = portfolio.people.dropna(subset=["role", "team"])
    for role, teams in people.groupby("role")["team"]:
        if teams.nunique() == 1:
            known.setdefault(role, teams.iloc[0])
    return known
