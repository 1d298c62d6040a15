"""Letters on charts: names drawn literally, and in a font that has their glyphs."""

from __future__ import annotations

import contextlib
import os
import unicodedata
import warnings
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import Any

import matplotlib
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ft2font import FT2Font
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator

import pmo_analytics
from pmo_analytics.errors import PmoWarning

# Tried in this order when the font in use lacks glyphs. Families that lack the
# needed ones are passed over, so Japanese and Korean names find their own.
FALLBACKS = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "Microsoft YaHei",
    "PingFang SC",
    "PingFang HK",
    "Hiragino Sans GB",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "SimHei",
    "Noto Sans CJK TC",
    "Noto Sans CJK HK",
    "Noto Sans CJK JP",
    "Noto Sans CJK KR",
    "Noto Sans TC",
    "Noto Sans JP",
    "Noto Sans KR",
    "Source Han Sans",
    "Microsoft JhengHei",
    "Heiti TC",
    "STHeiti",
    "Yu Gothic",
    "Hiragino Sans",
    "Malgun Gothic",
    "Apple SD Gothic Neo",
    "NanumGothic",
    "Droid Sans Fallback",
    "AR PL UMing CN",
    "AR PL UKai CN",
    "SimSun",
    "Songti SC",
    "Arial Unicode MS",
)
ADVICE = (
    "for Chinese, Japanese and Korean: Noto Sans CJK, in Debian fonts-noto-cjk, or "
    "WenQuanYi, in Debian fonts-wqy-microhei"
)
# A warning should name the caller's line. CPython 3.12 does not skip a file whose
# whole name is the prefix.
_SKIPPED = (
    f"{os.path.dirname(pmo_analytics.__file__)}{os.sep}",
    str(contextlib.__file__).removesuffix(".py"),
)
_WIDE = ("W", "F")


def plain(text: object) -> str:
    """Return text on one line, without control and formatting characters."""
    if (written := str(text)).isascii() and written.isprintable():
        return " ".join(written.split())
    composed = unicodedata.normalize("NFC", written)
    kept = (
        " " if c.isspace() else c
        for c in composed
        if c.isspace()
        or (unicodedata.category(c)[0] != "C" and not "\ufe00" <= c <= "\ufe0f")
    )
    return " ".join("".join(kept).split())


def shorten(text: object, width: int) -> str:
    """Return text cut in the middle with an ellipsis to at most `width` columns.

    What tells similar names apart is often their end ("... phase 2"), so both ends
    stay. Wide characters (CJK) count two columns.
    """
    line = plain(text)
    if _columns(line) <= width:
        return line
    tail = _fitting(line[::-1], (width - 1) * 2 // 5)[::-1]
    if " " in line[-len(tail) - 1 :] and tail:
        # Whole words where there are several.
        tail = line[line.index(" ", len(line) - len(tail) - 1) :]
    head = _fitting(line, width - 1 - _columns(tail))
    return f"{head.rstrip()}…{tail}"


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in _WIDE else 1 for c in text)


def _fitting(text: str, width: int) -> str:
    used = 0
    for i, c in enumerate(text):
        used += _columns(c)
        if used > width:
            return text[:i]
    return text


def installed_fonts() -> dict[str, list[font_manager.FontEntry]]:
    """Return the fonts that matplotlib knows, family name -> faces."""
    families: dict[str, list[font_manager.FontEntry]] = {}
    for entry in font_manager.fontManager.ttflist:
        families.setdefault(entry.name, []).append(entry)
    return families


@lru_cache(maxsize=64)
def glyphs(path: str) -> frozenset[int]:
    """Return the code points that a font file has glyphs for; none if unreadable."""
    try:
        return frozenset(FT2Font(path).get_charmap())
    except (OSError, RuntimeError):
        return frozenset()


def lacking(
    characters: Iterable[str], families: Sequence[str], *, bold: bool = False
) -> set[str]:
    """Return the characters that none of the fonts in use can draw."""
    have: set[int] = set()
    for family in families:
        with contextlib.suppress(ValueError):
            path = font_manager.findfont(
                font_manager.FontProperties(
                    family=[family], weight="bold" if bold else "normal"
                ),
                fallback_to_default=False,
            )
            have |= glyphs(str(path))
    if not have:
        default = font_manager.FontProperties(family=["DejaVu Sans"])
        have |= glyphs(str(font_manager.findfont(default)))
    return {c for c in characters if not c.isspace() and ord(c) not in have}


def fallback_fonts(missing: Collection[str]) -> tuple[list[str], set[str]]:
    """Return installed families that cover `missing`, and what none of them has."""
    left = set(missing)
    chosen: list[str] = []
    known = installed_fonts()
    others = sorted(name for name in known if name.startswith("Noto Sans "))
    cover = {
        name: _covered(left, known[name])
        for name in dict.fromkeys([*FALLBACKS, *others])
        if name in known
    }
    while left:
        # One font for a whole name looks better than a patchwork: most glyphs first.
        best = max(cover, key=lambda name: len(cover[name] & left), default=None)
        if best is None or not cover[best] & left:
            break
        chosen.append(best)
        left -= cover[best]
    return chosen, left


def _covered(
    characters: Iterable[str],
    faces: Sequence[font_manager.FontEntry],
    *,
    bold: bool = False,
) -> set[str]:
    """Return the characters that the regular (or bold) face of a family can draw."""
    order = sorted(faces, key=lambda f: (_is_bold(f.weight), f.style != "normal"))
    usable = [face for face in order if not bold or _is_bold(face.weight)]
    have = glyphs(str(usable[0].fname)) if usable else frozenset()
    return {c for c in characters if ord(c) in have}


def settle_text(
    roots: Sequence[Axes | Figure | SubFigure], foreign: Collection[Text] = ()
) -> None:
    """Make every text of a chart drawable: literal, and in fonts with its glyphs.

    Characters that no installed font has are drawn as boxes, announced by one
    PmoWarning, so that matplotlib does not warn per glyph whenever it draws.

    Parameters
    ----------
    roots
        Axes or figures that hold the texts.
    foreign
        Texts that were there before; left as they are.
    """
    kept = {id(text) for text in foreign}
    texts = [
        text
        for root in roots
        for text in root.findobj(Text)
        if isinstance(text, Text) and text.get_text() and id(text) not in kept
    ]
    groups: dict[tuple[tuple[str, ...], bool], list[Text]] = {}
    for text in texts:
        text.set_usetex(False)
        if "$" in text.get_text():
            text.set_parse_math(False)
        key = (tuple(text.get_fontfamily()), _is_bold(text.get_fontweight()))
        groups.setdefault(key, []).append(text)
    lost: set[str] = set()
    for (families, bold), members in groups.items():
        used = {c for text in members for c in text.get_text()}
        if missing := lacking(used, families, bold=bold):
            left = _settle(members, missing, families, bold=bold)
            _box_tick_labels(roots, left, families)
            lost |= left
    if lost:
        _warn_missing(lost)


def _settle(
    texts: Sequence[Text], missing: set[str], families: tuple[str, ...], *, bold: bool
) -> set[str]:
    """Give texts of one font what it lacks; return what no font has."""
    fallbacks, left = fallback_fonts(lacking(missing, families))
    stays = bold and _have_bold(missing - left, fallbacks)
    for text in texts:
        if not missing & set(text.get_text()):
            continue
        if fallbacks:
            text.set_fontfamily([*families, *fallbacks])
        if bold and not stays:
            text.set_fontweight("normal")
        if left & set(text.get_text()):
            text.set_text(_boxed(text.get_text(), left, families))
    return left


def _have_bold(characters: set[str], fallbacks: Sequence[str]) -> bool:
    """Return whether the fallbacks draw these in bold; each must have that face.

    matplotlib would log a missing one as a failure at every draw.
    """
    known = installed_fonts()
    covered = [_covered(characters, known[name], bold=True) for name in fallbacks]
    return all(covered) and characters <= set().union(*covered)


def _is_bold(weight: Any) -> bool:
    if isinstance(weight, str):
        weight = font_manager.weight_dict.get(weight, 400)
    return bool(weight >= 600)


def _boxed(text: str, lost: set[str], families: Sequence[str]) -> str:
    box = "?" if lacking("□", families) else "□"
    return "".join(box if c in lost else c for c in text)


def _box_tick_labels(
    roots: Sequence[Axes | Figure | SubFigure], lost: set[str], families: Sequence[str]
) -> None:
    # Tick labels are set again from the axis at every draw.
    for root in roots:
        for ax in [root] if isinstance(root, Axes) else root.axes:
            for axis in (ax.xaxis, ax.yaxis):
                if not isinstance(axis.get_major_locator(), FixedLocator):
                    continue
                labels = [text.get_text() for text in axis.get_ticklabels()]
                if lost & set("".join(labels)):
                    axis.set_ticklabels(
                        [_boxed(label, lost, families) for label in labels]
                    )


def _warn_missing(lost: set[str]) -> None:
    some = "".join(sorted(lost)[:20])
    more = f" and {len(lost) - 20} more" if len(lost) > 20 else ""
    warnings.warn(
        f"No installed font has the characters {some}{more}; they are drawn as boxes. "
        f"Install a font that has them ({ADVICE}), and delete matplotlib's font cache "
        f"in {matplotlib.get_cachedir()}.",
        PmoWarning,
        skip_file_prefixes=_SKIPPED,
    )
