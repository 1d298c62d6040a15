"""Charts for files: drawn without a display, let go of when they are written."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Dots an inch, of files and of pictures inside pages.
_DPI = 144
_RENDERED: WeakKeyDictionary[Figure, bytes] = WeakKeyDictionary()


def png_of(figure: Figure) -> bytes:
    """Return a finished chart as a PNG picture; a folder and its page share one."""
    if figure not in _RENDERED:
        _RENDERED[figure] = _drawn_once(figure)
    return _RENDERED[figure]


def _drawn_once(figure: Figure) -> bytes:
    # `savefig` draws all of it twice, the first time only to lay it out.
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    buffer = io.BytesIO()
    former, dpi = figure.canvas, figure.dpi
    try:
        figure.set_dpi(_DPI)
        # No name of the software: the same chart gives the same bytes.
        FigureCanvasAgg(figure).print_png(buffer, metadata={"Software": None})
    finally:
        figure.set_canvas(former)
        figure.set_dpi(dpi)
    return buffer.getvalue()


@contextmanager
def drawn(
    draw: Callable[[], Mapping[str, Figure]], *, wanted: bool = True
) -> Iterator[dict[str, Figure]]:
    """Give charts to write, by file name without its ending; closed at the end.

    Open figures would stay in memory until the process ends.

    Parameters
    ----------
    draw
        Imports what it draws with: where no charts are wanted nothing is loaded.
    wanted
        Else there are none.
    """
    figures: dict[str, Figure] = {}
    if wanted:
        import matplotlib as mpl

        mpl.use("Agg")  # files only: no display is needed, none is opened
        figures = dict(draw())
    try:
        yield figures
    finally:
        if figures:
            import matplotlib.pyplot as plt

            for figure in figures.values():
                plt.close(figure)
