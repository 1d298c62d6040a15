"""Words that people write into cells they leave blank.

Two kinds: words for nothing (`-`, `n/a`) and words for not known yet (`TBD`, `?`). A
blank has a meaning of its own in some columns (a budget without a limit, a person with
a full contract), and there a word is never taken for a blank.
"""

from __future__ import annotations

from pmo_analytics.loaders.aliases import fold

_DASHES = frozenset(
    (
        "-",
        "--",
        "---",
        "\u2012",
        "\u2013",
        "\u2014",
        "\u2015",
        "/",
        ".",
        "..",
        "...",
        "\u2026",
    )
)
_NOTHING = frozenset(
    map(
        fold,
        (
            *("n/a", "n.a.", "none", "nil", "null", "nan", "nat", "not applicable"),
            *("keine", "keiner", "kein", "entfällt", "nicht zutreffend", "aucun"),
            *("aucune", "néant", "sans objet", "ninguno", "ninguna", "no aplica"),
            *("无", "無", "不适用", "不適用", "<NA>", "(blank)", "(none)"),
        ),
    )
)
_NOT_KNOWN = frozenset(
    map(
        fold,
        (
            *("tbd", "tbc", "tba", "tbd?", "?", "??", "???", "unknown", "not known"),
            *("to be defined", "to be determined", "to be confirmed", "not yet known"),
            *("offen", "noch offen", "unbekannt", "k.A.", "keine angabe", "à définir"),
            *(
                "inconnu",
                "por definir",
                "desconocido",
                "待定",
                "未定",
                "待确认",
                "未知",
            ),
        ),
    )
)
# Table -> columns in which a blank is a statement: no word stands for it.
_STATEMENTS = {
    "people": {"fte", "weekly_hours", "daily_hours", "monthly_hours", "contract_hours"},
    "absences": {"share"},
    "bookings": {"fte"},
    "budget": {"amount", "at_least"},
    "rules": {"weight", "at_least", "at_most"},
    "groups": {"at_least", "at_most"},
    "flex": {"fte_max", "lead"},
}
# Table -> columns in which nothing is meant to be blank, but not what is not known.
_TO_BE_KNOWN = {
    "people": {"start"},
    "operations": {"fte", "share", "start", "end"},
    "dependencies": {"lag", "lag_max", "kind"},
    "bookings": {"kind"},
    "blackouts": {"start", "end", "applies_to"},
    "budget": {"start", "end"},
    "groups": {"rule"},
    "rules": {"applies_to"},
    "flex": {"start", "end", "kind", "rate"},
    "projects": {"status", "probability"},
}


def blank_word(
    table: str, column: str, text: str, own: frozenset[str], *, usual: bool = True
) -> bool:
    """Return whether a text stands for a blank cell in a column.

    Parameters
    ----------
    column
        Column of the contract, or "" for a cell of a wide table.
    own
        Words, as written and folded, that the portfolio declares as blank.
    usual
        Whether the usual words count too.
    """
    bare = text.strip()
    folded = fold(bare)
    if bare in own or (folded and folded in own):
        return True
    if not usual or column in _STATEMENTS.get(table, ()):
        return False
    if bare in _DASHES or folded in _NOTHING:
        return True
    if not column or column in _TO_BE_KNOWN.get(table, ()):
        return False
    return folded in _NOT_KNOWN
