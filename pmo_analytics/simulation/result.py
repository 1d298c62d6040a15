"""Simulation: many futures of one plan, and the tables that they give."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pmo_analytics.clock import format_period, offsets_from
from pmo_analytics.errors import ConfigError
from pmo_analytics.facts import Facts, facts_html, result_html, table_html
from pmo_analytics.formats import text_of
from pmo_analytics.uncertainty import QUANTILES, TOLERANCE, Forecast

if TYPE_CHECKING:
    from pmo_analytics.plan import Plan
    from pmo_analytics.uncertainty import Uncertainty

OUTCOMES = ("value", "finish", "overload")
TORNADO_COLUMNS = (
    "outcome",
    "kind",
    "source",
    "low",
    "high",
    "swing",
    "se",
    "share",
)
# What comes or does not come, rather than being more or less.
_EVENTS = ("driver", "win")


@dataclass(frozen=True, eq=False)
class Simulation:
    """Many futures of one plan.

    Every `se` is a Monte Carlo standard error, from the spread between blocks of draws
    that know nothing of each other.

    Parameters
    ----------
    plan, uncertainty, seed, method
        What was simulated, and how.
    headroom
        Futures of headroom by role and period; its `parts` are capacity and load.
    value_draws, overload_draws
        Worth of the plan, currency, and all overload inside the horizon, FTE-periods,
        in each draw.
    start_draws, finish_draws, won_draws
        (draws, projects) in the order of `plan.starts`: first and last period, counted
        from the first of the horizon, and whether the project takes place.
    blocks
        Sizes of the blocks.
    notes
        What was assumed, for a reader to judge.
    """

    plan: Plan
    uncertainty: Uncertainty
    seed: int
    method: str
    headroom: Forecast
    value_draws: np.ndarray
    overload_draws: np.ndarray
    start_draws: np.ndarray
    finish_draws: np.ndarray
    won_draws: np.ndarray
    blocks: tuple[int, ...]
    notes: tuple[str, ...] = ()
    _critical: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)), repr=False)
    _pushes: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)), repr=False)
    _sources: list[tuple[str, str]] = field(default_factory=list, repr=False)
    _levels: list[np.ndarray] = field(default_factory=list, repr=False)

    @property
    def draws(self) -> int:
        """How many futures."""
        return len(self.value_draws)

    @property
    def capacity(self) -> Forecast:
        """Futures of capacity by role and period."""
        return self.headroom.parts[0]

    @property
    def load(self) -> Forecast:
        """Futures of load by role and period."""
        return self.headroom.parts[1]

    @property
    def last_draws(self) -> np.ndarray:
        """Last period of the plan in each draw, -1 where nothing takes place."""
        ends = np.where(self.won_draws, self.finish_draws, -1)
        return np.asarray(ends.max(axis=1, initial=-1))

    @property
    def p_overload(self) -> pd.DataFrame:
        """Chance that load exceeds capacity, period x role, 0-1."""
        return self.headroom.p_overload

    @property
    def expected_overload(self) -> pd.DataFrame:
        """Mean FTE missing, counting 0 where nothing is, period x role."""
        return self.headroom.expected_overload

    def grids(self, quantity: str = "load") -> pd.DataFrame:
        """Return quantiles of a quantity, (quantile, period) x role, FTE.

        Parameters
        ----------
        quantity
            `load`, `capacity` or `headroom`. Cell by cell: all cells at their p80
            together are far less likely.
        """
        known = {"load": self.load, "capacity": self.capacity}
        futures = {**known, "headroom": self.headroom}.get(quantity)
        if futures is None:
            raise ConfigError(
                f"quantity is load, capacity or headroom, not {quantity!r}."
            )
        return pd.concat(
            {name: futures.grid(name) for name in QUANTILES}, names=["quantile"]
        )

    @property
    def _spans(self) -> list[slice]:
        edges = np.cumsum([0, *self.blocks]).tolist()
        return [slice(a, b) for a, b in pairwise(edges)]

    def _with_se(self, function: Any, *arrays: np.ndarray) -> tuple[Any, Any]:
        """Return a statistic over the first axis, and its error between blocks."""
        whole = function(*arrays)
        each = np.stack(
            [function(*(array[span] for array in arrays)) for span in self._spans]
        )
        error = each.std(axis=0, ddof=1) / np.sqrt(len(each))
        # Equal numbers may differ by how they were added up.
        return whole, np.where(error > 1e-12 * np.abs(whole), error, 0.0)

    @cached_property
    def finish(self) -> pd.DataFrame:
        """When each project of the plan ends.

        `project, name, theme`; `p_win`, chance that it takes place; planned `start`
        and `finish`; of the draws in which it takes place: `p50` and `p80` (periods by
        whose end it is over with that chance) with `p50_se, p80_se` (periods), `late`
        (mean periods later than planned); `deadline`, and `p_deadline`, the chance to
        meet it, with `p_deadline_se`, blank without one.
        """
        portfolio = self.plan.portfolio
        rows = self.plan.schedule[["project"]].copy()
        facts = portfolio.projects.set_index("project").loc[rows["project"]]
        for column in ("name", "theme"):
            rows[column] = facts[column].to_numpy()
        rows["p_win"] = self.won_draws.mean(axis=0)
        rows["start"] = self.plan.schedule["start"]
        rows["finish"] = self.plan.schedule["finish"]
        first, freq = portfolio.horizon[0].ordinal, portfolio.freq
        for name, share in (("p50", 0.5), ("p80", 0.8)):
            found, error = self._with_se(
                lambda end, won, share=share: _quantile_of_won(end, won, share),
                self.finish_draws,
                self.won_draws,
            )
            ordinals = np.where(np.isnan(found), 0, found).astype(np.int64) + first
            dates = pd.PeriodIndex.from_ordinals(ordinals, freq=freq)
            rows[name] = dates.where(~np.isnan(found))
            rows[f"{name}_se"] = error
        planned = offsets_from(rows["finish"], portfolio.horizon)
        count = self.won_draws.sum(axis=0)
        total = np.where(self.won_draws, self.finish_draws, 0).sum(axis=0)
        rows["late"] = np.where(count, total / np.maximum(count, 1), np.nan) - planned
        rows["deadline"] = facts["deadline"].to_numpy()
        rows["deadline"] = rows["deadline"].astype(portfolio.projects["deadline"].dtype)
        limit = offsets_from(rows["deadline"], portfolio.horizon)
        met, error = self._with_se(
            lambda end, won: _share_of_won(end <= limit, won),
            self.finish_draws,
            self.won_draws,
        )
        rows["p_deadline"] = np.where(np.isnan(limit), np.nan, met)
        rows["p_deadline_se"] = np.where(np.isnan(limit), np.nan, error)
        return rows

    @cached_property
    def overload(self) -> pd.DataFrame:
        """Load and overload of every role and period.

        `role, period`; `capacity` (mean FTE); `load_p50, load_p80` (FTE); `p_overload`
        (0-1) and `expected_overload` (mean FTE missing, 0 where nothing is), each but
        the capacity with its `_se`.
        """
        futures = self.headroom
        periods, roles = futures.periods, futures.roles
        count = len(periods)
        columns: dict[str, Any] = {
            "role": np.repeat(np.array(roles, dtype=object), count),
            "period": periods.append([periods] * (len(roles) - 1))
            if roles
            else periods[:0],
            "capacity": self.capacity.draws.mean(axis=0, dtype=float).T.ravel(),
        }
        missing = futures.draws
        measures: dict[str, tuple[Any, np.ndarray]] = {
            "load_p50": (lambda x: np.quantile(x, 0.5, axis=0), self.load.draws),
            "load_p80": (lambda x: np.quantile(x, 0.8, axis=0), self.load.draws),
            "p_overload": (lambda x: (x < -TOLERANCE).mean(axis=0), missing),
            "expected_overload": (
                lambda x: np.maximum(-x, 0.0).mean(axis=0, dtype=float),
                missing,
            ),
        }
        for name, (function, array) in measures.items():
            found, error = self._with_se(function, array)
            columns[name] = found.T.ravel().astype(float)
            columns[f"{name}_se"] = error.T.ravel().astype(float)
        return pd.DataFrame(columns)

    @cached_property
    def value(self) -> pd.DataFrame:
        """What the plan is worth: `quantile, value, se`, currency.

        Rows `planned` (its objective, for certain), `mean`, `p10`, ... `p90`.
        """
        rows: list[tuple[str, float, float]] = [
            ("planned", self.plan.objective, float("nan"))
        ]
        functions: dict[str, Any] = {"mean": np.mean}
        for name in QUANTILES:
            share = int(name[1:]) / 100.0
            functions[name] = lambda x, share=share: np.quantile(x, share)
        for name, function in functions.items():
            found, error = self._with_se(function, self.value_draws)
            rows.append((name, float(found), float(error)))
        return pd.DataFrame(rows, columns=["quantile", "value", "se"])

    @property
    def means(self) -> dict[str, float]:
        """Mean of each outcome of the tornado."""
        return {name: float(draws.mean()) for name, draws in self._outcomes.items()}

    @property
    def _outcomes(self) -> dict[str, np.ndarray]:
        return {
            "value": self.value_draws,
            "finish": self.last_draws + 1,
            "overload": self.overload_draws,
        }

    @property
    def value_curve(self) -> pd.DataFrame:
        """Distribution of the value: `value` (currency) and the `chance` of less."""
        count = self.draws
        chance = (np.arange(count) + 0.5) / count
        return pd.DataFrame({"value": np.sort(self.value_draws), "chance": chance})

    @property
    def effort_curve(self) -> pd.DataFrame:
        """Work of all roles from the first period on, cumulated, FTE-periods.

        Index `period`; columns `planned`, `mean`, `p10` ... `p90`.
        """
        table = self.plan.load.sum(axis=1).cumsum().to_frame("planned")
        done = self.load.draws.sum(axis=2, dtype=float).cumsum(axis=1)
        table["mean"] = done.mean(axis=0)
        for name in QUANTILES:
            table[name] = np.quantile(done, int(name[1:]) / 100.0, axis=0)
        return table

    @cached_property
    def criticality(self) -> pd.DataFrame:
        """How often each project decides dates of others, most first.

        `project, name`; `critical`, share of the draws in which the last finish of the
        plan is its own or would come later if it did; `pushes`, share in which it makes
        a project that waits for it start later than planned; each with `_se`.
        """
        rows = self.plan.schedule[["project"]].copy()
        facts = self.plan.portfolio.projects.set_index("project")
        rows["name"] = facts.loc[rows["project"], "name"].to_numpy()
        for name, array in (("critical", self._critical), ("pushes", self._pushes)):
            found, error = self._with_se(lambda x: x.mean(axis=0), array)
            rows[name], rows[f"{name}_se"] = found, error
        return rows.sort_values(
            ["critical", "pushes"], ascending=False, kind="stable"
        ).reset_index(drop=True)

    @cached_property
    def tornado(self) -> pd.DataFrame:
        """What moves the outcomes, the largest swing of each first.

        `outcome` (`value`, currency; `finish`, periods after the first of the horizon;
        `overload`, FTE-periods); `kind` (`driver`, or a project's own `win`, `overrun`
        as of finished projects, `duration`, `demand`, `value`, or of a role `capacity`,
        `attrition`) and `source`; `low` and `high`, mean outcome in the third of the
        draws where it is lowest and highest, of drivers and wins where it did not come
        and where it did;
        `swing = high - low` with its `se` (a swing below two or three of them is
        noise); and `share` of the outcome's variance that it explains alone.
        """
        columns = list(TORNADO_COLUMNS)
        if not self._sources:
            return pd.DataFrame(columns=columns)
        blocks = np.stack(self._levels)
        total = blocks.sum(axis=0)
        events = np.array([kind in _EVENTS for kind, _ in self._sources])
        tables = []
        for k, (name, draws) in enumerate(self._outcomes.items(), start=1):
            low, high = _ends(total[:, 0], total[:, k], events)
            each = [_ends(block[:, 0], block[:, k], events) for block in blocks]
            table = pd.DataFrame(self._sources, columns=["kind", "source"])
            table.insert(0, "outcome", name)
            table["low"], table["high"], table["swing"] = low, high, high - low
            table["se"] = _error([above - below for below, above in each])
            table["share"] = _explained(total[:, 0], total[:, k], draws)
            tables.append(table[table["swing"].notna()])
        table = pd.concat(tables, ignore_index=True)
        table["swing"] = table["swing"].where(table["swing"].abs() > 1e-9, 0.0)
        order = table.assign(
            place=table["outcome"].map(OUTCOMES.index), size=-table["swing"].abs()
        ).sort_values(["place", "size"], kind="stable")
        return order[columns].reset_index(drop=True)

    def summary(self) -> pd.Series[Any]:
        """Return the answer in a few lines, a labelled Series for reading."""
        value = self.value.set_index("quantile")["value"]
        facts: dict[str, Any] = {
            "portfolio": self.plan.portfolio.name,
            "draws": self.draws,
            "planned value": round(value["planned"], 2),
            "mean value": round(value["mean"], 2),
            "value p10 .. p90": f"{value['p10']:,.0f} .. {value['p90']:,.0f}",
        }
        if len(self.finish):
            for name, share in (("p50", 0.5), ("p80", 0.8)):
                last = np.quantile(self.last_draws, share, method="inverted_cdf")
                at = int(last)
                period = self.plan.portfolio.horizon[0] + at
                facts[f"last finish {name}"] = format_period(period)
        table = self.overload
        if len(table):
            worst = table.loc[table["p_overload"].idxmax()]
            facts["highest chance of overload"] = (
                f"{worst['p_overload']:.0%} ({worst['role']}, "
                f"{format_period(worst['period'])})"
            )
        facts["mean overload, FTE-periods"] = round(
            float(self.overload_draws.mean()), 3
        )
        facts["chance of any overload"] = round(
            float((self.overload_draws > TOLERANCE).mean()), 4
        )
        return Facts(facts, name="simulation", dtype=object)

    def __repr__(self) -> str:
        return f"<Simulation>\n{self.summary()}"

    def _proof(self) -> pd.Series[Any]:
        """Return how good the plan is, where an optimizer made it."""
        report = self.plan.report
        facts: dict[str, Any] = {}
        if report is not None:
            facts["plan's status"] = str(report.status)
            facts["plan's bound"] = report.bound
            facts["plan's gap"] = text_of(report.gap, "ratio")
            facts["plan is certified"] = report.certified
        return pd.Series(facts, dtype=object)

    def _repr_html_(self) -> str:
        shown = ["project", "name", "finish", "p50", "p80", "deadline", "p_deadline"]
        return result_html(
            f"{self.draws:,} futures of a plan",
            facts_html(pd.concat([self.summary(), self._proof()])),
            table_html(self.finish[shown]),
            notes=self.notes,
            notes_title="What was assumed:",
        )


def _quantile_of_won(end: np.ndarray, won: np.ndarray, share: float) -> np.ndarray:
    """Return the smallest end that so many of the won draws do not exceed."""
    ranked = np.sort(np.where(won, end, np.iinfo(np.int32).max), axis=0)
    count = won.sum(axis=0)
    at = np.maximum(np.ceil(share * count - 1e-9).astype(np.int64) - 1, 0)
    found = ranked[at, np.arange(end.shape[1])].astype(float)
    return np.where(count > 0, found, np.nan)


def _share_of_won(met: np.ndarray, won: np.ndarray) -> np.ndarray:
    count = won.sum(axis=0)
    met = (met & won).sum(axis=0)
    return np.where(count > 0, met / np.maximum(count, 1), np.nan)


def _error(each: list[np.ndarray]) -> np.ndarray:
    """Return the error of a mean from what blocks say; of one block nothing."""
    values = np.stack(each)
    count = (~np.isnan(values)).sum(axis=0)
    mean = np.nansum(values, axis=0) / np.maximum(count, 1)
    squares = np.nansum((values - mean) ** 2, axis=0)
    return np.where(
        count > 1, np.sqrt(squares / np.maximum(count - 1, 1) / count.clip(1)), np.nan
    )


def _explained(weight: np.ndarray, sums: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """Return the share of the variance between the levels of each source.

    The main effect of variance-based sensitivity analysis (Saltelli et al., Global
    Sensitivity Analysis, 2008), from class means; what mere chance puts between the
    means of classes is taken off.
    """
    variance = float(np.var(draws))
    if variance <= 0:
        return np.zeros(len(weight))
    share = weight / len(draws)
    apart = _middle(weight, sums) - draws.mean()
    raw = (share * apart**2).sum(axis=1) / variance
    chance = ((weight > 0).sum(axis=1) - 1) / len(draws)
    return np.clip(raw - chance * (1.0 - raw), 0.0, 1.0)


def _middle(weight: np.ndarray, sums: np.ndarray) -> np.ndarray:
    return np.divide(sums, weight, out=np.zeros_like(sums), where=weight > 0)


def _ends(
    weight: np.ndarray, sums: np.ndarray, events: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean outcome at the low and at the high end of each source.

    Parameters
    ----------
    weight, sums
        Draws, and the sum of the outcome over them, by source and level.
    events
        Which sources come or do not come.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        low = np.where(events, sums[:, 0] / weight[:, 0], _third(weight, sums))
        came = sums[:, 1:].sum(axis=1) / weight[:, 1:].sum(axis=1)
        high = np.where(events, came, _third(weight[:, ::-1], sums[:, ::-1]))
    return low, high


def _third(weight: np.ndarray, sums: np.ndarray) -> np.ndarray:
    """Return the mean outcome in the first third of the draws, by classes."""
    before = np.cumsum(weight, axis=1) - weight
    third = weight.sum(axis=1, keepdims=True) / 3.0
    part = np.clip(third - before, 0.0, weight)
    return np.asarray((part * _middle(weight, sums)).sum(axis=1) / part.sum(axis=1))
