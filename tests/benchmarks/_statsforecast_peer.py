"""statsforecast on series, in an environment of its own.

Run as `python _statsforecast_peer.py FILE.npz HORIZON SEASON [WINDOWS]`: the file holds
`y`, shape (S, T), NaN before a series begins. Prints one JSON line: forecasts of each
model and the seconds of CPU it took on one core, what is compiled once left out; with
WINDOWS, p10 and p90 of the first model by its conformal intervals.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np
import pandas as pd
from statsforecast import StatsForecast
from statsforecast.models import AutoCES, AutoETS, DynamicOptimizedTheta
from statsforecast.utils import ConformalIntervals


def table(rows: list[np.ndarray]) -> pd.DataFrame:
    """Return series as a tidy table."""
    return pd.DataFrame(
        {
            "unique_id": np.repeat(np.arange(len(rows)), [len(r) for r in rows]),
            "ds": np.concatenate([np.arange(len(r)) for r in rows]),
            "y": np.concatenate(rows),
        }
    )


def main(path: str, horizon: int, season: int, windows: int = 0) -> None:
    """Forecast every series with each model."""
    rows = [row[np.isfinite(row)] for row in np.load(path)["y"]]
    answer = {}
    if windows:
        intervals = ConformalIntervals(n_windows=windows, h=horizon)
        model = AutoETS(season_length=season, prediction_intervals=intervals)
        forecaster = StatsForecast(models=[model], freq=1)
        told = forecaster.forecast(df=table(rows), h=horizon, level=[80])
        for name in ("lo-80", "hi-80"):
            values = told[f"AutoETS-{name}"].to_numpy()
            answer[name] = values.reshape(len(rows), horizon).tolist()
        print(json.dumps(answer))
        return
    for kind in (AutoETS, AutoCES, DynamicOptimizedTheta):
        forecaster = StatsForecast(models=[kind(season_length=season)], freq=1)
        forecaster.forecast(df=table(rows[:1]), h=horizon)
        begin = time.process_time()
        told = forecaster.forecast(df=table(rows), h=horizon)
        seconds = time.process_time() - begin
        values = told.iloc[:, -1].to_numpy().reshape(len(rows), horizon)
        answer[kind.__name__] = {"forecast": values.tolist(), "seconds": seconds}
    print(json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1], *(int(number) for number in sys.argv[2:]))
