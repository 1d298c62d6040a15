"""New dates go into a file of Microsoft Project XML; everything else stays as it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pmo_analytics.errors import ConfigError, listing
from pmo_analytics.files import written_whole
from pmo_analytics.loaders.networks.mspdi.nested import NESTED
from pmo_analytics.loaders.networks.mspdi.reading import read_mspdi
from pmo_analytics.loaders.networks.mspdi.writing import xml_path
from pmo_analytics.loaders.networks.plain_xml import as_text
from pmo_analytics.networks import Network, WorkCalendar

_RECORD = re.compile(rb"<(Task|Assignment)>.*?</\1>", re.DOTALL)
_PHASE = re.compile(rb"<TimephasedData>.*?</TimephasedData>", re.DOTALL)
_INSIDE = re.compile(rb"<(?:" + "|".join(NESTED).encode() + rb")\b")
# Before which elements a delay goes where a task has none yet.
_BEHIND_DELAY = re.compile(
    rb"<(?:LevelingDelayFormat|PreLeveledStart|PreLeveledFinish|Hyperlink\w*|"
    rb"IgnoreResourceCalendar|Notes|HideBar|Rollup)>"
)
_Moves = Callable[[int], int]


def write_dates(network: Network, original: str | Path, path: str | Path) -> Path:
    """Write the dates of a network into a copy of the Microsoft Project XML it is from.

    Of tasks whose `start` or `finish` differ from the file, the dates change, those of
    their assignments and of time-phased work ahead, their levelling delay (elapsed time
    from the first moment that links allow), and the dates of summaries above. All else
    stays as it is in the file: custom fields, outline codes, rate tables, baselines,
    notes, views of the data that this package does not read.

    Parameters
    ----------
    network
        Of `read_networks(original)`, with other dates in `tasks`.
    original
        The file it was read from.
    path
        A name ending in .xml; what is there is replaced.

    Returns
    -------
    Path
        What was written.

    Raises
    ------
    ConfigError
        If the name does not end in .xml, the file is another one or cannot be written,
        or a task that has begun is to start at another time.
    """
    path, original = xml_path(path), Path(original)
    (before,) = read_mspdi(original)
    wanted = _wanted(before, network, original.name)
    moved = _changed(before.tasks, wanted)
    edits = _Edits(before, wanted, moved)
    data = _RECORD.sub(edits.of, original.read_bytes())
    data = _in_head(data, wanted)
    try:
        with written_whole(path) as (draft,):
            draft.write_bytes(data)
            _check(draft, wanted, original.name)
    except OSError as error:
        raise ConfigError(f"Cannot write to {path}: {error.strerror}.") from error
    return path


def _wanted(before: Network, network: Network, name: str) -> pd.DataFrame:
    """Return start and finish of each task, summaries around those below them."""
    tasks = before.tasks
    if set(tasks.index) != set(network.tasks.index):
        odd = sorted(set(tasks.index) ^ set(network.tasks.index))
        raise ConfigError(
            f"{name} and the network have other tasks: {listing(odd)}. Dates are "
            "written into the file that a network was read from."
        )
    wanted = network.tasks.loc[tasks.index, ["start", "finish"]].copy()
    begun = tasks["actual_start"].notna() & (wanted["start"] != tasks["start"])
    begun &= tasks["kind"] != "summary"
    if begun.any():
        raise ConfigError(
            f"Tasks that have begun cannot start at another time: "
            f"{listing(tasks.index[begun].tolist())}."
        )
    own = tasks["kind"] != "summary"
    moved = _changed(tasks[own], wanted[own])
    parents, above = tasks["parent"].to_dict(), set()
    for uid in moved:
        at = parents[uid]
        while at in parents and at not in above:
            above.add(at)
            at = parents[at]
    # From the lowest up: children come after what they lie in.
    for uid in [uid for uid in reversed(tasks.index) if uid in above]:
        below = wanted[(tasks["parent"] == uid) & (tasks["kind"] != "")]
        dated = tasks.loc[uid, ["start", "finish"]].notna().all()
        if len(below) and dated:
            wanted.loc[uid] = [below["start"].min(), below["finish"].max()]
    return wanted


def _changed(tasks: pd.DataFrame, wanted: pd.DataFrame) -> set[str]:
    """Return tasks with other dates than the file; a blank one stays."""
    differ = pd.Series(False, index=wanted.index)
    for name in ("start", "finish"):
        differ |= wanted[name].notna() & (wanted[name] != tasks[name])
    return set(wanted.index[differ])


class _Edits:
    """What becomes of the records of a file."""

    def __init__(self, before: Network, wanted: pd.DataFrame, moved: set[str]) -> None:
        self.before = before
        self.wanted = wanted
        self.moved = moved
        self.links = {
            str(uid): rows for uid, rows in before.links.groupby("task") if uid in moved
        }

    def of(self, found: re.Match[bytes]) -> bytes:
        """Return a record with its new dates."""
        record = found[0]
        uid = _cell(record, b"UID" if found[1] == b"Task" else b"TaskUID")
        if uid not in self.moved:
            return record
        if found[1] == b"Assignment":
            return self._assignment(record, uid)
        row, old = self.wanted.loc[uid], self.before.tasks.loc[uid]
        for name, tag in (("start", b"Start"), ("finish", b"Finish")):
            if pd.notna(row[name]):
                record = _put(record, tag, _time(row[name]))
                if old["manual"]:
                    record = _put(record, b"Manual" + tag, _time(row[name]))
        if old["kind"] != "summary" and not old["manual"]:
            record = self._delayed(record, uid)
        return record

    def _delayed(self, record: bytes, uid: str) -> bytes:
        """Return a task with the delay that keeps it at its new start."""
        start = self.wanted.at[uid, "start"]
        if pd.isna(start) or start == self.before.tasks.at[uid, "start"]:
            return record
        delay = max(0, _seconds(start) - self._allowed(uid))
        text = str(round(delay / 6)).encode()
        if _cell(record, b"LevelingDelay"):
            return _put(record, b"LevelingDelay", text)
        if not delay:
            return record
        inner = _INSIDE.search(record)
        end = inner.start() if inner else len(record) - len(b"</Task>")
        place = _BEHIND_DELAY.search(record, 0, end)
        at = place.start() if place else end
        added = b"<LevelingDelay>" + text + b"</LevelingDelay>"
        return record[:at] + added + record[at:]

    def _allowed(self, uid: str) -> int:
        """Return the first moment at which links and constraints let a task start."""
        tasks = self.before.tasks
        row = tasks.loc[uid]
        clock = self.before.clock(str(row["calendar"]))
        first = self.before.start
        first = tasks["start"].min() if pd.isna(first) else first
        allowed = _seconds(first)
        if row["constraint"] == "start_no_earlier" and pd.notna(row["constraint_date"]):
            allowed = max(allowed, _seconds(row["constraint_date"]))
        length = round(float(np.nan_to_num(row["duration_h"])) * 3600)
        for link in self.links.get(uid, pd.DataFrame()).to_dict("records"):
            if link["requires"] not in tasks.index:
                continue
            end = "finish" if link["kind"][0] == "F" else "start"
            time = self.wanted.at[link["requires"], end]
            if pd.isna(time):
                continue
            at = _lagged(clock, _seconds(time), link)
            if link["kind"][1] == "F":
                at = clock.add(at, -length)
            allowed = max(allowed, at)
        return clock.next_work(allowed) if clock.works else allowed

    def _assignment(self, record: bytes, uid: str) -> bytes:
        """Return an assignment whose work ahead moves with its task."""
        moves = self._moves(uid, _cell(record, b"ResourceUID"))
        if moves is None:
            return record

        def phase(found: re.Match[bytes]) -> bytes:
            part = found[0]
            return _moved(part, moves) if _cell(part, b"Type") == "1" else part

        inner = _INSIDE.search(record)
        end = inner.start() if inner else len(record)
        head = _moved(record[:end], moves)
        return head + _PHASE.sub(phase, record[end:])

    def _moves(self, uid: str, resource: str) -> _Moves | None:
        """Return where a time of a task's work goes; None where that is not known.

        Times keep their distance from the start in working time, and none lies behind
        the new finish.
        """
        old, new = self.before.tasks.loc[uid], self.wanted.loc[uid]
        if old[["start", "finish"]].isna().any() or new.isna().any():
            return None
        resources = self.before.resources
        own = str(old["calendar"])
        theirs = str(resources["calendar"].get(resource) or own)
        if own and old["ignore_resource_calendar"]:
            theirs = own
        clock = self.before.clock(theirs, within=own)
        begin, end = _seconds(old["start"]), _seconds(old["finish"])
        first, last = _seconds(new["start"]), _seconds(new["finish"])

        def moves(time: int) -> int:
            if time >= end:
                return last + time - end
            if first == begin:
                return min(time, last)
            worked = clock.between(begin, time)
            at = clock.add(first, worked) if worked else first + time - begin
            return max(first, min(at, last))

        return moves


def _lagged(clock: WorkCalendar, time: int, link: dict[str, Any]) -> int:
    seconds = round(float(np.nan_to_num(link["lag_h"])) * 3600)
    if "elapsed" in link["lag_unit"]:
        return time + seconds
    return clock.add(time, seconds)


def _moved(part: bytes, moves: _Moves) -> bytes:
    """Return a record with start and finish where they go."""
    for tag in (b"Start", b"Finish"):
        time = pd.to_datetime(_cell(part, tag), errors="coerce")
        if pd.notna(time):
            at = np.datetime64(moves(_seconds(time)), "s")
            part = _put(part, tag, _time(pd.Timestamp(at)))
    return part


def _in_head(data: bytes, wanted: pd.DataFrame) -> bytes:
    """Return the file with the finish of the project where its last task ends."""
    end = data.find(b"<Tasks>")
    finish = wanted["finish"].max()
    if end < 0 or pd.isna(finish):
        return data
    head = data[:end]
    told = pd.to_datetime(_cell(head, b"FinishDate"), errors="coerce")
    if pd.isna(told) or told >= finish:
        return data
    return _put(head, b"FinishDate", _time(finish)) + data[end:]


def _check(draft: Path, wanted: pd.DataFrame, name: str) -> None:
    """Read what was written, and refuse it where a date is another one."""
    (after,) = read_mspdi(draft)
    if list(after.tasks.index) != list(wanted.index) or _changed(after.tasks, wanted):
        raise ConfigError(
            f"The dates cannot be written into {name}: it is XML of an unusual form. "
            "Save it once more with Microsoft Project."
        )


def _cell(record: bytes, tag: bytes) -> str:
    """Return the text of a record's own element, "" where it has none."""
    at = record.find(b"<" + tag + b">")
    if at < 0:
        return ""
    return as_text(record[at + len(tag) + 2 : record.find(b"<", at + 1)])


def _put(record: bytes, tag: bytes, text: bytes) -> bytes:
    """Return a record with another text of its own element, where it has that."""
    at = record.find(b"<" + tag + b">")
    inner = _INSIDE.search(record, 1)
    if at < 0 or (inner and inner.start() < at):
        return record
    at += len(tag) + 2
    return record[:at] + text + record[record.find(b"<", at) :]


def _time(time: Any) -> bytes:
    return pd.Timestamp(time).strftime("%Y-%m-%dT%H:%M:%S").encode()


def _seconds(time: Any) -> int:
    return int(np.datetime64(time, "s").astype("int64"))
