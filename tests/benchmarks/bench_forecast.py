"""Forecasts of the M1 and M3 competitions beside statsforecast, and their speed.

    python tests/benchmarks/bench_forecast.py             some of the series, minutes
    python tests/benchmarks/bench_forecast.py --full      all of them
    python tests/benchmarks/bench_forecast.py --no-peer   ours alone
    python tests/benchmarks/bench_forecast.py --only accuracy

`make bench` installs the peer in an environment of its own: it needs an older pandas.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

import pmo_analytics as pmo
from pmo_analytics.forecasting.breaks import Steady, steady
from pmo_analytics.forecasting.intervals import past_errors, series_draws, spread_of
from pmo_analytics.forecasting.models.registry import MODELS
from tests.support.real_data import DATA

ROOT = Path(__file__).resolve().parents[2]
PEER = ROOT / ".venv" / "statsforecast" / "bin" / "python"
SETS = {
    name: DATA / "forecasting" / f"{name.lower()}_data.json" for name in ("M1", "M3")
}
# Kind of series -> horizon, season.
KINDS = {"MONTHLY": (18, 12), "QUARTERLY": (8, 4), "YEARLY": (6, 1)}
# Series at most of a set where not all are asked for, and that statsforecast gets.
SOME, BESIDE = 150, 300
# Groups that the middle of the draws is looked at in.
GROUPS = 40
OURS = MODELS["combination"]
COMBINED = "combination", "combination, no breaks"


def competition(name: str, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the series of a kind, NaN before each begins, and what came after."""
    rows = [
        row
        for row in json.loads(SETS[name].read_text(encoding="utf-8")).values()
        if row["period"][0] == kind
    ]
    length = max(len(row["x"]) for row in rows)
    y = np.full((len(rows), length), np.nan)
    for k, row in enumerate(rows):
        y[k, length - len(row["x"]) :] = row["x"]
    return y, np.array([row["xx"] for row in rows], dtype=float)


def losses(
    y: np.ndarray, told: np.ndarray, actual: np.ndarray, season: int
) -> tuple[float, float]:
    """Return sMAPE and MASE as means over the series."""
    apart = np.abs(told - actual)
    scale = np.nanmean(np.abs(y[:, season:] - y[:, :-season]), axis=1)
    scale = np.where(scale > 0.0, scale, np.nan)
    relative = 200.0 * apart / (np.abs(told) + np.abs(actual))
    return float(relative.mean()), float(np.nanmean(apart.mean(axis=1) / scale))


def peer(y: np.ndarray, *numbers: int) -> dict:
    """Return what statsforecast says of series; nothing where it is not installed."""
    if not PEER.exists():
        return {}
    script = Path(__file__).with_name("_statsforecast_peer.py")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "series.npz"
        np.savez(path, y=y)
        answer = subprocess.run(
            [str(PEER), str(script), str(path), *map(str, numbers)],
            capture_output=True,
            text=True,
            check=False,
        )
    if answer.returncode:
        print("  statsforecast failed:", answer.stderr.strip().splitlines()[-1])
        return {}
    return dict(json.loads(answer.stdout.splitlines()[-1]))


def drawn(count: int, most: int) -> np.ndarray:
    """Return numbers of so many series at most, in order, drawn with seed 0."""
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).choice(count, most, replace=False))


def show(*cells: object) -> None:
    """Print one row of a table."""
    print("{:<18}{:<28}{:>8}{:>8}{:>9}".format(*cells), flush=True)


def accuracy(some: int | None, beside: bool) -> None:
    """Print sMAPE, MASE and seconds of CPU of six kinds of series.

    Of `combination` also as `forecast_capacity` uses it: breaks of the past taken out.
    """
    if beside:
        print(
            f"statsforecast gets {BESIDE} series of a set at most, drawn with seed 0; "
            "what combination has on the same ones stands above it."
        )
    show("series", "model", "sMAPE", "MASE", "seconds")
    for name in SETS:
        for kind, (horizon, season) in KINDS.items():
            y, actual = competition(name, kind)
            step = 1 if some is None else -(-len(y) // some)
            y, actual = y[::step], actual[::step]
            label = f"{name} {kind[0]} {len(y)}"
            told = {}
            for model in ("seasonal_naive", "theta", "ets", *COMBINED):
                begin = time.process_time()
                past = steady(y, season).y if model == COMBINED[1] else y
                told[model] = MODELS[model.split(",")[0]](past, horizon, season)
                seconds = time.process_time() - begin
                smape, mase = losses(y, told[model], actual, season)
                show(label, model, f"{smape:.2f}", f"{mase:.4f}", f"{seconds:.2f}")
            few = drawn(len(y), BESIDE)
            y, actual = y[few], actual[few]
            answer = peer(y, horizon, season) if beside else {}
            if not answer:
                continue
            label = f"{name} {kind[0]} {len(y)}, these"
            for model in COMBINED:
                smape, mase = losses(y, told[model][few], actual, season)
                show(label, model, f"{smape:.2f}", f"{mase:.4f}", "")
            members = [np.array(each["forecast"]) for each in answer.values()]
            seconds = sum(each["seconds"] for each in answer.values())
            smape, mase = losses(y, np.median(members, axis=0), actual, season)
            row = f"{smape:.2f}", f"{mase:.4f}", f"{seconds:.2f}"
            show(label, "statsforecast, median of 3", *row)


def groups(some: int | None, beside: bool) -> None:
    """Print how often 80 % intervals hold, for one series and for eight at a time.

    A year ahead, from the last 30 and 60 months: in all and by quarter of the horizon,
    and the mean pinball loss of p10 and p90 in mean changes from month to month.
    """
    print("80 % intervals, a year ahead, of N months and G series at a time")
    for name in SETS:
        every, after = competition(name, "MONTHLY")
        for months in (30, 60):
            known = np.isfinite(every[:, -months:]).all(axis=1)
            y, actual = every[known, -months:], after[known, :12]
            told, errors = OURS(y, 12, 12), past_errors(y, 12, 12, OURS)
            for size in (1, 8):
                order = np.random.default_rng(0).permutation(len(y))
                low, high = np.full((2, *told.shape), np.nan)
                for begin in range(0, len(y) - size + 1, size):
                    rows = order[begin : begin + size]
                    spread = spread_of(y[rows], 12, 12, OURS, errors=errors[rows])
                    low[rows], high[rows] = (
                        told[rows] + spread.scale * spread.quantile(q)
                        for q in (0.1, 0.9)
                    )
                label = f"{name}, N {months}, G {size}"
                hold(label, y, actual, low, high)
                middle(label, y, actual, told, errors, order, size)
            if beside:
                few = drawn(len(y), 60 if some else SOME)
                # It wants seven values and two whole horizons before: of 30 values it
                # can go 11 ahead.
                most = min((months - 7) // 2, 12)
                answer = peer(y[few], most, 12, 2)
                if answer:
                    label = f"{name}, N {months}, {most} ahead"
                    pair = np.array(answer["lo-80"]), np.array(answer["hi-80"])
                    of = y[few], actual[few, :most]
                    hold(f"{label}, statsforecast", *of, *pair)
                    pair = low[few, :most], high[few, :most]
                    hold(f"{label}, ours", *of, *pair)


def middle(
    label: str,
    y: np.ndarray,
    actual: np.ndarray,
    told: np.ndarray,
    errors: np.ndarray,
    order: np.ndarray,
    size: int,
) -> None:
    """Print the error of the median of the draws beside that of the forecast."""
    wrong = np.zeros(2)
    for begin in range(0, min(GROUPS * size, len(order) - size + 1), size):
        rows = order[begin : begin + size]
        nothing = np.zeros(size, dtype=np.int64), (), np.zeros(size)
        rng = np.random.default_rng(0)
        draws, _ = series_draws(
            Steady(y[rows], *nothing), 12, 12, 200, rng, errors=errors[rows]
        )
        change = np.abs(np.diff(y[rows], axis=1)).mean(axis=1)[:, None] + 1e-9
        for k, each in enumerate((np.median(draws, axis=0).T, told[rows])):
            wrong[k] += (np.abs(each - actual[rows]) / change).mean()
    print(
        f"  {label:<34}error of the median / of the forecast {wrong[0] / wrong[1]:.4f}"
    )


def hold(
    label: str, y: np.ndarray, actual: np.ndarray, low: np.ndarray, high: np.ndarray
) -> None:
    """Print one row of the table of intervals."""
    rows = np.isfinite(low).all(axis=1)
    y, actual, low, high = y[rows], actual[rows], low[rows], high[rows]
    change = np.abs(np.diff(y, axis=1)).mean(axis=1)[:, None] + 1e-9
    loss = 0.0
    for share, told in ((0.1, np.maximum(low, 0.0)), (0.9, high)):
        apart = (actual - told) / change
        loss += np.maximum(share * apart, (share - 1.0) * apart).mean() / 2.0
    inside = (actual >= low) & (actual <= high)
    quarters = " ".join(
        f"{part.mean():.1%}" for part in np.array_split(inside, 4, axis=1)
    )
    print(f"  {label:<34}{inside.mean():>7.1%} ({quarters}), pinball {loss:.4f}")


def short_histories() -> None:
    """Print MASE of the last few months and quarters, scaled by the whole history."""
    for name in SETS:
        for kind, lengths in (
            ("MONTHLY", (3, 6, 12, 18, 24, 30, 60)),
            ("QUARTERLY", (4, 6, 8, 12)),
        ):
            horizon, season = KINDS[kind]
            y, actual = competition(name, kind)
            for count in lengths:
                row = [
                    f"{losses(y, told, actual, season)[1]:.4f} {model}"
                    for model in ("combination", "seasonal_naive", "naive")
                    for told in [MODELS[model](y[:, -count:], horizon, season)]
                ]
                print(f"{name} {kind}, last {count}: MASE {', '.join(row)}")


def many_roles() -> None:
    """Time a backtest of 5,000 roles."""
    periods = pd.period_range("2022-01", periods=60, freq="M")
    rng = np.random.default_rng(0)
    wave = 5 + np.sin(np.arange(60) * 2 * np.pi / 12)
    walk = rng.normal(0, 0.1, (60, 5000)).cumsum(axis=0)
    history = pd.DataFrame(wave[:, None] + walk, index=periods)
    history.columns = [f"R{k}" for k in range(5000)]
    # Machine code is made, or loaded, before: a second or two.
    pmo.backtest(history.iloc[:, :400], horizon=12, windows=3, intervals=False)
    begin, work = time.perf_counter(), time.process_time()
    pmo.backtest(history, horizon=12, windows=3)
    seconds, work = time.perf_counter() - begin, time.process_time() - work
    print("backtest of 5,000 roles x 60 months, 3 cutoffs, 12 ahead:", end=" ")
    print(f"{seconds:.1f} s, {work:.1f} s of CPU")


_DRAWS = """
import resource, sys, time
import pmo_analytics as pmo
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


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--no-peer", action="store_true", help="ours alone")
    parser.add_argument("--full", action="store_true", help="all series")
    tables = ("accuracy", "groups", "short", "speed")
    parser.add_argument("--only", choices=tables, action="append", help="this table")
    parser.add_argument("--peer", type=Path, default=PEER, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    globals()["PEER"] = chosen.peer
    wanted = chosen.only or tables
    begin = time.perf_counter()
    some = None if chosen.full else SOME
    beside = not chosen.no_peer
    if beside and not PEER.exists():
        print("statsforecast is not installed; `make bench` does it.")
    if not all(path.exists() for path in SETS.values()):
        print("../shared/data/forecasting is not here: no M1 and M3 competitions.")
        wanted = [each for each in wanted if each == "speed"]
    if "accuracy" in wanted:
        accuracy(some, beside)
    if "groups" in wanted:
        groups(some, beside)
    if "short" in wanted:
        short_histories()
    if "speed" in wanted:
        many_roles()
        many_draws()
    print(f"in all {time.perf_counter() - begin:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
