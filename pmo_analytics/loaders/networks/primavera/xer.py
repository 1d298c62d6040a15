"""Networks from the XER of Primavera P6, versions 6 to 23."""

from __future__ import annotations

from pathlib import Path

from pmo_analytics.loaders.networks.primavera.calendar_data import read_calendar_data
from pmo_analytics.loaders.networks.primavera.projects import networks_of
from pmo_analytics.loaders.networks.primavera.tables import P6File
from pmo_analytics.loaders.networks.primavera.xer_text import (
    XerText,
    parse_xer,
    read_xer_text,
)
from pmo_analytics.networks import Network


def read_xer(path: Path, source: str = "") -> list[Network]:
    """Return the projects of an XER, those of which it holds only a part included.

    The index of `tasks` is the activity id that people see in P6; `uid` keeps that of
    the database. Durations are the original ones, cost and work those at completion.

    Raises
    ------
    Unreadable
        If the file is no XER or too large.
    """
    name = source or path.name
    return networks_of(_file(read_xer_text(path, name), name))


def xer_networks(data: bytes, source: str) -> list[Network]:
    """Return the projects of the bytes of an XER; see `read_xer`."""
    return networks_of(_file(parse_xer(data, source), source))


def _file(text: XerText, source: str) -> P6File:
    file = P6File(
        source,
        text.tables,
        text.problems,
        version=text.header[0] if text.header else "",
        currency=text.header[7] if len(text.header) > 7 else "",
    )
    rows = file.rows("CALENDAR")
    for uid, cell in rows.records("clndr_id", "clndr_data"):
        if cell:
            file.calendars[uid] = read_calendar_data(cell)
    return file
