"""Empty tables to fill in: read as they are, and the check says what comes first."""

from __future__ import annotations

import pandas as pd
import pytest

from pmo_analytics.cli import main
from pmo_analytics.loaders import load_portfolio, loaded_problems, read_portfolio
from pmo_analytics.tables.contract import TABLES, table_spec


@pytest.mark.parametrize("name", ["mine", "mine.xlsx"])
def test_the_check_of_empty_tables_says_what_to_fill_in_first(tmp_path, capsys, name):
    path = tmp_path / name
    words = ["--xlsx", str(path)] if name.endswith("xlsx") else [str(path)]
    assert main(["new", "--empty", *words]) == 0
    problems = loaded_problems(load_portfolio(path))
    assert problems["rule"].tolist() == ["empty_table"]
    assert "'projects' first" in problems["fix"][0]
    assert "'people' or 'capacity'" in problems["fix"][0]
    assert main(["check", str(path)]) == 3
    assert main(["new", "--empty", *words]) == 2
    capsys.readouterr()


def test_each_table_has_all_its_headings_and_no_row(tmp_path, capsys):
    assert main(["new", "--empty", str(tmp_path / "mine")]) == 0
    for table in TABLES:
        frame = pd.read_csv(tmp_path / "mine" / f"{table}.csv")
        assert frame.empty
        assert list(frame.columns) == list(table_spec(table).columns)
    settings = (tmp_path / "mine" / "portfolio.toml").read_text("utf-8")
    # Nobody's country and discount are guessed.
    assert 'country = "DE"' not in settings
    capsys.readouterr()


def test_filled_in_it_is_a_portfolio(tmp_path, capsys):
    assert main(["new", "--empty", str(tmp_path / "mine")]) == 0
    capsys.readouterr()
    rows = {
        "projects": {"project": ["A"], "value": [10], "duration": [2]},
        "demand": {"project": ["A", "A"], "role": ["Dev"] * 2, "offset": [0, 1]},
        "people": {"person": ["Ann"], "role": ["Dev"], "fte": [1]},
    }
    rows["demand"]["fte"] = [0.5, 0.5]
    for table, columns in rows.items():
        file = tmp_path / "mine" / f"{table}.csv"
        head = pd.read_csv(file)
        filled = pd.DataFrame(columns).reindex(columns=head.columns)
        filled.to_csv(file, index=False)
    portfolio = read_portfolio(tmp_path / "mine")
    assert portfolio.projects["project"].tolist() == ["A"]
    assert portfolio.capacity["Dev"].gt(0).all()
