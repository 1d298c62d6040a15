"""Distributions of factors, and what finished work of the same class really took.

Every distribution is read at uniform numbers (`ppf`), so that one Latin hypercube or
Sobol sequence serves all of them. Factors multiply what is planned: 1 is as planned.

Reference classes after Flyvbjerg (Project Management Journal 37(3), 2006): ratios are
drawn as they happened, never averaged, because overruns of IT work have fat tails
(Flyvbjerg, Budzier et al., Journal of Management Information Systems 39(3), 2022).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pmo_analytics.errors import ConfigError

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio

# Standard normal quantile at 80 %.
_Z80 = 0.8416212335729143
# Points at which a PERT distribution is worked out; between them it is a line.
_POINTS = 4097


def _in_order(kind: str, *numbers: float) -> None:
    given = ", ".join(f"{n:g}" for n in numbers)
    if not all(np.isfinite(numbers)) or min(numbers) < 0:
        raise ConfigError(f"{kind}: factors are numbers of at least 0, not {given}.")
    if list(numbers) != sorted(numbers):
        raise ConfigError(f"{kind}: {given} have to be in increasing order.")


@dataclass(frozen=True)
class Fixed:
    """Always the same factor.

    Parameters
    ----------
    value
        At least 0.
    """

    value: float = 1.0

    def __post_init__(self) -> None:
        _in_order("fixed", self.value)

    def ppf(self, u: np.ndarray) -> np.ndarray:
        """Return the factor at each uniform number."""
        return np.full(np.shape(u), float(self.value))

    @property
    def mean(self) -> float:
        """Expected factor."""
        return float(self.value)


@dataclass(frozen=True)
class Uniform:
    """Any factor between two, one as likely as the other.

    Parameters
    ----------
    low, high
        Smallest and largest factor.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        _in_order("uniform", self.low, self.high)

    def ppf(self, u: np.ndarray) -> np.ndarray:
        """Return the factor at each uniform number."""
        return np.asarray(self.low + (self.high - self.low) * np.asarray(u))

    @property
    def mean(self) -> float:
        """Expected factor."""
        return (self.low + self.high) / 2.0


@dataclass(frozen=True)
class Triangular:
    """Smallest, most likely and largest factor, straight lines between them.

    Parameters
    ----------
    low, mode, high
        In increasing order.
    """

    low: float
    mode: float
    high: float

    def __post_init__(self) -> None:
        _in_order("triangular", self.low, self.mode, self.high)

    def ppf(self, u: np.ndarray) -> np.ndarray:
        """Return the factor at each uniform number."""
        u = np.asarray(u, dtype=float)
        width = self.high - self.low
        if width <= 0:
            return np.full(u.shape, float(self.low))
        rising = self.low + np.sqrt(u * width * (self.mode - self.low))
        falling = self.high - np.sqrt((1.0 - u) * width * (self.high - self.mode))
        return np.where(u * width < self.mode - self.low, rising, falling)

    @property
    def mean(self) -> float:
        """Expected factor."""
        return (self.low + self.mode + self.high) / 3.0


@dataclass(frozen=True)
class Pert:
    """Smallest, most likely and largest factor as a beta distribution (PERT).

    Malcolm, Roseboom, Clark and Fazar (Operations Research 7(5), 1959): the most likely
    value weighs four times as much as each end, so the mean is
    `(low + 4 mode + high) / 6`.

    Parameters
    ----------
    low, mode, high
        In increasing order.
    weight
        Of the most likely value.
    """

    low: float
    mode: float
    high: float
    weight: float = 4.0

    def __post_init__(self) -> None:
        _in_order("pert", self.low, self.mode, self.high)
        if not 0 < self.weight < 1000:
            raise ConfigError(f"pert: weight is above 0, not {self.weight:g}.")

    def ppf(self, u: np.ndarray) -> np.ndarray:
        """Return the factor at each uniform number."""
        u = np.asarray(u, dtype=float)
        width = self.high - self.low
        if width <= 0:
            return np.full(u.shape, float(self.low))
        grid, values = _beta(
            1.0 + self.weight * (self.mode - self.low) / width,
            1.0 + self.weight * (self.high - self.mode) / width,
        )
        return self.low + width * np.interp(np.arcsin(np.sqrt(u)), grid, values)

    @property
    def mean(self) -> float:
        """Expected factor."""
        total = self.low + self.weight * self.mode + self.high
        return total / (self.weight + 2.0)


@cache
def _beta(a: float, b: float) -> tuple[np.ndarray, np.ndarray]:
    """Return quantiles of a beta distribution, dense where its tails are.

    Worked out once and interpolated: millions of them are read.
    """
    from scipy.special import betaincinv

    grid = np.linspace(0.0, np.pi / 2.0, _POINTS)
    return grid, betaincinv(a, b, np.sin(grid) ** 2)


@dataclass(frozen=True)
class Lognormal:
    """A factor without an upper end: half the time below p50, 80 % below p80.

    Parameters
    ----------
    p50, p80
        Median and 80th percentile, above 0.
    """

    p50: float
    p80: float

    def __post_init__(self) -> None:
        _in_order("lognormal", self.p50, self.p80)
        if self.p50 <= 0:
            raise ConfigError("lognormal: p50 lies above 0.")

    @classmethod
    def from_mean(cls, mean: float, sd: float) -> Lognormal:
        """Return the distribution with a mean and a standard deviation."""
        if not (mean > 0 and sd >= 0):
            raise ConfigError("lognormal: mean lies above 0 and sd is at least 0.")
        variance = np.log1p((sd / mean) ** 2)
        p50 = mean * np.exp(-variance / 2.0)
        return cls(float(p50), float(p50 * np.exp(_Z80 * np.sqrt(variance))))

    @property
    def _sigma(self) -> float:
        return float(np.log(self.p80 / self.p50) / _Z80)

    def ppf(self, u: np.ndarray) -> np.ndarray:
        """Return the factor at each uniform number."""
        from scipy.special import ndtri

        u = np.clip(u, 1e-12, 1.0 - 1e-12)
        return np.asarray(self.p50 * np.exp(self._sigma * ndtri(u)))

    @property
    def mean(self) -> float:
        """Expected factor."""
        return float(self.p50 * np.exp(self._sigma**2 / 2.0))


@dataclass(frozen=True)
class Empirical:
    """Factors as they happened, one as likely as the other.

    Parameters
    ----------
    values
        At least one.
    """

    values: tuple[float, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", tuple(sorted(map(float, self.values))))
        if not self.values:
            raise ConfigError("empirical: at least one value is needed.")
        _in_order("empirical", *self.values)

    def ppf(self, u: np.ndarray) -> np.ndarray:
        """Return the factor at each uniform number."""
        at = (np.asarray(u) * len(self.values)).astype(np.int64)
        return np.array(self.values)[np.minimum(at, len(self.values) - 1)]

    @property
    def mean(self) -> float:
        """Expected factor."""
        return float(np.mean(self.values))


@dataclass(frozen=True)
class Reference:
    """What finished projects really took against their first plan.

    The ratios come from the portfolio's own `baselines` and `actuals`; those of the
    same theme weigh more the more of them there are.
    """


type Distribution = (
    Fixed | Uniform | Triangular | Pert | Lognormal | Empirical | Reference
)
KINDS: dict[str, type] = {
    "fixed": Fixed,
    "uniform": Uniform,
    "triangular": Triangular,
    "pert": Pert,
    "lognormal": Lognormal,
    "empirical": Empirical,
    "reference": Reference,
}

# ---------------------------------------------------------------- reference classes

# So many finished projects of its own make a class count as much as all the others.
_SHRINK = 8.0
# Ratios are cut here, with a note: one data error must not rule the tail.
_LEAST_RATIO, _MOST_RATIO = 0.25, 5.0


@dataclass(frozen=True)
class Overruns:
    """Ratios of finished projects, each with its class.

    Attributes
    ----------
    duration, effort
        Real by first planned; one row a project.
    slip
        Periods that it began later than first planned.
    themes
        Class of each project.
    """

    duration: np.ndarray
    effort: np.ndarray
    slip: np.ndarray
    themes: np.ndarray
    note: str = ""

    def rows(self, theme: object, u: np.ndarray) -> np.ndarray:
        """Return row numbers at uniform numbers, from short to long durations.

        A row of the same class weighs more, and the more so the larger the class: it
        is shrunk to all finished projects.
        """
        own = np.array([known == theme for known in self.themes], dtype=bool)
        share = own.sum() / (own.sum() + _SHRINK)
        weight = np.full(len(own), (1.0 - share) / len(own))
        if own.any():
            weight[own] += share / own.sum()
        order = np.argsort(self.duration, kind="stable")
        edges = np.cumsum(weight[order])
        at = np.searchsorted(edges, u, side="right")
        return np.asarray(order[np.minimum(at, len(own) - 1)])


def read_overruns(portfolio: Portfolio) -> Overruns:
    """Return the overruns of the finished projects that have a baseline.

    The first baseline of each is what it is held against. Effort is that of `actuals`
    in hours; without any of a project its effort went as its duration did.
    """
    done = portfolio.projects[portfolio.projects["status"] == "done"]
    base = portfolio.baselines.sort_values("set_on", na_position="first")
    base = base.drop_duplicates("project", keep="first").set_index("project")
    hours = portfolio.actuals.groupby("project")["hours"].sum()
    rows = []
    for project in done.itertuples():
        if project.project not in base.index:
            continue
        plan = base.loc[project.project]
        if not plan["duration"] > 0 or pd.isna(project.duration):
            continue
        ended = pd.isna(project.start) or (
            project.start + int(project.duration) <= portfolio.horizon[0]
        )
        if not ended:  # nobody could know yet how it would end
            continue
        ratio = float(project.duration) / float(plan["duration"])
        spent = float(hours.get(project.project, 0.0))
        effort = (
            spent / float(plan["effort"]) if spent and plan["effort"] > 0 else ratio
        )
        slip = 0
        if pd.notna(project.start) and pd.notna(plan["start"]):
            slip = (project.start - plan["start"]).n
        rows.append((ratio, effort, slip, project.theme))
    if not rows:
        return Overruns(
            np.ones(1),
            np.ones(1),
            np.zeros(1, dtype=np.int64),
            np.array([None], dtype=object),
            "No finished project has a baseline: projects are forecast as planned, "
            "without overruns.",
        )
    columns = list(zip(*rows, strict=True))
    few = f"Overruns come from {len(rows)} finished projects."
    ratios = np.array(columns[:2], dtype=float)
    cut = int(((ratios < _LEAST_RATIO) | (ratios > _MOST_RATIO)).any(axis=0).sum())
    if cut:
        few += (
            f" Of {cut} of them a ratio of real to planned lies outside "
            f"{_LEAST_RATIO:g}-{_MOST_RATIO:g} and is cut there: look at the baselines."
        )
    return Overruns(
        np.clip(columns[0], _LEAST_RATIO, _MOST_RATIO),
        np.clip(columns[1], _LEAST_RATIO, _MOST_RATIO),
        np.array(columns[2], dtype=np.int64),
        np.array(columns[3], dtype=object),
        few,
    )
