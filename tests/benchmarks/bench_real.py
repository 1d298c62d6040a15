"""The main job on published data: objective, bounds, gap and time of each instance.

    python tests/benchmarks/bench_real.py [--seconds 60]

Reads ../shared/data and says what is missing. Published values are printed beside.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import pmo_analytics as pmo
from tests.support.instances import ppssp_portfolio, ppssp_schedules
from tests.support.real_data import DATA, GMPP, gmpp_folder, mknap_portfolios


def solve(name: str, portfolio: pmo.Portfolio, seconds: float, published: str) -> None:
    """Optimize one instance and print a line."""
    begin = time.perf_counter()
    plan = pmo.optimize(portfolio, limits=pmo.SolveLimits(seconds=seconds))
    report = plan.report
    print(
        f"{name:<32} {report.status:<9} objective {report.objective:>14,.3f}  "
        f"bound {report.bound:>14,.3f}  certified bound "
        f"{report.certified_bound:>14,.3f}  gap {report.gap:7.3%}  "
        f"{time.perf_counter() - begin:6.1f} s  published {published}",
        flush=True,
    )


def main() -> None:
    """Run all instances that are here."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    seconds = parser.parse_args().seconds
    knapsacks = DATA / "mkp" / "mknap1.txt"
    if knapsacks.exists():
        for number, (portfolio, optimum) in enumerate(mknap_portfolios(knapsacks), 1):
            solve(f"mknap1/{number}", portfolio, seconds, f"{optimum:,.1f} (optimum)")
    else:
        print("mknap1: not here")
    gmpp = DATA / GMPP
    if gmpp.exists():
        with tempfile.TemporaryDirectory() as folder:
            gmpp_folder(gmpp, Path(folder), share=0.6)
            warnings.simplefilter("ignore", pmo.PmoWarning)
            portfolio = pmo.read_portfolio(folder, bad_rows="drop")
        rows = int((portfolio.problems["rule"] == "row_left_out").sum())
        solve("UK GMPP, 60 % of the year", portfolio, seconds, "none")
        print(f"  {len(portfolio.projects)} projects; {rows} findings on rows left out")
    else:
        print("UK GMPP: not here")
    file = DATA / "ppssp" / "PI_1_1000_25_0.25_0.01.json"
    if not file.exists():
        print("PPSSP PI_1: not here")
        return
    portfolio = ppssp_portfolio(file)
    schedules = ppssp_schedules(
        DATA / "ppssp" / "PI_1_published_solutions.json", portfolio.horizon
    )
    for name, (schedule, objective) in schedules.items():
        check = pmo.check_plan(portfolio, schedule)
        print(
            f"PPSSP PI_1, {name}: published {objective:,.3f}, recomputed "
            f"{float(check.objective):,.3f}, {len(check.violations)} violations"
        )
    solve("PPSSP PI_1", portfolio, seconds, "893,555.816 (351 s, 20 threads)")


if __name__ == "__main__":
    main()
