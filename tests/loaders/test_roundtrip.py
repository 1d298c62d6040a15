"""Whatever a portfolio holds comes back from a folder and from a workbook."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pmo_analytics.clock.periods import make_horizon
from pmo_analytics.examples.company import example_portfolio
from pmo_analytics.loaders import aliases, write_portfolio
from pmo_analytics.portfolio import Portfolio
from pmo_analytics.tables.conforming import clean_text
from tests.support.counts import tried
from tests.support.folders import assert_same, read_quietly
from tests.support.small_portfolios import everything_portfolio, tiny_portfolio


def is_name(text: str) -> bool:
    folded = aliases.fold(text)
    return bool(text) and not any(
        folded.startswith(word) or folded.endswith(word) for word in aliases.TOTALS
    )


# Everything that text cells may hold: any script, formulas, quotes, delimiters.
TEXT = st.text(
    alphabet=st.one_of(
        st.characters(exclude_categories=["Cs", "Cc"]),
        st.sampled_from("=+-@'\",;|\t\n_x0041 项目"),
    ),
    max_size=30,
)
NAMES = TEXT.map(clean_text).filter(is_name)
NUMBERS = st.one_of(
    st.none(), st.floats(allow_nan=False, allow_infinity=False), st.integers(-99, 99)
)


@st.composite
def portfolios(draw) -> Portfolio:
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    roles = draw(st.lists(NAMES, min_size=1, max_size=3, unique_by=aliases.fold))
    count = len(names)
    horizon = make_horizon("2027-01", 3, "M")
    fte = st.floats(0, 1e6, allow_nan=False)
    grid = np.array([[draw(fte) for _ in roles] for _ in horizon])
    return Portfolio(
        draw(TEXT.filter(lambda text: not text.isspace())),
        horizon=horizon,
        capacity=pd.DataFrame(grid, index=horizon, columns=roles),
        projects=pd.DataFrame(
            {
                "project": names,
                "name": [draw(st.none() | TEXT) for _ in names],
                "value": pd.Series([draw(NUMBERS) for _ in names], dtype="float64"),
                "duration": [draw(st.integers(1, 3)) for _ in names],
                "Own text": pd.Series(
                    [draw(st.none() | own_text()) for _ in names], dtype="str"
                ),
                "Own number": np.arange(count) / 3,
            }
        ),
        demand=pd.DataFrame(
            {"project": names, "role": roles[0], "offset": 0, "fte": 0.1}
        ),
    )


def own_text() -> st.SearchStrategy[str]:
    """Text of a column whose meaning nobody knows: kept letter by letter."""
    return TEXT.filter(
        lambda text: text.strip() != "" and not math.isfinite(_number(text))
    )


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


@pytest.mark.parametrize("name", ["out", "out.xlsx"])
@given(portfolio=portfolios())
@settings(
    max_examples=tried(40), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
def test_any_text_and_any_number(name, portfolio):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write_portfolio(portfolio, path)
        assert_same(portfolio, read_quietly(path))


@pytest.mark.parametrize("name", ["out", "out.xlsx"])
@pytest.mark.parametrize("make", [everything_portfolio, example_portfolio])
def test_every_table_and_every_rule(tmp_path, name, make):
    portfolio = make()
    write_portfolio(portfolio, tmp_path / name)
    again = read_quietly(tmp_path / name)
    assert_same(portfolio, again)
    assert again.digest() == portfolio.digest()
    assert set(again.problems["rule"]) == set(portfolio.check()["rule"])


@pytest.mark.parametrize("name", ["out", "out.xlsx"])
@pytest.mark.parametrize("freq", ["W", "M", "Q", "Y", "Q-MAR", "Y-MAR"])
def test_every_clock(tmp_path, name, freq):
    horizon = make_horizon("2027-05-05", 4, freq)
    portfolio = Portfolio(
        "clock",
        horizon=horizon,
        projects=pd.DataFrame(
            {"project": ["A"], "duration": 1, "earliest": [horizon[1]], "value": 1}
        ),
        demand=pd.DataFrame({"project": ["A"], "role": "R", "offset": 0, "fte": 1}),
        capacity=pd.DataFrame({"R": [1.0, 0.1, 1 / 3, 2.5]}, index=horizon),
        history=pd.DataFrame({"period": [horizon[0] - 1], "role": "R", "load_fte": 1}),
    )
    write_portfolio(portfolio, tmp_path / name)
    assert_same(portfolio, read_quietly(tmp_path / name))


@pytest.mark.parametrize("name", ["out", "out.xlsx"])
def test_capacity_that_was_edited_is_written(tmp_path, name):
    portfolio = everything_portfolio().snapshot()
    portfolio.capacity["Test"] = [1.0, 2.0, 3.0, 4.0, 5.0, 1 / 3]
    write_portfolio(portfolio.snapshot(), tmp_path / name)
    again = read_quietly(tmp_path / name)
    assert again.capacity["Test"].to_list() == [1.0, 2.0, 3.0, 4.0, 5.0, 1 / 3]
    pd.testing.assert_frame_equal(again.capacity, portfolio.snapshot().capacity)


@pytest.mark.parametrize("name", ["out", "out.xlsx"])
def test_large_whole_numbers_of_own_columns_are_not_rounded(tmp_path, name):
    portfolio = everything_portfolio()
    ticket = 123456789012345678
    portfolio = portfolio.replace(projects=portfolio.projects.assign(ticket=ticket))
    write_portfolio(portfolio, tmp_path / name)
    assert set(read_quietly(tmp_path / name).projects["ticket"]) == {str(ticket)}


@pytest.mark.parametrize("name", ["out", "out.xlsx"])
@pytest.mark.parametrize("text", ["'@", "''=1+1", "'-a", "'plain"])
def test_quotes_before_what_looks_like_a_formula_come_back(tmp_path, name, text):
    portfolio = tiny_portfolio()
    portfolio = portfolio.replace(projects=portfolio.projects.assign(name=text))
    write_portfolio(portfolio, tmp_path / name)
    assert set(read_quietly(tmp_path / name).projects["name"]) == {text}
