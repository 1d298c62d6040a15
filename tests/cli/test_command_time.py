"""What reading and writing leave of `--seconds`."""

from __future__ import annotations

from pathlib import Path

import pytest

from pmo_analytics.cli import command


@pytest.mark.parametrize(
    ("read", "files", "left"),
    [
        (0.5, {"out": Path("x"), "charts": True}, 30.0),  # not worth speaking of
        (6.0, {"out": None, "charts": True}, 24.0),  # the command ends in time
        (100.0, {"out": None, "charts": True}, 18.0),  # most is for the search
    ],
)
def test_reading_counts_where_it_takes_long(read, files, left, monkeypatch):
    monkeypatch.setattr(command.time, "monotonic", lambda: 100.0 + read)
    assert command.seconds_left(30.0, 100.0, **files) == left


def test_time_is_kept_for_writing(monkeypatch):
    monkeypatch.setattr(command.time, "monotonic", lambda: 120.0)
    nothing, tables, all_ = (
        command.seconds_left(200.0, 100.0, out=out, charts=charts)
        for out, charts in [(None, True), (Path("x"), False), (Path("x"), True)]
    )
    assert 200.0 > nothing > tables > all_ > 120.0
