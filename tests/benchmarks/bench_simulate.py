"""How fast futures of a plan are drawn: `python tests/benchmarks/bench_simulate.py`.

10,000 draws of 300 projects x 36 months x 12 roles, with all tables, beside the obvious
loop over draws and projects on a few of the same draws, which must give the same load.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import pmo_analytics as pmo
from pmo_analytics.tables.windows import start_windows
from pmo_analytics.uncertainty.draw_factors import block_sizes, sample_factors
from pmo_analytics.uncertainty.draw_model import model_of


def plan_of_all(projects: int, roles: int, periods: int, seed: int) -> pmo.Plan:
    """Return a plan that has every project, at random allowed starts."""
    portfolio = pmo.generate_portfolio(projects, roles, periods, seed=seed, fit=2.0)
    rng = np.random.default_rng(seed)
    windows = start_windows(portfolio.projects, portfolio.horizon)
    starts = {
        name: portfolio.horizon[int(rng.integers(row["first"], row["last"] + 1))]
        for name, row in windows.iterrows()
        if row["first"] <= row["last"]
    }
    return pmo.Plan(portfolio, starts)


def uncertainty() -> pmo.Uncertainty:
    """Return that durations, demand, value and capacity vary, with two drivers."""
    columns = ["driver", "probability", "multiplies", "low", "mode", "high", "theme"]
    rows = [
        ("Vendor late", 0.3, "duration", 1.0, 1.2, 1.5, "Data"),
        ("Scope grows", 0.2, "demand", 1.0, 1.1, 1.3, ""),
    ]
    return pmo.Uncertainty(
        duration=pmo.uncertainty.Pert(0.9, 1.0, 1.6),
        demand=pmo.uncertainty.Triangular(0.8, 1.0, 1.5),
        value=pmo.uncertainty.Lognormal(1.0, 1.3),
        capacity=pmo.uncertainty.Pert(0.85, 1.0, 1.02),
        drivers=pd.DataFrame(rows, columns=columns),
    )


def plain_loop(plan: pmo.Plan, draws: int, seed: int, size: int) -> np.ndarray:
    """Return the load of some draws, (draws, periods, roles), one by one.

    The same factors are used; dates, stretching and load are worked out project by
    project in pandas and numpy, as one would write it down.
    """
    model = model_of(plan.portfolio, list(plan.starts), uncertainty())
    factors = sample_factors(model, seed, "lhs", [(0, size)])
    roles = list(model.roles)
    duration = dict(zip(model.names, model.duration.tolist(), strict=True))
    demand = {
        name: rows.pivot_table(
            index="offset", columns="role", values="fte", aggfunc="sum"
        ).reindex(range(duration[name]), fill_value=0.0)
        for name, rows in plan.portfolio.demand.groupby("project")
        if name in duration
    }
    links = plan.portfolio.dependencies
    result = np.zeros((draws, model.periods, len(roles)))
    for d in range(draws):
        start = dict(plan.starts)
        length = {
            name: max(round(model.duration[i] * factors.duration[i, d]), 1)
            for i, name in enumerate(model.names)
        }
        won = {name: bool(factors.won[i, d]) for i, name in enumerate(model.names)}
        for _ in range(8):  # chains are short: what is pushed pushes in its turn
            for link in links.itertuples():
                if link.project not in start or link.requires not in start:
                    continue
                won[link.project] &= won[link.requires]
                if link.kind == "selected" or not won[link.requires]:
                    continue
                i = model.names.index(link.requires)
                planned = plan.starts[link.requires]
                ends = link.kind == "finish_start"
                lag = 0 if pd.isna(link.lag) else int(link.lag)
                term = start[link.requires] + lag
                plan_term = planned + lag
                if ends:
                    term += length[link.requires]
                    plan_term += int(model.duration[i])
                term -= max(plan_term - plan.starts[link.project], 0)
                start[link.project] = max(start[link.project], term)
        load = np.zeros((model.periods, len(roles)))
        for i, name in enumerate(model.names):
            if not won[name] or name not in demand:
                continue
            table = demand[name]
            done = np.vstack([np.zeros(table.shape[1]), table.cumsum().to_numpy()])
            marks = np.linspace(0, len(table), length[name] + 1)
            for k, role in enumerate(table.columns):
                each = np.diff(np.interp(marks, np.arange(len(done)), done[:, k]))
                at = roles.index(role)
                for t, fte in enumerate(each, start=start[name]):
                    if 0 <= t < model.periods:
                        load[t, at] += fte * factors.demand[i, d]
        result[d] = load
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--projects", type=int, default=300)
    parser.add_argument("--roles", type=int, default=12)
    parser.add_argument("--periods", type=int, default=36)
    parser.add_argument("--draws", type=int, default=10_000)
    parser.add_argument("--peer-draws", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    plan = plan_of_all(options.projects, options.roles, options.periods, options.seed)
    best, cpu = float("inf"), float("inf")
    for _ in range(3):
        begun, busy = time.perf_counter(), time.process_time()
        simulation = pmo.simulate(
            plan, uncertainty=uncertainty(), draws=options.draws, seed=options.seed
        )
        _ = simulation.finish, simulation.overload, simulation.value
        _ = simulation.criticality, simulation.tornado
        best = min(best, time.perf_counter() - begun)
        cpu = min(cpu, time.process_time() - busy)
    count = len(plan.starts)
    print(
        f"{options.draws:,} draws of {count} projects x {options.periods} months x "
        f"{options.roles} roles with every table: {best:.2f} s ({cpu:.2f} s of CPU)"
    )
    size = block_sizes(options.draws)[0]
    begun = time.perf_counter()
    expected = plain_loop(plan, options.peer_draws, options.seed, size)
    slow = (time.perf_counter() - begun) / options.peer_draws
    apart = np.abs(simulation.load.draws[: options.peer_draws] - expected).max()
    assert apart < 1e-4, apart
    print(
        f"plain loop: {slow:.3f} s a draw, the same load to {apart:.0e} FTE; "
        f"{options.draws:,} draws would take {slow * options.draws / 60:,.0f} minutes: "
        f"{slow * options.draws / best:,.0f} times as long"
    )


if __name__ == "__main__":
    main()
