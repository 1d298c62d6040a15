"""How much of their contracts people are away by time of the year, as history tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pmo_analytics.forecasting.models.series import season_of
from pmo_analytics.tables import people_capacity

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio

# Years of history that are looked at, and the most that people can be away.
_YEARS = 5
_MOST_AWAY = 0.9


def years_of_leave(portfolio: Portfolio) -> tuple[np.ndarray, str]:
    """Return the share of contracts that people were away, and a sentence about it.

    What `history` gives as `total` capacity beside what the contracts of the same
    people came to, net of public holidays; all roles together, for one role alone has
    too few people.

    Returns
    -------
    tuple
        Shape (years, periods of a year), latest year first, NaN where nothing is known;
        without a row where history cannot tell.
    """
    horizon = portfolio.horizon
    season = season_of(horizon.freqstr)
    none = np.zeros((0, season))
    rows = portfolio.history
    rows = rows[(rows["kind"] == "total") & rows["capacity_fte"].notna()]
    rows = rows[rows["period"] < horizon[0]]
    periods = pd.period_range(
        horizon[0] - _YEARS * season, horizon[0] - 1, freq=horizon.freq
    )
    real = rows.pivot(index="period", columns="role", values="capacity_fte")
    given = set(portfolio.given_capacity.columns)
    real = real[[role for role in real.columns if role not in given]].reindex(periods)
    contracts = _contracts(portfolio, periods)
    both = [role for role in real.columns if role in contracts.columns]
    known = real[both].notna() & (contracts[both] > 0)
    had = real[both].where(known).sum(axis=1).to_numpy(dtype=float)
    full = contracts[both].where(known).sum(axis=1).to_numpy(dtype=float)
    if season < 2 or (full > 0).sum() < season:
        return none, ""
    away = np.where(full > 0, 1.0 - had / np.where(full > 0, full, 1.0), np.nan)
    if np.nanmedian(away) < 0.0:
        return none, (
            "Leave: history has more capacity than the contracts of the same periods, "
            "so people who left are missing in the table; only absences are taken off."
        )
    away = np.clip(away, 0.0, _MOST_AWAY).reshape(_YEARS, season)[::-1]
    mean = float(np.nanmean(away))
    return away[np.isfinite(away).any(axis=1)], (
        f"Leave: people were away {mean:.0%} of their contracts in history; where "
        "fewer absences are booked than in a past year, that year's share is taken off."
    )


def _contracts(portfolio: Portfolio, periods: pd.PeriodIndex) -> pd.DataFrame:
    """Return what people come to without any absence, period x role."""
    return people_capacity(
        portfolio.people[portfolio.people["role"].notna()],
        portfolio.absences.iloc[:0],
        periods,
        **portfolio.settings.calendar,
    )


def share_at_work(
    portfolio: Portfolio,
    roles: list[str],
    draws: int,
    rng: np.random.Generator,
    notes: list[str],
) -> np.ndarray | None:
    """Draw what is left of capacity when leave that is not booked yet is taken.

    Each draw repeats a whole past year in each year to come. Booked absences count
    first: only what a past year had beyond them is taken off.

    Returns
    -------
    ndarray or None
        Shape (draws, periods, roles), 0-1; None where history cannot tell.
    """
    years, said = years_of_leave(portfolio)
    if said:
        notes.append(said)
    if not len(years):
        return None
    horizon = portfolio.horizon
    season = years.shape[1]
    # Rows end where the horizon begins: its first period has place 0.
    place = np.arange(len(horizon)) % season
    year = np.arange(len(horizon)) // season
    chosen = rng.integers(0, len(years), (draws, int(year[-1]) + 1))
    taken = years[chosen[:, year], place]
    full = _contracts(portfolio, horizon)
    booked = people_capacity(
        portfolio.people[portfolio.people["role"].notna()],
        portfolio.absences,
        horizon,
        **portfolio.settings.calendar,
    )
    result = np.ones((draws, len(horizon), len(roles)))
    given = set(portfolio.given_capacity.columns)
    for k, role in enumerate(roles):
        if role in given or role not in full.columns:
            continue
        contract = full[role].to_numpy(dtype=float)
        left = np.where(
            contract > 0, booked[role] / np.where(contract > 0, contract, 1), 1.0
        )
        expected = np.where(np.isfinite(taken), 1.0 - taken, 1.0)
        more = expected / np.where(left > 0, left, 1.0)
        result[:, :, k] = np.where(left > 0, np.minimum(more, 1.0), 1.0)
    return result
