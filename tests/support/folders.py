"""Portfolio folders in a few lines."""

from __future__ import annotations

import warnings
from pathlib import Path

import pandas as pd

from pmo_analytics.errors import PmoWarning
from pmo_analytics.loaders import read_portfolio
from pmo_analytics.portfolio import Portfolio

HORIZON = '[horizon]\nstart = "2027-01"\nperiods = 6\nfreq = "M"\n'


def make_folder(
    folder: Path, files: dict[str, str], *, toml: str = HORIZON, encoding: str = "utf-8"
) -> Path:
    """Write files; a name without suffix is a CSV file."""
    folder.mkdir(parents=True, exist_ok=True)
    if toml:
        (folder / "portfolio.toml").write_text(toml, encoding="utf-8")
    for name, text in files.items():
        path = folder / (name if "." in name else f"{name}.csv")
        path.write_bytes(text.encode(encoding))
    return folder


def read_quietly(path: Path, **options: object) -> Portfolio:
    """Read a portfolio; its warnings stay in `problems`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PmoWarning)
        return read_portfolio(path, **options)


def said(portfolio: Portfolio) -> set[str]:
    """Return the rules of what was found when reading."""
    return set(portfolio.problems["rule"])


def assert_same(left: Portfolio, right: Portfolio) -> None:
    """Compare everything a portfolio holds; labels of rows do not count."""
    assert left.name == right.name
    assert left.settings == right.settings
    assert left.horizon.equals(right.horizon)
    assert left.horizon.freqstr == right.horizon.freqstr
    for table, frame in left.tables.items():
        pd.testing.assert_frame_equal(
            frame.reset_index(drop=True),
            right.tables[table].reset_index(drop=True),
            check_exact=True,
            obj=table,
        )
    pd.testing.assert_frame_equal(
        left.given_capacity, right.given_capacity, check_exact=True
    )
    pd.testing.assert_frame_equal(left.capacity, right.capacity, check_exact=True)
