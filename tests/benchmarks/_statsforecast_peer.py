"""statsforecast on the monthly M3 series, in an environment of its own.

Run as `python _statsforecast_peer.py M3.json`; prints one JSON line: forecasts and
seconds of each model.
"""

from __future__ import annotations

import json
import os
import sys
import time

import numpy as np
import pandas as pd
from statsforecast import StatsForecast
from statsforecast.models import AutoCES, AutoETS, DynamicOptimizedTheta

HORIZON = 18


def main(path: str) -> None:
    """Forecast every monthly series with each model."""
    with open(path, encoding="utf-8") as file:
        rows = [r for r in json.load(file).values() if r["period"][0] == "MONTHLY"]
    frame = pd.DataFrame(
        {
            "unique_id": np.repeat(np.arange(len(rows)), [len(r["x"]) for r in rows]),
            "ds": np.concatenate([np.arange(len(r["x"])) for r in rows]),
            "y": np.concatenate([r["x"] for r in rows]),
        }
    )
    answer = {}
    for model in (AutoETS, AutoCES, DynamicOptimizedTheta):
        begin = time.perf_counter()
        forecaster = StatsForecast(
            models=[model(season_length=12)], freq=1, n_jobs=os.cpu_count() or 1
        )
        told = forecaster.forecast(df=frame, h=HORIZON)
        seconds = time.perf_counter() - begin
        values = told.iloc[:, -1].to_numpy().reshape(len(rows), HORIZON)
        answer[model.__name__] = {"forecast": values.tolist(), "seconds": seconds}
    print(json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1])
