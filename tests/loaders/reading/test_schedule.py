"""schedule.csv comes back as text that the checker reads."""

from __future__ import annotations

import pytest

from pmo_analytics.errors import DataError
from pmo_analytics.loaders.reading.schedule import read_schedule


def test_a_schedule_is_read(tmp_path):
    path = tmp_path / "schedule.csv"
    path.write_text(
        "project,start,finish\nP1,2027-01,2027-03\n'=P2,2027/2,\n\n", encoding="utf-8"
    )
    rows = read_schedule(path)
    assert rows.to_dict("list") == {
        "project": ["P1", "=P2"],
        "start": ["2027-01", "2027-02"],
        "finish": ["2027-03", None],
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("project,begin\nP1,2027-01\n", "start is missing"),
        ("", "empty_file"),
        ("project,start\nP1,2027-01,x\n", "too_many_fields.*row 2"),
        ('project,start\n"P1,2027-01\n', "broken_quotes"),
    ],
)
def test_a_wrong_schedule_is_refused(tmp_path, text, message):
    path = tmp_path / "schedule.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read_schedule(path)


def test_a_missing_schedule_is_named(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read_schedule(tmp_path / "schedule.csv")
