"""The example, generated and random portfolios, and the enumeration they serve."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from functools import cache

import numpy as np
import pandas as pd
import pytest

from pmo_analytics.clock.periods import Settings, hours_per_fte, make_horizon
from pmo_analytics.errors import ConfigError
from pmo_analytics.examples.company import _drawn, example_portfolio
from pmo_analytics.examples.generated import generate_portfolio
from pmo_analytics.examples.generated_draws import KINDS
from pmo_analytics.portfolio import Portfolio
from pmo_analytics.tables.contract import STATUSES
from tests.support.brute_force import (
    best_plan,
    broken_rules,
    combinations,
    limits,
    loads,
    objective,
    read_case,
)
from tests.support.counts import ALL, tried
from tests.support.instances_random import drawn, random_portfolio
from tests.support.places import ROOT

DATA = ROOT / "data" / "example"
CANDIDATES = ["idea", "proposed", "paused"]
SEEDS = [2027, 0, 1, 2] if ALL else [2027, 1]

# It keeps one seed; to draw takes longer than to look at what was drawn.
of_seed = cache(example_portfolio)


@pytest.fixture(scope="module")
def example():
    return of_seed(2027)


def without_choices(portfolio):
    """Return the portfolio with every project out that may be left out."""
    projects = portfolio.projects.copy()
    optional = projects["status"].isin([*CANDIDATES, "cancelled"])
    projects.loc[optional & (projects["force"] != "in"), "force"] = "out"
    # A least amount or number asks for choices.
    budget = portfolio.budget[portfolio.budget["at_least"].isna()]
    groups = portfolio.groups.assign(at_least=pd.NA)
    return portfolio.replace(projects=projects, budget=budget, groups=groups)


def inherits(portfolio):
    case = read_case(portfolio)
    return limits(case, strict=False) != limits(case, strict=True)


# ------------------------------------------------------------------------- the example


@pytest.mark.parametrize("seed", SEEDS)
def test_the_example_has_no_problem(seed):
    portfolio = of_seed(seed)
    assert portfolio.check().empty
    assert portfolio.problems.empty


@pytest.mark.parametrize("seed", SEEDS)
def test_committed_work_of_the_example_fits(seed):
    portfolio = of_seed(seed)
    assert not inherits(portfolio)
    worth, plan = best_plan(without_choices(portfolio), strict=True)
    assert worth > 0
    assert len(plan) == 11


def test_the_example_depends_on_its_seed_only(example):
    assert example.digest() == _drawn.__wrapped__(2027).digest()
    other = of_seed(1)
    assert other.digest() != example.digest()
    for table in ("projects", "dependencies", "groups", "budget", "spend", "flex"):
        pd.testing.assert_frame_equal(getattr(other, table), getattr(example, table))


def test_an_edited_example_is_nobody_else_s():
    mine, before = example_portfolio(), example_portfolio().digest()
    mine.projects.loc[0, "value"] = 1e9
    assert mine.digest() != before
    assert example_portfolio().digest() == before


def test_the_example_shows_every_status_and_rule(example):
    projects = example.projects
    assert set(projects["status"]) == set(STATUSES)
    assert set(projects["force"].dropna()) == {"in", "out"}
    assert projects["force_reason"].notna().equals(projects["force"].notna())
    for column in ("earliest", "latest", "deadline", "program"):
        assert projects[column].notna().any()
    assert projects["theme"].nunique() == 6
    assert {"CRM"} <= set(projects["project"])
    assert projects["name"].is_unique
    running = projects[projects["status"] == "running"]
    assert (running["start"] < example.horizon[0]).any()

    dependencies = example.dependencies
    assert set(dependencies["kind"]) == {"finish_start", "start_start", "selected"}
    assert dependencies["lag"].min() < 0 < dependencies["lag"].max()
    assert dependencies["lag_max"].notna().any()
    assert set(dependencies["requires"]) & set(example.groups["group"])
    assert set(example.groups["rule"]) == {"limit", "all_or_none"}
    assert example.groups["at_least"].notna().any()
    assert set(example.blackouts["applies_to"]) == {"start", "finish", "work"}
    assert example.budget["theme"].notna().any()
    assert example.budget["at_least"].notna().any()
    assert set(example.spend["category"]) == {"capex", "opex"}
    assert set(example.flex["kind"]) == {"overtime", "contractor", "hire"}
    assert example.benefits.empty
    empty = [name for name, table in example.tables.items() if table.empty]
    assert empty == ["rules", "benefits"]


def test_the_example_has_people_who_come_go_and_change(example):
    people = example.people
    assert people["person"].nunique() == 60
    assert people["role"].nunique() == example.capacity.shape[1] == 10
    assert "Developer" in example.capacity.columns
    assert set(people["country"]) == {"DE", "GB", "PL"}
    first, last = example.horizon[0].start_time, example.horizon[-1].end_time
    assert ((people["start"] > first) & (people["start"].dt.day > 1)).any()
    assert (people["end"] < last).any()
    assert people["fte"].between(0, 1, inclusive="right").all()
    assert (people["fte"] < 1).any()
    changed = people.groupby("person")["role"].nunique()
    assert (changed > 1).any()
    assert set(example.absences["kind"]) == {"vacation", "training", "parental leave"}
    assert (example.absences["share"] < 1).any()


def test_candidates_of_the_example_ask_for_more_than_is_left(example):
    case = read_case(example)
    free = example.capacity.sum()
    for project in case.projects.values():
        if project.must:
            cells = loads(case, project.name, project.starts[0])
            for (role, _), fte in cells.items():
                free[role] -= float(fte)
    optional = [
        p.name for p in case.projects.values() if p.state == "live" and not p.must
    ]
    rows = example.demand[example.demand["project"].isin(optional)]
    ratio = rows.groupby("role")["fte"].sum() / free
    assert 1.35 < rows["fte"].sum() / free.sum() < 2
    assert (ratio[["Developer", "Data Engineer", "Architect"]] > 1.5).all()
    assert (ratio[["Security Specialist", "UX Designer"]] < 1.1).all()


def test_bookings_of_the_example_are_kept_by_people_who_can(example):
    people = example.people
    for row in example.bookings.to_dict("records"):
        hired = people[
            (people["person"] == row["person"])
            & (people["role"] == row["role"])
            & (people["start"] <= row["start"])
            & ~(people["end"] < row["end"])
        ]
        assert len(hired) == 1, row["person"]
    booked = example.bookings.groupby("person")["fte"].sum()
    shares = people.groupby("person")["fte"].max()
    assert (booked <= 0.8 * shares[booked.index] + 1e-9).all()
    running = example.projects.query("status == 'running'")["project"]
    assert set(example.bookings["project"]) == set(running)
    assert set(example.bookings["kind"]) == {"soft", "hard"}


def test_history_of_the_example_adds_up(example):
    history = example.history.set_index(["kind", "period", "role"])
    assert len(history) == 3 * 36 * 10
    load, capacity = history["load_fte"], history["capacity_fte"]
    total = load["project"] + load["operations"]
    np.testing.assert_allclose(total, load["total"], atol=1e-9)
    np.testing.assert_allclose(
        capacity["project"] + capacity["operations"], capacity["total"], atol=1e-9
    )
    hours = example.actuals.dropna(subset=["hours"])
    fte = hours.groupby(["period", "role"])["hours"].sum() / hours_per_fte("M")
    assert (load["project"].loc[fte.index] >= fte - 0.01).all()
    assert example.actuals["period"].max() < example.horizon[0]
    # August is quieter than October, and the staff has grown.
    months = capacity["total"].groupby(level="period").sum()
    assert months[pd.Period("2025-08")] < months[pd.Period("2025-10")]
    assert months.loc["2026"].mean() > months.loc["2024"].mean()


def test_finished_projects_of_the_example_overran_as_projects_do(example):
    first = example.baselines.query("baseline == 'approval'").set_index("project")
    done = example.projects.query("status == 'done'").set_index("project")
    late = (done["duration"] / first["duration"]).dropna().astype(float).round(2)
    assert sorted(late) == [1.0, 1.0, 1.2, 1.25, 1.33, 1.5, 1.6, 2.4]
    hours = example.actuals.groupby("project")["hours"].sum()
    np.testing.assert_allclose(
        hours[late.index] / first.loc[late.index, "effort"], late, rtol=0.06
    )
    cost = example.actuals.groupby("project")["amount"].sum()
    np.testing.assert_allclose(
        cost[late.index] / first.loc[late.index, "cost"], late, rtol=0.06
    )


def test_files_of_the_example_agree_with_it(example, tmp_path):
    from pmo_analytics.loaders import read_portfolio, write_portfolio

    write_portfolio(example, tmp_path / "again")
    for folder in (DATA, tmp_path / "again"):
        stored = read_portfolio(folder)
        assert stored.problems.empty
        assert (stored.name, stored.settings) == (example.name, example.settings)
        pd.testing.assert_index_equal(stored.horizon, example.horizon)
        for name, table in example.tables.items():
            pd.testing.assert_frame_equal(
                stored.tables[name].reset_index(drop=True),
                table.reset_index(drop=True),
                obj=f"{name} in {folder.name}",
            )
        pd.testing.assert_frame_equal(stored.capacity, example.capacity)


# ----------------------------------------------------------------- generated portfolios


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mid_life", [False, True])
@pytest.mark.parametrize("size", [(1, 1, 1), (4, 2, 5), (60, 6, 24)])
def test_generated_portfolios_have_no_problem(kind, mid_life, size):
    portfolio = generate_portfolio(*size, seed=3, kind=kind, mid_life=mid_life)
    assert portfolio.check().empty
    assert portfolio.capacity.shape == (size[2], size[1])
    assert len(portfolio.projects) == size[0]
    assert (portfolio.demand["fte"] % 0.25 == 0).all()


@pytest.mark.parametrize("freq", ["W", "Q", "Y", "Q-MAR"])
def test_generated_portfolios_know_every_clock(freq):
    portfolio = generate_portfolio(20, 3, 13, freq=freq, start="2027-01-04")
    assert portfolio.check().empty
    assert len(portfolio.horizon) == 13


@pytest.mark.parametrize("kind", KINDS)
def test_mandatory_work_of_generated_portfolios_fits(kind):
    for seed in range(tried(4)):
        portfolio = generate_portfolio(30, 5, 18, seed, kind=kind, mid_life=True)
        assert not inherits(portfolio)
        worth, _ = best_plan(without_choices(portfolio), strict=True)
        assert worth is not None, seed


def test_every_generated_project_has_a_start():
    for kind in KINDS:
        case = read_case(
            generate_portfolio(50, 6, 24, seed=5, kind=kind, mid_life=True)
        )
        live = [p for p in case.projects.values() if p.state == "live"]
        assert all(p.starts for p in live)


def test_mid_life_brings_every_status_and_rule():
    portfolio = generate_portfolio(200, 8, 24, seed=1, mid_life=True)
    projects = portfolio.projects
    assert set(projects["status"]) == set(STATUSES)
    assert set(projects["force"].dropna()) == {"in", "out"}
    approved = projects[projects["status"] == "approved"]
    assert 0 < approved["earliest"].notna().sum() < len(approved)
    running = projects.query("status == 'running'")
    assert running["start"].max() <= portfolio.horizon[0]
    assert running["start"].min() < portfolio.horizon[0]
    assert set(portfolio.groups["rule"]) == {"limit", "all_or_none"}
    pairs = portfolio.dependencies[["project", "requires"]]
    mirrored = pairs.merge(
        pairs.rename(columns={"project": "requires", "requires": "project"})
    )
    assert len(mirrored) == 2


def test_inherited_overload_comes_only_when_asked_for():
    for seed in range(3):
        plain = generate_portfolio(40, 4, 18, seed, mid_life=True)
        over = generate_portfolio(40, 4, 18, seed, mid_life=True, inherited=True)
        assert not inherits(plain)
        assert inherits(over)
        assert int((plain.capacity != over.capacity).to_numpy().sum()) == 1
        assert best_plan(without_choices(over))[0] is not None
        assert best_plan(without_choices(over), strict=True) == (None, None)


def test_generated_kinds_look_like_their_names():
    made = {kind: generate_portfolio(120, 8, 36, seed=2, kind=kind) for kind in KINDS}
    fte = {kind: p.demand["fte"].mean() for kind, p in made.items()}
    assert fte["many_small"] < 0.6 < fte["mixed"] < 2 < fte["few_big"]
    roles = {
        kind: p.demand.groupby("project")["role"].nunique() for kind, p in made.items()
    }
    assert set(roles["few_big"]) == {1, 2}
    assert set(roles["mixed"]) == {2, 3, 4}
    assert len(made["mixed"].dependencies) < 0.25 * 120
    assert len(made["chains"].dependencies) > 0.6 * 120
    for portfolio in made.values():
        share = portfolio.capacity.sum().sum() / portfolio.demand["fte"].sum()
        assert 0.3 < share < 0.55


def test_generated_portfolios_depend_on_their_arguments_only():
    one = generate_portfolio(30, seed=4, mid_life=True)
    assert one.digest() == generate_portfolio(30, seed=4, mid_life=True).digest()
    assert one.digest() != generate_portfolio(30, seed=5, mid_life=True).digest()


def test_generated_portfolios_of_the_largest_size():
    portfolio = generate_portfolio(2000, 40, 60, mid_life=True)
    assert len(portfolio.demand) > 30_000
    assert portfolio.check().empty


def test_wrong_arguments_of_the_generator_are_named():
    with pytest.raises(
        ConfigError, match=r"no kind 'few big' \(did you mean 'few_big'"
    ):
        generate_portfolio(kind="few big")
    with pytest.raises(ConfigError, match="at least 1 each"):
        generate_portfolio(0)


# --------------------------------------------------------------------- the enumeration


def small(projects, *, periods=4, freq="M", capacity=None, settings=None, **tables):
    """Return a portfolio of plain rows; demand is 1 FTE-tables of (project, role)."""
    horizon = make_horizon("2027-01-04", periods, freq)
    grid = None
    if capacity is not None:
        grid = pd.DataFrame(
            {role: [fte] * periods for role, fte in capacity.items()}, index=horizon
        )
    frames = {name: pd.DataFrame(rows) for name, rows in tables.items()}
    return Portfolio(
        horizon=horizon,
        settings=settings or Settings(),
        capacity=grid,
        projects=pd.DataFrame(projects),
        **frames,
    ).validate()


def work(project, role, duration, fte=1.0):
    return [
        {"project": project, "role": role, "offset": k, "fte": fte}
        for k in range(duration)
    ]


def test_money_for_one_project():
    """Vendor's example: limit 500; A costs 400 and is worth 1000."""
    portfolio = small(
        [
            {"project": name, "value": value, "duration": 1, "latest": "2027-01"}
            for name, value in (("A", 1000), ("B", 400), ("C", 400))
        ],
        spend=[
            {"project": name, "offset": 0, "amount": amount}
            for name, amount in (("A", 400), ("B", 300), ("C", 200))
        ],
        budget=[{"budget": "all", "amount": 500}],
    )
    assert best_plan(portfolio) == (1000, {"A": 0})


@pytest.mark.parametrize(
    ("fte", "worth", "chosen"),
    [(2.0, 175, "AC"), (3.0, 225, "ABC"), (2.25, 175, "AC")],
)
def test_people_for_some_projects(fte, worth, chosen):
    """Vendor's example: 40 h a week of three roles, 80, 120 and 90 h there."""
    roles = ("Architect", "Carpenter", "Plumber")
    portfolio = small(
        [
            {"project": name, "value": value, "duration": 4}
            for name, value in (("A", 100), ("B", 50), ("C", 75))
        ],
        freq="W",
        capacity=dict.fromkeys(roles, fte),
        demand=[row for n in "ABC" for role in roles for row in work(n, role, 4)],
    )
    assert best_plan(portfolio) == (worth, dict.fromkeys(chosen, 0))


def test_two_analysts_serve_two_projects():
    portfolio = small(
        [{"project": n, "value": 1, "duration": 2} for n in "ABC"],
        periods=2,
        capacity={"Marketing Analyst": 2.0},
        demand=[row for n in "ABC" for row in work(n, "Marketing Analyst", 2)],
    )
    worth, plan = best_plan(portfolio)
    assert (worth, len(plan)) == (2, 2)


def test_discounting_is_exact_and_ties_go_to_the_earliest():
    rows = [{"project": n, "value": v, "duration": 1} for n, v in (("A", 3), ("B", 7))]
    demand = [row for n in "AB" for row in work(n, "Dev", 1)]
    late = small(
        rows, capacity={"Dev": 1.0}, demand=demand, settings=Settings(discount=0.1)
    )
    assert best_plan(late) == (7 + Fraction(30, 11), {"A": 1, "B": 0})
    worth, plan = best_plan(small(rows, capacity={"Dev": 1.0}, demand=demand))
    assert (worth, sorted(plan.values())) == (10, [0, 1])


def test_approved_work_stays_near_its_planned_start():
    portfolio = small(
        [
            {
                "project": "A",
                "value": 1,
                "status": "approved",
                "duration": 1,
                "start": "2027-03",
                "earliest": "2027-01",
            },
            {
                "project": "R",
                "value": 1,
                "status": "running",
                "duration": 2,
                "start": "2027-02",
            },
        ],
        capacity={"Dev": 1.0},
        demand=work("A", "Dev", 1) + work("R", "Dev", 2),
    )
    assert best_plan(portfolio) == (2, {"A": 3, "R": 1})


def test_inherited_overload_is_a_limit_unless_strict():
    portfolio = small(
        [
            {
                "project": "R",
                "value": 5,
                "status": "running",
                "duration": 3,
                "start": "2026-12",
            },
            {"project": "A", "value": 2, "duration": 1},
        ],
        capacity={"Dev": 1.0},
        demand=work("R", "Dev", 3, fte=1.5) + work("A", "Dev", 1, fte=0.5),
    )
    assert best_plan(portfolio) == (7, {"R": -1, "A": 2})
    assert best_plan(portfolio, strict=True) == (None, None)
    assert broken_rules(portfolio, {"R": -1, "A": 1}) == ["capacity ('Dev', 1)"]
    assert broken_rules(portfolio, {"A": 3}) == ["must R"]


@pytest.mark.parametrize(
    ("link", "plan"),
    [
        ({}, {"A": 0, "B": 2}),
        ({"lag": 1}, {"A": 0, "B": 3}),
        ({"lag": -1}, {"A": 0, "B": 1}),
        ({"kind": "start_start", "lag": 1}, {"A": 0, "B": 1}),
        ({"kind": "selected"}, {"A": 0, "B": 0}),
        ({"kind": "start_start", "lag": -3, "lag_max": -2}, {"A": 2, "B": 0}),
        ({"requires": "Some"}, {"A": 0, "B": 2}),
        ({"requires": "D"}, {"A": 0, "B": 0}),
        ({"requires": "Done"}, {"A": 0, "B": 0}),
        ({"requires": "X"}, {"A": 0}),
    ],
)
def test_dependencies_by_hand(link, plan):
    """A takes 2 months, B takes 1; D is done, X is cancelled."""
    portfolio = small(
        [
            {"project": "A", "value": 1, "duration": 2},
            {"project": "B", "value": 1, "duration": 1},
            {"project": "D", "value": 1, "duration": 1, "status": "done"},
            {"project": "X", "value": 1, "duration": 1, "status": "cancelled"},
        ],
        capacity={"Dev": 9.0},
        demand=work("A", "Dev", 2) + work("B", "Dev", 1),
        dependencies=[{"project": "B", "requires": "A", **link}],
        groups=[
            {"group": "Some", "project": n, "at_least": 0, "at_most": 3}
            for n in ("A", "B", "X")
        ]
        + [{"group": "Done", "project": n, "at_most": 2} for n in ("D", "X")],
    )
    assert best_plan(portfolio) == (len(plan), plan)


def test_groups_count_what_is_done():
    rows = [
        {"project": "A", "value": 4, "duration": 1},
        {"project": "B", "value": 3, "duration": 1},
        {"project": "D", "value": 9, "duration": 1, "status": "done"},
    ]
    demand = work("A", "Dev", 1) + work("B", "Dev", 1)

    def best(**rule):
        groups = [{"group": "G", "project": n, **rule} for n in "ABD"]
        portfolio = small(rows, capacity={"Dev": 1.0}, demand=demand, groups=groups)
        return best_plan(portfolio)

    assert best(at_most=2) == (4, {"A": 0})
    assert best(at_most=1) == (0, {})
    worth, plan = best(rule="all_or_none")
    assert (worth, len(plan)) == (7, 2)
    assert best(at_least=3)[0] == 7


# -------------------------------------------------------------------- random portfolios


def test_random_portfolios_use_every_rule():
    seen: Counter[object] = Counter()
    feasible = 0
    count = 120 if ALL else 80
    for seed in range(count):
        portfolio = drawn(seed)
        case = read_case(portfolio)
        assert combinations(case) <= 200_000
        worth, plan = best_plan(case)
        feasible += plan is not None
        if plan is not None:
            assert broken_rules(case, plan) == []
            assert objective(case, plan) == worth
        projects, settings = portfolio.projects, portfolio.settings
        seen.update(("status", s) for s in projects["status"])
        seen.update(("force", f) for f in projects["force"].dropna())
        forced_in = projects["force"] == "in"
        seen["cancelled, in"] += int(
            (forced_in & (projects["status"] == "cancelled")).sum()
        )
        for column in ("earliest", "latest", "deadline"):
            seen[column] += int(projects[column].notna().sum())
        seen.update(portfolio.dependencies["kind"])
        seen.update(np.sign(portfolio.dependencies["lag"]).astype(int))
        seen["lag_max"] += int(portfolio.dependencies["lag_max"].notna().sum())
        by_group = portfolio.dependencies["requires"].isin(portfolio.groups["group"])
        seen["group required"] += int(by_group.sum())
        seen.update(portfolio.groups["rule"])
        for column in ("at_least", "at_most"):
            seen["groups", column] += int(portfolio.groups[column].notna().sum())
        seen.update(("blackout", a) for a in portfolio.blackouts["applies_to"])
        for column in ("project", "theme", "start", "end"):
            known = portfolio.blackouts[column].notna()
            seen.update(("blackout", column, bool(k)) for k in known)
        for column in (
            *("fund", "category", "theme", "program", "start", "end"),
            *("amount", "at_least"),
        ):
            seen.update(
                ("budget", column, bool(k)) for k in portfolio.budget[column].notna()
            )
        seen["source", settings.source] += 1
        seen["net", settings.net_of_spend] += 1
        seen["discount", settings.discount > 0] += 1
        seen["clock", portfolio.freq] += 1
        seen["people"] += not portfolio.people.empty
        seen["inherited"] += inherits(portfolio)
        case = read_case(portfolio)
        last = case.periods - 1
        for project in case.projects.values():
            if project.running:
                seen["began before"] += project.starts[0] < 0
                seen["ends after"] += project.starts[0] + project.duration - 1 > last
            if project.state == "live" and not project.starts:
                seen["no start"] += 1
    wanted = [
        *(("status", s) for s in STATUSES),
        *(("force", f) for f in ("in", "out")),
        *("cancelled, in", "earliest", "latest", "deadline"),
        *("finish_start", "start_start", "selected", -1, 0, 1, "lag_max"),
        *("group required", "limit", "all_or_none"),
        *(("groups", c) for c in ("at_least", "at_most")),
        *(("blackout", a) for a in ("start", "finish", "work")),
        *(
            ("blackout", c, k)
            for c in ("project", "theme", "start", "end")
            for k in (False, True)
        ),
        *(
            ("budget", c, k)
            for c in ("fund", "category", "theme", "program", "start", "end")
            for k in (False, True)
        ),
        *(("budget", c, k) for c in ("amount", "at_least") for k in (False, True)),
        *(("source", s) for s in ("", "value", "benefits", "sum")),
        *(("net", k) for k in (False, True)),
        *(("discount", k) for k in (False, True)),
        *(("clock", f) for f in ("M", "W-SUN", "Q-DEC", "Q-MAR", "Y-DEC", "Y-MAR")),
        *("people", "inherited", "began before", "ends after", "no start"),
    ]
    missing = [what for what in wanted if not seen[what]]
    assert not missing
    assert 0.65 < feasible / count < 0.88


def test_random_portfolios_stay_within_their_size():
    for seed in range(10):
        rng = np.random.default_rng(seed)
        portfolio = random_portfolio(rng, max_projects=3, max_periods=4)
        assert len(portfolio.projects) <= 3
        assert len(portfolio.horizon) <= 4
