"""A page can be read by everybody: contrast of its colours, and use by keyboard."""

from __future__ import annotations

import re
from importlib.resources import files

import pandas as pd
import pytest

from pmo_analytics.reporting.page import Report, Section, write_page
from tests.support.chromium import browser, find_chromium

CSS = (files("pmo_analytics.reporting") / "page.css").read_text(encoding="utf-8")
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
# What text lies on where its own rule names no background.
SURFACES = ("var(--paper)", "var(--ground)", "var(--alarm-ground)")


def variables(text: str) -> dict[str, str]:
    return dict(re.findall(r"(--[\w-]+): (#[0-9a-f]{6})", text))


LIGHT = variables(CSS.partition("prefers-color-scheme")[0])
DARK = variables(CSS.partition("prefers-color-scheme")[2])


def rules() -> list[tuple[str, dict[str, str]]]:
    """Return selector and declarations of every rule that has either colour."""
    found = []
    for selector, body in _RULE.findall(CSS):
        pairs = (line.split(":", 1) for line in body.split(";") if ":" in line)
        named = {name.strip(): value.strip() for name, value in pairs}
        if {"color", "background"} & named.keys():
            found.append((" ".join(selector.split()), named))
    return found


def pairs() -> list[tuple[str, str, str]]:
    """Return selector, colour and background of all text."""
    found = []
    shades = [n["background"] for s, n in rules() if re.fullmatch(r"\.r\d", s)]
    for selector, named in rules():
        colour, ground = named.get("color"), named.get("background")
        if colour == "inherit":
            colour = None
        if selector.startswith(".r1, .r2"):
            found += [(selector, colour, shade) for shade in shades]
        elif colour is not None and ground not in (None, "none"):
            found.append((selector, colour, ground))
        elif colour is not None:
            found += [(selector, colour, surface) for surface in SURFACES]
        elif ground not in (None, "none") and not re.fullmatch(r"\.r\d", selector):
            found.append((selector, "var(--ink)", ground))
    return found


def luminance(colour: str, known: dict[str, str]) -> float:
    """Return the relative luminance of WCAG 2.2 of a colour."""
    colour = known.get(colour.removeprefix("var(").rstrip(")"), colour).lstrip("#")
    if len(colour) == 3:
        colour = "".join(2 * c for c in colour)
    parts = (int(colour[k : k + 2], 16) / 255 for k in (0, 2, 4))
    linear = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts
    )
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str, known: dict[str, str]) -> float:
    low, high = sorted(luminance(c, known) for c in (one, other))
    return (high + 0.05) / (low + 0.05)


def test_the_measure_is_that_of_wcag():
    assert contrast("#000", "#ffffff", {}) == pytest.approx(21)
    assert contrast("#777777", "#ffffff", {}) == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_has_the_contrast_of_aa(scheme):
    known = LIGHT if scheme == "light" else {**LIGHT, **DARK}
    assert LIGHT.keys() == DARK.keys()
    measured = {(s, c, g): contrast(c, g, known) for s, c, g in pairs()}
    assert len(measured) > 30
    weak = {pair: round(ratio, 2) for pair, ratio in measured.items() if ratio < 4.5}
    assert not weak
    # What shows where the focus is, and the edge of a field: 3 to 1.
    for edge in ("var(--accent)", "var(--quiet)"):
        assert min(contrast(edge, g, known) for g in SURFACES) >= 3


@pytest.mark.skipif(find_chromium() is None, reason="no Chromium is installed")
def test_a_page_is_used_by_keyboard(tmp_path):
    table = pd.DataFrame({"project": list("DBACFGEH"), "fte": [4, 2, 1, 3, 6, 7, 5, 8]})
    sections = [Section("First", table=table), Section("Second", table=table)]
    page = tmp_path / "r.html"
    write_page(page, Report("T", "P", "2027-01", sections=sections, sortable=True))
    focus = "document.activeElement"
    with browser(tmp_path / "profile") as tab:
        tab.open(page)

        def press(key: str, code: int, text: str = "") -> None:
            facts = {"key": key, "code": key, "windowsVirtualKeyCode": code}
            tab.ask("Input.dispatchKeyEvent", type="keyDown", text=text, **facts)
            tab.ask("Input.dispatchKeyEvent", type="keyUp", **facts)

        met = []
        for _ in range(9):
            press("Tab", 9)
            style = f"getComputedStyle({focus})"
            shown = tab.value(f"{style}.outlineStyle + {style}.outlineWidth")
            box = f"{focus}.getBoundingClientRect()"
            inside = tab.value(f"{box}.left >= 0 && {box}.width > 0")
            assert not shown.startswith("none"), tab.value(f"{focus}.outerHTML")
            assert inside, tab.value(f"{focus}.outerHTML")
            met.append(tab.value(f"{focus}.className || {focus}.tagName"))
        # As it is read: over the head, contents, then filter, table and its columns.
        assert met[:4] == ["skip", "A", "A", "INPUT"]
        assert met[4].startswith("table")
        assert met[5:7] == ["BUTTON", "BUTTON"]
        assert met[7] == "INPUT"
        tab.value("document.querySelector('thead button').focus()")
        press("Enter", 13, "\r")
        rows = (
            "[...document.querySelector('tbody').rows].map(r => r.cells[0].innerText)"
        )
        assert tab.value(rows) == list("ABCDEFGH")
        press("Tab", 9)
        press(" ", 32, " ")
        press(" ", 32, " ")
        # 8, 7, ... 1 in the table above.
        assert tab.value(rows) == list("HGFEDCBA")
        sort = "document.querySelector('th[aria-sort]').innerText"
        assert tab.value(sort) == "FTE"
        assert tab.complaints() == []
