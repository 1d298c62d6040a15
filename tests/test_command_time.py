"""What reading leaves of `--seconds`."""

from __future__ import annotations

import pytest

from pmo_analytics.cli import command


@pytest.mark.parametrize(
    ("read", "left"),
    [
        (0.5, 30.0),  # not worth speaking of
        (6.0, 24.0),  # the command ends in time
        (100.0, 15.0),  # a search gets half of it all the same
    ],
)
def test_reading_counts_where_it_takes_long(read, left, monkeypatch):
    monkeypatch.setattr(command.time, "monotonic", lambda: 100.0 + read)
    assert command.seconds_left(30.0, 100.0) == left
