"""Words for blank cells: where a blank says no more, and nowhere else."""

from __future__ import annotations

import pytest

from pmo_analytics.errors import DataError
from tests.support.folders import HORIZON, make_folder, read_quietly, said

FILES = {
    "projects": "project,value,duration\nA,1,2\n",
    "demand": "project,role,offset,fte\nA,Dev,0,0.1\n",
    "people": "person,role,fte\nP,Dev,1\n",
}


@pytest.mark.parametrize(
    "word", ["-", "\u2013", "n/a", "N.A.", "none", "TBD", "?", "tbc"]
)
def test_a_date_that_is_not_known_is_blank_and_that_is_said(tmp_path, word):
    text = f"project,value,duration,start,deadline\nA,1,2,{word},{word}\n"
    portfolio = read_quietly(make_folder(tmp_path, FILES | {"projects": text}))
    assert portfolio.projects[["start", "deadline"]].isna().all(axis=None)
    found = portfolio.problems.set_index("rule").loc["blank_words"]
    assert found["found"] == f"'{word}' (2 cells)"
    assert found["column"] == "start, deadline"


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ("demand", "project,role,offset,fte\nA,Dev,0,{}\n"),
        ("spend", "project,offset,amount\nA,0,{}\n"),
        ("people", "person,role,fte\nP,Dev,{}\n"),
        ("people", "person,role,start\nP,Dev,{}\n"),
        ("budget", "budget,amount\nx,{}\n"),
        ("absences", "person,start,end,share\nP,2027-01-04,2027-01-05,{}\n"),
        ("operations", "role,fte\nDev,{}\n"),
        ("flex", "role,kind,fte_max\nDev,hire,{}\n"),
        ("demand", "project,role,2027-01,2027-02\nA,Dev,0.1,{}\n"),
        ("projects", "project,value,duration\nA,1,{}\n"),
        ("projects", "project,value,duration,status\nA,1,2,{}\n"),
    ],
)
@pytest.mark.parametrize("word", ["TBD", "?"])
def test_what_is_not_known_never_counts_as_a_number(tmp_path, table, text, word):
    with pytest.raises(DataError):
        read_quietly(make_folder(tmp_path, FILES | {table: text.format(word)}))


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ("demand", "project,role,offset,fte\nA,Dev,0,-\n"),
        ("people", "person,role,fte\nP,Dev,n/a\n"),
        ("budget", "budget,amount\nx,-\n"),
    ],
)
def test_a_dash_may_be_a_zero_and_is_refused_where_blank_is_not(tmp_path, table, text):
    with pytest.raises(DataError):
        read_quietly(make_folder(tmp_path, FILES | {table: text}))


def test_dashes_of_a_wide_table_are_nothing(tmp_path):
    text = "project,role,2027-01,2027-02\nA,Dev,0.1,-\n"
    files = FILES | {"demand": text}
    files["projects"] = "project,value,duration,start\nA,1,2,2027-01\n"
    portfolio = read_quietly(make_folder(tmp_path, files))
    assert portfolio.demand["fte"].to_list() == [0.1]
    assert "blank_words" in said(portfolio)


def test_texts_keep_their_words(tmp_path):
    text = "project,value,duration,theme,sponsor\nA,1,2,n/a,TBD\n"
    portfolio = read_quietly(make_folder(tmp_path, FILES | {"projects": text}))
    assert portfolio.projects[["theme", "sponsor"]].iloc[0].to_list() == ["n/a", "TBD"]
    assert "blank_words" not in said(portfolio)


def test_words_of_the_portfolio(tmp_path):
    toml = HORIZON + "[files]\nblank = ['open', 'n/a']\n"
    text = "project,value,duration,start,theme\nA,1,2,Open,n/a\n"
    folder = make_folder(tmp_path, FILES | {"projects": text}, toml=toml)
    portfolio = read_quietly(folder)
    assert portfolio.projects[["start", "theme"]].isna().all(axis=None)
    found = portfolio.problems.set_index("rule").loc["blank_words"]
    assert found["found"] == "'Open', 'n/a' (2 cells)"


@pytest.mark.parametrize("heading", ["force", "Mandatory", "Pflicht", "必做"])
@pytest.mark.parametrize(
    ("yes", "no"),
    [
        ("Yes", "No"),
        ("Y", "n"),
        ("TRUE", "FALSE"),
        ("1", "0"),
        ("Ja", "Nein"),
        ("x", ""),
    ],
)
def test_not_forced_is_free(tmp_path, heading, yes, no):
    text = f"project,value,duration,{heading}\nA,10,2,{yes}\nB,5,1,{no}\n"
    portfolio = read_quietly(make_folder(tmp_path, FILES | {"projects": text}))
    assert portfolio.projects["force"].fillna("").to_list() == ["in", ""]
    assert "blank_words" not in said(portfolio)
