"""Cells that hold a word for nothing are taken as blank, and that is said."""

from __future__ import annotations

from pmo_analytics.errors import listing
from pmo_analytics.loaders.aliases import fold
from pmo_analytics.loaders.cells.blanks import blank_word
from pmo_analytics.loaders.understanding.headings import kind_of
from pmo_analytics.loaders.understanding.rows import id_columns
from pmo_analytics.loaders.understanding.tidy import Tidy
from pmo_analytics.tables import table_spec


def clear_blank_words(tidy: Tidy, own: tuple[str, ...]) -> None:
    """Let words such as `n/a` be blank cells where a blank says no more, in place.

    Texts stay as they are, but for words that the portfolio declares. So do cells
    that must be filled: they are errors with their row.

    Parameters
    ----------
    own
        Words that the portfolio declares as blank.
    """
    table = tidy.place.table
    spec = table_spec(table).columns
    declared = frozenset({word.strip() for word in own} | {fold(word) for word in own})
    declared -= {""}
    met: dict[str, list[tuple[int, str]]] = {}
    for name, cells in tidy.columns.items():
        info = spec.get(name)
        kind = "spread" if name in tidy.spread else kind_of(table, name)
        if name in id_columns(table) and name != "period":
            continue
        usual = kind not in ("", "text", "note") and not (
            info is not None and info.required
        )
        if not usual and not declared:
            continue
        column = "" if kind == "spread" else name
        words = {
            c: blank_word(table, column, c, declared, usual=usual)
            for c in {c for c in cells if c.__class__ is str}
        }
        if not any(words.values()):
            continue
        found = [(i, c) for i, c in enumerate(cells) if c.__class__ is str and words[c]]
        met[name] = found
        tidy.columns[name] = [
            None if c.__class__ is str and words[c] else c for c in cells
        ]
    if not met:
        return
    name, found = next(iter(met.items()))
    count = sum(map(len, met.values()))
    texts = dict.fromkeys(c for cells in met.values() for _, c in cells)
    tidy.problems.append(
        tidy.place.warning(
            "blank_words",
            row=tidy.rows[found[0][0]],
            column=", ".join(met),
            found=f"{listing(texts)} ({count} cells)",
            fix="These words are read as blank cells.",
        )
    )
