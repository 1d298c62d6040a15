"""Real data of others as portfolios, read where it lies; nothing of it is kept here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pmo_analytics.portfolio import Portfolio
from tests.support.instances import knapsack_portfolio
from tests.support.places import SHARED

DATA = SHARED / "data"


def real(path: str) -> Path:
    """Return a file of the real data, or skip the test."""
    file = DATA / path
    if not file.exists():
        pytest.skip(f"real data is not here: ../shared/data/{path}")
    return file


def mknap_portfolios(path: Path) -> Iterator[tuple[Portfolio, float]]:
    """Yield the multidimensional knapsacks of an OR-Library file with their optima.

    An optimum of 0 means that the file does not give one.
    """
    numbers = np.array(path.read_text().split(), dtype=float)
    count, at = int(numbers[0]), 1
    for _ in range(count):
        items, rows, optimum = int(numbers[at]), int(numbers[at + 1]), numbers[at + 2]
        at += 3
        value = numbers[at : at + items]
        at += items
        use = numbers[at : at + items * rows].reshape(rows, items)
        at += items * rows
        limit = numbers[at : at + rows]
        at += rows
        yield knapsack_portfolio(value, use, limit), float(optimum)


GMPP = (
    "portfolios/uk_gmpp/GMPP_Government_Major_Projects_Portfolio_AR_Data_March_2022.csv"
)
_GMPP_DATES = ("Project - Start Date", "Project - End Date")
_GMPP_YEAR = "Financial Year Forecast (£m) (including Non-Government Costs)"
_GMPP_LIFE = "TOTAL Baseline Whole Life Costs (£m) (including Non-Government Costs)"


def gmpp_folder(path: Path, folder: Path, share: float) -> float:
    """Write the UK Government Major Projects Portfolio as a folder of tables.

    Cells go over as they stand: "£1,234", "Exempt under Section 43 ...", dates. The
    question: which projects to keep if the year's money is cut to `share` of the
    forecast, so that most whole-life investment is kept. Returns the year's money.
    """
    frame = pd.read_csv(path, dtype="str")
    frame.columns = [str(c).split("\n")[0].strip() for c in frame.columns]
    ids = frame["GMPP ID Number"]
    start, finish = _GMPP_DATES
    pd.DataFrame(
        {
            "project": ids,
            "name": frame["Project Name"],
            "theme": frame["Annual Report Category"],
            "sponsor": frame["Department"],
            "start": frame[start],
            "finish": frame[finish],
            "latest": "2023",
            "value": frame[_GMPP_LIFE],
        }
    ).to_csv(folder / "projects.csv", index=False)
    pd.DataFrame(
        {
            "project": ids,
            "category": "forecast",
            "offset": 0,
            "amount": frame[_GMPP_YEAR],
        }
    ).to_csv(folder / "spend.csv", index=False)
    forecast = pd.to_numeric(
        frame[_GMPP_YEAR].str.replace("[£,]", "", regex=True), errors="coerce"
    )
    money = round(float(forecast.sum()) * share, 2)
    (folder / "budget.csv").write_text(f"budget,amount\nyear 2022/23,{money}\n")
    (folder / "portfolio.toml").write_text(
        'name = "UK major projects"\n[horizon]\nstart = "2023"\nperiods = 60\n'
        'freq = "Y-MAR"\n[value]\ncurrency = "GBP million"\n'
        '[files]\ndecimal = "."\n'
    )
    return money
