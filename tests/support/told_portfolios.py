"""Portfolios whose projects were reported on, with what people leave out."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

import pmo_analytics as pmo
from pmo_analytics.clock import make_horizon
from pmo_analytics.reporting import Report, status_report
from pmo_analytics.tracking import Status

_NAMES = ("数字化转型", "电力调度系统", "Straße & Brücke", "=1+1", "Überwachung <b>")
_STAGES = ("Design", "Build", "试运行")
_MONTHS = 24


@cache
def example_report() -> tuple[Status, Report, dict[str, Report]]:
    """Return the status of the example, its report, and the pages of that.

    To work them out takes longer than most of what is asked about them.
    """
    status = pmo.status(pmo.example_portfolio(), as_of="2026-12-31", since="2026-10-31")
    return status, *status_report(status)


def told_portfolio(projects: int, seed: int = 0, *, sound: bool = False):
    """Return running projects with reports by month, and what is missing in them.

    Every seventh has no baseline, every eleventh was never reported on, every fifth
    and every 22nd have no milestone, every third no name or manager.

    Parameters
    ----------
    projects
        How many run; half as many are proposed besides.
    sound
        Whether nothing is missing.
    """
    rng = np.random.default_rng(seed)
    horizon = make_horizon("2026-01", _MONTHS, "M")
    keys = [f"P{k:03}" for k in range(projects)]
    missing = (lambda k, every: False) if sound else (lambda k, n: k % n == n - 1)
    starts = rng.integers(0, 6, projects)
    lengths = rng.integers(8, 18, projects)
    asked = [f"C{k:03}" for k in range(projects // 2)]
    running = pd.DataFrame(
        {
            "project": keys,
            "name": [
                None if missing(k, 3) else f"{_NAMES[k % 5]} {k}"
                for k in range(projects)
            ],
            "manager": [
                None if missing(k, 3) else f"王 {k % 9}" for k in range(projects)
            ],
            "program": [
                None if missing(k, 8) else f"计划 {k % 12}" for k in range(projects)
            ],
            "status": "running",
            "value": rng.uniform(1e5, 9e6, projects).round(2),
            "duration": lengths,
            "start": [str(horizon[k]) for k in starts],
        }
    )
    proposed = pd.DataFrame(
        {
            "project": asked,
            "status": "proposed",
            "value": rng.uniform(1e5, 9e6, len(asked)).round(2),
            "duration": 6,
            "probability": 0.5,
        }
    )
    demand, spend, plans, told, stones = [], [], [], [], []
    for k, key in enumerate(keys):
        cost = float(rng.uniform(2e5, 4e6))
        demand += [(key, f"Role {k % 8}", o, 0.5) for o in range(lengths[k])]
        spend += [(key, o, cost / lengths[k]) for o in range(lengths[k])]
        begin = horizon[starts[k]]
        if not missing(k, 7):
            plans.append((key, "first", "2026-01-01", str(begin), lengths[k], cost))
        speed, dear = rng.uniform(0.6, 1.2), rng.uniform(0.7, 1.6)
        for month in range(int(starts[k]), 12 if not missing(k, 11) else 0):
            share = min((month - starts[k] + 1) / lengths[k] * speed, 0.98)
            day = f"{horizon[month].end_time:%Y-%m-%d}"
            told.append((key, day, round(100 * share), cost * share * dear))
        bare = missing(k, 5) or missing(k, 22)
        for number, stage in enumerate(() if bare else _STAGES):
            due = (begin + int(lengths[k] * (number + 1) / 4)).end_time.normalize()
            for month in (2, 6, 10):
                seen = horizon[month].end_time.normalize()
                late = due + pd.Timedelta(days=int(rng.integers(0, 9)) * month)
                came = late if late <= seen else None
                stones.append((key, stage, seen, due, late, came))
    roles = sorted({row[1] for row in demand})
    tables = {
        "projects": pd.concat([running, proposed], ignore_index=True),
        "demand": _rows(demand, "project role offset fte"),
        "spend": _rows(spend, "project offset amount"),
        "baselines": _rows(plans, "project baseline set_on start duration cost"),
        "progress": _rows(told, "project as_of percent_complete actual_cost"),
        "milestones": _rows(stones, "project milestone as_of baseline forecast actual"),
    }
    return pmo.Portfolio(
        "电网 2026",
        horizon=horizon,
        settings=pmo.Settings(currency="CNY"),
        capacity=pd.DataFrame(projects / 14, index=horizon, columns=roles),
        **tables,
    )


def _rows(rows: list[tuple[object, ...]], columns: str) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=columns.split())
