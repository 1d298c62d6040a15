"""Why a capacity is forecast: contracts, who comes and leaves, leave, histories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pmo_analytics.clock import format_period
from pmo_analytics.forecasting.reasons.piece import (
    SMALL,
    Piece,
    counted,
    fte,
    say_range,
    shown,
    why_of,
)
from pmo_analytics.forecasting.reasons.seen import Seen
from pmo_analytics.forecasting.reasons.series import tell_series
from pmo_analytics.uncertainty import QUANTILES, Forecast, Why

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio

# What changes what is written down.
LEAVING, AWAY = "people who may leave or are new", "leave that is not booked yet"


@dataclass(frozen=True, eq=False)
class CapacityStory:
    """What a forecast of capacity was made from.

    Attributes
    ----------
    question
        The portfolio over the periods.
    known
        Period x role: capacity of what is written down, FTE.
    steps
        Name of what changes it (`LEAVING`, ...) -> period x role in the
        order of `known`: the mean of the futures after it.
    notes
        Of the forecast.
    seen
        Histories that were forecast.
    """

    question: Portfolio
    known: pd.DataFrame
    steps: Mapping[str, np.ndarray]
    notes: tuple[str, ...]
    seen: tuple[Seen, ...]

    def __call__(self, forecast: Forecast, role: str) -> Why:
        """Return where the capacity of a role comes from."""
        piece, periods = Piece(), forecast.periods
        mean = forecast.grid("mean")[role].to_numpy()
        histories = [seen for seen in self.seen if role in seen.past.columns]
        if role in self.known.columns:
            self._tell_known(piece, role, periods)
        for seen in histories:
            tell_series(piece, seen, role, periods, mean, "capacity")
        grids = {which: forecast.grid(which)[role].to_numpy() for which in QUANTILES}
        say_range(piece, grids, periods)
        return why_of(piece, "capacity", role, periods, mean)

    def _tell_known(self, piece: Piece, role: str, periods: pd.PeriodIndex) -> None:
        k, count = self.known.columns.get_loc(role), len(periods)
        known = self.known[role].to_numpy(dtype=float)[:count]
        given = role in self.question.given_capacity.columns
        people = self.question.people
        people = people[people["role"] == role]
        name = "given in FTE" if given else "contracts"
        piece.parts[name] = before = known
        for what, after in self.steps.items():
            now = after[:count, k]
            if np.abs(now - before).max(initial=0.0) > 1e-9:
                piece.parts[what] = now - before
                piece.add("leaves and comes", what, (now - before).mean())
            before = now
        if given:
            piece.say(
                "level",
                _ends("Capacity given in FTE, taken as certain", known, periods),
            )
            piece.say("model", "No model: what is given in FTE is certain.")
        else:
            number = counted(people["person"].nunique(), "person", "people")
            text = (
                f"Contracts of {number}, net of holidays, booked absences and "
                "operations"
            )
            piece.say("level", _ends(text, known, periods))
            piece.say(
                "model",
                "Contracts as they are written down; who leaves and unbooked leave are "
                "drawn.",
            )
            self._tell_people(piece, people, periods)
        for k in dict.fromkeys((0, count - 1)):
            piece.add("level", name, known[k], periods[k])
        self._tell_steps(piece, periods)

    def _tell_steps(self, piece: Piece, periods: pd.PeriodIndex) -> None:
        """Say what is taken off and added beside what is written down."""
        away = piece.parts.get(AWAY)
        if away is not None:
            most = int(away.argmin())
            piece.say(
                "season",
                f"Unbooked leave takes {fte(-away.mean())} FTE on average, most in "
                f"{format_period(periods[most])} ({fte(-away[most])}).",
            )
            piece.add("season", "most leave", away[most], periods[most])
        gone = piece.parts.get(LEAVING)
        if gone is not None and -gone[-1] >= SMALL:
            piece.say(
                "leaves and comes",
                f"People who may leave or are new take {fte(-gone[-1])} FTE until "
                f"{format_period(periods[-1])}.",
            )
        for note in self.notes:
            if note.startswith("Leaving:") and gone is not None:
                piece.say("range", _begun(note.removeprefix("Leaving: ")))
            if note.startswith("Leave:") and away is not None:
                piece.say("history", _begun(note.removeprefix("Leave: ")))

    def _tell_people(
        self, piece: Piece, people: pd.DataFrame, periods: pd.PeriodIndex
    ) -> None:
        """Say who begins and who ends inside the periods, by what is written down."""
        changes = _changes(people)
        begin, end = periods[0].start_time, periods[-1].end_time
        inside = changes[(changes["day"] > begin) & (changes["day"] <= end)]
        for word, rows in (
            ("Begins", inside[inside["fte"] > 0]),
            ("Ends", inside[inside["fte"] < 0]),
        ):
            texts = []
            for row in rows.itertuples():
                # Who ends is there on the day before.
                day = row.day - pd.Timedelta(days=int(row.fte < 0))
                period = pd.Period(day, freq=periods.freq)
                texts.append(f"{row.person} {day:%Y-%m-%d} ({fte(abs(row.fte))} FTE)")
                piece.add(
                    "leaves and comes", f"{word.lower()}: {row.person}", row.fte, period
                )
            piece.say("leaves and comes", f"{word}: {shown(texts)}." if texts else "")


def _changes(people: pd.DataFrame) -> pd.DataFrame:
    """Return `person, day, fte` of each change of contract; rows that follow joined."""
    rows = people[["person", "start", "end", "fte"]].copy()
    rows["fte"] = rows["fte"].astype(float)
    day = pd.Timedelta(days=1)
    ends = pd.to_datetime(rows["end"]) + day
    both = pd.concat(
        [
            rows.assign(day=pd.to_datetime(rows["start"])),
            rows.assign(day=ends, fte=-rows["fte"]),
        ]
    ).dropna(subset=["day"])
    total = both.groupby(["person", "day"], as_index=False)["fte"].sum()
    return total[total["fte"].abs() > 1e-9].sort_values("day", kind="stable")


def _begun(text: str) -> str:
    return text[:1].upper() + text[1:]


def _ends(text: str, values: np.ndarray, periods: pd.PeriodIndex) -> str:
    first, last = format_period(periods[0]), format_period(periods[-1])
    now, then = fte(values[0]), fte(values[-1])
    if len(periods) == 1 or (now == then and np.ptp(values) < SMALL):
        return f"{text}: {now} FTE."
    return f"{text}: {now} FTE in {first}, {then} in {last}."
