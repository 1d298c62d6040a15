"""Why a load is forecast: projects at their dates, candidates, histories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pmo_analytics.clock import format_period
from pmo_analytics.forecasting.reasons.piece import (
    Piece,
    counted,
    fte,
    say_range,
    shown,
    why_of,
)
from pmo_analytics.forecasting.reasons.projects import Drawn, drawn_projects
from pmo_analytics.forecasting.reasons.seen import Seen
from pmo_analytics.forecasting.reasons.series import tell_series
from pmo_analytics.formats import called, names_of
from pmo_analytics.uncertainty import QUANTILES, Forecast, Overruns, Why, add_load

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio

_SCOPE_WORDS = {
    "pipeline": "The whole pipeline: candidates come by their probability.",
    "committed": "Running, approved and forced projects alone; no candidates.",
    "plan": "As planned: the candidates of the plan come for sure, others never.",
}


@dataclass(frozen=True, eq=False)
class LoadStory:
    """What a forecast of load was made from.

    Attributes
    ----------
    question
        The portfolio, of the projects in scope.
    roles
        As they were drawn.
    scope
        As in `forecast_demand`.
    classes
        Overruns; None = as planned.
    seen
        Histories that were forecast, those of all work before those of operations.
    """

    question: Portfolio
    roles: tuple[str, ...]
    scope: str
    classes: Overruns | None
    seen: tuple[Seen, ...]

    def __call__(self, forecast: Forecast, role: str) -> Why:
        """Return where the load of a role comes from."""
        piece, periods = Piece(), forecast.periods
        mean = forecast.grid("mean")[role].to_numpy()
        own = self._tell_projects(piece, forecast, role)
        rest = mean - np.sum([*piece.parts.values(), np.zeros(len(mean))], axis=0)
        asked = role in set(self.question.demand["role"].dropna())
        histories = [seen for seen in self.seen if role in seen.past.columns]
        for seen in histories:
            what = "run-the-business work" if asked else "load"
            tell_series(piece, seen, role, periods, rest, what)
        if not histories:
            self._tell_no_history(piece, forecast, role, own)
        grids = {which: forecast.grid(which)[role].to_numpy() for which in QUANTILES}
        say_range(piece, grids, periods)
        return why_of(piece, "load", role, periods, mean)

    def _tell_no_history(
        self, piece: Piece, forecast: Forecast, role: str, own: list[Drawn]
    ) -> None:
        past = forecast.history
        there = role in past.columns and past[role].notna().any()
        if own:
            piece.say("model", "The projects' demand at their dates; no time series.")
        if there:
            piece.say(
                "history",
                "The history of its load is not forecast from: what projects ask for "
                "is known, and takes its place.",
            )

    def _tell_projects(
        self, piece: Piece, forecast: Forecast, role: str
    ) -> list[Drawn]:
        """Say which projects ask for a role; return them, the largest first."""
        if len(self.question.projects):
            piece.say("load", _SCOPE_WORDS[self.scope])
        periods, draws = forecast.periods, len(forecast.draws)
        stream = np.random.default_rng(forecast.seed).spawn(4)[0]
        projects, _ = drawn_projects(
            self.question, self.roles, draws, self.classes, stream
        )
        number = self.roles.index(role)
        names = names_of(self.question.projects)
        sums = {}
        found = []
        for one in projects:
            if number not in one.used or not one.share:
                continue
            load = np.zeros((1, len(periods), draws))
            profile = one.profile[:, [one.used.index(number)]]
            add_load(load, profile, [0], one.begin, one.long, one.amount)
            by_period = load[0].mean(axis=1)
            if by_period.any():
                found.append(one)
                sums[one.project] = by_period
        found.sort(key=lambda one: -float(sums[one.project].sum()))
        for one in found:
            piece.parts[called(one.project, names)] = sums[one.project]
        if found:
            self._tell_found(piece, found, sums, periods, names)
        return found

    def _tell_found(
        self,
        piece: Piece,
        found: list[Drawn],
        sums: dict[str, np.ndarray],
        periods: pd.PeriodIndex,
        names: dict[str, str],
    ) -> None:
        first = format_period(periods[0])
        for kind, may in (
            ("that are sure to come", False),
            ("by their probability", True),
        ):
            some = [one for one in found if one.candidate == may]
            if some:
                total = np.sum([sums[one.project] for one in some], axis=0)
                piece.say(
                    "level",
                    f"{counted(len(some), 'candidate' if may else 'project')} {kind}: "
                    f"{fte(total[0])} FTE in {first}, {fte(total.mean())} on average.",
                )
                piece.add("level", f"projects {kind}", total.mean())
        comes = [one for one in found if one.planned > 0]
        goes = [one for one in found if one.planned + one.length < len(periods)]
        for word, some in (("Begins", comes), ("Ends", goes)):
            texts = [
                _dated(one, periods, names, end=word == "Ends", sums=sums)
                for one in some
            ]
            piece.say("leaves and comes", f"{word}: {shown(texts)}." if texts else "")
        for one in found:
            of = sums[one.project]
            share = f", in {one.share:.0%} of the futures" if one.candidate else ""
            what = f"{called(one.project, names)}{share}"
            begin = periods[0] + one.planned
            piece.add("leaves and comes", f"{what}, planned to begin", of.max(), begin)
            end = begin + one.length - 1
            piece.add("leaves and comes", f"{what}, planned to end", of.max(), end)
        if self.classes is not None:
            piece.say("range", self.classes.note)
        shares = [one.share for one in found if one.candidate]
        if shares:
            piece.say(
                "range",
                f"{counted(len(shares), 'candidate')} come in {min(shares):.0%} to "
                f"{max(shares):.0%} of the futures.",
            )


def _dated(
    one: Drawn,
    periods: pd.PeriodIndex,
    names: dict[str, str],
    *,
    end: bool,
    sums: dict[str, np.ndarray],
) -> str:
    """Return a project with its planned date, its size, and how likely it is."""
    when = periods[0] + one.planned + (one.length - 1 if end else 0)
    chance = f", {one.share:.0%}" if one.candidate else ""
    least = "" if one.dated else " at the earliest"
    return (
        f"{called(one.project, names)} in {format_period(when)}{least} (expected "
        f"up to {fte(sums[one.project].max())} FTE{chance})"
    )
