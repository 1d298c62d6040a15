"""Real data of others as portfolios, read where it lies; nothing of it is kept here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pmo_analytics.periods import make_horizon
from pmo_analytics.portfolio import Portfolio

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"


def real(path: str) -> Path:
    """Return a file of the real data, or skip the test."""
    file = DATA / path
    if not file.exists():
        pytest.skip(f"real data is not here: ../shared/data/{path}")
    return file


def mknap_portfolios(path: Path) -> Iterator[tuple[Portfolio, float]]:
    """Yield the multidimensional knapsacks of an OR-Library file with their optima.

    Items are projects of one period, constraints are roles. An optimum of 0 means
    that the file does not give one.
    """
    numbers = np.array(path.read_text().split(), dtype=float)
    count, at = int(numbers[0]), 1
    horizon = make_horizon(2027, 1, "Y")
    for _ in range(count):
        items, rows, optimum = int(numbers[at]), int(numbers[at + 1]), numbers[at + 2]
        at += 3
        value = numbers[at : at + items]
        at += items
        use = numbers[at : at + items * rows].reshape(rows, items)
        at += items * rows
        limit = numbers[at : at + rows]
        at += rows
        names = [f"P{i:03d}" for i in range(items)]
        roles = [f"R{r:02d}" for r in range(rows)]
        portfolio = Portfolio(
            f"{items} items, {rows} constraints",
            horizon=horizon,
            projects=pd.DataFrame({"project": names, "value": value, "duration": 1}),
            demand=pd.DataFrame(
                {
                    "project": np.tile(names, rows),
                    "role": np.repeat(roles, items),
                    "offset": 0,
                    "fte": use.ravel(),
                }
            ),
            capacity=pd.DataFrame([limit], index=horizon, columns=roles),
        )
        yield portfolio, float(optimum)
