"""Result tables as a workbook, read back with a reader that is not the writer."""

from __future__ import annotations

import zipfile
from datetime import date, datetime

import numpy as np
import openpyxl
import pandas as pd
import pytest
import python_calamine

from pmo_analytics.errors import ConfigError
from pmo_analytics.loaders.writing.workbook import MAX_SHEET_ROWS
from pmo_analytics.reporting import workbook
from pmo_analytics.reporting.workbook import write_workbook


@pytest.fixture
def forecast():
    periods = pd.period_range("2027-01", periods=2, freq="M")
    return pd.DataFrame(
        {
            "role": ["Developer", '=HYPERLINK("http://x")'],
            "period": periods,
            "mean": [1.25, -0.5],
            "p_overload": [0.004, np.nan],
            "late": [True, False],
            "count": [3, 4],
        }
    )


def sheet_of(path, name):
    return openpyxl.load_workbook(path)[name]


def test_values_come_back(tmp_path, forecast):
    path = tmp_path / "out.xlsx"
    write_workbook(path, {"forecast.csv": forecast})
    book = python_calamine.load_workbook(str(path))
    assert book.sheet_names == ["forecast"]
    assert book.get_sheet_by_name("forecast").to_python() == [
        ["role", "period", "mean", "chance of overload", "late", "count"],
        ["Developer", date(2027, 1, 1), 1.25, 0.004, True, 3.0],
        ['=HYPERLINK("http://x")', date(2027, 2, 1), -0.5, "", False, 4.0],
    ]


def test_nothing_is_a_formula(tmp_path, forecast):
    path = tmp_path / "out.xlsx"
    table = forecast.rename(columns={"role": "=1+1"})
    write_workbook(path, {"=cmd": table, "a[1]:*?/\\": table.tail(1)})
    for sheet in openpyxl.load_workbook(path):
        assert {c.data_type for row in sheet.rows for c in row} <= {"s", "n", "b", "d"}
    with zipfile.ZipFile(path) as parts:
        sheets = [n for n in parts.namelist() if n.startswith("xl/worksheets/")]
        assert len(sheets) == 2
        assert not any(b"<f>" in parts.read(name) for name in sheets)


def test_header_stays_in_sight_and_numbers_are_formatted(tmp_path, forecast):
    path = tmp_path / "out.xlsx"
    write_workbook(path, {"forecast": forecast})
    sheet = sheet_of(path, "forecast")
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:F3"
    assert all(cell.font.bold for cell in sheet[1])
    assert [sheet.cell(2, c).number_format for c in (3, 4, 6)] == [
        "#,##0.00",
        "0.0%",
        "#,##0",
    ]
    widths = {k: d.width for k, d in sheet.column_dimensions.items()}
    assert widths["A"] >= len('=HYPERLINK("http://x")')
    assert widths["D"] >= len("chance of overload")


def test_months_are_dates_and_sheets_print_across(tmp_path, forecast):
    path = tmp_path / "out.xlsx"
    write_workbook(path, {"forecast": forecast})
    sheet = sheet_of(path, "forecast")
    assert sheet["B2"].is_date
    assert sheet["B2"].number_format == "yyyy-mm"
    assert sheet.page_setup.orientation == "landscape"
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert (sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) == (1, 0)
    assert sheet.print_title_rows == "$1:$1"


def test_the_first_sheet_says_what_it_is_about(tmp_path, forecast):
    path = tmp_path / "out.xlsx"
    facts = {"Portfolio": "=evil()", "objective": 1234567.5}
    write_workbook(path, {"summary.csv": forecast}, summary=facts)
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["Summary", "summary (2)"]
    rows = dict(book["Summary"].values)
    assert rows["Portfolio"] == "=evil()"
    assert book["Summary"]["B2"].data_type == "s"
    assert rows["objective"] == "1,234,567.50"
    assert rows["Sheet summary (2)"] == "2 rows"


@pytest.mark.parametrize(
    ("start", "freq", "written"),
    [("2027-02-01", "W-SUN", "2027-W05"), ("2027Q1", "Q-MAR", "2027Q1")],
)
def test_periods_are_text_that_the_loaders_read(tmp_path, start, freq, written):
    period = pd.Period(start, freq=freq)
    table = pd.DataFrame({"period": [period, pd.NaT], "n": [1, 2]})
    mixed = table.assign(period=pd.Series([period, None], dtype=object))
    write_workbook(tmp_path / "out.xlsx", {"own": table, "objects": mixed})
    for name in ("own", "objects"):
        sheet = sheet_of(tmp_path / "out.xlsx", name)
        assert [row[0].value for row in sheet.rows] == ["period", written, None]
        assert sheet["A2"].data_type == "s"


def test_times_infinities_and_odd_texts(tmp_path):
    table = pd.DataFrame(
        {
            "day": pd.to_datetime(["2027-01-31", "2027-02-28"]),
            "made_at": pd.to_datetime(["2027-01-31 12:30", None]).tz_localize("UTC"),
            "utilization": [np.inf, 1.25],
            "text": ["bell\x07", "长" * 40_000],
        }
    )
    path = tmp_path / "out.xlsx"
    write_workbook(path, {"t": table})
    first, second = sheet_of(path, "t").iter_rows(min_row=2)
    assert str(first[0].value) == "2027-01-31 00:00:00"
    assert first[0].number_format == "yyyy-mm-dd"
    assert str(first[1].value) == "2027-01-31 12:30:00"
    assert second[1].value is None
    assert first[2].value == "∞"
    assert first[3].value == "bell\N{REPLACEMENT CHARACTER}"
    assert len(second[3].value) == 32_767


def test_names_of_sheets_fit_and_differ(tmp_path):
    table = pd.DataFrame({"a": [1]})
    names = ["Forecast.csv", "forecast", "x" * 40 + "1", "x" * 40 + "2", "'", "a/b"]
    write_workbook(tmp_path / "out.xlsx", dict.fromkeys(names, table))
    sheets = openpyxl.load_workbook(tmp_path / "out.xlsx").sheetnames
    assert sheets[:2] == ["Forecast", "forecast (2)"]
    assert sheets[4:] == ["table", "a b"]
    assert len({name.casefold() for name in sheets}) == 6
    assert max(map(len, sheets)) <= 31


def test_an_empty_table_keeps_its_header(tmp_path):
    write_workbook(tmp_path / "out.xlsx", {"t": pd.DataFrame(columns=["role", "fte"])})
    rows = list(sheet_of(tmp_path / "out.xlsx", "t").values)
    assert rows == [("role", "FTE")]


def test_what_cannot_be_written_is_refused_and_the_old_file_stays(tmp_path):
    path = tmp_path / "out.xlsx"
    path.write_text("old")
    long = pd.DataFrame({"a": np.zeros(MAX_SHEET_ROWS + 1, dtype=np.int8)})
    with pytest.raises(ConfigError, match=r"'backtest.csv' has 1,048,576 rows"):
        write_workbook(path, {"backtest.csv": long})
    with pytest.raises(ConfigError, match="at least one table"):
        write_workbook(path, {})
    assert path.read_text() == "old"
    with pytest.raises(ConfigError, match="Cannot write"):
        write_workbook(path / "below" / "out.xlsx", {"a": long.head(1)})
    assert [p.name for p in tmp_path.iterdir()] == ["out.xlsx"]


def test_long_tables_stay_out_and_the_first_sheet_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(workbook, "_MOST_ROWS", 2)
    tables = {
        "hires.csv": pd.DataFrame({"fte": [1.0, 2.0]}),
        "forecast.csv": pd.DataFrame({"fte": [1.0, 2.0, 3.0]}),
    }
    sheets, left_out = workbook.fitting(tables)
    assert list(sheets) == ["hires.csv"]
    path = tmp_path / "run.xlsx"
    write_workbook(path, sheets, summary={"roles": 3}, left_out=left_out)
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["Summary", "hires"]
    said = dict(book["Summary"].iter_rows(min_row=2, values_only=True))
    assert said["Not here 1"].startswith("forecast.csv has 3 rows, too many")


def test_projects_have_their_names_and_days_are_dates(tmp_path):
    schedule = pd.DataFrame({"project": ["CRM", "X"], "start": ["2027-02-01", None]})
    tables = {
        "schedule.csv": schedule,
        "trend": pd.DataFrame({"as_of": ["2026-12-31"], "red": [2]}),
        "named": pd.DataFrame({"project": ["CRM"], "name": ["Own"]}),
        "odd": pd.DataFrame({"text": ["2027-02-30", "2027-02-01"]}),
    }
    path = tmp_path / "out.xlsx"
    write_workbook(path, tables, names={"CRM": "Customer platform"})
    book = openpyxl.load_workbook(path)
    first, second = book["schedule"].iter_rows(min_row=2, values_only=True)
    assert first == ("CRM", "Customer platform", datetime(2027, 2, 1))
    assert second == ("X", None, None)
    assert book["schedule"].freeze_panes == "C2"
    assert book["trend"]["A2"].value == datetime(2026, 12, 31)
    assert [*book["named"].values] == [("project", "name"), ("CRM", "Own")]
    assert book["odd"]["A2"].value == "2027-02-30"
    # What was given stays as it is: the CSV files are written from it.
    assert list(schedule) == ["project", "start"]
