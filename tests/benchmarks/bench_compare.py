"""A hundred scenarios of the example, on one worker, two and four.

    python tests/benchmarks/bench_compare.py [--scenarios 100] [--workers 2] [--dask]

Prints for each number of workers the wall clock, the speed-up over the first, how many
scenarios reached the gap asked for, and whether the tables differ from the first ones
(under a clock they may: only a work limit promises equal answers).

One local worker is the session itself, which leaves each search to a process of its
own. With `--dask` every worker is a process, also a single one: that is the speed-up.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pmo_analytics as pmo

ROOT = Path(__file__).parents[2]
GAP = 0.01


def scenarios(count: int) -> list[pmo.Scenario]:
    """Return scenarios of people, money, value and dates, no two the same."""
    made: list[pmo.Scenario] = []
    for share in (-0.2, -0.15, -0.1, -0.05, 0.05, 0.1, 0.15, 0.2):
        made.append(pmo.Scenario(f"budget {-share:+.0%}", pmo.cut_budget(share)))
    roles = ("Developer", "Tester", "Architect", "Business Analyst", "Data Engineer")
    for role, fte in itertools.product(roles, (0.5, 1.0, 1.5, 2.0)):
        made.append(
            pmo.Scenario(f"{fte:+g} {role}", pmo.add_capacity(role, fte, "2027-04"))
        )
    projects = ("CRM", "CLAIMS", "APP", "PRICING", "LAKE", "ERP-FIN", "IAM", "API")
    for project, periods in itertools.product(projects, (1, 3, 6)):
        made.append(
            pmo.Scenario(f"{project} slips {periods}", pmo.delay(project, periods))
        )
    for project, factor in itertools.product(projects, (0.7, 0.85, 1.15, 1.3)):
        made.append(
            pmo.Scenario(
                f"{project} worth {factor:.0%}", pmo.change_value(project, factor)
            )
        )
    for project in projects:
        made.append(pmo.Scenario(f"without {project}", pmo.exclude(project)))
        made.append(pmo.Scenario(f"with {project}", pmo.require(project)))
    return made[:count]


@contextmanager
def placed(workers: int, dask: bool) -> Iterator[dict[str, Any]]:
    """Yield where to run: on local processes, or on a cluster of this machine."""
    if not dask:
        yield {"workers": workers}
        return
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=workers, threads_per_worker=1, dashboard_address=None
    ) as cluster:
        yield {"cluster": cluster.scheduler_address}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--scenarios", type=int, default=100)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--dask", action="store_true")
    asked = parser.parse_args()
    portfolio = pmo.read_portfolio(ROOT / "data" / "example")
    limits = pmo.SolveLimits(seconds=asked.seconds, gap=GAP)
    begin = time.perf_counter()
    base = pmo.optimize(portfolio, limits=limits)
    assert base.report is not None
    alone = time.perf_counter() - begin
    print(f"base: {alone:.1f} s, gap {base.report.gap:.2%}")
    listed = scenarios(asked.scenarios)
    first = 0.0
    for workers in asked.workers:
        with placed(workers, asked.dask) as place:
            begin = time.perf_counter()
            result = pmo.compare(portfolio, listed, limits=limits, base=base, **place)
            seconds = time.perf_counter() - begin
        first = first or seconds
        solved = result.table.iloc[1:]
        reached = int((solved["gap"] <= GAP + 1e-9).sum())
        infeasible = int((solved["status"] == "infeasible").sum())
        print(
            f"{workers} workers: {seconds:6.1f} s, {first / seconds:.2f} x, "
            f"{reached} of {len(solved)} at a gap of {GAP:.0%}, {infeasible} "
            f"infeasible, largest gap {solved['gap'].max():.2%}",
            flush=True,
        )


if __name__ == "__main__":
    main()
