"""How close the ways back on track come to planning everything anew.

    python tests/benchmarks/bench_recover.py [--portfolios 20] [--projects 30]
        [--after SEED]

Generated portfolios in flight, each with a plan of record. The shock: the running
project with most work left takes half as long again, with as many people. The best
option (that with the most valuable plan) is held against a full re-plan of the same
portfolio, in which every project may move, found in as many seconds and begun with the
best option's plan.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import pmo_analytics as pmo


def in_flight(seed: int, projects: int) -> pmo.Portfolio:
    """Return a portfolio with running projects."""
    return pmo.generate_portfolio(
        projects, n_roles=5, n_periods=18, seed=seed, mid_life=True, fit=0.5
    )


def shocked(
    portfolio: pmo.Portfolio, record: pmo.Plan
) -> tuple[pmo.Portfolio, str] | None:
    """Return the portfolio in which a running project takes longer, and which."""
    rows = portfolio.projects.set_index("project")
    work = portfolio.demand.groupby("project")["fte"].sum()
    finish = record.schedule.set_index("project")["finish"]
    running = [
        name
        for name in rows.index[rows["status"] == "running"]
        if name in finish.index and (finish[name] - portfolio.horizon[0]).n >= 1
    ]
    if not running:
        return None
    name = max(running, key=lambda one: work.get(one, 0.0))
    baseline = {
        "project": name,
        "baseline": "approval",
        "set_on": "2026-01-01",
        "start": rows.at[name, "start"],
        "duration": int(rows.at[name, "duration"]),
    }
    longer = pmo.scale_duration(1.5, name, keep="fte")(portfolio)
    return longer.replace(baselines=pd.DataFrame([baseline])), name


def main() -> None:
    """Print a line a portfolio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--portfolios", type=int, default=20)
    parser.add_argument("--projects", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--after", type=int, default=0, help="seed to go on after")
    asked = parser.parse_args()
    warnings.simplefilter("ignore", pmo.PmoWarning)
    limits = pmo.SolveLimits(seconds=asked.seconds, gap=0.002)
    print(
        "seed  first       most worth   worth      re-plan    below   moved of  seconds"
    )
    seed, done = asked.after, 0
    while done < asked.portfolios:
        seed += 1
        portfolio = in_flight(seed, asked.projects)
        record = pmo.optimize(portfolio, limits=limits)
        shock = shocked(portfolio, record)
        if shock is None:
            continue
        done += 1
        now, name = shock
        begin = time.perf_counter()
        found = pmo.recover(now, name, record=record, seconds=asked.seconds)
        took = time.perf_counter() - begin
        fine = found.table[found.table["status"] == "ok"]
        if fine.empty:
            print(f"{seed:>4}  none{took:>74.1f}", flush=True)
            continue
        best = fine.loc[fine["objective"].astype(float).idxmax()]
        plan = found.plans[best["option"]]
        again = pmo.optimize(now, limits=limits, start=plan.schedule)
        below = 1 - best["objective"] / again.objective
        print(
            f"{seed:>4}  {found.best:<10}  {best['option']:<11}  "
            f"{best['objective']:>9,.1f}  "
            f"{again.objective:>9,.1f}  {below:>6.2%}  {best['moved']:>5} "
            f"{len(now.projects) - 1:>3}  {took:>7.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
