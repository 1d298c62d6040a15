"""How fast explanations come: why 300 projects have no plan, in 30 seconds.

    python tests/benchmarks/bench_explain.py             two seeds of each kind
    python tests/benchmarks/bench_explain.py --seeds 5

Every clash that is called minimal is tried: without any one of its rules the others
must have a plan, by models that are solved anew.
"""

from __future__ import annotations

import argparse
import time
import warnings

import numpy as np

import pmo_analytics as pmo
from pmo_analytics.clock.periods import format_period
from pmo_analytics.errors import PmoWarning
from pmo_analytics.optimization.explaining.rulebook import read_rulebook
from pmo_analytics.optimization.explaining.wording import say_rule
from pmo_analytics.optimization.workers import infeasible_subset

SECONDS = 30.0
KINDS = ["force", "cut", "budget", "single", "people"]


def spoiled(seed: int, kind: str) -> pmo.Portfolio:
    """Return 300 projects x 36 months x 12 roles that have no plan.

    `force`: 120 candidates are forced in. `cut`: capacity falls to 35 %, 25 are
    forced in. `budget`: budgets fall to 10 %, 30 are forced in. `single`: one role
    loses its people in one year, 10 are forced in. `people`: 100 are forced in, and
    nothing but people, windows and blackouts can clash.
    """
    portfolio = pmo.generate_portfolio(300, 12, 36, seed=seed, mid_life=True)
    rng = np.random.default_rng(seed)
    projects = portfolio.projects.copy()
    free = projects["status"].isin(["idea", "proposed", "paused"])
    free &= projects["force"] != "out"
    count = {"force": 120, "cut": 25, "budget": 30, "single": 10, "people": 100}[kind]
    rows = rng.choice(projects.index[free], count, replace=False)
    projects.loc[rows, ["force", "force_reason"]] = ["in", "Ordered"]
    capacity, budget = portfolio.capacity.copy(), portfolio.budget.copy()
    if kind == "cut":
        capacity *= 0.35
    elif kind == "budget":
        budget["amount"] *= 0.1
    elif kind == "single":
        busiest = portfolio.demand.groupby("role")["fte"].sum().idxmax()
        capacity.iloc[12:24, capacity.columns.get_loc(busiest)] *= 0.2
    elif kind == "people":
        budget = budget.iloc[:0]
        portfolio = portfolio.replace(
            groups=portfolio.groups.iloc[:0],
            dependencies=portfolio.dependencies.iloc[:0],
        )
    return portfolio.replace(projects=projects, capacity=capacity, budget=budget)


def really_minimal(
    portfolio: pmo.Portfolio, why: pmo.optimization.WhyInfeasible
) -> str:
    """Return whether each row is needed, by models solved anew."""
    book = read_rulebook(portfolio.validate())
    periods = [format_period(period) for period in portfolio.horizon]
    units = []
    for row in why.rules.itertuples():
        own = [
            k
            for k, rule in enumerate(book.rules)
            if (rule.kind, rule.subject) == (row.rule, row.subject)
        ]
        if row.rule == "capacity":
            inside = set(_months(row.period, periods))
            own = [k for k in own if book.rules[k].number % len(periods) in inside]
        elif row.rule == "blackout" or len(own) > 1:
            own = [k for k in own if say_rule(book, book.rules[k]) == row.message]
        units.append(own)
    verdicts = []
    for left_out in [None, *units]:
        model = infeasible_subset.Clash(book.wide.options, book.facts())
        kept = [k for unit in units if unit is not left_out for k in unit]
        verdicts.append(model.check(model.active(kept), 60.0)[0])
    fine = verdicts[0] == "infeasible" and set(verdicts[1:]) == {"feasible"}
    return "yes" if fine else f"NO: {verdicts}"


def _months(text: str, periods: list[str]) -> list[int]:
    """Return the places of the periods that `2027-01 to 2027-03 and 2027-05` names."""
    places: list[int] = []
    for part in text.replace(" and ", ", ").split(", "):
        first, _, last = part.partition(" to ")
        places += range(periods.index(first), periods.index(last or first) + 1)
    return places


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--kinds", nargs="*", default=KINDS)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", PmoWarning)
    print(
        "kind     seed  status      clash after  whole  rules  proved  questions  tried"
    )
    for kind in arguments.kinds:
        for seed in range(arguments.seeds):
            portfolio = spoiled(seed, kind)
            begin = time.perf_counter()
            why = pmo.why_infeasible(portfolio, limits=pmo.SolveLimits(seconds=SECONDS))
            took = time.perf_counter() - begin
            tried = really_minimal(portfolio, why) if why.minimal else ""
            found = "" if why.clash_seconds is None else f"{why.clash_seconds:.1f} s"
            print(
                f"{kind:8} {seed:4}  {why.status:10} {found:>12} {took:5.1f} s"
                f"{len(why.rules):7}{int(why.rules['proved'].sum()):8}"
                f"{why.questions:11}  {tried}",
                flush=True,
            )


if __name__ == "__main__":
    main()
