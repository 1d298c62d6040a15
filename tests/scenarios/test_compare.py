"""compare: deltas by hand, the same tables everywhere, resumed, shared, interrupted."""

from __future__ import annotations

import json
from dataclasses import replace

import pandas as pd
import pytest

import pmo_analytics as pmo
from pmo_analytics.errors import ConfigError
from pmo_analytics.optimization import Resolved
from pmo_analytics.scenarios import comparing as room
from pmo_analytics.scenarios.answer import Kept, Terms
from pmo_analytics.scenarios.comparison import COLUMNS
from tests.support import clusters
from tests.support.counts import ALL
from tests.support.small_portfolios import tiny_portfolio

pytestmark = pytest.mark.usefixtures("warm_module")

# Enough for these sizes to be solved to the end, and no clock to differ by.
LIMITS = pmo.SolveLimits(seconds=600, work=100_000)
SCENARIOS = [
    pmo.Scenario("one more", pmo.add_capacity("Dev", fte=1)),
    pmo.Scenario("C is dear", pmo.change_value("C", factor=10)),
    pmo.Scenario("A in May", pmo.require("A", start="2027-05")),
    pmo.Scenario("all in", pmo.require(["A", "B", "C"])),
    pmo.Scenario("less of C", pmo.change_demand(0.5, "C"), parent="one more"),
]


@pytest.fixture(scope="module")
def comparison():
    return pmo.compare(tiny_portfolio(), SCENARIOS, limits=LIMITS, workers=1)


@pytest.fixture(scope="module")
def middle():
    return pmo.generate_portfolio(*((10, 3, 8) if ALL else (8, 2, 8)), seed=2)


MIDDLE = [
    pmo.Scenario("more", pmo.scale_capacity(1.3)),
    pmo.Scenario("less", pmo.scale_capacity(0.7)),
    pmo.Scenario("longer", pmo.scale_duration(1.5)),
]


def test_what_each_scenario_changes_by_hand(comparison):
    """Base: A in January, B in March: 10 + 8 / 1.21.

    One more Dev: from March B and C fit side by side (1 + 2 of 3), after A: 10 +
    (8 + 5) / 1.21. Nothing beside A in January: C needs 2 of the 1 left, and B clashes
    with A at Test in February.
    """
    table = comparison.table.set_index("scenario")
    assert list(comparison.table.columns[: len(COLUMNS)]) == COLUMNS
    base = 10 + 8 / 1.21
    assert table["objective"]["base"] == pytest.approx(base)
    more = 10 + (8 + 5) / 1.21
    assert table["objective"]["one more"] == pytest.approx(more)
    assert table["objective_delta"]["one more"] == pytest.approx(more - base)
    assert table["delta_low"]["one more"] == pytest.approx(more - base, abs=1e-4)
    assert table["delta_high"]["one more"] == pytest.approx(more - base, abs=1e-4)
    assert table["effect"]["one more"] == "better"
    assert table["entering"]["one more"] == "C"
    assert table["leaving"]["one more"] == ""
    assert table["moved"]["one more"] == ""
    assert table["moved"]["C is dear"] == "A"
    assert table["leaving"]["C is dear"] == "B"
    # C alone: 50; A or B beside it from April: 50 + 10 / 1.331.
    assert table["objective"]["C is dear"] == pytest.approx(50 + 10 / 1.331)
    assert table["status"]["A in May"] == "infeasible"
    assert "'A' is forced in but lasts 2 periods" in table["reason"]["A in May"]
    assert pd.isna(table["objective"]["A in May"])
    assert table["status"]["all in"] == "infeasible"
    assert "Dev is short of" in table["reason"]["all in"]


def test_a_difference_inside_the_gaps_is_noise(comparison):
    base = comparison.plans["base"]
    report = pmo.SolveReport(
        **{
            **{k: getattr(base.report, k) for k in base.report.__dataclass_fields__},
            "bound": 18.0,
        }
    )
    loose = pmo.Plan.from_starts(base.portfolio, base.starts, report=report)
    extra = pmo.Scenario("a little", pmo.change_value("B", factor=1.05))
    result = pmo.compare(
        tiny_portfolio(), [extra], limits=LIMITS, base=loose, workers=1
    )
    row = result.table.iloc[1]
    assert row["objective_delta"] == pytest.approx(0.4 / 1.21)
    assert row["delta_low"] == pytest.approx(10 + 8.4 / 1.21 - 18.0)
    assert row["effect"] == "noise"
    assert "no difference that these gaps can show" in result.sentences()[1]


def test_a_child_adds_to_its_parent(comparison):
    child = comparison.portfolios["less of C"]
    assert child.capacity["Dev"].iat[0] == 3.0
    # C needs 1 Dev and fits beside A in January.
    assert comparison.plans["less of C"].objective == pytest.approx(10 + 5 + 8 / 1.21)


def test_changes_and_core_say_who_moves(comparison):
    changes = comparison.changes.set_index(["scenario", "project"])
    row = changes.loc[("C is dear", "A")]
    assert (row["change"], str(row["base_start"]), str(row["start"])) == (
        "moved",
        "2027-01",
        "2027-04",
    )
    assert row["periods"] == 3
    core = comparison.core.set_index("project")
    assert core["plans"].eq(4).all()
    assert core["chosen"].to_dict() == {"A": 4, "B": 3, "C": 3}


def test_sentences_can_be_read_aloud(comparison):
    text = comparison.sentences()
    assert text[0] == "The base is worth 17 with 2 projects, at most 17."
    assert text[1] == "'one more' adds 4 (between +4 and +4); 'C' enters."
    assert text[2].endswith("'C' enters; 'B' leaves; 'A' moves.")
    assert text[3].startswith("'A in May' has no plan.")
    assert "one more" in repr(comparison)
    assert "<table" in comparison._repr_html_()


def tables(result):
    parts = (result.table, result.changes, result.core, result.budget)
    return [part.to_csv(index=False) for part in parts]


def test_serial_processes_and_cluster_give_identical_tables(middle):
    limits = pmo.SolveLimits(seconds=600, work=1)
    here = pmo.compare(middle, MIDDLE, limits=limits, workers=1)
    apart = pmo.compare(middle, MIDDLE, limits=limits, workers=2)
    assert tables(apart) == tables(here)
    if clusters.missing():
        pytest.skip(clusters.missing())
    with clusters.cluster() as started:
        # Two workers, then one: killed in the middle, its task is done by the other.
        told = []

        def kill_one(finished):
            if finished.scenario != "base" and len(told) == 1:
                started.workers[0].kill()
            told.append(finished.scenario)

        far = pmo.compare(
            middle, MIDDLE, limits=limits, cluster=started.address, on_done=kill_one
        )
        assert started.workers[0].wait(timeout=60) != 0
    assert tables(far) == tables(here)
    assert sorted(told) == sorted(["base", *(s.name for s in MIDDLE)])


def test_finished_scenarios_are_kept_and_resumed(comparison, tmp_path, monkeypatch):
    solve = room.solve
    solved = []

    def counting(portfolio, *args, **options):
        solved.append(portfolio.name)
        if len(solved) == 3:
            raise KeyboardInterrupt
        return solve(portfolio, *args, **options)

    monkeypatch.setattr(room, "solve", counting)
    half = pmo.compare(
        tiny_portfolio(), SCENARIOS, limits=LIMITS, workers=1, keep=tmp_path
    )
    assert half.failed == ["C is dear", "all in", "less of C"]
    assert "stopped before it was solved" in half.table["reason"].iat[2]
    rest = pmo.compare(
        tiny_portfolio(), SCENARIOS, limits=LIMITS, workers=1, keep=tmp_path
    )
    assert len(solved) == 3 + 3, "the base and the first scenario are not solved again"
    assert tables(rest) == tables(comparison)


FORGED = [
    {"report": {"objective": 99.0}},
    {"report": {"bound": 18.0, "certificate": {}}},
    {"report": {"bound": 99.0, "status": "feasible"}},
    {"report": {"certified_bound": 17.0, "attempts": "none"}},
    {"report": {"certificate": {"format": 3, "branches": "[["}}},
    {"status": "infeasible", "message": "It cannot be done.", "starts": None},
    {"starts": {"A": 0}},
    {"starts": [1]},
    {"report": None},
    {"message": "Nobody knows."},
]


def test_of_a_kept_answer_that_was_edited_only_what_is_proved_counts(tmp_path):
    portfolio = tiny_portfolio().validate()
    pmo.compare(portfolio, [], limits=LIMITS, workers=1, keep=tmp_path)
    (file,) = tmp_path.glob("*.json")
    kept, text = Kept(tmp_path), file.read_text()
    known = kept.load(file.stem, portfolio, Terms(LIMITS))
    assert (known.status, known.message) == ("optimal", "")
    best = pytest.approx(10 + 8 / 1.21)
    for forged in FORGED:
        content = {**json.loads(text), **forged}
        if forged.get("report"):
            content["report"] = {**json.loads(text)["report"], **forged["report"]}
        file.write_text(json.dumps(content))
        answer = kept.load(file.stem, portfolio, Terms(LIMITS))
        if answer is not None:
            facts = answer.report
            assert (answer.status, answer.message) == ("optimal", ""), forged
            assert (facts.objective, facts.bound) == (best, best), forged
    file.write_text("[" * 100_000)
    assert kept.load(file.stem, portfolio, Terms(LIMITS)) is None
    (tmp_path / "notes.txt").write_text("mine")
    kept.clear()
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_better_plan_of_another_scenario_is_taken(monkeypatch):
    """A base that stopped early cannot be worse than itself with less to choose."""
    portfolio = tiny_portfolio()
    solve = room.solve

    def lazy(portfolio, *args, **options):
        answer = solve(portfolio, *args, **options)
        if "C" not in portfolio.projects.query("force == 'out'")["project"].tolist():
            status = pmo.SolveStatus.FEASIBLE
            report = replace(answer.report, objective=10.0, status=status)
            return Resolved({"A": 0}, None, report, "feasible")
        return answer

    monkeypatch.setattr(room, "solve", lazy)
    less = pmo.Scenario("without C", pmo.exclude("C"))
    result = pmo.compare(portfolio, [less], limits=LIMITS, workers=1)
    table = result.table
    assert table["objective"].tolist() == pytest.approx([10 + 8 / 1.21] * 2)
    assert table["objective_delta"].iat[1] == 0.0
    attempts = result.plans["base"].report.attempts
    assert attempts[-1]["solver"] == "plan of 'without C'"


def test_a_candidate_without_a_start_is_kept_out():
    portfolio = pmo.change_project("C", deadline="2027-04")(tiny_portfolio())
    late = pmo.Scenario("longer", pmo.scale_duration(2, project="C"))
    result = pmo.compare(portfolio, [late], limits=LIMITS, workers=1)
    assert result.table["status"].iat[1] == "optimal"
    longer = result.portfolios["longer"].projects.set_index("project")
    assert longer.at["C", "force_reason"] == "no start left in this scenario"


def test_a_base_without_a_plan_is_a_row_too():
    portfolio = pmo.require(["A", "B", "C"])(tiny_portfolio())
    cure = pmo.Scenario("without B", pmo.exclude("B"))
    result = pmo.compare(portfolio, [cure], limits=LIMITS, workers=1)
    assert result.table["status"].tolist() == ["infeasible", "optimal"]
    assert pd.isna(result.table["objective_delta"].iat[1])
    assert result.failed == []


def test_a_base_of_another_portfolio_is_refused(comparison):
    base = comparison.plans["one more"]
    with pytest.raises(ConfigError, match="plan of another portfolio"):
        pmo.compare(tiny_portfolio(), [], base=base)
    with pytest.raises(ConfigError, match="plan of `optimize`"):
        pmo.compare(tiny_portfolio(), [], base=pmo.baseline(tiny_portfolio()))


def test_scenarios_buy_capacity(tmp_path):
    offer = {"role": "Dev", "kind": "overtime", "start": "2027-01", "end": "2027-05"}
    flex = pd.DataFrame([{**offer, "fte_max": 2.0, "rate": 0.001}])
    portfolio = tiny_portfolio().replace(flex=flex)
    few = pmo.Scenario("without C", pmo.exclude("C"))
    asked = {"limits": LIMITS, "workers": 1, "flex": True, "keep": tmp_path}
    result = pmo.compare(portfolio, [few], **asked)
    alone = pmo.optimize(portfolio, limits=LIMITS, flex=True)
    assert result.table["objective"].iat[0] == pytest.approx(alone.objective)
    assert result.plans["base"].purchases["fte"].sum() > 0
    assert result.table["status"].tolist() == ["optimal", "optimal"]
    # Kept answers are taken up again with what they buy, and without flex they are not.
    again = pmo.compare(portfolio, [few], **asked)
    pd.testing.assert_frame_equal(again.table, result.table)
    bought = again.plans["base"].purchases
    pd.testing.assert_frame_equal(bought, result.plans["base"].purchases)
    plain = pmo.compare(portfolio, [few], **{**asked, "flex": False})
    assert not plain.plans["base"].buys


def test_scenarios_are_held_against_the_plan_of_record():
    record = pmo.Record({"C": "2027-01"}, freeze=1, change_price=0.25)
    more = pmo.Scenario("one more", pmo.add_capacity("Dev", fte=1))
    result = pmo.compare(tiny_portfolio(), [more], limits=LIMITS, record=record)
    alone = pmo.optimize(tiny_portfolio(), limits=LIMITS, record=record)
    assert result.table["objective"].iat[0] == pytest.approx(alone.objective)
    for plan in result.plans.values():
        assert plan.starts["C"] == 0
        assert plan.change_cost == pytest.approx(0.25 * (len(plan.starts) - 1))


def test_scenarios_end_early_where_that_costs_nothing():
    flat = tiny_portfolio().replace(discount=0.0)
    more = pmo.Scenario("ample", pmo.add_capacity("Dev", fte=9))
    then = ("earliest_finish",)
    result = pmo.compare(flat, [more], limits=LIMITS, workers=1, then=then)
    assert result.plans["ample"].starts["C"] == 0
    assert [s["stage"] for s in result.plans["ample"].report.stages][1:] == [*then]
    with pytest.raises(ConfigError):
        pmo.compare(flat, [more], then=("fewest_changes",))
