"""The template explains every column and reads again without errors."""

from __future__ import annotations

import openpyxl
import pytest

from pmo_analytics.examples.company import example_portfolio
from pmo_analytics.loaders import write_template
from pmo_analytics.loaders.reading.settings import flat_settings
from pmo_analytics.loaders.writing.guide import COLUMN_TEXTS, SETTING_TEXTS, TABLE_TEXTS
from pmo_analytics.tables.contract import TABLES, table_spec
from tests.support.folders import assert_same, read_quietly
from tests.support.small_portfolios import everything_portfolio, tiny_portfolio

ALL = (*TABLES, "capacity")


def test_every_table_and_column_is_explained():
    assert set(TABLE_TEXTS) == set(COLUMN_TEXTS) == set(ALL)
    for table in ALL:
        columns = table_spec(table).columns
        assert list(COLUMN_TEXTS[table]) == list(columns)
        for name, info in columns.items():
            meaning = COLUMN_TEXTS[table][name]
            assert meaning.text.endswith(".")
            if info.choices:
                assert meaning.example in info.choices
    keys = [k.rpartition(".")[2] for k in flat_settings(tiny_portfolio())]
    assert list(SETTING_TEXTS) == keys


@pytest.mark.parametrize(
    "make", [tiny_portfolio, everything_portfolio, example_portfolio]
)
def test_the_template_is_read_again(tmp_path, make):
    path = tmp_path / "new" / "template.xlsx"
    write_template(path, make())
    assert_same(make(), read_quietly(path))


def test_the_template_guides(tmp_path):
    path = tmp_path / "template.xlsx"
    write_template(path, everything_portfolio())
    book = openpyxl.load_workbook(path)
    assert book.sheetnames[:3] == ["guide", "portfolio", "projects"]
    assert set(book.sheetnames) == {"guide", "portfolio", *ALL}
    for sheet in book:
        assert sheet.freeze_panes == "A2"
        assert sheet["A1"].font.bold
    guide = book["guide"]
    rows = list(guide.iter_rows(min_row=2, values_only=True))
    assert {(r[0], r[1]) for r in rows if r[1]} == {
        (table, column) for table in ALL for column in table_spec(table).columns
    } | {("portfolio", key) for key in SETTING_TEXTS}
    assert guide["C3"].alignment.wrap_text


def test_columns_have_the_format_of_what_is_typed(tmp_path):
    path = tmp_path / "template.xlsx"
    write_template(path, everything_portfolio())
    book = openpyxl.load_workbook(path)

    def form(sheet: str, column: str) -> str:
        letter = next(c.column_letter for c in book[sheet][1] if c.value == column)
        assert book[sheet][f"{letter}2"].number_format == (
            book[sheet].column_dimensions[letter].number_format
        )
        return book[sheet].column_dimensions[letter].number_format

    assert form("projects", "start") == "@"
    assert form("people", "end") == "yyyy-mm-dd"
    assert form("spend", "amount") == "#,##0.00"
    assert form("demand", "offset") == "0"


def test_columns_with_known_words_have_lists(tmp_path):
    path = tmp_path / "template.xlsx"
    portfolio = everything_portfolio()
    write_template(path, portfolio)
    book = openpyxl.load_workbook(path)

    def lists(sheet: str) -> dict[str, str]:
        return {
            book[sheet][f"{str(rule.sqref).split(':')[0][0]}1"].value: rule.formula1
            for rule in book[sheet].data_validations.dataValidation
        }

    assert lists("projects") == {
        "status": '"idea,proposed,paused,approved,running,done,cancelled"',
        "force": '"in,out"',
    }
    last = len(portfolio.projects) + 1 + 500
    assert lists("demand")["project"] == f"projects!$A$2:$A${last}"
    assert lists("demand")["role"].startswith("roles!$A$2")
    assert lists("bookings")["person"].startswith("people!$A$2")
    assert lists("bookings")["kind"] == '"soft,hard"'
    assert lists("blackouts")["applies_to"] == '"start,finish,work"'
    assert "role" not in lists("roles")
