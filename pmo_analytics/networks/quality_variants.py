"""The 14 points as other engines count them, for people who compare the numbers.

What differs, and why, stands in the documentation; only counts are reproduced.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from pmo_analytics.errors import DataError
from pmo_analytics.networks.activities import Logic
from pmo_analytics.networks.calendars import NoWorkingTime
from pmo_analytics.networks.floats import frame_of_dates, scheduled
from pmo_analytics.networks.network import Network
from pmo_analytics.networks.passes import Dates
from pmo_analytics.networks.quality_points import (
    DELAY_DAYS,
    HIGH_DAYS,
    NOT_ASSESSED,
    Counting,
    Mask,
    Measure,
    Sample,
    counted,
)

_DELAY_DAYS_P6_MCP = 120
_NOT_READ = (
    *("constraint2_date", "expected_finish", "suspend", "resume"),
    *("external_early_start", "external_late_finish"),
)
_STRICT = ("must_start_on", "must_finish_on", "start_on", "finish_on")


class _Planned(Counting):
    """Where no baseline is in the file, planned dates stand for it, for everything."""

    def __init__(self, sample: Sample) -> None:
        super().__init__(sample)
        if "planned_finish" in sample.tasks and sample.network.baselines.empty:
            self.due_from = sample.tasks["planned_finish"]

    def kinds(self) -> Measure:
        """Count what is not finish to start."""
        measure = super().kinds()
        count = len(tuple(measure.offenders))
        return measure._replace(numerator=count)

    def execution_index(self) -> Measure:
        """Leave activities without a baseline out."""
        whole = int(self.due().sum())
        done = int((self.sample.complete & ~self.sample.effort).sum())
        return Measure(done, whole, (), done / whole if whole else np.nan)

    def missed(self) -> Measure:
        """Assess it also where no task has a baseline."""
        tasks, due = self.sample.tasks, self.due()
        late = (tasks["actual_finish"] > self.due_from).to_numpy()
        found = self.sample.ids(due & (~self.sample.complete | late))
        return counted(found, int(due.sum()))

    def resources(self) -> Measure:
        """Count an expense as a resource; nothing at all is no exception."""
        length = (self.sample.tasks["duration_h"] > 0).to_numpy()
        pool = self.pool(length)
        found = self.sample.ids(self.work & length & ~self.loaded())
        return counted(found, int(pool.sum()))

    def pool(self, with_length: Mask) -> Mask:
        """Return the activities that need resources."""
        return self.work & with_length

    def loaded(self) -> Mask:
        """Return which activities have an assignment or an expense."""
        tasks = self.sample.tasks
        assigned = tasks.index.isin(set(self.sample.network.assignments["task"]))
        return np.asarray(assigned | (tasks["cost"].notna()).to_numpy())


class LongPath(_Planned):
    """longpath 0.1, with the floats of its own critical path."""

    @cached_property
    def passes(self) -> tuple[Logic, Dates] | None:
        """The passes of the network as that engine reads it, None where it stops."""
        try:
            return scheduled(_as_longpath_reads(self.sample.network), {})
        except (DataError, NoWorkingTime):
            return None

    @cached_property
    def own_float_h(self) -> Any:
        """Return floats of the network as that engine reads it."""
        if self.passes is None:
            return self.sample.stored_float_h
        frame = frame_of_dates(*self.passes)
        return frame["total_float_h"].reindex(self.sample.tasks.index).to_numpy()

    @property
    def links(self) -> pd.DataFrame:
        """Leave links from other projects out."""
        own = super().links
        return own[own["requires_project"] == ""]

    def ends(self) -> tuple[set[str], set[str]]:
        """Take links of level of effort for logic, those of other projects not."""
        links = self.sample.links[self.sample.links["requires_project"] == ""]
        return set(links["task"]), set(links["requires"])

    def high_float(self) -> Measure:
        """Round days to two digits first."""
        days = np.round(self.own_float_h / self.sample.day_h, 2)
        found = self.sample.ids(self.open & (days > HIGH_DAYS))
        return counted(found, int(self.open.sum()))

    def negative_float(self) -> Measure:
        """Take its own float."""
        found = self.sample.ids(self.open & (self.own_float_h < -1e-6))
        return counted(found, int(self.open.sum()))

    def durations(self) -> Measure:
        """Take what remains where that is longer."""
        tasks = self.sample.tasks
        left = tasks["remaining_h"].where(self.sample.started, 0.0)
        hours = np.fmax(tasks["duration_h"].to_numpy(), left.to_numpy())
        days = np.round(hours / self.sample.day_h, 2)
        found = self.sample.ids(self.work & (days > HIGH_DAYS))
        return counted(found, int(self.work.sum()))

    def pool(self, with_length: Mask) -> Mask:
        """Count among all work, that of no duration included."""
        return self.work | (self.work & with_length)

    def critical_path_test(self) -> Measure:
        """Let the first activity of its own path grow, a milestone too."""
        if self.passes is None:
            return NOT_ASSESSED._replace(note="No critical path.")
        frame = frame_of_dates(*self.passes)
        path = frame[frame["longest_path"]].rename_axis("task").reset_index()
        if path.empty:
            return NOT_ASSESSED._replace(note="Nothing is open.")
        by = ["early_start", "early_finish", "task"]
        first = str(path.sort_values(by)["task"].iloc[0])
        moved = self.moved_by(DELAY_DAYS, first, *self.passes)
        hour = 1 / self.sample.day_h[self.sample.tasks.index.get_loc(first)]
        passed = moved >= DELAY_DAYS - hour
        share = 1.0 if passed else moved / DELAY_DAYS
        offenders = [] if passed else [first]
        return Measure(round(moved, 2), DELAY_DAYS, offenders, share)

    def length_index(self) -> Measure:
        """Measure the float against the last planned finish where no other date is."""
        if self.passes is None or pd.isna(self.sample.data_date):
            return NOT_ASSESSED._replace(note="No critical path, or no data date.")
        logic, dates = self.passes
        return _index(
            logic.network,
            dates.finish,
            logic.options.must_finish or _seconds(self.due_from.max()),
        )


def _as_longpath_reads(network: Network) -> Network:
    """Return a network as longpath has it before its critical path.

    Calendars with 0x7F between their nodes are Monday to Friday, 8 to 12 and 13 to 17;
    people drive no calendar; what has begun goes on after the work that its durations
    say is done; links into what is complete do not count, expected finishes neither.
    """
    tasks = network.tasks
    # Only files of P6 have these columns.
    status = tasks["status"] if "status" in tasks else pd.Series("", tasks.index)
    begun = (status == "active") & tasks["actual_start"].notna()
    resume = tasks["resume"].where(~begun, tasks["actual_start"])
    for at in np.flatnonzero(begun):
        row = tasks.iloc[at]
        done = max(0.0, row["duration_h"] - row["remaining_h"])
        clock = network.clock(row["calendar"])
        moment = clock.add(int(row["actual_start"].timestamp()), round(done * 3600))
        resume.iloc[at] = pd.Timestamp(moment, unit="s")
    calendars, links = network.calendars, network.links
    odd = calendars.index[:0]
    if "delete_signs" in calendars:
        odd = calendars.index[calendars["delete_signs"].to_numpy(dtype=bool)]
    complete = tasks.index[status == "complete"]
    plain = tasks.assign(resume=resume, suspend=resume)
    if "type" in plain:
        plain["type"] = plain["type"].replace("TT_Rsrc", "TT_Task")
    return network.replace(
        tasks=plain,
        links=links[~links["task"].isin(complete)],
        shifts=network.shifts[~network.shifts["calendar"].isin(odd)],
        fields=network.fields | {"use_expected_finish": "N"},
    )


class P6Mcp(_Planned):
    """p6-mcp 1.0."""

    @property
    def links(self) -> pd.DataFrame:
        """Count a link when one of its ends is open, also to other projects."""
        links = self.sample.links
        opened = set(self.sample.tasks.index[self.open])
        inside = links["requires_project"] == ""
        known = links["task"].isin(opened) | (links["requires"].isin(opened) & inside)
        return links[known]

    def ends(self) -> tuple[set[str], set[str]]:
        """Take every link for logic."""
        links = self.sample.links
        inside = links[links["requires_project"] == ""]
        return set(links["task"]), set(inside["requires"])

    def logic(self) -> Measure:
        """Allow one start and one finish without logic."""
        before, after = self.ends()
        tasks = self.sample.tasks
        first = self.sample.ids(self.open & ~tasks.index.isin(before))
        last = self.sample.ids(self.open & ~tasks.index.isin(after))
        starts, finishes = tasks.loc[first, "start"], tasks.loc[last, "finish"]
        allowed = {starts.idxmin()} if starts.notna().any() else set(first[:1])
        spared = {finishes.idxmax()} if finishes.notna().any() else set(last[:1])
        found = sorted((set(first) - allowed) | (set(last) - spared))
        return counted(found, int(self.open.sum()))

    def constraints(self) -> Measure:
        """Take no-later-than constraints for soft ones."""
        tasks = self.sample.tasks
        hard = tasks["constraint"].isin(_STRICT) | tasks["constraint2"].isin(_STRICT)
        found = self.sample.ids(self.open & hard.to_numpy())
        return counted(found, int(self.open.sum()))

    def high_float(self) -> Measure:
        """Take the stored float."""
        days = self.sample.stored_float_h / self.sample.day_h
        found = self.sample.ids(self.open & (days > HIGH_DAYS))
        return counted(found, int(self.open.sum()))

    def negative_float(self) -> Measure:
        """Take the stored float."""
        found = self.sample.ids(self.open & (self.sample.stored_float_h < 0))
        return counted(found, int(self.open.sum()))

    def durations(self) -> Measure:
        """Take the remaining duration."""
        hours = self.sample.tasks["remaining_h"].to_numpy()
        found = self.sample.ids(self.work & (hours / self.sample.day_h > HIGH_DAYS))
        return counted(found, int(self.work.sum()))

    @cached_property
    def passes(self) -> tuple[Logic, Dates] | None:
        """The passes of the network as that engine reads it."""
        network = _as_p6_mcp_reads(self.sample.network)
        lags = {"start_lag_from": "actual", "float_by": "start"}
        try:
            return scheduled(network, lags)
        except DataError:
            return None

    def critical_path_test(self) -> Measure:
        """Let the first critical activity grow by 120 days: the finish must move."""
        nothing = Measure(0, 0, (), 0.0, "Nothing critical is open: this fails there.")
        if self.passes is None:
            return nothing
        frame = frame_of_dates(*self.passes)
        work = frame.index.isin(self.sample.tasks.index[~self.sample.milestone])
        critical = frame[(frame["total_float_h"] <= 0) & work]
        if critical.empty:
            return nothing
        first = str(critical["early_start"].idxmin())
        moved = self.moved_by(_DELAY_DAYS_P6_MCP, first, *self.passes)
        note = f"The finish moves by {moved:.1f} of {_DELAY_DAYS_P6_MCP} days."
        offenders = [] if moved > 0 else [first]
        return Measure(int(moved > 0), 1, offenders, float(moved > 0), note)

    def length_index(self) -> Measure:
        """Measure the float of the stored finish against the scheduled finish."""
        tasks, network = self.sample.tasks, self.sample.network
        planned = tasks.get("planned_finish", tasks["finish"])
        early = tasks["early_finish"]
        done = tasks["actual_finish"].fillna(early).fillna(planned)
        ahead = early.fillna(planned).fillna(tasks["actual_finish"])
        # Summaries of the work breakdown are no level of effort there.
        plain = ~self.sample.effort
        if "type" in tasks:
            plain = (tasks["type"] != "TT_LOE").to_numpy()
        finish = done.where(self.sample.complete, ahead)[plain].max()
        if pd.isna(network.data_date) or pd.isna(finish):
            return NOT_ASSESSED._replace(note="No data date, or no finish.")
        last = int(finish.timestamp())
        target = pd.to_datetime(network.fields.get("scd_end_date"), errors="coerce")
        return _index(network, last, _seconds(target) or last, least=0.1)

    def invalid_dates(self) -> Measure:
        """Count every date that is wrong, by the clock, starts of forecasts not."""
        tasks, now = self.sample.tasks, pd.Timestamp(self.sample.data_date)
        plain = ~self.sample.effort
        planned = tasks.get("planned_finish", tasks["finish"])
        finish = tasks["early_finish"].fillna(planned)
        masks = [
            (tasks["actual_start"] > now).to_numpy() & plain,
            (tasks["actual_finish"] > now).to_numpy() & plain,
            (finish < now).to_numpy() & plain & ~self.sample.complete,
        ]
        found = [name for mask in masks for name in self.sample.ids(mask)]
        return counted(found, int(plain.sum()))


def _as_p6_mcp_reads(network: Network) -> Network:
    """Return a network as p6-mcp has it before its critical path.

    What has begun goes on at the data date whatever it waits for; second constraints,
    people, other projects and expected finishes do not count.
    """
    tasks, links = network.tasks, network.links
    status = tasks["status"] if "status" in tasks else pd.Series("", tasks.index)
    begun = tasks.index[status != "not_started"]
    blank = {name: pd.NaT for name in _NOT_READ if name in tasks}
    plain = tasks.assign(constraint2="", **blank)
    plain.loc[plain["constraint"] == "alap", "constraint"] = ""
    if "type" in plain:
        plain["type"] = plain["type"].replace("TT_Rsrc", "TT_Task")
    return network.replace(
        tasks=plain,
        links=links[~links["task"].isin(begun)],
        fields=network.fields | {"use_expected_finish": "N"},
    )


def _seconds(time: Any) -> int | None:
    return None if pd.isna(time) else int(pd.Timestamp(time).timestamp())


def _index(
    network: Network, finish: int, target: int | None, least: float = 0.0
) -> Measure:
    """Return (length + float) / length from the data date, in days of the project."""
    clock, day = network.clock(), network.hours_per_day * 3600
    start = int(pd.Timestamp(network.data_date).timestamp())
    length = max(clock.between(start, finish) / day, least)
    if length <= 0 or target is None:
        return NOT_ASSESSED._replace(note="Nothing is open, or no date to measure by.")
    whole = length + clock.between(finish, target) / day
    return Measure(round(whole, 6), round(length, 6), (), round(whole / length, 3))


class PyP6Xer(Counting):
    """PyP6XER 1.16: everything counts, whatever its kind and progress.

    It counts over all projects of a file at once; here it is one project. Points 12 and
    14 it does not have, 13 is the number of critical activities.
    """

    def __init__(self, sample: Sample) -> None:
        super().__init__(sample)
        self.open = np.ones(len(sample.tasks), dtype=bool)
        self.work = self.open
        self.whole = len(sample.tasks)

    @property
    def links(self) -> pd.DataFrame:
        """Take every link."""
        return self.sample.links

    def logic(self) -> Measure:
        """Count every missing end: an activity without any link counts twice."""
        links = self.sample.links
        index = self.sample.tasks.index
        inside = links[links["requires_project"] == ""]
        found = [
            *self.sample.ids(~index.isin(set(inside["requires"]))),
            *self.sample.ids(~index.isin(set(links["task"]))),
        ]
        return counted(found, self.whole)

    def constraints(self) -> Measure:
        """Look for Mandatory Finish alone."""
        hard = self.sample.tasks["constraint"] == "must_finish_on"
        return counted(self.sample.ids(hard), self.whole)

    def high_float(self) -> Measure:
        """Count every float above 0."""
        return counted(self.sample.ids(self.sample.stored_float_h > 0), self.whole)

    def negative_float(self) -> Measure:
        """Take the stored float."""
        return counted(self.sample.ids(self.sample.stored_float_h < 0), self.whole)

    def durations(self) -> Measure:
        """Count what takes more than a day."""
        days = self.sample.tasks["duration_h"].to_numpy() / self.sample.day_h
        return counted(self.sample.ids(days > 1), self.whole)

    def invalid_dates(self) -> Measure:
        """Count every wrong date by the clock, early dates of what is done too."""
        tasks, now = self.sample.tasks, pd.Timestamp(self.sample.data_date)
        masks = [
            tasks["actual_finish"] > now,
            tasks["actual_start"] > now,
            tasks["early_start"] < now,
            tasks["early_finish"] < now,
        ]
        found = [name for mask in masks for name in self.sample.ids(mask)]
        return counted(found, self.whole)

    def resources(self) -> Measure:
        """Count milestones too, and expenses not."""
        assigned = set(self.sample.network.assignments["task"])
        lone = ~self.sample.tasks.index.isin(assigned)
        return counted(self.sample.ids(lone), self.whole)

    def missed(self) -> Measure:
        """Count actual and early finishes after the planned one, both of one task."""
        tasks = self.sample.tasks
        planned = tasks.get("planned_finish", self.due_from)
        masks = [tasks["actual_finish"] > planned, tasks["early_finish"] > planned]
        found = [name for mask in masks for name in self.sample.ids(mask)]
        return counted(found, self.whole)

    def length_index(self) -> Measure:
        """Count the activities with a stored float of at most 0."""
        return counted(self.sample.ids(self.sample.stored_float_h <= 0), self.whole)

    def critical_path_test(self) -> Measure:
        """Return nothing: it has no such point."""
        return Measure(np.nan, np.nan, note="It does not assess this point.")

    execution_index = critical_path_test
