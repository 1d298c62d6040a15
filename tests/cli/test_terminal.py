"""Tables fold or become lists: at no width is anything lost."""

from __future__ import annotations

import io

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from pmo_analytics.cli.terminal import (
    escaped,
    messages,
    output,
    show_facts,
    show_problems,
    show_table,
)
from pmo_analytics.errors import problem, problems_table
from pmo_analytics.facts import Facts


def printed(show, *args, width: int) -> str:
    stream = io.StringIO()
    show(*args, Console(file=stream, width=width, highlight=False, emoji=False))
    return stream.getvalue()


def letters(text: object) -> str:
    return "".join(str(text).split())


TEXTS = st.text("abc äé客[b]%-/;:'", min_size=1, max_size=70)


@given(
    st.lists(st.tuples(TEXTS, TEXTS, st.integers(0, 10**9)), min_size=1, max_size=4),
    st.sampled_from([60, 80, 140, 200]),
)
def test_every_cell_is_shown_and_no_line_is_too_long(rows, width):
    table = pd.DataFrame(
        [(a, b, n, pd.Period("2027-02", "M"), n / 7) for a, b, n in rows],
        columns=["project", "name", "count", "start", "objective"],
    )
    text = printed(show_table, table, "Title", width=width)
    assert max(map(cell_len, text.splitlines())) <= width
    assert "…" not in text
    assert text.count("2027-02") == len(rows)
    for _, _, number in rows:
        assert f"{number:,}" in text
    # A folded cell stands in parts; its letters are all there.
    for a, b, _ in rows:
        for letter in set(letters(a + b)):
            assert text.count(letter) >= letters(a + b).count(letter)


def test_a_name_between_colons_is_no_picture(capsys):
    for console in (output(), messages()):
        console.print(escaped("Phase :a: of :smile:"))
    said = capsys.readouterr()
    assert said.out == said.err == "Phase :a: of :smile:\n"


def test_headings_are_words_and_shares_are_percentages():
    table = pd.DataFrame({"role": ["Dev"], "p_overload": [0.3], "gap": [0.0123]})
    text = printed(show_table, table, "Risks", width=80)
    assert "chance of overload" in text
    assert "30 %" in text
    assert "1.23 %" in text
    assert "p_overload" not in text


@pytest.mark.parametrize("width", [60, 80, 200])
def test_problems_keep_their_fix_at_any_width(width):
    fix = "Write one of " + ", ".join(f"status number {n}" for n in range(12)) + "."
    table = problems_table(
        [
            problem(
                "error",
                "projects",
                "not_a_choice",
                row=7,
                column="status",
                found="[red]aproved",
                fix=fix,
                source="a very long name of a file of projects.csv",
            )
        ]
    )
    text = printed(show_problems, table, "Problems", width=width)
    assert "fix" in text
    assert "[red]aproved" in text
    assert max(map(cell_len, text.splitlines())) <= width
    parts = letters(text)
    assert letters("status number 11.") in parts
    assert letters(table["source"][0]) in parts or width == 200


def test_facts_go_on_below_themselves():
    facts = Facts({"objective": 1234567.891, "peak": "word " * 20}, dtype=object)
    text = printed(show_facts, facts, width=40)
    assert "1,234,567.89" in text
    assert text.count("word") == 20
    lines = text.splitlines()
    assert max(map(len, lines)) <= 40
    assert all(line.startswith(("objective", "peak", " " * 11)) for line in lines)
