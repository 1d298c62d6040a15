"""Changes of money: budgets cut, shifted between rows, discounting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pmo_analytics.errors import ConfigError
from pmo_analytics.scenarios.change import Names, change, known_names, number_of

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio


@change
def cut_budget(
    portfolio: Portfolio, share: float, budget: Names | None = None
) -> Portfolio:
    """Cut budgets by a share of their amount, all where none is named.

    What has to be spent at least (`at_least`) never exceeds the new amount.

    Parameters
    ----------
    budget
        Name of the budget row; None = all.
    share
        0.1 = a tenth less; -0.1 = a tenth more.
    """
    by = number_of(share, "share")
    if by > 1:
        raise ConfigError(f"A budget cannot be cut by more than all of it ({by:.0%}).")
    rows = portfolio.budget.copy()
    names = list(rows["budget"])
    meant = rows["budget"].isin(
        names if budget is None else known_names(budget, names, "budget")
    )
    rows.loc[meant, "amount"] *= 1.0 - by
    rows["at_least"] = rows["at_least"].where(
        ~(rows["at_least"] > rows["amount"]), rows["amount"]
    )
    return portfolio.replace(budget=rows)


@change
def shift_budget(
    portfolio: Portfolio, amount: float, source: str, target: str
) -> Portfolio:
    """Move money from one budget row to another; the sum stays.

    Parameters
    ----------
    amount
        How much money moves.
    source, target
        Budget rows that it leaves and enters.

    Raises
    ------
    ConfigError
        If the source has less than that, or one of them has no amount.
    """
    rows = portfolio.budget.copy()
    names = list(rows["budget"])
    known_names([source, target], names, "budget")
    moved = number_of(amount, "amount", 0.0)
    money = rows.set_index("budget")["amount"]
    for name in (source, target):
        if money[name] != money[name]:
            raise ConfigError(f"Budget '{name}' has no amount to shift to or from.")
    if money[source] < moved:
        raise ConfigError(
            f"Budget '{source}' holds {money[source]:,.2f}, less than the "
            f"{moved:,.2f} to shift."
        )
    rows.loc[rows["budget"] == source, "amount"] -= moved
    rows.loc[rows["budget"] == target, "amount"] += moved
    return portfolio.replace(budget=rows)


@change
def change_discount(portfolio: Portfolio, rate: float) -> Portfolio:
    """Discount with another rate per period.

    Parameters
    ----------
    rate
        New rate per period, 0.01 = 1 %.
    """
    return portfolio.replace(discount=number_of(rate, "rate"))
