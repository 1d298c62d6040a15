"""Dependencies, groups and own rules of a portfolio as arrays over its options."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from pmo_analytics.optimization.model.counts import Counts
from pmo_analytics.optimization.model.grain import grain
from pmo_analytics.optimization.model.instance import (
    ALL,
    NO_LIMIT,
    NONE,
    TOGETHER,
    Dependencies,
    Groups,
    LinearRows,
    largest_sums,
)
from pmo_analytics.rules import Limits, read_rules
from pmo_analytics.tolerance import ROUNDING, exact_sum, written

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio


class Row(NamedTuple):
    """One rule, or one rule in one period, as a row over the options."""

    rule: str
    period: int  # -1 where it applies to what is selected
    option: np.ndarray
    weight: np.ndarray
    lower: float
    upper: float
    weights_positive: bool
    exact: tuple[float | Fraction, float | Fraction]  # lower and upper


def own_rules(
    portfolio: Portfolio,
    bounds: Limits,
    number: Mapping[str, int],
    project: np.ndarray,
    start: np.ndarray,
    windows: pd.DataFrame,
) -> list[Row]:
    """Return the rows of the table `rules`, those that nothing can break left out."""
    rows = []
    length = windows["duration"].reindex(list(number)).to_numpy(dtype=np.int64)
    for rule in read_rules(portfolio):
        if rule.themes is not None:
            continue
        weights = np.zeros(len(number))
        for name, weight in rule.weights.items():
            weights[number[name]] = weight
        done = exact_sum(rule.finished)
        positive = bool((weights >= 0).all())
        mine = np.flatnonzero(weights[project] != 0)
        periods = range(len(portfolio.horizon)) if rule.by_period else [-1]
        for t in periods:
            begin = start[mine]
            at = (begin <= t) & (t < begin + length[project[mine]])
            option = mine[at] if rule.by_period else mine
            weight = weights[project[option]]
            # What is done may be as large as the limit: taken off exactly.
            exact = (
                _less(rule.at_least, done),
                _less(bounds.rule_limit(rule, max(t, 0)), done),
            )
            fewest, most = float(exact[0]), float(exact[1])
            own = weights[np.unique(project[option])]
            noise = ROUNDING * float(np.abs(own).sum() + abs(done))
            if own.clip(min=0).sum() <= most - noise and most >= 0:
                most = np.inf
            if own.clip(max=0).sum() >= fewest + noise and fewest <= 0:
                fewest = -np.inf
            if np.isfinite(most) or np.isfinite(fewest):
                rows.append(
                    Row(rule.name, t, option, weight, fewest, most, positive, exact)
                )
    return rows


def _less(limit: float | Fraction, done: Fraction) -> float | Fraction:
    """Return a limit less what is done; infinite where there is none."""
    if isinstance(limit, Fraction):
        return limit - done
    return written(limit) - done if np.isfinite(limit) else limit


def kept_rows(rows: list[Row], keep: np.ndarray) -> list[Row]:
    """Return rows over the options that are kept, without those that then hold."""
    kept = []
    for row in rows:
        stays = keep[row.option]
        row = row._replace(option=row.option[stays], weight=row.weight[stays])
        if not stays.any():
            row = row._replace(
                lower=row.lower if row.lower > 0 else -np.inf,
                upper=row.upper if row.upper < 0 else np.inf,
            )
        if np.isfinite(row.lower) or np.isfinite(row.upper):
            kept.append(row)
    return kept


def linear_arrays(
    rows: list[Row], renumber: np.ndarray, project: np.ndarray
) -> LinearRows:
    """Return the rules with weights of either sign."""
    grains = []
    for row in rows:
        size = np.abs(row.weight)
        owner = project[renumber[row.option]]
        most = largest_sums(owner, np.zeros_like(owner), size, 1)[0]
        largest = float(size.max(initial=0.0))
        lower, upper = row.exact
        grains.append(grain(row.weight, float(most), largest, upper, lower))
    count = [len(row.option) for row in rows]
    options = [renumber[row.option] for row in rows]
    weights = [row.weight for row in rows]
    none = np.zeros(0)
    return LinearRows(
        first=np.concatenate([[0], np.cumsum(count)]).astype(np.int64),
        option=np.concatenate([none, *options]).astype(np.int64),
        weight=np.concatenate([none, *weights]),
        lower=np.array([row.lower for row in rows], dtype=float),
        upper=np.array([row.upper for row in rows], dtype=float),
        slack=np.array([slack for slack, _ in grains], dtype=float),
        unit=np.array([unit for _, unit in grains], dtype=float),
    )


def dependency_arrays(
    rules: list[Any], number: Mapping[str, int]
) -> tuple[list[tuple[str, str, str]], Dependencies]:
    """Return (project, requires, kind) and arrays of the dependencies to be served."""
    rules = [rule for rule in rules if rule.targets]
    flat = [(rule, target) for rule in rules for target in rule.targets]
    counts = [len(rule.targets) for rule in rules]
    most = [rule.spans[target][1] for rule, target in flat]
    return [(rule.project, rule.requires, rule.kind) for rule in rules], Dependencies(
        project=_ints(number[rule.project] for rule in rules),
        kind=_ints(rule.kind != "selected" for rule in rules),
        first=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        target=_ints(number[target] for _, target in flat),
        lag=_ints(rule.spans[target][0] for rule, target in flat),
        lag_max=_ints(NO_LIMIT if m is None else m for m in most),
        single=_ints(
            rule.requires in number and rule.targets == [rule.requires]
            for rule in rules
        ),
    )


def _ints(values: Any) -> np.ndarray:
    return np.array([int(v) for v in values], dtype=np.int64)


def group_arrays(
    portfolio: Portfolio, windows: pd.DataFrame, number: Mapping[str, int]
) -> tuple[list[str], list[str], list[str], Groups]:
    """Return names, anchors, contradictions and arrays of the groups.

    Only members that may still be selected are counted: done members are taken off
    the limits, and all-or-none becomes ALL beside a done one, NONE beside one that
    is out.
    """
    names, anchors, contradictions = [], [], []
    members: list[list[int]] = []
    least, most, together = [], [], []
    state = windows["state"].to_dict()
    for group, rows in portfolio.groups.groupby("group", sort=False):
        listed = list(rows["project"])
        done = [m for m in listed if state[m] == "done"]
        out = [m for m in listed if state[m] == "out"]
        live = [number[m] for m in listed if state[m] == "live"]
        low, high, whole, anchor = 0, NO_LIMIT, 0, ""
        if rows["rule"].iat[0] == "all_or_none":
            whole = ALL if done else NONE if out else TOGETHER
            anchor = (done or out or [""])[0]
            if done and out:
                contradictions.append(
                    f"Group '{group}' is all or none, but '{done[0]}' is done and "
                    f"'{out[0]}' cannot be selected."
                )
        else:
            at_least, at_most = rows["at_least"].iat[0], rows["at_most"].iat[0]
            low = 0 if pd.isna(at_least) else max(int(at_least) - len(done), 0)
            high = NO_LIMIT if pd.isna(at_most) else int(at_most) - len(done)
            if low > len(live):
                contradictions.append(
                    f"Group '{group}' needs {at_least} of its projects and only "
                    f"{len(live) + len(done)} can be selected."
                )
            if high < 0:
                contradictions.append(
                    f"Group '{group}' allows {at_most} of its projects and "
                    f"{len(done)} are done already."
                )
        names.append(str(group))
        anchors.append(anchor)
        members.append(live)
        least.append(low)
        most.append(high)
        together.append(whole)
    counts = [len(m) for m in members]
    return (
        names,
        anchors,
        contradictions,
        Groups(
            first=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            project=_ints(p for m in members for p in m),
            least=_ints(least),
            most=_ints(most),
            all=_ints(together),
        ),
    )


def distinct_arrays(
    portfolio: Portfolio,
    bounds: Limits,
    number: Mapping[str, int],
    project: np.ndarray,
    start: np.ndarray,
    windows: pd.DataFrame,
) -> tuple[list[tuple[str, int]], Counts]:
    """Return (rule, period) and arrays of the rules that count themes.

    Without the periods in which there are no more themes than may be at work.
    """
    length = windows["duration"].reindex(list(number)).to_numpy(dtype=np.int64)
    named: list[tuple[str, int]] = []
    most: list[int] = []
    # (count, class, member) of every option of a count; classes and members counted on.
    entries: list[tuple[np.ndarray, ...]] = []
    classes, members = 0, 0
    for rule in read_rules(portfolio):
        if rule.themes is None or not np.isfinite(rule.at_most):
            continue
        themes = {name: k for k, name in enumerate(sorted(set(rule.themes.values())))}
        own = np.full(len(number), -1)
        for name, theme in rule.themes.items():
            if name in number:
                own[number[name]] = themes[theme]
        for t in range(len(portfolio.horizon)):
            at = (start <= t) & (t < start + length[project]) & (own[project] >= 0)
            option = np.flatnonzero(at)
            kind, opens = np.unique(own[project[option]], return_inverse=True)
            limit = int(bounds.rule_limit(rule, t))
            if len(kind) <= limit:
                continue
            order = np.lexsort((option, opens))
            option, opens = option[order], opens[order]
            key = opens * len(number) + project[option]
            _, member = np.unique(key, return_inverse=True)
            count = np.full(len(option), len(most))
            entries.append((count, classes + opens, members + member, option))
            classes, members = classes + len(kind), members + int(member.max()) + 1
            named.append((rule.name, t))
            most.append(limit)
    none = np.zeros(0, dtype=np.int64)
    parts = [np.concatenate([none, *part]) for part in zip(*entries, strict=True)]
    count, opens, member, option = parts or [none] * 4
    _, first_of_class = np.unique(opens, return_index=True)
    _, first_of_member = np.unique(member, return_index=True)
    return named, Counts(
        most=np.array(most, dtype=np.int64),
        count=count[first_of_class].astype(np.int64),
        belongs=opens[first_of_member].astype(np.int64),
        first=np.append(first_of_member, len(member)).astype(np.int64),
        column=option.astype(np.int64),
    )
