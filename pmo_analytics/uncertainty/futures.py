"""Equally likely futures of one quantity by role and period."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol

import numpy as np
import pandas as pd

from pmo_analytics.clock import format_period
from pmo_analytics.errors import ConfigError, closest
from pmo_analytics.facts import result_html, table_html
from pmo_analytics.uncertainty.why import Why

QUANTILES = ("p10", "p20", "p50", "p80", "p90")
TOLERANCE = 1e-6


class Story(Protocol):
    """What a forecast keeps of how it was made."""

    def __call__(self, forecast: Forecast, role: str) -> Why:
        """Return where the forecast of a role comes from."""


@dataclass(frozen=True, eq=False)
class Forecast:
    """What may come, as equally likely futures.

    Draw k of one quantity belongs to draw k of the others: sums and differences are
    taken draw by draw, so that roles, teams and the company agree.

    Parameters
    ----------
    quantity
        `capacity`, `load` or `headroom`.
    periods, roles
        Labels of the draws.
    draws
        Shape (draws, periods, roles), FTE.
    seed
        Of the draws.
    history
        What really happened, period x role, FTE; may be empty.
    notes
        What was assumed for lack of data, for a reader to judge.
    parts
        The quantities that this one is the difference of.
    scope
        Whose load it is: `pipeline`, `plan` or `committed`; blank for capacity.
    story
        What answers `why`; None where nothing is kept of how it was made.
    """

    quantity: str
    periods: pd.PeriodIndex
    roles: tuple[str, ...]
    draws: np.ndarray
    seed: int = 0
    history: pd.DataFrame = field(default_factory=pd.DataFrame)
    notes: tuple[str, ...] = ()
    parts: tuple[Forecast, ...] = ()
    scope: str = ""
    story: Story | None = None

    def __post_init__(self) -> None:
        self.draws.flags.writeable = False

    def grid(self, which: str = "p50") -> pd.DataFrame:
        """Return one number per cell, period x role, FTE.

        Parameters
        ----------
        which
            `mean`, or a quantile such as `p20`: in 20 % of the futures it is less.
            Cell by cell: all cells at their p20 together are far less likely.
        """
        values = self._usual.get(which)
        if values is None:
            values = self._quantiles([_share(which)])[0]
        return pd.DataFrame(
            values.copy(),
            index=self.periods.rename("period"),
            columns=pd.Index(self.roles, name="role"),
        )

    def _quantiles(self, shares: list[float]) -> np.ndarray:
        """Return quantiles by share, period and role, a period at a time."""
        found = np.empty((len(shares), *self.draws.shape[1:]))
        for t in range(self.draws.shape[1]):
            # One role after the other in memory: so they are sorted many times faster.
            now = np.sort(np.ascontiguousarray(self.draws[:, t].T), axis=1)
            found[:, t] = np.quantile(now.astype(float), shares, axis=1)
        return found

    @cached_property
    def _usual(self) -> dict[str, np.ndarray]:
        """Mean and the usual quantiles by name, period x role: looked for once."""
        quantiles = self._quantiles([_share(name) for name in QUANTILES])
        mean = self.draws.mean(axis=0, dtype=float)
        return {"mean": mean, **dict(zip(QUANTILES, quantiles, strict=True))}

    @cached_property
    def _chance(self) -> np.ndarray:
        """Share of the futures below 0, period x role."""
        below = [(now < -TOLERANCE).mean(axis=0) for now in self.draws.swapaxes(0, 1)]
        return np.array(below).reshape(self.draws.shape[1:])

    @property
    def p_overload(self) -> pd.DataFrame:
        """Chance that the headroom is below 0, period x role, 0-1."""
        return self.grid("mean") * 0.0 + self._chance

    @property
    def expected_overload(self) -> pd.DataFrame:
        """Mean FTE missing, counting 0 where nothing is, period x role."""
        return self.grid("mean") * 0.0 + np.maximum(-self.draws, 0.0).mean(axis=0)

    @property
    def table(self) -> pd.DataFrame:
        """One row a role and period.

        `role, period, quantity, mean, p10, p20, p50, p80, p90, p_overload`, FTE; the
        chance of overload is blank for anything but headroom.
        """
        return self._rows.copy()

    @cached_property
    def _rows(self) -> pd.DataFrame:
        count = len(self.periods)
        table = pd.DataFrame(
            {
                "role": np.repeat(np.array(self.roles, dtype=object), count),
                "period": self.periods.append([self.periods] * (len(self.roles) - 1))
                if self.roles
                else self.periods[:0],
                "quantity": self.quantity,
            }
        )
        for name, values in self._usual.items():
            table[name] = values.T.ravel().round(6)
        headroom = self.quantity == "headroom"
        table["p_overload"] = self._chance.T.ravel() if headroom else np.nan
        return table

    def why(self, role: str) -> Why:
        """Say where the forecast of a role comes from.

        Level, season, trend, breaks and outliers of a history, projects and people
        that come and leave, the model and why it was used, how the range was made, and
        what counted of the history.

        Parameters
        ----------
        role
            One of `roles`; of headroom also one of which only capacity or only load is
            known.

        Returns
        -------
        Why
            `print` shows its sentences; `table` has their numbers, `parts` what the
            mean adds up from.

        Raises
        ------
        ConfigError
            If there is no such role, or the forecast is a sum of roles or was made of
            draws alone.

        Examples
        --------
        >>> import pmo_analytics as pmo
        >>> load = pmo.forecast_demand(pmo.example_portfolio(), draws=200)
        >>> parts = load.why("Developer").parts.sum(axis=1)
        >>> bool((parts - load.grid("mean")["Developer"]).abs().max() < 1e-6)
        True
        """
        known = dict.fromkeys(
            [*self.roles, *(role for part in self.parts for role in part.roles)]
        )
        if role not in known:
            raise ConfigError(
                f"There is no role {role!r} in this forecast{closest(role, known)}."
            )
        if self.story is None:
            raise ConfigError(
                f"Nothing is kept of how this forecast of {self.quantity} was made: "
                "ask one of forecast_capacity, forecast_demand or forecast_headroom, "
                "before it is summed up."
            )
        return self.story(self, role)

    def sum(self, by: Mapping[str, str] | None = None) -> Forecast:
        """Return the forecast of groups of roles; by default of all together.

        Parameters
        ----------
        by
            Role -> group; roles it does not name keep their own.
        """
        known = dict.fromkeys(self.roles, "all roles") if by is None else dict(by)
        group = [known.get(role, role) for role in self.roles]
        names = tuple(dict.fromkeys(group))
        draws = np.zeros((*self.draws.shape[:2], len(names)))
        for k, name in enumerate(group):
            draws[:, :, names.index(name)] += self.draws[:, :, k]
        history = self.history
        if len(history):
            labels = [known.get(role, role) for role in history.columns]
            history = history.T.groupby(np.array(labels, dtype=object)).sum().T
        parts = tuple(part.sum(known) for part in self.parts)
        return replace(
            self, roles=names, draws=draws, history=history, parts=parts, story=None
        )

    def __repr__(self) -> str:
        return (
            f"<Forecast of {self.quantity}: {len(self.roles)} roles, "
            f"{len(self.periods)} periods, {len(self.draws)} draws>"
        )

    def _repr_html_(self) -> str:
        if not len(self.periods) or not self.roles:
            return result_html(f"Forecast of {self.quantity}: nothing to forecast")
        first, last = (format_period(self.periods[k]) for k in (0, -1))
        return result_html(
            f"Forecast of {self.quantity}, FTE, {first} to {last}: "
            f"{len(self.draws):,} futures",
            table_html(self._by_role()),
            notes=self.notes,
            notes_title="What was assumed:",
        )

    def _by_role(self) -> pd.DataFrame:
        """Return one row a role: the mean, and the period in which it is tightest."""
        middle = self.grid("p50")
        chance = self.p_overload if self.quantity == "headroom" else None
        tight = middle if self.quantity != "load" else -middle
        if chance is not None:
            # Chances end at 1: among certain overloads the largest is the worst.
            tight = tight.where(chance == chance.max())
        at = tight.idxmin()
        name = {"load": "highest in", "capacity": "lowest in"}
        table = pd.DataFrame(
            {
                "role": list(self.roles),
                "mean": self.grid("mean").mean().to_numpy(),
                name.get(self.quantity, "worst period"): at.to_numpy(),
            }
        )
        for which in ("p20", "p50", "p80"):
            grid = self.grid(which)
            table[f"{which} there"] = [grid.at[at[role], role] for role in self.roles]
        if chance is not None:
            table["p_overload"] = [chance.at[at[role], role] for role in self.roles]
        return table


def _share(which: str) -> float:
    digits = which[1:] if which.startswith("p") else ""
    if not digits.isdigit() or not 0 < int(digits) < 100:
        raise ConfigError(f"{which!r} is neither 'mean' nor a quantile p1 .. p99.")
    return int(digits) / 100.0
