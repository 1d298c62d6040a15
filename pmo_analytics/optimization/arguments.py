"""What a caller of optimize gives beside the portfolio, read and refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pmo_analytics.errors import ConfigError
from pmo_analytics.plan import Plan, read_starts
from pmo_analytics.rules import Record

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio


def named_solver(solver: str, flex: bool) -> str:
    """Return PuLP's name of a solver; PuLP is loaded only for other ones."""
    if solver.lower() == "highs":
        return "HiGHS"
    from pmo_analytics.optimization.model.pulp_sink import find_solver

    name = find_solver(solver)
    if flex and name.upper().startswith("CPSAT"):
        raise ConfigError(
            f"Solver '{solver}' can buy whole FTE only, and flex buys parts of them. "
            "Leave out the solver."
        )
    return name


def given_record(
    portfolio: Portfolio,
    record: Record | Plan | pd.DataFrame | Mapping[str, object] | None,
    freeze: int,
    change_price: float,
    move_price: float,
) -> Record | None:
    """Return the plan of record with its prices, its dates read.

    Raises
    ------
    ConfigError
        If a price is no price, the freeze is longer than the horizon, there are
        prices and no plan of record, or prices beside a `Record`.
    """
    if record is None:
        # Prices are looked at all the same.
        alone = Record({}, change_price=change_price, move_price=move_price)
        if freeze or alone.change_price or alone.move_price:
            raise ConfigError("freeze and prices need a plan of record.")
        return None
    if not isinstance(record, Record):
        record = Record(
            record, freeze=freeze, change_price=change_price, move_price=move_price
        )
    elif freeze or change_price or move_price:
        raise ConfigError(
            "Give freeze, change_price and move_price to the Record, or beside a plan."
        )
    if record.freeze > len(portfolio.horizon):
        raise ConfigError(
            f"freeze is {record.freeze!r}: write how many of the "
            f"{len(portfolio.horizon)} periods of the horizon are frozen."
        )
    # A plan of another portfolio may name projects that this one does not have; a
    # schedule may not.
    starts = given_starts(portfolio, record.plan)
    first = portfolio.horizon[0].ordinal
    ordinals = np.array(list(starts.values()), dtype=np.int64) + first
    schedule = pd.DataFrame(
        {
            "project": pd.Series(list(starts), dtype="str"),
            "start": pd.PeriodIndex.from_ordinals(ordinals, freq=portfolio.freq),
        }
    )
    return Record(
        schedule,
        freeze=record.freeze,
        change_price=record.change_price,
        move_price=record.move_price,
    )


def given_starts(
    portfolio: Portfolio, start: Plan | pd.DataFrame | Mapping[str, object]
) -> dict[str, int]:
    """Return project -> start offset of a plan or schedule to begin with.

    A plan of another portfolio may name projects that this one does not have; its
    dates count, not its offsets.
    """
    if isinstance(start, Plan):
        known = start.schedule["project"].isin(portfolio.projects["project"])
        start = start.schedule.loc[known]
    return read_starts(portfolio, start)
