"""Plan: dates with everything that follows from them."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pandas as pd
import pytest

from pmo_analytics.errors import ConfigError, DataError
from pmo_analytics.evidence import SolveReport, SolveStatus, relative_gap
from pmo_analytics.plan import Plan, baseline, read_starts
from pmo_analytics.portfolio import Portfolio
from tests.support.brute_force import best_plan
from tests.support.problem_cases import HORIZON, portfolio, projects, rows
from tests.support.small_portfolios import EVERYTHING_STARTS


@pytest.fixture(scope="module")
def best(tiny) -> Plan:
    return Plan(tiny, {"A": "2027-01", "B": "2027-03"})


@pytest.fixture(scope="module")
def whole(everything) -> Plan:
    return Plan.from_starts(everything.validate(), EVERYTHING_STARTS)


# ------------------------------------------------------------------------ what it says


def test_the_best_plan_of_the_tiny_portfolio(tiny, best):
    value, starts = best_plan(tiny)
    assert best.starts == starts
    assert best.objective == pytest.approx(float(value), rel=1e-12)
    assert best.objective == pytest.approx(10 + 8 / 1.21)
    assert best.value == best.objective
    assert best.worth.to_dict() == pytest.approx({"A": 10, "B": 8 / 1.21})
    assert best.violations.empty
    assert best.inherited.empty


def test_schedule_has_start_and_finish(best, whole):
    assert best.schedule.astype(str).to_numpy().tolist() == [
        ["A", "2027-01", "2027-02"],
        ["B", "2027-03", "2027-04"],
    ]
    assert [str(d) for d in best.schedule.dtypes] == ["str", "period[M]", "period[M]"]
    erp = whole.schedule.iloc[0].astype(str).tolist()
    assert erp == ["ERP", "2026-12", "2027-03"]


def test_grids_share_index_and_columns(best, tiny):
    assert best.load["Dev"].tolist() == [2, 2, 1, 1, 0]
    pd.testing.assert_frame_equal(best.capacity, tiny.capacity)
    assert best.headroom["Dev"].tolist() == [0, 0, 1, 1, 2]
    assert best.utilization["Test"].tolist() == [0, 0.5, 1, 1, 0]
    assert (best.overload == 0).all(axis=None)
    assert best.load_rows["fte"].sum() == best.load.to_numpy().sum() == 8.5
    too_much = Plan(tiny, {"A": "2027-01", "B": "2027-02"})
    assert too_much.overload["Dev"].tolist() == [0, 1, 0, 0, 0]
    assert too_much.headroom["Test"].tolist() == [1, -0.5, 0, 1, 1]


def test_utilization_is_blank_where_there_is_nothing_and_infinite_without_people():
    case = portfolio(
        capacity=pd.DataFrame({"Dev": [0.0, 0.0, 1, 1, 1, 1]}, index=HORIZON)
    )
    used = Plan(case, {"A": "2027-01"}).utilization["Dev"]
    assert used.iloc[0] == np.inf
    assert np.isnan(used.iloc[1])
    assert used.iloc[2] == 0.0


def test_budget_says_what_is_left(whole):
    assert whole.budget.to_dict("records") == [
        {"budget": "run", "amount": 3, "at_least": pytest.approx(np.nan, nan_ok=True)}
        | {"spend": 4.0, "headroom": -1.0},
        {
            "budget": "all",
            "amount": 20,
            "at_least": 5.0,
            "spend": 12.0,
            "headroom": 8.0,
        },
        {"budget": "blue", "amount": 6, "at_least": pytest.approx(np.nan, nan_ok=True)}
        | {"spend": 6.0, "headroom": 0.0},
    ]
    assert whole.spend["amount"].tolist() == [4.0, 6.0, 2.0]


def test_objective_counts_value_benefits_and_spend(whole):
    d = 1.01
    crm = 30 / d**3 + 10 / d**6 + 10 / d**12 - 6 / d**3
    app = 25 / d**4 + 3 / d**6 - 2 / d**5
    erp = 50 - 4 - 4 / d
    rest = 20 / d + 10 / d + 15 / d**2
    assert whole.objective == pytest.approx(crm + app + erp + rest, rel=1e-12)
    assert whole.worth["CRM"] == pytest.approx(crm)
    spent = 4 + 4 / d + 6 / d**3 + 2 / d**5
    assert whole.value - whole.objective == pytest.approx(spent)


def test_inherited_limits_are_listed_and_strict_makes_them_violations(
    everything, whole
):
    assert whole.inherited["subject"].tolist() == ["run"]
    assert whole.violations.empty
    strict = Plan.from_starts(everything.validate(), EVERYTHING_STARTS, strict=True)
    assert strict.inherited.empty
    assert strict.violations["subject"].tolist() == ["run"]


def test_projects_name_the_decision_on_each(everything):
    plan = Plan.from_starts(
        everything.validate(),
        {k: s for k, s in EVERYTHING_STARTS.items() if k != "CRM"},
    )
    table = plan.projects.set_index("project")
    assert table["decision"].to_dict() == {
        "ERP": "selected",
        "LAW": "selected",
        "NET": "selected",
        "NEW": "selected",
        "CRM": "not selected",
        "APP": "selected",
        "OLD": "done",
        "NIX": "out",
        "OUT": "out",
    }
    assert table.at["ERP", "moved"] == 0
    assert pd.isna(table.at["NET", "moved"])
    assert pd.isna(table.at["CRM", "start"])
    assert np.isnan(table.at["CRM", "worth"])
    assert str(table.at["LAW", "planned_start"]) == "2027-02"
    moved = Plan(everything, {"LAW": "2027-04"}).projects.set_index("project")
    assert moved.at["LAW", "moved"] == 2


def test_summary_in_a_few_lines(best, whole):
    facts = best.summary()
    assert facts["objective"] == 16.61
    assert facts["projects selected"] == "2 of 3"
    assert facts["last finish"] == "2027-04"
    assert facts["peak utilization"] == "100.00% (Dev, 2027-01)"
    assert (facts["violations"], facts["inherited limits"]) == (0, 0)
    assert "status" not in facts
    assert whole.summary()["projects selected"] == "6 of 6"
    assert whole.summary()["spend in horizon"] == 12.0
    report = SolveReport(
        SolveStatus.FEASIBLE, objective=16.0, bound=20.0, certified_bound=21.0
    )
    facts = Plan(best.portfolio, best.schedule, report=report).summary()
    assert facts["status"] == "feasible"
    assert facts["gap"] == "25.00%"
    assert facts["certified bound"] == 21.0


def test_an_empty_plan_has_every_table(tiny):
    plan = Plan(tiny, {})
    assert plan.objective == 0.0
    assert plan.schedule.empty
    assert plan.load.to_numpy().sum() == 0
    assert plan.load_rows.empty
    assert plan.spend.empty
    assert plan.budget.empty
    assert plan.violations.empty
    assert plan.projects["decision"].tolist() == ["not selected"] * 3
    assert "last finish" not in plan.summary()
    assert "<Plan>" in repr(plan)


def test_a_plan_of_people_without_projects():
    case = Portfolio(horizon=HORIZON, people=rows("person role", ("Ann", "Dev")))
    plan = Plan(case, {})
    assert plan.projects.empty
    assert plan.headroom.equals(plan.capacity)
    assert plan.summary()["projects selected"] == "0 of 0"


def test_plans_travel(whole):
    again = pickle.loads(pickle.dumps(whole))
    assert again.starts == whole.starts
    assert again.objective == whole.objective
    pd.testing.assert_frame_equal(again.load, whole.load)


# ---------------------------------------------------------------------- how it is read


@pytest.mark.parametrize(
    "schedule",
    [
        {"B": "2027-03", "A": "2027-01"},
        {"A": pd.Period("2027-01", "M"), "B": pd.Timestamp("2027-03-15")},
        pd.DataFrame({"project": ["B", "A"], "start": ["2027-03", "2027-01-31"]}),
        pd.DataFrame(
            {
                "project": [" B ", "A"],
                "start": pd.PeriodIndex(["2027-03", "2027-01"], freq="M"),
                "finish": ["never", "mind"],
            }
        ),
    ],
)
def test_schedules_in_several_forms(tiny, schedule):
    plan = Plan(tiny, schedule)
    assert plan.starts == {"A": 0, "B": 2}
    assert list(plan.starts) == ["A", "B"]
    assert Plan(tiny, plan.schedule).starts == plan.starts


def test_ids_that_are_numbers(tiny):
    numbers = tiny.projects.assign(project=[1, 2, 3])
    case = tiny.replace(projects=numbers, demand=None)
    assert Plan(case, {1: "2027-01", 2.0: "2027-02"}).starts == {"1": 0, "2": 1}


@pytest.mark.parametrize(
    ("schedule", "rule", "message"),
    [
        ({"AB": "2027-01"}, "unknown_project", "No such project"),
        ({None: "2027-01"}, "unknown_project", "No such project"),
        ({"A": "soon"}, "not_a_period", "'soon' is not a period"),
        ({"A": "2027"}, "not_a_period", "coarser"),
        ({"A": None}, "not_a_period", "missing"),
        ({"A": pd.NaT}, "not_a_period", "missing"),
        ({"A": float("nan")}, "not_a_period", "not a period"),
        (
            pd.DataFrame({"project": ["A", "A"], "start": ["2027-01"] * 2}),
            "duplicate_key",
            "'A' is scheduled twice",
        ),
        (
            pd.DataFrame({"project": ["A"]}),
            "missing_column",
            "columns project and start",
        ),
    ],
)
def test_schedules_that_cannot_be_read(tiny, schedule, rule, message):
    with pytest.raises(DataError, match=message) as error:
        Plan(tiny, schedule)
    assert error.value.problems["rule"].tolist() == [rule]
    assert set(error.value.problems["table"]) == {"schedule"}


def test_all_bad_rows_are_named_at_once(tiny):
    schedule = pd.DataFrame(
        {"project": ["A", "X", "B"], "start": ["?", "2027-01", "2027-01"]},
        index=[5, 6, 7],
    )
    with pytest.raises(DataError, match="2 errors") as error:
        read_starts(tiny, schedule)
    assert error.value.problems["row"].tolist() == [5, 6]


def test_a_plan_needs_valid_data_and_not_a_feasible_schedule(tiny):
    broken = tiny.snapshot()
    broken.projects["duration"] = 0
    with pytest.raises(DataError, match="below_minimum"):
        Plan(broken, {})
    assert len(Plan(tiny, {"A": "2031-01"}).violations) == 1


# ---------------------------------------------------------------------------- baseline


def test_baseline_takes_every_live_project_with_a_start(everything):
    assert baseline(everything).starts == {"ERP": -1, "LAW": 1}
    assert baseline(everything, status=["running"]).starts == {"ERP": -1}
    assert baseline(everything, status="approved").starts == {"LAW": 1}
    assert baseline(everything, status=[]).starts == {}
    dated = everything.snapshot()
    dated.projects["start"] = pd.PeriodIndex(["2027-02"] * 9, freq="M")
    assert set(baseline(dated).starts) == set(EVERYTHING_STARTS)
    # The baseline says what is planned, also where it breaks rules.
    assert "must_be_selected" in set(baseline(everything).violations["rule"])


def test_baseline_refuses_unknown_words_and_broken_data():
    with pytest.raises(ConfigError, match=r"'runing' \(did you mean 'running'\?\)"):
        baseline(portfolio(), status=["runing"])
    with pytest.raises(DataError, match="running_without_start"):
        baseline(portfolio(projects=projects(status=["running", None])))


# ---------------------------------------------------------------------------- evidence


@pytest.mark.parametrize(
    ("objective", "bound", "gap"),
    [
        (100.0, 110.0, 0.1),
        (-100.0, -90.0, 0.1),
        (100.0, 100.0, 0.0),
        (100.0, 99.0, 0.0),
        (0.0, 0.0, 0.0),
        (0.0, 1.0, float("inf")),
        (1e6, 1e6 + 1e-7, 0.0),
    ],
)
def test_the_gap_is_relative_to_the_objective(objective, bound, gap):
    assert relative_gap(objective, bound) == pytest.approx(gap)
    report = SolveReport(SolveStatus.FEASIBLE, objective=objective, bound=bound)
    assert report.gap == pytest.approx(gap)


def test_a_report_is_ready_for_json():
    report = SolveReport(
        SolveStatus.OPTIMAL,
        objective=1.0,
        bound=1.0,
        attempts=[{"solver": "highs", "seconds": 0.1}],
        certificate={"format": 1},
    )
    facts = json.loads(json.dumps(report.to_dict()))
    assert facts["status"] == "optimal"
    assert facts["gap"] == 0.0
    assert facts["attempts"] == [{"solver": "highs", "seconds": 0.1}]
    assert "certificate" not in facts
    assert SolveReport(SolveStatus.NO_SOLUTION).gap is None
