"""Text that a spreadsheet would run as a formula, made harmless in CSV files.

Such a cell is written behind a single quote, which spreadsheets do not show; the
loaders take it away again. Numbers are never touched.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

# The characters that begin a formula or a command, also after spaces, quotes and signs
# that nobody sees. Spreadsheets of East Asia take those of full or small width as well.
_HIDDEN = "\\s'\"\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff"
_SIGNS = "=+\\-@\\t\\r\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212"
_SIGNS += "\u207a\u207c\u208a\u208c\u2a75\u2a76\ufb29"
_FORMULA = re.compile(f"[{_HIDDEN}\\0]*[{_SIGNS}]")


@lru_cache(maxsize=10_000)
def escape_text(text: str) -> str:
    """Return a text as CSV stores it: formula-like text behind a quote.

    Examples
    --------
    >>> escape_text("=1+1"), escape_text("R&D")
    ("'=1+1", 'R&D')
    """
    return f"'{text}" if _FORMULA.match(text) else text


def unescape_text(text: str) -> str:
    """Return the text of a CSV cell; undoes `escape_text` exactly."""
    return text[1:] if text[:1] == "'" and _FORMULA.match(text, 1) else text


def escape_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a copy whose text cells and headings are safe to open in a spreadsheet.

    Parameters
    ----------
    frame
        Any table; numbers, dates and periods stay as they are.
    """
    safe = frame.copy()
    for position, dtype in enumerate(frame.dtypes):
        if dtype.kind == "O":
            cells = [
                escape_text(c) if isinstance(c, str) else c
                for c in frame.iloc[:, position]
            ]
            safe.isetitem(position, cells)
        elif str(dtype) in ("str", "string", "category"):
            cells = frame.iloc[:, position]
            # Each text once: long tables repeat few of them.
            texts = [c for c in cells.unique() if isinstance(c, str)]
            escaped = {c: escape_text(c) for c in texts if escape_text(c) != c}
            if escaped:
                safe.isetitem(position, [escaped.get(c, c) for c in cells])
    safe.columns = [escape_text(c) if isinstance(c, str) else c for c in frame.columns]
    return safe
