"""The report of a status: the same numbers in three files, and pages that work."""

from __future__ import annotations

import io
import re
from contextlib import redirect_stdout
from html.parser import HTMLParser
from urllib.parse import unquote

import numpy as np
import openpyxl
import pandas as pd
import pytest

import pmo_analytics as pmo
from pmo_analytics.cli import main
from pmo_analytics.errors import ConfigError
from pmo_analytics.formats import kind_of, label_of, text_of
from pmo_analytics.reporting import (
    status_report,
    write_page,
    write_slides,
    write_spreadsheet,
)
from pmo_analytics.reporting.charts import Chart, short, svg_of
from pmo_analytics.reporting.page import Fact, Report, Section, page_html
from tests.support.chromium import browser, find_chromium
from tests.support.counts import tried
from tests.support.places import ROOT
from tests.support.real_data import GMPP, real
from tests.support.told_portfolios import example_report, told_portfolio

needs_chromium = pytest.mark.skipif(
    find_chromium() is None, reason="no Chromium is installed"
)


class Tables(HTMLParser):
    """Reads the texts of all tables of a page, headings included, and its links."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.tables: list[list[list[str]]] = []
        self.links: list[str] = []
        self.inside = False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in {"td", "th"}:
            self.tables[-1][-1].append("")
            self.inside = True
        elif tag == "a":
            self.links.append(dict(attrs)["href"])

    def handle_endtag(self, tag):
        if tag in {"td", "th"}:
            self.inside = False

    def handle_data(self, data):
        if self.inside:
            self.tables[-1][-1][-1] += data


@pytest.fixture(scope="module")
def status():
    return example_report()[0]


@pytest.fixture(scope="module")
def report():
    return example_report()[1]


def texts_of(table: pd.DataFrame) -> list[list[str]]:
    kinds = [kind_of(name, table[name]) for name in table]
    columns = [
        [label_of(name), *(text_of(cell, kind) for cell in table[name])]
        for name, kind in zip(table, kinds, strict=True)
    ]
    return [list(row) for row in zip(*columns, strict=True)]


def assert_same_everywhere(report: Report, folder, least: int = 6) -> None:
    """Hold every number of a report in its page, its workbook and its slides."""
    write_page(folder / "r.html", report)
    write_spreadsheet(folder / "r.xlsx", report)
    write_slides(folder / "r.pptx", report)
    shown = [s for s in report.sections if s.table is not None and len(s.table)]
    assert len(shown) >= least
    html = (folder / "r.html").read_text(encoding="utf-8")
    page = Tables(html).tables
    book = openpyxl.load_workbook(folder / "r.xlsx")
    slides = slide_tables(folder / "r.pptx")
    for section, on_page in zip(shown, page, strict=True):
        expected = texts_of(section.table)
        assert on_page == expected[: section.rows + 1], section.title
        sheet = book[section.title[:31]]
        assert sheet.freeze_panes == "B2"
        for place, name in enumerate(section.table, 1):
            kind = kind_of(name, section.table[name])
            for row in range(len(section.table)):
                cell = sheet.cell(row + 2, place).value
                assert same(cell, section.table[name].iloc[row], kind), (name, row)
        slide = slides[section.title]
        assert slide == [row[: len(slide[0])] for row in expected[: len(slide)]]
        assert 2 <= len(slide) <= min(len(section.table), 12) + 1
        assert len(slide[0]) == min(section.table.shape[1], 8)
    facts = dict(book["Summary"].iter_rows(min_row=2, max_col=2, values_only=True))
    first = first_slide(folder / "r.pptx")
    for fact in report.headline:
        said = f"{fact.value}; {fact.note}" if fact.note else fact.value
        assert facts[fact.label] == said
        assert fact.value in html.replace("\xa0", " ")
        assert all(part in first for part in (fact.label, fact.value, fact.note))
    assert report.summary in first
    assert facts["In short"] == report.summary


def first_slide(path) -> str:
    from pptx import Presentation

    shapes = Presentation(str(path)).slides[0].shapes
    return "\n".join(shape.text_frame.text for shape in shapes if shape.has_text_frame)


def test_every_number_is_the_same_in_page_workbook_and_slides(report, tmp_path):
    assert_same_everywhere(report, tmp_path)


@pytest.mark.parametrize("seed", range(tried(2)))
def test_every_number_is_the_same_where_much_is_missing(seed, tmp_path):
    told = told_portfolio(24, seed=seed)
    status = pmo.status(told, as_of="2026-12-31", since="2026-09-30")
    # Names in Chinese, none, or like a formula; colours, baselines, reports missing.
    assert status.table["cpi"].isna().any()
    assert (status.indicators["baseline"] == "").any()
    whole, pages = status_report(status)
    assert "not known" in whole.headline[0].note
    assert any("数字化转型" in str(name) for name in whole.sections[0].table["name"])
    assert_same_everywhere(whole, tmp_path)
    for page in pages.values():
        shown = [s for s in page.sections if s.table is not None and len(s.table)]
        tables = Tables(page_html(page)).tables
        assert tables == [texts_of(section.table) for section in shown]


def test_every_number_is_the_same_in_hours(tmp_path):
    company = pmo.example_portfolio()
    status = pmo.status(company, as_of="2026-12-31", unit="hours")
    assert_same_everywhere(status_report(status)[0], tmp_path)


def test_every_number_of_the_uk_major_projects_is_the_same(tmp_path):
    frame = pd.read_csv(real(GMPP), dtype="str", encoding="utf-8-sig")
    start, end = (frame[frame.columns[k]] for k in (8, 9))
    dates = [
        pd.to_datetime(d, format="%Y-%m-%d", errors="coerce") for d in (start, end)
    ]
    if dates[0].notna().sum() < 100:
        dates = [
            pd.to_datetime(d, dayfirst=True, errors="coerce") for d in (start, end)
        ]
    first, last = (d.dt.to_period("M") for d in dates)
    months = last.astype("int64") - first.astype("int64") + 1
    known = dates[0].notna() & dates[1].notna() & (months > 0)
    colour = frame[frame.columns[5]].fillna(frame[frame.columns[6]]).str.lower()
    projects = pd.DataFrame(
        {
            "project": frame["GMPP ID Number"],
            "name": frame["Project Name"],
            "program": frame["Department"],
            "status": "running",
            "value": 1.0,
            "start": first.astype(str),
            "duration": months.astype("Int64"),
        }
    )[known]
    told = colour[known].isin(["red", "amber", "green"])
    progress = projects[["project"]][told].assign(
        as_of="2022-03-31", rag=colour[known][told]
    )
    portfolio = pmo.Portfolio(
        "UK major projects",
        horizon=pd.period_range("2022-01", periods=120, freq="M"),
        projects=projects.reset_index(drop=True),
        progress=progress.reset_index(drop=True),
        baselines=projects[["project", "start", "duration"]]
        .assign(baseline="approved", set_on="2021-03-31", cost=1000.0)
        .reset_index(drop=True),
    )
    status = pmo.status(portfolio, as_of="2022-03-31")
    assert len(status.table) > 150
    assert status.table["cpi"].isna().all()
    assert status.indicators["reported"].notna().sum() > 50
    assert_same_everywhere(status_report(status)[0], tmp_path, least=3)


def same(cell, value, kind) -> bool:
    """Whether a cell of a workbook shows what the page shows."""
    text = text_of(value, kind)
    if cell is None:
        return text == ""
    if kind == "period":
        return text_of(pd.Period(cell, value.freq), kind) == text
    if kind == "date":
        return text_of(pd.Timestamp(cell), kind) == text
    if isinstance(cell, float) and np.isclose(cell, value, rtol=1e-15, atol=0.0):
        return True  # a workbook keeps 16 digits: 1.0050000000000001 is 1.005 there
    return text_of(cell, kind) == text


def slide_tables(path) -> dict[str, list[list[str]]]:
    from pptx import Presentation

    found = {}
    for slide in Presentation(str(path)).slides:
        for shape in slide.shapes:
            if shape.has_table:
                rows = [[cell.text for cell in row.cells] for row in shape.table.rows]
                found[slide.shapes.title.text_frame.text] = rows
    return found


def test_charts_are_native_and_hold_the_numbers(report, tmp_path):
    from pptx import Presentation

    write_slides(tmp_path / "r.pptx", report)
    write_spreadsheet(tmp_path / "r.xlsx", report)
    charts = {
        slide.shapes.title.text_frame.text: shape.chart
        for slide in Presentation(str(tmp_path / "r.pptx")).slides
        for shape in slide.shapes
        if shape.has_chart
    }
    book = openpyxl.load_workbook(tmp_path / "r.xlsx")
    drawn = [section for section in report.sections if section.chart is not None]
    assert {section.title for section in drawn} == set(charts)
    for section in drawn:
        plot = charts[section.title].plots[0]
        assert list(plot.categories) == list(section.chart.labels)
        for series, values in zip(
            plot.series, section.chart.series.values(), strict=True
        ):
            there = [None if np.isnan(v) else v for v in values]
            assert list(series.values) == pytest.approx(there)
        (native,) = book[section.title[:31]]._charts
        assert len(native.series) == len(section.chart.series)


def test_there_is_a_page_for_each_program_and_project(status, tmp_path):
    _, report, pages = example_report()
    links = Tables(page_html(report)).links
    inside = [unquote(link) for link in links if not link.startswith("#")]
    assert set(inside) == set(pages)
    assert {f"projects/{p}.html" for p in status.table.index} <= set(pages)
    for page, content in pages.items():
        back = [x for x in Tables(page_html(content)).links if not x.startswith("#")]
        assert "../report.html" in back, page
        for link in back[1:]:
            assert link.removeprefix("../") in pages


def test_the_headline_is_that_of_the_status(status, report):
    facts = {fact.label: fact for fact in report.headline}
    assert facts["Running projects"].value == str(len(status.table))
    sums = status.by("program").loc["all"]
    assert facts["CPI"].value == f"{sums['cpi']:.2f}"
    assert f"{sums['eac']:,.0f}" in facts["Expected cost"].value
    assert facts["CPI"].alarm
    assert report.summary.startswith("Red: Core policy system: motor")


def test_a_portfolio_without_any_report_has_a_report():
    portfolio = pmo.example_portfolio()
    bare = portfolio.replace(
        progress=portfolio.progress.iloc[:0],
        milestones=portfolio.milestones.iloc[:0],
        baselines=portfolio.baselines.iloc[:0],
    )
    report, pages = status_report(pmo.status(bare, as_of="2026-12-31"))
    assert "not known" in report.headline[0].note
    assert "Traceback" not in page_html(report)
    assert len(pages) >= 6


@pytest.mark.parametrize("kind", ["line", "bar", "stacked"])
def test_a_chart_keeps_to_its_frame(kind):
    rng = np.random.default_rng(1)
    for size in (1, 7, 60):
        values = {"a & b": rng.normal(0, 1e6, size), "c": rng.uniform(0, 3e6, size)}
        if kind == "stacked":
            values = {name: np.abs(v) for name, v in values.items()}
        labels = [f"2027-{k:02}" for k in range(size)]
        svg = svg_of(Chart(kind, labels, values, "EUR"), "what <it> shows")
        assert "a &amp; b" in svg
        assert "what &lt;it&gt; shows" in svg
        heights = [float(y) for y in re.findall(r' y="([-.\d]+)"', svg)]
        assert min(heights) >= 0
        assert max(heights) <= 300
        for points in re.findall(r'points="([^"]+)"', svg):
            ys = [float(pair.split(",")[1]) for pair in points.split()]
            assert min(ys) >= 33
            assert max(ys) <= 257


def test_bars_are_as_high_as_their_numbers():
    svg = svg_of(Chart("bar", ["x"], {"a": [2.0], "b": [4.0]}), "bars")
    low, high = (
        float(h)
        for h in re.findall(r'height="([.\d]+)" fill="#(?:1f4e79|e69f00)"', svg)
        if float(h) != 11
    )
    assert high == pytest.approx(2 * low, rel=0.01)


def test_short_numbers():
    assert [short(v) for v in (0, 12.5, 1500, -2e6, 3.25e9)] == [
        "0",
        "12.5",
        "1.5k",
        "-2m",
        "3.25bn",
    ]


def test_formulas_in_data_stay_text(tmp_path):
    table = pd.DataFrame(
        {"project": ["=1+1", "@x"], "note": ["=cmd|' /C calc'!A0", "b"]}
    )
    evil = Report(
        "=T", "=P", "2027-01", [Fact("=a", "=b")], "=s", [Section("S", table=table)]
    )
    write_spreadsheet(tmp_path / "r.xlsx", evil)
    book = openpyxl.load_workbook(tmp_path / "r.xlsx")
    kinds = {c.data_type for s in book for row in s.iter_rows() for c in row}
    assert "f" not in kinds
    assert book["S"]["A2"].value == "=1+1"


def test_a_template_gives_its_look_and_a_bad_one_is_refused(report, tmp_path):
    from pptx import Presentation
    from pptx.util import Inches

    own = Presentation()
    own.slide_width = Inches(10)
    own.save(str(tmp_path / "own.pptx"))
    write_slides(tmp_path / "r.pptx", report, template=tmp_path / "own.pptx")
    assert Presentation(str(tmp_path / "r.pptx")).slide_width == Inches(10)
    (tmp_path / "bad.pptx").write_text("no slides")
    for bad in (tmp_path / "bad.pptx", tmp_path / "none.pptx"):
        with pytest.raises(ConfigError, match="cannot be read as slides"):
            write_slides(tmp_path / "r.pptx", report, template=bad)


@needs_chromium
def test_a_browser_sorts_and_filters_without_a_complaint(report, tmp_path):
    write_page(tmp_path / "report.html", report)
    with browser(tmp_path / "profile") as tab:
        tab.open(tmp_path / "report.html")
        assert tab.complaints() == []
        assert tab.requests() == []
        first = "[...document.querySelector('table').tBodies[0].rows]"
        names = f"{first}.map(r => r.cells[0].innerText)"
        before = tab.value(names)
        tab.value("document.querySelector('thead button').click()")
        assert tab.value(names) == sorted(before, key=str.casefold)
        tab.value("document.querySelector('thead button').click()")
        assert tab.value(names) == sorted(before, key=str.casefold, reverse=True)
        sort = "document.querySelector('th[aria-sort]').getAttribute('aria-sort')"
        assert tab.value(sort) == "descending"
        tab.value(
            "(() => {const i = document.querySelector('.filter input');"
            "const t = i.closest('p').nextElementSibling.querySelector('tbody');"
            "i.value = t.rows[0].cells[0].innerText;"
            "i.dispatchEvent(new Event('input'));})()"
        )
        said = tab.value("document.querySelector('.filter span').innerText")
        assert re.fullmatch(r"\d+ of \d+ rows", said)


EXAMPLE, UNCERTAIN = ROOT / "data" / "example", ROOT / "data" / "uncertainty.toml"
WORDS = ["report", str(EXAMPLE), "--as-of", "2026-12-31"]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Return a folder with the report of the command, and what that has said."""
    out = tmp_path_factory.mktemp("command") / "out"
    said = io.StringIO()
    with redirect_stdout(said):
        more = ["--uncertainty", str(UNCERTAIN), "--out", str(out), "--json"]
        assert main([*WORDS, *more]) == 0
    return out, said.getvalue()


def test_the_command_writes_the_three_files(written, tmp_path):
    out, said = written
    assert '"status": "ok"' in said
    assert {"report.html", "report.xlsx", "report.pptx", "projects", "programs"} <= {
        path.name for path in out.iterdir()
    }
    assert main(["report", str(tmp_path / "none"), "--out", str(out)]) == 3
    assert main([*WORDS, "--uncertainty", "none.toml", "--out", str(out)]) == 3
    assert main([*WORDS[:2], "--as-of", "soon", "--out", str(out)]) == 2


def test_the_finish_by_simulation_is_in_all_files(written):
    out, _ = written
    status = pmo.status(
        pmo.read_portfolio(EXAMPLE), as_of="2026-12-31", uncertainty=UNCERTAIN
    )
    told = status.ranges[status.ranges["method"] == "simulation"]
    row = told[told["project"] == "CORE-MOT"].iloc[0]
    ends = [f"{row[name]:%Y-%m-%d}" for name in ("finish_p50", "finish_p80")]
    book = openpyxl.load_workbook(out / "report.xlsx")
    sheet = book["Cost and finish by every method"]
    tables = [
        [[text_of(cell, "text")[:10] for cell in row] for row in sheet.values],
        slide_tables(out / "report.pptx")["Cost and finish by every method"],
        *Tables((out / "report.html").read_text("utf-8")).tables,
        *Tables((out / "projects" / "CORE-MOT.html").read_text("utf-8")).tables,
    ]
    found = [
        rows
        for table in tables
        if (
            rows := [
                row
                for row in table
                if "simulation" in row and (row[0] in ("CORE-MOT", "simulation"))
            ]
        )
    ]
    assert len(found) == 4
    for ((*row,),) in found:
        assert [cell for cell in row if cell in ends] == ends


def test_a_program_that_is_called_like_a_project_has_its_page():
    company = told_portfolio(3, sound=True)
    programs = company.projects["program"].mask(
        company.projects["project"] == "P001", "P000"
    )
    named = company.replace(projects=company.projects.assign(program=programs))
    whole, pages = status_report(pmo.status(named, as_of="2026-12-31"))
    assert {"programs/P000.html", "projects/P000.html"} <= set(pages)
    money = next(s for s in whole.sections if s.title == "Money by program")
    assert money.links["P000"] == "programs/P000.html"
    assert whole.sections[0].links["P000"] == "projects/P000.html"


def test_the_indices_over_time_end_with_those_of_the_headline(status, report):
    sums = status.by("program").loc["all"]
    curve = status.curve()
    known = curve["cpi"].last_valid_index()
    assert curve.loc[known, ["cpi", "spi_t"]].to_list() == pytest.approx(
        sums[["cpi", "spi_t"]].to_list()
    )
    for project in status.table.index[:3]:
        own = status.curve(project)[["cpi", "spi_t"]].dropna().iloc[-1]
        wanted = status.table.loc[project, ["cpi", "spi_t"]].astype(float)
        assert own.to_list() == pytest.approx(wanted.to_list())
    said = next(s for s in report.sections if s.title == "Planned, earned, spent")
    assert f"{sums['ev']:,.0f} earned of {sums['pv']:,.0f} planned" in said.takeaway
    assert status.curve(list(status.table.index)).equals(curve)


def test_money_by_period_adds_up_to_what_was_spent(status, report):
    money = next(s for s in report.sections if s.title == "Money by period").table
    curve = status.curve()
    assert money["actual cost"].sum() == pytest.approx(curve["ac"].max())
    assert money["planned cost"].sum() == pytest.approx(curve["pv"].max())


def test_pages_show_how_milestones_and_programs_went(status):
    pages = example_report()[2]
    titles = [s.title for s in pages["projects/CORE-MOT.html"].sections]
    assert {"Milestone trend", "CPI and SPI(t) over time"} <= set(titles)
    trend = next(
        s
        for s in pages["projects/CORE-MOT.html"].sections
        if s.title == "Milestone trend"
    )
    newest = trend.table.iloc[-1]
    stones = status.milestones[status.milestones["project"] == "CORE-MOT"]
    for stone in stones.itertuples():
        assert newest[stone.milestone] == round(stone.slip_days)
    program = next(p for name, p in pages.items() if name.startswith("programs/"))
    assert {"Money by period", "Milestones"} <= {s.title for s in program.sections}
    assert program.headline[0].label == "Running projects"


def test_nothing_known_is_not_called_good():
    portfolio = pmo.example_portfolio()
    newest = portfolio.progress.sort_values("as_of").drop_duplicates(
        "project", keep="last"
    )
    told = newest[["project", "as_of"]].assign(rag="red")
    bare = portfolio.replace(
        progress=told,
        milestones=portfolio.milestones.iloc[:0],
        baselines=portfolio.baselines.iloc[:0],
        actuals=portfolio.actuals.iloc[:0],
    )
    report = status_report(pmo.status(bare, as_of="2026-12-31"))[0]
    assert "No project is red" not in report.summary
    assert "People reported" in report.summary
    assert "Milestones in time" not in {fact.label for fact in report.headline}


def test_names_of_programs_are_told_apart_under_bars():
    names = [
        "DEPARTMENT OF PARKS",
        "DEPARTMENT OF WORKS",
        "数字化转型与基础设施建设项目",
    ]
    svg = svg_of(Chart("bar", names * 5, {"a": [1.0] * 15}), "bars")
    assert svg.count("rotate(-35)") == 15
    assert int(re.search(r'viewBox="0 0 760 (\d+)"', svg)[1]) > 300


def test_a_template_without_titles_is_filled(report, tmp_path):
    from pptx import Presentation

    own = Presentation()
    for layout in own.slide_layouts:
        for shape in list(layout.placeholders):
            if shape.placeholder_format.type == 1:
                shape._element.getparent().remove(shape._element)
    own.save(str(tmp_path / "own.pptx"))
    write_slides(tmp_path / "r.pptx", report, template=tmp_path / "own.pptx")
    show = Presentation(str(tmp_path / "r.pptx"))
    wide, high = show.slide_width, show.slide_height
    assert len(show.slides) > 10
    for slide in show.slides:
        texts = [s.text_frame.text for s in slide.shapes if s.has_text_frame]
        assert texts[0]
        for shape in slide.shapes:
            assert shape.left >= 0
            assert shape.left + shape.width <= wide
            assert shape.top + shape.height <= high * 1.02, texts[0]


def test_charts_of_sheets_take_their_numbers_from_the_table(report, tmp_path):
    write_spreadsheet(tmp_path / "r.xlsx", report)
    book = openpyxl.load_workbook(tmp_path / "r.xlsx")
    sheet = book["Planned, earned, spent"]
    (native,) = sheet._charts
    where = native.series[0].val.numRef.f
    assert where.startswith("'Planned, earned, spent'!$B$2:$B$")
    assert sheet["D1"].value == "actual cost"
    red = book["Where each project stands"]["D2"]
    assert (red.value, red.fill.fgColor.rgb) == ("red", "FFB3121D")
