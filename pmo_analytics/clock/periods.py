"""The clock: strict period parsing, the horizon, and hours per FTE."""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, SupportsIndex

import numpy as np
import pandas as pd

from pmo_analytics.clock.workweek import country_workweeks, parse_workweek
from pmo_analytics.errors import ConfigError, closest

if TYPE_CHECKING:
    from collections.abc import Iterable

WEEKS_PER_YEAR = 52.1775
_PERIODS_PER_YEAR = {"W": WEEKS_PER_YEAR, "M": 12.0, "Q": 4.0, "Y": 1.0}
_RANK = {"D": 0, "W": 1, "M": 2, "Q": 3, "Y": 4}
_MONTHS = (
    "JAN",
    "FEB",
    "MAR",
    "APR",
    "MAY",
    "JUN",
    "JUL",
    "AUG",
    "SEP",
    "OCT",
    "NOV",
    "DEC",
)
_FREQ_WORDS = {
    word.upper(): freq
    for freq, words in {
        "W": "week weeks weekly wöchentlich woche hebdomadaire semanal 周 每周 週",
        "M": "month months monthly monatlich monat mensuel mensual 月 每月 月度",
        "Q": "quarter quarters quarterly vierteljährlich quartal trimestriel "
        "trimestral 季 季度 每季",
        "Y": "year years yearly annual annually jährlich jahr annuel anual 年 "
        "年度 每年",
    }.items()
    for word in words.split()
}
# What people write for periods that has no one meaning, and what to write instead.
_UNCLEAR = (
    (
        re.compile(r"[^\W\d_]{3,10}\.? \d{1,2}|\d{1,2}\.? [^\W\d_]{3,10}\.?"),
        "it may be a day without its year, or a month of 20xx",
    ),
    (
        re.compile(r"\d{1,2}[-/.]\d{1,2}[-/.]\d{2}", re.ASCII),
        "the year has two digits, and may stand first or last",
    ),
    (
        re.compile(
            r"(?:FY ?'?)?(?:\d{2,4})?[-/. ]*P(?:D|ER|ERIOD)?[-. ]?\d{1,2}", re.I
        ),
        "of 4 or 5 weeks: set freq to W and give each week its FTE; of a month: give "
        "the month",
    ),
    (re.compile(r"FY ?'?\d{2,4}.*", re.I), "fiscal years start in many months"),
    (re.compile(r"[QHST] ?[1-4]", re.I), "the year is missing"),
    (re.compile(r".*\b[HS] ?[12]\b.*", re.I), "a half-year is no period"),
)
# Fiscal calendars whose months are of whole weeks.
_OF_WEEKS = re.compile(r"[45][-/ ][45][-/ ][45]|13|4W|5W")
_DATE = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})(?:[T ]00:00(?::00(?:\.0+)?)?)?",  # a day, no clock
    re.ASCII,
)
_MONTH = re.compile(r"(\d{4})-(\d{2})", re.ASCII)
_WEEK = re.compile(r"(\d{4})-W(\d{2})", re.ASCII)
_QUARTER = re.compile(r"(\d{4})-?Q([1-4])", re.ASCII)
_YEAR = re.compile(r"(\d{4})", re.ASCII)


@dataclass(frozen=True)
class Settings:
    """How a portfolio counts: value and calendar settings of `portfolio.toml`.

    Parameters
    ----------
    discount
        Rate per period, 0 = none.
    source
        What the objective counts: `value`, `benefits`, `sum`; blank = the one
        that is filled.
    net_of_spend
        Subtract spend from the objective, discounted alike.
    weigh_by_probability
        Multiply the worth of each project, less its spend where that is subtracted, by
        its `probability` (blank = 1): a project that is not done spends nothing
        either. Otherwise probability never enters the objective. People and budgets
        are needed in full either way.
    currency
        Name of the currency, for labels only.
    hours_per_week
        Contract hours of one full-time person in a week.
    country
        Country of the people who name none, for weekends and public holidays; blank =
        Monday to Friday and no holidays.
    workweek
        Days, or hours of each day, that are worked by who has no workweek of their
        own: `Mon-Thu`, `Mon-Thu 9, Fri 4`; blank = the weekdays of each country. Hours
        add up to `hours_per_week`.
    country_workweeks
        The same by country, `IL: Sun-Thu 8.5; AE: Mon-Fri`.
    """

    discount: float = 0.0
    source: str = ""
    net_of_spend: bool = False
    currency: str = ""
    hours_per_week: float = 40.0
    country: str = ""
    weigh_by_probability: bool = False
    workweek: str = ""
    country_workweeks: str = ""

    @property
    def calendar(self) -> dict[str, Any]:
        """Calendar settings by name."""
        names = ("hours_per_week", "country", "workweek", "country_workweeks")
        return {name: getattr(self, name) for name in names}


def canonical_freq(freq: str) -> str:
    """Return the pandas frequency of a portfolio's `freq` word.

    Parameters
    ----------
    freq
        `W`, `M`, `Q`, `Y`, or anchored: `W-SUN`, `Q-MAR`, `Y-MAR`.

    Raises
    ------
    ConfigError
        If the word is not one of these.
    """
    word = str(freq).strip().upper()
    word = _FREQ_WORDS.get(word, word)
    plain = {"W": "W-SUN", "W-SUN": "W-SUN", "M": "M", "Q": "Q-DEC", "Y": "Y-DEC"}
    if word in plain:
        return plain[word]
    head, _, anchor = word.partition("-")
    if head in ("Q", "Y") and anchor in _MONTHS:
        return word
    weeks = ""
    if _OF_WEEKS.fullmatch(word):
        weeks = (
            " Months of 4 and 5 weeks are not of the calendar: set W and give each "
            "week the FTE of its month, which are averages."
        )
    raise ConfigError(
        f"Unknown frequency {freq!r}: use W (weeks from Monday to Sunday), M, Q, Y, "
        f"or an anchored Q-MAR or Y-MAR.{weeks}"
    )


def base_freq(freq: str) -> str:
    """Return the unit of a pandas frequency: `W`, `M`, `Q` or `Y`."""
    return freq.partition("-")[0]


def hours_per_fte(freq: str, hours_per_week: float = 40.0) -> float:
    """Return the hours of 1 FTE in one period, a constant (DESIGN section 3).

    A year has 52.1775 weeks (365.2425 / 7), a month a twelfth of them, a quarter
    a fourth, whatever the calendar of the single period.
    """
    return hours_per_week * WEEKS_PER_YEAR / _PERIODS_PER_YEAR[base_freq(freq)]


def make_horizon(start: object, periods: SupportsIndex, freq: str) -> pd.PeriodIndex:
    """Return the horizon as a PeriodIndex named `period`.

    Parameters
    ----------
    start
        First period, such as "2027-01".
    periods
        How many.
    freq
        `W`, `M`, `Q`, `Y`, or anchored: `Q-MAR`, `Y-MAR`.

    Raises
    ------
    ConfigError
        If start, count or frequency cannot be read.
    """
    faults, pandas_freq = [], ""
    try:
        pandas_freq = canonical_freq(freq)
    except ConfigError as error:
        faults.append(str(error))
    try:
        count = 0 if isinstance(periods, bool) else operator.index(periods)
    except TypeError:
        count = 0
    if count < 1:
        faults.append(
            f"[horizon] periods must be a whole number of at least 1, not {periods!r}."
        )
    if count > 5000:
        faults.append(f"[horizon] periods is {periods}; at most 5,000 can be used.")
    try:
        first = parse_period(start, pandas_freq) if pandas_freq else None
    except ValueError as error:
        faults.append(f"[horizon] start: {error}")
    if faults:
        raise ConfigError(" ".join(faults))
    return pd.period_range(first, periods=count, freq=pandas_freq, name="period")


def parse_period(value: object, freq: str) -> pd.Period:
    """Read one period strictly; nothing is guessed.

    Accepted: `2027-01`, `2027-W05` (ISO), `2027Q1`, `2027`, ISO dates, and Period
    or date objects. A finer value maps to the period that holds all of it.

    Parameters
    ----------
    freq
        pandas frequency of the result.

    Raises
    ------
    ValueError
        If the text is no period, is coarser than `freq`, or lies in two periods.
    """
    if value is None or value is pd.NaT or value is pd.NA:
        raise ValueError("a period is missing; write it as 2027-01 or 2027Q1")
    if isinstance(value, pd.Period):
        return _fit(value, freq, str(value))
    if isinstance(value, date):  # datetime and pd.Timestamp too
        return pd.Period(parse_day(value), freq=freq)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        number = float(value)
        if number.is_integer() and 1900 <= number <= 2200:
            return _fit(_year(int(number), freq), freq, str(int(number)))
        raise ValueError(f"{value!r} is not a period; write it as 2027-01 or 2027Q1")
    return _parse_text(str(value).strip(), freq)


def _year(year: int, freq: str) -> pd.Period:
    # A bare year in an anchored portfolio is that portfolio's own fiscal year.
    return pd.Period(year=year, freq=freq if base_freq(freq) == "Y" else "Y-DEC")


_LONG_TEXT = 40


def _parse_text(text: str, freq: str) -> pd.Period:
    # Whatever is a period begins with its year.
    if text[:4].isdecimal() and (period := _of_year(text, freq)) is not None:
        return period
    why = next((w for form, w in _UNCLEAR if form.fullmatch(text)), "")
    if len(text) > _LONG_TEXT:
        # A remark in place of a date.
        text = f"{' '.join(text.split())[:_LONG_TEXT]}…"
        why = "leave the cell blank if it is not known"
    raise ValueError(
        f"{text!r} is not a period{f' ({why})' if why else ''}; write it as 2027-01, "
        "2027-W05, 2027Q1, 2027 or as a date 2027-01-31"
    )


def _of_year(text: str, freq: str) -> pd.Period | None:
    unit = base_freq(freq)
    if match := _DATE.fullmatch(text):
        try:
            year, month, number = (int(part) for part in match.groups())
            day = datetime(year, month, number)
        except ValueError as error:
            raise ValueError(f"{text!r} is not a date of the calendar") from error
        _check_year(day.year, text)
        return pd.Period(pd.Timestamp(day), freq=freq)
    if match := _WEEK.fullmatch(text):
        year, week = (int(part) for part in match.groups())
        _check_year(year, text)
        try:
            monday = date.fromisocalendar(year, week, 1)
        except ValueError as error:
            raise ValueError(f"{text!r}: {year} has no week {week}") from error
        return _fit(pd.Period(pd.Timestamp(monday), freq="W-SUN"), freq, text)
    if match := _MONTH.fullmatch(text):
        year, month = (int(part) for part in match.groups())
        _check_year(year, text)
        if not 1 <= month <= 12:
            raise ValueError(f"{text!r}: there is no month {month}")
        return _fit(pd.Period(year=year, month=month, freq="M"), freq, text)
    if match := _QUARTER.fullmatch(text):
        year, quarter = (int(part) for part in match.groups())
        _check_year(year, text)
        own = freq if unit == "Q" else "Q-DEC"
        return _fit(pd.Period(year=year, quarter=quarter, freq=own), freq, text)
    if match := _YEAR.fullmatch(text):
        _check_year(int(text), text)
        return _fit(_year(int(text), freq), freq, text)
    return None


def _check_year(year: int, text: str) -> None:
    if not 1900 <= year <= 2200:
        raise ValueError(f"{text!r}: the year must lie between 1900 and 2200")


def _fit(period: pd.Period, freq: str, text: str) -> pd.Period:
    """Map a period to the one of `freq` that holds all of it."""
    if period.freqstr == freq:
        return period
    # What is not ranked (hours, business days) is finer than a day.
    if _RANK.get(base_freq(period.freqstr), 0) > _RANK[base_freq(freq)]:
        first, last = (
            format_period(when.to_period(freq))
            for when in (period.start_time, period.end_time)
        )
        raise ValueError(
            f"{text!r} is coarser than the portfolio's periods ({freq}); write one of "
            f"{first} to {last}"
        )
    first = period.start_time.to_period(freq)
    if period.end_time.to_period(freq) != first:
        raise ValueError(
            f"{text!r} does not lie inside one period of the portfolio ({freq})"
        )
    return first


def parse_day(value: object, *, end: bool = False) -> pd.Timestamp:
    """Read one day: an ISO date, or the first (last if `end`) day of a period.

    Raises
    ------
    ValueError
        If the text is neither.
    """
    if isinstance(value, (datetime, date)):
        day = pd.Timestamp(value)
        return (day.tz_localize(None) if day.tz is not None else day).normalize()
    if isinstance(value, pd.Period):
        period = value
    else:
        text = str(value).strip()
        if _DATE.fullmatch(text):
            return _parse_text(text, "D").start_time
        unit = (
            "W-SUN"
            if _WEEK.fullmatch(text)
            else "M"
            if _MONTH.fullmatch(text)
            else "Q-DEC"
            if _QUARTER.fullmatch(text)
            else "Y-DEC"
        )
        period = parse_period(value, unit)
    return (period.end_time if end else period.start_time).normalize()


def format_period(period: Any) -> str:
    """Return a period in the form that `parse_period` reads; blank for NaT."""
    if period is None or period is pd.NaT:
        return ""
    if base_freq(period.freqstr) == "W":
        year, week, _ = period.start_time.isocalendar()
        return f"{year:04d}-W{week:02d}"
    return str(period)


def format_periods(periods: Iterable[Any]) -> list[str]:
    """Return `format_period` of each."""
    return [format_period(period) for period in periods]


def with_period_texts(table: pd.DataFrame) -> pd.DataFrame:
    """Return a copy with periods in the form that `parse_period` reads, None for NaT.

    Parameters
    ----------
    table
        Columns of periods, also where they are objects among other cells.
    """
    result = table.copy()
    for column in result.columns:
        cells = result[column]
        if isinstance(cells.dtype, pd.PeriodDtype):
            # Each period once: long tables repeat few of them.
            at, periods = pd.factorize(cells)
            texts = np.array([*format_periods(periods), None], dtype=object)
            result[column] = texts[at]
        elif pd.api.types.is_object_dtype(cells.dtype):
            result[column] = pd.Series(
                [
                    format_period(cell) if isinstance(cell, pd.Period) else cell
                    for cell in cells
                ],
                index=result.index,
                dtype=object,
            )
    return result


def anchored_days(horizon: pd.PeriodIndex) -> str:
    """Return which days the first period has where years begin elsewhere, else ""."""
    if horizon.freqstr in ("W-SUN", "M", "Q-DEC", "Y-DEC"):
        return ""
    first = horizon[0]
    days = f"{first.start_time:%Y-%m-%d} to {first.end_time:%Y-%m-%d}"
    return f"{format_period(first)} is {days} ({horizon.freqstr})"


def offsets_from(values: pd.Series[Any], horizon: pd.PeriodIndex) -> np.ndarray:
    """Return whole periods after the first of the horizon, float with NaN blanks.

    Parameters
    ----------
    values
        Series of Period dtype with the horizon's frequency.
    """
    whole = np.asarray(values.array.view("i8"))
    ordinals = whole.astype(float)
    ordinals[whole == pd.NaT.value] = float("nan")
    return ordinals - horizon[0].ordinal


def checked_horizon(horizon: pd.PeriodIndex) -> pd.PeriodIndex:
    """Return a horizon that can be used; raise `ConfigError` where it cannot."""
    if not isinstance(horizon, pd.PeriodIndex) or not len(horizon):
        raise ConfigError(
            "horizon must be a PeriodIndex with at least one period; see make_horizon."
        )
    if not (np.diff(horizon.astype("int64")) == 1).all():
        raise ConfigError("The horizon must be contiguous periods in order.")
    return horizon.rename("period")


def settings_faults(settings: Settings) -> list[str]:
    """Return what is wrong with settings, each in a sentence."""
    faults = []
    if not np.isfinite(settings.discount) or not -0.99 <= settings.discount <= 10:
        faults.append(
            f"[value] discount is {settings.discount!r}: write a rate per period such "
            "as 0.005."
        )
    if settings.source not in ("", "value", "benefits", "sum"):
        faults.append(
            f"[value] source is {settings.source!r}: use value, benefits or sum"
            f"{closest(settings.source, ('value', 'benefits', 'sum'))}."
        )
    if not 0 < settings.hours_per_week <= 168:
        faults.append(
            f"[calendar] hours_per_week is {settings.hours_per_week!r}; it must lie "
            "between 0 and 168."
        )
    return [*faults, *_workweek_faults(settings)]


def checked_settings(settings: Settings) -> Settings:
    """Return settings that can be used; raise `ConfigError` where they cannot."""
    if faults := settings_faults(settings):
        raise ConfigError(" ".join(faults))
    return settings


def _workweek_faults(settings: Settings) -> list[str]:
    faults, hours = [], 0.0
    try:
        hours = parse_workweek(settings.workweek).hours if settings.workweek else 0.0
    except ValueError as error:
        faults.append(f"[calendar] workweek: {error}.")
    if hours and abs(hours - settings.hours_per_week) > 1e-6:
        faults.append(
            f"[calendar] workweek has {hours:g} hours and hours_per_week is "
            f"{settings.hours_per_week:g}: let them agree, or write days alone."
        )
    try:
        country_workweeks(settings.country_workweeks)
    except ValueError as error:
        faults.append(f"[calendar] country_workweeks: {error}.")
    return faults
