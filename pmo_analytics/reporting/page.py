"""A report as one HTML page that needs nothing but itself.

No font, picture, style or script from elsewhere: the page forbids that to the browser
in its own content policy, which allows one script by its digest, where a page has
tables to sort and filter. Every text from data is escaped.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

import pandas as pd

from pmo_analytics.errors import ConfigError
from pmo_analytics.files import written_whole
from pmo_analytics.formats import NUMBERS, kind_of, label_of, text_of
from pmo_analytics.reporting.charts import svg_of
from pmo_analytics.reporting.figures import png_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from pmo_analytics.reporting.charts import Chart

# Rows of a table on the page; the rest is in the CSV file.
MAX_ROWS = 60
_SHORT = 15
# Columns from which a table is printed across.
_WIDE = 12
# Letters from which a cell is given room.
_LONG = 40
_NAME = 15
# Columns that hold colours, and their words.
_COLOURED = ("rag", "reported", "cost", "time", "milestones")
_COLOURS = ("red", "amber", "green")
_UNSHOWN = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff"
_CONTROLS = re.compile(f"[{_UNSHOWN}]")
# What is not written as it stands; most cells have none of it.
_UNSAFE = re.compile(f"[&<>\"'{_UNSHOWN}]")


@dataclass(frozen=True)
class Fact:
    """One number of the headline.

    Parameters
    ----------
    label
        What it is.
    value
        The number as text.
    note
        One line more.
    alarm
        Whether somebody should act on it.
    """

    label: str
    value: str
    note: str = ""
    alarm: bool = False


@dataclass(frozen=True)
class Section:
    """One part of a report: a chart, a table, or both.

    Parameters
    ----------
    title
        Heading.
    takeaway
        What to take from it, one sentence.
    figure
        Chart.
    alt
        What the chart shows, for those who do not see it; blank = title and
        takeaway.
    table
        Rows; numbers are written by what their columns are.
    note
        How to read it.
    chart
        Chart as numbers, drawn by each kind of file in its own way.
    links
        What the first column says -> page beside this one.
    rows
        Rows of the table on the page.
    slide
        Chart for a slide, where `figure` has more rows than can be read there.
    """

    title: str
    takeaway: str = ""
    figure: Figure | None = None
    alt: str = ""
    table: pd.DataFrame | None = None
    note: str = ""
    chart: Chart | None = None
    links: Mapping[str, str] = field(default_factory=dict)
    rows: int = MAX_ROWS
    slide: Figure | None = None


@dataclass(frozen=True)
class Report:
    """Content of a page, in the order in which it is read.

    Parameters
    ----------
    title
        What the report is.
    portfolio
        Name of the portfolio.
    as_of
        Date or period of what is known.
    headline
        The few numbers that matter most.
    summary
        The message in one or two sentences.
    sections
        Charts and tables.
    problems
        Problems table of the data (see `errors.problems_table`); None = not
        checked.
    facts
        What the report was made from: versions, seed, digests; label -> value.
    sortable
        Whether tables can be sorted and filtered, by a script of the page's own.
    back
        Page that this one belongs to, and what it is called.
    """

    title: str
    portfolio: str
    as_of: str
    headline: Sequence[Fact] = ()
    summary: str = ""
    sections: Sequence[Section] = ()
    problems: pd.DataFrame | None = None
    facts: Mapping[str, object] = field(default_factory=dict)
    sortable: bool = False
    back: tuple[str, str] | None = None


def summary_of(report: Report) -> dict[str, str]:
    """Return the head of a report as facts, for the first sheet of a workbook."""
    facts = {"Portfolio": report.portfolio, "As of": report.as_of}
    if report.summary:
        facts["In short"] = report.summary
    for fact in report.headline:
        facts[fact.label] = f"{fact.value}; {fact.note}" if fact.note else fact.value
    return facts


def write_page(path: Path, report: Report) -> None:
    """Write a report as one self-contained HTML file.

    Parameters
    ----------
    path
        File; one that exists is replaced when the new one is whole.
    report
        Content.

    Raises
    ------
    ConfigError
        If the file cannot be written.
    """
    path = Path(path)
    try:
        with written_whole(path) as (part,):
            part.write_text(page_html(report), encoding="utf-8", newline="\n")
    except OSError as error:
        raise ConfigError(f"Cannot write {path}: {error.strerror}.") from error


def page_html(report: Report) -> str:
    """Return a report as HTML; the same report gives the same text.

    Examples
    --------
    >>> page_html(Report("Capacity", "R&D", "2027-01")).startswith("<!DOCTYPE html>")
    True
    """
    beside = "workbook" if report.sortable else "tables"
    sections = [
        _section(f"s{number}", section, beside)
        for number, section in enumerate(report.sections, 1)
    ]
    titles = [section.title for section in report.sections]
    if report.problems is not None:
        last = problems_section(report.problems)
        sections.append(_section(f"s{len(sections) + 1}", last, beside))
        titles.append(last.title)
    frame, given = _frame(report.sortable)
    return frame.substitute(
        given,
        back=_back(report.back),
        tab=_text(" - ".join(t for t in (report.title, report.portfolio) if t)),
        title=_text(report.title),
        portfolio=_text(report.portfolio),
        as_of=_text(report.as_of),
        summary=_paragraph("summary", report.summary),
        headline=_headline(report.headline),
        contents=_contents(titles),
        sections="\n".join(sections),
        facts=_facts(report.facts),
    )


@cache
def _frame(sortable: bool) -> tuple[Template, dict[str, str]]:
    """Return what all pages have: the frame, its style, script and content policy."""
    room = files("pmo_analytics.reporting")
    style = (room / "page.css").read_text(encoding="utf-8")
    frame = Template((room / "page.html").read_text(encoding="utf-8"))
    script, policy = "", ""
    if sortable:
        code = (room / "page.js").read_text(encoding="utf-8")
        script, policy = f"<script>{code}</script>", f" script-src {_digest(code)};"
    policy += f" style-src {_digest(style)};"
    return frame, {"style": style, "script": script, "policy": policy}


_PROBLEMS = "Data quality"


def _digest(text: str) -> str:
    """Return how a content policy names a text that it allows."""
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _back(page: tuple[str, str] | None) -> str:
    if page is None:
        return ""
    return f'<p class="back"><a href="{_text(page[0])}">{_text(page[1])}</a></p>'


def _text(value: object) -> str:
    """Return any text as HTML shows it literally."""
    text = str(value)
    if _UNSAFE.search(text) is None:
        return text
    return escape(_CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text))


def _words(text: str) -> str:
    """Return a sentence whose numbers stay on one line with their units."""
    return _text(re.sub(r"(?<=\d) (?=%|FTE\b)", "\N{NO-BREAK SPACE}", text))


def _paragraph(name: str, text: str) -> str:
    return f'<p class="{name}">{_words(text)}</p>' if text else ""


def _headline(facts: Sequence[Fact]) -> str:
    if not facts:
        return ""
    cards = [
        f'<div class="fact{" alarm" if fact.alarm else ""}">'
        f"<dt>{_text(fact.label)}</dt>"
        f'<dd class="value">{_words(fact.value)}</dd>'
        + (f'<dd class="note">{_words(fact.note)}</dd>' if fact.note else "")
        + "</div>"
        for fact in facts
    ]
    return f'<dl class="headline">{"".join(cards)}</dl>'


def _contents(titles: Sequence[str]) -> str:
    if len(titles) < 2:
        return ""
    items = [
        f'<li><a href="#s{number}">{_text(title)}</a></li>'
        for number, title in enumerate(titles, 1)
    ]
    return f'<nav aria-label="Contents"><ol>{"".join(items)}</ol></nav>'


def _section(name: str, section: Section, beside: str) -> str:
    parts = [f"<h2>{_text(section.title)}</h2>"]
    parts.append(_paragraph("takeaway", section.takeaway))
    if section.figure is not None:
        alt = section.alt or ". ".join(
            t.rstrip(".") for t in (section.title, section.takeaway) if t
        )
        parts.append(_figure(section.figure, alt))
    if section.chart is not None:
        alt = section.alt or section.title
        parts.append(f"<figure>{svg_of(section.chart, alt)}</figure>")
    if section.table is not None:
        parts.append(_table(section, beside))
    parts.append(_paragraph("note", section.note))
    inside = "\n".join(part for part in parts if part)
    return f'<section id="{name}">\n{inside}\n</section>'


def _figure(figure: Figure, alt: str) -> str:
    """Return a chart as a picture inside the page, as wide as it was drawn."""
    data = base64.b64encode(png_of(figure)).decode("ascii")
    width, height = (round(96 * inches) for inches in figure.get_size_inches())
    return (
        f'<figure><img alt="{_text(alt)}" width="{width}" height="{height}" '
        f'src="data:image/png;base64,{data}"></figure>'
    )


def _table(section: Section, beside: str) -> str:
    """Return the first rows of a table; what was left out is said below it.

    Parameters
    ----------
    beside
        What has all rows.
    """
    table, caption = section.table, section.title
    if table is None or table.empty:
        return '<p class="empty">Nothing to list.</p>'
    shown = min(len(table), section.rows)
    # The first column names the row, unless there is no other.
    named = 0 if len(table.columns) > 1 else -1
    head, columns = "", []
    # By column, not by row: a row of mixed types would become one of objects.
    for i, (name, cells) in enumerate(table.items()):
        kind = kind_of(name, cells)
        head += f'<th scope="col"{_side(kind)}>{_text(label_of(name))}</th>'
        own = cells if shown == len(cells) else cells.iloc[:shown]
        columns.append(
            [
                _cell(str(name), kind, cell, first=i == named, links=section.links)
                for cell in own.tolist()
            ]
        )
    body = "".join(
        f"<tr>{''.join(cells)}</tr>\n" for cells in zip(*columns, strict=True)
    )
    rest = (
        f'<p class="note">The first {shown} of {len(table):,} rows; all of them '
        f"are in the {beside} beside this page.</p>"
        if shown < len(table)
        else ""
    )
    # On paper a small table stays on one page.
    short = " short" if shown <= _SHORT else ""
    short += " wide" if len(table.columns) > _WIDE else ""
    return (
        f'<div class="table{short}" role="region" tabindex="0" '
        f'aria-label="{_text(caption)}">'
        f"<table><caption>{_text(caption)}</caption>\n<thead><tr>{head}</tr></thead>\n"
        f"<tbody>{body}</tbody></table></div>{rest}"
    )


def _side(kind: str) -> str:
    return ' class="n"' if kind in NUMBERS else ""


def _cell(
    name: str, kind: str, value: object, *, first: bool, links: Mapping[str, str]
) -> str:
    text = _text(text_of(value, kind))  # type: ignore[arg-type]
    if first and kind not in NUMBERS:
        if page := links.get(str(value)):
            text = f'<a href="{_text(page)}">{text}</a>'
        kept = ' class="d"' if kind in ("period", "date") else ""
        return f'<th scope="row"{kept}>{text}</th>'
    if name in _COLOURED and text in _COLOURS:
        # The colour repeats what the word says.
        return f'<td class="rag {text}">{text}</td>'
    risk = ""
    if name.startswith("p_overload") and isinstance(value, float) and value >= 0.1:
        # The shade repeats what the number says.
        risk = f" r{1 + (value >= 0.2) + (value >= 0.5) + (value >= 0.8)}"
    if kind in NUMBERS:
        return f'<td class="n{risk}">{text}</td>'
    kept = "d" if kind in ("period", "date") else ""
    if kind == "text" and len(text) > _NAME:
        kept = "long" if len(text) > _LONG or name == "why" else "some"
    return f'<td class="{kept}">{text}</td>' if kept else f"<td>{text}</td>"


def problems_section(problems: pd.DataFrame) -> Section:
    """Return the problems of the data as a part of a report; blank columns left out."""
    errors = int((problems["severity"] == "error").sum())
    others = len(problems) - errors
    if problems.empty:
        return Section(_PROBLEMS, "No problem was found in the data.")
    counts = [
        f"{count} {word}{'' if count == 1 else 's'}"
        for count, word in ((errors, "error"), (others, "warning"))
        if count
    ]
    filled = [c for c in problems if problems[c].notna().any()]
    filled = [c for c in filled if (problems[c].astype(str) != "").any()]
    takeaway = f"{' and '.join(counts)} in the data; each says what to do."
    return Section(_PROBLEMS, takeaway, table=problems[filled])


def _facts(facts: Mapping[str, object]) -> str:
    if not facts:
        return ""
    items = [
        f"<div><dt>{_text(label)}</dt><dd>{_text(value)}</dd></div>"
        for label, value in facts.items()
    ]
    return f"<footer><h2>How this was made</h2><dl>{''.join(items)}</dl></footer>"
