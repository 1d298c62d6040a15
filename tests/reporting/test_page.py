"""The HTML page: whole, escaped, alone in the world, and fine in a real browser."""

from __future__ import annotations

import base64
import io
import os
import re
from html.parser import HTMLParser

import matplotlib
import numpy as np
import pandas as pd
import pytest

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

import pmo_analytics as pmo
from pmo_analytics.errors import ConfigError, problem, problems_table
from pmo_analytics.plotting import figure_capacity
from pmo_analytics.reporting.figures import png_of
from pmo_analytics.reporting.page import (
    MAX_ROWS,
    Fact,
    Report,
    Section,
    page_html,
    write_page,
)
from tests.support.chromium import browser, find_chromium

EVIL = "<script>document.title='owned';console.error('ran')</script>\"'&<img src=x>"


def chart() -> Figure:
    figure = Figure(figsize=(4, 2))
    figure.subplots().plot([1, 3, 2])
    return figure


def full_report(text: str = "Developer & <Tester>") -> Report:
    """A report with everything in it; `text` stands wherever text can stand."""
    periods = pd.period_range("2027-01", periods=3, freq="M")
    table = pd.DataFrame(
        {
            "role": [text, "Tester", "测试工程师"],
            "period": periods,
            "mean": [1.234, -0.001, np.nan],
            "p_overload": [0.004, 0.34, 0.9],
            "late": [True, False, False],
        }
    )
    found = [problem("warning", "demand", "unused", row=3, found=text, fix=text)]
    return Report(
        title=f"Capacity {text}",
        portfolio=text,
        as_of="2027-03-31",
        headline=[Fact(text, "3 of 10", text, alarm=True), Fact("To hire", "4.5 FTE")],
        summary=text,
        sections=[
            Section(text, text, chart(), table=table, note=text),
            Section("Second", figure=chart(), alt=text),
            Section("Empty", table=table.head(0)),
        ],
        problems=problems_table(found),
        facts={text: text, "Seed": 0},
    )


class Page(HTMLParser):
    """Tags with their attributes, text by tag, and whether all tags are closed."""

    VOID = frozenset({"meta", "link", "img", "br"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if data.strip() and self.open:
            self.texts.append((self.open[-1], data))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]

    def text(self, tag: str) -> list[str]:
        return [text for name, text in self.texts if name == tag]


def test_text_of_the_data_is_never_markup():
    page = Page(page_html(full_report(EVIL)))
    plain = Page(page_html(full_report("x")))
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in plain.tags]
    assert not page.of("script")
    assert EVIL in page.text("h2")
    assert EVIL in page.text("th")
    assert EVIL in [img["alt"] for img in page.of("img")]
    assert all(src.startswith("data:image/png") for src in sources(page))


def sources(page: Page) -> list[str]:
    return [str(img["src"]) for img in page.of("img")]


def test_templates_do_not_see_the_data():
    html = page_html(full_report("$style ${title} %s {0}"))
    assert "$style ${title} %s {0}" in Page(html).text("h2")


def test_nothing_comes_from_elsewhere():
    html = page_html(full_report())
    page = Page(html)
    named = [
        value
        for _, attrs in page.tags
        for name, value in attrs.items()
        if name in ("src", "href", "srcset", "action", "data", "poster")
    ]
    assert named
    assert all(re.match(r"data:|#", str(value)) for value in named)
    (style,) = page.text("style")
    assert not re.search(r"url\(|@import|https?:", style)
    policy = {m.get("http-equiv"): m.get("content") for m in page.of("meta")}
    assert "default-src 'none'" in str(policy["Content-Security-Policy"])


def test_pictures_are_the_charts():
    (first, *_) = sources(Page(page_html(full_report())))
    data = base64.b64decode(first.partition(",")[2])
    assert data.startswith(b"\x89PNG")
    assert b"matplotlib" not in data.lower()


def test_a_picture_is_what_matplotlib_saves():
    drawn, saved = (
        figure_capacity(pmo.example_portfolio(), roles=["Developer", "Tester"])
        for _ in range(2)
    )
    size = drawn.dpi
    buffer = io.BytesIO()
    saved.savefig(buffer, format="png", dpi=144, metadata={"Software": None})
    assert png_of(drawn) == buffer.getvalue()
    assert drawn.dpi == size
    for figure in (drawn, saved):
        plt.close(figure)


def test_headline_comes_before_charts_and_tables():
    html = page_html(full_report())
    places = [html.index(mark) for mark in ("3 of 10", "<figure", "<table", "<footer")]
    assert places == sorted(places)
    assert html.count('class="fact alarm"') == 1


def test_accessible_parts():
    html = page_html(full_report())
    page = Page(html)
    assert page.of("html") == [{"lang": "en"}]
    assert len(page.of("h1")) == 1
    assert all(img["alt"] for img in page.of("img"))
    assert page.of("img")[0]["alt"] == "Developer & <Tester>. Developer & <Tester>"
    assert {th["scope"] for th in page.of("th")} == {"col", "row"}
    assert len(page.of("caption")) == len(page.of("table"))
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert {a["href"] for a in page.of("a")} == {f"#{name}" for name in ids}


def test_numbers_are_written_by_what_they_are():
    page = Page(page_html(full_report()))
    cells = page.text("td")
    assert cells[:4] == ["2027-01", "1.23", "<1 %", "yes"]
    # No minus before a zero, no text for nothing.
    assert cells[4:8] == ["2027-02", "0.00", "34 %", "no"]
    assert cells[8:11] == ["2027-03", "90 %", "no"]
    assert "chance of overload" in page.text("th")
    shades = [td.get("class") for td in page.of("td") if " r" in str(td.get("class"))]
    assert shades == ["n r2", "n r4"]


def test_a_long_table_is_cut_and_says_so():
    table = pd.DataFrame({"n": range(MAX_ROWS + 1)})
    html = page_html(Report("T", "P", "2027", sections=[Section("Long", table=table)]))
    assert html.count("<tr>") == MAX_ROWS + 1
    assert f"The first {MAX_ROWS} of {MAX_ROWS + 1} rows" in html
    assert "Nothing to list." in page_html(full_report())


def test_problems_are_counted_and_blank_columns_left_out():
    page = Page(page_html(full_report("x")))
    assert "1 warning in the data; each says what to do." in page.text("p")
    heads = page.text("th")
    assert "fix" in heads
    assert "sheet" not in heads
    none = Report("T", "P", "2027", problems=problems_table([]))
    assert "No problem was found in the data." in page_html(none)
    assert "Data quality" not in page_html(Report("T", "P", "2027"))


def test_characters_that_html_forbids_are_replaced():
    html = page_html(Report("a\x00b\x1b\ud800", "P", "2027"))
    assert html.encode("utf-8")
    assert "a\N{REPLACEMENT CHARACTER}b" in html


def test_the_same_report_gives_the_same_page():
    assert page_html(full_report()) == page_html(full_report())


def test_the_old_page_stays_when_the_new_one_fails(tmp_path):
    path = tmp_path / "deep" / "index.html"
    write_page(path, Report("Old", "P", "2027"))
    broken = Report("New", "P", "2027", sections=[Section("x", table=object())])  # type: ignore[arg-type]
    with pytest.raises(AttributeError):
        write_page(path, broken)
    assert "<h1>Old</h1>" in path.read_text("utf-8")
    assert [p.name for p in path.parent.iterdir()] == ["index.html"]
    with pytest.raises(ConfigError, match="Cannot write"):
        write_page(path / "below.html", Report("New", "P", "2027"))


# ------------------------------------------------------------------ a real browser

needs_chromium = pytest.mark.skipif(
    find_chromium() is None or os.name != "posix",
    reason="no Chromium here (Debian: apt-get install chromium)",
)


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    with browser(tmp_path_factory.mktemp("profile")) as tab:
        yield tab


@needs_chromium
@pytest.mark.parametrize("text", ["Developer", EVIL], ids=["plain", "evil"])
def test_a_browser_opens_the_page_without_a_complaint(tab, tmp_path, text):
    write_page(tmp_path / "page.html", full_report(text))
    tab.open(tmp_path / "page.html")
    assert tab.complaints() == []
    assert tab.requests() == []
    assert tab.value("document.title") == f"Capacity {text} - {text}"
    assert tab.value("document.querySelector('h1').innerText") == f"Capacity {text}"
    assert tab.value("document.querySelectorAll('script').length") == 0
    assert tab.value("[...document.images].map(i => i.naturalWidth)") == [576, 576]
    # The style is the one the content policy allows.
    colour = "getComputedStyle(document.querySelector('.fact.alarm .value')).color"
    assert tab.value(colour) == "rgb(179, 18, 29)"
    rows = "[...document.querySelectorAll('tbody tr')].map(r => r.cells[0].innerText)"
    assert tab.value(rows)[1:3] == ["Tester", "测试工程师"]


@needs_chromium
def test_the_browser_does_complain_of_a_bad_page(tab, tmp_path):
    # Else the test above would prove nothing.
    bad = page_html(full_report()).replace(
        "</main>", '</main><img src="https://example.org/x.png"><script>1</script>'
    )
    (tmp_path / "bad.html").write_text(bad, encoding="utf-8")
    tab.open(tmp_path / "bad.html")
    assert any("Content Security Policy" in text for text in tab.complaints())


@needs_chromium
@pytest.mark.parametrize("width", [1366, 420])
def test_no_page_is_wider_than_its_window(tab, tmp_path, width):
    table = pd.DataFrame({f"column number {k}": ["word " * 5] for k in range(14)})
    sections = [*full_report().sections, Section("Wide", table=table)]
    report = Report("W" * 60, "P", "2027", sections=sections)
    write_page(tmp_path / "page.html", report)
    tab.ask(
        "Emulation.setDeviceMetricsOverride",
        width=width,
        height=800,
        deviceScaleFactor=1,
        mobile=False,
    )
    tab.open(tmp_path / "page.html")
    assert tab.value("document.documentElement.scrollWidth") <= width
    tab.ask("Emulation.clearDeviceMetricsOverride")


def contrast(one: str, other: str) -> float:
    """Contrast of two colours as WCAG 2.2 defines it, 1-21."""

    def luminance(colour: str) -> float:
        parts = [int(p) / 255 for p in re.findall(r"\d+", colour)[:3]]
        linear = [
            p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


COLOURS = """[...document.querySelectorAll('h1, h2, p, dt, dd, th, td, a')].map(e => {
  let back = e;
  while (getComputedStyle(back).backgroundColor === 'rgba(0, 0, 0, 0)'
         && back.parentElement) back = back.parentElement;
  return [e.tagName + '.' + e.className, getComputedStyle(e).color,
          getComputedStyle(back).backgroundColor];
})"""


@needs_chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast_in_light_and_dark(tab, tmp_path, scheme):
    write_page(tmp_path / "page.html", full_report())
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    tab.ask("Emulation.setEmulatedMedia", features=features)
    tab.open(tmp_path / "page.html")
    found = tab.value(COLOURS)
    body = tab.value("getComputedStyle(document.body).backgroundColor")
    assert (body == "rgb(20, 25, 31)") == (scheme == "dark")
    assert len(found) > 40
    weak = [row for row in found if contrast(row[1], row[2]) < 4.5]
    assert weak == []
    tab.ask("Emulation.setEmulatedMedia", features=[])


@needs_chromium
def test_on_paper_the_heads_of_tables_come_again_and_no_chart_is_cut(tab, tmp_path):
    table = pd.DataFrame({"role": ["Developer"] * 60, "fte": np.arange(60.0)})
    report = Report(
        "T", "P", "2027", sections=[Section("a", figure=chart(), table=table)]
    )
    write_page(tmp_path / "page.html", report)
    tab.open(tmp_path / "page.html")
    tab.ask("Emulation.setEmulatedMedia", media="print")
    style = "getComputedStyle(document.querySelector('{}')).{}"
    assert tab.value(style.format("thead", "display")) == "table-header-group"
    assert tab.value(style.format("figure", "breakInside")) == "avoid"
    tab.ask("Emulation.setEmulatedMedia", media="")
    pdf = base64.b64decode(tab.ask("Page.printToPDF", preferCSSPageSize=True)["data"])
    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf)
    assert len(boxes) == 2
    assert {tuple(round(float(x)) for x in box) for box in boxes} == {(595, 842)}
