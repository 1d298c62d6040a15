"""Draw who had which plan and bound when, for one instance.

    python tests/benchmarks/plot_race.py 200x36x12-chains/0 [--seconds 60]

Reads out/bench/optimize.jsonl and writes a PNG beside it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.benchmarks import results
from tests.benchmarks.bench_optimize import FILE
from tests.benchmarks.racing import SOLVERS


def figure_race(records: list[results.Record]) -> Any:
    """Return a figure: best plan (solid) and bound (dotted) over the seconds."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 5), layout="constrained")
    axes = figure.subplots()
    end = records[0]["seconds"]
    best = max(r["objective"] or 0.0 for r in records)
    for number, name in enumerate(SOLVERS):
        record = next((r for r in records if r["solver"] == name), None)
        if record is None:
            continue
        color = f"C{number}"
        label = SOLVERS[name].label
        plans = [(t, o) for t, o, _ in record["trace"] if o is not None]
        bounds = [(t, b) for t, _, b in record["trace"] if b is not None]
        for points, style, width in ((plans, "-", 2.0), (bounds, ":", 1.2)):
            if points:
                drawn = [*points, (max(end, points[-1][0]), points[-1][1])]
                x, y = [t for t, _ in drawn], [value for _, value in drawn]
                axes.step(x, y, style, where="post", color=color, linewidth=width)
        said = label if plans else f"{label} (no plan)"
        axes.plot([], [], color=color, linewidth=2.0, label=said)
    if best:
        low = min(
            (o for r in records for _, o, _ in r["trace"] if o and o > 0.6 * best),
            default=best,
        )
        bounds = [r["bound"] for r in records if r["bound"] is not None]
        top = min(max(1.03 * min(bounds, default=0.0), 1.1 * best), 3.0 * best)
        axes.set_ylim(0.98 * low, top)
    axes.set_xlim(0, end * 1.05)
    axes.set_xlabel("Seconds")
    axes.set_ylabel("Objective")
    axes.set_title(f"{records[0]['instance']}: best plan (solid) and bound (dotted)")
    axes.legend(loc="best", frameon=False)
    return figure


def main(arguments: list[str] | None = None) -> None:
    """Draw one instance."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("instance")
    parser.add_argument("--seconds", type=float, help="of which runs; default longest")
    parser.add_argument("--file", type=Path, default=FILE)
    parser.add_argument("--out", type=Path, help="folder, by default that of the file")
    args = parser.parse_args(arguments)
    runs = results.latest(results.read(args.file))
    runs = [r for r in runs if r["instance"] == args.instance]
    seconds = args.seconds or max((r["seconds"] for r in runs), default=0.0)
    runs = [r for r in runs if r["seconds"] == seconds and r["solver"] in SOLVERS]
    if not runs:
        sys.exit(f"There are no results for '{args.instance}' yet.")
    name = f"race-{args.instance.replace('/', '-')}-{seconds:g}s.png"
    path = (args.out or args.file.parent) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    figure_race(runs).savefig(path, dpi=150)
    print(path)


if __name__ == "__main__":
    main()
