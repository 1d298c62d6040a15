"""The tables of the optimizer benchmark, as text and as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from tests.benchmarks.racing import MOMENTS, SOLVERS, slip
from tests.benchmarks.results import Record, latest

# Objectives this close, relatively, are equal.
TIE = 1e-6
_ORDER = list(SOLVERS)


@dataclass(frozen=True)
class Table:
    """Rows of text under headings; `left` names the columns that are words."""

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    left: frozenset[str]

    def text(self) -> str:
        """Return aligned text."""
        widths = self._widths()
        lines = [
            self._line(self.headings, widths),
            "-" * (sum(widths) + 2 * len(widths)),
        ]
        previous = None
        for row in self.rows:
            # The first column is written once for all solvers of an instance.
            shown = ["", *row[1:]] if row[0] == previous else row
            previous = row[0]
            lines.append(self._line(shown, widths))
        return "\n".join(line.rstrip() for line in lines)

    def markdown(self) -> str:
        """Return a Markdown table."""
        marks = ["---" if h in self.left else "--:" for h in self.headings]
        return "\n".join(
            f"| {' | '.join(row)} |" for row in [self.headings, marks, *self.rows]
        )

    def _widths(self) -> list[int]:
        return [
            max(len(row[i]) for row in [self.headings, *self.rows])
            for i in range(len(self.headings))
        ]

    def _line(self, row: Sequence[str], widths: Sequence[int]) -> str:
        return "  ".join(
            cell.ljust(width) if heading in self.left else cell.rjust(width)
            for cell, heading, width in zip(row, self.headings, widths, strict=True)
        )


def detail(records: Iterable[Record]) -> Table:
    """Return one row per instance and solver."""
    moments = [f"at {m} s" for m in MOMENTS]
    headings = [
        "instance",
        "solver",
        "status",
        "objective",
        "vs best peer",
        "gap",
        "certified gap",
        "first plan",
        *moments,
        "took",
        "note",
    ]
    rows = []
    for runs in _by_question(latest(records)):
        best = best_of(runs, peers=True)
        top = best_of(runs)
        title = f"{runs[0]['instance']} ({runs[0]['seconds']:g} s)"
        for run in runs:
            better = None
            if run["solver"] == "ours" and best and run["objective"] is not None:
                better = improvement(run["objective"], best)
            rows.append(
                [
                    title,
                    SOLVERS[run["solver"]].label,
                    run["status"],
                    number(run["objective"]),
                    percent(better, signed=True),
                    percent(run["gap"]),
                    percent(run.get("certified_gap")),
                    _seconds(run["first_seconds"]),
                    *(number(run["at"].get(str(m))) for m in MOMENTS),
                    _seconds(run.get("took")),
                    "; ".join(notes(run, top)),
                ]
            )
    words = {"instance", "solver", "status", "note"}
    return Table(headings, rows, frozenset(words))


def summary(records: Iterable[Record]) -> Table:
    """Return one row per group of instances: ours against the best peer of each."""
    peers = [name for name in _ORDER if name != "ours"]
    runs = latest(records)
    peers = [p for p in peers if any(r["solver"] == p for r in runs)]
    headings = [
        "instances",
        "seconds",
        "n",
        "vs best peer",
        "worst",
        "win/tie/loss",
        "only ours",
        *(f"vs {SOLVERS[p].label}" for p in peers),
        "mean gap",
        "best peer gap",
        "certified gap",
        "published",
    ]
    groups: dict[tuple[str, float], list[list[Record]]] = {}
    for question in _by_question(runs):
        key = question[0]["group"], question[0]["seconds"]
        groups.setdefault(key, []).append(question)
    rows = [
        [group, f"{seconds:g}", *_group_row(questions, peers)]
        for (group, seconds), questions in groups.items()
    ]
    return Table(headings, rows, frozenset({"instances"}))


def _group_row(questions: list[list[Record]], peers: list[str]) -> list[str]:
    better: list[float] = []
    each: dict[str, list[float]] = {p: [] for p in peers}
    only = wins = losses = reached = known = 0
    gaps: list[float] = []
    peer_gaps: list[float] = []
    certified: list[float] = []
    count = 0
    for runs in questions:
        ours = next((r for r in runs if r["solver"] == "ours"), None)
        if ours is None:
            continue
        count += 1
        objective = ours["objective"]
        peer_gaps += _smallest([r["gap"] for r in runs if r is not ours])
        if objective is None:
            losses += best_of(runs, peers=True) is not None
            continue
        gaps += _smallest([ours["gap"]])
        certified += _smallest([ours.get("certified_gap")])
        best = best_of(runs, peers=True)
        if best is not None:
            better.append(improvement(objective, best))
            wins += better[-1] > TIE
            losses += better[-1] < -TIE
        elif len(runs) > 1:
            only += 1
        for run in runs:
            if run is not ours and run["objective"] is not None:
                each[run["solver"]].append(improvement(objective, run["objective"]))
        if ours["published"] is not None:
            known += 1
            reached += improvement(objective, ours["published"]) >= -TIE
    ties = len(better) - wins - sum(b < -TIE for b in better)
    return [
        str(count),
        percent(_mean(better), signed=True),
        percent(min(better, default=None), signed=True),
        f"{wins}/{ties}/{losses}",
        str(only),
        *(percent(_mean(each[p]), signed=True) for p in peers),
        percent(_mean(gaps)),
        percent(_mean(peer_gaps)),
        percent(_mean(certified)),
        f"{reached} of {known} reached" if known else "",
    ]


def markdown(records: Iterable[Record]) -> str:
    """Return both tables with what they need to be understood."""
    records = list(records)
    runs = latest(records)
    versions = {r["solver"]: r["version"] for r in runs}
    said = "; ".join(
        f"{SOLVERS[name].label}: {versions[name]}"
        for name in _ORDER
        if name in versions
    )
    machine = " and ".join(str(n) for n in sorted({r["cores"] for r in runs}))
    return (
        f"Measured on {machine} cores. {said}.\n\n"
        "Percentages are of the best peer's objective on the same instance, and gaps "
        "(bound - objective) / |objective|; every plan was recomputed by the exact "
        "checker.\n\n"
        f"{summary(records).markdown()}\n\n{detail(records).markdown()}\n"
    )


def improvement(objective: float, other: float) -> float:
    """Return how much better an objective is, relative to the other one."""
    return (objective - other) / max(abs(other), 1e-9)


def best_of(runs: Iterable[Record], *, peers: bool = False) -> float | None:
    """Return the best objective of some runs, of the peers alone where wanted."""
    found = [
        r["objective"]
        for r in runs
        if r["objective"] is not None and not (peers and r["solver"] == "ours")
    ]
    return max(found, default=None)


def notes(run: Record, top: float | None) -> list[str]:
    """Return what a reader of a row has to know besides its figures."""
    result = []
    bounds = [run["bound"], run.get("wrong_bound")]
    for bound in bounds:
        if top is not None and bound is not None and bound < top - slip(top):
            result.append(f"WRONG BOUND {bound:,.2f}: a plan earns {top:,.2f}")
    if run["objective"] is not None and not run["certified"]:
        result.append("NOT CERTIFIED")
    if run["solver"] == "ours" and run["published"] is not None and run["objective"]:
        better = improvement(run["objective"], run["published"])
        if better >= -TIE:
            result.append(
                "published reached" if better <= TIE else "better than published"
            )
        else:
            result.append(f"published {run['published']:,.1f}: {better:+.3%}")
    if (run.get("busy_before") or 0) > 0.1:
        result.append(f"others used {run['busy_before']:.0%} of the machine")
    if run["objective"] is None or run.get("killed"):
        result.append(run.get("detail", ""))
    return result


def _by_question(records: Iterable[Record]) -> list[list[Record]]:
    """Return the runs of each instance and time limit, solvers in a fixed order."""
    questions: dict[tuple[str, float], list[Record]] = {}
    for record in records:
        if record["solver"] in SOLVERS:
            key = record["instance"], record["seconds"]
            questions.setdefault(key, []).append(record)
    return [
        sorted(runs, key=lambda r: _ORDER.index(r["solver"]))
        for runs in questions.values()
    ]


def _smallest(gaps: Iterable[float | None]) -> list[float]:
    known = [gap for gap in gaps if gap is not None]
    return [min(known)] if known else []


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None


def number(value: float | None) -> str:
    """Return a number of the objective; nothing where there is none."""
    return "" if value is None else f"{value:,.1f}"


def percent(value: float | None, *, signed: bool = False) -> str:
    """Return a share in per cent; nothing where there is none."""
    if value is None:
        return ""
    return f"{value:+.2%}" if signed else f"{value:.2%}"


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"
