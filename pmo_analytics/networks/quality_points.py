"""What the 14 points count, for all variants: each point is a method."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from pmo_analytics.errors import DataError
from pmo_analytics.networks.activities import COMPLETE, Logic
from pmo_analytics.networks.floats import frame_of_dates, scheduled
from pmo_analytics.networks.network import Network
from pmo_analytics.networks.passes import Dates, finish_after

Mask = npt.NDArray[np.bool_]

HIGH_DAYS = 44
DELAY_DAYS = 600
HARD = (
    "must_start_on",
    "must_finish_on",
    "start_on",
    "finish_on",
    "start_no_later",
    "finish_no_later",
)
_SLIP_H = 1e-6


class Measure(NamedTuple):
    """What one point counts."""

    numerator: float
    denominator: float
    offenders: Iterable[str] = ()
    share: float = np.nan
    note: str = ""


NOT_ASSESSED = Measure(np.nan, np.nan)


def counted(
    offenders: Any, of: int, count: int | None = None, note: str = ""
) -> Measure:
    """Return a measure of offenders among so many; none among none is no offence."""
    number = len(offenders) if count is None else count
    share = number / of if of else 0.0
    return Measure(number, of, offenders, share, note)


class Sample:
    """The activities and links of a network that quality is about.

    Attributes
    ----------
    tasks
        Active activities without summaries, level of effort included.
    links
        Links between them, and those from other projects.
    leaving
        Tasks with a link to another project.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        tasks = network.tasks
        self.tasks = tasks[(tasks["kind"] != "summary") & tasks["active"]]
        links = network.links
        leaving = links["task_project"] != ""
        known = links["task"].isin(self.tasks.index) & (
            links["requires"].isin(self.tasks.index) | (links["requires_project"] != "")
        )
        self.links = links[known & ~leaving]
        self.leaving = set(links.loc[leaving, "requires"])
        self.data_date = network.data_date

    @cached_property
    def effort(self) -> Mask:
        """Which tasks are level of effort."""
        return (self.tasks["kind"] == "level_of_effort").to_numpy()

    @cached_property
    def milestone(self) -> Mask:
        """Which tasks are milestones."""
        return (self.tasks["kind"] == "milestone").to_numpy()

    @cached_property
    def complete(self) -> Mask:
        """Which tasks are complete."""
        if "status" in self.tasks:
            return (self.tasks["status"] == "complete").to_numpy()
        done = self.tasks["actual_finish"].notna()
        return (done | (self.tasks["percent_complete"] >= 100)).to_numpy()

    @cached_property
    def started(self) -> Mask:
        """Which tasks have started."""
        if "status" in self.tasks:
            return (self.tasks["status"] != "not_started").to_numpy()
        return self.complete | self.tasks["actual_start"].notna().to_numpy()

    @cached_property
    def scheduled(self) -> tuple[Logic, Dates] | None:
        """The passes of the critical path; None where they cannot be made."""
        try:
            return scheduled(self.network, {})
        except DataError:
            return None

    @cached_property
    def dates(self) -> pd.DataFrame | None:
        """`critical_path` of the network, None where it has none."""
        if self.scheduled is None:
            return None
        return frame_of_dates(*self.scheduled).reindex(self.tasks.index)

    @cached_property
    def stored_float_h(self) -> npt.NDArray[np.float64]:
        """Total float as the file stores it."""
        return self.tasks["total_float_h"].to_numpy()

    @cached_property
    def float_h(self) -> npt.NDArray[np.float64]:
        """Total float of the critical path, else as the file stores it."""
        if self.dates is None:
            return self.stored_float_h
        return self.dates["total_float_h"].to_numpy()

    @cached_property
    def day_h(self) -> npt.NDArray[np.float64]:
        """Hours of a day of each task's calendar."""
        own = self.network.calendars["hours_per_day"]
        hours = self.tasks["calendar"].map(own).to_numpy(dtype=float)
        return np.where(hours > 0, hours, self.network.hours_per_day)

    def ids(self, mask: Any) -> list[str]:
        """Return the ids of the tasks of a mask."""
        return list(self.tasks.index[np.asarray(mask, dtype=bool)])

    def pairs(self, links: pd.DataFrame) -> list[str]:
        """Return links as `A -> B`."""
        return [
            f"{a} -> {b}" for a, b in zip(links["requires"], links["task"], strict=True)
        ]


class Counting:
    """How points are counted; variants change what they count differently."""

    def __init__(self, sample: Sample) -> None:
        self.sample = sample
        self.open = ~sample.complete & ~sample.effort
        self.work = self.open & ~sample.milestone
        self.due_from = sample.tasks["baseline_finish"]

    def points(self) -> dict[int, Measure]:
        """Return every point."""
        return {
            1: self.logic(),
            2: self.leads(),
            3: self.lags(),
            4: self.kinds(),
            5: self.constraints(),
            6: self.high_float(),
            7: self.negative_float(),
            8: self.durations(),
            9: self.invalid_dates(),
            10: self.resources(),
            11: self.missed(),
            12: self.critical_path_test(),
            13: self.length_index(),
            14: self.execution_index(),
        }

    # ------------------------------------------------------------------------- logic

    @cached_property
    def links(self) -> pd.DataFrame:
        """Links that count for leads, lags and kinds: into what is open."""
        tasks, links = self.sample.tasks, self.sample.links
        opened = set(tasks.index[self.open])
        efforts = set(tasks.index[self.sample.effort])
        known = links["task"].isin(opened) & ~(
            links["requires"].isin(efforts) & (links["requires_project"] == "")
        )
        return links[known]

    def ends(self) -> tuple[set[str], set[str]]:
        """Return which tasks have a predecessor, and which a successor."""
        links, efforts = self.sample.links, self.sample.ids(self.sample.effort)
        links = links[~links["task"].isin(efforts) & ~links["requires"].isin(efforts)]
        inside = links[links["requires_project"] == ""]
        return set(links["task"]), set(inside["requires"]) | self.sample.leaving

    def logic(self) -> Measure:
        """Open activities without a predecessor or without a successor."""
        before, after = self.ends()
        index = self.sample.tasks.index
        loose = ~(index.isin(before) & index.isin(after))
        return counted(self.sample.ids(self.open & loose), int(self.open.sum()))

    def leads(self) -> Measure:
        """Links with a negative lag."""
        found = self.links[self.links["lag_h"] < 0]
        return counted(self.sample.pairs(found), len(self.links))

    def lags(self) -> Measure:
        """Links with a positive lag."""
        found = self.links[self.links["lag_h"] > 0]
        return counted(self.sample.pairs(found), len(self.links))

    def kinds(self) -> Measure:
        """Links from finish to start; the others are the offenders."""
        others = self.links[self.links["kind"] != "FS"]
        count = len(self.links) - len(others)
        share = count / len(self.links) if len(self.links) else 1.0
        return Measure(count, len(self.links), self.sample.pairs(others), share)

    def constraints(self) -> Measure:
        """Open activities with a hard constraint."""
        tasks = self.sample.tasks
        hard = tasks["constraint"].isin(HARD) | tasks["constraint2"].isin(HARD)
        found = self.sample.ids(self.open & hard.to_numpy())
        return counted(found, int(self.open.sum()))

    # ------------------------------------------------------------------------ floats

    def high_float(self) -> Measure:
        """Open activities with more than 44 working days of total float."""
        days = self.sample.float_h / self.sample.day_h
        found = self.sample.ids(self.open & (days > HIGH_DAYS + _SLIP_H))
        return counted(found, int(self.open.sum()), note=self.float_note())

    def negative_float(self) -> Measure:
        """Open activities with negative total float."""
        found = self.sample.ids(self.open & (self.sample.float_h < -_SLIP_H))
        return counted(found, int(self.open.sum()), note=self.float_note())

    def float_note(self) -> str:
        """Say where floats come from if they are not our own."""
        stored = "The links run in a circle: floats are those that the file stores."
        return stored if self.sample.dates is None else ""

    def durations(self) -> Measure:
        """Open work of more than 44 working days."""
        hours = self.sample.tasks["duration_h"].to_numpy()
        days = hours / self.sample.day_h
        found = self.sample.ids(self.work & (days > HIGH_DAYS + _SLIP_H))
        return counted(found, int(self.work.sum()))

    # ------------------------------------------------------------------------- dates

    def invalid_dates(self) -> Measure:
        """Activities with actual dates in the future or forecasts in the past."""
        tasks, now = self.sample.tasks, self.sample.data_date
        if pd.isna(now):
            return NOT_ASSESSED._replace(note="The file has no data date.")
        ahead = (tasks["actual_start"] > now) | (tasks["actual_finish"] > now)
        start, finish = self.forecast("start"), self.forecast("finish")
        behind = (~self.sample.started & self.before(start)) | (
            ~self.sample.complete & self.before(finish)
        )
        wrong = (ahead.to_numpy() | behind) & ~self.sample.effort
        return counted(self.sample.ids(wrong), int((~self.sample.effort).sum()))

    def forecast(self, end: str) -> pd.Series:
        """Return early dates as the file stores them, else as they are worked out."""
        stored = self.sample.tasks[f"early_{end}"]
        if self.sample.dates is None:
            return stored.fillna(self.sample.tasks[end])
        return stored.fillna(self.sample.dates[f"early_{end}"])

    def before(self, times: pd.Series) -> Mask:
        """Return which times lie before the data date, in working time."""
        now = pd.Timestamp(self.sample.data_date)
        found = (times < now).to_numpy(copy=True)
        calendars = self.sample.tasks["calendar"]
        for at in np.flatnonzero(found):
            clock = self.sample.network.clock(calendars.iloc[at])
            moments = int(times.iloc[at].timestamp()), int(now.timestamp())
            found[at] = clock.between(*moments) > 0
        return found

    def loaded(self) -> Mask:
        """Return which activities have people, material or cost."""
        tasks = self.sample.tasks
        assigned = tasks.index.isin(set(self.sample.network.assignments["task"]))
        return np.asarray(assigned | (tasks["cost"] > 0).to_numpy())

    def resources(self) -> Measure:
        """Open work that nobody does and that costs nothing."""
        length = (self.sample.tasks["duration_h"] > 0).to_numpy()
        pool = self.work & length
        if self.sample.network.assignments.empty and not self.loaded().any():
            note = "The file has no resources and no cost at all."
            return counted(self.sample.ids(pool), int(pool.sum()), note=note)
        return counted(self.sample.ids(pool & ~self.loaded()), int(pool.sum()))

    def due(self) -> Mask:
        """Return which activities had to be finished by the data date."""
        if pd.isna(self.sample.data_date):
            return np.zeros(len(self.sample.tasks), dtype=bool)
        late = self.due_from <= pd.Timestamp(self.sample.data_date)
        return np.asarray(late.to_numpy() & ~self.sample.effort)

    def missed(self) -> Measure:
        """Activities that were due and are late or not finished."""
        if pd.isna(self.sample.data_date) or self.due_from.isna().all():
            return NOT_ASSESSED._replace(note=self.baseline_note())
        tasks, due = self.sample.tasks, self.due()
        late = (tasks["actual_finish"] > self.due_from).to_numpy()
        found = self.sample.ids(due & (~self.sample.complete | late))
        return counted(found, int(due.sum()))

    def baseline_note(self) -> str:
        """Say what is missing for points that compare with a baseline."""
        if pd.isna(self.sample.data_date):
            return "The file has no data date."
        return "The file has no baseline dates."

    def execution_index(self) -> Measure:
        """Complete activities over those that were due or have no baseline."""
        if pd.isna(self.sample.data_date) or self.due_from.isna().all():
            return NOT_ASSESSED._replace(note=self.baseline_note())
        plain = ~self.sample.effort
        without = self.due_from.isna().to_numpy() & plain
        whole = int(self.due().sum() + without.sum())
        done = int((self.sample.complete & plain).sum())
        share = done / whole if whole else np.nan
        late = self.sample.ids(self.due() & ~self.sample.complete)
        return Measure(done, whole, late, share)

    # ----------------------------------------------------------------- critical path

    def critical_path_test(self) -> Measure:
        """Days by which the finish moves when the critical path grows by 600 days."""
        if self.sample.scheduled is None or self.sample.dates is None:
            return NOT_ASSESSED._replace(note="The links run in a circle.")
        logic, dates = self.sample.scheduled
        path = self.sample.dates[self.sample.dates["longest_path"].fillna(False)]
        # A milestone has no duration, an expected finish overrules one.
        free = [
            logic.activities[logic.ids.index(k)].expected is None for k in path.index
        ]
        path = path[
            np.array(free, dtype=bool) & path.index.isin(self.sample.ids(self.work))
        ]
        if path.empty:
            return NOT_ASSESSED._replace(note="No open work on the longest path.")
        first = str(path["early_start"].idxmin())
        moved = self.moved_by(DELAY_DAYS, first, logic, dates)
        # The finish may fall into a night on another calendar: a day is no fault.
        share = 1.0 if abs(moved - DELAY_DAYS) <= 1 else moved / DELAY_DAYS
        offenders = [] if share == 1.0 else [first]
        return Measure(round(moved, 6), DELAY_DAYS, offenders, share)

    def moved_by(self, days: float, task: str, logic: Logic, dates: Dates) -> float:
        """Return days by which the finish moves when a task takes so much longer."""
        at = logic.ids.index(task)
        clock = logic.activities[at].clock
        day = self.sample.day_h[self.sample.tasks.index.get_loc(task)] * 3600
        later = finish_after(logic, at, round(days * day))
        return float(clock.between(dates.finish, later) / day)

    def length_index(self) -> Measure:
        """(Length + float) / length of the critical path, in working days."""
        if self.sample.scheduled is None or pd.isna(self.sample.data_date):
            return NOT_ASSESSED._replace(note="No critical path, or no data date.")
        logic, dates = self.sample.scheduled
        if all(logic.activities[k].status == COMPLETE for k in logic.order):
            return NOT_ASSESSED._replace(note="Nothing is open.")
        clock = self.sample.network.clock()
        day = self.sample.network.hours_per_day * 3600
        length = clock.between(logic.data_date, dates.finish) / day
        if length <= 0:
            return NOT_ASSESSED._replace(note="The finish lies before the data date.")
        spare = self._spare(logic, dates) / day
        share = (length + spare) / length
        return Measure(round(length + spare, 6), round(length, 6), (), share)

    def _spare(self, logic: Logic, dates: Dates) -> float:
        """Return the float of the whole project, in seconds."""
        clock = self.sample.network.clock()
        target = logic.options.must_finish
        if target is None and self.due_from.notna().any():
            target = int(self.due_from.max().timestamp())
        if target is not None:
            return clock.between(dates.finish, target)
        frame = self.sample.dates
        if frame is None:
            return 0.0
        path = frame[frame["longest_path"].fillna(False)]
        return float(path["total_float_h"].min()) * 3600
