"""The instances of the optimizer benchmark, by name.

Generated ones come from seeds; in every second one (odd seeds) the portfolio is in
mid-life: some projects run since before the horizon, some are approved, forced, paused,
finished or cancelled. In `pools` roles have many people and room for many projects at a
time, in the others for two to five. Published ones are read from `../shared/data` where
it is there.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pmo_analytics as pmo
from pmo_analytics.optimization.model.instance import Options
from tests.support.instances import ppssp_portfolio
from tests.support.real_data import DATA, mknap_portfolios

SEEDS = 10
QUICK_SECONDS = 20.0
# (projects, months, roles, kind) -> seconds, and whether a quick run takes it.
GENERATED = {
    (50, 24, 8, "mixed"): (60.0, True),
    (200, 36, 12, "few_big"): (60.0, True),
    (200, 36, 12, "many_small"): (60.0, True),
    (200, 36, 12, "chains"): (60.0, True),
    (200, 36, 12, "pools_big"): (60.0, False),
    (200, 36, 12, "pools_small"): (60.0, False),
    (200, 36, 12, "pools_chains"): (60.0, False),
    (500, 48, 20, "mixed"): (60.0, True),
    (500, 48, 20, "pools"): (60.0, False),
    (1000, 60, 40, "mixed"): (120.0, False),
    (2000, 60, 40, "mixed"): (120.0, False),
}
# File, seconds, best published objective and whose it is.
PPSSP = {
    "PI_1": ("PI_1_1000_25_0.25_0.01.json", 350.0, 893_555.816, "Gurobi 11, 351 s"),
    "PI_2": ("PI_2_2000_25_0.25_0.01.json", 600.0, None, ""),
}
MKNAPCB = ("mknapcb1", "mknapcb2")
MKNAPCB_EACH = 30
MKNAPCB_SECONDS = 30.0


@dataclass(frozen=True)
class Instance:
    """One portfolio of the benchmark.

    Parameters
    ----------
    group
        What its results are averaged with.
    seed
        Of the generator, or the number within a published file.
    seconds
        Wall clock that every solver gets.
    build
        Makes the portfolio.
    published
        Best objective known from elsewhere, and whose it is.
    missing
        Why it cannot be built here; blank where it can.
    """

    group: str
    seed: int
    seconds: float
    build: Callable[[], pmo.Portfolio]
    quick: bool = False
    mid_life: bool = False
    published: float | None = None
    published_by: str = ""
    missing: str = ""

    @property
    def name(self) -> str:
        """Group and seed, such as `200x36x12-chains/3`."""
        return f"{self.group}/{self.seed}"


def all_instances() -> list[Instance]:
    """Return every instance, small ones first."""
    return [*_generated(), *_knapsacks(), *_ppssp()]


def choose(
    instances: Iterable[Instance],
    *,
    full: bool = False,
    only: str = "",
    seeds: int | None = None,
) -> list[Instance]:
    """Return the instances asked for.

    Parameters
    ----------
    full
        All of them, else one seed of each of the smaller sizes.
    only
        Part of a name, which then is taken from all of them.
    seeds
        How many of each group; by default all with `full`, else one.
    """
    most = seeds if seeds is not None else (10**9 if full else 1)
    taken: dict[str, int] = {}
    result = []
    for instance in instances:
        wanted = only in instance.name if only else full or instance.quick
        exact = only == instance.name
        if wanted and (exact or taken.get(instance.group, 0) < most):
            taken[instance.group] = taken.get(instance.group, 0) + 1
            result.append(instance)
    return result


# What makes a question: names of arrays may change, and what follows from these.
_QUESTION = [
    "first",
    "start",
    "worth",
    "must",
    "use_first",
    "use_row",
    "use_amount",
    "limit",
    "least",
    "group_first",
    "group_project",
    "group_least",
    "group_most",
    "group_all",
    "sizes",
    "dependency_project",
    "dependency_kind",
    "dependency_first",
    "dependency_target",
    "dependency_lag",
    "dependency_lag_max",
    "linear_first",
    "linear_option",
    "linear_weight",
    "linear_lower",
    "linear_upper",
]


def fingerprint(options: Options) -> str:
    """Return a short digest of the options: the same question, the same text."""
    digest = hashlib.sha256()
    arrays = options.arrays()
    for name in _QUESTION:
        digest.update(arrays[name].tobytes())
    return digest.hexdigest()[:12]


def _generated() -> list[Instance]:
    result = []
    for (projects, months, roles, kind), (seconds, quick) in GENERATED.items():
        size = f"{projects}x{months}x{roles}"
        for seed in range(SEEDS):
            build = functools.partial(
                pmo.generate_portfolio,
                projects,
                roles,
                months,
                seed,
                kind=kind,
                mid_life=seed % 2 == 1,
            )
            result.append(
                Instance(
                    size if kind == "mixed" else f"{size}-{kind}",
                    seed,
                    seconds,
                    build,
                    quick,
                    mid_life=seed % 2 == 1,
                )
            )
    return result


def _knapsacks() -> list[Instance]:
    results = DATA / "mkp" / "mkcbres.txt"
    known = best_knapsacks(results) if results.exists() else []
    return [
        Instance(
            file,
            number,
            MKNAPCB_SECONDS,
            functools.partial(_knapsack, file, number),
            published=known[k] if k < len(known) else None,
            published_by="best of OR-Library's table",
            missing=_missing(DATA / "mkp" / f"{file}.txt"),
        )
        for k, (file, number) in enumerate(
            (file, number) for file in MKNAPCB for number in range(MKNAPCB_EACH)
        )
    ]


def _ppssp() -> list[Instance]:
    result = []
    for name, (file, seconds, published, by) in PPSSP.items():
        path = DATA / "ppssp" / file
        build = functools.partial(ppssp_portfolio, path)
        result.append(
            Instance(
                f"PPSSP-{name}",
                0,
                seconds,
                build,
                published=published,
                published_by=by,
                missing=_missing(path),
            )
        )
    return result


def _missing(path: Path) -> str:
    if path.exists():
        return ""
    return f"../shared/data/{path.relative_to(DATA)} is not here"


def best_knapsacks(path: Path) -> list[float]:
    """Return the best known values of the mknapcb problems, in the order of the files.

    The first table of the file has one problem a line, value last; the second table
    holds bounds.
    """
    values: list[float] = []
    inside = False
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("Problem Name"):
            if inside:
                break
            inside = True
        elif inside and line.strip():
            values.append(float(line.split()[-1]))
    return values


@functools.cache
def _knapsacks_of(file: str) -> tuple[pmo.Portfolio, ...]:
    return tuple(p for p, _ in mknap_portfolios(DATA / "mkp" / f"{file}.txt"))


def _knapsack(file: str, number: int) -> pmo.Portfolio:
    return _knapsacks_of(file)[number]
