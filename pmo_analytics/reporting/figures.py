"""Charts for files: drawn without a display, let go of when they are written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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
