"""Calendars: countries, public holidays, make-up days and working days."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple
from unicodedata import normalize

import numpy as np
import numpy.typing as npt
import pandas as pd

from pmo_analytics.clock.workweek import DAYS, parse_workweek
from pmo_analytics.errors import ConfigError, closest

type Ints = npt.NDArray[np.int64]
type Floats = npt.NDArray[np.float64]

# Days since 1970 that lie before and after every date of a table.
OPEN = 4_000_000
HALF = "half_day"
# Where the law gives everybody the afternoon off, and where few people get it.
_HALF_BY_LAW = ("FO", "IS", "TR")
_HALF_FOR_FEW = ("AU", "CN", "US")
# Categories of days that are off in parts of a place, or by custom.
_FOR_SOME = ("catholic", "de_facto", HALF)
# Where people write a part without its country.
_WITH_PARTS = ("DE", "US", "GB", "CA", "CH", "AT", "ES", "AU", "IT", "FR", "IN", "BR")
# Names of countries in their own languages.
_OWN_NAMES = {
    "DE": "Deutschland Allemagne Alemania 德国 德國",
    "AT": "Österreich Autriche",
    "CH": "Schweiz Suisse Svizzera 瑞士",
    "CN": "中国 中國 Chine",
    "ES": "España Spanien Espagne",
    "FR": "Frankreich Francia 法国",
    "GB": "Großbritannien 英国",
    "IT": "Italia Italien Italie",
    "NL": "Niederlande Nederland Holland",
    "PL": "Polen Polska",
    "US": "America 美国 美國",
}
# English names of parts that the library knows by their own.
_ENGLISH = {
    "DE": {
        "Bavaria": "BY",
        "Saxony": "SN",
        "Lower Saxony": "NI",
        "Hesse": "HE",
        "North Rhine-Westphalia": "NW",
        "Rhineland-Palatinate": "RP",
        "Saxony-Anhalt": "ST",
        "Thuringia": "TH",
        "Mecklenburg-Western Pomerania": "MV",
    },
    "CH": {"Geneva": "GE", "Lucerne": "LU", "Saint Gallen": "SG", "St. Gallen": "SG"},
    "ES": {"Andalusia": "AN", "Catalonia": "CT", "Basque Country": "PV"},
}


class Place(NamedTuple):
    """A country, its part or "", and the categories of days off that were named."""

    country: str
    part: str = ""
    named: tuple[str, ...] = ()

    @property
    def off(self) -> tuple[str, ...]:
        """Categories of whole days off."""
        return ("public", *(c for c in self.named if c not in ("public", HALF)))

    @property
    def half(self) -> bool:
        """Whether half days off count: where the law has them, or where named."""
        return HALF in self.named or (not self.named and self.country in _HALF_BY_LAW)


class Week(NamedTuple):
    """The days of a calendar: where, and the week of one's own if there is one.

    Attributes
    ----------
    own
        Fifths of a full contract's week on each day from Monday to Sunday; None = an
        equal share on each day that is not a weekend of the place.
    """

    place: Place | None
    own: tuple[float, ...] | None = None


def working_days(
    horizon: pd.PeriodIndex, country: str = "", workweek: str = ""
) -> pd.Series[Any]:
    """Return the working days of each period.

    Parameters
    ----------
    horizon
        Contiguous periods.
    country
        Country, or part of one, whose weekends, public holidays and make-up days
        count; blank = Monday to Friday and no holidays.
    workweek
        Days that are worked instead of the country's, such as `Mon-Thu`.

    Returns
    -------
    Series
        `working_days`, index `period`, unit days; half days off count half.

    Raises
    ------
    ConfigError
        If no public holidays are known for the country, or the workweek cannot be
        read.

    Examples
    --------
    >>> working_days(pd.period_range("2027-05", periods=1, freq="M"), "DE").iloc[0]
    np.float64(19.0)
    """
    place = find_country(country)
    if country and place is None:
        raise ConfigError(f"Unknown country {country!r}. {country_fix(country)}")
    own = None
    if workweek:
        try:
            weights = parse_workweek(workweek).weights
        except ValueError as error:
            raise ConfigError(f"{error}.") from None
        own = tuple(float(weight > 0) for weight in weights)
    bounds = period_bounds(horizon)
    week = Week(place, own)
    one = _usual(week, bounds).max(initial=0.0) or 1.0
    before = np.concatenate(([0.0], np.cumsum(_days_worked(week, bounds) / one)))
    counts = np.diff(before[bounds - bounds[0]])
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
    for code, words in _OWN_NAMES.items():
        names |= dict.fromkeys(map(_folded, words.split()), names[_folded(code)])
    return names


def _folded(text: str) -> str:
    plain = normalize("NFKD", text).casefold()
    return "".join(letter for letter in plain if letter.isalnum())


@lru_cache(maxsize=4096)
def find_country(text: str) -> Place | None:
    """Return where a text is; None for blank and unknown.

    Read are codes and names of countries, of their parts (`DE-BY`, `Germany, Bayern`)
    and, after a plus, further categories of days off (`DE-BY+catholic`).
    """
    where, plus, said = text.partition("+")
    place = _find_place(where)
    if place is None or not plus:
        return place
    named = tuple(said.casefold().replace(" ", "_").strip("_").split("+"))
    usable = _categories(place.country)
    return place._replace(named=named) if set(named) <= set(usable) else None


def _find_place(text: str) -> Place | None:
    names = _country_names()
    if hit := names.get(_folded(text)):
        return Place(hit[0])
    for cut in re.finditer(r"[-_/,:(\s]+", text):
        if (hit := names.get(_folded(text[: cut.start()]))) is None:
            continue
        if code := _parts(hit[0]).get(_folded(text[cut.end() :])):
            return Place(hit[0], code)
    return None


@lru_cache(maxsize=64)
def _parts(country: str) -> dict[str, str]:
    """Return the code of each part of a country by its folded code or name."""
    return {_folded(name): code for name, code in _part_names(country).items()}


def _part_names(country: str) -> dict[str, str]:
    import holidays

    entity = getattr(holidays, country)
    return {
        **entity.subdivisions_aliases,
        **_ENGLISH.get(country, {}),
        **{code: code for code in entity.subdivisions},
    }


def _categories(country: str) -> tuple[str, ...]:
    """Return the categories of days off that can be named for a country."""
    import holidays

    known = getattr(holidays, country).supported_categories
    return tuple(c for c in known if c not in ("school", "workday"))


class _Exceptions(NamedTuple):
    """What a calendar changes about its weeks, as days since 1970."""

    off: Ints
    half: Ints
    made_up: Ints
    doubts: tuple[str, ...]  # what the library says it does not know


@lru_cache(maxsize=512)
def _exceptions(place: Place, first: int, last: int) -> _Exceptions:
    """Return days off and make-up workdays of the years first to last."""
    years, around = range(first, last + 1), range(first - 1, last + 2)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        own = _days_off(place, years, place.off)
        doubts = tuple(dict.fromkeys(str(warning.message) for warning in caught))
        # A holiday of one year may be made up for in the year before or after.
        near = _days_off(place, (first - 1, last + 1), place.off)
        half = _days_off(place, around, (HALF,)) if place.half else {}

    def days(dates: Iterable[date]) -> Ints:
        found = np.array(sorted(dates), dtype="datetime64[D]").astype(np.int64)
        found.flags.writeable = False  # shared by every caller through the cache
        return found

    made_up = own.weekend_workdays | near.weekend_workdays
    off = {*own, *near}
    return _Exceptions(days(off), days(set(half) - off), days(made_up), doubts)


def _days_off(place: Place, years: Iterable[int], categories: tuple[str, ...]) -> Any:
    from holidays import country_holidays

    return country_holidays(
        place.country,
        subdiv=place.part or None,
        years=years,
        expand=False,
        categories=categories,
    )


@lru_cache(maxsize=4096)
def _weekdays(country: str, part: str, year: int) -> npt.NDArray[np.bool_]:
    """Return which days of a year are no weekend, a holiday or not."""
    # With holidays of no year at all, what is no working day is a weekend.
    entity = _days_off(Place(country, part), (), ("public",))
    day, last = date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal()

    def works(first: int, last: int) -> npt.NDArray[np.bool_]:
        days = map(date.fromordinal, range(first, last + 1))
        return np.fromiter(map(entity.is_working_day, days), dtype=np.bool_)

    found = ~np.isin((np.arange(day, last + 1) - 1) % 7, list(entity.weekend))
    # Only where a year begins and ends as usual nothing can have changed inside it.
    usual = (works(day, day + 6) == found[:7]).all()
    if not usual or (works(last - 6, last) != found[-7:]).any():
        found = works(day, last)
    found.flags.writeable = False
    return found


def _years(bounds: Ints) -> tuple[int, int]:
    edges = np.array([bounds[0], bounds[-1] - 1]).astype("datetime64[D]")
    first, last = edges.astype("datetime64[Y]").astype(np.int64) + 1970
    return int(first), int(last)


def _no_weekend(place: Place | None, bounds: Ints) -> npt.NDArray[np.bool_]:
    """Return which days of the horizon are no weekend of a place."""
    begin, stop = int(bounds[0]), int(bounds[-1])
    if place is None:
        return (np.arange(begin, stop) + 3) % 7 < 5  # 1970-01-01 was a Thursday
    first, last = _years(bounds)
    years = range(first, last + 1)
    every = [_weekdays(place.country, place.part, year) for year in years]
    january = int(np.datetime64(f"{first:04d}-01-01", "D").astype(np.int64))
    return np.concatenate(every)[begin - january : stop - january]


def _usual(week: Week, bounds: Ints) -> Floats:
    """Return the fifths of a full contract's week on each day, holidays left aside."""
    if week.own is not None:
        weekday = (np.arange(int(bounds[0]), int(bounds[-1])) + 3) % 7
        return np.array(week.own)[weekday]
    plain = _no_weekend(week.place, bounds).astype(np.float64)
    if week.place is None:
        return plain
    # Where a week has six working days, each has a sixth of its hours.
    place, (_, last) = week.place, _years(bounds)
    days = int(_weekdays(place.country, place.part, last)[-7:].sum())
    return plain if days == 5 else plain * (5.0 / max(days, 1))


def _days_worked(week: Week, bounds: Ints) -> Floats:
    """Return the fifths of a full contract's week that are worked on each day."""
    usual = _usual(week, bounds)
    if week.place is None:
        return usual
    begin, stop = int(bounds[0]), int(bounds[-1])
    found, days = _exceptions(week.place, *_years(bounds)), usual.copy()
    for dates, share in ((found.half, 0.5), (found.off, 0.0)):
        inside = dates[(dates >= begin) & (dates < stop)] - begin
        days[inside] = share * usual[inside]
    # Who works less than Monday to Friday does not make up for holidays.
    if week.own is None or min(week.own[:5]) > 0:
        made_up = found.made_up[(found.made_up >= begin) & (found.made_up < stop)]
        free = made_up[usual[made_up - begin] == 0] - begin
        days[free] = usual[usual > 0].mean() if (usual > 0).any() else 1.0
    return days


def worked_before(week: Week, bounds: Ints) -> Floats:
    """Return how much of a full contract's weeks lies before each day of the horizon.

    One entry per day of the horizon and one after the last, in fifths of a week: the
    working days of an ordinary week of five.
    """
    return np.concatenate(([0.0], np.cumsum(_days_worked(week, bounds))))


def weekdays_before(week: Week, bounds: Ints) -> Floats:
    """Return the same as `worked_before` as if there were no holidays."""
    return np.concatenate(([0.0], np.cumsum(_usual(week, bounds))))


def calendar_doubts(place: Place, bounds: Ints) -> tuple[str, ...]:
    """Return what is said not to be known about the holidays of these years."""
    return _exceptions(place, *_years(bounds)).doubts


def days_in_doubt(place: Place, bounds: Ints) -> list[tuple[str, str, str]]:
    """Return category, day and name of days off that hold for some people there.

    Nothing for a place whose categories were named.
    """
    if place.named:
        return []
    begin, stop = int(bounds[0]), int(bounds[-1])
    usual, days = (f(Week(place), bounds) for f in (_usual, _days_worked))
    first, last = _years(bounds)
    found = []
    for category in _categories(place.country):
        if category not in _FOR_SOME or (category == HALF and not _in_doubt(place)):
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            off = _days_off(place, range(first, last + 1), (category,))
        for day, name in sorted(off.items()):
            at = int(np.datetime64(day, "D").astype(np.int64))
            if begin <= at < stop and 0 < usual[at - begin] == days[at - begin]:
                found.append((category, f"{day:%Y-%m-%d}", str(name)))
    return found


def _in_doubt(place: Place) -> bool:
    return not place.half and place.country not in _HALF_FOR_FEW


def rest_days(place: Place, bounds: Ints) -> tuple[str, ...]:
    """Return the weekend of a place at the end of the horizon."""
    plain = _no_weekend(place, bounds)[-7:]
    stop = int(bounds[-1])
    days = (np.arange(stop - len(plain), stop) + 3) % 7
    return tuple(DAYS[d] for d in sorted(days[~plain].tolist()))


def country_fix(text: str) -> str:
    """Return what to do about a country without known public holidays."""
    from holidays import list_supported_countries

    where, plus, said = text.partition("+")
    if plus and (place := _find_place(where)) is not None:
        usable = _categories(place.country)
        return (
            f"'{where.strip()}' has no days off called '{said}'"
            f"{closest(said, usable)}, so no holidays are taken off. Use one of "
            f"{', '.join(usable)}."
        )
    cut = re.search(r"[-_/,:(]", where)
    head, part = (where[: cut.start()], where[cut.end() :]) if cut else (where, "")
    hit = _country_names().get(_folded(head))
    if cut and hit is not None:
        parts = list_supported_countries(include_aliases=False).get(hit[0], [])
        usable_parts = f" or with one of {', '.join(parts)}" if parts else ""
        part = part.strip(" )")
        near = closest(part, _part_names(hit[0]))
        return (
            f"{hit[1]} has no part '{part}'{near}, so no holidays are taken off. Use "
            f"{hit[0]} alone{usable_parts}."
        )
    for country in _WITH_PARTS:
        if code := _parts(country).get(_folded(text)):
            return (
                f"It is a part of a country, so no holidays are taken off: write "
                f"{country}-{code}."
            )
    names = dict.fromkeys(name for _, name in _country_names().values())
    return (
        f"No public holidays are known for it{closest(text, names)}, so none are "
        "taken off. Use an ISO code such as DE or CN, or DE-BY for a part."
    )


def period_bounds(horizon: pd.PeriodIndex) -> Ints:
    """Return the first day of each period, and the day after the last."""
    first = horizon.asfreq("D", how="start").asi8
    last = horizon[-1:].asfreq("D", how="end").asi8
    days: Ints = np.clip(np.append(first, last + 1), -OPEN, OPEN)
    return days


def epoch_days(dates: pd.Series[Any], blank: int) -> Ints:
    """Return dates as days since 1970, `blank` where there is none."""
    read = dates if isinstance(dates.dtype, np.dtype) else pd.to_datetime(dates)
    if read.dtype.kind != "M":
        read = pd.to_datetime(read)
    values = read.to_numpy(dtype="datetime64[D]")
    days: Ints = np.clip(values.astype(np.int64), -OPEN, OPEN)
    days[np.isnat(values)] = blank
    return days
