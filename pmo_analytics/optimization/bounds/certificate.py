"""Prices of an LP relaxation written as a certificate that names business rows.

The certificate claims nothing by itself: `certify.check_bound` derives from it a
bound that holds whatever the prices are, so rounding them costs tightness only.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pmo_analytics.optimization.bounds.certificate_entries import AT_LEAST, ENTRIES
from pmo_analytics.optimization.checker.check import check_bound
from pmo_analytics.optimization.checker.proofs.work import MOST_STEPS, Work
from pmo_analytics.optimization.model.array_sink import (
    bound_of_prices,
    build_matrix,
    grains_of,
)
from pmo_analytics.optimization.model.instance import ALL, NONE
from pmo_analytics.optimization.model.rows import RowLabel

if TYPE_CHECKING:
    from pmo_analytics.optimization.checker.question import Question
    from pmo_analytics.optimization.model.compiling import Compiled
    from pmo_analytics.portfolio import Portfolio


def no_certificate(
    portfolio: Portfolio, strict: bool, *, flex: bool = False, record: bool = False
) -> dict[str, Any]:
    """Return the certificate without multipliers: the sum of all that has worth."""
    return {
        "format": 3,
        "portfolio": portfolio.digest(),
        "strict": strict,
        **({"flex": True} if flex else {}),
        **({"record": True} if record else {}),
        "multipliers": [],
        "cuts": [],
        "branches": [],
    }


def certificate_of(
    portfolio: Portfolio,
    compiled: Compiled,
    prices: Iterable[tuple[Sequence[Any], float]],
    *,
    strict: bool,
    cuts: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Return the certificate of the LP prices.

    Parameters
    ----------
    prices
        (label of a model row, its dual value).
    cuts
        The fields of each `cutting.Cut`, whose prices belong to these.
    """
    priced = [(RowLabel(*told), price) for told, price in prices]
    _, units = grains_of(compiled.options, [label for label, _ in priced])
    # Prices of what a solver saw as 1: a currency unit may be next to nothing.
    values = [price * unit for (_, price), unit in zip(priced, units, strict=True)]
    values += [cut["price"] for cut in cuts]
    scale = max((abs(value) for value in values), default=1.0) or 1.0
    # Beyond twelve digits of the largest price there is only noise.
    digits = 11 - math.floor(math.log10(scale))
    rows: list[dict[str, Any]] = []
    for (label, price), unit in zip(priced, units.tolist(), strict=True):
        kept = round(price * unit, digits)
        price = kept if unit == 1.0 else float(f"{kept / unit:.12g}")
        rows += _rows(portfolio, compiled, label, price)
    certificate = no_certificate(
        portfolio, strict, flex=compiled.flex, record=compiled.record is not None
    )
    certificate["multipliers"] = [row for row in rows if row["multiplier"] != "0"]
    for cut in cuts:
        price = round(cut["price"], digits)
        if price > 0:
            certificate["cuts"].append(_cut(portfolio, compiled, cut, price))
    return certificate


def branched(
    portfolio: Portfolio,
    compiled: Compiled,
    tree: Mapping[str, Any],
    *,
    strict: bool,
) -> dict[str, Any]:
    """Return the certificate of a tree of branches.

    Parameters
    ----------
    tree
        As `branching.Branches.told` has it, with `cuts`: the fields of each
        `cutting.Cut` that it rests on, in order.
    """
    labels, nodes, cuts = tree["labels"], tree["nodes"], tree["cuts"]
    own = {row for node in nodes for row in node["rows"]}
    number: dict[int, int] = {}
    certificate = no_certificate(portfolio, strict, record=compiled.record is not None)
    root = dict(zip(nodes[0]["rows"], nodes[0]["prices"], strict=True))
    for row in sorted(own):
        price = {"multiplier": _text(root.get(row, 0.0))}
        if row < len(labels):
            named = _row(portfolio, compiled, RowLabel(*labels[row]))
            certificate["multipliers"].append({**named, **price})
        else:
            cut = _cut(portfolio, compiled, cuts[row - len(labels)], 1.0)
            certificate["cuts"].append({**cut, **price})
        number[row] = len(number) + 1
    for node in nodes:
        prices = [
            [number[row], price]
            for row, price in zip(node["rows"], node["prices"], strict=True)
        ]
        branch: dict[str, Any] = {"prices": prices}
        if node["split"] is not None:
            project, last = node["split"]
            branch["split"] = [compiled.names[project], last]
        certificate["branches"].append(branch)
    certificate["enough"] = repr(tree["enough"])
    return certificate


def best_certificate(
    portfolio: Portfolio,
    compiled: Compiled,
    *,
    strict: bool,
    priced: Iterable[tuple[Iterable[tuple[list[Any], float]], Sequence[Any]]],
    tree: Mapping[str, Any] | None,
    question: Question | None = None,
    until: float = math.inf,
    steps: int = MOST_STEPS,
) -> tuple[Mapping[str, Any], float | None]:
    """Return the certificate that proves most, and the bound the checker derives.

    Parameters
    ----------
    priced
        Prices of LP relaxations, each with the cuts that they belong to.
    tree
        Branches, which do without the others where their claim is confirmed.
    question
        What the checker has read of the portfolio.
    until
        Monotonic time from which on one proof, the newest, has to do.
    steps
        That the check of each proof may take; without the rest it proves less.
    """
    flex, record = compiled.flex, compiled.record
    best: tuple[Mapping[str, Any], float | None] = ({}, None)
    if tree is not None:
        certificate = branched(portfolio, compiled, tree, strict=strict)
        exact = check_bound(
            portfolio,
            certificate,
            strict=strict,
            record=record,
            question=question,
            work=Work(steps),
        )
        best = certificate, None if exact is None else float(exact)
        claimed = tree["bound"] * (1 + 1e-9) + float(compiled.options.constant[0])
        if exact is not None and float(exact) <= claimed:
            return best
    certificates = [
        certificate_of(portfolio, compiled, prices, strict=strict, cuts=cuts)
        for prices, cuts in priced
    ]
    certificates.reverse()
    certificates.append(
        no_certificate(portfolio, strict, flex=flex, record=record is not None)
    )
    for certificate in certificates:
        if best[1] is not None and time.monotonic() >= until:
            break
        exact = check_bound(
            portfolio,
            certificate,
            strict=strict,
            flex=flex,
            record=record,
            question=question,
            work=Work(steps),
        )
        if exact is not None and (best[1] is None or float(exact) < best[1]):
            best = certificate, float(exact)
    return best


def bound_here(
    portfolio: Portfolio, compiled: Compiled, certificate: Mapping[str, Any]
) -> float:
    """Return the bound that the prices of another portfolio's certificate prove here.

    Those of rows that this portfolio does not have are left out.
    """
    matrix = build_matrix(compiled.options)
    named = _named(portfolio, compiled, matrix.labels)
    prices = np.zeros(len(matrix.labels))
    for entry in certificate.get("multipliers", []):
        row = {key: value for key, value in entry.items() if key != "multiplier"}
        number = named.get(json.dumps(row, sort_keys=True))
        if number is not None:
            # A certificate has all inequalities turned to at most.
            turned = np.isinf(matrix.upper[number])
            prices[number] = float(entry["multiplier"]) * (-1.0 if turned else 1.0)
    return bound_of_prices(compiled.options, matrix, prices)


def _named(
    portfolio: Portfolio, compiled: Compiled, labels: Sequence[RowLabel | None]
) -> dict[str, int]:
    """Return the number of each label by its row in a certificate, as sorted JSON."""
    return {
        json.dumps(_row(portfolio, compiled, label), sort_keys=True): number
        for number, label in enumerate(labels)
        if label is not None
    }


def unchecked_certificate(
    portfolio: Portfolio,
    compiled: Compiled,
    *,
    strict: bool,
    priced: Sequence[tuple[Iterable[tuple[list[Any], float]], Sequence[Any]]],
    tree: Mapping[str, Any] | None,
) -> Mapping[str, Any]:
    """Return the certificate that is likely to prove most, for a later check.

    Parameters
    ----------
    priced, tree
        As in `best_certificate`.
    """
    if tree is not None:
        return branched(portfolio, compiled, tree, strict=strict)
    if not priced:
        return {}
    prices, cuts = priced[-1]
    return certificate_of(portfolio, compiled, prices, strict=strict, cuts=cuts)


def read_guide(
    portfolio: Portfolio, compiled: Compiled, certificate: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Return the branches of a certificate of a similar portfolio, None without any.

    Returns
    -------
    dict
        `labels` of rows of this portfolio's model and `nodes` over them, as
        `branching.Branches.told` has them, and `cuts` as they were found, whether
        they hold here or not; what this portfolio has no name for is left out.
    """
    if not certificate.get("branches"):
        return None
    labels = [x for x in build_matrix(compiled.options).labels if x is not None]
    named = _named(portfolio, compiled, labels)
    # Entry of the certificate, counted from 1 -> number of the label.
    place = {}
    for entry, row in enumerate(certificate["multipliers"], 1):
        name = {key: value for key, value in row.items() if key != "multiplier"}
        place[entry] = named.get(json.dumps(name, sort_keys=True))
    project = {name: number for number, name in enumerate(compiled.names)}
    cuts = _read_cuts(compiled, certificate, {k: labels[n] for k, n in named.items()})
    entries = len(place)
    for number, cut in enumerate(cuts):
        place[entries + 1 + number] = None if cut is None else len(labels) + number
    nodes = []
    for branch in certificate["branches"]:
        prices = [
            (place[entry], float(price))
            for entry, price in branch["prices"]
            if place.get(entry) is not None
        ]
        split = branch.get("split")
        if split is not None:
            # A project that is gone divides nothing: -1 belongs to nobody.
            split = [project.get(split[0], -1), int(split[1])]
        nodes.append(
            {
                "rows": [row for row, _ in prices],
                "prices": [price for _, price in prices],
                "split": split,
            }
        )
    return {"labels": labels, "nodes": nodes, "cuts": cuts}


def _read_cuts(
    compiled: Compiled, certificate: Mapping[str, Any], named: Mapping[str, RowLabel]
) -> list[dict[str, Any] | None]:
    """Return the fields of each `cutting.Cut` of a certificate, None without its row.

    Parameters
    ----------
    named
        Certificate row as sorted JSON -> label of the row.
    """
    number = {name: n for n, name in enumerate(compiled.names)}
    read: list[dict[str, Any] | None] = []
    for entry in certificate["cuts"]:
        members = [(number[p], *rest) for p, *rest in entry["members"] if p in number]
        if entry["row"] == "clique":
            read.append({"resource": None, "members": members, "most": 1})
            continue
        own = ("members", "at_most", "multiplier")
        row = {key: value for key, value in entry.items() if key not in own}
        until = row.pop("until", None)
        if until is not None:
            row["row"] = "capacity"
        label = named.get(json.dumps(row, sort_keys=True))
        end = (
            label
            if until is None
            else named.get(json.dumps({**row, "period": until}, sort_keys=True))
        )
        if label is None or end is None:
            read.append(None)
            continue
        steps = [(p, float(use), int(count)) for p, use, count in members]
        most = int(entry["at_most"])
        length = end.number - label.number + 1
        cut = {"resource": label.number, "members": steps, "most": most}
        read.append({**cut, "length": length})
    return read


def _row(portfolio: Portfolio, compiled: Compiled, label: RowLabel) -> dict[str, Any]:
    """Return the certificate row that one row of the model is."""
    return ENTRIES[label.form](portfolio, compiled, label)


def _cut(
    portfolio: Portfolio, compiled: Compiled, cut: Mapping[str, Any], price: float
) -> dict[str, Any]:
    """Return the certificate's entry of one cut."""
    names = compiled.names
    end: dict[str, Any] = {"multiplier": _text(price)}
    if cut["resource"] is None:
        members = [[names[p], int(a), int(b)] for p, a, b in cut["members"]]
        return {"row": "clique", "members": members, **end}
    row = _row(portfolio, compiled, RowLabel("limit", int(cut["resource"])))
    end["at_most"] = int(cut["most"])
    if cut["length"] > 1:
        last = int(cut["resource"]) + cut["length"] - 1
        until = _row(portfolio, compiled, RowLabel("limit", last))["period"]
        members = [[names[p], int(start), int(n)] for p, start, n in cut["members"]]
        return {**row, "row": "stretch", "until": until, "members": members, **end}
    members = [[names[p], _text(use), int(count)] for p, use, count in cut["members"]]
    return {**row, "members": members, **end}


def _rows(
    portfolio: Portfolio, compiled: Compiled, label: RowLabel, price: float
) -> list[dict[str, Any]]:
    """Return the certificate rows of one model row, none if its sign is noise."""
    if label.form not in ENTRIES:
        return []  # multiplier 0: the checker does without it
    row = _row(portfolio, compiled, label)
    if label.form == "same":
        other = {**row, "project": _first_member(compiled, label.number)}
        return [
            {**row, "multiplier": _text(price)},
            {**other, "multiplier": _text(-price)},
        ]
    # Maximising: a row "<=" has a price of at least 0, a row ">=" of at most 0.
    multiplier = -price if label.form in AT_LEAST else price
    return [{**row, "multiplier": _text(multiplier)}] if multiplier > 0 else []


def _first_member(compiled: Compiled, group: int) -> str:
    """Return whose fate the members of an all-or-none group share."""
    options = compiled.options
    if options.group.all[group] in (ALL, NONE):
        return compiled.anchors[group]
    return compiled.names[options.group.project[options.group.first[group]]]


def _text(number: float) -> str:
    return f"{number:.12g}" if number else "0"
