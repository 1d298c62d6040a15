"""Draw the pictures of the README and the pages into `data/pictures`.

`make pictures` runs it: the commands of the pages on the example, some minutes.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt

import pmo_analytics as pmo
from pmo_analytics.plotting import figure_earned_value

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "out" / "pictures"
KEPT = ROOT / "data" / "pictures"
EXAMPLE = "data/example"
_SCHEDULE = OUT / "plan" / "schedule.csv"

# Picture -> the file of a command that it is.
_PICTURES = {
    "roadmap.png": ("plan/gantt.png", f"optimize {EXAMPLE} --seconds 60"),
    "capacity.png": ("capacity/capacity.png", f"capacity {EXAMPLE} --committed"),
    "forecast.png": ("forecast/headroom.png", f"forecast {EXAMPLE} --horizon 12"),
    "overload.png": ("forecast/overload.png", ""),
    "comparison.png": (
        "what-if/comparison.png",
        f"compare {EXAMPLE} --scenarios data/scenarios_budget.toml --seconds 20 "
        "--gap 0.01",
    ),
    "frontier.png": (
        "frontier/frontier.png",
        f"frontier {EXAMPLE} --over budget --points 9 --seconds 20",
    ),
    "futures.png": (
        "futures/finish.png",
        f"simulate {EXAMPLE} --schedule {_SCHEDULE} "
        "--uncertainty data/uncertainty.toml",
    ),
    "milestone_trend.png": ("story/milestones.png", "story data/schedules"),
    "role_value.png": ("roles/role_value.png", f"explain {EXAMPLE} --roles"),
}


def main() -> None:
    """Run what makes the pictures and keep them."""
    KEPT.mkdir(parents=True, exist_ok=True)
    for name, (made, words) in _PICTURES.items():
        if words:
            folder = OUT / made.split("/")[0]
            command = [sys.executable, "-m", "pmo_analytics", *words.split()]
            subprocess.run([*command, "--out", str(folder)], cwd=ROOT, check=True)
        shutil.copyfile(OUT / made, KEPT / name)
    _progress()
    _earned_value()


def _earned_value() -> None:
    """Draw planned value, earned value and actual cost of a red project."""
    status = pmo.status(pmo.read_portfolio(ROOT / EXAMPLE), as_of="2026-12-31")
    figure = figure_earned_value(status)
    figure.savefig(KEPT / "earned_value.png", dpi=110, bbox_inches="tight")
    plt.close("all")


def _progress() -> None:
    """Draw how the plan rises and the bound falls."""
    mpl.use("Agg")
    history: list[pmo.Progress] = []
    portfolio = pmo.read_portfolio(ROOT / EXAMPLE)
    limits = pmo.SolveLimits(seconds=30, gap=0.01)
    pmo.optimize(portfolio, limits=limits, progress=history.append)
    axes = pmo.plot_progress(history)
    axes.figure.savefig(KEPT / "progress.png", dpi=110, bbox_inches="tight")
    plt.close("all")


if __name__ == "__main__":
    main()
