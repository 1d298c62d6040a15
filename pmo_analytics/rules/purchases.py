"""Capacity that is bought: the offers of the table `flex`, and what a plan takes.

Overtime and contractors are bought period by period. A hire, once on board, stays to
the end of its offer, or of the horizon. One FTE for a period costs rate x working hours
of an FTE period.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pmo_analytics.clock import (
    base_freq,
    format_period,
    hours_per_fte,
    offsets_from,
    parse_period,
)
from pmo_analytics.errors import DataError, problem, problems_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pmo_analytics.portfolio import Portfolio

COLUMNS = ("offer", "role", "kind", "period", "fte", "cost")


def offers(portfolio: Portfolio) -> pd.DataFrame:
    """Return the offers that can be taken inside the horizon.

    Parameters
    ----------
    portfolio
        A valid portfolio.

    Returns
    -------
    DataFrame
        Index `offer`: row of `flex`, from 1. Columns `role, kind, first, last` (first
        and last period with capacity, whole periods after the first of the horizon),
        `fte_max`, `cost` (of 1 FTE in one period, currency, not discounted).
    """
    flex = portfolio.flex
    periods = len(portfolio.horizon)
    start = offsets_from(flex["start"], portfolio.horizon)
    end = offsets_from(flex["end"], portfolio.horizon)
    lead = flex["lead"].fillna(0).to_numpy(dtype=float)
    known = portfolio.roles.drop_duplicates("role").set_index("role")["rate"]
    rate = flex["rate"].fillna(flex["role"].map(known)).to_numpy(dtype=float)
    hours = hours_per_fte(portfolio.freq, portfolio.settings.hours_per_week)
    table = pd.DataFrame(
        {
            "role": flex["role"].to_numpy(),
            "kind": flex["kind"].to_numpy(),
            "first": np.maximum(np.fmax(start, 0), lead),
            "last": np.where(np.isnan(end), periods - 1, np.fmin(end, periods - 1)),
            "fte_max": flex["fte_max"].to_numpy(),
            "cost": rate * hours,
        },
        index=pd.RangeIndex(1, len(flex) + 1, name="offer"),
    )
    table["first"] = table["first"].fillna(0).astype(np.int64)
    table["last"] = table["last"].astype(np.int64)
    return table[(table["first"] <= table["last"]) & (table["fte_max"] > 0)]


def most_offered(portfolio: Portfolio, roles: pd.Index) -> pd.DataFrame:
    """Return the FTE that all offers together can add, period x role.

    A hire may be on board in the whole span of its offer, so that nothing that can be
    bought exceeds it anywhere, and all of it can be bought at once.
    """
    grid = pd.DataFrame(0.0, index=portfolio.horizon, columns=roles)
    for row in offers(portfolio).itertuples():
        if row.role in grid.columns:
            at = grid.columns.get_loc(row.role)
            grid.iloc[row.first : row.last + 1, at] += row.fte_max
    return grid


def purchases_table(
    portfolio: Portfolio, bought: Mapping[tuple[int, int], float]
) -> pd.DataFrame:
    """Return purchases as rows.

    Parameters
    ----------
    bought
        (offer, period offset) -> FTE on board in that period.

    Returns
    -------
    DataFrame
        `offer` (row of `flex`, from 1), `role, kind, period` (Period), `fte`, `cost`
        (currency, not discounted), by offer and period.
    """
    table = offers(portfolio) if bought else pd.DataFrame()
    keys = sorted(bought)
    own = [table.loc[offer] for offer, _ in keys]
    fte = [float(bought[key]) for key in keys]
    return pd.DataFrame(
        {
            "offer": np.array([offer for offer, _ in keys], dtype=np.int64),
            "role": pd.Series([row["role"] for row in own], dtype="str"),
            "kind": pd.Series([row["kind"] for row in own], dtype="str"),
            "period": pd.PeriodIndex.from_ordinals(
                [portfolio.horizon[0].ordinal + t for _, t in keys],
                freq=portfolio.freq,
            ),
            "fte": np.array(fte, dtype=float),
            "cost": [f * float(row["cost"]) for f, row in zip(fte, own, strict=True)],
        }
    ).astype({"cost": float})


def read_purchases(portfolio: Portfolio, rows: pd.DataFrame) -> pd.DataFrame:
    """Return purchases given as `offer, period, fte` in the shape of the table.

    Raises
    ------
    DataError
        If a row names no offer, no period of the horizon or no amount, or repeats one.
    """
    missing = [c for c in ("offer", "period", "fte") if c not in rows.columns]
    if missing:
        raise DataError(
            problems_table(
                [
                    problem(
                        "error",
                        "purchases",
                        "missing_column",
                        column=missing[0],
                        found=", ".join(map(str, rows.columns)),
                        fix="Purchases have the columns offer, period and fte.",
                    )
                ]
            )
        )
    known = set(offers(portfolio).index)
    bought: dict[tuple[int, int], float] = {}
    wrong = []
    for label, offer, period, fte in zip(
        rows.index, rows["offer"], rows["period"], rows["fte"], strict=True
    ):
        number = pd.to_numeric(offer, errors="coerce")
        amount = pd.to_numeric(fte, errors="coerce")
        when = _offset(portfolio, period)
        fix = ""
        if pd.isna(number) or int(number) != number or int(number) not in known:
            fix = "The offer is the number of a row of the table flex, from 1."
        elif when is None:
            fix = "Write a period of the horizon."
        elif not np.isfinite(amount) or amount < 0:
            fix = "Write how many FTE are bought, 0 or more."
        elif (int(number), when) in bought:
            fix = "The offer is bought twice in this period; keep one row."
        if fix:
            found = f"{offer}, {period}, {fte}"
            wrong.append(
                problem(
                    "error", "purchases", "unreadable", row=label, found=found, fix=fix
                )
            )
        elif when is not None:
            bought[int(number), when] = float(amount)
    if wrong:
        raise DataError(problems_table(wrong))
    return purchases_table(portfolio, bought)


def _offset(portfolio: Portfolio, period: Any) -> int | None:
    try:
        at = parse_period(period, portfolio.freq).ordinal - portfolio.horizon[0].ordinal
    except ValueError:
        return None
    return at if 0 <= at < len(portfolio.horizon) else None


def bought_grid(
    portfolio: Portfolio, purchases: pd.DataFrame, roles: pd.Index
) -> pd.DataFrame:
    """Return the FTE bought, period x role."""
    grid = pd.DataFrame(0.0, index=portfolio.horizon, columns=roles)
    kept = purchases[purchases["role"].isin(roles)]
    added = kept.groupby(["period", "role"])["fte"].sum()
    for (period, role), fte in added.items():
        grid.at[period, role] = fte
    return grid


def purchase_cost(portfolio: Portfolio, purchases: pd.DataFrame) -> float:
    """Return what purchases take off the objective: their cost, discounted."""
    after = purchases["period"].astype("int64") - portfolio.horizon[0].ordinal
    factor = (1.0 + portfolio.settings.discount) ** -after.to_numpy(dtype=float)
    return float((purchases["cost"].to_numpy() * factor).sum())


def broken_offers(
    portfolio: Portfolio, purchases: pd.DataFrame
) -> list[tuple[int, str, float, float, str]]:
    """Return (offer, period, found, limit, sentence) of what offers do not allow."""
    table = offers(portfolio)
    first = portfolio.horizon[0]
    broken = []
    for offer, rows in purchases.groupby("offer"):
        own = table.loc[offer]
        about = f"Offer {offer} ({own['kind']}, {own['role']})"
        at = rows["period"].astype("int64").to_numpy() - first.ordinal
        fte = np.zeros(len(portfolio.horizon))
        fte[at] = rows["fte"].to_numpy()
        span = f"{format_period(first + own['first'])} .. "
        span += format_period(first + own["last"])
        for t in np.flatnonzero(fte > 0).tolist():
            when = format_period(first + t)
            most = float(own["fte_max"])
            if not own["first"] <= t <= own["last"]:
                text = f"{about} can be bought in {span}, not in {when}."
                broken.append((int(str(offer)), when, float(fte[t]), 0.0, text))
            elif fte[t] > most:
                text = f"{about} has at most {most:g} FTE, not {fte[t]:g} in {when}."
                broken.append((int(str(offer)), when, float(fte[t]), most, text))
        if own["kind"] != "hire":
            continue
        for t in range(int(own["first"]), int(own["last"])):
            if fte[t + 1] < fte[t]:
                when = format_period(first + t + 1)
                text = f"{about}: {fte[t]:g} FTE are hired and stay; in {when} there "
                text += f"are {fte[t + 1]:g}."
                broken.append(
                    (int(str(offer)), when, float(fte[t + 1]), float(fte[t]), text)
                )
    return broken


def purchase_sentences(portfolio: Portfolio, purchases: pd.DataFrame) -> list[str]:
    """Return one sentence per purchase; equal periods in a row are one purchase."""
    currency = portfolio.settings.currency
    sentences = []
    for _, rows in purchases[purchases["fte"] > 0].groupby("offer"):
        at = rows["period"].astype("int64").to_numpy()
        new = (np.diff(at, prepend=at[0] - 2) != 1) | (
            np.diff(rows["fte"].to_numpy(), prepend=-1.0) != 0
        )
        for _, run in rows.groupby(np.cumsum(new)):
            begin, end = run["period"].iat[0], run["period"].iat[-1]
            when = f"in {format_period(begin)}"
            if end != begin:
                when = f"from {format_period(begin)} to {format_period(end)}"
            kind, role, fte = run["kind"].iat[0], run["role"].iat[0], run["fte"].iat[0]
            verb, what = ("Hire", "") if kind == "hire" else ("Buy", f" of {kind}")
            money = f"{run['cost'].sum():,.0f} {currency}".strip()
            amount = _amount(float(fte), portfolio)
            sentences.append(f"{verb} {amount}{what} for {role} {when}: {money}.")
    return sentences


def _amount(fte: float, portfolio: Portfolio) -> str:
    """Return an amount that can be bought: FTE, or whole hours where they are odd."""
    if fte >= 0.1 and abs(fte - round(fte, 2)) <= 1e-9:
        return f"{fte:.6g} FTE"
    hours = np.ceil(
        fte * hours_per_fte(portfolio.freq, portfolio.settings.hours_per_week) - 1e-6
    )
    each = {"W": "week", "M": "month", "Q": "quarter", "Y": "year"}
    many = "hour" if hours == 1 else "hours"
    shown = f"{fte:.2f}" if fte >= 0.1 else f"{fte:.2g}"
    return f"{hours:,.0f} {many} a {each[base_freq(portfolio.freq)]} ({shown} FTE)"
