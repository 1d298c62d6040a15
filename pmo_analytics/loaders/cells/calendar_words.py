"""Names of months and weekdays in the languages of people's files."""

from __future__ import annotations

import re
import unicodedata

_MONTHS = (
    "january|jan|januar|jänner|jän|janvier|janv|enero|ene",
    "february|feb|februar|feber|février|févr|fév|febrero",
    "march|mar|märz|mär|mrz|maerz|mars|marzo",
    "april|apr|avril|avr|abril|abr",
    "may|mai|mayo",
    "june|jun|juni|juin|junio",
    "july|jul|juli|juillet|juil|julio",
    "august|aug|août|aoû|agosto|ago",
    "september|sep|sept|septembre|septiembre|setiembre|set",
    "october|oct|oktober|okt|octobre|octubre",
    "november|nov|novembre|noviembre",
    "december|dec|dezember|dez|décembre|déc|diciembre|dic",
)
_WEEKDAYS = (
    "monday|mon|montag|mo|lundi|lun|lunes|星期一|周一|週一|一",
    "tuesday|tue|tues|dienstag|di|mardi|martes|星期二|周二|週二|二",
    "wednesday|wed|mittwoch|mi|mercredi|mer|miércoles|mié|星期三|周三|週三|三",
    "thursday|thu|thur|thurs|donnerstag|do|jeudi|jeu|jueves|jue|星期四|周四|週四|四",
    "friday|fri|freitag|fr|vendredi|ven|viernes|vie|星期五|周五|週五|五",
    "saturday|sat|samstag|sonnabend|sa|samedi|sam|sábado|sáb|星期六|周六|週六|六",
    "sunday|sun|sonntag|so|dimanche|dim|domingo|dom|星期日|星期天|周日|週日|日",
)


def plain(word: str) -> str:
    """Return a word without case and accents."""
    if word.isascii():
        return word.lower()
    text = unicodedata.normalize("NFKD", word.casefold())
    return "".join(c for c in text if not unicodedata.combining(c))


MONTH_OF = {
    plain(word): number
    for number, words in enumerate(_MONTHS, 1)
    for word in words.split("|")
}
_MONTH_ALONE = re.compile(r"([^\W\d_]{3,10})\.?(?: ?\d{1,2})?")


def is_month_alone(text: str) -> bool:
    """Return whether a text is a month without a clear year: `Jan`, `Feb 27`."""
    found = _MONTH_ALONE.fullmatch(text.strip())
    return found is not None and plain(found[1]) in MONTH_OF


# 0 = Monday. `mar` is left out: a month, and a Tuesday in French and Spanish.
WEEKDAY_OF = {
    plain(word): number
    for number, words in enumerate(_WEEKDAYS)
    for word in words.split("|")
}
