"""The price of departing from a plan of record, for the checker."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from pmo_analytics.errors import ConfigError
from pmo_analytics.optimization.checker.cells import (
    exact_amount,
    read_name,
    read_period,
)
from pmo_analytics.optimization.checker.question import Project, Question, RecordPrices


def read_record(question: Question, record: Any) -> None:
    """Add the plan of record and its prices to a question.

    Parameters
    ----------
    record
        With `schedule` (columns `project, start`), `change_price`, `move_price`.

    Raises
    ------
    ConfigError
        If a price is negative or a start cannot be read.
    """
    starts: dict[str, int] = {}
    rows = zip(record.schedule["project"], record.schedule["start"], strict=True)
    for project, start in rows:
        name, at = read_name(project) or "", read_period(start, question)
        if at is None:
            raise ConfigError(f"The plan of record has no start for '{name}'.")
        starts[name] = at
    change, move = (
        exact_amount(float(price), "record", "price")
        for price in (record.change_price, record.move_price)
    )
    if change < 0 or move < 0:
        raise ConfigError("Prices of changes are 0 or more.")
    question.record = RecordPrices(starts, change, move)


def gain_at(question: Question, project: Project, s: int) -> Fraction:
    """Return what a start adds beside its worth, once dropping is taken off."""
    record = question.record
    if record is None or project.state != "live" or project.kept:
        return Fraction(0)
    before = record.starts.get(project.name)
    if before is None:
        return -record.change
    if s == before:
        return record.change
    return -record.move * abs(s - before)


def dropped(question: Question) -> Fraction:
    """Return the price of dropping everything that could be dropped."""
    record = question.record
    if record is None:
        return Fraction(0)
    many = sum(
        p.state == "live" and not p.kept and p.name in record.starts
        for p in question.projects.values()
    )
    return record.change * many


def changes_of(question: Question, starts: Mapping[str, int]) -> Fraction:
    """Return the price of all changes of a plan."""
    own = (gain_at(question, question.projects[n], s) for n, s in starts.items())
    return dropped(question) - sum(own, Fraction(0))
