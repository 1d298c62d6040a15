"""Workweeks: which days of a week are worked, and for how many hours.

People write `Mon-Thu`, `Mon Tue Fri`, `Mon-Thu 9, Fri 4` or, for Monday to Friday,
`8,8,8,8,4`. Days alone share the contract hours equally; hours are meant as hours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple
from unicodedata import normalize

from pmo_analytics.errors import closest

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WORDS = (
    "mo mon monday montag lu lun lundi lunes lunedi 周一 星期一 週一 礼拜一",
    "tu tue tues tuesday di die dienstag mar mardi martes martedi 周二 星期二 週二",
    "we wed weds wednesday mi mit mittwoch mer mercredi mie miercoles "
    "mercoledi 周三 星期三 週三",
    "th thu thur thurs thursday do don donnerstag jeu jeudi jue jueves "
    "giovedi 周四 星期四 週四",
    "fr fri friday fre freitag ven vendredi vie viernes venerdi 周五 星期五 週五",
    "sa sat saturday sam samstag samedi sab sabado sabato 周六 星期六 週六",
    "su sun sunday so son sonntag dim dimanche dom domingo domenica "
    "周日 星期日 週日 周天 星期天",
)
_NUMBER = {word: k for k, words in enumerate(_WORDS) for word in words.split()}
_TO = frozenset(("to", "bis", "through", "thru", "au", "al", "a", "ate"))
_BESIDE = frozenset(
    ("and", "und", "et", "y", "e", "h", "hr", "hrs", "hour", "hours", "std", "heures")
)
_TOKEN = re.compile(r"[^\W\d_]+|\d+(?:[.,]\d+)?|-")
_FIX = "write days such as Mon-Thu or Mon Tue Fri, or hours such as Mon-Thu 9, Fri 4"


class Workweek(NamedTuple):
    """What a full contract works from Monday to Sunday.

    Attributes
    ----------
    weights
        Hours of each day; where no hours were named, 1 for each day worked.
    in_hours
        Whether hours were named.
    """

    weights: tuple[float, ...]
    in_hours: bool

    @property
    def hours(self) -> float:
        """Hours of the week, 0 where none were named."""
        return sum(self.weights) if self.in_hours else 0.0


@lru_cache(maxsize=1024)
def parse_workweek(text: str) -> Workweek:
    """Read a workweek strictly.

    Raises
    ------
    ValueError
        If the text says no days, a day twice, or hours that no day has.

    Examples
    --------
    >>> parse_workweek("Mon-Thu 9, Fri 4").weights
    (9.0, 9.0, 9.0, 9.0, 4.0, 0.0, 0.0)
    """
    plain = normalize("NFKC", text).casefold()
    plain = re.sub("[\u2010-\u2015\u2212~\u301c至到]", "-", plain)
    if not any(letter.isalpha() for letter in plain):
        return _of_hours(_numbers(plain, text), text)
    hours_of, waiting = _days(plain, text)
    if waiting and hours_of:
        raise ValueError(f"'{text}' says no hours of {DAYS[waiting[0]]}; {_FIX}")
    if not hours_of:
        return Workweek(tuple(float(day in waiting) for day in range(7)), False)
    return _of_hours([hours_of.get(day, 0.0) for day in range(7)], text)


def _days(plain: str, text: str) -> tuple[dict[int, float], list[int]]:
    """Return the hours of each day, and the days that no hours were said of."""
    hours_of: dict[int, float] = {}
    waiting: list[int] = []
    for days, hours in _items(plain, text):
        for day in days:
            if day in hours_of or day in waiting:
                raise ValueError(f"'{text}' names {DAYS[day]} twice; {_FIX}")
            waiting.append(day)
        if hours is not None:
            if not waiting:
                raise ValueError(f"'{text}': hours belong after their days; {_FIX}")
            hours_of |= dict.fromkeys(waiting, hours)
            waiting = []
    return hours_of, waiting


def _of_hours(hours: list[float], text: str) -> Workweek:
    if len(hours) not in (5, 7):
        raise ValueError(
            f"'{text}' is no workweek: hours alone are those of Monday to Friday, or "
            f"to Sunday; {_FIX}"
        )
    if max(hours) > 24 or sum(hours) <= 0:
        raise ValueError(f"'{text}': a day has from 0 to 24 hours, and a week some")
    return Workweek((*hours, *[0.0] * (7 - len(hours))), True)


def _numbers(plain: str, text: str) -> list[float]:
    """Return hours without days; a comma parts them unless something else does."""
    parts = re.split(r"[;\s/|]+", plain.strip(" ;,"))
    if len(parts) == 1 or any(part.strip(",").count(",") > 1 for part in parts):
        parts = re.split(r"[;,\s/|]+", plain.strip(" ;,"))
    elif all(part.endswith(",") for part in parts[:-1]):
        parts = [part.rstrip(",") for part in parts]
    try:
        return [float(part.replace(",", ".")) for part in parts]
    except ValueError:
        raise ValueError(f"'{text}' is no workweek; {_FIX}") from None


def _items(plain: str, text: str) -> Iterator[tuple[list[int], float | None]]:
    """Yield days and, where they are followed by a number, their hours."""
    last: int | None = None
    ranged = False
    for token in _TOKEN.findall(plain):
        word = "".join(c for c in normalize("NFKD", token) if c.isalnum() or c == "-")
        if word == "-" or (word in _TO and last is not None):
            if last is None or ranged:
                raise ValueError(f"'{text}' is no workweek; {_FIX}")
            ranged = True
        elif word in _NUMBER:
            day = _NUMBER[word]
            if ranged and last is not None:
                yield [(last + k) % 7 for k in range(1, (day - last) % 7 + 1)], None
                last, ranged = None, False
            else:
                yield [day], None
                last = day
        elif word[0].isdigit():
            yield [], float(token.replace(",", "."))
            last = None
        elif word not in _BESIDE:
            raise ValueError(
                f"'{text}' is no workweek: '{token}' is no day"
                f"{closest(token, _NUMBER)}; {_FIX}"
            )
    if ranged:
        raise ValueError(f"'{text}' is no workweek; {_FIX}")


def workweek_text(value: object) -> str:
    """Return a workweek as text, also where it came as a list or a table of TOML.

    Raises
    ------
    ValueError
        If it is neither.
    """
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list) and value and all(isinstance(v, str) for v in value):
        return " ".join(value)
    if isinstance(value, list) and value and all(map(_is_number, value)):
        return " ".join(f"{v:g}" for v in value)
    if isinstance(value, dict) and value and all(map(_is_number, value.values())):
        return ", ".join(f"{day} {hours:g}" for day, hours in value.items())
    raise ValueError(_FIX)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def country_workweeks(text: str) -> dict[str, str]:
    """Return country -> workweek of `IL: Sun-Thu; AE: Mon-Thu 9, Fri 4`.

    Raises
    ------
    ValueError
        If a part has no country, or no workweek that can be read.
    """
    found: dict[str, str] = {}
    for part in text.split(";"):
        if not part.strip():
            continue
        country, colon, week = part.partition(":")
        if not colon or not country.strip():
            raise ValueError(
                f"'{part.strip()}' names no country; write IL: Sun-Thu; AE: Mon-Fri"
            )
        parse_workweek(week.strip())
        found[country.strip()] = week.strip()
    return found
