"""Contracts: the days and hours that the people of a portfolio work in a week."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pandas as pd

from pmo_analytics.clock.calendars import Floats, Ints, Place, Week, find_country
from pmo_analytics.clock.workweek import Workweek, country_workweeks, parse_workweek

# Hours a week by which a share and the hours of a workweek may differ and say the same.
SLIP = 0.1


class Contract(NamedTuple):
    """What a full contract is, and on which days it is worked unless rows say so."""

    hours_per_week: float = 40.0
    country: str = ""
    workweek: str = ""
    country_workweeks: str = ""


def weeks_of(
    people: pd.DataFrame, contract: Contract, shares: Callable[[], Floats]
) -> tuple[Ints, list[Week]]:
    """Return the place of each people row's week in a list of weeks, and the list.

    Parameters
    ----------
    shares
        Gives, for each row, what its person's shares add up to at once.
    """
    codes, texts = pd.factorize(people["country"])
    usual = usual_weeks(contract)
    # A blank has code -1, which picks the last place: that of the default.
    places = [find_country(str(text)) for text in texts]
    weeks = [usual(place) for place in (*places, find_country(contract.country))]
    number = {week: k for k, week in enumerate(dict.fromkeys(weeks))}
    calendar = np.array([number[week] for week in weeks])[codes]
    own = people.get("workweek")
    if own is not None and own.notna().any():
        total = shares()
        for at in np.flatnonzero(own.notna()):
            if (own_week := readable_workweek(own.iloc[at])) is None:
                continue
            hours = own_fifths(own_week, contract.hours_per_week, float(total[at]))
            week = Week(weeks[codes[at]].place, hours)
            calendar[at] = number.setdefault(week, len(number))
    return calendar, list(number)


def usual_weeks(contract: Contract) -> Callable[[Place | None], Week]:
    """Return what gives the week of people at a place who have none of their own."""
    hours = contract.hours_per_week
    everybody = None
    if contract.workweek:
        everybody = _fifths(parse_workweek(contract.workweek), hours, 1.0)
    there = {
        place[:2]: _fifths(parse_workweek(text), hours, 1.0)
        for country, text in country_workweeks(contract.country_workweeks).items()
        if (place := find_country(country)) is not None
    }

    def usual(place: Place | None) -> Week:
        if place is None:
            return Week(None, everybody)
        country, part = place[:2]
        own = there.get((country, part), there.get((country, ""), everybody))
        return Week(place, own)

    return usual


def readable_workweek(text: object) -> Workweek | None:
    """Return the workweek of a cell; None for a blank and for what is none."""
    try:
        return parse_workweek(text) if isinstance(text, str) and text else None
    except ValueError:
        return None


def own_fifths(week: Workweek, full: float, share: float) -> tuple[float, ...]:
    """Return what 1 FTE of a person's own workweek is on each day, in fifths.

    Parameters
    ----------
    full
        Hours of a full contract.
    share
        Share of it that the person has: where that says the hours of the week already,
        they are not taken as a share once more.
    """
    said = week.in_hours and share > 0 and abs(share * full - week.hours) < SLIP
    return _fifths(week, full, share if said else 1.0)


@lru_cache(maxsize=4096)
def _fifths(week: Workweek, full: float, share: float) -> tuple[float, ...]:
    whole = full * share if week.in_hours else sum(week.weights)
    return tuple(5.0 * weight / whole for weight in week.weights)
