"""What the format of a number in a workbook shows: a currency, or a time of day."""

from __future__ import annotations

import re

from pmo_analytics.loaders.cells.currencies import meanings

# What is no code of a format: texts in quotes, conditions and colours in brackets.
_QUOTED = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')
_SIGNS = re.compile(r'\[\$([^\]-]+)|"([^"]+)"|([$€£¥₹])')
# The only format with day and time that a workbook need not spell out.
_DAY_AND_TIME = 22


def currency_of(code: str) -> str:
    """Return the sign or code of a currency that a format writes, if any.

    Examples
    --------
    >>> currency_of("#,##0.00 [$€-407]"), currency_of('#,##0 "CHF"'), currency_of("0")
    ('€', 'CHF', '')
    """
    for match in _SIGNS.finditer(code):
        written = (match[1] or match[2] or match[3]).strip()
        if meanings(written):
            return written
    return ""


def shows_clock(number: int, code: str) -> bool:
    """Return whether a format shows a day with its time of day.

    Parameters
    ----------
    number
        Number of the format in the workbook.
    code
        The format as written, "" for one that every program knows.
    """
    plain = _QUOTED.sub("", code).lower()
    return number == _DAY_AND_TIME or ("h" in plain and "y" in plain)
