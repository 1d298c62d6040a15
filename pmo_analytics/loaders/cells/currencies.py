"""Signs and codes of currencies in cells and headings.

A sign such as `$` may stand for several currencies: amounts go together as long as
one currency is left that all of their signs may mean.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

# Sign or code as written (folded to upper case) -> the currencies it may mean.
_DOLLARS = "USD CAD AUD NZD HKD SGD TWD MXN ARS CLP COP"
_SIGNS = {
    "US$": "USD",
    "U$S": "USD",
    "CA$": "CAD",
    "C$": "CAD",
    "AU$": "AUD",
    "A$": "AUD",
    "NZ$": "NZD",
    "HK$": "HKD",
    "S$": "SGD",
    "NT$": "TWD",
    "MX$": "MXN",
    "R$": "BRL",
    "$": _DOLLARS,
    "€": "EUR",
    "£": "GBP EGP",
    "¥": "JPY CNY",
    "円": "JPY",
    "元": "CNY TWD HKD",
    "圆": "CNY",
    "圓": "TWD HKD",
    "人民币": "CNY",
    "人民幣": "CNY",
    "RMB": "CNY",
    "₩": "KRW",
    "₹": "INR",
    "RS.": "INR PKR LKR NPR",
    "RS": "INR PKR LKR NPR",
    "₽": "RUB",
    "₺": "TRY",
    "₪": "ILS",
    "₫": "VND",
    "₱": "PHP",
    "฿": "THB",
    "₴": "UAH",
    "₦": "NGN",
    "ZŁ": "PLN",
    "KČ": "CZK",
    "FT": "HUF",
    "KR.": "SEK NOK DKK ISK",
    "KR": "SEK NOK DKK ISK",
    "SFR.": "CHF",
    "SFR": "CHF",
    "FR.": "CHF",
}
_CODES = (
    "EUR USD GBP CHF JPY CNY HKD TWD CAD AUD NZD SGD INR KRW SEK NOK DKK ISK PLN CZK "
    "HUF RON BGN RUB TRY UAH ILS AED SAR QAR KWD EGP ZAR NGN KES MXN BRL ARS CLP COP "
    "PEN THB VND PHP IDR MYR PKR LKR"
)
_MEANS = {code: frozenset({code}) for code in _CODES.split()} | {
    sign: frozenset(codes.split()) for sign, codes in _SIGNS.items()
}
_ANY = "|".join(re.escape(s) for s in sorted(_MEANS, key=len, reverse=True))
_FIRST = re.compile(rf"({_ANY})\s*(?=[\d.,+(-])", re.IGNORECASE)
_LAST = re.compile(rf"(?<=[\d)\w.-])\s*({_ANY})$", re.IGNORECASE)
_ANYTHING_ELSE = re.compile(r"[^\d.,()+\s'\u2019-]")
# Names as settings and headings write them.
_NAMES = {
    "EURO": "EUR",
    "EUROS": "EUR",
    "DOLLAR": _DOLLARS,
    "DOLLARS": _DOLLARS,
    "POUND": "GBP",
    "POUNDS": "GBP",
    "STERLING": "GBP",
    "YEN": "JPY",
    "YUAN": "CNY",
    "RENMINBI": "CNY",
    "FRANKEN": "CHF",
    "RUPEE": "INR",
    "RUPEES": "INR",
}
_WORD = re.compile(r"[^\W\d_]+")
_SIGN_ONLY = "|".join(
    re.escape(s) for s in sorted(_SIGNS, key=len, reverse=True) if not s[-1].isalpha()
)
_BARE_SIGN = re.compile(_SIGN_ONLY + "|人民[币幣]|[元円圆圓]")


def without_currency(text: str) -> tuple[str, str]:
    """Return a number's text without its sign or code, and that sign or code.

    The text is in NFKC and stripped; a sign of minus may stand before the currency.
    """
    if not _ANYTHING_ELSE.search(text):
        return text, ""
    sign = text[:1] if text[:1] in ("+", "-", "(") else ""
    rest = text[len(sign) :].lstrip()
    if match := _FIRST.match(rest):
        return sign + rest[match.end() :], match[1]
    closing = ")" if sign == "(" and rest.endswith(")") else ""
    body = rest.removesuffix(closing) if closing else rest
    # No sign and no code ends with a digit, and the search for one takes long.
    if not body[-1:].isdigit() and (match := _LAST.search(body)):
        return sign + body[: match.start()].rstrip() + closing, match[1]
    return text, ""


def meanings(written: str) -> frozenset[str]:
    """Return the currencies that a sign, a code, a heading or a label may mean.

    Empty where it names none; `GBP million`, `Euro` and `k€` name one.
    """
    text = unicodedata.normalize("NFKC", written).upper().strip()
    if text in _MEANS:
        return _MEANS[text]
    for word in _WORD.findall(text):
        known = _MEANS.get(word) or _MEANS.get(word[1:] if len(word) == 4 else "")
        if known is None and word in _NAMES:
            known = frozenset(_NAMES[word].split())
        if known is not None and word not in ("FT", "RS", "KR"):
            return known
    if match := _BARE_SIGN.search(text):
        return _MEANS[match[0]]
    return frozenset()


def go_together(written: Mapping[str, object]) -> bool:
    """Return whether one currency is left that all signs and codes may mean."""
    sets = [found for sign in written if (found := meanings(sign))]
    return not sets or bool(frozenset.intersection(*sets))
