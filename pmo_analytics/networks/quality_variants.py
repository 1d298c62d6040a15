"""The 14 points as other engines count them, for people who compare the numbers.

What differs, and why, stands in the documentation; only counts are reproduced.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from pmo_analytics.errors import DataError
from pmo_analytics.networks.floats import critical_path
from pmo_analytics.networks.network import Network
from pmo_analytics.networks.quality_points import (
    HIGH_DAYS,
    Counting,
    Mask,
    Measure,
    Sample,
    counted,
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
    def own_float_h(self) -> Any:
        """Return floats of the network as that engine reads it."""
        tasks = self.sample.tasks
        try:
            frame = critical_path(_as_longpath_reads(self.sample.network))
        except DataError:
            return self.sample.stored_float_h
        return frame["total_float_h"].reindex(tasks.index).to_numpy()

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
