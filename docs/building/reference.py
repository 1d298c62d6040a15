"""Write the pages that follow from the code: tables, commands, Python functions.

`make docs` runs it, and a test (`tests/test_docs.py`) finds pages that are behind.
"""

from __future__ import annotations

import inspect
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import typer
from chinese import INTRODUCTION, KINDS, TEXTS

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
sys.path.insert(0, str(ROOT))

import pmo_analytics  # noqa: E402 - found beside this file, installed or not
from pmo_analytics.cli.commands import app  # noqa: E402
from pmo_analytics.loaders.writing.guide import (  # noqa: E402
    COLUMN_TEXTS,
    TABLE_TEXTS,
)
from pmo_analytics.tables import TABLES  # noqa: E402
from pmo_analytics.tables.contract import Column  # noqa: E402

_KINDS = {
    "text": "text",
    "number": "number",
    "whole": "whole number",
    "period": "period",
    "start_day": "day or period (its first day)",
    "end_day": "day or period (its last day)",
    "day": "day",
    "note": "text, also long",
}
_NOTE = "<!-- Written by docs/building/reference.py: change it there. -->\n\n"
# Rooms whose functions analysts call, in the order of their work.
_CHAPTERS = {
    "Read and write": ("loaders", "examples", "portfolio", "clock"),
    "Capacity and forecasts": ("forecasting", "plan"),
    "Plans": ("optimization", "rules", "evidence", "differences", "reporting"),
    "What if": ("scenarios",),
    "How sure": ("simulation", "uncertainty"),
    "How the projects are doing": ("tracking",),
    "Planning files": ("networks",),
    "Charts": ("plotting",),
    "Every night": ("batch",),
    "Errors": ("errors",),
}


def tables_page() -> str:
    """Return the page of the tables: what each column holds, may be and means."""
    lines = [
        "# The tables",
        "",
        "A portfolio is a folder of CSV files, a workbook with one sheet a table, or the",
        "same tables in a database. Only `projects` with `demand` or `spend`, and `capacity`",
        "or `people`, are needed. What `portfolio.toml` holds, what else is read and what is",
        "refused stands in [your own data](data.md); the same texts are the guide sheet of",
        "`pmo new --xlsx mydata.xlsx`. Columns in **bold** must be filled.",
        "",
    ]
    for name, table in TABLES.items():
        lines += [f"## {name}", "", TABLE_TEXTS[name], ""]
        if table.key:
            lines += [f"One row for each {', '.join(f'`{k}`' for k in table.key)}.", ""]
        lines += ["| column | holds | means | example |", "|---|---|---|---|"]
        for column, spec in table.columns.items():
            meaning = COLUMN_TEXTS[name][column]
            example = f"`{meaning.example}`" if meaning.example else ""
            kind = _kind(spec, meaning.unit)
            lines.append(_row(_shown(column, spec), kind, meaning.text, example))
        lines.append("")
    return _NOTE + "\n".join(lines)


def chinese_tables_page() -> str:
    """Return the page of the tables in Chinese, from the same contract."""
    lines = [INTRODUCTION]
    for name, table in TABLES.items():
        lines += [f"## {name}", "", TEXTS[TABLE_TEXTS[name]], ""]
        lines += ["| 列 | 内容 | 含义 | 例子 |", "|---|---|---|---|"]
        for column, spec in table.columns.items():
            meaning = COLUMN_TEXTS[name][column]
            kind = "、".join(f"`{choice}`" for choice in spec.choices)
            text, example = TEXTS[meaning.text], meaning.example
            shown = f"`{example}`" if example else ""
            lines.append(
                _row(_shown(column, spec), kind or KINDS[spec.kind], text, shown)
            )
        lines.append("")
    return _NOTE + "\n".join(lines)


def _shown(column: str, spec: Column) -> str:
    return f"**`{column}`**" if spec.required else f"`{column}`"


def _row(*cells: str) -> str:
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _kind(spec: Column, unit: str) -> str:
    """Return what a column may hold, in words."""
    if spec.choices:
        kind = ", ".join(f"`{choice}`" for choice in spec.choices)
    else:
        kind = _KINDS[spec.kind]
    low, high = spec.low, spec.high
    if low is not None and high is not None:
        kind += f", {low:g} to {high:g}"
    elif low is not None:
        kind += f", at least {low:g}"
    if unit and unit not in kind:
        kind += f" ({unit})"
    if spec.default is not None:
        kind += f"; blank = {spec.default}"
    return kind


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def commands_page() -> str:
    """Return the page of the commands, with every argument and option."""
    lines = [
        "# The commands",
        "",
        "`pmo COMMAND --help` shows the same in the terminal; `python -m pmo_analytics` is",
        "the same as `pmo`. With `--json` a command prints one JSON line on stdout, on",
        "failures too; progress and messages go to stderr.",
        "",
    ]
    group: Any = typer.main.get_command(app)
    context = group.context_class(group, info_name="pmo")
    # By name: in which order modules were loaded is nobody's business.
    for name in sorted(group.list_commands(context)):
        command = group.get_command(context, name)
        lines += [f"## pmo {name}", "", inspect.cleandoc(command.help or ""), ""]
        lines += ["| option | means | |", "|---|---|---|"]
        inner = command.context_class(command, info_name=name, parent=context)
        for parameter in command.get_params(inner):
            lines.append(_parameter(parameter, inner))
        lines.append("")
    epilog = inspect.cleandoc(group.epilog or "")
    codes = [line for line in epilog.splitlines()[1:] if line]
    lines += ["## Exit codes", ""] + [f"- {line}" for line in codes]
    return _NOTE + "\n".join(lines) + "\n"


def _parameter(parameter: Any, context: Any) -> str:
    """Return the row of one argument or option."""
    if parameter.param_type_name == "argument":
        name = f"`{parameter.name.upper()}`"
    else:
        names = [*parameter.opts, *parameter.secondary_opts]
        name = ", ".join(f"`{option}`" for option in names)
    text = str(getattr(parameter, "help", "") or "")
    said = _default(parameter.get_default(context))
    if parameter.required:
        said = "required"
    return _row(name, text, said)


def _default(value: Any) -> str:
    """Return what holds without the option, if that needs saying."""
    plain = getattr(value, "value", value)
    if plain is True:
        return "on by default"
    if plain in (None, False, "", (), []):
        return ""
    return f"default {plain:g}" if isinstance(plain, float) else f"default {plain}"


def python_page() -> str:
    """Return the page that the site fills with the docstrings of public names."""
    rooms = {
        name: pmo_analytics._PUBLIC[name]
        for name in pmo_analytics.__all__
        if name in pmo_analytics._PUBLIC
    }
    placed = {room for chapter in _CHAPTERS.values() for room in chapter}
    missing = sorted(set(rooms.values()) - placed)
    assert not missing, f"rooms without a chapter: {missing}"
    lines = [
        "# The Python functions",
        "",
        "`import pmo_analytics as pmo`; everything here is `pmo.NAME`, loaded when it is",
        "asked for. What lies deeper is had from its room, as in",
        "`from pmo_analytics.forecasting import ...`; the [rooms](architecture.md) say",
        "what is where.",
        "",
    ]
    for chapter, inside in _CHAPTERS.items():
        names = [
            name for room in inside for name, home in rooms.items() if home == room
        ]
        if not names:
            continue
        lines += [f"## {chapter}", ""]
        for name in names:
            lines += [
                f"::: {_path(name)}",
                "    options:",
                f"      heading: pmo.{name}",
            ]
            lines.append("")
    return _NOTE + "\n".join(lines)


def _path(name: str) -> str:
    """Return where a public name is defined, for a reader of sources."""
    thing = getattr(pmo_analytics, name)
    if isinstance(thing, ModuleType):
        return thing.__name__
    module = import_module(thing.__module__)
    assert getattr(module, thing.__qualname__) is thing, name
    return f"{thing.__module__}.{thing.__qualname__}"


PAGES = {
    "tables.md": tables_page,
    "commands.md": commands_page,
    "python.md": python_page,
    "zh/tables.md": chinese_tables_page,
}


def main() -> None:
    """Write the pages that differ."""
    for name, page in PAGES.items():
        path, text = DOCS / name, page()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"written: docs/{name}")


if __name__ == "__main__":
    main()
