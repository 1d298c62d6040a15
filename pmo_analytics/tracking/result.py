"""A status: what it holds, and how it is summed up and shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from pmo_analytics.errors import ConfigError
from pmo_analytics.facts import Facts, facts_html, result_html, table_html
from pmo_analytics.portfolio import Portfolio
from pmo_analytics.tracking.earned.curves import (
    Told,
    counted_in,
    curve_of,
    sums_of,
)
from pmo_analytics.tracking.earned.promises import Promises
from pmo_analytics.tracking.judging.milestones import on_time_rate
from pmo_analytics.tracking.judging.rag import Rule


@dataclass(frozen=True)
class Status:
    """How the running projects are doing on a day.

    Attributes
    ----------
    portfolio
        What it was worked out from; rows that could not be used are not in it.
    as_of
        The day.
    table
        Index `project`, of the projects that run: `cpi, spi, spi_t`, `eac` (BAC / CPI),
        `eac_p50, eac_p80` (currency), `finish_p50, finish_p80` (days), `p_late, p_over`
        (0 to 1), `rag` (green, amber, red; blank = nothing is known), `reason` and
        `age_days` of the newest report. Blank where something is not known.
    indicators
        Index `project`: the same with all it came from: who leads it, what was
        reported, PV, EV, AC, BAC, earned schedule in periods, limits of CPI and SPI(t)
        (Lipke et al. 2009), `finish` (start + IEAC(t)), `baseline_finish` (promised),
        `planned_finish` (start and duration of today), milestones, colours by
        dimension, and `notes`: what could not be worked out.
    colours
        Index `project`, a column an indicator that has a rule: its colour.
    milestones
        Every milestone as it stood; see `milestone_status`.
    history
        Every report by the day, oldest first: the indicators then, `rag` by the same
        rules (of the newest that of the day itself) and `reported` by a human.
    left_out
        Problems table of the rows that could not be used.
    notes
        What is to be known of the whole.
    changes
        What changed since a day that was named; None = none was.
    rules
        Of the colours.
    ranges
        One row a project and method: `project, method` (`earned_value,
        reference_class, throughput, sprints, simulation`), `eac_p50, eac_p80`
        (currency), `finish_p50, finish_p80` (days).
    record
        How right each method has been on finished projects; see `Ranges`.
    sprints
        One row a running sprint: `team, sprint, elapsed, seen, committed, done,
        p_short, low, high`; see `running_sprints`.
    """

    portfolio: Portfolio
    as_of: pd.Timestamp
    table: pd.DataFrame
    indicators: pd.DataFrame
    colours: pd.DataFrame
    milestones: pd.DataFrame
    history: pd.DataFrame
    left_out: pd.DataFrame
    notes: tuple[str, ...]
    changes: pd.DataFrame | None
    rules: tuple[Rule, ...]
    unit: str
    ranges: pd.DataFrame
    record: pd.DataFrame
    sprints: pd.DataFrame

    @property
    def frame(self) -> pd.DataFrame:
        """The same as `table`."""
        return self.table

    @property
    def unit_name(self) -> str:
        """Hours, or the name of the currency."""
        if self.unit == "hours":
            return "hours"
        return self.portfolio.settings.currency or "of money"

    def by(self, column: str = "program") -> pd.DataFrame:
        """Return earned value by a column of `projects`, and of all of them.

        Parameters
        ----------
        column
            `program`, `theme`, `manager`, ...

        Returns
        -------
        DataFrame
            Index the words of the column, the last row `all`: `projects, red, amber,
            green`, sums of PV, EV, AC and BAC with the indicators of `earned_value`,
            and `spi_t`, earned time over time gone by weighed by budget. Projects of
            which anything is unknown are not in the sums; `not_counted` says how many.
            What has not begun by the dates of today counts, with 0 earned and spent.

        Raises
        ------
        ConfigError
            If the column is unknown.
        """
        if column not in self.portfolio.projects:
            raise ConfigError(f"The table projects has no column '{column}'.")
        words = self.portfolio.projects.set_index("project")[column]
        return sums_of(self.indicators, words.reindex(self.table.index))

    def curve(self, project: str | Sequence[str] | None = None) -> pd.DataFrame:
        """Return planned value, earned value and actual cost by period, cumulative.

        Parameters
        ----------
        project
            One, or several together; None = all running projects.

        Returns
        -------
        DataFrame
            Index PeriodIndex, columns `pv, ev, ac, cpi, spi_t`. PV is that at the end
            of a period, the others what the newest reports by then said; they end with
            `as_of`. Of several projects those are in it that are in the sums of `by`
            (`left_off` names the others), so the last EV and AC are those of `by`, as
            is PV where `as_of` ends a period and every report is of that day: the PV of
            `by` is that on the days of the reports, against which EV is held.
        """
        every = self.table.index if project is None else project
        names = [every] if isinstance(every, str) else list(every)
        unknown = [n for n in names if n not in self.table.index]
        if unknown:
            raise ConfigError(f"'{unknown[0]}' is not among the running projects.")
        if len(names) != 1:
            apart = self.left_off(names)
            # Where nothing is known of any, what was planned is still something.
            names = [n for n in names if n not in apart] or names
        return curve_of(
            self._promises,
            self._told,
            names,
            self.as_of,
            self.unit,
            self.portfolio.freq,
        )

    def left_off(self, projects: Sequence[str] | None = None) -> tuple[str, ...]:
        """Return the projects that sums and curves of several leave off.

        Something of them is not known: planned value, earned value, actual cost or
        budget; `indicators` has it in `notes`.

        Parameters
        ----------
        projects
            None = all running projects.
        """
        counted = counted_in(self.indicators)
        counted = counted if projects is None else counted.loc[list(projects)]
        return tuple(map(str, counted.index[~counted]))

    @cached_property
    def _promises(self) -> Promises:
        """What was promised; a report asks for the curve of every project."""
        return Promises(self.portfolio, self.unit)

    @cached_property
    def _told(self) -> Told:
        """The history, and what is known of projects that have not begun."""
        rows = self.indicators[counted_in(self.indicators)]
        waiting = rows[~rows.index.isin(self.history["project"])].reset_index()
        history = self.history
        if len(waiting):
            known = waiting.reindex(columns=history.columns).dropna(axis=1, how="all")
            history = pd.concat([history, known], ignore_index=True)
        return Told(history, self.portfolio.freq)

    def summary(self) -> pd.Series[Any]:
        """Return the portfolio in a few labelled facts."""
        sums = self.by("program").loc["all"]
        counts = self.table["rag"].value_counts()
        reached, due = on_time_rate(self.milestones, self.as_of)
        return Facts(
            {
                "as of": f"{self.as_of:%Y-%m-%d}",
                "projects": len(self.table),
                **{f"  {c}": int(counts.get(c, 0)) for c in ("red", "amber", "green")},
                "  nothing known": int(self.table["rag"].isna().sum()),
                "CPI": _rounded(sums["cpi"]),
                "SPI(t)": _rounded(sums["spi_t"]),
                "budget": _rounded(sums["bac"], 0),
                "expected cost": _rounded(sums["eac"], 0),
                "milestones in time": f"{reached} of {due} due",
                "left out": len(self.left_out),
            },
            name="status",
            dtype=object,
        )

    def __repr__(self) -> str:
        return f"<Status {self.portfolio.name!r}>\n{self.summary()}"

    def _repr_html_(self) -> str:
        shown = self.table[["rag", "reason", "cpi", "spi_t", "age_days"]].reset_index()
        title = f"Status {self.portfolio.name} as of {self.as_of:%Y-%m-%d}"
        parts = (facts_html(self.summary()), table_html(shown))
        return result_html(title, *parts, notes=self.notes)


def _rounded(value: float, digits: int = 2) -> float | None:
    return None if pd.isna(value) else round(float(value), digits)
