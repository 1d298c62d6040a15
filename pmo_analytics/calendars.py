"""Calendars: countries, public holidays, make-up days and working days."""

from __future__ import annotations

import warnings
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple
from unicodedata import normalize

import numpy as np
import numpy.typing as npt
import pandas as pd

from pmo_analytics.errors import ConfigError, closest

type Ints = npt.NDArray[np.int64]

# Days since 1970 that lie before and after every date of a table.
OPEN = 4_000_000


def working_days(horizon: pd.PeriodIndex, country: str = "") -> pd.Series[int]:
    """Return the working days of each period.

    Parameters
    ----------
    horizon
        Contiguous periods.
    country
        Country whose public holidays and make-up days count; blank = none.

    Returns
    -------
    Series
        `working_days`, index `period`, unit days.

    Raises
    ------
    ConfigError
        If no public holidays are known for the country.

    Examples
    --------
    >>> working_days(pd.period_range("2027-05", periods=1, freq="M"), "DE").iloc[0]
    np.int64(19)
    """
    if country and find_country(country) is None:
        raise ConfigError(f"Unknown country {country!r}. {country_fix(country)}")
    bounds = period_bounds(horizon)
    counts = np.diff(workdays_before(find_country(country), bounds)[bounds - bounds[0]])
    return pd.Series(counts, index=horizon.rename("period"), name="working_days")


@lru_cache(maxsize=1)
def _country_names() -> dict[str, tuple[str, str]]:
    """Folded code or name of a country -> (its code, its name as people write it)."""
    from holidays.registry import COUNTRIES

    names: dict[str, tuple[str, str]] = {}
    for module, (_, *codes) in COUNTRIES.items():
        title = module.replace("_", " ").title()
        for word in (module, *codes):
            names[_folded(word)] = (codes[0], title)
    return names


def _folded(text: str) -> str:
    plain = normalize("NFKD", text).casefold()
    return "".join(letter for letter in plain if letter.isalnum())


@lru_cache(maxsize=4096)
def find_country(text: str) -> tuple[str, str] | None:
    """Return (country code, part or "") of a text; None for blank and unknown."""
    import holidays

    names = _country_names()
    head, dash, part = text.partition("-")
    if dash and (hit := names.get(_folded(head))):
        entity = getattr(holidays, hit[0])
        parts = {_folded(name): code for name, code in _parts(entity)}
        if code := parts.get(_folded(part)):
            return hit[0], code
    hit = names.get(_folded(text))
    return (hit[0], "") if hit else None


def _parts(entity: Any) -> list[tuple[str, str]]:
    return [
        *entity.subdivisions_aliases.items(),
        *((code, code) for code in entity.subdivisions),
    ]


class _Exceptions(NamedTuple):
    """What a calendar changes about Monday to Friday, as days since 1970."""

    off: Ints
    made_up: Ints
    doubts: tuple[str, ...]  # what the library says it does not know


@lru_cache(maxsize=512)
def _exceptions(place: tuple[str, str], first: int, last: int) -> _Exceptions:
    """Return public holidays and make-up workdays of the years first to last."""
    from holidays import country_holidays

    country, part = place[0], place[1] or None
    years, around = range(first, last + 1), (first - 1, last + 1)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        own = country_holidays(country, subdiv=part, years=years, expand=False)
        doubts = tuple(dict.fromkeys(str(warning.message) for warning in caught))
        # A holiday of one year may be made up for in the year before or after.
        near = country_holidays(country, subdiv=part, years=around, expand=False)

    def days(dates: set[date]) -> Ints:
        found = np.array(sorted(dates), dtype="datetime64[D]").astype(np.int64)
        found.flags.writeable = False  # shared by every caller through the cache
        return found

    made_up = own.weekend_workdays | near.weekend_workdays
    return _Exceptions(days({*own, *near}), days(made_up), doubts)


def _calendar(place: tuple[str, str], bounds: Ints) -> _Exceptions:
    edges = np.array([bounds[0], bounds[-1] - 1]).astype("datetime64[D]")
    first, last = edges.astype("datetime64[Y]").astype(np.int64) + 1970
    return _exceptions(place, int(first), int(last))


def workdays_before(place: tuple[str, str] | None, bounds: Ints) -> Ints:
    """Return how many working days of the horizon lie before each of its days.

    One entry per day of the horizon and one after the last.
    """
    first, stop = int(bounds[0]), int(bounds[-1])
    weekday = (np.arange(first, stop) + 3) % 7  # 1970-01-01 was a Thursday
    works = weekday < 5
    if place is not None:
        off, made_up, _ = _calendar(place, bounds)
        weekend = ~works
        works[off[(off >= first) & (off < stop)] - first] = False
        made_up = made_up[(made_up >= first) & (made_up < stop)] - first
        works[made_up[weekend[made_up]]] = True
    return np.concatenate(([0], np.cumsum(works, dtype=np.int64)))


def calendar_doubts(place: tuple[str, str], bounds: Ints) -> tuple[str, ...]:
    """Return what is said not to be known about the holidays of these years."""
    return _calendar(place, bounds).doubts


def country_fix(text: str) -> str:
    """Return what to do about a country without known public holidays."""
    from holidays import list_supported_countries

    head, dash, part = text.partition("-")
    hit = _country_names().get(_folded(head))
    if dash and hit is not None:
        parts = list_supported_countries(include_aliases=False).get(hit[0], [])
        usable = f" or with one of {', '.join(parts)}" if parts else ""
        return (
            f"{hit[1]} has no part '{part}', so no holidays are taken off. Use "
            f"{hit[0]} alone{usable}."
        )
    names = dict.fromkeys(name for _, name in _country_names().values())
    return (
        f"No public holidays are known for it{closest(text, names)}, so none are "
        "taken off. Use an ISO code such as DE or CN, or DE-BY for a part."
    )


def period_bounds(horizon: pd.PeriodIndex) -> Ints:
    """Return the first day of each period, and the day after the last."""
    starts = [*horizon.start_time, (horizon[-1] + 1).start_time]
    return epoch_days(pd.Series(starts), OPEN)


def epoch_days(dates: pd.Series[Any], blank: int) -> Ints:
    """Return dates as days since 1970, `blank` where there is none."""
    values = pd.to_datetime(dates).to_numpy(dtype="datetime64[D]")
    days: Ints = np.clip(values.astype(np.int64), -OPEN, OPEN)
    days[np.isnat(values)] = blank
    return days
