"""The number columns of tables are read, and every step taken is said."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pmo_analytics.errors import listing
from pmo_analytics.loaders.aliases import fold
from pmo_analytics.loaders.cells.currencies import go_together, meanings
from pmo_analytics.loaders.cells.numbers import (
    Company,
    NumberFindings,
    decimal_proof,
    read_numbers,
)
from pmo_analytics.loaders.cells.shares import (
    PERCENTS,
    SHARES,
    ShareReading,
    has_percent_sign,
    weigh_percents,
    weigh_shares,
)
from pmo_analytics.loaders.findings import FileFormat, Problem
from pmo_analytics.loaders.understanding.headings import kind_of
from pmo_analytics.loaders.understanding.jira_times import PER_HOUR
from pmo_analytics.loaders.understanding.tidy import Tidy

_BRACKETS = re.compile(r".*[(\[]([^()\[\]]+)[)\]]\s*\*?")
_CURRENCY_HEADINGS = frozenset(
    (
        *("currency", "currencycode", "ccy", "cur", "curr", "wahrung", "devise"),
        *("moneda", "valuta", "币种", "货币", "幣別", "貨幣"),
    )
)
# One finding is enough to mend a column; its rows are listed.
_SHOWN = 8


def companies(tidies: Mapping[str, Tidy], declared: FileFormat) -> dict[str, Company]:
    """Return what the other files of a portfolio tell each about the decimal mark.

    Only cells that can be read in one way count. A file that looks as in a country
    with decimal commas, by semicolons or by days such as 31.12.2027, takes the decimal
    point only from others that look so.
    """
    if declared.decimal:
        return {}
    proofs = {
        table: decimal_proof(_numeric(tidy), _bounded(tidy))
        for table, tidy in tidies.items()
    }
    dotted = any(tidy.dotted for tidy in tidies.values())
    found = {}
    for table, tidy in tidies.items():
        local = _local(tidy)
        points = commas = ""
        for other, (point, comma) in proofs.items():
            neighbour = tidies[other]
            if other == table:
                continue
            if point and (not local or _local(neighbour)):
                points = points or f"'{point[2]}' in {_file(neighbour)}"
            if comma:
                commas = commas or f"'{comma[2]}' in {_file(neighbour)}"
        if points and commas:
            found[table] = Company(local=True)
        elif points or commas:
            found[table] = Company("," if commas else ".", points or commas, local)
        else:
            found[table] = Company(local=local or dotted)
    return found


def _local(tidy: Tidy) -> bool:
    return tidy.delimiter == ";" or tidy.dotted


def _file(tidy: Tidy) -> str:
    return tidy.place.sheet or tidy.place.source


def _numeric(tidy: Tidy) -> dict[str, list[Any]]:
    table = tidy.place.table
    return {
        name: cells
        for name, cells in tidy.columns.items()
        if kind_of(table, name) in ("number", "whole") or name in tidy.spread
    }


def _bounded(tidy: Tidy) -> set[str]:
    """Return columns whose numbers lie far below a thousand."""
    table = tidy.place.table
    names = {"weekly_hours", "daily_hours", "monthly_hours"}
    if table in SHARES and table != "demand":
        names.add(SHARES[table])
    if table in PERCENTS:
        names.add(PERCENTS[table])
    return names


def read_number_columns(tidy: Tidy, declared: FileFormat, company: Company) -> None:
    """Turn the number columns of a table into floats, in place."""
    raw = _numeric(tidy)
    read, findings = read_numbers(
        raw,
        declared.decimal,
        company=company,
        bounded=_bounded(tidy),
        money=tidy.money,
    )
    share = SHARES.get(tidy.place.table, "")
    percent = PERCENTS.get(tidy.place.table, "")
    _read_spread(tidy, raw, read)
    for name, factor in tidy.factors.items():
        if name in tidy.spread:
            continue
        if name in read and not (name in (share, percent) and factor == 0.01):
            read[name] = [
                _times(c, factor) if c.__class__ is float else c for c in read[name]
            ]
            tidy.problems.append(
                tidy.place.warning(
                    "scaled_units",
                    column=name,
                    found=tidy.texts[name],
                    fix="Jira exports these times in seconds; they are read as hours."
                    if factor == 1 / PER_HOUR
                    else "As the heading says, the numbers were multiplied by "
                    f"{factor:g}.",
                )
            )
    if share in read:
        read[share] = _read_shares(tidy, share, raw[share], read[share])
    if percent in read:
        read[percent] = _read_percents(tidy, percent, raw[percent], read[percent])
        findings.percents = ""  # they stay percent
    tidy.columns.update(read)
    _say_numbers(tidy, findings, declared, company)
    _note_currencies(tidy, findings)


def _times(value: float, factor: float) -> float:
    return value / round(1 / factor) if factor < 1 else value * factor


def _read_spread(
    tidy: Tidy, raw: dict[str, list[Any]], read: dict[str, list[Any]]
) -> None:
    """Let the unit of a title have its effect on all columns of a wide table."""
    names = [n for n in tidy.spread if n in tidy.factors and n in read]
    if not names:
        return
    factor = tidy.factors[names[0]]
    first = read[names[0]]
    rule = "scaled_units"
    fix = f"As the title says, the numbers were multiplied by {factor:g}."
    if factor == 0.01:
        cells = [cell for n in names for cell in raw[n]]
        values = [value for n in names for value in read[n]]
        found = weigh_shares(tidy.place.table, tidy.title, cells, values)
        if found.wrong:
            rows = sorted({tidy.rows[i % len(first)] for i in found.wrong})
            tidy.problems.append(
                tidy.place.error(
                    found.rule,
                    row=rows[0],
                    column=names[found.wrong[0] // len(first)],
                    found=f"{cells[found.wrong[0]]} (rows {listing(rows, _SHOWN)})",
                    fix=found.fix,
                )
            )
            return
        factor, rule, fix = found.factor, found.rule, found.fix
    if factor != 1.0:
        for name in names:
            read[name] = [
                _times(v, factor)
                if v.__class__ is float and not has_percent_sign(cell)
                else v
                for cell, v in zip(raw[name], read[name], strict=True)
            ]
    if rule:
        tidy.problems.append(tidy.place.warning(rule, found=tidy.title, fix=fix))


def _read_percents(
    tidy: Tidy, name: str, raw: list[Any], values: list[Any]
) -> list[Any]:
    """Return a column of percent as numbers from 0 to 100: 45 % is 45."""
    found = weigh_percents(tidy.texts.get(name, name), raw, values)
    values = _weighed(tidy, name, raw, values, found)
    return [
        v * 100 if v.__class__ is float and has_percent_sign(cell) else v
        for cell, v in zip(raw, values, strict=True)
    ]


def _read_shares(tidy: Tidy, name: str, raw: list[Any], values: list[Any]) -> list[Any]:
    heading = tidy.texts.get(name, name)
    found = weigh_shares(tidy.place.table, heading, raw, values)
    return _weighed(tidy, name, raw, values, found)


def _weighed(
    tidy: Tidy, name: str, raw: list[Any], values: list[Any], found: ShareReading
) -> list[Any]:
    """Return the numbers of a column as was found; what has to be said is said."""
    heading = tidy.texts.get(name, name)
    if found.wrong:
        rows = [tidy.rows[i] for i in found.wrong]
        tidy.problems.append(
            tidy.place.error(
                found.rule,
                row=rows[0],
                column=name,
                found=f"{raw[found.wrong[0]]} (rows {listing(rows, _SHOWN)})",
                fix=found.fix,
            )
        )
        # Nothing else is to be said of a column nobody can read.
        pairs = zip(raw, values, strict=True)
        return [v if has_percent_sign(cell) else None for cell, v in pairs]
    if found.rule:
        tidy.problems.append(
            tidy.place.warning(found.rule, column=name, found=heading, fix=found.fix)
        )
    if found.factor == 1.0:
        return values
    return [
        _times(v, found.factor)
        if v.__class__ is float and not has_percent_sign(cell)
        else v
        for cell, v in zip(raw, values, strict=True)
    ]


# ------------------------------------------------------------------------ what is said


def _say_numbers(
    tidy: Tidy, found: NumberFindings, declared: FileFormat, company: Company
) -> None:
    place = tidy.place
    for name, (index, text, count) in found.ambiguous.items():
        mark = "comma" if "," in text else "point"
        tidy.problems.append(
            place.error(
                "ambiguous_number",
                row=tidy.rows[index],
                column=name,
                found=f"{text} ({count} cells)",
                fix=f"Is the {mark} a decimal mark or a thousands mark? Write 1234.5, "
                "or declare [files] decimal = ',' or '.' in portfolio.toml.",
            )
        )
    _say_mark(tidy, found)
    _say_marks_in_doubt(tidy, found, declared, company)
    _say_signs(tidy, found)


def _say_mark(tidy: Tidy, found: NumberFindings) -> None:
    """Say which decimal mark the file needs, or that it needs both."""
    place = tidy.place
    if found.points is not None and found.commas is not None:
        column, index, text = found.commas
        tidy.problems.append(
            place.error(
                "mixed_decimals",
                row=tidy.rows[index],
                column=column,
                found=f"{text}, {found.points[2]}",
                fix=f"'{text}' has a decimal comma and '{found.points[2]}' a decimal "
                "point. Use one of them in the whole file.",
            )
        )
    elif found.inferred and found.commas is not None:
        column, index, text = found.commas
        tidy.problems.append(
            place.warning(
                "decimal_comma",
                row=tidy.rows[index],
                column=column,
                found=text,
                fix="Numbers of this file are read with a decimal comma, as this one "
                "must be; a point separates thousands.",
            )
        )


def _say_marks_in_doubt(
    tidy: Tidy, found: NumberFindings, declared: FileFormat, company: Company
) -> None:
    """Say how numbers were read that could be others under the other mark."""
    place = tidy.place
    if found.by_company:
        mark = "comma" if found.decimal == "," else "point"
        tidy.problems.append(
            place.warning(
                "decimal_of_folder",
                found=found.by_company,
                fix=f"Numbers of this file are read with a decimal {mark}, because "
                f"{company.witness} has one. If that is wrong, declare [files] decimal "
                "in portfolio.toml.",
            )
        )
    elif found.three_decimals:
        tidy.problems.append(
            place.warning(
                "three_decimals",
                found=found.three_decimals,
                fix="The point is read as a decimal mark. If it separates thousands, "
                "declare [files] decimal = ',' in portfolio.toml.",
            )
        )
    elif found.grouped and not declared.decimal:
        tidy.problems.append(
            place.warning(
                "thousands_separator",
                found=found.grouped,
                fix="Commas are read as thousands marks, as the numbers of the file "
                "show.",
            )
        )


def _say_signs(tidy: Tidy, found: NumberFindings) -> None:
    """Say what else was read beside digits."""
    for rule, text, fix in (
        ("percent", found.percents, "Percentages are read as shares: 50 % is 0.5."),
        (
            "currency_sign",
            next(iter(found.currencies.values()), ("", 0, ""))[2],
            "Signs of currencies were dropped.",
        ),
        (
            "scaled_units",
            found.scaled,
            "Words of size are read: k is 10^3, m 10^6, bn 10^9, 万 10^4, 亿 10^8.",
        ),
        (
            "negative_brackets",
            found.negatives,
            "Numbers in brackets, or with the minus behind them, are read as negative.",
        ),
    ):
        if text:
            tidy.problems.append(tidy.place.warning(rule, found=text, fix=fix))


# -------------------------------------------------------------------------- currencies


def _note_currencies(tidy: Tidy, found: NumberFindings) -> None:
    """Keep which currencies the cells, the headings or a column of their own name."""
    for written, (name, index, text) in found.currencies.items():
        tidy.currencies[written] = f"{text} ({name}, row {tidy.rows[index]})"
    for name in sorted(tidy.money & set(tidy.texts)):
        text = tidy.texts[name]
        match = _BRACKETS.fullmatch(text)
        word = match[1] if match else text.split()[-1]
        if meanings(word):
            tidy.currencies.setdefault(word, f"heading '{text}'")
    if not tidy.money:
        return
    for name, cells in tidy.columns.items():
        if fold(name) in _CURRENCY_HEADINGS:
            for i, cell in enumerate(cells):
                if cell is not None and str(cell) not in tidy.currencies:
                    tidy.currencies[str(cell)] = f"{cell} ({name}, row {tidy.rows[i]})"


def check_currencies(tidies: Mapping[str, Tidy], declared: str) -> list[Problem]:
    """Return an error where the amounts of a portfolio are in several currencies."""
    seen: dict[str, str] = {declared: ""} if meanings(declared) else {}
    for tidy in tidies.values():
        seen |= tidy.currencies
        if go_together(seen):
            continue
        found = [text for text in seen.values() if text]
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        one = (
            f"[value] currency says '{declared}'; these are others. "
            if (declared in seen)
            else ""
        )
        return [
            tidy.place.error(
                "mixed_currencies",
                found=", ".join(found[:_SHOWN]) + more,
                fix=f"{one}Amounts in several currencies cannot be added. Convert them "
                "to one currency, and declare it as [value] currency.",
            )
        ]
    return []
