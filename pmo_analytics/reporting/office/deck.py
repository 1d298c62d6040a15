"""A set of slides: the user's template or a plain one, and slides with a title."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pmo_analytics.errors import ConfigError

_MISSING = (
    "Slides need python-pptx. Install the extra 'office': "
    "pip install 'pmo_analytics[office]'."
)
INK, QUIET, ACCENT = "1D2733", "5A6675", "1F4E79"
# Inches: rim of a slide, heights of a title and of the sentence below it.
_RIM, _TITLE_HIGH, _SAID_HIGH = 0.5, 0.8, 0.6
# Share of a slide below which a title of the template leaves no room.
_DEEP = 0.35
# What XML cannot hold.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class Deck:
    """Slides, and whether their look is that of a template of the user's.

    Attributes
    ----------
    layout
        Of every slide: the one with a title and least beside it.
    """

    show: Any
    templated: bool
    layout: Any


@dataclass(frozen=True)
class Room:
    """What is left of a slide below its title, in inches."""

    left: float
    top: float
    width: float
    height: float


def open_deck(template: Path | None) -> Deck:
    """Return the template, or a plain set of slides, 16 to 9."""
    try:
        from pptx import Presentation
        from pptx.exc import PackageNotFoundError
        from pptx.util import Inches
    except ImportError as error:
        raise ConfigError(_MISSING) from error
    if template is None:
        show = Presentation()
        show.slide_width, show.slide_height = Inches(13.333), Inches(7.5)
        return Deck(show, False, _layout(show))
    try:
        show = Presentation(str(template))
    except (OSError, KeyError, ValueError, PackageNotFoundError) as error:
        raise ConfigError(
            f"The template {template} cannot be read as slides. Save it as .pptx."
        ) from error
    return Deck(show, True, _layout(show))


def _layout(show: Any) -> Any:
    """Return the layout with a title and least beside it; any where none has one."""
    from pptx.enum.shapes import PP_PLACEHOLDER

    aside = {
        PP_PLACEHOLDER.DATE,
        PP_PLACEHOLDER.FOOTER,
        PP_PLACEHOLDER.SLIDE_NUMBER,
    }

    def beside(layout: Any) -> tuple[bool, int]:
        kinds = [shape.placeholder_format.type for shape in layout.placeholders]
        more = [kind for kind in kinds if kind not in aside]
        return PP_PLACEHOLDER.TITLE not in kinds, len(more)

    layouts = [
        layout for master in show.slide_masters for layout in master.slide_layouts
    ]
    if not layouts:
        raise ConfigError("The template has no layout of slides. Add one with a title.")
    return min(layouts, key=beside)


def add_slide(deck: Deck, title: str, said: str = "") -> tuple[Any, Room]:
    """Return a new slide with a title and a sentence, and the room that is left."""
    from pptx.util import Emu, Inches

    show = deck.show
    slide = show.slides.add_slide(deck.layout)
    width, height = show.slide_width.inches, show.slide_height.inches
    head = slide.shapes.title
    for shape in list(slide.placeholders):
        # An empty one says "Click to add text".
        if head is None or shape.shape_id != head.shape_id:
            shape._element.getparent().remove(shape._element)
    if head is None:
        head = slide.shapes.add_textbox(0, 0, 0, 0)
    own = deck.templated and slide.shapes.title is not None
    if not own or Emu(head.top + head.height).inches > _DEEP * height:
        head.left, head.top = Inches(_RIM), Inches(0.25)
        head.width, head.height = Inches(width - 2 * _RIM), Inches(_TITLE_HIGH)
    head.text_frame.word_wrap = True
    head.text_frame.text = clean(title)
    line = head.text_frame.paragraphs[0]
    if not own:
        look(line, 28, ACCENT, bold=True)
        line.alignment = left()
    top = Emu(head.top + head.height).inches + _SAID_HIGH + 0.1
    room = Room(_RIM, top, width - 2 * _RIM, height - top - 0.3)
    say(slide, room, said)
    return slide, room


def say(slide: Any, room: Room, said: str) -> None:
    """Write a sentence between the title of a slide and its room."""
    from pptx.util import Inches, Pt

    if said:
        place = (room.left, room.top - _SAID_HIGH - 0.1, room.width, _SAID_HIGH)
        box = slide.shapes.add_textbox(*map(Inches, place))
        box.text_frame.word_wrap = True
        box.text_frame.text = clean(said)
        box.text_frame.paragraphs[0].font.size = Pt(16 if len(said) < 130 else 12)


def left() -> Any:
    """Return what sets a line at the left."""
    from pptx.enum.text import PP_ALIGN

    return PP_ALIGN.LEFT


def look(line: Any, size: int, colour: str, *, bold: bool = False) -> None:
    """Give a line its size, colour (hexadecimal) and weight."""
    from pptx.dml.color import RGBColor
    from pptx.util import Pt

    line.font.size = Pt(size)
    line.font.bold = bold
    line.font.color.rgb = RGBColor.from_string(colour)


def clean(text: str) -> str:
    """Return text as XML can hold it."""
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)
