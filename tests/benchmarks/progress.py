"""Two versions of the optimizer on the same instances, side by side."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean

from tests.benchmarks.racing import MOMENTS
from tests.benchmarks.results import Record, latest
from tests.benchmarks.table import Table, improvement, number, percent


@dataclass(frozen=True)
class Pair:
    """The run of an older version and that of the newest one on one instance."""

    before: Record
    after: Record

    def gain(self, moment: int | None = None, since: int | None = None) -> float | None:
        """Return how much better the newer plan is, relatively.

        Parameters
        ----------
        moment, since
            Seconds after which the newer and the older plan are looked at, the end of
            the run where it is None.
        """
        older, newer = _at(self.before, since), _at(self.after, moment)
        if newer is None or not older:
            return None
        return improvement(newer, older)


def pairs(before: Iterable[Record], after: Iterable[Record]) -> list[Pair]:
    """Return our newest runs, each with the newest older one of another version.

    Runs of another question, or with other seconds, are not compared.
    """
    known: dict[tuple[str, str, float], list[Record]] = {}
    for record in before:
        if record["solver"] == "ours":
            known.setdefault(_question(record), []).append(record)
    result = []
    for run in latest(after):
        if run["solver"] != "ours":
            continue
        older = [
            r
            for r in known.get(_question(run), [])
            if r["version"] != run["version"] and r["when"] < run["when"]
        ]
        if older:
            result.append(Pair(max(older, key=lambda r: str(r["when"])), run))
    return result


def detail(compared: Iterable[Pair]) -> Table:
    """Return one row per instance."""
    headings = ["instance", *_HEADINGS, "gap before", "gap after"]
    rows = []
    for pair in compared:
        row = [f"{pair.after['instance']} ({pair.after['seconds']:g} s)"]
        for moment in (*MOMENTS, None):
            row += [
                number(_at(pair.before, moment)),
                number(_at(pair.after, moment)),
                percent(pair.gain(moment, moment), signed=True),
            ]
        row += [percent(run.get("certified_gap")) for run in (pair.before, pair.after)]
        rows.append(row)
    return Table(headings, rows, frozenset({"instance"}))


def summary(compared: Iterable[Pair]) -> Table:
    """Return one row per group of instances: means, and the worst one at the end."""
    groups: dict[tuple[str, float], list[Pair]] = {}
    for pair in compared:
        key = pair.after["group"], pair.after["seconds"]
        groups.setdefault(key, []).append(pair)
    headings = [
        "instances",
        "seconds",
        "n",
        *(f"at {moment} s" for moment in MOMENTS),
        "at the end",
        "worst",
        "of seed",
        "worse",
        "10 s against the end before",
        "gap before",
        "gap after",
    ]
    rows = []
    for (group, seconds), own in groups.items():
        ends = {pair.after["seed"]: pair.gain() or 0.0 for pair in own}
        worst = min(ends, key=lambda seed: ends[seed])
        rows.append(
            [
                group,
                f"{seconds:g}",
                str(len(own)),
                *(_mean([p.gain(m, m) for p in own], True) for m in MOMENTS),
                _mean([p.gain() for p in own], True),
                percent(ends[worst], signed=True),
                str(worst),
                str(sum(gain < -1e-6 for gain in ends.values())),
                _mean([p.gain(10) for p in own], True),
                _mean([p.before.get("certified_gap") for p in own], False),
                _mean([p.after.get("certified_gap") for p in own], False),
            ]
        )
    return Table(headings, rows, frozenset({"instances"}))


_HEADINGS = [
    heading
    for moment in (*(f"{m} s" for m in MOMENTS), "end")
    for heading in (f"{moment} before", "after", "better")
]


def _question(record: Record) -> tuple[str, str, float]:
    return record["instance"], record["fingerprint"], record["seconds"]


def _at(run: Record, moment: int | None) -> float | None:
    found = run["objective"] if moment is None else run["at"].get(str(moment))
    return None if found is None else float(found)


def _mean(figures: Iterable[float | None], signed: bool) -> str:
    known = [figure for figure in figures if figure is not None]
    return percent(fmean(known), signed=signed) if known else ""
