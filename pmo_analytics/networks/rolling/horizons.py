"""The horizon of a portfolio of networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from pmo_analytics.errors import ConfigError, problem
from pmo_analytics.networks.network import Network
from pmo_analytics.networks.rolling import facts

_MOST_PERIODS = 600


def horizon_of(
    networks: Sequence[Network],
    spans: Sequence[tuple[Any, Any]],
    statuses: Sequence[str],
    freq: str,
) -> tuple[pd.PeriodIndex, list[dict[str, Any]]]:
    """Return the periods to plan, and what is odd about them.

    From the first work that is not done to the last finish, and as long again as the
    longest project, so that each can move.

    Raises
    ------
    ConfigError
        If no task has a date.
    """
    told = []
    dated = [s for s in spans if pd.notna(s[0])]
    if not dated:
        raise ConfigError("No task of any file has a date, so nothing can be planned.")
    begins = [
        _first_open(n, s[0])
        for n, s, status in zip(networks, spans, statuses, strict=True)
        if status != "done" and pd.notna(s[0])
    ]
    first = pd.Period(min(begins or [s[0] for s in dated]), freq=freq)
    last = pd.Period(max(s[1] for s in dated), freq=freq)
    lengths = [
        pd.Period(b, freq=freq).ordinal - pd.Period(a, freq=freq).ordinal + 1
        for a, b in dated
    ]
    count = max(last.ordinal - first.ordinal + 1, 1) + max(lengths)
    if count > _MOST_PERIODS:
        fix = f"From the first work to the last finish there are {count:,} periods; "
        fix += f"{_MOST_PERIODS} are planned. Is a date mistyped?"
        told.append(problem("warning", "portfolio", "long_horizon", fix=fix))
    count = min(count, _MOST_PERIODS)
    return pd.period_range(first, periods=count, freq=freq), told


def _first_open(network: Network, start: Any) -> Any:
    """Return when work that is not done begins or goes on."""
    if pd.notna(network.data_date):
        return max(pd.Timestamp(network.data_date), start)
    leaves = facts.leaf_tasks(network)
    open_ = leaves[leaves["actual_finish"].isna()]
    open_ = open_[~(open_["percent_complete"] >= 100)]
    return open_["start"].min() if open_["start"].notna().any() else start
