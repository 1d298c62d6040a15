"""What the files beside a schedule claim of it, read back to be verified."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from pmo_analytics.clock import parse_period
from pmo_analytics.errors import ConfigError
from pmo_analytics.files import read_json
from pmo_analytics.loaders import read_purchases, read_schedule
from pmo_analytics.plan import Plan
from pmo_analytics.rules import Record, freeze_record

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio


@dataclass(frozen=True)
class Claims:
    """What is said of a schedule; nothing of it is believed before it is checked.

    Attributes
    ----------
    measure
        What was searched for: `worth`, or what `level` minimises.
    objective
        None where nothing is claimed.
    certificate
        What shall prove the bound.
    purchases
        What the plan buys, as rows of text; None where it may buy nothing.
    record
        The plan of record that it is held against, with its prices and its freeze.
    weigh_by_probability
        Worth counts times the probability.
    """

    measure: str = "worth"
    objective: float | None = None
    certificate: Mapping[str, Any] | None = None
    purchases: pd.DataFrame | None = None
    record: Record | None = None
    weigh_by_probability: bool = False

    def question(self, portfolio: Portfolio) -> Portfolio:
        """Return the portfolio with what was asked of it: its weighing, its freeze."""
        if self.weigh_by_probability:
            portfolio = portfolio.replace(weigh_by_probability=True)
        if self.record is not None:
            portfolio = freeze_record(portfolio, self.record)
        return portfolio


def claims_of(plan: Plan) -> Claims:
    """Return what a plan says of itself."""
    report = plan.report
    return Claims(
        measure="worth" if report is None else report.measure,
        objective=None if report is None else report.objective,
        certificate=None if report is None else report.certificate,
        purchases=plan.purchases if plan.buys else None,
        record=plan.record,
        weigh_by_probability=plan.portfolio.settings.weigh_by_probability,
    )


def read_claims(schedule: Path, freq: str) -> Claims:
    """Return what the files beside a schedule say, as `optimize` writes them.

    Parameters
    ----------
    schedule
        `manifest.json`, `certificate.json`, `purchases.csv` and `record.csv` are
        looked for beside it; none of them need be there.
    freq
        Of the portfolio's periods.

    Raises
    ------
    ConfigError
        If they cannot be read.
    DataError
        If purchases or the plan of record cannot be read.
    """
    claims = Claims()
    manifest = schedule.with_name("manifest.json")
    certificate = schedule.with_name("certificate.json")
    try:
        if manifest.is_file():
            claims = _of_manifest(read_json(manifest), schedule, freq)
        if certificate.is_file():
            claims = replace(claims, certificate=read_json(certificate))
    except (ConfigError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise ConfigError(
            f"The files beside {schedule.name} cannot be read: {error}. Write the plan "
            "again, or move manifest.json and certificate.json away."
        ) from error
    return claims


def _of_manifest(facts: Mapping[str, Any], schedule: Path, freq: str) -> Claims:
    report = facts.get("report") or {}
    objective = report.get("objective")
    # A file that an older result left there does not count.
    buys = "purchases.csv" in facts.get("files", {})
    return Claims(
        measure=str(report.get("measure", "worth")),
        objective=None if objective is None else float(objective),
        purchases=read_purchases(schedule.with_name("purchases.csv")) if buys else None,
        record=_record(facts["record"], schedule, freq) if "record" in facts else None,
        weigh_by_probability=bool(facts.get("weigh_by_probability")),
    )


def _record(terms: Mapping[str, Any], schedule: Path, freq: str) -> Record:
    rows = read_schedule(schedule.with_name("record.csv"))
    starts = [parse_period(value, freq) for value in rows["start"]]
    return Record(
        rows.assign(start=starts),
        change_price=float(terms["change_price"]),
        move_price=float(terms["move_price"]),
        freeze=int(terms["freeze"]),
    )


def read_plan(
    portfolio: Portfolio, schedule: Path, *, strict: bool = False, flex: bool = False
) -> tuple[Plan, Claims]:
    """Return a written plan with what is claimed of it; its report is not filled.

    Parameters
    ----------
    flex
        It may buy capacity, also where it buys nothing.

    Raises
    ------
    ConfigError, DataError
        If the files cannot be read, or do not fit the portfolio.
    """
    claims = read_claims(schedule, portfolio.freq)
    rows = read_schedule(schedule)
    first = Plan(portfolio, rows, strict=strict, purchases=claims.purchases)
    buys = flex or first.buys
    plan = Plan.from_starts(
        claims.question(first.portfolio),
        first.starts,
        strict=strict,
        purchases=first.purchases if buys else None,
        record=claims.record,
    )
    return plan, claims
