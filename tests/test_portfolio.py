"""Portfolio: reading, editing, replacing, and what counts as an edit."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pandas as pd
import pytest

from pmo_analytics.clock.periods import Settings, make_horizon
from pmo_analytics.errors import (
    ConfigError,
    DataError,
    has_errors,
    problem,
    problems_table,
)
from pmo_analytics.optimization.checker.check import check_plan
from pmo_analytics.plan import Plan, baseline
from pmo_analytics.portfolio import Portfolio, check_portfolio
from pmo_analytics.rules import find_violations
from pmo_analytics.rules.workload import limits, load_grid
from pmo_analytics.tables import TABLES, empty_table, frame_content
from pmo_analytics.tables.problems import locate
from tests.support.instances_random import drawn
from tests.support.problem_cases import HORIZON, capacity, portfolio, projects, rows
from tests.support.small_portfolios import EVERYTHING_STARTS

UNREADABLE = pd.DataFrame(
    {
        "project": ["A", "B"],
        "value": ["abc", 1.0],
        "duration": [2, 3],
        "status": ["proposed", "runing"],
    },
    index=[10, 11],
)


def rules(case: Portfolio) -> list[tuple]:
    table = case.check()
    return list(zip(table["rule"], table["row"], table["column"], strict=True))


# ------------------------------------------------------------------------- the object


def test_tables_are_attributes_with_all_their_columns(everything):
    assert set(everything.tables) == set(TABLES)
    for name, spec in TABLES.items():
        frame = getattr(everything, name)
        assert frame is everything.tables[name]
        assert list(frame.columns) == list(spec.columns)
        assert len(frame) > 0
        assert name in dir(everything)
    assert {t: list(empty_table(t, "M").columns) for t in TABLES} == {
        t: list(f.columns) for t, f in everything.tables.items()
    }


def test_a_portfolio_is_frozen_but_its_rows_are_not(tiny):
    with pytest.raises(AttributeError, match=r"use portfolio.replace\(projects=...\)"):
        tiny.projects = projects()
    with pytest.raises(
        AttributeError, match=r"'projets' \(did you mean 'projects'\?\)"
    ):
        _ = tiny.projets
    copied = tiny.snapshot()
    copied.projects.loc[0, "value"] = 99.0
    assert copied.projects["value"].iloc[0] == 99.0
    assert tiny.projects["value"].iloc[0] == 10.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"peple": None}, r"no table 'peple' \(did you mean 'people'\?\)"),
        ({"horizon": ["2027-01"]}, "horizon must be a PeriodIndex"),
        ({"horizon": HORIZON[:0]}, "at least one period"),
        ({"horizon": HORIZON[[0, 2]]}, "contiguous"),
        ({"horizon": HORIZON[::-1]}, "contiguous"),
        ({"settings": Settings(discount=float("nan"))}, "discount is nan"),
        ({"settings": Settings(discount=-1.0)}, "discount is -1.0"),
        ({"settings": Settings(source="values")}, "did you mean 'value'"),
        ({"settings": Settings(hours_per_week=0)}, "between 0 and 168"),
        ({"settings": Settings(hours_per_week=200)}, "between 0 and 168"),
    ],
)
def test_what_a_portfolio_cannot_be_made_of(arguments, message):
    with pytest.raises(ConfigError, match=message):
        Portfolio(**{"horizon": HORIZON, **arguments})


def test_settings_at_the_edge_of_what_is_allowed():
    for settings in (
        Settings(discount=-0.99),
        Settings(discount=10.0),
        Settings(hours_per_week=168.0),
    ):
        assert Portfolio(horizon=HORIZON, settings=settings).settings == settings


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, "pickle"])
def test_copies_are_equal_and_frozen(everything, copied):
    again = (
        pickle.loads(pickle.dumps(everything))
        if copied == "pickle"
        else copied(everything)
    )
    assert again.digest() == everything.digest()
    assert again.check().equals(everything.check())
    pd.testing.assert_frame_equal(again.capacity, everything.capacity)
    with pytest.raises(AttributeError, match="frozen"):
        again.name = "x"
    if copied != copy.copy:
        again.projects.loc[0, "value"] = -1.0
        assert everything.projects.loc[0, "value"] == 50.0


def test_names_are_escaped_where_html_is_shown():
    nasty = "<script>alert('x')</script> & Co"
    case = portfolio(projects=projects(name=[nasty, nasty])).replace(name=nasty)
    html = case._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "&amp; Co" in html
    assert nasty in repr(case)
    plan = Plan(case, {"A": "2027-01"})
    assert "<script>" not in plan._repr_html_()
    assert "&lt;script&gt;" in plan._repr_html_()


def test_summary_counts(everything):
    facts = everything.summary()
    assert facts["projects"] == 9
    assert facts["  running"] == 2
    assert facts["roles"] == 2
    assert facts["people"] == 2
    assert facts["groups"] == 2
    assert facts["horizon"] == "2027-01 .. 2027-06 (6 M)"
    # Dev has 2.75 three times and 3 three times, Test comes on top.
    mean = 2.875 + everything.capacity["Test"].mean()
    assert facts["mean capacity, FTE"] == round(mean, 2)
    assert Portfolio(horizon=HORIZON).summary()["mean capacity, FTE"] == 0.0


# ---------------------------------------------------------------- nothing is mutated


@pytest.mark.parametrize(
    "call",
    [
        lambda p: p.check(),
        lambda p: p.validate(),
        lambda p: p.snapshot(),
        lambda p: p.replace(discount=0.5, projects=p.projects.iloc[:2]),
        lambda p: p.replace(capacity=p.capacity * 2),
        lambda p: p.filter(theme="R"),
        lambda p: (p.summary(), repr(p), p._repr_html_(), p.digest()),
        check_portfolio,
        baseline,
        lambda p: Plan(p, {k: HORIZON[0] + s for k, s in EVERYTHING_STARTS.items()}),
        lambda p: find_violations(p, EVERYTHING_STARTS),
        lambda p: limits(p, strict=True),
        lambda p: load_grid(p, EVERYTHING_STARTS),
        lambda p: check_plan(p, baseline(p).schedule),
        lambda p: p.given_capacity,
    ],
)
def test_public_calls_leave_their_portfolio_alone(everything, call):
    def state() -> tuple:
        frames = (*everything.tables.values(), everything.capacity)
        return (
            everything.digest(),
            list(map(frame_content, frames)),
            [id(f) for f in frames],
        )

    before = state()
    call(everything)
    assert state() == before


def test_frames_given_to_a_portfolio_stay_theirs(everything):
    frames = {name: f.copy() for name, f in everything.tables.items()}
    grid = everything.given_capacity.copy()
    kept = copy.deepcopy((frames, grid))
    case = Portfolio(
        horizon=everything.horizon,
        settings=everything.settings,
        capacity=grid,
        **frames,
    )
    for frame in case.tables.values():
        frame.iloc[0] = frame.iloc[0]
        frame[frame.columns[0]] = None
    case.capacity.iloc[:] = 0.0
    for name, frame in frames.items():
        pd.testing.assert_frame_equal(frame, kept[0][name])
    pd.testing.assert_frame_equal(grid, kept[1])


# ---------------------------------------------------------------------------- replace


def test_replacing_with_the_same_is_the_same(everything):
    digest = everything.digest()
    assert everything.replace().digest() == digest
    assert everything.snapshot().snapshot().digest() == digest
    assert everything.replace(**everything.tables).digest() == digest
    assert everything.replace(capacity=everything.capacity).digest() == digest
    assert everything.replace(capacity=everything.capacity.copy()).digest() == digest
    same = everything.replace(settings=everything.settings, name=everything.name)
    assert same.digest() == digest
    again = everything.replace(horizon=everything.horizon, discount=0.01)
    assert again.digest() == digest


@pytest.mark.parametrize("seed", range(6))
def test_replacing_random_portfolios_with_the_same_is_the_same(seed):
    case = drawn(seed)
    same = case.replace(capacity=case.capacity, **case.tables)
    assert same.digest() == case.digest()
    pd.testing.assert_frame_equal(same.capacity, case.capacity)
    for name, frame in case.tables.items():
        pd.testing.assert_frame_equal(same.tables[name], frame)


def test_every_change_changes_the_digest(everything):
    digests = {everything.digest()}
    changed = [
        everything.replace(name="x"),
        everything.replace(discount=0.02),
        everything.replace(net_of_spend=False),
        everything.replace(horizon=everything.horizon[:5]),
        everything.replace(capacity=everything.capacity + 1),
        *(
            everything.replace(**{table: frame.iloc[1:]})
            for table, frame in everything.tables.items()
        ),
    ]
    digests |= {case.digest() for case in changed}
    assert len(digests) == len(changed) + 1


def test_the_digest_depends_on_the_data_only(tiny):
    long = tiny.replace(horizon=make_horizon("2027-01", 200, "M"))
    digest = long.digest()
    with pd.option_context("display.max_seq_items", 5, "display.precision", 1):
        assert long.digest() == digest
    assert frame_content(pd.DataFrame({"index": [1], "level_0": [2]})) == frame_content(
        pd.DataFrame({"index": [1], "level_0": [2]})
    )
    lists = pd.DataFrame({"own": [[1, 2]]})
    assert frame_content(lists) != frame_content(pd.DataFrame({"own": [[1, 3]]}))


def test_settings_are_replaced_by_name(tiny):
    case = tiny.replace(discount=0.0, currency="EUR", hours_per_week=35.0)
    assert case.settings == Settings(currency="EUR", hours_per_week=35.0)
    whole = tiny.replace(settings=Settings(source="value"), discount=0.2)
    assert whole.settings == Settings(source="value", discount=0.2)
    with pytest.raises(ConfigError, match="discount is 99"):
        tiny.replace(discount=99.0)


def test_what_cannot_be_replaced(tiny):
    with pytest.raises(ConfigError, match=r"'projcts' \(did you mean 'projects'\?\)"):
        tiny.replace(projcts=None)
    with pytest.raises(ConfigError, match=r"frequency of a portfolio .*M -> Q-DEC"):
        tiny.replace(horizon=make_horizon("2027Q1", 3, "Q"))
    with pytest.raises(ConfigError, match="horizon must be a PeriodIndex"):
        tiny.replace(horizon="2027-01")
    wrong = tiny.capacity.astype(object)
    wrong.iloc[0, 0] = "many"
    with pytest.raises(DataError, match=r"2027-01, column Dev \(found: many\)"):
        tiny.replace(capacity=wrong)


def test_the_horizon_moves_and_capacity_with_it(everything):
    shifted = everything.replace(horizon=make_horizon("2027-03", 6, "M"))
    assert shifted.capacity["Dev"].isna().tolist() == [False] * 4 + [True] * 2
    assert shifted.capacity["Dev"].iloc[0] == 2.75
    common = everything.capacity.index[2:]
    pd.testing.assert_series_equal(
        shifted.capacity.loc[common, "Test"], everything.capacity.loc[common, "Test"]
    )


# ------------------------------------------------------------- cells that were not read


def test_unreadable_cells_stop_the_portfolio_and_all_its_copies():
    case = portfolio(projects=UNREADABLE)
    expected = {("not_a_number", 10, "value"), ("not_a_choice", 11, "status")}
    for copied in (
        case,
        case.replace(name="x"),
        case.snapshot().snapshot(),
        case.replace(capacity=capacity() * 2),
        case.filter(project=["A", "B"]),
        copy.deepcopy(case),
    ):
        assert set(rules(copied)) == expected
        with pytest.raises(DataError, match="not_a_choice"):
            copied.validate()
    assert set(rules(case.filter(project="B"))) == {("not_a_choice", 11, "status")}


def test_unreadable_cells_can_be_mended_in_place_or_replaced():
    case = portfolio(projects=UNREADABLE)
    case.projects.loc[10, "value"] = 3.0
    assert set(rules(case)) == {("not_a_choice", 11, "status")}
    case.projects.loc[11, "status"] = "running"
    assert {r[0] for r in rules(case)} == {"running_without_start"}
    assert rules(portfolio(projects=UNREADABLE).replace(projects=projects())) == []


def test_a_missing_column_is_said_until_it_is_filled():
    demand = rows("project role fte", ("A", "Dev", 1.0), ("B", "Dev", 1.0))
    case = portfolio(demand=demand)
    assert rules(case) == [("missing_column", None, "offset")]
    assert rules(case.snapshot()) == [("missing_column", None, "offset")]
    case.demand["offset"] = 0
    assert rules(case) == []
    assert rules(case.snapshot()) == []


def test_notes_on_columns_are_made_once_per_table():
    case = portfolio(projects=projects(owner=["x", "y"], erliest=[None, None]))
    expected = [
        ("misspelled_column", None, "erliest"),
        ("extra_column", None, "owner"),
    ]
    assert rules(case) == expected
    assert rules(case.snapshot().snapshot()) == expected


def test_problems_of_capacity_stay_until_it_is_replaced():
    long = rows(
        "period role fte",
        *((p, "Dev", "x" if k == 2 else 2) for k, p in enumerate(HORIZON)),
    )
    case = portfolio(capacity=long)
    assert ("not_a_number", 52, "fte") in rules(case)
    assert ("not_a_number", 52, "fte") in rules(case.replace(name="x"))
    assert rules(case.replace(capacity=capacity())) == []
    wide = capacity().astype(object)
    wide.iloc[2, 0] = "x"
    case = portfolio(capacity=wide)
    assert ("not_a_number", "2027-03", "Dev") in rules(case.snapshot())
    case.capacity.loc["2027-03", "Dev"] = 1.0
    assert rules(case) == []


def test_check_and_validate(everything):
    assert everything.check()["severity"].tolist() == ["warning"]
    valid = everything.validate()
    assert valid is not everything
    assert valid.digest() == everything.digest()
    with pytest.raises(DataError, match="1 error and 0 warnings") as error:
        portfolio(projects=projects(duration=[0, 3])).replace(
            demand=None,
            spend=rows("project offset amount", ("A", 0, 1), ("B", 0, 1)),
            budget=rows("budget amount", ("b", 9)),
        ).validate()
    assert error.value.problems["rule"].tolist() == ["below_minimum"]


def test_one_cell_has_one_problem():
    # Blank ids break the schema and would break references again.
    blank = projects(project=["A", None])
    found = rules(
        portfolio(
            projects=blank,
            demand=None,
            spend=rows("project offset amount", ("A", 0, 0)),
        )
    )
    assert found.count(("missing_value", 11, "project")) == 1
    both = portfolio(projects=projects(duration=["x", 3]))
    assert [r for r in rules(both) if r[1:] == (10, "duration")] == [
        ("not_a_whole", 10, "duration")
    ]


def test_check_portfolio_adds_what_reading_found():
    read = problems_table([problem("warning", "demand", "hours_converted", row=4)])
    case = Portfolio(horizon=HORIZON, projects=projects(duration=[1, 9]), problems=read)
    found = check_portfolio(case)
    assert found["rule"].tolist()[-1] == "hours_converted"
    assert "outside_horizon" in found["rule"].tolist()
    assert not found.duplicated().any()
    assert case.summary()["warnings"] == 1


# ----------------------------------------------------------------------------- sources


def sourced() -> Portfolio:
    origin = pd.DataFrame(
        {"source": "projects.csv", "sheet": "", "row": [2, 3]}, index=[10, 11]
    )
    return portfolio(projects=projects(duration=[0, 9], owner=["x", "y"])).__class__(
        horizon=HORIZON,
        projects=projects(duration=[0, 9], owner=["x", "y"]),
        sources={"projects": origin},
    )


def test_problems_name_file_and_row():
    found = sourced().check()
    place = list(found[["rule", "source", "row"]].itertuples(index=False, name=None))
    assert ("below_minimum", "projects.csv", 2) in place
    assert ("outside_horizon", "projects.csv", 3) in place
    assert ("extra_column", "projects.csv", None) in place
    assert place == [
        (p.rule, p.source, p.row) for p in sourced().snapshot().check().itertuples()
    ]
    kept = sourced().filter(project="B").check()
    assert ("outside_horizon", "projects.csv", 3) in list(
        kept[["rule", "source", "row"]].itertuples(index=False, name=None)
    )


def test_a_replaced_table_is_no_longer_of_its_file():
    case = sourced()
    changed = case.replace(projects=case.projects)
    assert set(changed.check()["source"]) == {""}


def test_locating_leaves_located_problems_alone():
    origin = pd.DataFrame({"source": ["a"], "sheet": ["s"], "row": [5]}, index=["x"])
    table = problems_table(
        [
            problem("error", "demand", "r", row="x"),
            problem("error", "demand", "r", row="x", source="other"),
            problem("error", "demand", "r", row="gone"),
            problem("error", "spend", "r", row="x"),
        ]
    )
    placed = locate(table, {"demand": origin})
    assert placed[["source", "sheet", "row"]].to_numpy().tolist() == [
        ["a", "s", 5],
        ["other", "", "x"],
        ["a", "s", "gone"],
        ["", "", "x"],
    ]


# ------------------------------------------------------------------------------ filter


def test_filter_keeps_what_belongs_to_the_kept_projects(everything):
    case = everything.filter(theme="R")
    names = {"ERP", "LAW", "NET", "OLD"}
    assert set(case.projects["project"]) == names
    for table in ("demand", "spend", "benefits", "bookings", "baselines", "groups"):
        assert set(case.tables[table]["project"]) <= names
    assert set(case.actuals["project"].dropna()) <= names
    assert case.dependencies["requires"].tolist() == ["ERP"]
    assert case.blackouts["project"].isna().all()
    for table in ("people", "absences", "operations", "budget", "roles", "history"):
        pd.testing.assert_frame_equal(case.tables[table], everything.tables[table])
    pd.testing.assert_frame_equal(case.capacity, everything.capacity)
    assert not (case.check()["severity"] == "error").any()


def test_filter_by_lists_functions_and_several_columns(everything):
    def names(case: Portfolio) -> list[str]:
        return case.projects["project"].tolist()

    assert names(everything.filter(status=["done", "cancelled"])) == ["OLD", "NIX"]
    assert names(everything.filter(status="approved", program="S")) == ["LAW", "NET"]
    assert names(everything.filter(lambda p: p["value"] >= 30)) == ["ERP", "CRM"]
    assert names(everything.filter(lambda p: p["value"] >= 30, theme="B")) == ["CRM"]
    assert names(everything.filter(theme="none")) == []
    kept = everything.filter(project=("CRM", "LAW"))
    assert kept.dependencies["requires"].tolist() == ["LAW"]
    with pytest.raises(ConfigError, match=r"no column 'them' \(did you mean 'theme'"):
        everything.filter(them="R")


def test_filter_counts_edits_made_before(tiny):
    case = tiny.snapshot()
    case.projects.loc[0, "theme"] = "Green"
    case.capacity["Dev"] = 5.0
    kept = case.filter(theme="Green")
    assert kept.projects["project"].tolist() == ["A"]
    assert kept.capacity["Dev"].tolist() == [5.0] * 5
    assert set(kept.demand["project"]) == {"A"}


# ------------------------------------------------------------------------------- junk

JUNK = [
    None,
    "abc",
    "1_0",
    -1,
    2.5,
    10**30,
    float("inf"),
    True,
    "2027",
    "2027-W05",
    "1999-01",
    pd.Timestamp("2027-02-03", tz="UTC"),
    pd.Period("2027Q1"),
    "in",
    "done",
    "ERP",
    "twins",
    "x" * 600,
    [1],
]


@pytest.mark.parametrize("seed", range(6))
def test_junk_in_cells_is_reported_and_nothing_else_happens(everything, seed):
    rng = np.random.default_rng(seed)
    tables = {name: f.astype(object) for name, f in everything.tables.items()}
    grid = everything.given_capacity.astype(object)
    for _ in range(4):
        frame = tables[str(rng.choice(list(tables)))]
        column = int(rng.integers(frame.shape[1]))
        frame.iat[int(rng.integers(len(frame))), column] = rng.choice(
            np.array(JUNK, dtype=object)
        )
    grid.iat[0, 0] = rng.choice(np.array([1.0, -1, "x", None], dtype=object))
    case = Portfolio(
        horizon=everything.horizon,
        settings=everything.settings,
        capacity=grid,
        **tables,
    )
    found = case.check()
    assert found["fix"].str.len().min() > 10
    cell = ["table", "row", "column", "rule"]
    assert not found[found["severity"] == "error"].astype(str).duplicated(cell).any()
    again = case.snapshot()
    assert has_errors(again.check()) == has_errors(found)
    assert case.filter(theme="R").digest() != case.digest()
    if not has_errors(found):
        assert baseline(case).portfolio.digest() == case.digest() == again.digest()


def test_filter_leaves_groups_that_can_be_satisfied():
    from tests.support.small_portfolios import everything_portfolio

    portfolio = everything_portfolio()
    groups = portfolio.groups
    name = groups.loc[groups["rule"] == "limit", "group"].iloc[0]
    members = list(groups.loc[groups["group"] == name, "project"])
    groups.loc[groups["group"] == name, "at_least"] = len(members)
    groups.loc[groups["group"] == name, "at_most"] = pd.NA
    kept = portfolio.filter(project=members[:1])
    assert kept.groups.loc[kept.groups["group"] == name, "at_least"].to_list() == [1]
    assert "group_contradiction" not in set(kept.check()["rule"])
