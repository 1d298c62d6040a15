"""simulate: what becomes of a plan when durations, demand, value and people vary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from pmo_analytics.errors import ConfigError
from pmo_analytics.plan import Plan, baseline
from pmo_analytics.portfolio import Portfolio
from pmo_analytics.processes import Work, run_tasks
from pmo_analytics.rules import say_not_counted
from pmo_analytics.simulation.result import Simulation
from pmo_analytics.uncertainty import (
    LEVELS,
    TOLERANCE,
    Dates,
    Forecast,
    Model,
    Source,
    Uncertainty,
    block_sizes,
    check_method,
    follow,
    load_of,
    model_of,
    sample_factors,
    worth_of,
)

if TYPE_CHECKING:
    import numpy.typing as npt

# So many draws are worked on at a time: small enough for the processor's cache.
_AT_A_TIME = 2000


def simulate(
    plan: Plan | Portfolio,
    *,
    uncertainty: Uncertainty | None = None,
    draws: int = 10_000,
    seed: int = 0,
    method: str = "lhs",
    workers: int = 1,
    cluster: str = "",
) -> Simulation:
    """Draw many futures of a plan and say how likely its dates, load and value are.

    In each draw every project takes as long and asks for as much as its factors say;
    of a running one only what is left is stretched. What waits for a late project by
    `finish_start` or `start_start` starts later too (right shift), nothing starts
    earlier than planned, and nobody re-plans: it is the plan that is tried, not what a
    manager would do about it. What the plan buys (`flex`) comes for certain. Upper
    limits of lags, blackouts and budgets do not stop a late project. Candidates may be
    lost, with whatever requires them; members of a group `all_or_none` are lost
    together or not at all, with the smallest of their probabilities.

    Parameters
    ----------
    plan
        A plan, or a portfolio for its baseline (the planned dates).
    uncertainty
        What is uncertain; by default overruns as of finished projects and wins by
        `probability`.
    draws
        How many futures, at least 20. They are kept: 8 bytes for each draw, role and
        period.
    seed
        Same seed, same tables; a project has the same fate in every plan.
    method
        `lhs` (Latin hypercube), `sobol` (scrambled Sobol sequence) or `random`.
    workers
        Local processes; 1 = this one. The tables are the same for any number.
    cluster
        Address of a Dask scheduler instead.

    Returns
    -------
    Simulation
        Tables `finish`, `overload`, `value`, `criticality`, `tornado`, each with its
        Monte Carlo error, and the futures themselves.

    Raises
    ------
    ConfigError
        If an argument cannot be used, or the uncertainty names what the portfolio
        does not have.
    DataError
        If a portfolio is given and has errors.

    Examples
    --------
    >>> import pmo_analytics as pmo
    >>> simulation = pmo.simulate(pmo.example_portfolio(), draws=200)
    >>> simulation.finish.columns[:2].tolist()
    ['project', 'name']
    """
    check_method(method)
    if isinstance(draws, bool) or not isinstance(draws, int) or draws < 20:
        raise ConfigError(f"draws is a whole number of at least 20, not {draws!r}.")
    if isinstance(plan, Portfolio):
        plan = baseline(plan)
    if not isinstance(plan, Plan):
        raise ConfigError(
            f"A Plan or a Portfolio can be simulated, not {type(plan).__name__}."
        )
    uncertainty = Uncertainty() if uncertainty is None else uncertainty
    bought = plan.capacity.fillna(0.0) - plan.portfolio.capacity.reindex(
        columns=plan.load.columns
    ).fillna(0.0)
    model = model_of(
        plan.portfolio, list(plan.starts), uncertainty, bought=bought.to_numpy()
    )
    blocks = list(enumerate(block_sizes(draws)))
    each = max(_AT_A_TIME // blocks[0][1], 1)
    chunks = [blocks[k : k + each] for k in range(0, len(blocks), each)]
    shared: dict[str, Any] = {
        "model": model,
        "starts": plan.starts,
        "seed": seed,
        "method": method,
        # What is bought costs the same in every draw.
        "spent": float(plan.worth.sum()) - plan.objective,
    }
    tasks = {
        f"draws from block {chunk[0][0]}": {**shared, "blocks": chunk}
        for chunk in chunks
    }
    parts = []
    done = run_tasks(_draw, tasks, work=Work(workers=workers, cluster=cluster))
    if len(done) < len(tasks):
        raise KeyboardInterrupt
    for outcome in done.values():
        if outcome.error is not None:
            raise outcome.error
        parts.append(outcome.value)
    return _collected(plan, model, parts, [size for _, size in blocks], seed, method)


@dataclass(frozen=True)
class _Part:
    """What some blocks of draws gave; sums are kept block by block.

    The order of additions must not depend on how many blocks are worked on together.
    """

    value: np.ndarray
    overload: np.ndarray
    start: np.ndarray
    end: np.ndarray
    won: np.ndarray
    load: np.ndarray
    capacity: np.ndarray
    headroom: np.ndarray
    critical: np.ndarray
    pushes: np.ndarray
    sources: list[tuple[str, str]]
    levels: list[np.ndarray]


def _draw(
    model: Model,
    starts: Mapping[str, int],
    seed: int,
    method: str,
    spent: float,
    blocks: Sequence[tuple[int, int]],
) -> _Part:
    """Return what some blocks of draws give: a pure function of its arguments."""
    factors = sample_factors(model, seed, method, blocks)
    dates = follow(model, starts, factors)
    load = load_of(model, dates, factors)
    headroom = factors.capacity - load
    value = worth_of(model, starts, dates, factors) - spent
    overload = np.zeros(len(value))
    for role in headroom:
        # Draw by draw and in one order, whatever the size of the chunk.
        for missing in role:
            overload += np.where(missing < -TOLERANCE, -missing, 0.0)
    ends = _last(dates)
    critical, pushes = _critical(dates, ends)
    edges = np.cumsum([0, *(size for _, size in blocks)])
    spans = [slice(a, b) for a, b in pairwise(edges.tolist())]
    outcomes = {"value": value, "finish": ends.astype(float), "overload": overload}
    return _Part(
        value=value,
        overload=overload,
        start=dates.start.astype(np.int32),
        end=dates.end.astype(np.int32),
        won=dates.won,
        load=load.astype(np.float32),
        capacity=factors.capacity.astype(np.float32),
        headroom=headroom.astype(np.float32),
        critical=critical,
        pushes=pushes,
        sources=[(source.kind, source.name) for source in factors.sources],
        levels=[_by_level(factors.sources, outcomes, span) for span in spans],
    )


def _last(dates: Dates) -> np.ndarray:
    """Return the end of the last project that takes place, 0 where none does."""
    if not len(dates.end):
        return np.zeros(dates.won.shape[1], dtype=np.int64)
    return np.asarray(np.where(dates.won, dates.end, 0).max(axis=0))


def _critical(dates: Dates, last: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return whether each project drives the last finish, and whether it pushes."""
    critical = dates.won & (dates.end == last)
    pushes = np.zeros_like(critical)
    for link, who, tight, later in reversed(dates.pushes):
        for m in link.members:
            serves = who == m
            critical[m] |= critical[link.project] & tight & serves & dates.won[m]
            pushes[m] |= later & serves & dates.won[link.project]
    return critical, pushes


def _by_level(
    sources: Sequence[Source], outcomes: Mapping[str, np.ndarray], span: slice
) -> np.ndarray:
    """Return draws, and sums of each outcome, by source and level, (S, 1 + O, L)."""
    result = np.zeros((len(sources), 1 + len(outcomes), LEVELS))
    if not sources:
        return result
    levels = np.stack([source.level[span] for source in sources]).astype(np.int64)
    key = (levels + LEVELS * np.arange(len(sources))[:, None]).ravel()
    size = LEVELS * len(sources)
    result[:, 0] = np.bincount(key, minlength=size).reshape(-1, LEVELS)
    for k, values in enumerate(outcomes.values(), start=1):
        weights = np.broadcast_to(values[span], levels.shape).ravel()
        result[:, k] = np.bincount(key, weights, size).reshape(-1, LEVELS)
    return result


def _collected(
    plan: Plan,
    model: Model,
    parts: Sequence[_Part],
    sizes: Sequence[int],
    seed: int,
    method: str,
) -> Simulation:
    """Put the parts together, in the order of their blocks."""
    headroom = np.concatenate([part.headroom for part in parts], axis=2)
    load = np.concatenate([part.load for part in parts], axis=2)
    if parts[0].capacity.shape[2] == 1:
        capacity = np.broadcast_to(parts[0].capacity, load.shape)
    else:
        capacity = np.concatenate([part.capacity for part in parts], axis=2)
    notes = list(model.notes)
    if not len(plan.starts):
        notes.append("The plan has no projects.")
    notes += say_not_counted(plan.not_counted)
    lost = int((model.chance < 1.0).sum())
    if lost:
        notes.append(f"{lost} projects of the plan are won with their probability.")
    tied = sum(len(tie) for tie in model.ties if model.chance[tie[0]] < 1.0)
    if tied:
        notes.append(
            f"{tied} of them are tied by groups all_or_none: won together or not at "
            "all, with the smallest of their probabilities."
        )
    said = tuple(notes)

    def futures(
        quantity: str, draws: npt.NDArray[Any], parts: tuple[Forecast, ...] = ()
    ) -> Forecast:
        return Forecast(
            quantity,
            plan.portfolio.horizon,
            model.roles,
            draws.transpose(2, 1, 0),
            seed,
            notes=said,
            parts=parts,
        )

    both = futures("capacity", capacity), futures("load", load)
    return Simulation(
        plan=plan,
        uncertainty=model.uncertainty,
        seed=seed,
        method=method,
        headroom=futures("headroom", headroom, both),
        value_draws=np.concatenate([part.value for part in parts]),
        overload_draws=np.concatenate([part.overload for part in parts]),
        start_draws=np.concatenate([part.start for part in parts], axis=1).T,
        finish_draws=np.concatenate([part.end for part in parts], axis=1).T - 1,
        won_draws=np.concatenate([part.won for part in parts], axis=1).T,
        blocks=tuple(sizes),
        notes=said,
        _critical=np.concatenate([part.critical for part in parts], axis=1).T,
        _pushes=np.concatenate([part.pushes for part in parts], axis=1).T,
        _sources=parts[0].sources,
        _levels=[block for part in parts for block in part.levels],
    )
