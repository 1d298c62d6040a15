from __future__ import annotations

import warnings

import matplotlib
import matplotlib.pyplot as plt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont
from matplotlib.text import Text

from pmo_analytics.clock.periods import Settings
from pmo_analytics.errors import PmoWarning
from pmo_analytics.plotting import (
    figure_capacity,
    fonts,
    plot_budget,
    plot_capacity,
    plot_gantt,
    plot_utilization,
)
from pmo_analytics.plotting.fonts import (
    fallback_fonts,
    glyphs,
    installed_fonts,
    lacking,
    plain,
    shorten,
)
from tests.support.counts import tried

CHINESE = "客户关系管理"
# In fonts that come with matplotlib, though not in its default one.
STIX = "\u1d81\u1d84"


@pytest.fixture
def without_fonts(monkeypatch):
    monkeypatch.setattr(fonts, "installed_fonts", dict)


@pytest.fixture
def chinese(make_plan):
    return make_plan(
        1,
        projects=6,
        names=lambda i: f"{CHINESE} {i}",
        settings=Settings(currency="元"),
    )


def texts(ax):
    return [t.get_text() for t in ax.findobj(Text) if t.get_text()]


def test_short_text_stays():
    assert shorten("CRM", 10) == "CRM"
    assert shorten("  CRM \n phase\t2 ", 20) == "CRM phase 2"


def test_long_text_keeps_both_ends():
    assert shorten("Warehouse automation phase 2", 20) == "Warehouse a… phase 2"
    assert shorten("abcdefghijklmnopqrstuvwxyz", 11) == "abcdef…wxyz"


@given(st.text(), st.integers(2, 40))
def test_shortened_text_fits(text, width):
    assert fonts._columns(shorten(text, width)) <= max(width, 1)


def test_wide_characters_count_twice():
    assert shorten("数字化转型组合项目", 9) == "数字化…目"


def test_what_cannot_be_drawn_is_dropped():
    assert plain("a\x00b\u200bc\ud800\ufe0f") == "abc"
    assert plain("e\u0301") == "é"


def test_glyphs_come_from_the_font_itself():
    path = str(findfont(FontProperties(family=["DejaVu Sans"])))
    assert ord("a") in glyphs(path)
    assert ord("客") not in glyphs(path)
    assert not glyphs(__file__)


def test_lacking_looks_at_every_family_in_use():
    assert lacking(STIX + "a", ["DejaVu Sans"]) == set(STIX)
    assert not lacking(STIX + "a", ["DejaVu Sans", "STIXGeneral"])
    assert lacking("a客", ["There is no such font"]) == {"客"}


def test_the_font_with_most_glyphs_is_taken_first(monkeypatch):
    monkeypatch.setattr(fonts, "FALLBACKS", ("DejaVu Serif", "STIXGeneral"))
    # The first is in both, the second only in the serif font.
    assert fallback_fonts({"\u1d81"}) == (["STIXGeneral"], set())
    assert fallback_fonts({"\u1d15", "客"}) == (["DejaVu Serif"], {"客"})


def test_names_change_to_a_font_that_has_their_glyphs(make_plan, monkeypatch):
    monkeypatch.setattr(fonts, "FALLBACKS", ("STIXGeneral",))
    plan = make_plan(1, projects=3, roles=1, names=lambda i: f"{STIX} {i}")
    ax = plot_gantt(plan)
    own = [t for t in ax.get_yticklabels() if STIX in t.get_text()]
    assert own
    assert all(t.get_fontfamily()[-1] == "STIXGeneral" for t in own)
    assert ax.xaxis.get_label().get_fontfamily() == matplotlib.rcParams["font.family"]
    ax.figure.canvas.draw()


def test_bold_gives_way_to_a_font_without_bold(make_plan, monkeypatch, caplog):
    regular = {
        name: [face for face in faces if face.weight in (400, "normal", "regular")]
        for name, faces in installed_fonts().items()
        if name == "STIXGeneral"
    }
    monkeypatch.setattr(fonts, "FALLBACKS", ("STIXGeneral",))
    monkeypatch.setattr(fonts, "installed_fonts", lambda: regular)
    plan = make_plan(1, projects=2, roles=1)
    portfolio = plan.portfolio.replace(name=STIX)
    ax = plot_gantt(type(plan).from_starts(portfolio, plan.starts))
    assert ax._left_title.get_fontweight() == "normal"


def test_missing_characters_are_announced_once_and_boxed(chinese, without_fonts):
    with pytest.warns(PmoWarning, match="Noto Sans CJK") as caught:
        ax = plot_gantt(chinese)
    assert len(caught) == 1
    assert all(c in str(caught[0].message) for c in CHINESE)
    assert caught[0].filename == __file__
    # Neither now nor at any later draw does matplotlib complain about glyphs.
    ax.figure.canvas.draw()
    ax.figure.canvas.draw()
    assert any(text.startswith("□□□□□□ ") for text in texts(ax))
    assert CHINESE[0] not in "".join(texts(ax))


@pytest.mark.parametrize("chart", [plot_capacity, plot_budget, figure_capacity])
def test_every_chart_announces_at_most_once(chinese, without_fonts, chart):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = chart(chinese, **({} if chart is plot_budget else {"by": "project"}))
        getattr(result, "figure", result).canvas.draw()
    assert [w.category for w in caught] == [PmoWarning]


def test_chinese_names_with_an_installed_font(chinese):
    left = fallback_fonts(set(CHINESE + "元"))[1]
    if left:
        pytest.skip("no font with Chinese glyphs is installed")
    for chart in (plot_capacity, plot_gantt, plot_utilization, plot_budget):
        ax = chart(chinese)
        ax.figure.canvas.draw()
    assert f"amount ({'元'} million)" == ax.get_xlabel()
    assert any(CHINESE in text for text in texts(plot_gantt(chinese)))


def test_latin_names_change_nothing(plan):
    ax = plot_gantt(plan)
    families = {tuple(t.get_fontfamily()) for t in ax.findobj(Text)}
    assert families == {tuple(matplotlib.rcParams["font.family"])}


@pytest.mark.parametrize(
    "name",
    ["R$D and $x", r"$\frac{1}{2}$", "a_b^c", "100% of {it}", "back\\slash", "&"],
)
def test_names_are_drawn_as_they_are(make_plan, name):
    plan = make_plan(1, projects=3, roles=1, names=lambda i: f"{name} {i}")
    for chart in (plot_gantt, plot_capacity):
        ax = chart(plan)
        ax.figure.canvas.draw()
        found = [t for t in ax.findobj(Text) if name in t.get_text()]
        assert found
        assert all("$" not in name or not t.get_parse_math() for t in found)


def test_foreign_annotations_keep_their_mathematics(plan):
    ax = plt.figure().subplots()
    note = ax.text(0, 0, r"$\alpha$")
    plot_capacity(plan, ax=ax)
    assert note.get_parse_math()


@settings(
    max_examples=tried(25),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(names=st.lists(st.text(max_size=30), min_size=3, max_size=3))
def test_no_name_breaks_a_chart(make_plan, names):
    plan = make_plan(1, projects=3, roles=1, names=lambda i: names[i])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PmoWarning)
        for chart in (plot_gantt, plot_capacity):
            ax = chart(plan, ax=Figure().subplots())
            ax.figure.canvas.draw()
