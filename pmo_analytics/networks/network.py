"""Network: the activities, links, people and calendars of one planning file."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any

import pandas as pd

from pmo_analytics.errors import PROBLEM_COLUMNS, problems_table
from pmo_analytics.networks.calendars import (
    CommonCalendar,
    WorkCalendar,
    work_calendars,
)
from pmo_analytics.networks.frames import FRAMES, frame_of


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Frames:
    """The frames of a network; see `Network`."""

    tasks: pd.DataFrame = None
    links: pd.DataFrame = None
    assignments: pd.DataFrame = None
    resources: pd.DataFrame = None
    calendars: pd.DataFrame = None
    shifts: pd.DataFrame = None
    baselines: pd.DataFrame = None
    codes: pd.DataFrame = None
    timephased: pd.DataFrame = None
    rates: pd.DataFrame = None
    units: pd.DataFrame = None
    balance: pd.DataFrame = None
    listed: pd.DataFrame = None
    problems: pd.DataFrame = None

    def __post_init__(self) -> None:
        for name in FRAMES:
            object.__setattr__(self, name, frame_of(name, getattr(self, name)))
        given = self.problems
        problems = problems_table([]) if given is None else given
        object.__setattr__(self, "problems", problems[list(PROBLEM_COLUMNS)])


@dataclass(frozen=True, eq=False, repr=False)
class Network(Frames):
    """The activity network of one project, as its planning file holds it.

    Hours are numbers, times are to the second and without zone, ids are texts, a blank
    text is "". Frames have at least the columns of `FRAMES`; a reader may add others.

    Parameters
    ----------
    project
        Id of the project in its file.
    name
        What the file calls it.
    data_date
        The day up to which progress is reported; NaT where the file has none.
    currency
        Code (`EUR`) or sign as the file has it.
    source
        Name of the file.
    start, finish
        Of the project as the file states them; NaT = not stated.
    hours_per_day
        Hours that the file calls a day of duration (`8`).
    status_mode
        How progress out of sequence counts: `retained_logic`, `progress_override`,
        `actual_dates`; "" = the file does not say.
    lag_calendar
        Calendar that lags run on: `predecessor`, `successor`, `project`, `24h`; "" =
        that of the successor, as Microsoft Project has it.
    fields
        What else the file says of the project: name -> text.
    tasks
        Index `task`. `kind`: task, milestone, summary, level_of_effort. `constraint`:
        "", start_on, finish_on, start_no_earlier, start_no_later, finish_no_earlier,
        finish_no_later, must_start_on, must_finish_on, alap, expected_finish (those
        with `must_` override links). `duration_h`, `remaining_h`, floats: working
        hours of the task's calendar. `total_float_h`, early and late dates: as the
        file stores them. `percent_complete`: 0 to 100. `cost`, `actual_cost`: units of
        `currency`. `code`: what people know the task by. `work_h` and its kin: hours
        of people. `active`: False for what Microsoft Project calls inactive. `line`:
        of the file.
    links
        One row a link: `task` waits for `requires`. `kind`: FS, SS, FF, SF. `lag_h`:
        hours, negative for a lead, worked out where the file gives a percentage (kept
        in `lag_percent`). `lag_unit`: working, elapsed, percent, elapsed_percent.
        `requires_project`, `task_project`: the other project, for links across.
    assignments
        `task, resource, role`, `units` (1 = full time), `work_h, actual_h,
        remaining_h` of people, `quantity` of material, `cost, actual_cost`.
    resources
        Index `resource`. `kind`: work, material, cost. `max_units`: 1 = one full-time
        person. `rate`: currency an hour.
    calendars
        Index `calendar`. `parent`: what it inherits from.
    shifts
        When calendars work: `start_minute` to `end_minute` of the day (may exceed 1440
        by what runs past midnight). `weekday` 1-7 (Monday = 1) alone: the usual week;
        with `first` and `last`: the week of those days; `first` and `last` alone: an
        exception. Blank minutes: no work. See `WorkCalendar`.
    baselines
        `task, baseline` (`0` to `10`, or the name of a baseline project), dates, hours,
        cost.
    codes
        `of` (task, resource, assignment, project), `id, code, value, description`:
        activity codes, custom and user fields.
    timephased
        `task, resource, kind` (planned, actual, ...), `start, finish, hours, cost` and
        `row` of `assignments`, where the file spreads its hours itself.
    rates, units
        Rate tables of resources, and the units of them that there are, by date.
    balance
        `what, read, used, listed`: read = used + listed, exactly.
    listed
        What was read and not used: `what, amount, file, line, id, reason`.
    problems
        Problems table of reading: file, line, id and what to do.
    """

    project: str
    name: str = ""
    data_date: Any = pd.NaT
    currency: str = ""
    source: str = ""
    start: Any = pd.NaT
    finish: Any = pd.NaT
    hours_per_day: float = 8.0
    status_mode: str = ""
    lag_calendar: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    _clocks: dict[str, WorkCalendar] = field(default_factory=dict, init=False)

    def __repr__(self) -> str:
        counts = f"{len(self.tasks):,} tasks, {len(self.links):,} links"
        return f"Network({self.project!r}, {counts}, source={self.source!r})"

    @property
    def default_calendar(self) -> str:
        """Id of the project's own calendar; "" where the file has none."""
        own = self.calendars.index[self.calendars["default"]]
        return str(own[0]) if len(own) else ""

    def clock(self, calendar: str = "", within: str = "") -> WorkCalendar:
        """Return the working time of a calendar.

        Parameters
        ----------
        calendar
            Id; a blank or unknown one is the project's own calendar, and where there
            is none 8 to 12 and 13 to 17 from Monday to Friday.
        within
            Id of a second calendar: what both work counts, as in Microsoft Project of
            a task with a calendar and its people. It counts alone where their weeks
            have nothing in common.
        """
        if within and within != calendar:
            key = f"{within}\n{calendar}"
            if key not in self._clocks:
                one, other = self.clock(within), self.clock(calendar)
                both = CommonCalendar(one, other)
                self._clocks[key] = both if both.works else one
            return self._clocks[key]
        if not self._clocks:
            self._clocks.update(work_calendars(self.calendars, self.shifts))
        for known in (calendar, self.default_calendar):
            if known in self._clocks:
                return self._clocks[known]
        return self._clocks.setdefault("", WorkCalendar.standard())

    def replace(self, **changes: Any) -> Network:
        """Return a copy with other fields or frames."""
        known = {f.name for f in fields(self) if f.init}
        if unknown := set(changes) - known:
            raise TypeError(f"A network has no {sorted(unknown)}.")
        return replace(self, **changes)
