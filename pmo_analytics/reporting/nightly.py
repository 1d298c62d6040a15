"""The plan of a nightly run in its report: what it is worth, when, what changed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from pmo_analytics.differences import change_sentences, plan_changes
from pmo_analytics.errors import PmoError
from pmo_analytics.formats import names_of, percent
from pmo_analytics.loaders import read_schedule
from pmo_analytics.plan import Plan
from pmo_analytics.reporting.page import Fact, Report, Section
from pmo_analytics.reporting.status.pages import counted
from pmo_analytics.reporting.status.portfolio import called, nightly_sections
from pmo_analytics.reporting.status.sections import proof_section

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from pmo_analytics.scenarios import Comparison
    from pmo_analytics.tracking import Status


# Projects named in the message.
_NAMED = 3
_PROOF = (
    "Certified: the plan breaks no rule, checked exactly from the tables. No plan can "
    "be worth more than the certified bound; certificate.json beside this page proves "
    "it."
)


@dataclass(frozen=True)
class Before:
    """The last run before this one.

    Attributes
    ----------
    as_of
        Its date.
    objective
        Of its plan, None where it is not known.
    changes
        What the new plan does otherwise, in sentences; None where its schedule
        cannot be read.
    """

    as_of: str
    objective: float | None
    changes: tuple[str, ...] | None


def before(runs: Path, day: date, plan: Plan) -> Before | None:
    """Return the last run of an earlier date that has a plan, None where none has.

    Parameters
    ----------
    runs
        Folder of the runs, each named by its date.
    day
        Date of the new run.
    plan
        Of the new run.
    """
    for folder in sorted(runs.iterdir(), reverse=True) if runs.is_dir() else ():
        try:
            earlier = date.fromisoformat(folder.name) < day
            if not earlier:
                continue
            facts = json.loads((folder / "manifest.json").read_text("utf-8"))
            known = facts["command"] == "batch" and "schedule.csv" in facts["files"]
        except (ValueError, OSError, KeyError, TypeError):
            continue
        if not known:
            continue
        report = facts.get("report")
        objective = report.get("objective") if isinstance(report, Mapping) else None
        return Before(folder.name, objective, _changes(folder, plan))
    return None


def _changes(folder: Path, plan: Plan) -> tuple[str, ...] | None:
    try:
        changes = plan_changes(read_schedule(folder / "schedule.csv"), plan)
    except PmoError:
        return None
    return tuple(change_sentences(changes, names_of(plan.projects)))


def with_plan(
    report: Report,
    plan: Plan,
    *,
    last: Before | None,
    roadmap: Figure | None = None,
    stopped: bool = False,
    loads: pd.DataFrame | None = None,
    chance: float = 0.2,
) -> Report:
    """Return a report that begins with the plan.

    Parameters
    ----------
    report
        Of the forecast.
    plan
        Of `optimize`.
    last
        The run before, None where there is none.
    roadmap
        Chart of the plan.
    stopped
        Whether somebody stopped the search before its end.
    loads
        Of `forecasting.beside`: the plan's headroom beside the pipeline's.
    chance
        Of overload from which a role counts as at risk.
    """
    sections = [*_sections(plan, last, roadmap, stopped)]
    if loads is not None and len(loads):
        sections.insert(1, _beside(loads, chance))
    return replace(
        report,
        title="Plan and capacity",
        headline=[*_headline(plan, last), *report.headline],
        summary=f"{_takeaway(plan)} {report.summary}".strip(),
        sections=[*sections, *report.sections],
    )


def with_status(report: Report, status: Status) -> Report:
    """Return a report that begins with how the running projects are doing."""
    colours = status.table["rag"]
    red = [
        called(project, status.indicators["name"].get(project))
        for project in status.table.index[colours == "red"]
    ]
    said = ""
    if red:
        rest = f" and {len(red) - _NAMED} more" if len(red) > _NAMED else ""
        said = f"Red: {', '.join(red[:_NAMED])}{rest}."
    fact = Fact(
        "Running projects", str(len(colours)), counted(colours), alarm=bool(red)
    )
    return replace(
        report,
        headline=[fact, *report.headline],
        summary=f"{said} {report.summary}".strip(),
        sections=[*nightly_sections(status), *report.sections],
    )


def scenario_sections(
    comparison: Comparison | None, figure: Figure | None = None
) -> list[Section]:
    """Return what the scenarios of a night do, none where none were solved."""
    if comparison is None:
        return []
    said = pd.DataFrame({"scenarios": comparison.sentences()})
    return [
        Section(
            "What the scenarios do",
            "Each beside the plan without it.",
            figure=figure,
            table=said,
        )
    ]


def _beside(loads: pd.DataFrame, chance: float) -> Section:
    """Return who runs short by the plan, and who would with the whole pipeline."""
    at_risk = [
        int((loads[f"p_overload_{load}"] >= chance).sum())
        for load in ("plan", "pipeline")
    ]
    return Section(
        "The plan's headroom beside the pipeline's",
        f"With the plan {at_risk[0]} of {len(loads)} roles reach a chance of "
        f"{percent(chance)} of overload in some period, with the whole pipeline "
        f"{at_risk[1]}.",
        table=loads,
        note="Plan: its projects at its dates for sure, with overruns, and no others. "
        "Pipeline: candidates by their probability; all that follows below is of it.",
    )


def _money(plan: Plan, amount: float) -> str:
    digits = 0 if abs(amount) >= 100 else 2
    return f"{amount:,.{digits}f} {plan.portfolio.settings.currency}".rstrip()


def _takeaway(plan: Plan) -> str:
    """Return the plan in one sentence: how much, how sure."""
    report = plan.report
    decisions = plan.projects["decision"]
    of = int(decisions.isin(["selected", "not selected"]).sum())
    text = (
        f"The plan has {len(plan.starts)} of {of} projects, worth "
        f"{_money(plan, plan.objective)}"
    )
    if report is None or report.bound is None or report.gap is None:
        return f"{text}."
    proof = [f"gap {100 * report.gap:.2f} %"]
    if report.certified_bound is not None:
        proof.append(f"{_money(plan, report.certified_bound)} is proved exactly")
    proof.append(f"rules {'' if report.certified else 'not '}checked exactly")
    return (
        f"{text}; no plan can be worth more than {_money(plan, report.bound)} "
        f"({', '.join(proof)})."
    )


def _headline(plan: Plan, last: Before | None) -> list[Fact]:
    report = plan.report
    gap = None if report is None else report.gap
    notes = [] if gap is None else [f"gap {100 * gap:.2f} %"]
    if last is not None and last.objective is not None:
        change = plan.objective - last.objective
        side = "more" if change > 0 else "less"
        same = abs(change) <= 1e-9 * max(1.0, abs(last.objective))
        what = "as" if same else f"{_money(plan, abs(change))} {side} than"
        notes.append(f"{what} on {last.as_of}")
    facts = [
        Fact("Worth of the plan", _money(plan, plan.objective), ", ".join(notes)),
    ]
    broken = len(plan.violations)
    if broken:
        facts.append(Fact("Broken rules", str(broken), "see violations", alarm=True))
    return facts


def _sections(
    plan: Plan, last: Before | None, roadmap: Figure | None, stopped: bool
) -> Sequence[Section]:
    rows = plan.projects
    chosen = rows[rows["decision"] == "selected"].sort_values(
        ["start", "finish"], kind="stable"
    )
    out = rows[rows["decision"] == "not selected"]
    columns = ["project", "name", "status", "start", "finish", "moved", "worth"]
    cut = " (the search was stopped before its end)" if stopped else ""
    sections = [
        Section(
            f"The plan{cut}",
            _takeaway(plan),
            figure=roadmap,
            alt="Roadmap: one bar for each selected project; the table below has "
            "their dates.",
            table=chosen[columns],
            note="Moved: periods later than planned, blank where no start was planned. "
            "Worth: discounted.",
        ),
        Section("What changed in the plan", *_since(last)),
    ]
    if len(out):
        sections.append(
            Section(
                "What is not in the plan",
                f"{len(out)} project{' is' if len(out) == 1 else 's are'} left out; "
                "pmo explain says why.",
                table=out[["project", "name", "theme", "status"]],
            )
        )
    note = _PROOF if plan.report is not None and plan.report.certificate else ""
    return [*sections, proof_section(plan, note)]


def _since(last: Before | None) -> tuple[Any, ...]:
    """Return takeaway, figure, alt and table of the section of changes."""
    if last is None:
        return ("This is the first run in this folder: there is nothing to compare.",)
    if last.changes is None:
        return (f"The plan of {last.as_of} could not be read.",)
    if not last.changes:
        return (f"The plan is that of {last.as_of}.",)
    count = len(last.changes)
    many = "project differs" if count == 1 else "projects differ"
    table = pd.DataFrame({"change": list(last.changes)})
    return (f"{count} {many} from the plan of {last.as_of}.", None, "", table)
