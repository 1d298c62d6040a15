"""Columns of one table that stand in another are said, and where they belong."""

from __future__ import annotations

import pytest

from pmo_analytics.loaders.findings import Place
from pmo_analytics.loaders.understanding.elsewhere import elsewhere
from pmo_analytics.loaders.understanding.headings import read_headings


def said(table: str, *texts: str) -> list[tuple[str, str]]:
    place = Place(table, f"{table}.csv")
    headings, _ = read_headings([*texts], place, 1)
    return [(p["found"], p["fix"]) for p in elsewhere(headings, place, 1)]


@pytest.mark.parametrize(
    ("table", "texts", "found", "word"),
    [
        ("projects", ["project", "RAG", "SRO RAG"], "RAG", "'progress'"),
        ("projects", ["project", "Gate 1", "Gate 2"], "Gate 1, Gate 2", "'milestones'"),
        ("actuals", ["project", "timespent"], "timespent", "3600"),
        ("demand", ["project", "Σ Original Estimate"], "Σ Original Estimate", "3600"),
    ],
)
def test_what_is_not_read_is_said_once_with_where_to_put_it(table, texts, found, word):
    ((shown, fix),) = said(table, *texts)
    assert shown == found
    assert word in fix


def test_columns_of_the_table_and_of_one_s_own_are_no_alarm():
    assert not said("projects", "project", "phase", "Stage", "Gatekeeper", "colour of")
    assert not said("progress", "project", "as_of", "rag", "remaining_hours")
    assert not said("actuals", "project", "period", "hours")
