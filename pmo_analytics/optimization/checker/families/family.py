"""What the checker has to know of a family of rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from pmo_analytics.optimization.checker.found import Selection
from pmo_analytics.optimization.checker.proofs.charges import Charges
from pmo_analytics.optimization.checker.question import Question

type Check = Callable[[Question, Selection, list[dict[str, Any]]], None]
type Charge = Callable[[Question, Charges, Mapping[str, Any], int], None]


class Entry(NamedTuple):
    """One kind of entry in a certificate: the keys that it has, and what it charges."""

    keys: tuple[str, ...]
    charge: Charge


@dataclass(frozen=True)
class Family:
    """One family of rules.

    Attributes
    ----------
    check
        Adds the violations of a selection to a list.
    entries
        `row` of an entry in a certificate -> what it is.
    """

    check: Check
    entries: Mapping[str, Entry]
