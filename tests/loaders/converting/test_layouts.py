"""Wide tables, hours and person-days, periods and offsets; worked by hand."""

from __future__ import annotations

import pytest

from pmo_analytics.errors import DataError
from pmo_analytics.loaders.converting.layouts import infer_freq
from tests.support.folders import HORIZON, make_folder, read_quietly, said

MONTHS = ",".join(f"2027-{m:02d}" for m in range(1, 7))
CAPACITY = f"role,{MONTHS}\nDev,9,9,9,9,9,9\nTest,9,9,9,9,9,9\n"
PROJECTS = "project,status,duration,start\nP1,running,3,2026-12\nP2,idea,2,2027-03\n"
MONTH = 40 * 52.1775 / 12  # 173.925 hours


def demand(tmp_path, text: str, toml: str = HORIZON) -> list[list[object]]:
    folder = make_folder(
        tmp_path,
        {"projects": PROJECTS, "capacity": CAPACITY, "demand": text},
        toml=toml,
    )
    frame = read_quietly(folder).demand
    return frame[["project", "role", "offset", "fte"]].to_numpy().tolist()


LONG = [["P1", "Dev", 0, 1.0], ["P1", "Dev", 2, 0.5], ["P2", "Test", 1, 2.0]]


@pytest.mark.parametrize(
    "text",
    [
        "project,role,offset,fte\nP1,Dev,0,1\nP1,Dev,2,0.5\nP2,Test,1,2\n",
        "project,role,period,fte\nP1,Dev,2026-12,1\nP1,Dev,2027-02,0.5\n"
        "P2,Test,2027-04,2\n",
        "project,role,date,fte\nP1,Dev,2026-12-31,1\nP1,Dev,2027-02-01,0.5\n"
        "P2,Test,2027-04-15,2\n".replace("date", "month"),
        "项目;角色;期间;FTE\nP1;Dev;2026年12月;1\nP1;Dev;2027年2月;0,5\nP2;Test;2027/4;2\n",
        "project,role,0,1,2\nP1,Dev,1,0,0.5\nP2,Test,,2,\n",
        "project,role,+0,+1,+2\nP1,Dev,1,,0.5\nP2,Test,,2,\n",
        "project,role,2026-12,2027-01,2027-02,2027-03,2027-04\n"
        "P1,Dev,1,,0.5,0,\nP2,Test,0,,,,2\n",
        "project,role,Dec 2026,Feb-27,2027年4月,Total\nP1,Dev,1,0.5,,1.5\n"
        "P2,Test,,,2,2\n",
        "project,offset,Dev,Test\nP1,0,1,\nP1,2,0.5,0\nP2,1,,2\n",
        "project,period,Dev,Test\nP1,2026-12,1,\nP1,2027-02,0.5,0\nP2,2027-04,,2\n",
    ],
)
def test_every_layout_of_demand_means_the_same(tmp_path, text):
    assert demand(tmp_path, text) == LONG


def test_a_period_beside_offsets_is_a_remark(tmp_path):
    rows = demand(tmp_path, "project,role,offset,period,fte\nP1,Dev,0,2027-05,1\n")
    assert rows == [["P1", "Dev", 0, 1.0]]


@pytest.mark.parametrize(
    "text",
    [
        f"role,{MONTHS}\nDev,1,2,3,4,5,6\nTest,0,0,0,0,0,1.5\n",
        "period,Dev,Test\n"
        + "".join(f"2027-{m:02d},{m},{1.5 if m == 6 else 0}\n" for m in range(1, 7)),
        "period,role,fte\n"
        + "".join(
            f"2027-{m:02d},Dev,{m}\n2027-{m:02d},Test,{1.5 if m == 6 else 0}\n"
            for m in range(1, 7)
        ),
    ],
)
def test_every_layout_of_capacity_means_the_same(tmp_path, text):
    grid = read_quietly(make_folder(tmp_path, {"capacity": text})).capacity
    assert grid["Dev"].to_list() == [1, 2, 3, 4, 5, 6]
    assert grid["Test"].to_list() == [0, 0, 0, 0, 0, 1.5]


def test_wide_rows_keep_their_row_of_the_file(tmp_path):
    portfolio = read_quietly(make_folder(tmp_path, {"capacity": CAPACITY}))
    assert portfolio.sources["capacity"]["row"].to_list() == [2] * 6 + [3] * 6
    assert "wide_layout" in said(portfolio)


@pytest.mark.parametrize(
    ("text", "loads", "capacities"),
    [
        ("period,Dev\n2026-11,2\n2026-12,3\n", [2, 3], [None, None]),
        ("role,2026-11,2026-12\nDev,2,3\n", [2, 3], [None, None]),
        ("role,kind,2026-11,2026-12\nDev,项目,2,3\n", [2, 3], [None, None]),
        (
            "role,measure,2026-11,2026-12\nDev,load,2,3\nDev,capacity,4,5\n",
            [2, 3],
            [4, 5],
        ),
        ("角色,指标,2026-11,2026-12\nDev,负荷,2,\nDev,产能,,5\n", [2, None], [None, 5]),
        (
            "period,role,capacity,load\n2026-11,Dev,4,2\n2026-12,Dev,5,3\n",
            [2, 3],
            [4, 5],
        ),
    ],
)
def test_every_layout_of_history(tmp_path, text, loads, capacities):
    history = read_quietly(make_folder(tmp_path, {"history": text}, toml="")).history
    assert history["period"].astype(str).to_list() == ["2026-11", "2026-12"]
    for column, values in (("load_fte", loads), ("capacity_fte", capacities)):
        cells = history[column].astype(object).where(history[column].notna(), None)
        assert cells.to_list() == values


@pytest.mark.parametrize(
    ("heading", "cell", "fte"),
    [
        ("fte", "1", 1.0),
        ("hours", f"{MONTH}", 1.0),
        ("工时", "86.9625", 0.5),
        ("person_days", "21.740625", 1.0),  # 173.925 / 8
        ("人天", "10", 80 / MONTH),
        ("person weeks", "1", 40 / MONTH),
        ("人月", "1.5", 1.5),
        ("Demand (h)", "160", 160 / MONTH),
        ("fte %", "50", 0.5),
        ("fte", "50%", 0.5),
    ],
)
def test_units_become_fte(tmp_path, heading, cell, fte):
    rows = demand(tmp_path, f"project,role,offset,{heading}\nP1,Dev,0,{cell}\n")
    assert rows[0][3] == pytest.approx(fte, rel=1e-12)


def test_hours_use_the_week_that_is_declared(tmp_path):
    toml = HORIZON.replace('"M"', '"W"').replace("2027-01", "2027-W01")
    toml += "[calendar]\nhours_per_week = 35\n"
    folder = make_folder(
        tmp_path,
        {
            "capacity": "period,role,hours\n"
            + "".join(f"2027-W{w:02d},Dev,70\n" for w in range(1, 7))
        },
        toml=toml,
    )
    portfolio = read_quietly(folder)
    assert portfolio.capacity["Dev"].to_list() == [2.0] * 6
    found = portfolio.problems.set_index("rule")
    assert found.at["converted_to_fte", "found"] == "hours"
    assert "35 hours" in found.at["converted_to_fte", "fix"]


def test_a_unit_column_says_it_row_by_row(tmp_path):
    rows = demand(
        tmp_path,
        "project,role,offset,fte,unit\n"
        "P1,Dev,0,1,FTE\nP1,Dev,1,160,小时\nP2,Dev,0,10,人天\n",
    )
    assert [row[3] for row in rows] == pytest.approx([1.0, 160 / MONTH, 80 / MONTH])


def test_history_in_hours_and_people_by_weekly_hours(tmp_path):
    folder = make_folder(
        tmp_path,
        {
            "history": "period,role,capacity_hours,实际工时\n"
            "2026-12,Dev,347.85,173.925\n",
            "people": "姓名,角色,周工时\n张伟,Dev,40\n李娜,Dev,20\n",
            "operations": "role,person days\nDev,2\n",
        },
    )
    portfolio = read_quietly(folder)
    assert portfolio.history["capacity_fte"].to_list() == pytest.approx([2.0])
    assert portfolio.history["load_fte"].to_list() == pytest.approx([1.0])
    assert portfolio.people["fte"].to_list() == [1.0, 0.5]
    assert portfolio.operations["fte"].to_list() == pytest.approx([16 / MONTH])
    converted = portfolio.problems[portfolio.problems["rule"] == "converted_to_fte"]
    assert sorted(converted["table"]) == ["history", "history", "operations", "people"]


@pytest.mark.parametrize(
    ("texts", "freq"),
    [
        (["2026-11", "2026-12"], "M"),
        (["2026-W01"], "W"),
        (["2026Q4"], "Q"),
        (["2025", "2026"], "Y"),
        (["2026-11-01", "2026-12-01"], "M"),
        (["2026-11-02", "2026-11-09", "2026-11-23"], "W"),
        (["2026-01-01", "2026-04-01"], ""),
        (["2026-11-01"], ""),
        (["2026-11", "2026Q4"], ""),
        ([], ""),
    ],
)
def test_the_form_of_periods_tells_the_frequency(texts, freq):
    assert infer_freq(texts) == freq


def test_a_history_needs_no_horizon(tmp_path):
    text = "period,role,load_fte\n2026-W50,Dev,2\n2026-W53,Dev,3\n"
    portfolio = read_quietly(make_folder(tmp_path, {"history": text}, toml=""))
    assert str(portfolio.horizon[0]) == "2027-01-04/2027-01-10"
    assert len(portfolio.horizon) == 12


@pytest.mark.parametrize(
    ("text", "toml", "rule"),
    [
        ("project,role,2027-03,2027-03-15\nP2,Dev,1,1\n", HORIZON, "duplicate_column"),
        ("project,role,2027,2028\nP2,Dev,1,1\n", HORIZON, "not_a_period"),
        ("project,role,01/02/2027,01/03/2027\nP2,Dev,1,1\n", HORIZON, "ambiguous_date"),
        ("project,role,period,fte\nP2,Dev,soon,1\n", HORIZON, "not_a_period"),
        ("project,role,period,fte\nP2,Dev,,1\n", HORIZON, "missing_value"),
        ("project,role,offset,fte,unit\nP2,Dev,0,1,bags\n", HORIZON, "unknown_unit"),
    ],
)
def test_layouts_that_cannot_be_understood(tmp_path, text, toml, rule):
    with pytest.raises(DataError, match=rule) as caught:
        demand(tmp_path, text, toml)
    errors = caught.value.problems
    assert list(errors.loc[errors["severity"] == "error", "rule"]) == [rule]


def test_a_declared_order_reads_dates_in_headings(tmp_path):
    rows = demand(
        tmp_path,
        "project,role,01/03/2027,01/04/2027\nP2,Dev,1,2\n",
        HORIZON + "[files]\ndayfirst = true\n",
    )
    assert rows == [["P2", "Dev", 0, 1.0], ["P2", "Dev", 1, 2.0]]


@pytest.mark.parametrize(
    ("text", "toml", "message"),
    [
        ("period,role,load_fte\n2026-11-30,Dev,2\n", "", "Declare .horizon. freq"),
        ("period,role,load_fte\n2026-11,Dev,2\n2026-13,Dev,2\n", "", "no month 13"),
        ("role,measure,2026-11,2026-12\nDev,laod,2,3\n", "", "did you mean 'load'"),
        ("period,role,load_fte\n", "", "missing_horizon"),
    ],
)
def test_histories_that_cannot_be_understood(tmp_path, text, toml, message):
    with pytest.raises(DataError, match=message):
        read_quietly(make_folder(tmp_path, {"history": text}, toml=toml))


def test_a_frequency_may_be_declared_for_a_history(tmp_path):
    text = "period,role,load_fte\n2026-10-05,Dev,2\n2026-11-30,Dev,2\n"
    toml = "[horizon]\nfreq = 'M'\nperiods = 3\n"
    portfolio = read_quietly(make_folder(tmp_path, {"history": text}, toml=toml))
    assert portfolio.horizon.astype(str).to_list() == ["2026-12", "2027-01", "2027-02"]


def test_people_with_a_share_and_weekly_hours(tmp_path):
    text = "person,role,share,weekly hours\nAnn,Dev,0.5,20\n"
    with pytest.raises(DataError, match="two_units"):
        read_quietly(make_folder(tmp_path, {"people": text}))


def test_capacity_with_a_misspelled_column_is_no_grid(tmp_path):
    text = "period,role,ftee\n2027-01,Dev,1\n"
    with pytest.raises(DataError, match=r"misspelled_column.* capacity.csv.*'fte'"):
        read_quietly(make_folder(tmp_path, {"capacity": text, "projects": PROJECTS}))


def test_misspelled_headings_are_not_taken_for_roles(tmp_path):
    text = "period,capcity_fte,load_fet\n2026-12,1,2\n"
    with pytest.raises(DataError, match="misspelled_column"):
        read_quietly(make_folder(tmp_path, {"history": text}, toml=""))
