"""How fast people become capacity: `python tests/benchmarks/bench_supply.py`.

Times `people_capacity` (and the check) on generated people, then compares it with
the obvious walk over people and days on a smaller sample, which must agree.
"""

from __future__ import annotations

import argparse
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import holidays
import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from pmo_analytics.clock.periods import hours_per_fte
from pmo_analytics.tables.supply import effective_capacity, people_capacity
from pmo_analytics.tables.supply_checks import check_supply

COUNTRIES = ["DE", "CN", "US", "IN", "GB"]


def generate(
    count: int, horizon: pd.PeriodIndex, roles: int, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return people and absences: 1.5 rows and 4 absences a person a year."""
    rng = np.random.default_rng(seed)
    first, last = horizon[0].start_time, horizon[-1].end_time.normalize()
    length = (last - first).days

    def dates(low: int, high: int, size: int) -> np.ndarray:
        offset = rng.integers(low, high, size).astype("timedelta64[D]")
        return first.to_numpy().astype("datetime64[D]") + offset

    names = np.array([f"Person {n:05d}" for n in range(count)])
    country = rng.choice(COUNTRIES, count)
    who = np.concatenate((np.arange(count), rng.integers(0, count, count // 2)))
    start = np.concatenate((dates(-1500, 200, count), dates(0, length, count // 2)))
    end = start + rng.integers(100, 2500, len(who)).astype("timedelta64[D]")
    people = pd.DataFrame(
        {
            "person": names[who],
            "role": [f"Role {n:02d}" for n in rng.integers(0, roles, len(who))],
            "start": start,
            "end": pd.Series(end).where(rng.random(len(who)) < 0.4),
            "fte": rng.choice([1.0, 1.0, 1.0, 0.8, 0.5], len(who)),
            "country": country[who],
        }
    ).drop_duplicates(["person", "role", "start"], ignore_index=True)
    many = max(1, round(count * 4 * length / 365))
    begin = dates(-30, length, many)
    absences = pd.DataFrame(
        {
            "person": names[rng.integers(0, count, many)],
            "start": begin,
            "end": begin + rng.integers(0, 15, many).astype("timedelta64[D]"),
            "share": rng.choice([1.0, 1.0, 0.5], many),
        }
    )
    return people, absences


def day_by_day(
    people: pd.DataFrame, absences: pd.DataFrame, horizon: pd.PeriodIndex
) -> pd.DataFrame:
    """Return the same capacity the obvious way: each person, each day."""
    first, last = horizon[0].start_time, horizon[-1].end_time.normalize()
    years = range(first.year - 1, last.year + 2)
    calendars = {
        code: holidays.country_holidays(code, years=years) for code in COUNTRIES
    }
    grid = pd.DataFrame(0.0, index=horizon, columns=people["role"].unique())
    away_of = dict(list(absences.groupby("person")))
    calendar_days = [
        (day, day.to_period(horizon.freqstr)) for day in pd.date_range(first, last)
    ]
    for person, rows in people.groupby("person"):
        rows = rows.sort_values("start")
        for _, group in rows.groupby("role"):
            following = group["start"].shift(-1)
            cut = group["end"].isna() & following.notna()
            rows.loc[group.index[cut], "end"] = following[cut] - pd.Timedelta(days=1)
        records = rows.fillna({"end": last}).to_dict("records")
        leave = away_of[person].to_dict("records") if person in away_of else []
        for day, period in calendar_days:
            holding = [row for row in records if row["start"] <= day <= row["end"]]
            if not holding:
                continue
            total = max(sum(row["fte"] for row in holding), 1.0)
            away = sum(
                row["share"] for row in leave if row["start"] <= day <= row["end"]
            )
            for row in holding:
                calendar = calendars[row["country"]]
                if calendar.is_working_day(day):
                    share = row["fte"] / total * (1.0 - min(away, 1.0))
                    grid.loc[period, row["role"]] += 8.0 * share
    return grid / hours_per_fte(horizon.freqstr, 40.0)


def timed[T](run: Callable[[], T], repeats: int = 1) -> tuple[float, T]:
    """Return the best seconds of some runs, and the result."""
    best = float("inf")
    for _ in range(repeats):
        begun = time.perf_counter()
        result = run()
        best = min(best, time.perf_counter() - begun)
    return best, result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--sample", type=int, default=60)
    parser.add_argument("--roles", type=int, default=40)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()

    for freq, start, periods in (
        ("M", "2025-01", 36),
        ("W-SUN", "2025-01-06", 120),
        ("M", "2025-01", 120),
    ):
        horizon = pd.period_range(start, periods=periods, freq=freq, name="period")
        people, absences = generate(
            options.people, horizon, options.roles, options.seed
        )

        def capacity(
            people: pd.DataFrame = people,
            absences: pd.DataFrame = absences,
            horizon: pd.PeriodIndex = horizon,
        ) -> pd.DataFrame:
            return people_capacity(people, absences, horizon)

        cold, grid = timed(capacity)
        warm, _ = timed(capacity, repeats=5)
        tracemalloc.start()
        capacity()
        peak = tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.stop()
        print(
            f"{options.people:,} people ({len(people):,} rows, {len(absences):,} "
            f"absences, {len(COUNTRIES)} countries, {grid.shape[1]} roles) x {periods} "
            f"periods of {freq}: first {cold:.3f} s, then {warm:.3f} s, "
            f"peak {peak:.0f} MiB, highest role {grid.to_numpy().max():.1f} FTE"
        )

    horizon = pd.period_range("2025-01", periods=36, freq="M", name="period")
    people, absences = generate(options.people, horizon, options.roles, options.seed)
    operations = pd.DataFrame(
        {
            "role": people["role"].unique(),
            "start": pd.NaT,
            "end": pd.NaT,
            "fte": 2.0,
            "share": 0.1,
        }
    ).astype({"start": "datetime64[s]", "end": "datetime64[s]"})
    tables = {"people": people, "absences": absences, "operations": operations}
    given = pd.DataFrame(index=horizon)
    seconds, _ = timed(lambda: effective_capacity(horizon, given=given, **tables), 3)
    print(f"effective_capacity, 36 months: {seconds:.3f} s")
    seconds, problems = timed(
        lambda: check_supply(**tables, given=given, horizon=horizon), 3
    )
    print(f"check_supply, 36 months: {seconds:.3f} s, {len(problems):,} problems")

    sample, leave = generate(options.sample, horizon, 5, options.seed)
    slow, expected = timed(lambda: day_by_day(sample, leave, horizon))
    fast, grid = timed(lambda: people_capacity(sample, leave, horizon), repeats=5)
    np.testing.assert_allclose(grid, expected[grid.columns], rtol=0, atol=6e-7)
    print(
        f"{options.sample} people x 36 months day by day: {slow:.2f} s, here "
        f"{fast:.4f} s, the same figures, {slow / fast:,.0f} times faster"
    )


if __name__ == "__main__":
    main()
