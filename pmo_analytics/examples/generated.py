"""Portfolios of any size from a seed, for benchmarks and tests."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pmo_analytics.clock import Settings, base_freq, format_period, make_horizon
from pmo_analytics.errors import ConfigError, closest
from pmo_analytics.examples.generated_draws import (
    KINDS,
    PER_YEAR,
    PROGRAMS,
    REASONS,
    THEMES,
    Dates,
    Draw,
)
from pmo_analytics.portfolio import Portfolio

type Ints = npt.NDArray[np.int64]
type Floats = npt.NDArray[np.float64]
type Texts = npt.NDArray[np.object_]

FUNDS = np.array(["Change", "Technology"], object)


def generate_portfolio(
    n_projects: int = 50,
    n_roles: int = 8,
    n_periods: int = 24,
    seed: int = 0,
    *,
    kind: str = "mixed",
    mid_life: bool = False,
    inherited: bool = False,
    fit: float = 0.4,
    freq: str = "M",
    start: str = "2027-01",
    discount: float = 0.005,
) -> Portfolio:
    """Return a random portfolio in which selection and dates both matter.

    Values follow effort with noise; capacity and yearly budgets let about `fit` of
    all work happen. There are windows, deadlines, dependencies, groups, a blackout
    and two funds. Fixed work always fits unless `inherited` is set: doing it alone,
    at the dates it was generated with, breaks no rule.

    Parameters
    ----------
    n_projects, n_roles, n_periods
        Size: at least 1 each.
    seed
        Same seed and arguments, same tables.
    kind
        `mixed`; `few_big`: few roles per project, each with many FTE;
        `many_small`; `chains`: most projects wait for another one. In all of these a
        role has room for two to five projects at a time; `pools`, `pools_big`,
        `pools_small` and `pools_chains` have roles of many people, 5 to 40 FTE with
        200 projects, and projects that ask for a part of several of them.
    mid_life
        Some projects are running since before the horizon, approved, forced in or
        out, paused, done or cancelled.
    inherited
        With `mid_life`: running work alone exceeds capacity in one early period.
    fit
        Share of all work that capacity and budgets have room for.
    freq, start
        Length and first one of the periods.
    discount
        Rate per period.

    Raises
    ------
    ConfigError
        If the kind is unknown or a size is below 1.

    Examples
    --------
    >>> portfolio = generate_portfolio(30, 5, 18, seed=1, kind="few_big")
    >>> portfolio.capacity.shape
    (18, 5)
    """
    if kind not in KINDS:
        raise ConfigError(
            f"There is no kind '{kind}'{closest(kind, KINDS)}. "
            f"Kinds: {', '.join(KINDS)}."
        )
    if min(n_projects, n_roles, n_periods) < 1:
        raise ConfigError("Projects, roles and periods must be at least 1 each.")
    draw = Draw(
        np.random.default_rng(seed), KINDS[kind], n_projects, n_roles, n_periods
    )
    horizon = make_horizon(start, n_periods, freq)
    capacity = draw.scale_to(fit)
    dates = Dates(draw, capacity, mid_life)
    if inherited and mid_life:
        dates.overload(capacity)
    spend = _spend(draw)
    tables = {
        "projects": _projects(draw, dates, horizon),
        "demand": draw.demand,
        "dependencies": _dependencies(draw, dates),
        "groups": _groups(draw, dates),
        "blackouts": _blackouts(draw, dates, horizon),
        "spend": spend,
        "budget": _budget(draw, dates, spend, horizon, fit),
    }
    return Portfolio(
        f"{kind} {n_projects} x {n_periods} x {n_roles}, seed {seed}",
        horizon=horizon,
        settings=Settings(discount=discount, source="value", currency="EUR"),
        capacity=pd.DataFrame(
            capacity, index=horizon, columns=pd.Index(draw.role_names, name="role")
        ),
        **tables,
    )


def _projects(draw: Draw, dates: Dates, horizon: pd.PeriodIndex) -> pd.DataFrame:
    rng, n = draw.rng, draw.n
    noise = np.exp(rng.normal(0.0, 0.45, n))

    def periods(offsets: Ints, blank: npt.NDArray[np.bool_]) -> pd.PeriodIndex:
        ordinals = horizon[0].ordinal + offsets
        values = pd.PeriodIndex.from_ordinals(ordinals, freq=horizon.freqstr)
        return values.where(~blank)

    has_start = dates.mandatory & (dates.status != "proposed")
    past = dates.status == "done"
    start = np.where(past, -draw.duration - rng.integers(0, 6, n), dates.planned)
    return pd.DataFrame(
        {
            "project": draw.names,
            "name": [f"Project {name}" for name in draw.names],
            "status": dates.status,
            "value": np.maximum(np.round(10 * draw.effort * noise), 1.0),
            "duration": pd.array(draw.duration, dtype="Int64"),
            "start": periods(start, ~(has_start | past)),
            "earliest": periods(dates.earliest, dates.earliest < 0),
            "latest": periods(dates.latest, dates.latest >= draw.periods),
            "deadline": periods(dates.deadline, dates.deadline >= draw.periods),
            "force": dates.force,
            "force_reason": [REASONS.get(force) for force in dates.force],
            "probability": np.where(dates.mandatory, 1.0, rng.integers(4, 20, n) / 20),
            "theme": rng.choice(THEMES, n),
            "program": rng.choice(PROGRAMS, n),
        }
    )


def _dependencies(draw: Draw, dates: Dates) -> pd.DataFrame:
    """Return rows of candidates; what they wait for comes earlier in a fixed order."""
    rng, kind = draw.rng, draw.kind
    rows: list[tuple[str, str, str, int, int | None]] = []
    usable = np.flatnonzero(
        dates.candidate | dates.mandatory | (dates.status == "done")
    )
    order = rng.permutation(usable)
    # Mandatory and done work can be waited for, so it stands at the head of chains.
    waiting = order[dates.candidate[order]]
    heads = order[~dates.candidate[order]]
    wanted = round(kind.dependent * len(waiting))
    at = 0
    while len(rows) < wanted and at + 1 < len(waiting):
        chain = waiting[at : at + int(rng.integers(*kind.chain, endpoint=True))]
        at += len(chain)
        if len(heads) and rng.random() < 0.15:
            chain = np.concatenate(([rng.choice(heads)], chain[1:]))
        end = 0
        for i, j in pairwise(chain):
            word = str(rng.choice(["finish_start"] * 8 + ["start_start", "selected"]))
            lag = int(rng.choice([0, 0, 0, 0, 1, 2, -1])) if word != "selected" else 0
            end += int(draw.duration[i]) + max(lag, 0)
            if end + draw.duration[j] > draw.periods:
                break  # nobody could finish it
            lag_max = lag + 6 if rng.random() < 0.1 and word != "selected" else None
            rows.append((draw.names[j], draw.names[i], word, lag, lag_max))
    frame = pd.DataFrame(
        rows, columns=["project", "requires", "kind", "lag", "lag_max"], dtype=object
    )
    if kind.chain[1] <= 3 and len(waiting) - at >= 2:  # two that need each other
        a, b = draw.names[waiting[-2:]]
        pair = [(a, b, "selected", 0, None), (b, a, "selected", 0, None)]
        frame = pd.concat([frame, pd.DataFrame(pair, columns=frame.columns)])
    return frame.astype({"lag": "Int64", "lag_max": "Int64"}).reset_index(drop=True)


def _groups(draw: Draw, dates: Dates) -> pd.DataFrame:
    """Return groups of candidates: rivals, and sets that only make sense together."""
    rng = draw.rng
    order = rng.permutation(np.flatnonzero(dates.candidate))
    rows: list[dict[str, Any]] = []
    at, group = 0, 0
    while at < 0.2 * len(order):
        together = rng.random() < 0.25
        size = 2 if together else int(rng.integers(2, 5))
        members = order[at : at + size]
        at, group = at + size, group + 1
        if len(members) < 2:
            break
        rows += [
            {
                "group": f"G{group:02}",
                "project": draw.names[member],
                "rule": "all_or_none" if together else "limit",
                "at_least": None,
                "at_most": None if together else max(1, size // 2),
            }
            for member in members
        ]
    columns = ["group", "project", "rule", "at_least", "at_most"]
    frame = pd.DataFrame(rows, columns=columns, dtype=object)
    return frame.astype({"at_least": "Int64", "at_most": "Int64"})


def _blackouts(draw: Draw, dates: Dates, horizon: pd.PeriodIndex) -> pd.DataFrame:
    """Return one freeze per year: nothing finishes in its last period."""
    per_year = PER_YEAR[base_freq(str(horizon.freqstr))]
    frozen = np.arange(per_year - 1, draw.periods, per_year)
    if per_year == 1 or len(frozen) == 0:
        frozen = frozen[:0]
    finish = dates.planned + draw.duration - 1
    busy = finish[dates.mandatory & (dates.status != "running")]
    frozen = frozen[~np.isin(frozen, busy)]
    return pd.DataFrame(
        {
            "project": None,
            "theme": None,
            "start": horizon[frozen],
            "end": horizon[frozen],
            "applies_to": "finish",
        }
    )


def _spend(draw: Draw) -> pd.DataFrame:
    """Return investment in the first period and running cost in all of them."""
    rng, n = draw.rng, draw.n
    total = np.maximum(np.round(draw.effort * np.exp(rng.normal(1.0, 0.4, n))), 4.0)
    capital = np.round(total * rng.uniform(0.2, 0.7, n))
    fund = rng.choice(FUNDS, n, p=[0.7, 0.3])
    project = np.repeat(np.arange(n), draw.duration)
    begin = np.cumsum(draw.duration) - draw.duration
    offset = np.arange(len(project)) - begin[project]
    each = np.round((total - capital) / draw.duration)[project]
    running = each > 0
    return pd.DataFrame(
        {
            "project": draw.names[np.concatenate((np.arange(n), project[running]))],
            "fund": fund[np.concatenate((np.arange(n), project[running]))],
            "category": np.repeat(
                np.array(["capex", "opex"], object), [n, int(running.sum())]
            ),
            "offset": pd.array(
                np.concatenate((np.zeros(n, np.int64), offset[running])), dtype="Int64"
            ),
            "amount": np.concatenate((capital, each[running])),
        }
    )


def _budget(
    draw: Draw,
    dates: Dates,
    spend: pd.DataFrame,
    horizon: pd.PeriodIndex,
    fit: float,
) -> pd.DataFrame:
    """Return one amount per fund and year; what mandatory work spends fits in."""
    per_year = PER_YEAR[base_freq(str(horizon.freqstr))]
    length = min(per_year, draw.periods) if per_year > 1 else min(3, draw.periods)
    index = {name: k for k, name in enumerate(draw.names)}
    project = spend["project"].map(index).to_numpy(dtype=np.int64)
    fund, amount = spend["fund"].to_numpy(object), spend["amount"].to_numpy(float)
    period = dates.planned[project] + spend["offset"].to_numpy(dtype=np.int64)
    rows: list[dict[str, Any]] = []
    for name in FUNDS[np.isin(FUNDS, fund)]:
        own = fund == name
        total = amount[own & (dates.candidate | dates.mandatory)[project]].sum()
        for begin in range(0, draw.periods, length):
            end = min(begin + length, draw.periods) - 1
            mine = own & dates.mandatory[project] & (period >= begin) & (period <= end)
            share = 1.2 * fit * (end - begin + 1) / draw.periods
            rows.append(
                {
                    "budget": f"{name} from {format_period(horizon[begin])}",
                    "fund": name,
                    "start": horizon[begin],
                    "end": horizon[end],
                    "amount": float(
                        np.ceil(max(share * total, 1.1 * amount[mine].sum(), 1.0))
                    ),
                }
            )
    return pd.DataFrame(rows)
