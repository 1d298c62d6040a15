"""Lengths of time as people type them: `3 months`, `10 days`, `2 wks`."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass

from pmo_analytics.clock import WEEKS_PER_YEAR
from pmo_analytics.loaders.cells.calendar_words import plain

_UNITS = {
    plain(word): unit
    for unit, words in {
        "D": "d|day|days|dy|dys|tag|tage|tagen|arbeitstage|workdays|working days|jour|"
        "jours|día|días|天|日|个工作日|工作日",
        "W": "w|wk|wks|week|weeks|woche|wochen|semaine|semaines|sem|semana|semanas|周|"
        "週|个星期|星期",
        "M": "mo|mos|mon|mons|month|months|monat|monate|monaten|mois|mes|meses|月|个月|"
        "個月",
        "Q": "q|qtr|qtrs|quarter|quarters|quartal|quartale|trimestre|trimestres|季|"
        "季度|个季度",
        "Y": "y|yr|yrs|year|years|jahr|jahre|jahren|an|ans|année|années|año|años|年",
    }.items()
    for word in words.split("|")
}
_LENGTH = re.compile(r"(\d+(?:[.,]\d{1,2})?) ?-? ?(e?)([^\W\d_][^\d]*?)\.?\??")
_PER_YEAR = {"W": WEEKS_PER_YEAR, "M": 12.0, "Q": 4.0, "Y": 1.0}
# 13 weeks are 2.99 months and 12 months 52.18 weeks: nobody means one more.
_SLACK = 0.99


@dataclass(frozen=True)
class Length:
    """A number of days, weeks, months, quarters or years.

    Parameters
    ----------
    elapsed
        Days of the calendar, as planning tools write `edays`.
    """

    number: float
    unit: str
    elapsed: bool = False

    def periods(self, freq: str) -> list[int]:
        """Return how many whole periods it takes, under each meaning of a day.

        Parameters
        ----------
        freq
            `W`, `M`, `Q` or `Y`.
        """
        if self.unit != "D":
            spans = [self.number * _PER_YEAR[freq] / _PER_YEAR[self.unit]]
        else:
            weeks = (7.0,) if self.elapsed else (5.0, 7.0)
            spans = [
                self.number / days * _PER_YEAR[freq] / WEEKS_PER_YEAR for days in weeks
            ]
        return list(dict.fromkeys(math.ceil(span * _SLACK) for span in spans))


def read_length(text: str) -> Length | None:
    """Return the length a text names, None if it is none."""
    match = _LENGTH.fullmatch(unicodedata.normalize("NFKC", text).strip())
    if match is None:
        return None
    unit = _UNITS.get(plain(match[3].strip()))
    if unit is None:
        return None
    return Length(float(match[1].replace(",", ".")), unit, bool(match[2]))
