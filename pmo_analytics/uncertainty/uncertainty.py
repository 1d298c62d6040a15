"""What is uncertain about a portfolio: factors, shared risk drivers, wins, leaving.

Factors multiply what the tables say. Who has none of their own is taken as planned.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pmo_analytics.errors import ConfigError, closest
from pmo_analytics.tables import STATUSES
from pmo_analytics.uncertainty.distributions import (
    KINDS,
    Distribution,
    Fixed,
    Reference,
    Triangular,
)

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio

QUANTITIES = ("duration", "demand", "value", "capacity")
DRIVER_COLUMNS = (
    "driver",
    "probability",
    "multiplies",
    "low",
    "mode",
    "high",
    "project",
    "theme",
    "role",
)
KEEPS = ("effort", "fte")
# What each quantity can be told apart by.
FILTERS = {
    "duration": ("project", "theme", "status"),
    "demand": ("project", "theme", "status"),
    "value": ("project", "theme", "status"),
    "capacity": ("role",),
}
# A reference class tells of these.
_REFERENCED = ("duration", "demand")
_AS_FINISHED, _AS_PLANNED = Reference(), Fixed()


@dataclass(frozen=True)
class Spread:
    """A distribution and what it holds for; blank = all.

    Parameters
    ----------
    distribution
        Of the factor.
    project, theme, status, role
        What it holds for: projects, or, of capacity, a role.
    """

    distribution: Distribution
    project: str = ""
    theme: str = ""
    status: str = ""
    role: str = ""


@dataclass(frozen=True, eq=False)
class Uncertainty:
    """What is uncertain, and how much.

    By default projects overrun as finished ones of the portfolio did, and candidates
    are won with their `probability`.

    Parameters
    ----------
    duration
        Factor on the duration, of a running project on what is left of it. One
        distribution for all, or several `Spread`s of which the last that fits counts.
    demand
        Factor on the FTE that a project asks for.
    value
        Factor on what a project is worth.
    capacity
        Factor on the FTE of a role, for the whole horizon.
    drivers
        Risks that strike several projects at once, so that they move together: one row
        for each thing that a driver multiplies. `driver`; `probability` that it comes
        (0-1, the same on all rows of a driver); `multiplies` (`duration`, `demand`,
        `value` or `capacity`); `low, mode, high`, the triangular factor if it comes;
        and filters `project`, `theme`, `role` (blank = all).
    attrition
        Share of the people of a role who leave in a period; a number, or role ->
        number. Nobody is replaced.
    wins
        Candidates that are not forced in are won with their `probability` (blank =
        certainly). What is lost uses nobody, is worth nothing, and takes with it what
        requires it.
    keep
        What an overrun does to the work: `effort` spreads it, `fte` asks for as many
        people at a time for longer.

    Raises
    ------
    ConfigError
        If a value cannot be used.

    Examples
    --------
    >>> import pmo_analytics as pmo
    >>> slower = pmo.uncertainty.Pert(0.9, 1.0, 1.8)
    >>> longer = pmo.Uncertainty(duration=slower, wins=False)
    >>> longer.spreads("duration")[0].distribution.mean
    1.1166666666666667
    """

    duration: Distribution | Sequence[Spread] = _AS_FINISHED
    demand: Distribution | Sequence[Spread] = _AS_FINISHED
    value: Distribution | Sequence[Spread] = _AS_PLANNED
    capacity: Distribution | Sequence[Spread] = _AS_PLANNED
    drivers: pd.DataFrame | None = None
    attrition: float | Mapping[str, float] = 0.0
    wins: bool = True
    keep: str = "effort"

    def __post_init__(self) -> None:
        wrong = [
            text
            for quantity in QUANTITIES
            for text in _wrong_spreads(quantity, self.spreads(quantity))
        ]
        drivers, said = _read_drivers(self.drivers)
        object.__setattr__(self, "drivers", drivers)
        wrong += said
        rates = self.attrition
        for rate in rates.values() if isinstance(rates, Mapping) else [rates]:
            if isinstance(rate, bool) or not 0 <= rate < 1:
                wrong.append(f"attrition is a share from 0 to below 1, not {rate!r}")
        if self.keep not in KEEPS:
            wrong.append(
                f"keep is 'effort' or 'fte', not {self.keep!r}"
                f"{closest(self.keep, KEEPS)}"
            )
        if wrong:
            raise ConfigError("The uncertainty cannot be used: " + "; ".join(wrong))

    def spreads(self, quantity: str) -> tuple[Spread, ...]:
        """Return the distributions of a quantity with what they hold for, in order."""
        given = getattr(self, quantity)
        if isinstance(given, Sequence):
            return tuple(given)
        return (Spread(given),)

    def distribution(self, quantity: str, **about: object) -> Distribution:
        """Return the distribution that holds for a project or a role.

        Parameters
        ----------
        quantity
            One of `QUANTITIES`.
        **about
            `project`, `theme`, `status`; or `role`.
        """
        found: Distribution = Fixed()
        for spread in self.spreads(quantity):
            if all(
                not getattr(spread, name) or getattr(spread, name) == about[name]
                for name in FILTERS[quantity]
            ):
                found = spread.distribution
        return found

    def attrition_of(self, role: str) -> float:
        """Return the share of a role's people who leave in a period."""
        if isinstance(self.attrition, Mapping):
            return float(self.attrition.get(role, 0.0))
        return float(self.attrition)

    def check(self, portfolio: Portfolio) -> None:
        """Raise ConfigError where a filter names nothing of the portfolio.

        Parameters
        ----------
        portfolio
            That is simulated.
        """
        known = {
            "project": set(portfolio.projects["project"].dropna()),
            "theme": set(portfolio.projects["theme"].dropna()),
            "status": set(STATUSES),
            "role": {*portfolio.capacity.columns, *portfolio.demand["role"].dropna()},
        }
        named = [
            (f"{quantity}: {name}", name, getattr(spread, name))
            for quantity in QUANTITIES
            for spread in self.spreads(quantity)
            for name in known
            if getattr(spread, name)
        ]
        if isinstance(self.attrition, Mapping):
            named += [("attrition: role", "role", role) for role in self.attrition]
        assert self.drivers is not None
        named += [
            (f"driver '{row['driver']}': {name}", name, row[name])
            for row in self.drivers.to_dict("records")
            for name in ("project", "theme", "role")
            if row[name]
        ]
        wrong = [
            f"{where} '{value}' is not in the portfolio{closest(value, known[name])}"
            for where, name, value in named
            if value not in known[name]
        ]
        if wrong:
            raise ConfigError("The uncertainty does not fit: " + "; ".join(wrong))


def certain() -> Uncertainty:
    """Return that everything comes as planned."""
    return Uncertainty(duration=Fixed(), demand=Fixed(), wins=False)


def _wrong_spreads(quantity: str, spreads: Iterable[Spread]) -> list[str]:
    wrong = []
    for spread in spreads:
        if not isinstance(spread, Spread) or not isinstance(
            spread.distribution, tuple(KINDS.values())
        ):
            wrong.append(
                f"{quantity} is a distribution ({', '.join(KINDS)}) or a list of Spread"
            )
            continue
        if isinstance(spread.distribution, Reference) and quantity not in _REFERENCED:
            wrong.append(f"finished projects tell nothing of {quantity}")
        for name in ("project", "theme", "status", "role"):
            if getattr(spread, name) and name not in FILTERS[quantity]:
                wrong.append(f"{quantity} cannot be told apart by {name}")
    return wrong


def _read_drivers(given: pd.DataFrame | None) -> tuple[pd.DataFrame, list[str]]:
    """Return drivers with every column, blanks as "", and what is wrong with them."""
    frame = given
    if frame is None or not (len(frame) or len(frame.columns)):
        frame = pd.DataFrame(columns=list(DRIVER_COLUMNS))
    unknown = [str(c) for c in frame.columns if c not in DRIVER_COLUMNS]
    if unknown:
        return frame, [
            f"drivers: column '{c}' is unknown{closest(c, DRIVER_COLUMNS)}"
            for c in unknown
        ]
    wrong = [
        f"drivers: column '{c}' is missing"
        for c in ("driver", "probability", "multiplies", "low", "high")
        if c not in frame.columns
    ]
    if wrong:
        return frame, wrong
    table = pd.DataFrame(index=range(len(frame)))
    for column in DRIVER_COLUMNS:
        values = frame.get(column, pd.Series(index=frame.index, dtype=object))
        values = values.reset_index(drop=True)
        if column in ("probability", "low", "mode", "high"):
            table[column] = pd.to_numeric(values, errors="coerce").astype(float)
        else:
            texts = ["" if pd.isna(v) else str(v).strip() for v in values]
            table[column] = pd.Series(texts, dtype="str")
    # Without a most likely factor the middle of the ends.
    table["mode"] = table["mode"].fillna((table["low"] + table["high"]) / 2.0)
    chances = table.groupby("driver")["probability"].nunique(dropna=False)
    for name in chances.index[chances > 1]:
        wrong.append(f"driver '{name}' has one probability on all of its rows")
    for row in table.to_dict("records"):
        wrong += _wrong_driver(row)
    return table[list(DRIVER_COLUMNS)], wrong


def _wrong_driver(row: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with one row of `drivers`."""
    wrong = []
    where = f"driver '{row['driver']}'"
    if not row["driver"]:
        wrong.append("every driver needs a name")
    if not 0 <= row["probability"] <= 1:
        wrong.append(f"{where}: probability is a number from 0 to 1")
    if row["multiplies"] not in QUANTITIES:
        wrong.append(
            f"{where} multiplies one of {', '.join(QUANTITIES)}, not "
            f"'{row['multiplies']}'{closest(row['multiplies'], QUANTITIES)}"
        )
    elif row["multiplies"] == "capacity" and (row["project"] or row["theme"]):
        wrong.append(f"{where}: capacity has a role, no project or theme")
    elif row["role"] and row["multiplies"] in ("duration", "value"):
        wrong.append(f"{where}: {row['multiplies']} has no role")
    if not 0 <= row["low"] <= row["mode"] <= row["high"] < np.inf:
        wrong.append(f"{where}: low, mode and high are increasing factors from 0")
    return wrong


def driver_factor(row: Mapping[str, Any], u: np.ndarray) -> np.ndarray:
    """Return the factor of one row of `drivers` at its driver's uniform numbers.

    The driver comes where `u` lies in the uppermost `probability`; the rest of `u`
    says how hard it strikes, on all of its rows alike.
    """
    chance = float(row["probability"])
    result = np.ones(np.shape(u))
    came = np.asarray(u) >= 1.0 - chance
    if chance > 0 and came.any():
        size = (np.asarray(u)[came] - (1.0 - chance)) / chance
        result[came] = Triangular(row["low"], row["mode"], row["high"]).ppf(size)
    return result
