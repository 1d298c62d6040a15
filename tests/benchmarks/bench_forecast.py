"""Forecasts on the M3 competition beside statsforecast, and their speed.

    python tests/benchmarks/bench_forecast.py             and the peer if it is there
    python tests/benchmarks/bench_forecast.py --no-peer   about a minute

`make bench` installs the peer in an environment of its own: it needs an older pandas.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

import pmo_analytics as pmo
from pmo_analytics.forecasting.breaks import steady
from pmo_analytics.forecasting.intervals import spread_of
from pmo_analytics.forecasting.models.registry import MODELS
from tests.support.real_data import DATA

ROOT = Path(__file__).resolve().parents[2]
PEER = ROOT / ".venv" / "statsforecast" / "bin" / "python"
M3 = DATA / "forecasting" / "m3_data.json"
M1 = DATA / "forecasting" / "m1_data.json"
# Kind of series -> horizon, season.
KINDS = {"MONTHLY": (18, 12), "QUARTERLY": (8, 4), "YEARLY": (6, 1), "OTHER": (8, 1)}


def competition(kind: str, path: Path = M3) -> tuple[np.ndarray, np.ndarray]:
    """Return the series of a kind, NaN before each begins, and what came after."""
    rows = [
        row
        for row in json.loads(path.read_text(encoding="utf-8")).values()
        if row["period"][0] == kind
    ]
    length = max(len(row["x"]) for row in rows)
    y = np.full((len(rows), length), np.nan)
    for k, row in enumerate(rows):
        y[k, length - len(row["x"]) :] = row["x"]
    return y, np.array([row["xx"] for row in rows])


def losses(
    y: np.ndarray, told: np.ndarray, actual: np.ndarray, season: int
) -> tuple[float, float]:
    """Return sMAPE and MASE as means over the series."""
    apart = np.abs(told - actual)
    scale = np.nanmean(np.abs(y[:, season:] - y[:, :-season]), axis=1)
    scale = np.where(scale > 0.0, scale, np.nan)
    relative = 200.0 * apart / (np.abs(told) + np.abs(actual))
    return float(relative.mean()), float(np.nanmean(apart.mean(axis=1) / scale))


def show(*cells: object) -> None:
    """Print one row of the table."""
    print("{:<12}{:<28}{:>9}{:>9}{:>9}{:>10}".format(*cells), flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--no-peer", action="store_true", help="ours alone")
    chosen = parser.parse_args()
    if M3.exists():
        show("M3", "model", "sMAPE", "MASE", "seconds", "in p10-90")
        for kind, (horizon, season) in KINDS.items():
            y, actual = competition(kind)
            for name in ("seasonal_naive", "theta", "combination"):
                begin = time.perf_counter()
                told = MODELS[name](y, horizon, season)
                seconds = time.perf_counter() - begin
                held = ""
                if name == "combination":
                    spread = spread_of(y, horizon, season, MODELS[name])
                    low, high = (
                        told + spread.scale * spread.quantile(q) for q in (0.1, 0.9)
                    )
                    inside = (actual >= low) & (actual <= high)
                    held = f"{inside.mean():.1%}"
                    each = " ".join(f"{share:.1%}" for share in inside.mean(axis=0))
                smape, mase = losses(y, told, actual, season)
                show(kind, name, f"{smape:.3f}", f"{mase:.4f}", f"{seconds:.2f}", held)
            print(f"{kind}: in p10-90 by horizon: {each}")
        if not chosen.no_peer:
            beside()
    else:
        print("../shared/data/forecasting is not here: no M3 competition.")
    if M1.exists():
        without_breaks()
        short_histories()
    many_roles()
    many_draws()


def without_breaks() -> None:
    """Print MASE with breaks left in and taken out, of M3 and of M1, never tuned to."""
    for path in (M3, M1):
        for kind, (_, season) in KINDS.items():
            if path == M1 and kind == "OTHER":
                continue
            y, actual = competition(kind, path)
            calm = steady(y, season).y
            told = [
                MODELS["combination"](past, actual.shape[1], season)
                for past in (y, calm)
            ]
            left, out = (losses(y, each, actual, season)[1] for each in told)
            print(f"{path.stem} {kind}: MASE {left:.4f}, without breaks {out:.4f}")


def short_histories() -> None:
    """Print MASE of the last few months and quarters, scaled by the whole history."""
    for path in (M3, M1):
        for kind, lengths in (
            ("MONTHLY", (3, 6, 12, 18, 24, 30, 60)),
            ("QUARTERLY", (4, 6, 8, 12)),
        ):
            season = KINDS[kind][1]
            y, actual = competition(kind, path)
            for count in lengths:
                row = [
                    f"{losses(y, told, actual, season)[1]:.4f} {name}"
                    for name in ("combination", "seasonal_naive", "naive")
                    for told in [MODELS[name](y[:, -count:], actual.shape[1], season)]
                ]
                print(f"{path.stem} {kind}, last {count}: MASE {', '.join(row)}")


def beside() -> None:
    """Run statsforecast on the monthly series, on all cores, in its own process."""
    if not PEER.exists():
        print("statsforecast is not installed; `make bench` does it.")
        return
    script = Path(__file__).with_name("_statsforecast_peer.py")
    answer = subprocess.run(
        [str(PEER), str(script), str(M3)], capture_output=True, text=True, check=False
    )
    if answer.returncode:
        print("statsforecast failed:", answer.stderr[-500:])
        return
    y, actual = competition("MONTHLY")
    told = json.loads(answer.stdout.splitlines()[-1])
    members = [np.array(m["forecast"]) for m in told.values()]
    total = sum(m["seconds"] for m in told.values())
    for name, model in told.items():
        smape, mase = losses(y, np.array(model["forecast"]), actual, 12)
        label = f"statsforecast {name}"
        show(
            "MONTHLY",
            label,
            f"{smape:.3f}",
            f"{mase:.4f}",
            f"{model['seconds']:.1f}",
            "",
        )
    smape, mase = losses(y, np.median(members, axis=0), actual, 12)
    show(
        "MONTHLY",
        "statsforecast, median",
        f"{smape:.3f}",
        f"{mase:.4f}",
        f"{total:.1f}",
        "",
    )


def many_roles() -> None:
    """Time a backtest of 5,000 roles."""
    periods = pd.period_range("2022-01", periods=60, freq="M")
    rng = np.random.default_rng(0)
    wave = 5 + np.sin(np.arange(60) * 2 * np.pi / 12)
    walk = rng.normal(0, 0.1, (60, 5000)).cumsum(axis=0)
    history = pd.DataFrame(wave[:, None] + walk, index=periods)
    history.columns = [f"R{k}" for k in range(5000)]
    begin, work = time.perf_counter(), time.process_time()
    pmo.backtest(history, horizon=12, windows=3)
    seconds, work = time.perf_counter() - begin, time.process_time() - work
    print("backtest of 5,000 roles x 60 months, 3 cutoffs, 12 ahead:", end=" ")
    print(f"{seconds:.1f} s, {work:.1f} s of CPU")


_DRAWS = """
import resource, sys, time
import pmo_analytics as pmo
from pmo_analytics.forecasting.breaks import steady
portfolio = pmo.generate_portfolio(300, 20, 24, 0, mid_life=True)
begin, work = time.perf_counter(), time.process_time()
pmo.forecast_headroom(portfolio, draws=10_000)
seconds, work = time.perf_counter() - begin, time.process_time() - work
most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
most *= 1 if sys.platform == "darwin" else 1024
print(f"{seconds:.1f} s, {work:.1f} s of CPU, {most / 1e9:.2f} GB at most")
"""


def many_draws() -> None:
    """Time the headroom of a large portfolio in a process of its own; its memory."""
    answer = subprocess.run(
        [sys.executable, "-c", _DRAWS],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    print("10,000 draws of 300 projects x 20 roles x 24 months:", answer.stdout.strip())


if __name__ == "__main__":
    sys.exit(main())
