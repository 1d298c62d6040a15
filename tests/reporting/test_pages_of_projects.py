"""Pages of programs and projects in a browser: contrast, keyboard, print, no net."""

from __future__ import annotations

import base64

import pytest

import pmo_analytics as pmo
from pmo_analytics.reporting import status_report, write_page
from tests.support.chromium import browser, find_chromium
from tests.support.told_portfolios import example_report, told_portfolio

pytestmark = pytest.mark.skipif(
    find_chromium() is None, reason="no Chromium is installed"
)

# Text that has less contrast with what it lies on than WCAG 2.2 AA asks for.
_WEAK = """(() => {
  const parts = (said) => (said.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
  const light = (rgb) => rgb.slice(0, 3).map((c) => c / 255)
    .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, k) => sum + c * [0.2126, 0.7152, 0.0722][k], 0);
  const ground = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = parts(getComputedStyle(e).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const weak = [];
  let seen = 0;
  for (const e of document.body.querySelectorAll("*")) {
    const text = Array.from(e.childNodes)
      .filter((n) => n.nodeType === 3).map((n) => n.data.trim()).join("");
    const style = getComputedStyle(e);
    if (!text || ["SCRIPT", "STYLE", "title"].includes(e.tagName)) continue;
    if (style.display === "none" || style.visibility === "hidden") continue;
    seen += 1;
    const ink = parts(e instanceof SVGElement ? style.fill : style.color);
    const [low, high] = [light(ink), light(ground(e))].sort((a, b) => a - b);
    const ratio = (high + 0.05) / (low + 0.05);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) weak.push([e.tagName, text, ratio]);
  }
  return {seen, weak};
})()"""
_OUTLINE = "getComputedStyle(document.activeElement).outlineStyle"
_PLACE = "document.activeElement.getBoundingClientRect()"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with the pages of the example and of a portfolio with gaps."""
    room = tmp_path_factory.mktemp("pages")
    told = status_report(pmo.status(told_portfolio(12), as_of="2026-12-31"))
    for name, (whole, pages) in (("example", example_report()[1:]), ("told", told)):
        write_page(room / name / "report.html", whole)
        for page, content in pages.items():
            write_page(room / name / page, content)
    return room


def chosen(folder):
    """Return pages of each kind: programs, projects, one of which little is known."""
    return [
        next((folder / "example" / "programs").iterdir()),
        folder / "example" / "projects" / "CORE-MOT.html",
        next((folder / "told" / "programs").iterdir()),
        folder / "told" / "projects" / "P000.html",
        folder / "told" / "projects" / "P010.html",
    ]


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    with browser(tmp_path_factory.mktemp("profile")) as one:
        one.ask(
            "Network.emulateNetworkConditions",
            offline=True,
            latency=0,
            downloadThroughput=0,
            uploadThroughput=0,
        )
        yield one


def press(tab, key: str, code: int, text: str = "") -> None:
    facts = {"key": key, "code": key, "windowsVirtualKeyCode": code}
    tab.ask("Input.dispatchKeyEvent", type="keyDown", text=text, **facts)
    tab.ask("Input.dispatchKeyEvent", type="keyUp", **facts)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_has_the_contrast_of_aa(folder, tab, scheme):
    wanted = [{"name": "prefers-color-scheme", "value": scheme}]
    tab.ask("Emulation.setEmulatedMedia", media="screen", features=wanted)
    for page in [folder / "example" / "report.html", *chosen(folder)]:
        tab.open(page)
        found = tab.value(_WEAK)
        assert found["seen"] > 20
        assert found["weak"] == [], page
        assert tab.complaints() == []
        assert tab.requests() == []
    tab.ask("Emulation.setEmulatedMedia", media="", features=[])


def test_everything_is_reached_and_seen_by_keyboard(folder, tab):
    for page in chosen(folder):
        tab.open(page)
        stops = tab.value(
            "document.querySelectorAll('a[href], button, input, [tabindex]').length"
        )
        met = []
        for _ in range(stops):
            press(tab, "Tab", 9)
            met.append(
                tab.value(
                    "(() => {const e = document.activeElement;"
                    f"const box = {_PLACE}; const s = {_OUTLINE};"
                    "return [e.outerHTML.slice(0, 90), s, box.width > 0 &&"
                    " box.height > 0 && box.left >= 0 && box.left < innerWidth];})()"
                )
            )
        unseen = [stop for stop in met if stop[1] == "none" or not stop[2]]
        assert unseen == [], page
        assert len({stop[0] for stop in met}) > 3
        assert any("../report.html" in stop[0] for stop in met)
        assert tab.complaints() == []


def test_tables_are_sorted_by_keyboard_and_filtered(folder, tab):
    program = folder / "example" / "programs"
    pages = [max(program.iterdir(), key=lambda p: p.stat().st_size)]
    pages.append(folder / "example" / "projects" / "CORE-MOT.html")
    for page in pages:
        tab.open(page)
        assert tab.value("document.querySelectorAll('thead button').length") > 0
        tab.value(
            "window.table = document.querySelector('thead button').closest('table');"
            "table.querySelectorAll('thead button')[0].focus(); 0"
        )
        rows = "[...table.tBodies[0].rows].map(r => r.cells[0].innerText)"
        given = tab.value(rows)
        press(tab, "Enter", 13, "\r")
        up = tab.value(rows)
        press(tab, "Enter", 13, "\r")
        assert sorted(given) == sorted(up)
        assert tab.value(rows)[0] in {up[-1], up[0]}
        assert (
            tab.value("table.querySelector('th[aria-sort]').getAttribute('aria-sort')")
            == "descending"
        )
        if tab.value("document.querySelectorAll('.filter input').length"):
            said = tab.value(
                "(() => {const i = document.querySelector('.filter input');"
                "const t = i.closest('p').nextElementSibling.querySelector('tbody');"
                "i.value = t.rows[0].innerText.split(/\\s+/).slice(0, 2).join(' ');"
                "i.dispatchEvent(new Event('input'));"
                "return [[...t.rows].filter(r => !r.hidden).length, t.rows.length];})()"
            )
            assert 1 <= said[0] <= said[1]
        assert tab.complaints() == []


def test_they_fit_a_phone_and_paper(folder, tab):
    for page in chosen(folder):
        tab.ask(
            "Emulation.setDeviceMetricsOverride",
            width=390,
            height=800,
            deviceScaleFactor=1,
            mobile=True,
        )
        tab.open(page)
        assert tab.value("document.documentElement.scrollWidth") <= 390, page
        tab.ask("Emulation.setEmulatedMedia", media="print", features=[])
        assert not tab.value(
            "[...document.querySelectorAll('.filter')].some(e => e.offsetHeight > 0)"
        )
        paper = tab.ask("Page.printToPDF", preferCSSPageSize=True)["data"]
        assert base64.b64decode(paper).startswith(b"%PDF")
        tab.ask("Emulation.clearDeviceMetricsOverride")
        tab.ask("Emulation.setEmulatedMedia", media="", features=[])
