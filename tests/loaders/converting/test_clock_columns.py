"""Times of day: zones, ends at midnight and half days; worked by hand."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmo_analytics.loaders.cells.dates import Clock
from pmo_analytics.loaders.converting.clock_columns import settle_clocks
from pmo_analytics.loaders.findings import Place
from pmo_analytics.loaders.understanding.tidy import Tidy
from tests.support.folders import HORIZON, make_folder, read_quietly, said

PROJECTS = "project,value,duration\nA,1,1\n"
DEMAND = "project,role,offset,fte\nA,Dev,0,0.1\n"
PEOPLE = "person,role,fte\nP,Dev,1\n"


def spans(start: str, end: str, table: str = "absences") -> list[tuple[str, ...]]:
    """Return the spans of days that a row of ISO times becomes."""
    tidy = Tidy(Place(table, "x.csv"), {"start": [], "end": []}, [2])
    for name, text in (("start", start), ("end", end)):
        day, _, time = text.partition(" ")
        hours, _, minutes = time.partition(":")
        tidy.columns[name].append(day)
        clock = Clock(int(hours) * 3600 + int(minutes) * 60) if time else None
        tidy.clocks[name] = [clock]
    settle_clocks(tidy, "", 40)
    shares = tidy.columns.get("share", [1.0] * len(tidy.rows))
    columns = tidy.columns["start"], tidy.columns["end"], shares
    return [
        (a[8:], b[8:], 1.0 if share is None else share)
        for a, b, share in zip(*columns, strict=True)
    ]


MON, TUE, WED = "2027-07-05", "2027-07-06", "2027-07-07"


@pytest.mark.parametrize(
    ("start", "end", "wanted"),
    [
        (MON, TUE, [("05", "06", 1.0)]),
        (f"{MON} 00:00", f"{TUE} 00:00", [("05", "05", 1.0)]),
        (f"{MON} 00:00", f"{MON} 24:00", [("05", "05", 1.0)]),
        (f"{MON} 00:00", f"{MON} 00:00", [("05", "05", 1.0)]),
        (f"{MON} 00:00", f"{MON} 23:59", [("05", "05", 1.0)]),
        (f"{MON} 09:00", f"{MON} 17:00", [("05", "05", 1.0)]),
        (f"{MON} 08:00", f"{MON} 17:00", [("05", "05", 1.0)]),
        (f"{MON} 13:00", f"{MON} 17:00", [("05", "05", 0.5)]),
        (f"{MON} 08:00", f"{MON} 12:00", [("05", "05", 0.5)]),
        (f"{MON} 10:00", f"{MON} 12:00", [("05", "05", 0.25)]),
        (f"{MON} 00:00", f"{MON} 12:00", [("05", "05", 0.5)]),
        (f"{MON} 13:00", f"{TUE} 00:00", [("05", "05", 0.5)]),
        (f"{MON} 13:00", f"{TUE} 17:00", [("05", "05", 0.5), ("06", "06", 1.0)]),
        (
            f"{MON} 12:00",
            f"{WED} 12:00",
            [("05", "05", 0.5), ("06", "06", 1.0), ("07", "07", 0.5)],
        ),
        (f"{MON} 08:00", f"{WED} 17:00", [("05", "07", 1.0)]),
        (f"{MON} 17:00", f"{WED} 09:00", [("06", "06", 1.0)]),
        (MON, f"{TUE} 12:00", [("05", "05", 1.0), ("06", "06", 0.5)]),
    ],
)
def test_an_absence_takes_the_days_it_lasts(start, end, wanted):
    assert spans(start, end) == wanted


@settings(deadline=None)
@given(st.integers(1, 20), st.integers(0, 23), st.integers(0, 23), st.integers(0, 6))
def test_an_absence_is_never_more_than_its_days(day, begin, end, length):
    last = day + length
    pieces = spans(f"2027-07-{day:02d} {begin}:00", f"2027-07-{last:02d} {end}:00")
    days = [
        (d, share)
        for a, b, share in pieces
        for d in range(int(a), max(int(b), int(a)) + 1)
    ]
    assert len({d for d, _ in days}) == len(days)
    assert all(day <= d <= last and 0 <= share <= 1 for d, share in days)
    inner = [share for d, share in days if day < d < last]
    assert inner == [1.0] * max(length - 1, 0)


TABLES = {
    "absences": "person,start,end\nP,{},{}\n",
    "people": "person,role,start,end\nP,Dev,{},{}\n",
    "operations": "role,fte,start,end\nDev,0.1,{},{}\n",
    "bookings": "person,project,role,fte,start,end\nP,A,Dev,0.1,{},{}\n",
    "blackouts": "project,start,end\nA,{},{}\n",
    "budget": "budget,amount,start,end\nx,5,{},{}\n",
}


@pytest.mark.parametrize("table", sorted(TABLES))
def test_an_end_at_midnight_is_the_day_before(tmp_path, table):
    text = TABLES[table].format("2027-02-01T00:00:00", "2027-03-01T00:00:00")
    files = {"projects": PROJECTS, "demand": DEMAND, "people": PEOPLE} | {table: text}
    portfolio = read_quietly(make_folder(tmp_path, files))
    end = portfolio.tables[table]["end"].iloc[0]
    wanted = "2027-02" if table in ("blackouts", "budget") else "2027-02-28"
    assert str(end).startswith(wanted)
    assert "end_at_midnight" in said(portfolio)


@pytest.mark.parametrize(
    ("finish", "duration"),
    [
        ("2027-02-01 00:00", 1),
        ("2027-02-01 12:00 AM", 1),
        ("2/1/2027 12:00 AM", 1),
        ("01.02.2027 0:00", 1),
        ("2027-02-01", 2),
        ("2027-02-01 17:00", 2),
        ("2027-01-31 24:00", 1),
    ],
)
def test_a_finish_at_midnight(tmp_path, finish, duration):
    toml = HORIZON + "[files]\ndayfirst = false\n" if "/" in finish else HORIZON
    text = f"project,value,start,finish\nA,1,2027-01-01 00:00,{finish}\n"
    portfolio = read_quietly(make_folder(tmp_path, {"projects": text}, toml=toml))
    assert portfolio.projects["duration"].to_list() == [duration]


@pytest.mark.parametrize(
    ("calendar", "start", "duration", "rule"),
    [
        ("timezone = 'Europe/Berlin'", "2027-03", 3, "time_zone_moved"),
        ("country = 'DE-BY'", "2027-03", 3, "time_zone_moved"),
        ("country = 'US'", "2027-02", 4, "time_zone_dropped"),
        ("", "2027-02", 4, "time_zone_dropped"),
    ],
)
def test_instants_are_moved_to_the_zone_of_the_portfolio(
    tmp_path, calendar, start, duration, rule
):
    text = (
        "project,value,start,finish\n"
        "A,1,2027-02-28T23:00:00Z,2027-05-31T22:00:00+00:00\n"
    )
    toml = HORIZON + f"[calendar]\n{calendar}\n"
    portfolio = read_quietly(make_folder(tmp_path, {"projects": text}, toml=toml))
    assert str(portfolio.projects["start"].iloc[0]) == start
    assert portfolio.projects["duration"].to_list() == [duration]
    assert rule in said(portfolio)


def test_days_in_utc_are_days(tmp_path):
    text = "project,value,duration,start\nA,1,1,2027-03-01T00:00:00.000Z\n"
    toml = HORIZON + "[calendar]\ntimezone = 'America/New_York'\n"
    portfolio = read_quietly(make_folder(tmp_path, {"projects": text}, toml=toml))
    assert str(portfolio.projects["start"].iloc[0]) == "2027-03"
    assert "time_zone_dropped" in said(portfolio)


def workbook(path: Path, *rows: tuple[object, ...]) -> Path:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    sheet.title = "portfolio"
    for row in (("start", "2027-07"), ("periods", 1), ("freq", "M")):
        sheet.append(row)
    tables = {
        "projects": [("project", "value", "duration"), ("A", 1, 1)],
        "demand": [("project", "role", "offset", "fte"), ("A", "Dev", 0, 0.1)],
        "people": [("person", "role", "fte"), ("P", "Dev", 1)],
        "absences": [("person", "start", "end"), *rows],
    }
    for name, cells in tables.items():
        other = book.create_sheet(name)
        for row in cells:
            other.append(row)
    book.save(path)
    return path


def test_times_of_a_workbook(tmp_path):
    day = dt.datetime(2027, 7, 5)
    path = workbook(
        tmp_path / "a.xlsx",
        ("P", day, dt.datetime(2027, 7, 6)),  # until midnight, as the next row shows
        ("P", day.replace(day=7, hour=13), day.replace(day=7, hour=17)),
        ("P", day.replace(day=8, hour=13), day.replace(day=9)),
    )
    portfolio = read_quietly(path)
    assert portfolio.absences["end"].dt.day.to_list() == [5, 7, 8]
    assert portfolio.absences["share"].to_list() == [1.0, 0.5, 0.5]
    assert {"end_at_midnight", "half_days"} <= said(portfolio)


def test_a_workbook_that_shows_midnight_means_it(tmp_path):
    day = dt.datetime(2027, 7, 5)
    path = workbook(tmp_path / "a.xlsx", ("P", day, dt.datetime(2027, 7, 6)))
    portfolio = read_quietly(path)
    assert portfolio.absences["end"].dt.day.to_list() == [5]
    assert "end_at_midnight" in said(portfolio)
    path = workbook(tmp_path / "b.xlsx", ("P", day, day))
    portfolio = read_quietly(path)
    assert portfolio.absences["end"].dt.day.to_list() == [5]
    assert "clock_dropped" in said(portfolio)


def test_whole_months_at_midnight_are_days(tmp_path):
    # As pandas writes days into a workbook: every one of them at 0:00.
    text = (
        "person,role,start,end,fte\n"
        "P,Dev,2027-01-01 00:00,2027-06-30 00:00,1\n"
        "Q,Dev,2027-02-10 00:00,2027-03-15 00:00,1\n"
    )
    files = {"projects": PROJECTS, "demand": DEMAND, "people": text}
    portfolio = read_quietly(make_folder(tmp_path / "months", files))
    assert portfolio.people["end"].astype(str).tolist() == ["2027-06-30", "2027-03-15"]
    assert "clock_dropped" in said(portfolio)
    assert "end_at_midnight" not in said(portfolio)


def test_plain_days_of_a_workbook_are_whole_and_nothing_is_said(tmp_path):
    path = workbook(
        tmp_path / "a.xlsx", ("P", dt.date(2027, 7, 5), dt.date(2027, 7, 6))
    )
    portfolio = read_quietly(path)
    assert portfolio.absences["end"].to_list() == [pd.Timestamp("2027-07-06")]
    assert said(portfolio) == set()


def test_office_hours_of_projects_and_bookings_are_nothing_to_say(tmp_path):
    text = "person,project,role,fte,start,end\nP,A,Dev,0.1,{} 08:00,{} 17:00\n"
    files = {"projects": PROJECTS, "demand": DEMAND, "people": PEOPLE}
    files["bookings"] = text.format("2027-02-01", "2027-02-03")
    assert said(read_quietly(make_folder(tmp_path / "a", files))) == set()
    files["bookings"] = text.replace("08:00", "13:00").format(
        "2027-02-01", "2027-02-01"
    )
    assert "clock_dropped" in said(read_quietly(make_folder(tmp_path / "b", files)))


def test_people_who_leave_on_the_last_day_of_a_month_at_midnight(tmp_path):
    # As writers of workbooks show days: the last day is worked.
    rows = "person,role,end\nP,Dev,2027-06-30 00:00\nQ,Dev,2027-03-15 00:00\n"
    files = {"projects": PROJECTS, "demand": DEMAND, "people": rows}
    portfolio = read_quietly(make_folder(tmp_path / "last", files))
    assert portfolio.people["end"].astype(str).tolist() == ["2027-06-30", "2027-03-15"]
    files["people"] = rows.replace("06-30", "07-01")
    portfolio = read_quietly(make_folder(tmp_path / "first", files))
    assert portfolio.people["end"].astype(str).tolist() == ["2027-06-30", "2027-03-14"]


def test_bookings_until_the_last_day_of_a_month_at_midnight(tmp_path):
    rows = (
        "person,project,role,start,end,fte\n"
        "P,A,Dev,2027-01-15 00:00,2027-03-31 00:00,0.5\n"
    )
    files = {"projects": PROJECTS, "demand": DEMAND, "people": PEOPLE, "bookings": rows}
    portfolio = read_quietly(make_folder(tmp_path, files))
    assert portfolio.bookings["end"].astype(str).tolist() == ["2027-03-31"]
