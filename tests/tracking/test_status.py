"""The status of a portfolio worked out by hand, of the example, and of bad tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import pmo_analytics as pmo
from pmo_analytics.errors import ConfigError, DataError
from pmo_analytics.tracking import (
    milestone_status,
    milestone_trend,
    milestone_trends,
    on_time_rate,
)

DAY = pd.Timestamp("2027-03-31")


def rows(columns: str, *records: tuple) -> pd.DataFrame:
    return pd.DataFrame(list(records), columns=columns.split())


def small(**more) -> pmo.Portfolio:
    """Return A, promised for 1,000 in five months, and B without a plan."""
    parts = {
        "projects": rows(
            "project status value duration start",
            ("A", "running", 1, 5, "2027-01"),
            ("B", "running", 1, 4, "2027-01"),
            ("C", "proposed", 1, 4, None),
        ),
        "spend": rows("project offset amount", *(("A", k, 300) for k in range(5))),
        "baselines": rows(
            "project baseline set_on start duration effort cost",
            ("A", "approval", "2026-12-01", "2027-01", 5, 100, 1000),
        ),
        "actuals": rows(
            "period project role person hours amount",
            ("2027-01", "A", "Dev", "Ann", 10, None),
            ("2027-02", "A", "Dev", None, 20, None),
            ("2027-03", "A", None, None, None, 100),
            ("2027-04", "A", None, None, None, 9999),
        ),
        "people": rows(
            "person role start rate",
            ("Ann", "Dev", None, 8),
            ("Ann", "Dev", "2027-02-01", 99),
        ),
        "roles": rows("role rate", ("Dev", 10)),
        "progress": rows(
            "project as_of percent_complete rag",
            ("A", "2027-01-31", 20, "green"),
            ("A", "2027-03-31", 40, "amber"),
            ("A", "2027-04-30", 99, "green"),
        ),
        "milestones": rows(
            "project milestone as_of baseline forecast actual",
            ("A", "plan", "2027-01-31", "2027-01-31", None, "2027-01-31"),
            ("A", "build", "2027-01-31", "2027-03-15", "2027-03-15", None),
            ("A", "build", "2027-03-31", "2027-03-15", "2027-04-14", None),
            ("A", "live", "2027-03-31", "2027-05-31", "2027-05-31", None),
            ("A", "live", "2027-04-30", "2027-05-31", "2027-12-31", None),
        ),
    }
    parts.update(more)
    return pmo.Portfolio("small", horizon=pmo.make_horizon("2027-01", 12, "M"), **parts)


@pytest.fixture(scope="module")
def found():
    return pmo.status(small(), as_of="2027-03-31")


def test_indicators_worked_out_by_hand(found):
    row = found.indicators.loc["A"]
    # PV: three of five even months of 1,000. AC: 10 h of Ann at 8, 20 h of the role at
    # 10, and a bill; April is not known yet.
    assert (row["pv"], row["ev"], row["ac"], row["bac"]) == (600, 400, 380, 1000)
    assert (row["es"], row["at"], row["pd"]) == (2, 3, 5)
    assert row["cpi"] == pytest.approx(400 / 380)
    assert row["spi"] == pytest.approx(2 / 3)
    assert row["spi_t"] == pytest.approx(2 / 3)
    assert row["eac"] == pytest.approx(950)
    # 7.5 months from January: the first half of August.
    assert row["finish"] == pd.Timestamp("2027-08-16")
    assert row["reported"] == "amber"
    assert row["age_days"] == 0


def test_the_frame_has_the_columns_of_the_contract(found):
    assert list(found.table.columns) == [
        "cpi",
        "spi",
        "spi_t",
        "eac",
        "eac_p50",
        "eac_p80",
        "finish_p50",
        "finish_p80",
        "p_late",
        "p_over",
        "rag",
        "reason",
        "age_days",
    ]
    assert found.table.index.to_list() == ["A", "B"]
    assert found.table.index.name == "project"
    assert found.table.loc["A", "rag"] == "red"
    assert found.table.loc["A", "reason"].startswith("SPI(t) 0.67 (red below 0.85)")


def test_what_could_not_be_worked_out_is_named(found):
    notes = found.indicators.loc["B", "notes"]
    assert any("no baseline" in note for note in notes)
    assert any("no earned value" in note for note in notes)
    assert pd.isna(found.table.loc["B", "rag"])


def test_nothing_that_was_said_later_is_used(found):
    assert any("after 2027-03-31, not used: 1." in note for note in found.notes)
    assert found.history["as_of"].max() == DAY
    live = found.milestones.set_index("milestone").loc["live"]
    assert live["due"] == pd.Timestamp("2027-05-31")


def test_milestones_due_missed_and_slipped(found):
    stones = found.milestones.set_index("milestone")
    assert stones["state"].to_dict() == {
        "plan": "reached",
        "build": "soon",
        "live": "ahead",
    }
    assert stones["slip_days"].to_dict() == {"plan": 0, "build": 30, "live": 0}
    assert on_time_rate(found.milestones, DAY) == (1, 2)
    later = milestone_status(small(), pd.Timestamp("2027-04-20"))
    build = later.set_index("milestone").loc["build"]
    # Its day is over: it slips on, a day a day.
    assert (build["state"], build["slip_days"]) == ("overdue", 36)
    trend = milestone_trend(small(), "A")
    assert trend.loc["2027-04-30", "live"] == pd.Timestamp("2027-12-31")
    assert list(trend.columns) == ["plan", "build", "live"]
    together = milestone_trends(small())
    assert list(together) == ["A"]
    pd.testing.assert_frame_equal(together["A"], trend)


def test_in_hours(found):
    row = pmo.status(small(), as_of=DAY, unit="hours").indicators.loc["A"]
    assert (row["bac"], row["ev"], row["ac"], row["unit"]) == (100, 40, 30, "hours")


def test_what_a_report_says_itself_counts_before(found):
    told = small().progress.assign(
        planned_value=[None, 650, None],
        earned_value=[None, 500, None],
        actual_cost=[None, 450, None],
    )
    row = pmo.status(small(progress=told), as_of=DAY).indicators.loc["A"]
    assert (row["pv"], row["ev"], row["ac"]) == (650, 500, 450)


@pytest.mark.parametrize(
    ("rule", "earned"),
    [("0/100", 0), ("50/50", 500), ("milestones", 1000 / 3), ({"A": "50/50"}, 500)],
)
def test_earned_value_by_a_named_rule(rule, earned):
    row = pmo.status(small(), as_of=DAY, earned=rule).indicators.loc["A"]
    assert row["ev"] == pytest.approx(earned)


def test_what_changed_since(found):
    changes = pmo.status(small(), as_of="2027-04-30", since=DAY).changes
    by = {(r["project"], r["what"]): r for r in changes.to_dict("records")}
    assert by["A", "reported"]["after"] == "green"
    assert by["A", "cost"]["worse"]
    assert not by["A", "finish"]["worse"]
    assert "214 days later" in by["A", "milestone"]["text"]


def test_sums_count_whole_projects_and_say_how_many_are_not(found):
    table = found.by("status")
    assert table.loc["all", "not_counted"] == 1
    assert table.loc["all", "cpi"] == pytest.approx(400 / 380)
    assert table.loc["all", ["red", "amber", "green"]].to_list() == [1, 0, 0]
    with pytest.raises(ConfigError, match="no column 'colour'"):
        found.by("colour")


def test_curves_end_with_what_is_known(found):
    curve = found.curve("A")
    assert curve["pv"].to_list() == pytest.approx([200, 400, 600, 800, 1000])
    assert curve["ev"].to_list()[:3] == [200, 200, 400]
    assert curve["ev"].isna().to_list() == [False] * 3 + [True] * 2
    assert curve.loc["2027-03", "spi_t"] == pytest.approx(2 / 3)


def waiting(start: str, **more) -> pmo.Portfolio:
    """Return the small portfolio with W, promised for February, not reported on."""
    base = small()
    W = rows("project status value duration start", ("W", "running", 1, 2, start))
    plan = ("W", "approval", "2026-12-01", "2027-02", 4, 50, 600)
    promised = rows("project baseline set_on start duration effort cost", plan)
    return small(
        projects=pd.concat([base.projects[W.columns], W], ignore_index=True),
        baselines=pd.concat([base.baselines, promised], ignore_index=True),
        **more,
    )


@pytest.mark.parametrize(("day", "planned"), [("2027-01-31", 0), ("2027-03-31", 300)])
def test_what_has_not_begun_counts_with_nothing_earned(day, planned):
    found = pmo.status(waiting("2027-06"), as_of=day)
    row = found.indicators.loc["W"]
    assert row[["pv", "ev", "ac", "bac"]].to_list() == [planned, 0, 0, 600]
    sums = found.by("status").loc["all"]
    assert (sums["bac"], sums["not_counted"]) == (1600, 1)
    assert found.left_off() == ("B",)
    reason = found.table.loc["W", "reason"]
    assert reason.startswith("begins 2027-06-01")
    # With planned value behind it, it is late; before that there is no pace.
    assert (found.table.loc["W", "rag"] == "red") == (planned > 0)
    assert ("promised 2027-02-01" in reason) == (planned > 0)


@pytest.mark.parametrize("start", ["2027-02", "2027-06"])
def test_the_curve_at_the_day_is_the_headline(start):
    # With its start behind it and no report, nothing is known of W: in neither of them.
    found = pmo.status(waiting(start), as_of=DAY)
    assert ("W" in found.left_off()) == (start == "2027-02")
    curve, sums = found.curve(), found.by("status").loc["all"]
    at_day = curve.loc["2027-03", ["pv", "ev", "ac", "cpi", "spi_t"]]
    assert at_day.to_list() == pytest.approx(sums[list(at_day.index)].to_list())
    assert curve["pv"].max() == pytest.approx(sums["bac"])


def test_where_nobody_tells_costs_the_rest_adds_up():
    found = pmo.status(waiting("2027-06", actuals=None), as_of=DAY)
    sums, curve = found.by("status").loc["all"], found.curve()
    assert sums[["pv", "ev", "bac"]].to_list() == [900, 400, 1600]
    assert sums[["ac", "cpi", "eac"]].isna().all()
    assert sums["spi_t"] == pytest.approx(1000 * 2 / (1000 * 3 + 600 * 2))
    assert curve.loc["2027-03", ["pv", "ev"]].to_list() == [900, 400]
    assert curve["ac"].isna().all()
    assert curve.loc["2027-03", "spi_t"] == pytest.approx(sums["spi_t"])


@pytest.mark.parametrize(("newest", "alone"), [("2027-05-15", True), (DAY, False)])
def test_a_day_that_one_project_alone_has_reached_is_said(newest, alone):
    names = ["A", "B", "W"]
    progress = pd.DataFrame(
        {"project": names, "as_of": [DAY, newest, DAY], "percent_complete": 40}
    )
    base = waiting("2027-01", progress=progress, milestones=None)
    said = [n for n in pmo.status(base).notes if n.startswith("The day is")]
    wanted = "The day is the newest status date, of 'B' alone; all others end by "
    assert [n.startswith(f"{wanted}2027-03-31") for n in said] == [True] * alone
    named = pmo.status(base, as_of=newest)
    assert not [n for n in named.notes if n.startswith("The day is")]


def test_hours_of_a_project_that_has_not_begun_leave_it_unknown():
    early = rows(
        "period project role person hours amount", ("2027-03", "W", None, None, 3, 30)
    )
    actuals = pd.concat([small().actuals, early], ignore_index=True)
    found = pmo.status(waiting("2027-06", actuals=actuals), as_of=DAY)
    assert np.isnan(found.indicators.loc["W", "ev"])
    assert found.left_off() == ("B", "W")


def test_a_baseline_that_was_set_later_holds_from_then_on():
    plans = rows(
        "project baseline set_on start duration cost",
        ("A", "approval", "2026-12-01", "2027-01", 5, 1000),
        ("A", "replanned", "2027-03-01", "2027-01", 10, 2000),
    )
    now = pmo.status(small(baselines=plans), as_of=DAY)
    assert now.indicators.loc["A", ["baseline", "bac"]].to_list() == ["replanned", 2000]
    first = now.history.iloc[0]
    assert (first["baseline"], first["bac"]) == ("approval", 1000)


def test_spread_of_the_plan_is_stretched_over_the_baseline():
    spend = rows("project offset amount", ("A", 0, 900), ("A", 4, 100))
    row = pmo.status(small(spend=spend), as_of="2027-01-31").indicators.loc["A"]
    assert row["pv"] == pytest.approx(900)
    assert row["es"] == pytest.approx(200 / 900)


def test_rows_that_cannot_be_used_are_left_out_and_the_rest_is_worked_out():
    told = small().progress.assign(percent_complete=[20, 140, 50])
    now = pmo.status(small(progress=told), as_of=DAY)
    assert now.left_out["row"].to_list() == [1]
    assert now.left_out["rule"].to_list() == ["above_maximum"]
    assert now.indicators.loc["A", "percent_complete"] == 20
    assert now.table.loc["A", "age_days"] == 59
    broken = small(projects=small().projects.assign(duration=[0, 4, 4]))
    with pytest.raises(DataError):
        pmo.status(broken, as_of=DAY)


def test_actuals_without_a_price_are_named():
    paid = rows("period project hours", ("2027-01", "A", 10))
    row = pmo.status(small(actuals=paid), as_of=DAY).indicators.loc["A"]
    assert np.isnan(row["ac"])
    assert any("10 hours have neither amount nor rate" in n for n in row["notes"])


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"as_of": "31.3.2027"}, "is no date"),
        ({"as_of": DAY, "since": DAY}, "is not before"),
        ({"as_of": DAY, "unit": "days"}, "in money or in hours"),
        ({"as_of": DAY, "earned": "99"}, "no rule '99'"),
    ],
)
def test_questions_that_cannot_be_answered(asked, said):
    with pytest.raises(ConfigError, match=said):
        pmo.status(small(), **asked)


def test_a_portfolio_without_reports_needs_a_day():
    bare = small(progress=None, milestones=None)
    with pytest.raises(ConfigError, match="name it, --as-of"):
        pmo.status(bare)
    now = pmo.status(bare, as_of=DAY)
    assert now.table["rag"].isna().all()
    assert now.indicators.loc["A", ["pv", "ac"]].to_list() == [600, 380]


def test_the_example_tells_its_story():
    portfolio = pmo.example_portfolio()
    now = pmo.status(portfolio)
    assert f"{now.as_of:%Y-%m-%d}" == "2026-12-31"
    assert now.table["rag"].fillna("").to_dict() == {
        "CORE-MOT": "red",
        "DORA": "amber",
        "LANDING": "green",
        "BROKER": "red",
        "MDM": "amber",
        "COACH": "",
    }
    broker = now.indicators.loc["BROKER"]
    assert (broker["reported"], broker["age_days"]) == ("green", 23)
    assert now.table.loc["COACH", "reason"] == "begins 2027-01-01"
    pd.testing.assert_frame_equal(now.table, pmo.status(portfolio).table)
    assert "red" in repr(now)
    assert "<table" in now._repr_html_()


def test_edits_of_projects_show_against_an_earlier_portfolio():
    before = small()
    projects = before.projects.assign(manager="Ann", phase="Build", deadline=None)
    before = small(projects=projects)
    edited = projects.assign(manager=["Zoë", "Ann", "Ann"], phase=["Test", None, None])
    edited.loc[0, "deadline"] = "2027-06"
    dear = before.baselines.assign(cost=1500)
    after = small(projects=edited, baselines=dear)
    changes = pmo.status(after, as_of=DAY, since=before).changes
    told = changes.set_index(["project", "what"])["text"]
    assert told["A", "manager"] == "A is led by Zoë, was Ann."
    assert told["A", "phase"] == "A is in the phase Test, was Build."
    assert told["B", "phase"] == "B is in no phase named, was Build."
    assert told["A", "deadline"] == "A has to end by 2027-06-30."
    assert (
        told["A", "budget"] == "A has a budget of 1,500 of money, 500 more than it had."
    )
    same = pmo.status(after, as_of=DAY, since=after).changes
    assert same.empty


def test_spend_that_cannot_be_used_goes_for_the_whole_project():
    spend = rows(
        "project offset amount",
        *(("A", k, 300) for k in range(4)),
        ("A", 4, -300),
        ("B", 0, 50),
    )
    found = pmo.status(small(spend=spend), as_of=DAY)
    assert list(found.left_out["row"]) == [4]
    assert "does without the spend of this project" in found.left_out["fix"].iloc[0]
    assert list(found.portfolio.spend["project"]) == ["B"]
    assert found.indicators.loc["A", "bac"] == 1000


def test_rows_of_nobody_are_named():
    base = small()
    actuals = pd.concat([base.actuals, base.actuals.head(1).assign(project="X")])
    stones = pd.concat(
        [
            base.milestones,
            rows("project milestone as_of", ("X", "a", "2027-01-31")),
        ]
    )
    stones["baseline"] = stones["baseline"].where(stones["project"] != "X")
    found = pmo.status(
        small(actuals=actuals.reset_index(drop=True), milestones=stones), as_of=DAY
    )
    assert "Hours or costs of unknown projects: 'X'." in found.notes
    assert "Milestones of unknown projects: 'X'." in found.notes
    assert "Milestones without any date, not used: 1." in found.notes


def test_a_colour_alone_is_told_as_what_it_is():
    progress = rows("project as_of rag", ("B", "2027-03-31", "red"))
    found = pmo.status(small(progress=progress, milestones=None), as_of=DAY)
    assert pd.isna(found.table.loc["B", "rag"])
    assert found.table.loc["B", "reason"].endswith("only a colour is reported, red")


def test_days_of_a_running_period_count_in_proportion():
    # Told on the 10th of a month of which 300 are booked by the 30th: 100.
    told = rows("project as_of percent_complete", ("A", "2027-04-10", 20))
    booked = rows("period project amount", ("2027-04", "A", 300))
    portfolio = small(progress=told, actuals=booked)
    costs = [
        pmo.status(portfolio, as_of=day).indicators.loc["A", "ac"]
        for day in ("2027-04-10", "2027-04-30", "2027-05-31")
    ]
    assert costs == pytest.approx([300, 100, 100])


def test_cells_that_a_report_does_not_need_go_alone():
    told = small().progress.assign(actual_cost=[None, -5, None])
    now = pmo.status(small(progress=told), as_of=DAY)
    assert "does without this cell" in now.left_out["fix"].iloc[0]
    assert now.indicators.loc["A", ["percent_complete", "ac"]].to_list() == [40, 380]


@pytest.mark.parametrize(
    ("amount", "said"),
    [(-9, "more was credited than spent: no cost, no CPI"), (0, "its cost is 0")],
)
def test_a_cost_of_nothing_makes_no_index(amount, said):
    booked = rows("period project amount", ("2027-01", "A", amount))
    now = pmo.status(small(actuals=booked), as_of=DAY)
    assert now.table.loc["A", ["cpi", "eac"]].isna().all()
    assert any(said in note for note in now.indicators.loc["A", "notes"])


def test_no_more_is_earned_than_the_budget():
    told = small().progress.assign(earned_value=[None, 5000, None])
    portfolio = small(progress=told)
    now = pmo.status(portfolio, as_of=DAY).indicators.loc["A"]
    assert now["ev"] == 400
    assert any("more is said to be earned" in note for note in now["notes"])
    problems = pmo.check_portfolio(portfolio)
    row = problems[problems["rule"] == "earned_beyond_budget"].iloc[0]
    assert (row["row"], row["found"]) == (1, "5000, budget 1000")


def test_costs_to_date_that_fall_are_named():
    told = small().progress.assign(actual_cost=[400, 300, 500])
    problems = pmo.check_portfolio(small(progress=told))
    row = problems[problems["rule"] == "cost_falls"].iloc[0]
    assert (row["row"], row["found"]) == (1, "400, then 300")


def test_what_is_left_by_an_estimate_of_hours():
    told = small().progress.assign(remaining_hours=[None, 60, None])
    # 30 hours came to 380 by the day: an hour is 380 / 30.
    for unit, estimate in (("money", 380 + 60 * 380 / 30), ("hours", 30 + 60)):
        now = pmo.status(small(progress=told), as_of=DAY, unit=unit)
        assert now.indicators.loc["A", "eac_estimate"] == pytest.approx(estimate)
        assert now.by().loc["all", "eac_estimate"] == pytest.approx(estimate)


def test_a_mistyped_year_is_not_taken_for_today():
    told = pd.concat(
        [
            small().progress,
            rows("project as_of percent_complete", ("B", "2037-03-31", 9)),
        ],
        ignore_index=True,
    )
    now = pmo.status(small(progress=told))
    assert now.as_of == pd.Timestamp("2027-04-30")
    assert any("not used: 1." in note for note in now.notes)


def test_what_has_not_ended_does_not_end_in_the_past():
    later = pmo.status(small(), as_of="2029-12-31")
    told = later.ranges.dropna(subset=["finish_p50"])
    assert len(told)
    assert (told[["finish_p50", "finish_p80"]] >= later.as_of).all(axis=None)
    assert later.table.loc["A", "finish_p50"] >= later.as_of


def test_a_simulation_stands_beside_where_it_is_asked_for(tmp_path):
    file = tmp_path / "uncertainty.toml"
    file.write_text('[duration]\nkind = "pert"\nlow = 2\nmode = 2\nhigh = 2.001\n')
    # Nobody's work is planned in it: dates alone are drawn.
    now = pmo.status(small(), as_of=DAY, uncertainty=file)
    row = now.ranges.set_index(["project", "method"]).loc["A", "simulation"]
    # Five months from January, all inside the horizon, take twice as long.
    ends = {pd.Timestamp("2027-10-31"), pd.Timestamp("2027-11-30")}
    assert {row["finish_p50"], row["finish_p80"]} <= ends
    assert np.isnan(row["eac_p50"])
    assert now.indicators.loc["A", "finish_method"] != "simulation"
    assert any(note.startswith("By simulation: ") for note in now.notes)
