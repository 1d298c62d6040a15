"""Capacity that is bought, for the checker: offers, purchases, cost and bound."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pandas as pd

from pmo_analytics.clock import base_freq, format_period
from pmo_analytics.errors import ConfigError
from pmo_analytics.optimization.checker.cells import (
    blank,
    exact_amount,
    read_name,
    read_offset,
    read_period,
)
from pmo_analytics.optimization.checker.question import Offer, Question

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio

Bought = Mapping[tuple[int, int], Fraction]

_WEEKS_PER_YEAR = Fraction(521775, 10000)
_PERIODS_PER_YEAR = {
    "W": _WEEKS_PER_YEAR,
    "M": Fraction(12),
    "Q": Fraction(4),
    "Y": Fraction(1),
}
# A file may round the cost that it shows.
_SHOWN = Fraction(1, 10**6)


def read_offers(question: Question, portfolio: Portfolio) -> None:
    """Add the offers of the table `flex` that reach into the horizon."""
    settings = portfolio.settings
    hours = exact_amount(settings.hours_per_week, "portfolio", "hours_per_week")
    hours *= _WEEKS_PER_YEAR / _PERIODS_PER_YEAR[base_freq(portfolio.freq)]
    rates: dict[Any, Any] = {}
    for row in portfolio.roles.to_dict("records"):
        rates.setdefault(read_name(row["role"]), row["rate"])
    for number, row in enumerate(portfolio.flex.to_dict("records"), start=1):
        role = read_name(row["role"])
        rate: Any = row["rate"] if not blank(row["rate"]) else rates.get(role)
        if role is None or blank(rate) or blank(row["fte_max"]):
            raise ConfigError(f"Row {number} of flex lacks role, rate or fte_max.")
        begin = read_offset(row["start"], question.first)
        end = read_offset(row["end"], question.first)
        lead = 0 if blank(row["lead"]) else int(row["lead"])
        last = question.periods - 1
        offer = Offer(
            number=number,
            role=role,
            kind=read_name(row["kind"]) or "",
            first=max(begin or 0, lead, 0),
            last=last if end is None else min(end, last),
            most=exact_amount(row["fte_max"], "flex", "fte_max"),
            cost=exact_amount(rate, "flex", "rate") * hours,
        )
        if offer.kind not in ("overtime", "contractor", "hire"):
            raise ConfigError(f"Row {number} of flex has no kind that can be used.")
        if offer.first <= offer.last and offer.most > 0:
            question.offers[number] = offer


def read_purchases(
    question: Question, purchases: pd.DataFrame
) -> tuple[dict[tuple[int, int], Fraction], list[dict[str, Any]]]:
    """Return the FTE bought by offer and period, and what is wrong with it."""
    for column in ("offer", "period", "fte"):
        if column not in purchases.columns:
            found = ", ".join(map(str, purchases.columns))
            raise ConfigError(f"Purchases have no column '{column}' (found: {found}).")
    bought: dict[tuple[int, int], Fraction] = {}
    rows: list[dict[str, Any]] = []
    for row in purchases.to_dict("records"):
        number, fte = _number(row["offer"]), _number(row["fte"])
        t = None if blank(row["period"]) else read_period(row["period"], question)
        offer = None if number is None else question.offers.get(int(number))
        text = ""
        if offer is None or number != offer.number:
            text = f"No offer of flex has the number '{row['offer']}'."
        elif t is None or fte is None or fte < 0:
            shown = f"{_text(row['period'])}, {row['fte']}"
            text = f"A purchase of offer {offer.number} cannot be read: {shown}."
        elif (offer.number, t) in bought:
            text = f"Offer {offer.number} is bought twice in {question.text(t)}."
        else:
            text = _contradiction(offer, fte, row)
        if text:
            rows.append(_violation(offer, text, t))
            continue
        assert offer is not None
        assert t is not None
        assert fte is not None
        bought[offer.number, t] = fte
    for offer in question.offers.values():
        rows += _broken_offer(question, offer, bought)
    return bought, rows


def _number(value: Any) -> Fraction | None:
    if blank(value):
        return None
    try:
        return Fraction(Decimal(str(value).strip()))
    except (InvalidOperation, ValueError, OverflowError):
        return None


def _text(value: Any) -> str:
    return format_period(value) if isinstance(value, pd.Period) else str(value)


def _contradiction(offer: Offer, fte: Fraction, row: Mapping[Any, Any]) -> str:
    """Return what a row says besides that is not so, as a sentence."""
    for column, wanted in (("role", offer.role), ("kind", offer.kind)):
        found = row.get(column)
        if not blank(found) and read_name(found) != wanted:
            return (
                f"The purchases call the {column} of offer {offer.number} '{found}'; "
                f"it is '{wanted}'."
            )
    cost = row.get("cost")
    if not blank(cost):
        exact, claimed = offer.cost * fte, _number(cost)
        off = None if claimed is None else abs(claimed - exact)
        if off is None or off > _SHOWN * max(Fraction(1), exact):
            return (
                f"{float(fte):g} FTE of offer {offer.number} cost {float(exact):,.2f}, "
                f"not {cost}."
            )
    return ""


def _violation(
    offer: Offer | None,
    text: str,
    t: int | None,
    found: object = None,
    limit: object = None,
) -> dict[str, Any]:
    return {
        "rule": "flex",
        "subject": "" if offer is None else str(offer.number),
        "period": t,
        "found": found,
        "limit": limit,
        "message": text,
    }


def _broken_offer(
    question: Question, offer: Offer, bought: Bought
) -> list[dict[str, Any]]:
    rows = []
    about = f"Offer {offer.number} ({offer.kind}, {offer.role})"
    for (number, t), fte in bought.items():
        if number != offer.number or not fte:
            continue
        if not offer.first <= t <= offer.last:
            span = f"{question.text(offer.first)} .. {question.text(offer.last)}"
            text = f"{about} can be bought in {span}, not in {question.text(t)}."
            rows.append(_violation(offer, text, t, float(fte), 0.0))
        elif fte > offer.most:
            text = f"{about} has at most {float(offer.most):g} FTE, not "
            text += f"{float(fte):g} in {question.text(t)}."
            rows.append(_violation(offer, text, t, float(fte), float(offer.most)))
    if offer.kind == "hire":
        on_board = Fraction(0)
        for t in range(offer.first, offer.last + 1):
            fte = bought.get((offer.number, t), Fraction(0))
            if fte < on_board:
                text = f"{about}: {float(on_board):g} FTE are hired and stay; in "
                text += f"{question.text(t)} there are {float(fte):g}."
                rows.append(_violation(offer, text, t, float(fte), float(on_board)))
            on_board = fte
    return rows


def bought_by_role(
    question: Question, bought: Bought | None
) -> dict[tuple[str, int], Fraction]:
    """Return the FTE bought by role and period."""
    total: defaultdict[tuple[str, int], Fraction] = defaultdict(Fraction)
    for (number, t), fte in (bought or {}).items():
        total[question.offers[number].role, t] += fte
    return total


def cost_of(question: Question, bought: Bought | None) -> Fraction:
    """Return what the purchases cost, exactly, discounted to the first period."""
    return sum(
        (
            fte * question.offers[number].cost / question.worth.growth**t
            for (number, t), fte in (bought or {}).items()
        ),
        Fraction(0),
    )


def purchases_bound(
    question: Question, prices: Mapping[str, Mapping[int, int]], unit: int
) -> Fraction:
    """Return the most that purchases can bring at prices of the capacity rows.

    Parameters
    ----------
    prices
        Role -> period offset -> multiplier of its capacity row, in 1/unit.
    """
    total = Fraction(0)
    for offer in question.offers.values():
        by_period = prices.get(offer.role, {})
        best = run = Fraction(0)
        for t in range(offer.last, offer.first - 1, -1):
            gain = (
                Fraction(by_period.get(t, 0), unit)
                - offer.cost / question.worth.growth**t
            )
            if offer.kind == "hire":
                run += gain
                best = max(best, run)
            else:
                best += max(gain, Fraction(0))
        total += best * offer.most
    return total
