"""How fast explanations come: why 300 projects have no plan, in 30 seconds.

    python tests/benchmarks/bench_explain.py             two seeds of three kinds
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
from pmo_analytics.errors import PmoWarning
from pmo_analytics.optimization import clash
from pmo_analytics.optimization.rulebook import read_rulebook
from pmo_analytics.optimization.wording import say_rule

SECONDS = 30.0


def spoiled(seed: int, kind: str) -> pmo.Portfolio:
    """Return 300 projects x 36 months x 12 roles that have no plan.

    `force`: 120 candidates are forced in. `cut`: capacity falls to 35 %, 25 are
    forced in. `budget`: budgets fall to 10 %, 30 are forced in. `single`: one role
    loses its people in one year, 10 are forced in.
    """
    portfolio = pmo.generate_portfolio(300, 12, 36, seed=seed, mid_life=True)
    rng = np.random.default_rng(seed)
    projects = portfolio.projects.copy()
    free = projects["status"].isin(["idea", "proposed", "paused"])
    free &= projects["force"] != "out"
    count = {"force": 120, "cut": 25, "budget": 30, "single": 10}[kind]
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
    return portfolio.replace(projects=projects, capacity=capacity, budget=budget)


def really_minimal(portfolio: pmo.Portfolio, why: pmo.WhyInfeasible) -> str:
    """Return whether each rule is needed, by models solved anew."""
    book = read_rulebook(portfolio.validate())
    rules = why.rules
    wanted = set(zip(rules["rule"], rules["subject"], rules["message"], strict=True))
    kept = [
        k
        for k, rule in enumerate(book.rules)
        if (rule.kind, rule.subject, say_rule(book, rule)) in wanted
    ]
    verdicts = []
    for rule in [None, *kept]:
        model = clash.Clash(book.wide.options, book.job())
        active = model.active([k for k in kept if k != rule])
        verdicts.append(model.check(active, 60.0)[0])
    fine = verdicts[0] == "infeasible" and set(verdicts[1:]) == {"feasible"}
    return "yes" if fine else f"NO: {verdicts}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument(
        "--kinds", nargs="*", default=["force", "cut", "budget", "single"]
    )
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", PmoWarning)
    print(
        "kind     seed  status      clash after  whole  rules  proved  questions  tried"
    )
    for kind in arguments.kinds:
        for seed in range(arguments.seeds):
            portfolio = spoiled(seed, kind)
            begin = time.perf_counter()
            why = pmo.why_infeasible(portfolio, seconds=SECONDS)
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
