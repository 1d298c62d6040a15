"""What the offers of the table flex mean for an explanation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from pmo_analytics.errors import listing
from pmo_analytics.optimization.explaining.wording import money, number
from pmo_analytics.optimization.model.compiling import compile_options
from pmo_analytics.optimization.model.purchasing import cheapest
from pmo_analytics.plan import Plan
from pmo_analytics.rules import offers, purchase_cost, worth

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio


def least_purchases(
    portfolio: Portfolio, starts: Mapping[str, int], strict: bool
) -> pd.DataFrame | None:
    """Return the cheapest purchases that let a choice work; None where none do."""
    compiled = compile_options(portfolio, strict=strict, flex=True)
    chosen = compiled.chosen(starts)
    if chosen is None or cheapest(compiled.options, chosen) is None:
        return None
    return compiled.purchases_of(portfolio, chosen)


def say_offered(portfolio: Portfolio, flex: bool, subjects: Sequence[str]) -> list[str]:
    """Return whether purchases are in what was said, where they could matter."""
    offered = [role for role in offers(portfolio)["role"].unique() if role in subjects]
    if not offered:
        return []
    if flex:
        return [
            f"Of {listing(offered)} all that the table flex offers counts as bought."
        ]
    return [
        f"Purchases were not considered, and the table flex offers {listing(offered)}: "
        "ask again with flex."
    ]


def say_buying(
    portfolio: Portfolio, plan: Plan, starts: Mapping[str, int], repair: pd.DataFrame
) -> list[str]:
    """Return whether what is short of people can be bought, and whether that pays."""
    short = repair.loc[repair["rule"] == "capacity", "subject"]
    sold = [role for role in short.unique() if role in set(offers(portfolio)["role"])]
    if not sold:
        return []
    if not plan.buys:
        return [
            f"This plan buys nothing, and the table flex offers {listing(sold)}: with "
            "flex it may be another answer."
        ]
    if not repair["rule"].eq("capacity").all():
        return []
    after = least_purchases(portfolio, starts, plan.strict)
    if after is None:
        return ["What the table flex still offers is not enough for that start."]
    more = purchase_cost(portfolio, after) - plan.purchase_cost
    new = {name: at for name, at in starts.items() if name not in plan.starts}
    gain = float(worth(portfolio, starts).sum()) - float(plan.worth.sum())
    change = f"grow by {number(gain)}" if gain >= 0 else f"fall by {number(-gain)}"
    return [
        f"Bought as the table flex offers it, that would cost {money(portfolio, more)} "
        f"more, discounted; worth would {change} with {listing(new)}."
    ]
