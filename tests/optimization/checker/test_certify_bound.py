"""Bounds that certificates prove, worked out by hand."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import pandas as pd
import pytest

from pmo_analytics.clock.periods import Settings, make_horizon
from pmo_analytics.errors import ConfigError
from pmo_analytics.optimization.checker.check import check_bound, check_plan
from pmo_analytics.portfolio import Portfolio
from tests.support.certify_cases import (
    JAN,
    MICRO,
    NEAR,
    certificate,
    check,
    make,
    midlife,
    money,
    needs,
    row,
    worth,
)

pytestmark = pytest.mark.usefixtures("warm_module")


def oracle(hours: float) -> Portfolio:
    """Return the vendor's example: 3 projects, 40 h of 3 roles for 4 weeks each."""
    roles = ("Architect", "Carpenter", "Plumber")
    horizon = make_horizon("2027-W01", 4, "W")
    values = {"A": 100.0, "B": 50.0, "C": 75.0}
    return Portfolio(
        horizon=horizon,
        projects=pd.DataFrame(
            {"project": list(values), "value": list(values.values()), "duration": 4}
        ),
        demand=pd.DataFrame(
            needs(*((p, r, o, 1.0) for p in values for r in roles for o in range(4)))
        ),
        capacity=pd.DataFrame(dict.fromkeys(roles, hours / 40), index=horizon),
    )


@pytest.mark.parametrize(
    ("hours", "best"), [(80, 175), (90, 175), (119, 175), (120, 225)]
)
def test_the_vendors_example(hours: float, best: int) -> None:
    portfolio = oracle(hours)
    first = portfolio.horizon[0]
    values = []
    for chosen in product((0, 1), repeat=3):
        names = [p for p, yes in zip("ABC", chosen, strict=True) if yes]
        schedule = pd.DataFrame({"project": names, "start": [first] * len(names)})
        result = check_plan(portfolio, schedule)
        values += [result.objective] if result.certified else []
    assert max(values) == best


def test_the_linear_bound_of_the_vendors_example() -> None:
    # One architect-week worth 50: 2.25 * 50 + (100 - 50) + 0 + (75 - 50) = 187.5,
    # and the tolerance of 1e-6 FTE costs 50e-6.
    price = row("capacity", "50", role="Architect", period="2027-W02")
    assert check_bound(oracle(90), certificate(price)) == Fraction(375, 2) + 50 * MICRO
    # Spread over two rows, as number and as text, it is the same bound.
    half = [
        row("capacity", 25, role="Carpenter", period="2027-W01"),
        row("capacity", "2.5e1", role="Plumber", period="2027-W04"),
    ]
    assert check_bound(oracle(90), certificate(*half)) == Fraction(375, 2) + 50 * MICRO
    assert check_bound(oracle(90), certificate()) == 225


def test_bound_of_a_budget_with_moving_starts() -> None:
    portfolio = make(
        [{"project": "A", "value": 10.0}, {"project": "B", "value": 6.0}],
        periods=3,
        spend=money(("A", 0, 4.0), ("A", 1, 2.0), ("B", 0, 3.0)),
        budget=[{"budget": "b", "start": 0, "end": 1, "amount": 5.0, "at_least": 1.0}],
    )
    # A spends 6 or 4, B 3 of the 5, so A cannot start in 0; at 1.5 each:
    # 7.5 + (10 - 6) + (6 - 4.5).
    price = row("budget", "1.5", budget="b", side="amount")
    expected = Fraction(13) + Fraction(3, 2) * 5 * NEAR
    assert check_bound(portfolio, certificate(price)) == expected
    # A premium of 1.5 on spending: -1.5 + (10 + 6) + (6 + 4.5).
    price = row("budget", "1.5", budget="b", side="at_least")
    expected = Fraction(25) + Fraction(3, 2) * 5 * NEAR
    assert check_bound(portfolio, certificate(price)) == expected


def test_bound_of_must_do_work_has_no_way_out() -> None:
    portfolio = make(
        [
            {"project": "A", "value": -8.0, "status": "approved", "start": 0},
            {"project": "B", "value": -5.0},
        ]
    )
    assert check_bound(portfolio, certificate()) == -8


def test_bound_uses_raised_limits_unless_strict() -> None:
    starts = {"A": -1, "B": 1, "C": 2, "D": 3}
    price = row("capacity", 4, role="Dev", period="2027-03")  # C uses 3 of 1 FTE
    # 4 * 3 + A 1 + B 2 + (C 10 - 12) + D 10 + E (4 at another start).
    assert (
        check_bound(midlife(), certificate(price))
        == 12 + 1 + 2 - 2 + 10 + 4 + 4 * MICRO
    )
    strict = certificate(price, strict=True)
    bound = check_bound(midlife(), strict, strict=True)
    assert bound == 4 + 1 + 2 - 2 + 10 + 4 + 4 * MICRO
    assert check(midlife(), **starts).objective <= 27
    with pytest.raises(ConfigError, match="strict=True"):
        check_bound(midlife(), strict)


def test_bound_of_group_rows_counts_finished_members() -> None:
    portfolio = make(
        [
            {"project": "A", "value": 5.0},
            {"project": "B", "value": 3.0},
            {"project": "C", "status": "done"},
            {"project": "D", "status": "cancelled", "value": 9.0},
        ],
        groups=[
            {"group": "G", "project": p, "at_least": 1, "at_most": 2} for p in "ABCD"
        ],
    )
    # C takes one of two places: 3 * 1 + (5 - 3) + 0.
    assert check_bound(
        portfolio, certificate(row("group", 3, group="G", side="at_most"))
    ) == Fraction(5)
    # C is the one that is needed: 2 * 0 + (5 + 2) + (3 + 2).
    assert check_bound(
        portfolio, certificate(row("group", 2, group="G", side="at_least"))
    ) == Fraction(12)


@pytest.mark.parametrize(
    ("status", "best"),
    [("proposed", 5 - 3 - 1), ("done", 5 - 3), ("cancelled", 0)],
)
def test_bound_of_all_or_none(status: str, best: int) -> None:
    portfolio = make(
        [
            {"project": "A", "value": 5.0},
            {"project": "B", "value": -3.0},
            {"project": "C", "value": -1.0, "status": status},
        ],
        groups=[{"group": "G", "project": p, "rule": "all_or_none"} for p in "ABC"],
    )
    # Hand the losses of B and C on to A; a finished C pulls A and B in, a cancelled
    # one keeps them out.
    shares = {"proposed": (-3, -1), "done": (-3, -2), "cancelled": (-3, -2)}[status]
    rows = [
        row("all_or_none", m, group="G", project=p)
        for p, m in zip("BC", shares, strict=True)
    ]
    assert check_bound(portfolio, certificate(*rows)) == best
    first = row("all_or_none", "-7.5", group="G", project="A")
    assert check_bound(portfolio, certificate(*rows, first)) == best


def dependent(kind: str = "finish_start", **fields: Any) -> Portfolio:
    """Return B (9) that needs the costly A (-5); both last 2 of 6 periods."""
    return make(
        [{"project": "A", "value": -5.0}, {"project": "B", "value": 9.0}],
        dependencies=[{"project": "B", "requires": "A", "kind": kind, **fields}],
    )


def link(form: str, multiplier: Any, kind: str = "finish_start", **t: int) -> Any:
    return row(
        "dependency",
        multiplier,
        project="B",
        requires="A",
        kind=kind,
        form=form,
        **t,
    )


def test_bound_of_dependency_rows() -> None:
    def bound(portfolio: Portfolio, *rows: dict[str, Any]) -> Fraction | None:
        return check_bound(portfolio, certificate(*rows))

    assert bound(dependent()) == 9
    assert bound(dependent(), link("selected", 5)) == 4
    assert bound(dependent("selected"), link("selected", 5, "selected")) == 4
    # B by 4 needs A by 2, and B has no later start: as good as "selected".
    assert bound(dependent(), link("by", 5, t=4)) == 4
    # B by 3 needs A by 1, but B may start in 4.
    assert bound(dependent(), link("by", 5, t=3)) == 9
    # B by 1 can have no A before: with 9 on that row, starts 2.. remain.
    assert bound(dependent(), link("by", 9, t=1)) == 9
    assert bound(dependent(lag=3), link("by", 9, t=4)) == 0
    # A row for each start of B; 2, 3 and 4 share the subsidy of A at 0.
    at = [link("at", 9, t=0), link("at", 9, t=1)]
    assert bound(dependent(), *at) == 9
    assert bound(dependent(), *at, link("at", 9, t=2), link("at", 9, t=3)) == 22
    # With lag_max 0, B at 2, 3, 4 needs A exactly at 0, 1, 2.
    tight = [*at, *(link("at", 5, t=t) for t in (2, 3, 4))]
    assert bound(dependent(lag_max=0), *tight) == 4
    # B after t + 2 needs A after t: from t = -1 on that is every B.
    assert bound(dependent(lag_max=0), link("after", 5, t=-1)) == 9
    late = [link("after", 5, t=-1), link("by", 9, t=1)]
    assert bound(dependent(lag_max=0), *late) == 4


@pytest.mark.parametrize(
    ("entry", "lag_max", "helpful"),
    [
        # B starts in 4 and A lasts 2: with lag_max 0 only A in 2 serves, with 1 also 1.
        (link("at", 9, t=4), 0, [2]),
        (link("at", 9, t=4), 1, [1, 2]),
        (link("by", 9, t=4), 0, [0, 1, 2]),
        (link("after", 9, t=1), 0, [2, 3, 4]),
        (link("after", 9, t=0), 1, [1, 2, 3, 4]),
    ],
)
def test_which_starts_a_dependency_row_pays_for(
    entry: dict[str, Any], lag_max: int, helpful: list[int]
) -> None:
    for s in range(5):
        portfolio = make(
            [
                {"project": "A", "value": -5.0, "earliest": s, "latest": s},
                {"project": "B", "value": 9.0, "earliest": 4},
            ],
            dependencies=[{"project": "B", "requires": "A", "lag_max": lag_max}],
        )
        assert check_bound(portfolio, certificate(entry)) == (4 if s in helpful else 0)


def test_dependency_rows_that_restrict_nothing_charge_nothing() -> None:
    portfolio = dependent()
    done = portfolio.replace(
        projects=portfolio.projects.assign(status=["done", "proposed"])
    )
    assert check_bound(done, certificate(link("by", 5, t=4))) == 9
    gone = portfolio.replace(
        projects=portfolio.projects.assign(status=["cancelled", "proposed"])
    )
    assert check_bound(gone, certificate(link("by", 9, t=4))) == 0
    assert check_bound(gone, certificate(link("selected", 9))) == 0
    dropped = portfolio.replace(
        projects=portfolio.projects.assign(status=["proposed", "done"])
    )
    assert check_bound(dropped, certificate(link("by", 9, t=4))) == 0


def test_bound_is_rounded_up_with_discounting() -> None:
    rate = Fraction(103, 100)
    portfolio = make(
        [
            {"project": "A", "value": 10.0, "earliest": 3},
            {"project": "B", "value": -7.0, "force": "in"},
            {"project": "C", "value": 5.0, "status": "running", "start": -2},
            {"project": "D", "value": 3.0, "status": "approved", "start": -2},
        ],
        settings=Settings(discount=0.03),
    )
    exact = 10 / rate**3 - 7 / rate**4 + 5 + 3 * rate**2
    bound = check_bound(portfolio, certificate())
    assert bound is not None
    assert exact <= bound < exact + Fraction(1, 10**30)
    assert worth(portfolio, A=3, B=4, C=-2, D=-2) == exact


def test_late_benefits_and_losses_are_rounded_outward_too() -> None:
    rate = Fraction(103, 100)
    for amount in (8.0, -8.0):
        portfolio = make(
            [{"project": "A", "value": None, "status": "approved", "start": 3}],
            benefits=money(("A", 7, amount), ("A", 9, amount)),
            settings=Settings(discount=0.03),
        )
        exact = Fraction(amount) * (rate**-10 + rate**-12)
        bound = check_bound(portfolio, certificate())
        assert bound is not None
        assert exact <= bound < exact + Fraction(1, 10**30)


def test_bound_charges_what_each_start_uses() -> None:
    # Starts 3 and 4 both work in period 4 of 0..5, once with 1 and once with 2 FTE.
    portfolio = make(
        [{"project": "A", "earliest": 3}],
        capacity={"Dev": [2.0] * 6},
        demand=needs(("A", "Dev", 0, 2.0), ("A", "Dev", 1, 1.0)),
    )
    price = row("capacity", 4, role="Dev", period="2027-05")
    assert check_bound(portfolio, certificate(price)) == 4 * 2 + 10 - 4 + 4 * MICRO


def test_bound_charges_nothing_outside_the_horizon() -> None:
    portfolio = make(
        [{"project": "A", "status": "approved", "start": 5}],
        spend=money(("A", 0, 1.0), ("A", 1, 4.0)),
        budget=[{"budget": "b", "start": -3, "end": 9, "amount": 2.0}],
    )
    price = row("budget", 2, budget="b", side="amount")
    assert check_bound(portfolio, certificate(price)) == 2 * 2 + 10 - 2 + 2 * 2 * NEAR


def test_starts_stay_where_a_negative_amount_could_make_room() -> None:
    portfolio = make(
        [{"project": "A"}, {"project": "B"}],
        capacity={"Dev": [1.0] * 6},
        demand=needs(("A", "Dev", 0, 2.0), ("B", "Dev", 0, -1.0)),
    )
    assert check(portfolio, A=0, B=0).certified
    assert check_bound(portfolio, certificate()) == 20


def test_no_bound_where_a_project_has_no_way() -> None:
    portfolio = make([{"project": "A", "force": "in", "duration": 9}])
    assert check_bound(portfolio, certificate()) is None
    portfolio = make([{"project": "A", "duration": 9}])
    assert check_bound(portfolio, certificate()) == 0


def test_impossible_starts_are_left_out() -> None:
    portfolio = make(
        [
            {"project": "R", "status": "running", "start": -1, "value": 0.0},
            {"project": "A", "value": 10.0},
            {"project": "B", "value": 7.0},
            {"project": "C", "value": 5.0},
        ],
        settings=Settings(discount=0.25),
        capacity={"Dev": [2.0, 2.0, 2.0, 2.0, 2.0, 2.0]},
        demand=needs(
            ("R", "Dev", 1, 1.0),
            ("A", "Dev", 0, 1.5),
            ("B", "Dev", 0, 1.000001),
            ("C", "Dev", 0, 1.000002),
        ),
        spend=money(("C", 0, 5.0), ("C", 1, 8.0)),
        budget=[{"budget": "b", "amount": 5.0, "start": 0, "end": 3}],
    )
    # Beside R there is room for B to the last millionth and for nobody else; C in
    # April spends all of the money, its 8 fall into May.
    bound = check_bound(portfolio, certificate())
    expected = 8 + 7 + 5 / Fraction(5, 4) ** 3
    assert bound is not None
    assert expected <= bound < expected + Fraction(1, 10**30)
    assert worth(portfolio, R=-1, A=1, B=0, C=3) == expected
    must = portfolio.projects.assign(force=[None, "in", None, None])
    must["latest"] = [pd.NaT, JAN, pd.NaT, pd.NaT]
    must["earliest"] = [pd.NaT, JAN - 1, pd.NaT, pd.NaT]
    fixed = portfolio.replace(projects=must)
    assert check_bound(fixed, certificate()) is not None
    strict = certificate(strict=True)
    assert not check(fixed, R=-1, A=0, strict=True).certified
    assert check_bound(fixed, strict, strict=True) is not None


def test_no_bound_where_must_do_work_has_no_room() -> None:
    def portfolio(free: float, **fields: Any) -> Portfolio:
        return make(
            [{"project": "A", "status": "approved", **fields}, {"project": "B"}],
            capacity={"Dev": [0.0, 0.0, 0.0, 0.0, 0.0, free]},
            demand=needs(("A", "Dev", 0, 1.0)),
        )

    # Without a window A may start in 0..5, and only in 5 could there be room.
    assert check_bound(portfolio(1.0), certificate()) == 20
    assert check_bound(portfolio(0.9), certificate()) is None
    # With a single start the limit is raised, so there is a plan.
    assert check_bound(portfolio(0.9, start=2), certificate()) == 20
    assert check(portfolio(0.9, start=2), A=2, B=0).certified


def requiring(*links: tuple[str, str], **statuses: dict[str, Any]) -> Portfolio:
    """Return A (1), B (2), C (4), D (8) and E (16), and the group G of A and B."""
    values = {"A": 1.0, "B": 2.0, "C": 4.0, "D": 8.0, "E": 16.0}
    return make(
        [
            {"project": name, "value": value, **statuses.get(name, {})}
            for name, value in values.items()
        ],
        groups=[{"group": "G", "project": p, "at_most": 2} for p in "AB"],
        dependencies=[
            {"project": project, "requires": requires, "kind": "selected"}
            for project, requires in links
        ],
    )


OUT = {"status": "cancelled"}
DONE = {"status": "done", "start": -3}


@pytest.mark.parametrize(
    ("portfolio", "bound"),
    [
        # Nothing serves B, so it cannot serve C, nor C serve D; E is free.
        (requiring(("D", "C"), ("C", "B"), ("B", "A"), A=OUT), 16),
        (requiring(("D", "C"), ("C", "B"), ("B", "A"), A={"force": "out"}), 16),
        # Too long for the horizon: allowed in name only.
        (requiring(("D", "C"), ("C", "A"), A={"duration": 9}), 2 + 16),
        # One member of the group is enough, unless that one is stranded too.
        (requiring(("C", "G"), A=OUT), 2 + 4 + 8 + 16),
        (requiring(("C", "G"), ("B", "A"), A=OUT), 8 + 16),
        (requiring(("C", "G"), A=OUT, B=OUT), 8 + 16),
        # A member never serves itself.
        (requiring(("B", "G"), A=OUT), 4 + 8 + 16),
        # Every row must be served.
        (requiring(("C", "A"), ("C", "D"), A=OUT), 2 + 8 + 16),
        # Finished work serves; what is finished or cancelled requires nothing.
        (requiring(("C", "A"), A=DONE), 2 + 4 + 8 + 16),
        (requiring(("C", "G"), A=DONE, B=OUT), 4 + 8 + 16),
        (requiring(("D", "C"), ("C", "A"), A=OUT, C=DONE), 2 + 8 + 16),
        # In a ring each serves the next.
        (requiring(("C", "D"), ("D", "C"), A=OUT), 2 + 4 + 8 + 16),
        # Work that must be done and cannot: no plan at all.
        (requiring(("C", "A"), A=OUT, C={"force": "in"}), None),
        (requiring(("D", "C"), ("C", "A"), A=OUT, D={"status": "approved"}), None),
        (requiring(("C", "A"), A=OUT, C={"status": "running", "start": 0}), None),
    ],
)
def test_projects_that_nothing_can_serve_are_left_out(
    portfolio: Portfolio, bound: int | None
) -> None:
    assert check_bound(portfolio, certificate()) == bound
    # It is the worth of the best plan: nothing else restricts these portfolios.
    live = portfolio.projects.set_index("project")["status"].ne("done")
    worths = []
    for chosen in product((False, True), repeat=5):
        names = [p for p, yes in zip("ABCDE", chosen, strict=True) if yes and live[p]]
        result = check(portfolio, **dict.fromkeys(names, 0))
        worths += [result.objective] if result.certified else []
    assert max(worths, default=None) == bound


def test_a_target_without_room_serves_nobody() -> None:
    def portfolio(capacity: float) -> Portfolio:
        return make(
            [{"project": "A", "value": 3.0}, {"project": "B", "value": 9.0}],
            capacity={"Dev": [capacity] * 6},
            demand=needs(("A", "Dev", 1, 2.0)),
            dependencies=[{"project": "B", "requires": "A", "lag": -9}],
        )

    assert check_bound(portfolio(2.0), certificate()) == 12
    assert check_bound(portfolio(1.0), certificate()) == 0
    assert not check(portfolio(1.0), A=0, B=0).certified
    assert not check(portfolio(1.0), B=0).certified


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"format": 4}, "format 4"),
        ({"format": None}, "format None"),
        ({"format": True}, "format True"),
        ({"cuts": [{"row": "clique"}]}, "cannot have 'cuts'"),
        ({"branches": [1]}, "cannot have 'branches'"),
        ({"bound": 3}, "unknown part 'bound'"),
        ({"multipliers": {}}, "must be a list"),
        ({"strict": 1}, "strict=1"),
    ],
)
def test_certificates_of_another_shape_are_refused(
    parts: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        check_bound(oracle(90), certificate(**parts))


CELL = {"role": "Dev", "period": "2027-01"}
LINK = {"project": "B", "requires": "A", "kind": "finish_start"}


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("capacity", "no JSON object"),
        ({"multiplier": 1}, "unknown row"),
        (row("cover", 1), "unknown row"),
        (row("capacity", -1, **CELL), r"multiplier 1 \(capacity\): .* negative.*'Dev'"),
        (row("capacity", "-1e-9", **CELL), "negative"),
        (row("capacity", "1/3", **CELL), "no number"),
        (row("capacity", "1e999999999", **CELL), "no number"),
        (row("capacity", "0." + "1" * 2000, **CELL), "no number"),
        (row("capacity", float("nan"), **CELL), "no number"),
        (row("capacity", True, **CELL), "no number"),
        (row("capacity", None, **CELL), "a text or a number"),
        (row("capacity", 1, role=["Dev"], period="2027-01"), "a text or a number"),
        (row("capacity", 1, role="Dev"), "keys: 'period'"),
        (row("capacity", 1, **CELL, side="amount"), "keys: 'side'"),
        (row("capacity", 1, role="Tester", period="2027-01"), "no role"),
        (row("capacity", 1, role="Dev", period="2027-07"), "no period of the horizon"),
        (row("capacity", 1, role="Dev", period="soon"), "no period of the horizon"),
        (row("budget", 1, budget="b", side="at_most"), "unknown side"),
        (row("budget", 1, budget="b", side="at_least"), "has this side"),
        (row("budget", 1, budget="c", side="amount"), "no budget 'c'"),
        (row("group", 1, group="G", side="at_least"), "has no at_least"),
        (row("group", 1, group="H", side="at_most"), "no group"),
        (row("group", -1, group="G", side="at_most"), "negative"),
        (row("all_or_none", 1, group="G", project="A"), "no member"),
        (row("all_or_none", 1, group="N", project="B"), "no member"),
        (row("dependency", 1, **LINK, form="never"), "unknown form"),
        (row("dependency", 1, **LINK, form="by"), "keys: 't'"),
        (row("dependency", 1, **LINK, form="by", t="3"), "whole number"),
        (row("dependency", 1, **LINK, form="selected", t=3), "keys: 't'"),
        (row("dependency", 1, **LINK, form="after", t=3), "a lag_max"),
        (row("dependency", -1, **LINK, form="by", t=3), "negative"),
        (
            row("dependency", 1, **{**LINK, "kind": "selected"}, form="at", t=3),
            "no form",
        ),
        (row("dependency", 1, **{**LINK, "requires": "G"}, form="by", t=3), "no such"),
        (
            row(
                "dependency",
                1,
                project="A",
                requires="G",
                kind="finish_start",
                form="after",
                t=0,
            ),
            "single project",
        ),
    ],
)
def test_multipliers_that_mean_nothing_are_refused(entry: Any, words: str) -> None:
    portfolio = make(
        [{"project": "A"}, {"project": "B"}],
        capacity={"Dev": [1.0] * 6},
        demand=needs(("A", "Dev", 0, 1.0)),
        budget=[{"budget": "b", "amount": 3.0}],
        groups=[
            {"group": "G", "project": "B", "at_most": 1},
            {"group": "N", "project": "A", "rule": "all_or_none"},
        ],
        dependencies=[
            LINK,
            {**LINK, "kind": "selected"},
            {"project": "A", "requires": "G", "lag_max": 1},
        ],
    )
    with pytest.raises(ConfigError, match=words):
        check_bound(portfolio, certificate(entry))
