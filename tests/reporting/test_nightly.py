"""The report of a night begins with the plan: names, worth, gap, what changed."""

from __future__ import annotations

from datetime import date

import pytest

from pmo_analytics.evidence import SolveReport, SolveStatus
from pmo_analytics.plan import Plan
from pmo_analytics.reporting.folder import manifest, plan_tables, write_result
from pmo_analytics.reporting.nightly import before, with_plan
from pmo_analytics.reporting.page import Report, page_html
from tests.support.small_portfolios import tiny_portfolio

NAMES = {"A": "Customer platform", "B": "<b>Data</b>", "C": "Claims"}


def plan_of(starts: dict[str, int], objective: float | None = None) -> Plan:
    tiny = tiny_portfolio()
    named = tiny.projects.assign(name=tiny.projects["project"].map(NAMES))
    plan = Plan.from_starts(tiny.replace(projects=named).validate(), starts)
    report = SolveReport(
        SolveStatus.FEASIBLE,
        objective=plan.objective if objective is None else objective,
        bound=20.0,
        certified=True,
        certified_bound=20.0,
    )
    return Plan.from_starts(plan.portfolio, starts, report=report)


def kept(runs, day: str, plan: Plan) -> None:
    facts = manifest(plan.portfolio, command="batch")
    facts["report"] = {"objective": plan.objective}
    write_result(runs / day, tables=plan_tables(plan), facts=facts)


def page(plan: Plan, last=None) -> str:
    return page_html(with_plan(Report("Night", "tiny", "2027-01"), plan, last=last))


def test_the_page_says_what_the_plan_is_worth_and_how_sure_that_is():
    # Worth 10 + 8 / 1.21 = 16.61; the bound of 20 leaves a gap of 20.40 %.
    html = page(plan_of({"A": 0, "B": 2}))
    for words in ("16.61", "gap 20.40", "2 of 3 projects", "Customer platform"):
        assert words in html
    assert "<b>Data</b>" not in html
    assert "&lt;b&gt;Data&lt;/b&gt;" in html
    assert "first run" in html
    assert "1 project is left out" in html


def test_changes_since_the_last_run_are_named(tmp_path):
    kept(tmp_path, "2027-01-30", plan_of({"A": 0, "C": 2}))
    kept(tmp_path, "2027-02-01", plan_of({"A": 0}))
    (tmp_path / "notes").mkdir()
    plan = plan_of({"A": 0, "B": 2})
    last = before(tmp_path, date(2027, 1, 31), plan)
    assert last is not None
    assert last.as_of == "2027-01-30"
    html = page(plan, last)
    assert "2 projects differ from the plan of 2027-01-30" in html
    assert "C (Claims) leaves" in html
    # 16.61 less 10 + 5 / 1.21 = 14.13.
    assert "2.48 more than on 2027-01-30" in html


@pytest.mark.parametrize("broken", ["nonsense", ""])
def test_a_last_run_that_cannot_be_read_is_said(tmp_path, broken):
    plan = plan_of({"A": 0, "B": 2})
    kept(tmp_path, "2027-01-30", plan)
    (tmp_path / "2027-01-30" / "schedule.csv").write_text(broken, "utf-8")
    last = before(tmp_path, date(2027, 1, 31), plan)
    assert last is not None
    assert "could not be read" in page(plan, last)


def test_the_same_plan_again_and_no_run_before(tmp_path):
    plan = plan_of({"A": 0, "B": 2})
    assert before(tmp_path / "none", date(2027, 1, 31), plan) is None
    kept(tmp_path, "2027-01-30", plan)
    last = before(tmp_path, date(2027, 1, 31), plan)
    assert "The plan is that of 2027-01-30" in page(plan, last)
    assert before(tmp_path, date(2027, 1, 30), plan) is None
