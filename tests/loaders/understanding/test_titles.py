"""What stands above a header: units are read or refused, everything is quoted."""

from __future__ import annotations

import pytest

from pmo_analytics.errors import DataError
from pmo_analytics.loaders.understanding.titles import units_of
from tests.support.folders import make_folder, read_quietly

ONE = 40 * 52.1775 / 12
PROJECTS = "project,value,duration\nA,100,3\n"
PEOPLE = "person,role\nP,Dev\n"
WIDE = "project,role,0,1\nA,Dev,50,80\n"
LONG = "project,role,offset,fte\nA,Dev,0,50\nA,Dev,1,80\n"


def read(tmp_path, **files):
    files = {"projects": PROJECTS, "people": PEOPLE, **files}
    return read_quietly(make_folder(tmp_path, files))


@pytest.mark.parametrize(
    ("title", "unit"),
    [
        ("Resource demand in % of a full-time employee", "%"),
        ("Demand (%)", "%"),
        ("Angaben in Prozent", "%"),
        ("Demand in hours", "hours"),
        ("Bedarf (Std.)", "hours"),
        ("Bedarf in Stunden", "hours"),
        ("Unit: person days", "person_days"),
        ("单位: 人天", "person_days"),
        ("Capacity in FTE (1 FTE = 160 hours)", "fte"),
        ("Demand hours 2027", "hours"),
        ("Plan of the board", ""),
        ("Version 3 in April", ""),
    ],
)
def test_units_of_work_in_titles(title, unit):
    assert list(units_of("demand", [title], loose=True)) == ([unit] if unit else [])


@pytest.mark.parametrize(
    ("title", "factor"),
    [
        ("Budget in TEUR", "1000"),
        ("in k€", "1000"),
        ("All amounts in thousands of euros", "1000"),
        ("Budget 2027 TEUR", "1000"),
        ("Beträge in Mio. EUR", "1000000"),
        ("amounts in 1,000 EUR", "1000"),
        ("单位: 万元", "10000"),
        ("Amounts in EUR", "1"),
        ("Budget of the year", ""),
    ],
)
def test_units_of_money_in_titles(title, factor):
    found = list(units_of("budget", [title], loose=False))
    assert found == ([factor] if factor else [])


@pytest.mark.parametrize("rows", [WIDE, LONG])
def test_percent_above_the_header(tmp_path, rows):
    title = "Resource demand in % of an FTE,,,\n,,,\n"
    if rows is LONG:
        rows = rows.replace("fte", "demand")
    portfolio = read(tmp_path, demand=title + rows)
    assert portfolio.demand["fte"].to_list() == [0.5, 0.8]
    skipped = portfolio.problems.set_index("rule").loc["title_rows_skipped"]
    assert skipped["found"] == "Resource demand in % of an FTE"
    assert skipped["row"] == 3


def test_shares_and_percent_signs_under_a_title_in_percent(tmp_path):
    rows = "project,role,0,1\nA,Dev,50 %,0.8\n"
    portfolio = read(tmp_path, demand="Demand in %,,,\n" + rows)
    assert portfolio.demand["fte"].to_list() == [0.5, 0.8]
    mixed = "project,role,0,1\nA,Dev,50,0.8\n"
    with pytest.raises(DataError, match="percent_or_share"):
        read(tmp_path, demand="Demand in %,,,\n" + mixed)


def test_hours_above_a_wide_header(tmp_path):
    for title in ("Demand in hours", "Demand (hours)", "Demand hours by month"):
        portfolio = read(tmp_path, demand=f"{title},,,\n{WIDE}")
        assert (portfolio.demand["fte"] * ONE).round(9).to_list() == [50, 80]
        found = portfolio.problems.set_index("rule").loc["unit_in_title"]
        assert found["found"] == title


def test_titles_that_contradict_are_refused_and_quoted(tmp_path):
    with pytest.raises(DataError, match=r"unit_in_title.*Demand in hours.*'fte'"):
        read(tmp_path, demand="Demand in hours,,,\n" + LONG)
    with pytest.raises(DataError, match=r"unit_in_title.*names hours, %"):
        read(tmp_path, demand="Demand (hours),in %,,\n" + WIDE)


def test_thousands_above_money(tmp_path):
    spend = "project,offset,amount\nA,0,12.5\n"
    budget = "budget,amount,at_least\nall,100,10\n"
    portfolio = read(
        tmp_path,
        spend="Costs in TEUR,,\n" + spend,
        budget="All amounts in k€,,\n" + budget,
        projects="Values (Mio. EUR),,\n" + PROJECTS,
    )
    assert portfolio.spend["amount"].to_list() == [12_500]
    assert portfolio.budget[["amount", "at_least"]].to_numpy().tolist() == [
        [100_000, 10_000]
    ]
    assert portfolio.projects["value"].to_list() == [100e6]
    assert portfolio.projects["duration"].to_list() == [3]
    headed = "Costs in TEUR,,\n" + spend.replace("amount", "amount (k€)")
    assert read(tmp_path, spend=headed).spend["amount"].to_list() == [12_500]


@pytest.mark.parametrize("title", ["Demand in hours", "Demand in FTE"])
def test_a_title_that_contradicts_a_heading_of_another_unit_is_refused(tmp_path, title):
    days = f"{title}\nproject,role,offset,Person days\nA,Dev,0,50\n"
    with pytest.raises(DataError, match=r"unit_in_title.*'Person days'"):
        read(tmp_path, demand=days)
    same = days.replace(title, "Demand in person days")
    assert "unit_in_title" not in set(read(tmp_path, demand=same).problems["rule"])
