"""The nodes of branches, and those of a similar model that show how to divide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pmo_analytics.optimization.bounds.cut_loop import Cut
from pmo_analytics.optimization.model.rows import RowLabel

Domain = tuple[np.ndarray, np.ndarray]  # options left, projects that must be selected


@dataclass
class Node:
    """One part of all plans.

    Attributes
    ----------
    left, must
        Options that may be chosen, projects that have to be.
    bound
        No plan of this part is worth more; -inf where there is none.
    rows, prices
        What proves it: numbers of rows and their prices.
    x
        Value of each option in the relaxation; None where there was none.
    split
        (project, last start of the early side) once divided.
    parts
        The two numbers of the nodes it was divided into, early side first.
    given
        Options and projects before anything was concluded, of a relaxation.
    above
        The node that this is a part of.
    cut
        Whether cuts have been looked for.
    done
        Whether it waits no longer: it is divided, or cannot be.
    """

    left: np.ndarray
    must: np.ndarray
    bound: float
    rows: np.ndarray
    prices: np.ndarray
    x: np.ndarray | None = None
    split: tuple[int, int] | None = None
    parts: tuple[int, int] | None = None
    given: Domain | None = None
    above: Node | None = field(default=None, repr=False)
    cut: bool = False
    done: bool = False


@dataclass
class Guide:
    """The tree of a portfolio like this one: how it was divided, and its prices.

    Attributes
    ----------
    prices
        Of each node, label of a row and price; of form `cut`, a row of `cuts`.
    splits
        Of each node, (project, last start of the early side) or None.
    parts
        Of each node, the numbers of its two parts or None.
    cuts
        Cuts as they were found; None where the model that is guided lacks the row.
    """

    prices: list[list[tuple[RowLabel, float]]]
    splits: list[tuple[int, int] | None]
    parts: list[tuple[int, int] | None]
    cuts: list[Cut | None] = field(default_factory=list)

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Guide:
        """Return the guide of nodes that stand in the order of `Branches.told`."""
        cuts = [None if one is None else Cut(**one) for one in told["cuts"]]
        labels = [RowLabel(*label) for label in told["labels"]]
        labels += [RowLabel("cut", number) for number in range(len(cuts))]
        prices: list[list[tuple[RowLabel, float]]] = []
        splits: list[tuple[int, int] | None] = []
        parts: list[tuple[int, int] | None] = []
        waiting: list[list[int]] = []
        for number, node in enumerate(told["nodes"]):
            pairs = zip(node["rows"], node["prices"], strict=True)
            prices.append([(labels[row], float(price)) for row, price in pairs])
            split = node["split"]
            splits.append(None if split is None else (int(split[0]), int(split[1])))
            parts.append(None)
            if waiting:
                waiting[-1].append(number)
                if len(waiting[-1]) == 3:
                    above, early, late = waiting.pop()
                    parts[above] = (early, late)
            if split is not None:
                waiting.append([number])
        return cls(prices, splits, parts, cuts)
