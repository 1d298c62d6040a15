"""Levelling on published instances: PSPLIB j30 and MPSPLIB, ours beside published.

    python tests/benchmarks/bench_level.py [--full] [--seconds 10] [--only j30|mpsplib]

Reads ../shared/data and says what is missing. Every answer is one line of
out/bench/level.jsonl; instances that are there already are not solved again unless
--again is given. A table is printed at the end.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import pmo_analytics as pmo
from tests.support.instances_levelling import (
    mpsplib_portfolio,
    mpsplib_published,
    psplib_optima,
    psplib_portfolio,
)
from tests.support.real_data import DATA

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "out" / "bench" / "level.jsonl"
# Of large multi-project instances the quick run takes those with fewer activities.
QUICK_ACTIVITIES = 200
Job = tuple[str, str, int, Callable[[], pmo.Portfolio]]


def j30(full: bool) -> Iterator[Job]:
    """Yield set, name, published optimum and reader of the PSPLIB instances."""
    folder = DATA / "psplib"
    if not folder.exists():
        print("PSPLIB j30: not here")
        return
    optima = psplib_optima(folder / "j30opt.sm")
    # Ten instances of each of 48 parameter settings; one of each, in turn.
    for i in range(1, 49):
        for j in range(1, 11) if full else [(7 * i) % 10 + 1]:
            name = f"j30{i}_{j}"
            path = folder / "j30" / f"{name}.sm"
            yield "j30", name, optima[name], lambda p=path: psplib_portfolio(p)


def mpsplib(full: bool) -> Iterator[Job]:
    """Yield set, name, published total makespan and reader of the MPSPLIB instances."""
    folder = DATA / "mpsplib"
    if not folder.exists():
        print("MPSPLIB: not here")
        return
    published = mpsplib_published(folder / "published_P-SGS-MINSLK_TMS.csv")
    sized = []
    for path in folder.glob("*.json"):
        if path.stem in published:
            count = len(json.loads(path.read_text(encoding="utf-8"))["activities"])
            sized.append((count, path))
    for count, path in sorted(sized):
        if full or count <= QUICK_ACTIVITIES:
            worst = published[path.stem]
            periods = worst + worst // 4 + 10
            yield (
                "mpsplib",
                path.stem,
                worst,
                lambda p=path, t=periods: mpsplib_portfolio(p, t),
            )


def solve(job: Job, seconds: float) -> dict[str, Any]:
    """Level one instance and return the line for the results."""
    which, name, published, read = job
    portfolio = read()
    begin = time.perf_counter()
    plan = pmo.level(portfolio, limits=pmo.SolveLimits(seconds=seconds))
    spent = time.perf_counter() - begin
    report = plan.report
    assert report is not None
    return {
        "set": which,
        "instance": name,
        "published": published,
        "makespan": report.objective,
        "bound": report.bound,
        "certified_bound": report.certified_bound,
        "certified": report.certified,
        "status": str(report.status),
        "limit": seconds,
        "seconds": round(spent, 3),
    }


def table(rows: list[dict[str, Any]]) -> None:
    """Print what came out, per set, and MPSPLIB instance by instance."""
    for which in dict.fromkeys(row["set"] for row in rows):
        own = [row for row in rows if row["set"] == which]
        off = [row["makespan"] / row["published"] - 1 for row in own]
        print(
            f"{which:<8} {len(own):>4} instances  at or below published "
            f"{sum(x <= 0 for x in off):>4}  proved optimal "
            f"{sum(row['status'] == 'optimal' for row in own):>4}  seconds mean "
            f"{sum(row['seconds'] for row in own) / len(own):6.2f}  deviation mean "
            f"{sum(off) / len(off):+.4%} max {max(off):+.3%}"
        )
    for row in rows:
        above = row["makespan"] > row["published"]
        if row["set"] == "mpsplib" or above:
            print(
                f"  {row['instance']:<18} ours {row['makespan']:>5.0f}  published "
                f"{row['published']:>5}  bound {row['bound']:>5.0f}  certified bound "
                f"{row['certified_bound']:>5.0f}  {row['seconds']:6.1f} s"
                f"{'  ABOVE' if above else ''}"
            )


def main() -> None:
    """Solve what is not in the results yet, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--quick", action="store_true", help="a sample; the default")
    kind.add_argument("--full", action="store_true", help="every instance")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--only", choices=["j30", "mpsplib"])
    parser.add_argument("--again", action="store_true", help="ignore what is there")
    parser.add_argument("--results", type=Path, default=RESULTS)
    args = parser.parse_args()
    jobs = [
        job
        for which, read in (("j30", j30), ("mpsplib", mpsplib))
        if args.only in (None, which)
        for job in read(args.full)
    ]
    args.results.parent.mkdir(parents=True, exist_ok=True)
    done: dict[str, dict[str, Any]] = {}
    if args.results.exists() and not args.again:
        for line in args.results.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if row["limit"] == args.seconds:
                done[row["instance"]] = row
    with args.results.open("a", encoding="utf-8") as file:
        for job in jobs:
            if job[1] not in done:
                done[job[1]] = solve(job, args.seconds)
                file.write(json.dumps(done[job[1]]) + "\n")
                file.flush()
    table([done[job[1]] for job in jobs])


if __name__ == "__main__":
    main()
