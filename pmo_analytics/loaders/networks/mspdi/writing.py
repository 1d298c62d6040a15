"""Networks are written as Microsoft Project XML, which Microsoft Project opens."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pandas as pd

from pmo_analytics.errors import ConfigError, PmoWarning, listing
from pmo_analytics.files import written_whole
from pmo_analytics.loaders.networks.mspdi.people import CONTOURS
from pmo_analytics.loaders.networks.mspdi.tasks import CONSTRAINTS
from pmo_analytics.networks import Network

_KINDS = {"FF": 0, "FS": 1, "SF": 2, "SS": 3}
_CONSTRAINTS = {word: number for number, word in CONSTRAINTS.items()}
_CONTOURS = {word: number for number, word in CONTOURS.items()}
_LAG_FORMATS = {"working": 7, "elapsed": 8, "percent": 19, "elapsed_percent": 20}
_TEXT, _TEXTS = re.compile(r"Text([1-9]|[12]\d|30)"), 30
_TYPES = {"material": 0, "work": 1, "cost": 2}
# What XML cannot hold.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_network(network: Network, path: str | Path) -> Path:
    """Write a network as Microsoft Project XML (MSPDI).

    Tasks in their order, links, calendars with exceptions, resources, assignments with
    time-phased hours, baselines, deadlines, constraints and up to 30 codes of tasks, as
    text fields. Ids that are no numbers are
    counted anew; the id stays in the notes.

    Parameters
    ----------
    path
        A name ending in .xml; what is there is replaced.

    Returns
    -------
    Path
        What was written.

    Raises
    ------
    ConfigError
        If the name does not end in .xml, or the system refuses to write.
    """
    path = xml_path(path)
    text = StringIO()
    for part in _parts(network):
        text.write(part)
    try:
        with written_whole(path) as (draft,):
            draft.write_text(text.getvalue(), encoding="utf-8", newline="\n")
    except OSError as error:
        raise ConfigError(f"Cannot write to {path}: {error.strerror}.") from error
    return path


def xml_path(path: str | Path) -> Path:
    """Return the path of a file that Microsoft Project opens, or raise ConfigError."""
    path = Path(path)
    if path.suffix.lower() != ".xml":
        raise ConfigError(
            f"'{path.name}' must end in .xml, which Microsoft Project opens."
        )
    return path


def _parts(network: Network) -> Iterator[str]:
    numbers = {
        name: _numbered(getattr(network, name).index)
        for name in ("tasks", "resources", "calendars")
    }
    yield '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    yield '<Project xmlns="http://schemas.microsoft.com/project">\n'
    yield from _tags(
        SaveVersion=14,
        Name=f"{network.project}.xml",
        Title=network.name,
        ScheduleFromStart=1,
        StartDate=_time(network.start),
        FinishDate=_time(network.finish),
        CurrencyCode=network.currency if len(network.currency) == 3 else "",
        CalendarUID=numbers["calendars"].get(network.default_calendar, ""),
        MinutesPerDay=round(network.hours_per_day * 60),
        StatusDate=_time(network.data_date),
    )
    fields = _fields(network)
    yield from _declared(fields)
    yield "<Calendars>\n"
    for uid in network.calendars.index:
        yield from _calendar(network, uid, numbers["calendars"])
    yield "</Calendars>\n<Tasks>\n"
    yield from _tasks(network, numbers, fields)
    yield "</Tasks>\n<Resources>\n"
    yield from _resources(network, numbers)
    yield "</Resources>\n<Assignments>\n"
    yield from _assignments(network, numbers)
    yield "</Assignments>\n</Project>\n"


def _fields(network: Network) -> dict[str, int]:
    """Return the number of the text field for each code of tasks, as far as they go."""
    codes = network.codes
    names = list(dict.fromkeys(codes["code"][codes["of"] == "task"]))
    own = {name: int(found[1]) for name in names if (found := _TEXT.fullmatch(name))}
    free = iter(sorted(set(range(1, _TEXTS + 1)) - set(own.values())))
    numbers = {name: own.get(name) or next(free, 0) for name in names}
    if left := [name for name, number in numbers.items() if not number]:
        said = f"Microsoft Project has {_TEXTS} text fields; these codes are not in "
        said += f"the file: {listing(left)}."
        warnings.warn(said, PmoWarning, stacklevel=2)
    return {name: number for name, number in numbers.items() if number}


def _field_id(number: int) -> int:
    """Return what Microsoft Project calls its field TextN."""
    if number <= 5:
        return 188_743_728 + 3 * number
    return 188_743_740 + number if number <= 10 else 188_743_986 + number


def _declared(fields: dict[str, int]) -> Iterator[str]:
    yield "<ExtendedAttributes>" if fields else ""
    for name, number in fields.items():
        yield "<ExtendedAttribute>"
        alias = "" if _TEXT.fullmatch(name) else name
        field = f"Text{number}"
        yield from _tags(FieldID=_field_id(number), FieldName=field, Alias=alias)
        yield "</ExtendedAttribute>"
    yield "</ExtendedAttributes>\n" if fields else ""


def _numbered(index: pd.Index) -> dict[str, int]:
    """Return id -> whole number: the id itself where all are numbers."""
    if all(uid.isdecimal() and len(uid) < 10 for uid in index):
        return {uid: int(uid) for uid in index}
    return {uid: number for number, uid in enumerate(index, start=1)}


def _tags(**cells: Any) -> Iterator[str]:
    """Yield elements in order; blank ones are left out."""
    for name, value in cells.items():
        if value is None or value == "" or value != value:
            continue
        text = f"{value:.10g}" if isinstance(value, float) else str(value)
        yield f"<{name}>{escape(_FORBIDDEN.sub('', text))}</{name}>"


def _whole_number(value: Any) -> Any:
    """Return what the file may hold without decimals only."""
    return "" if value != value else round(float(value))


def _time(time: Any) -> str:
    return "" if pd.isna(time) else pd.Timestamp(time).strftime("%Y-%m-%dT%H:%M:%S")


def _span(hours: Any) -> str:
    """Return hours as an ISO duration, to the second."""
    if hours != hours:
        return ""
    seconds = round(abs(hours) * 3600)
    sign = "-" if hours < 0 else ""
    whole, rest = divmod(seconds, 3600)
    return f"{sign}PT{whole}H{rest // 60}M{rest % 60}S"


def _cents(amount: Any) -> Any:
    return "" if amount != amount else round(float(amount) * 100, 6)


def _calendar(network: Network, uid: str, numbers: dict[str, int]) -> Iterator[str]:
    row = network.calendars.loc[uid]
    own = network.shifts[network.shifts["calendar"] == uid]
    yield "<Calendar>"
    parent = numbers.get(row["parent"], -1)
    yield from _tags(
        UID=numbers[uid],
        Name=row["name"] or uid,
        IsBaseCalendar=int(parent < 0),
        BaseCalendarUID=parent,
    )
    usual = own[own["first"].isna()]
    yield "<WeekDays>"
    for day, shifts in usual.groupby("weekday"):
        yield "<WeekDay>"
        yield from _tags(DayType=int(day) % 7 + 1)
        yield from _times(shifts)
        yield "</WeekDay>"
    yield "</WeekDays><Exceptions>"
    exceptions = own[own["first"].notna() & own["weekday"].isna()]
    for (first, last), shifts in exceptions.groupby(["first", "last"]):
        yield "<Exception><EnteredByOccurrences>0</EnteredByOccurrences><TimePeriod>"
        yield from _tags(
            FromDate=_time(first), ToDate=_time(last + pd.Timedelta("23h59min"))
        )
        yield "</TimePeriod>"
        yield from _tags(Occurrences=1, Name=shifts["name"].iloc[0], Type=1)
        yield from _times(shifts)
        yield "</Exception>"
    yield "</Exceptions><WorkWeeks>"
    weeks = own[own["first"].notna() & own["weekday"].notna()]
    for (first, last), rows in weeks.groupby(["first", "last"]):
        yield "<WorkWeek><TimePeriod>"
        yield from _tags(
            FromDate=_time(first), ToDate=_time(last + pd.Timedelta("23h59min"))
        )
        yield "</TimePeriod>"
        yield from _tags(Name=rows["name"].iloc[0])
        yield "<WeekDays>"
        for day, shifts in rows.groupby("weekday"):
            yield "<WeekDay>"
            yield from _tags(DayType=int(day) % 7 + 1)
            yield from _times(shifts)
            yield "</WeekDay>"
        yield "</WeekDays></WorkWeek>"
    yield "</WorkWeeks></Calendar>\n"


def _times(shifts: pd.DataFrame) -> Iterator[str]:
    working = shifts[shifts["start_minute"].notna()]
    yield from _tags(DayWorking=int(len(working) > 0))
    yield "<WorkingTimes>" if len(working) else ""
    for start, end in zip(working["start_minute"], working["end_minute"], strict=True):
        clock = [f"{int(m) // 60 % 24:02}:{int(m) % 60:02}:00" for m in (start, end)]
        yield "<WorkingTime>"
        yield from _tags(FromTime=clock[0], ToTime=clock[1])
        yield "</WorkingTime>"
    yield "</WorkingTimes>" if len(working) else ""


def _tasks(
    network: Network, numbers: dict[str, dict[str, int]], fields: dict[str, int]
) -> Iterator[str]:
    tasks = network.tasks
    codes = network.codes[network.codes["of"] == "task"]
    told = {str(k): rows for k, rows in codes.groupby("id")}
    level: dict[str, int] = {}
    links = {str(k): rows for k, rows in network.links.groupby("task", sort=False)}
    baselines = {str(k): rows for k, rows in network.baselines.groupby("task")}
    for position, (uid, row) in enumerate(tasks.to_dict("index").items()):
        number = numbers["tasks"][uid]
        yield "<Task>"
        if row["kind"] == "":
            yield from _tags(UID=number, ID=position, IsNull=1)
            yield "</Task>\n"
            continue
        level[uid] = level.get(row["parent"], -1 if number == 0 else 0) + 1
        yield from _tags(
            UID=number,
            ID=position if numbers["tasks"].get("0") == 0 else position + 1,
            Name=row["name"],
            Active=int(row["active"]),
            Manual=int(row["manual"]),
            Type=1 if row["kind"] == "summary" else 0,
            IsNull=0,
            WBS=row["wbs"],
            OutlineLevel=level[uid],
            Priority=_whole_number(row["priority"]),
            Start=_time(row["start"]),
            Finish=_time(row["finish"]),
            Duration=_span(row["duration_h"]),
            DurationFormat=8 if row.get("duration_unit") == "elapsed" else 7,
            Work=_span(row["work_h"]),
            Milestone=int(row["kind"] == "milestone"),
            Summary=int(row["kind"] == "summary"),
            PercentComplete=_whole_number(row["percent_complete"]),
            FixedCost=_cents(row.get("fixed_cost", float("nan"))),
            Cost=_cents(row["cost"]),
            ActualStart=_time(row["actual_start"]),
            ActualFinish=_time(row["actual_finish"]),
            RemainingDuration=_span(row["remaining_h"]),
            ConstraintType=_CONSTRAINTS.get(row["constraint"], "0"),
            CalendarUID=numbers["calendars"].get(row["calendar"], -1),
            ConstraintDate=_time(row["constraint_date"]),
            Deadline=_time(row["deadline"]),
            Notes=row.get("notes") or ("" if str(number) == uid else f"Id: {uid}"),
        )
        yield from _links(links.get(uid), numbers["tasks"])
        yield from _codes(told.get(uid), fields)
        yield from _baselines(baselines.get(uid))
        yield "</Task>\n"


def _links(rows: pd.DataFrame | None, numbers: dict[str, int]) -> Iterator[str]:
    for row in [] if rows is None else rows.to_dict("records"):
        if row["requires"] not in numbers:
            continue
        percent = "percent" in row["lag_unit"]
        lag = row["lag_percent"] if percent else row["lag_h"] * 600
        yield "<PredecessorLink>"
        yield from _tags(
            PredecessorUID=numbers[row["requires"]],
            Type=_KINDS[row["kind"]],
            CrossProject=0,
            LinkLag=0 if lag != lag else round(lag),
            LagFormat=_LAG_FORMATS.get(row["lag_unit"], 7),
        )
        yield "</PredecessorLink>"


def _codes(rows: pd.DataFrame | None, fields: dict[str, int]) -> Iterator[str]:
    for row in [] if rows is None else rows.to_dict("records"):
        if row["code"] in fields:
            yield "<ExtendedAttribute>"
            field = _field_id(fields[row["code"]])
            yield from _tags(FieldID=field, Value=row["value"])
            yield "</ExtendedAttribute>"


def _baselines(rows: pd.DataFrame | None) -> Iterator[str]:
    for row in [] if rows is None else rows.to_dict("records"):
        if row["baseline"] not in [str(n) for n in range(11)]:
            continue
        yield "<Baseline>"
        yield from _tags(
            Number=row["baseline"],
            Start=_time(row["start"]),
            Finish=_time(row["finish"]),
            Duration=_span(row["duration_h"]),
            Work=_span(row["work_h"]),
            Cost=_cents(row["cost"]),
        )
        yield "</Baseline>"


def _resources(network: Network, numbers: dict[str, dict[str, int]]) -> Iterator[str]:
    units = {str(k): rows for k, rows in network.units.groupby("resource")}
    for uid, row in network.resources.to_dict("index").items():
        number = numbers["resources"][uid]
        yield "<Resource>"
        yield from _tags(
            UID=number,
            ID=number,
            Name=row["name"],
            Type=_TYPES.get(row["kind"], 1),
            IsNull=0,
            Code=row["code"],
            Group=row["group"] or row["role"],
            EmailAddress=row["email"],
            MaxUnits=row["max_units"],
            StandardRate=row["rate"],
            StandardRateFormat=2,
            CalendarUID=numbers["calendars"].get(row["calendar"], ""),
            IsGeneric=int(row["generic"]),
            IsInactive=int(not row["active"]),
        )
        if uid in units:
            yield "<AvailabilityPeriods>"
            for span in units[uid].to_dict("records"):
                yield "<AvailabilityPeriod>"
                yield from _tags(
                    AvailableFrom=_time(span["start"]),
                    AvailableTo=_time(span["finish"]),
                    AvailableUnits=span["units"],
                )
                yield "</AvailabilityPeriod>"
            yield "</AvailabilityPeriods>"
        yield "</Resource>\n"


def _assignments(network: Network, numbers: dict[str, dict[str, int]]) -> Iterator[str]:
    phased = network.timephased
    phased = phased[phased["kind"].isin(["remaining", "actual"])]
    by_row = {int(k): rows for k, rows in phased.groupby("row")}
    known = network.assignments[
        network.assignments["task"].isin(list(numbers["tasks"]))
    ]
    for number, (at, row) in enumerate(known.to_dict("index").items(), start=1):
        work = row["quantity"] if row["quantity"] == row["quantity"] else row["work_h"]
        yield "<Assignment>"
        yield from _tags(
            UID=number,
            TaskUID=numbers["tasks"][row["task"]],
            ResourceUID=numbers["resources"].get(row["resource"], -65535),
            ActualWork=_span(row["actual_h"]),
            Cost=_cents(row["cost"]),
            Finish=_time(row["finish"]),
            RemainingWork=_span(row["remaining_h"]),
            Start=_time(row["start"]),
            Units=row["units"],
            Work=_span(work),
            WorkContour=_CONTOURS.get(row["contour"], ""),
        )
        yield from _phases(number, by_row.get(int(at), phased.iloc[:0]))
        yield "</Assignment>\n"


def _phases(number: int, rows: pd.DataFrame) -> Iterable[str]:
    for row in rows.to_dict("records"):
        yield "<TimephasedData>"
        yield from _tags(
            Type=2 if row["kind"] == "actual" else 1,
            UID=number,
            Start=_time(row["start"]),
            Finish=_time(row["finish"]),
            Unit=2,
            Value=_span(row["hours"]),
        )
        yield "</TimephasedData>"
