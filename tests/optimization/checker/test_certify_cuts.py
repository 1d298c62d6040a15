"""Cuts: found, written down, and proved again by the checker."""

from __future__ import annotations

import copy
import dataclasses
import json
import time
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest

from pmo_analytics.cli import main
from pmo_analytics.errors import ConfigError
from pmo_analytics.examples.generated import generate_portfolio
from pmo_analytics.loaders.files import write_portfolio
from pmo_analytics.optimization.bounds import cut_loop
from pmo_analytics.optimization.bounds.certificate import certificate_of
from pmo_analytics.optimization.bounds.cut_loop import Tightened, tighten
from pmo_analytics.optimization.checker.check import check_bound
from pmo_analytics.optimization.checker.proofs.cut_reading import Cut, read_cuts
from pmo_analytics.optimization.checker.proofs.cuts import Proofs
from pmo_analytics.optimization.checker.reading import read_question
from pmo_analytics.optimization.model.array_sink import build_matrix
from pmo_analytics.optimization.model.compiling import compile_options
from pmo_analytics.portfolio import Portfolio
from tests.support.brute_force import best_plan, broken_rules, combinations, read_case
from tests.support.certify_cases import (
    JAN,
    certificate,
    check,
    make,
    midlife,
    money,
    needs,
)
from tests.support.clock import AMPLE
from tests.support.counts import tried
from tests.support.instances_random import random_portfolio

pytestmark = pytest.mark.usefixtures("warm_module")

SETTINGS = {"random_seed": 0}


def with_cuts(*cuts: dict[str, Any], **parts: Any) -> dict[str, Any]:
    return certificate(format=2, cuts=list(cuts), **parts)


def clique(multiplier: Any, *members: tuple[str, int, int]) -> dict[str, Any]:
    listed = [list(member) for member in members]
    return {"row": "clique", "members": listed, "multiplier": multiplier}


def cell(
    multiplier: Any, at_most: int, *members: tuple[str, Any, int], period: str = "01"
) -> dict[str, Any]:
    return {
        "row": "capacity",
        "role": "Dev",
        "period": f"2027-{period}",
        "members": [list(member) for member in members],
        "at_most": at_most,
        "multiplier": multiplier,
    }


def stretch(
    multiplier: Any, at_most: int, *members: tuple[str, int, int], until: str = "05"
) -> dict[str, Any]:
    cut = {**cell(multiplier, at_most, *members), "row": "stretch"}
    return {**cut, "until": f"2027-{until}"}


def cut_certificate(portfolio: Portfolio, strict: bool = False) -> dict[str, Any]:
    """Return the certificate after cutting, as it is read from a file."""
    compiled = compile_options(portfolio, strict=strict)
    options = compiled.options
    if compiled.contradictions:
        return certificate(strict=strict)
    if (options.must & (np.diff(options.first) == 0)).any():
        return certificate(strict=strict)
    matrix = build_matrix(options)
    end = time.monotonic() + AMPLE
    found = tighten(options, matrix, end, SETTINGS, stretches_until=end)
    if found is None:
        return certificate(strict=strict)
    facts = dataclasses.asdict(found)
    written = certificate_of(
        portfolio, compiled, facts["prices"], strict=strict, cuts=facts["cuts"]
    )
    return json.loads(json.dumps(written))


# --------------------------------------------------------------- worked out by hand


def three(fte: float = 1.0, capacity: float = 2.25, **fields: Any) -> Portfolio:
    """Return A (10), B (6) and C (7), one month each, that all want January."""
    return make(
        [
            {"project": p, "value": v, "duration": 1, "latest": 0, **fields}
            for p, v in (("A", 10.0), ("B", 6.0), ("C", 7.0))
        ],
        capacity={"Dev": [capacity] * 6},
        demand=needs(*((p, "Dev", 0, fte) for p in "ABC")),
    )


def test_two_of_three_fit() -> None:
    # At 6 for one more of at most 2: 12 + 4 + 0 + 1.
    cut = cell(6, 2, ("A", "1", 1), ("B", "1", 1), ("C", 1, 1))
    assert check_bound(three(), with_cuts(cut)) == 17
    assert check_bound(three(), certificate()) == 23
    # One of three does not follow, nor do two where there is room for all.
    wrong = cell(6, 1, ("A", "1", 1), ("B", "1", 1), ("C", "1", 1))
    assert check_bound(three(), with_cuts(wrong)) == 23
    assert check_bound(three(capacity=3.0), with_cuts(cut)) == 23
    # Three times A, B and C at most 6 is the same; 5 is not true.
    triple = [(p, "1", 3) for p in "ABC"]
    assert check_bound(three(), with_cuts(cell(2, 6, *triple))) == 17
    assert check_bound(three(), with_cuts(cell(2, 5, *triple))) == 23


def test_cuts_hold_for_plans_that_use_the_tolerance() -> None:
    cut = cell(6, 2, *((p, "1", 1) for p in "ABC"))
    assert check(three(capacity=2.999999), A=0, B=0, C=0).certified
    assert check_bound(three(capacity=2.999999), with_cuts(cut)) == 23
    assert not check(three(capacity=2.999998), A=0, B=0, C=0).certified
    assert check_bound(three(capacity=2.999998), with_cuts(cut)) == 17
    pair = clique(7, ("A", 0, 0), ("C", 0, 0))
    assert check_bound(three(capacity=1.999999), with_cuts(pair)) == 23
    assert check_bound(three(capacity=1.999998), with_cuts(pair)) == 16


def test_a_use_given_in_steps() -> None:
    portfolio = make(
        [{"project": "A"}, {"project": "B"}],
        periods=2,
        capacity={"Dev": [3.0, 3.0]},
        demand=needs(("A", "Dev", 0, 2.0), ("B", "Dev", 0, 3.0), ("B", "Dev", 1, 1.0)),
    )
    # Only start 0 is left for both: A 2 and B 3 FTE in January.
    for members, at_most, bound in (
        ([("A", "1.5", 1), ("B", "1", 1)], 1, 10),
        ([("A", "2", 1), ("B", "1", 2), ("B", "3", 1)], 1, 10),
        ([("A", "2.000001", 1), ("B", "1", 1)], 1, 20),  # A is no member
        ([("A", "2", 1), ("B", "3", 2)], 1, 20),  # B counts 2
        ([("A", "2", 1), ("B", "3", 2)], 2, 20 + 20 - 10 - 10),
    ):
        cut = cell(10, at_most, *members)
        assert check_bound(portfolio, with_cuts(cut)) == bound


def test_work_that_must_be_done_takes_its_room_first() -> None:
    # Running A uses 1.5 of 1 FTE in January, so that is the limit: no room for E.
    cut = cell(4, 0, ("E", "0.5", 1))
    only = midlife().projects["project"].isin(list("AE"))
    portfolio = midlife().replace(projects=midlife().projects[only])
    full = Fraction(5)
    assert check_bound(portfolio, with_cuts(cut)) == full
    cells = [cell(4, 0, ("E", "0.5", 1), period=p) for p in ("01", "02")]
    # E still fits in February.
    assert check_bound(portfolio, with_cuts(*cells)) == full
    must = three(force="in", latest=None, earliest=0)
    # All three are needed; in one month two of them fit, whichever.
    cut = cell(1, 2, *((p, "1", 1) for p in "ABC"))
    bound = check_bound(must, with_cuts(cut))
    assert bound == 2 + 23  # each may start later, where nothing is charged
    must = three(capacity=1.75, force="in", latest=1)
    one = [cell(3, 1, *((p, "1", 1) for p in "ABC"), period=m) for m in ("01", "02")]
    # Three projects in two months of one each: 2 * 3 + 23 - 3 * 3.
    assert check_bound(must, with_cuts(*one)) == 20


def ring(**fields: Any) -> Portfolio:
    """Return five projects of 10; each needs the developer in two of five months.

    One after the other shares a month with the next one, the last one with the first.
    """
    names = "ABCDE"
    return make(
        [{"project": p, "duration": 5, "latest": 0, **fields} for p in names],
        periods=5,
        capacity={"Dev": [1.0] * 5},
        demand=needs(
            *(
                (p, "Dev", month, 0.75)
                for n, p in enumerate(names)
                for month in (n, (n + 1) % 5)
            )
        ),
    )


def test_two_of_a_ring_of_five_fit() -> None:
    # No month alone, and no pair of projects, says so: each month lets one of two in.
    cut = stretch(10, 2, *((p, 0, 1) for p in "ABCDE"))
    assert check_bound(ring(), with_cuts(cut)) == 20
    assert check_bound(ring(), certificate()) == 50
    wrong = stretch(10, 1, *((p, 0, 1) for p in "ABCDE"))
    assert check_bound(ring(), with_cuts(wrong)) == 50
    # Of four months A, C and E fit side by side.
    shorter = {**cut, "until": "2027-04"}
    assert check_bound(ring(), with_cuts(shorter)) == 50
    # A count begins with its start: then nobody counts, and nothing is gained.
    late = stretch(10, 2, *((p, 1, 1) for p in "ABCDE"))
    assert check_bound(ring(), with_cuts(late)) == 50
    found = cut_certificate(ring())
    assert [cut["row"] for cut in found["cuts"]] == ["stretch"]
    assert float(check_bound(ring(), found)) == pytest.approx(20)


def test_a_stretch_beside_work_that_must_be_done() -> None:
    # With A in, B and E are out: one of C and D comes with it.
    portfolio = ring()
    must = portfolio.projects.assign(force=["in", None, None, None, None])
    portfolio = portfolio.replace(projects=must)
    cut = stretch(10, 1, *((p, 0, 1) for p in "BCDE"))
    assert check_bound(portfolio, with_cuts(cut)) == 20
    assert check_bound(ring(), with_cuts(cut)) == 50


def test_cuts_of_a_budget() -> None:
    portfolio = make(
        [{"project": "A"}, {"project": "B", "value": 7.0}],
        spend=money(("A", 0, 4.0), ("B", 1, 3.0)),
        budget=[{"budget": "b", "amount": 6.0, "start": 0, "end": 5}],
    )
    cut = {
        "row": "budget",
        "budget": "b",
        "side": "amount",
        "members": [["A", "4", 1], ["B", 3.0, 1]],
        "at_most": 1,
        "multiplier": "7",
    }
    assert check_bound(portfolio, with_cuts(cut)) == 10
    both = [("A", 0, 5), ("B", 0, 5)]
    assert check_bound(portfolio, with_cuts(clique(7, *both))) == 10
    richer = portfolio.replace(budget=portfolio.budget.assign(amount=7.0))
    assert check_bound(richer, with_cuts(cut, clique(7, *both))) == 17


def test_cliques_of_dates_and_groups() -> None:
    rows = [{"project": p, "duration": 1} for p in "AB"]
    rest = [("A", 2, 5), ("B", 0, 2)]
    for lag_max, members, holds in (
        (None, rest, True),
        (None, [("A", 2, 5), ("B", 0, 3)], False),  # A in 2, B in 3
        (1, [("A", 0, 0), ("B", 3, 5)], True),
        (1, [("A", 0, 0), ("B", 2, 5)], False),
    ):
        portfolio = make(
            rows,
            dependencies=[{"project": "B", "requires": "A", "lag_max": lag_max}],
        )
        # What the clique leaves out still earns its 10.
        bound = check_bound(portfolio, with_cuts(clique(0, *members)))
        assert bound == 20
        question = read_question(portfolio, False)
        (cut,) = read_cuts([clique(1, *members)])
        assert (Proofs(question).proved(cut) is not None) is holds
    every = [(p, 0, 5) for p in "ABC"]
    rows = [{"project": p} for p in "ABCD"]
    for at_most, status, holds in (
        (1, "proposed", True),
        (2, "proposed", False),
        (2, "done", True),
    ):
        group = make(
            [*rows[:3], {"project": "D", "status": status}],
            groups=[{"group": "G", "project": p, "at_most": at_most} for p in "ABCD"],
        )
        wanted = (10 if holds else 30) + (10 if status == "proposed" else 0)
        assert check_bound(group, with_cuts(clique(10, *every))) == wanted


def test_fixed_work_clashes_with_nobody_it_leaves_room_for() -> None:
    portfolio = make(
        [
            {"project": "R", "status": "running", "start": 0, "duration": 6},
            {"project": "A"},
            {"project": "B"},
        ],
        capacity={"Dev": [3.0] * 6},
        demand=needs(
            *(("R", "Dev", o, 1.0) for o in range(6)),
            *((p, "Dev", o, 1.5) for p in "AB" for o in range(2)),
        ),
    )
    # 1 + 1.5 + 1.5 is more than 3, so A and B clash where they overlap.
    # With other starts left it costs 10 and saves nothing.
    assert check_bound(portfolio, with_cuts(clique(10, ("A", 2, 3), ("B", 2, 3)))) == 40
    narrow = portfolio.projects.assign(earliest=JAN + 2, latest=JAN + 3)
    narrow.loc[0, ["earliest", "latest"]] = None
    pair = clique(10, ("A", 2, 3), ("B", 2, 3))
    assert check_bound(portfolio.replace(projects=narrow), with_cuts(pair)) == 20
    # R and A do not clash, whatever is claimed.
    pair = clique(10, ("A", 2, 3), ("R", 0, 0))
    assert check_bound(portfolio.replace(projects=narrow), with_cuts(pair)) == 30


def test_negative_amounts_prove_nothing() -> None:
    odd = make(
        [{"project": p, "duration": 1, "latest": 0} for p in "ABC"],
        capacity={"Dev": [1.0] * 6},
        demand=needs(("A", "Dev", 0, 1.0), ("B", "Dev", 0, 1.0), ("C", "Dev", 0, -1.0)),
    )
    assert check(odd, A=0, B=0, C=0).certified
    for cut in (
        cell(10, 1, ("A", "1", 1), ("B", "1", 1)),
        clique(10, ("A", 0, 0), ("B", 0, 0)),
    ):
        assert check_bound(odd, with_cuts(cut)) == 30


# --------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("cut", "words"),
    [
        ("clique", "cut 1: it is no JSON object"),
        ({"row": "cover"}, "unknown row 'cover'"),
        ({**clique(1), "at_most": 1}, "keys: 'at_most'"),
        ({**cell(1, 1), "side": "amount"}, "keys: 'side'"),
        (clique(-1), "negative"),
        (clique("1/3"), "no number"),
        (clique(True), "no number"),
        (clique(None), "no number"),
        (clique("1e999999999"), "no number"),
        (cell(1, -1), r"0 \.\. 1,000,000, not -1"),
        (cell(1, 1.5), "whole number"),
        (cell(1, True), "whole number"),
        (cell(1, 10**7), "not 10000000"),
        (cell(1, 1, ("A", "1", -1)), "not -1"),
        (cell(1, 1, ("A", "1", 0.5)), "whole number"),
        (cell(1, 1, ("A", "one", 1)), "use 'one' of 'A' is no number"),
        (cell(1, 1, ("A", None, 1)), "is no number"),
        (cell(1, 1, ("Z", "1", 1)), "no project is called 'Z'"),
        (cell(1, 1, ("A", "1", 1), ("A", "1.0", 1)), "'A' stands twice"),
        (cell(1, 1, ("A", "1e400", 1), ("A", "1e400", 1)), "the use inf"),
        (cell(1, 1, (3, "1", 1)), "no name of a project"),
        ({**clique(1), "members": {}}, "must be a list"),
        ({**clique(1), "members": [["A", 0]]}, "list of three"),
        (clique(1, ("A", "0", 1)), "a start must be a whole number"),
        (clique(1, ("A", 0, True)), "a start must be a whole number"),
        (clique(1, ("Z", 0, 1)), "no project is called 'Z'"),
        (clique(1, ("A", 0, 0), ("A", -5, 0)), "stands twice with the start 0"),
        (stretch(1, 1, ("A", 0.5, 1)), "a start must be a whole number"),
        (stretch(1, 1, ("A", 0, 0.5)), "a count must be a whole number"),
        (stretch(1, 1, ("Z", 0, 1)), "no project is called 'Z'"),
        (stretch(1, 1, ("A", 0, 1), ("A", 0, 2)), "'A' stands twice with the start 0"),
        ({**stretch(1, 1), "period": "2027-06"}, "ends in '2027-05', before it begins"),
        (stretch(1, 1, until="07"), "'2027-07' is no period of the horizon"),
        ({**stretch(1, 1), "until": 5}, "no period of the horizon"),
        ({**stretch(1, 1), "role": "Tester"}, "no role is called 'Tester'"),
        ({**cell(1, 1), "row": "stretch"}, "keys: 'until'"),
        ({**cell(1, 1), "role": "Tester"}, "no role is called 'Tester'"),
        ({**cell(1, 1), "role": ["Dev"]}, "no role is called"),
        ({**cell(1, 1), "period": "2027-07"}, "no period of the horizon"),
        ({**cell(1, 1), "period": ["2027-01"]}, "no period of the horizon"),
    ],
)
def test_cuts_that_cannot_be_read_are_refused(cut: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        check_bound(three(), with_cuts(cut))


def test_cuts_of_no_budget_are_refused() -> None:
    cut = {"row": "budget", "members": [], "at_most": 1, "multiplier": 1}
    with pytest.raises(ConfigError, match="no budget 'b'"):
        check_bound(three(), with_cuts({**cut, "budget": "b", "side": "amount"}))
    with pytest.raises(ConfigError, match="side 'amount', not 'at_least'"):
        check_bound(three(), with_cuts({**cut, "budget": "b", "side": "at_least"}))


def test_the_list_itself_is_read() -> None:
    with pytest.raises(ConfigError, match="'cuts' of the certificate must be a list"):
        check_bound(three(), certificate(format=2, cuts={"a": 1}))
    with pytest.raises(ConfigError, match="format 1 cannot have 'cuts'"):
        check_bound(three(), certificate(cuts=[clique(1)]))
    with pytest.raises(ConfigError, match="format 2 cannot have 'branches'"):
        check_bound(three(), certificate(format=2, branches=[1]))
    assert check_bound(three(), certificate(format=2)) == 23


def test_a_cut_that_is_too_much_work_is_left_out() -> None:
    large = 10**6
    cut = cell("0.000001", large, *((p, "1", large) for p in "ABC"))
    assert check_bound(three(capacity=1.0), with_cuts(cut)) == 23
    cut = stretch("0.000001", large, *((p, 0, large) for p in "ABC"))
    assert check_bound(three(capacity=1.0), with_cuts(cut)) == 23


# ------------------------------------------------------------------ against enumeration


def accepted_plans(portfolio: Portfolio, strict: bool) -> list[dict[str, int]]:
    case = read_case(portfolio)
    live = [p for p in case.projects.values() if p.state == "live"]
    choices: list[list[int | None]] = [
        [*p.starts] if p.must else [None, *p.starts] for p in live
    ]
    plans = []
    for starts in product(*choices):
        named = zip(live, starts, strict=True)
        plan = {p.name: s for p, s in named if s is not None}
        if not broken_rules(case, plan, strict=strict):
            plans.append(plan)
    return plans


def proofs_of(portfolio: Portfolio, strict: bool) -> Proofs:
    return Proofs(read_question(portfolio, strict))


def holds(proofs: Proofs, cut: Cut, plans: list[dict[str, int]]) -> bool:
    """Return whether a cut is true of every plan, in its own words."""
    counts = proofs.proved(dataclasses.replace(cut, multiplier=Fraction(1)))
    assert counts is not None
    projects = proofs.question.projects
    return all(
        sum(
            counts[name][projects[name].allowed.index(s)]
            for name, s in plan.items()
            if name in counts
        )
        <= cut.at_most
        for plan in plans
    )


def tight_portfolio(rng: np.random.Generator) -> Portfolio:
    """Return a random portfolio with every rule and few combinations."""
    while True:
        portfolio = random_portfolio(rng, max_projects=4, max_periods=5)
        if combinations(portfolio) <= 500:
            return portfolio


def crowded(rng: np.random.Generator) -> Portfolio:
    """Return few projects that want more than there is, so that there are cuts."""
    periods, size = int(rng.integers(2, 5)), int(rng.integers(3, 5))
    names = [f"P{k}" for k in range(size)]
    roles = ["Dev", "Test"][: int(rng.integers(1, 3))]
    step = float(rng.choice([0.5, 0.25, 0.1]))
    projects = [
        {
            "project": name,
            "duration": int(rng.integers(1, 3)),
            "value": float(rng.integers(2, 30)),
            "force": "in" if rng.random() < 0.1 else None,
        }
        for name in names
    ]
    if rng.random() < 0.3:
        projects[0] |= {"status": "running", "start": -1, "force": None}
    demand = [
        (row["project"], role, offset, step * int(rng.integers(1, round(1.5 / step))))
        for row in projects
        for role in roles
        for offset in range(row["duration"])
    ]
    tables: dict[str, Any] = {}
    if rng.random() < 0.5:
        tables["spend"] = money(*((p, 0, float(rng.integers(1, 9))) for p in names))
        tables["budget"] = [{"budget": "b", "amount": 3.0 * size, "start": 0, "end": 1}]
    if rng.random() < 0.4:
        limit = {"group": "G", "at_most": int(rng.integers(1, 3))}
        tables["groups"] = [{**limit, "project": name} for name in names[1:]]
    if rng.random() < 0.5:
        lag_max = 1 if rng.random() < 0.5 else None
        tables["dependencies"] = [
            {"project": names[2], "requires": names[1], "lag_max": lag_max}
        ]
    capacity = {
        role: (step * rng.integers(round(1 / step), round(2 / step), periods)).tolist()
        for role in roles
    }
    rows = [(p, role, o, round(fte, 2)) for p, role, o, fte in demand]
    return make(
        projects, periods=periods, capacity=capacity, demand=needs(*rows), **tables
    )


@pytest.mark.parametrize("chunk", range(tried(4)))
def test_no_plan_beats_a_bound_with_cuts(chunk: int) -> None:
    rng = np.random.default_rng([chunk, 17])
    found = 0
    for number in range(30):
        strict = number % 4 == 3
        portfolio = crowded(rng)
        best, _ = best_plan(portfolio, strict)
        written = cut_certificate(portfolio, strict)
        bound = check_bound(portfolio, written, strict=strict)
        if best is None:
            continue
        assert bound is not None
        assert bound >= best
        if not written["cuts"]:
            continue
        plain = {**written, "cuts": [], "format": 1}
        assert check_bound(portfolio, plain, strict=strict) is not None
        plans = accepted_plans(portfolio, strict)
        proofs = proofs_of(portfolio, strict)
        for cut in read_cuts(written["cuts"]):
            found += 1
            if proofs.proved(cut) is not None:
                assert holds(proofs, cut, plans), cut
    assert found > 8


def tampered(cut: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """Return a cut that claims a little more than it should."""
    cut = copy.deepcopy(cut)
    members = cut["members"]
    n = int(rng.integers(len(members)))
    change = rng.integers(5)
    if cut["row"] == "clique":
        if change < 3:
            members[n][1 + int(change > 1)] += -1 if change < 2 else 1
        else:
            members[n] = [members[n][0], 0, 9]
    elif change == 0:
        members[n][2] += int(rng.integers(1, 3))
    elif change == 1:
        cut["at_most"] = max(cut["at_most"] - 1, 0)
    elif cut["row"] == "stretch" and change < 4:
        members[n][1] += int(rng.choice([-2, -1, 1]))
    elif change == 2:
        members[n][1] = str(float(members[n][1]) / 2)
    elif change == 3 and cut["row"] == "capacity":
        cut["period"] = int(cut["period"][:4]) if rng.random() < 0.1 else cut["period"]
        members[n][1] = "0"
    else:
        members[n][0] = members[(n + 1) % len(members)][0]
    cut["multiplier"] = str(float(cut["multiplier"]) * float(rng.uniform(1, 4)))
    return cut


@pytest.mark.parametrize("chunk", range(tried(8)))
def test_tampered_cuts_never_undercut_the_best_plan(chunk: int) -> None:
    rng = np.random.default_rng([chunk, 18])
    tried = refused = 0
    while tried < 50:
        portfolio = crowded(rng)
        best, _ = best_plan(portfolio)
        written = cut_certificate(portfolio)
        if best is None or not written["cuts"]:
            continue
        for _ in range(10):
            false = copy.deepcopy(written)
            for k in range(len(false["cuts"])):
                if rng.random() < 0.7:
                    false["cuts"][k] = tampered(false["cuts"][k], rng)
            tried += 1
            try:
                bound = check_bound(portfolio, false)
            except ConfigError:
                refused += 1
                continue
            assert bound is not None
            assert bound >= best, false["cuts"]
    assert refused < tried


def random_cut(portfolio: Portfolio, rng: np.random.Generator) -> dict[str, Any]:
    """Return any claim about a row or a clique of the portfolio."""
    names = rng.permutation(portfolio.projects["project"].to_numpy()).tolist()
    names = names[: int(rng.integers(2, len(names) + 1))]
    if rng.random() < 0.5:
        firsts = rng.integers(-1, len(portfolio.horizon), len(names)).tolist()
        spans = rng.integers(0, 3, len(names)).tolist()
        return clique(
            1, *((p, f, f + s) for p, f, s in zip(names, firsts, spans, strict=True))
        )
    members = []
    for name in names:
        use = float(rng.choice([0.0, 0.05, 0.5, 1.0, 2.0, 10.0]))
        members.append([name, use, int(rng.integers(0, 4))])
        if rng.random() < 0.3:
            members.append([name, use + 1.5, int(rng.integers(0, 4))])
    end = {"members": members, "at_most": int(rng.integers(0, 5)), "multiplier": 1}
    if rng.random() < 0.4:
        members[:] = [
            [name, first, int(rng.integers(0, 4))]
            for name in names
            for first in range(int(rng.integers(-2, 3)), 5, 2)
        ]
        days = [str(period.start_time.date()) for period in portfolio.horizon]
        first, last = sorted(rng.integers(len(days), size=2).tolist())
        role = str(rng.choice(portfolio.capacity.columns.to_numpy()))
        where = {"role": role, "period": days[first], "until": days[last]}
        return {"row": "stretch", **where, **end}
    budgets = portfolio.budget.dropna(subset="amount")["budget"].tolist()
    if budgets and rng.random() < 0.4:
        return {"row": "budget", "budget": budgets[0], "side": "amount", **end}
    role = str(rng.choice(portfolio.capacity.columns.to_numpy()))
    period = portfolio.horizon[int(rng.integers(len(portfolio.horizon)))]
    day = str(period.start_time.date())
    return {"row": "capacity", "role": role, "period": day, **end}


def test_whatever_is_proved_is_true_of_every_plan() -> None:
    rng = np.random.default_rng(19)
    proved = 0
    for number in range(tried(60)):
        strict = number % 3 == 2
        draw = crowded if number % 2 else tight_portfolio
        portfolio = draw(rng)
        plans = accepted_plans(portfolio, strict)
        proofs = proofs_of(portfolio, strict)
        for cut in read_cuts([random_cut(portfolio, rng) for _ in range(40)]):
            if proofs.proved(cut) is not None:
                proved += 1
                assert holds(proofs, cut, plans), cut
    assert proved > tried(200)


# ----------------------------------------------------------------------- what it brings


@pytest.mark.parametrize(("mid_life", "seed"), [(False, 3), (True, 2)])
def test_cuts_tighten_the_relaxation(mid_life: bool, seed: int) -> None:
    size = (25, 5, 14) if mid_life else (14, 4, 10)
    portfolio = generate_portfolio(*size, seed=seed, mid_life=mid_life).validate()
    written = cut_certificate(portfolio)
    options = compile_options(portfolio).options
    relaxed: list[float] = []
    tighten(
        options,
        build_matrix(options),
        time.monotonic() + AMPLE,
        SETTINGS,
        enough=float("inf"),
        watch=lambda _round, bound, _cuts: relaxed.append(bound),
    )
    bound = check_bound(portfolio, written)
    assert bound is not None
    assert float(bound) < 0.97 * relaxed[0]
    kinds = {cut["row"] for cut in written["cuts"]}
    assert kinds >= {"clique", "capacity", "stretch"}
    proofs = proofs_of(portfolio, strict=False)
    assert all(proofs.proved(cut) is not None for cut in read_cuts(written["cuts"]))


def test_what_is_told_while_more_cuts_are_sought_proves_its_bound(monkeypatch) -> None:
    monkeypatch.setattr(cut_loop, "_TELL", 0.0)
    monkeypatch.setattr(cut_loop, "_AT_ONCE", 20)
    portfolio = generate_portfolio(25, 5, 14, seed=2).validate()
    compiled = compile_options(portfolio)
    told: list[Tightened] = []
    matrix = build_matrix(compiled.options)
    until = time.monotonic() + AMPLE
    last = tighten(compiled.options, matrix, until, SETTINGS, tell=told.append)
    assert last is not None
    assert all(cut.resource is None for cut in told[0].cuts)
    assert len({len(one.cuts) for one in told}) > 3
    bounds = [one.bound for one in [*told, last]]
    assert bounds[-1] < 0.995 * bounds[0]
    for one in [*told[:: len(told) // 4], last]:
        facts = dataclasses.asdict(one)
        written = certificate_of(
            portfolio, compiled, facts["prices"], strict=False, cuts=facts["cuts"]
        )
        bound = check_bound(portfolio, json.loads(json.dumps(written)))
        assert float(bound) == pytest.approx(one.bound, rel=1e-5)
        assert float(bound) >= last.bound * (1 - 1e-5)


def test_optimize_and_verify_with_cuts(tmp_path, capsys) -> None:
    portfolio = generate_portfolio(14, 4, 10, seed=1)
    write_portfolio(portfolio, tmp_path / "portfolio")
    words = ["optimize", tmp_path / "portfolio", "--seconds", "600", "--json", "--out"]
    assert main([*map(str, words), str(tmp_path / "plan")]) == 0
    told = json.loads(capsys.readouterr().out)
    written = json.loads((tmp_path / "plan" / "certificate.json").read_text("utf-8"))
    assert written["format"] == 3
    assert written["cuts"]
    bound = check_bound(portfolio, written)
    assert bound is not None
    assert float(bound) == told["certified_bound"]
    plain = check_bound(portfolio, {**written, "cuts": [], "branches": []})
    assert plain is not None
    assert bound < plain
    schedule = tmp_path / "plan" / "schedule.csv"
    assert main(["verify", str(tmp_path / "portfolio"), str(schedule), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["certified_bound"] == pytest.approx(float(bound))
