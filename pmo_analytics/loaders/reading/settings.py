"""What a portfolio declares of itself: `portfolio.toml`, or the sheet `portfolio`.

```toml
name = "Portfolio 2027"

[horizon]
start = "2027-01"        # a period, a date or a year
periods = 24
freq = "M"               # W, M, Q, Y, or anchored: Q-MAR, Y-MAR

[value]
discount = 0.005         # per period
source = "value"         # value, benefits, sum; blank = the one that is filled
net_of_spend = false
weigh_by_probability = false   # true: worth x projects.probability
currency = "EUR"

[calendar]
hours_per_week = 40
country = "DE"           # or DE-BY, DE-BY+catholic
workweek = "Mon-Thu"     # or ["Mon", "Tue"], {Mon = 9, Fri = 4}: hours make the week
country_workweeks = {IL = "Sun-Thu"}
timezone = "Europe/Berlin"  # of times such as 2027-02-28T23:00Z; blank = the country's

[files]                  # only where the files need it
encoding = "gb18030"     # code page of CSV files that are not UTF-8
decimal = ","            # decimal mark of numbers that are text
dayfirst = true          # 03/04/2027 is 3 April
delimiter = ";"          # of CSV files
blank = ["open"]         # words that stand for a blank cell, beside -, n/a, TBD, ...
ignore = ["old_*.csv"]   # files (or sheets) that are not read, by name or pattern
```

In a workbook the sheet `portfolio` has two columns, key and value, with the same
keys (`start`, or `horizon.start`).
"""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from pmo_analytics.clock import (
    Settings,
    base_freq,
    country_workweeks,
    format_period,
    parse_workweek,
    workweek_text,
)
from pmo_analytics.errors import closest
from pmo_analytics.loaders.aliases import fold
from pmo_analytics.loaders.cells.zones import home_zone, is_zone
from pmo_analytics.loaders.findings import FileFormat, Place, Problem
from pmo_analytics.loaders.reading.text import is_encoding

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio

# Dotted key -> (kind, other words in a sheet).
_KEYS: dict[str, tuple[str, str]] = {
    "name": ("text", "名称|组合名称|项目组合|名稱|組合名稱|nom|nombre"),
    "horizon.start": ("period", "开始|起始|起始期|开始期间|開始|beginn|début|inicio"),
    "horizon.periods": ("whole", "期数|期间数|期數|perioden|périodes|periodos"),
    "horizon.freq": ("text", "frequency|频率|周期|頻率|週期|frequenz|fréquence"),
    "value.discount": ("number", "discount rate|折现率|贴现率|折現率|diskontsatz"),
    "value.source": ("text", "value source|价值来源|價值來源"),
    "value.net_of_spend": ("flag", "扣除支出|净额|淨額"),
    "value.weigh_by_probability": ("flag", "weighted by probability|按概率加权"),
    "value.currency": ("text", "币种|货币|幣別|貨幣|währung|devise|moneda"),
    "calendar.hours_per_week": ("number", "每周工时|周工时|每週工時|wochenstunden"),
    "calendar.country": ("text", "国家|國家|land|pays|país"),
    "calendar.workweek": ("workweek", "working days|工作日|工作周|arbeitswoche"),
    "calendar.country_workweeks": ("workweeks", "各国工作日"),
    "calendar.timezone": ("text", "time zone|时区|時區|zeitzone|fuseau horaire"),
    "files.encoding": ("text", "code page|编码|編碼"),
    "files.decimal": ("text", "decimal mark|小数点|小數點"),
    "files.dayfirst": ("flag", "day first|日在前"),
    "files.delimiter": ("text", "separator|分隔符"),
    "files.blank": ("words", "blank words|空白"),
    "files.ignore": ("words", "ignored|not read|忽略"),
}
_SECTIONS = tuple(dict.fromkeys(k.split(".")[0] for k in _KEYS if "." in k))
_YES = frozenset(map(fold, ("true", "yes", "y", "1", "是", "ja", "oui", "sí")))
_NO = frozenset(map(fold, ("false", "no", "n", "0", "否", "nein", "non")))


@dataclass
class Declared:
    """Settings as read: dotted key -> value, and the row each stands in."""

    place: Place
    values: dict[str, Any] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        """Value and calendar settings."""
        names = (
            "discount",
            "source",
            "net_of_spend",
            "weigh_by_probability",
            "currency",
        )
        own = {
            n: self.values[f"value.{n}"] for n in names if f"value.{n}" in self.values
        }
        for name in ("hours_per_week", "country", "workweek", "country_workweeks"):
            if f"calendar.{name}" in self.values:
                own[name] = self.values[f"calendar.{name}"]
        # Hours of each day say how many a full contract has.
        week = own.get("workweek", "")
        if week and "hours_per_week" not in own and parse_workweek(week).in_hours:
            own["hours_per_week"] = parse_workweek(week).hours
        return Settings(**own)

    @property
    def zone(self) -> str:
        """Time zone that times with an offset are moved to, "" = not known."""
        return home_zone(
            self.values.get("calendar.timezone", ""),
            self.values.get("calendar.country", ""),
        )

    @property
    def ignored(self) -> tuple[str, ...]:
        """Names and patterns of files or sheets that are not read."""
        return tuple(self.values.get("files.ignore", ()))

    @property
    def format(self) -> FileFormat:
        """How the files are written."""
        return FileFormat(
            encoding=self.values.get("files.encoding", ""),
            decimal=self.values.get("files.decimal", ""),
            dayfirst=self.values.get("files.dayfirst"),
            delimiter=self.values.get("files.delimiter", ""),
            blank=self.values.get("files.blank", ()),
        )

    def error(self, rule: str, key: str, fix: str, found: object = "") -> Problem:
        """Return an error row about one key."""
        return self.place.error(
            rule, row=self.rows.get(key), column=key, found=found, fix=fix
        )


def read_toml(text: str, place: Place) -> tuple[Declared, list[Problem]]:
    """Read `portfolio.toml`.

    Raises
    ------
    tomllib.TOMLDecodeError
        If the text is no TOML.
    """
    declared, problems = Declared(place), []
    for key, value in tomllib.loads(text).items():
        if key in _SECTIONS and isinstance(value, dict):
            pairs = [(f"{key}.{name}", inner) for name, inner in value.items()]
        else:
            pairs = [(key, value)]
        for dotted, inner in pairs:
            problems += _take(declared, dotted, inner, typed=True)
    return declared, problems


def read_sheet(
    rows: Iterable[tuple[int, list[Any]]], place: Place
) -> tuple[Declared, list[Problem]]:
    """Read the sheet `portfolio`: in each row a key and the value after it.

    Parameters
    ----------
    rows
        (row number, cells).
    """
    declared, problems = Declared(place), []
    words = _sheet_words()
    for number, cells in rows:
        blanks = [c is None or not str(c).strip() for c in cells]
        if all(blanks):
            continue
        first = blanks.index(False)
        text = str(cells[first]).strip()
        blank = blanks[first + 1 : first + 2] != [False]
        value = None if blank else cells[first + 1]
        key = words.get(fold(text))
        if key is None:
            if value is None or fold(text) in ("key", "setting", "键", "设置", "鍵"):
                continue  # a title, or the header of the two columns
            problems.append(
                place.error(
                    "unknown_setting",
                    row=number,
                    column=text,
                    found=text,
                    fix=f"There is no setting '{text}'{_nearest(text)}. Use one of "
                    f"{', '.join(_short_names())}, or remove the row.",
                )
            )
            continue
        declared.rows[key] = number
        if value is None and key == "name":
            value = ""
        if value is not None:
            problems += _take(declared, key, value, typed=False)
    return declared, problems


def _short_names() -> list[str]:
    return [key.rpartition(".")[2] for key in _KEYS]


def _sheet_words() -> dict[str, str]:
    words = {}
    for key, (_kind, aliases) in _KEYS.items():
        short = key.rpartition(".")[2]
        for word in (key, short, short.replace("_", " "), *aliases.split("|")):
            words[fold(word)] = key
    return words


def _nearest(key: str) -> str:
    short = closest(key.rpartition(".")[2], _short_names())
    return (closest(key, _KEYS) or short) if "." in key else short


def _take(declared: Declared, key: str, value: Any, *, typed: bool) -> list[Problem]:
    """Check one setting and keep it; return what is wrong with it."""
    if key not in _KEYS:
        hint = _nearest(key)
        for section in _SECTIONS:  # a right key in the wrong section
            if "." not in key and f"{section}.{key}" in _KEYS:
                hint = f" (it belongs into the section [{section}])"
        return [
            declared.error(
                "unknown_setting",
                key,
                f"There is no setting '{key}'{hint}. Correct or remove it.",
                key,
            )
        ]
    kind = _KEYS[key][0]
    try:
        clean = _READERS[kind](value, typed)
        if kind == "text" and key not in ("name", "files.delimiter"):
            clean = clean.strip()
        _check_value(key, clean)
    except ValueError as error:
        return [declared.error("bad_setting", key, f"{key}: {error}.", value)]
    declared.values[key] = clean
    return []


def _read_text(value: Any, typed: bool) -> str:
    if isinstance(value, str):
        return value
    if typed:
        raise ValueError("write a text in quotes")
    number = isinstance(value, float) and value.is_integer()
    return str(int(value) if number else value)


def _read_number(value: Any, typed: bool) -> float:
    if isinstance(value, str) and not typed:
        text = value.strip()
        scale = 0.01 if text.endswith("%") else 1.0
        try:
            value = float(text.rstrip("% ")) * scale
        except ValueError:
            raise ValueError("write a number such as 0.005") from None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError("write a number such as 0.005")
    if not math.isfinite(value):
        raise ValueError("write a finite number")
    return float(value)


def _read_whole(value: Any, typed: bool) -> int:
    number = _read_number(value, typed)
    if not number.is_integer():
        raise ValueError("write a whole number")
    return int(number)


def _read_flag(value: Any, typed: bool) -> bool:
    if isinstance(value, bool):
        return value
    if not typed:
        word = fold(str(int(value) if isinstance(value, float) else value))
        if word in _YES | _NO:
            return word in _YES
    raise ValueError("write true or false")


def _read_period(value: Any, _typed: bool) -> Any:
    if isinstance(value, bool) or not isinstance(value, (str, int, float, date)):
        raise ValueError("write a period such as 2027-01")
    return value


def _read_workweek(value: Any, _typed: bool) -> str:
    text = workweek_text(value)
    if text:
        parse_workweek(text)
    return text


def _read_workweeks(value: Any, _typed: bool) -> str:
    if isinstance(value, dict):
        value = "; ".join(f"{k}: {workweek_text(week)}" for k, week in value.items())
    if not isinstance(value, str):
        raise ValueError('write {IL = "Sun-Thu", AE = "Mon-Fri"}')
    country_workweeks(value)
    return value.strip()


def _read_words(value: Any, typed: bool) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(word.strip() for word in value.split(",") if word.strip())
    if typed and isinstance(value, list) and all(isinstance(w, str) for w in value):
        return tuple(word.strip() for word in value if word.strip())
    raise ValueError('write words in quotes: ["TBD", "open"]')


_READERS = {
    "workweek": _read_workweek,
    "workweeks": _read_workweeks,
    "words": _read_words,
    "text": _read_text,
    "number": _read_number,
    "whole": _read_whole,
    "flag": _read_flag,
    "period": _read_period,
}


def _check_value(key: str, value: Any) -> None:
    if key == "files.decimal" and value not in (".", ","):
        raise ValueError("use '.' or ','")
    if key == "files.delimiter" and (
        len(value) != 1 or value.isalnum() or value in "\"\r\n'"
    ):
        raise ValueError("use one character, such as ';'")
    if key == "calendar.timezone" and value and not is_zone(value):
        raise ValueError(
            "no time zone of this name is known; use for example Europe/Berlin or "
            "America/New_York"
        )
    if key == "files.encoding" and not is_encoding(value):
        raise ValueError(
            "no encoding of this name is known; use for example utf-8, gb18030, big5, "
            "cp1252"
        )


def flat_settings(portfolio: Portfolio) -> dict[str, Any]:
    """Return dotted key -> value of everything a portfolio declares."""
    freq = portfolio.freq
    plain = freq in ("W-SUN", "Q-DEC", "Y-DEC")
    settings = portfolio.settings
    return {
        "name": portfolio.name,
        "horizon.start": format_period(portfolio.horizon[0]),
        "horizon.periods": len(portfolio.horizon),
        "horizon.freq": base_freq(freq) if plain else freq,
        "value.discount": settings.discount,
        "value.source": settings.source,
        "value.net_of_spend": settings.net_of_spend,
        "value.weigh_by_probability": settings.weigh_by_probability,
        "value.currency": settings.currency,
        "calendar.hours_per_week": settings.hours_per_week,
        "calendar.country": settings.country,
        "calendar.workweek": settings.workweek,
        "calendar.country_workweeks": settings.country_workweeks,
    }


def toml_text(portfolio: Portfolio) -> str:
    """Return `portfolio.toml` of a portfolio."""
    lines = []
    section = ""
    for key, value in flat_settings(portfolio).items():
        head, _, name = key.rpartition(".")
        if head != section:
            lines += ["", f"[{head}]"]
            section = head
        lines.append(f"{name} = {_toml_value(value)}")
    return "\n".join(lines) + "\n"


def _toml_value(value: Any) -> str:
    if isinstance(value, str):
        # JSON strings are TOML strings, but for one control character.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value)
