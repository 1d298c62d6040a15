"""The forecast as a report for people who decide: what, when, how sure, what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from pmo_analytics.clock import format_period
from pmo_analytics.forecasting import outlook
from pmo_analytics.formats import percent
from pmo_analytics.reporting.folder import folder_names
from pmo_analytics.reporting.page import Fact, Report, Section
from pmo_analytics.uncertainty import WHY_COLUMNS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from pmo_analytics.forecasting import Forecast, Why

_LIKELY = 0.5
_NAMED = 3


def forecast_report(
    headroom: Forecast,
    *,
    portfolio: str,
    as_of: str,
    hires: pd.DataFrame | None = None,
    chance: float = 0.2,
    figures: Mapping[str, Figure] | None = None,
    losses: pd.DataFrame | None = None,
    more: Sequence[Section] = (),
    problems: pd.DataFrame | None = None,
    facts: Mapping[str, object] | None = None,
    why: Sequence[Why] = (),
) -> Report:
    """Return the report of a forecast: the headline, then charts, then tables.

    Parameters
    ----------
    headroom
        Forecast of headroom.
    portfolio, as_of
        Name, and the day or period of what is known.
    hires
        Of `hire_list` with the same `chance`.
    chance
        Chance of overload from which a role counts as at risk.
    figures
        Charts by what they show, each where there is one: `overload`, `headroom`,
        `capacity`, `load`, `backtest`, `calibration`, `accuracy`.
    losses
        Of `forecast_tables`: how wrong each model was on the past.
    more
        Further parts, shown after the charts.
    problems, facts
        As in `Report`.
    why
        Where forecasts of roles come from, each a section; `figures` may have
        `why/NAME` of them.
    """
    drawn = figures or {}
    risks = outlook(headroom, chance=chance)
    first, last = (format_period(headroom.periods[k]) for k in (0, -1))
    sections = [
        Section(
            "Who runs short, and when",
            _risk_sentence(risks, chance),
            figure=drawn.get("overload"),
            alt="Heat map of the chance of overload, a row per role and a column per "
            "period; the table below has the highest chance of each role.",
            table=risks,
            note="A role is overloaded in a period when its load exceeds its "
            "capacity there. Missing FTE are those of the worst period: in the "
            "median, and at least that many in one of five futures.",
        )
    ]
    if hires is not None:
        sections.append(_hires_section(hires, chance))
    names = folder_names(one.role for one in why)
    sections += [_why_section(one, drawn.get(f"why/{names[one.role]}")) for one in why]
    sections += [
        Section(title, takeaway, figure=drawn[name], note=_READING[name])
        for name, title, takeaway in _CHARTS
        if name in drawn
    ]
    if losses is not None:
        sections.append(_losses_section(losses))
    sections += more
    if headroom.notes:
        assumed = pd.DataFrame({"assumption": list(headroom.notes)})
        sections.append(
            Section(
                "What was assumed", "For lack of data, to be judged.", table=assumed
            )
        )
    return Report(
        title="Capacity outlook",
        portfolio=portfolio,
        as_of=f"{as_of}, looking at {first} to {last}",
        summary=_summary(risks, hires, chance),
        headline=[*_headline(risks, hires, chance), *_load_shown(headroom)],
        sections=sections,
        problems=problems,
        facts=facts or {},
        sortable=True,
    )


# Which load a forecast shows, by its scope.
LOADS = {
    "pipeline": ("the whole pipeline", "candidates by their probability"),
    "committed": ("committed work", "running, approved and forced projects alone"),
    "plan": ("the plan", "its candidates for sure, no others"),
}


def _load_shown(headroom: Forecast) -> list[Fact]:
    if headroom.scope not in LOADS:
        return []
    return [Fact("Load shown", *LOADS[headroom.scope])]


def _hires_section(hires: pd.DataFrame, chance: float) -> Section:
    return Section(
        "Whom to hire",
        _hire_sentence(hires, chance),
        table=_hires_by_role(hires),
        note="All that are needed in the end; the hire list has the steps. "
        "Late says that hiring should have begun before the first period.",
    )


_ERRORS = {
    "count": "forecasts tried",
    "mae": "mean error, FTE",
    "bias": "bias, FTE",
    "mase": "MASE",
    "rmsse": "RMSSE",
    "smape": "sMAPE, %",
    "pinball_p10": "loss of p10, FTE",
    "pinball_p90": "loss of p90, FTE",
    "nominal": "share promised",
    "coverage": "share inside",
}


def _losses_section(losses: pd.DataFrame) -> Section:
    """Return how wrong each model was on the past, in words that are explained."""
    table = losses.rename(columns=_ERRORS)
    if "model" in table:
        table["model"] = table["model"].astype(str).str.replace("_", " ")
    return Section(
        "How wrong each model was",
        "Smaller errors are better; naive forecasts are what a model has to beat.",
        table=table,
        note="Each model forecast parts of the history from what lay before them. "
        "Mean error: by how much it was off, either way. Bias above zero: too high. "
        "MASE and RMSSE: against the error of the value a season before, below 1 is "
        "better. Loss of p10 and p90: smaller is better. Share inside: of the values "
        "that came, between p10 and p90; the share promised would be right.",
    )


def _why_section(why: Why, figure: Figure | None) -> Section:
    said = pd.DataFrame(list(why.said), columns=["topic", "what is said"])
    return Section(
        f"Why {why.role}",
        "Where this forecast comes from.",
        figure=figure,
        alt="Parts of the forecast by period; why.csv has the numbers.",
        table=said,
    )


def why_table(answers: Iterable[Why]) -> pd.DataFrame:
    """Return the numbers of several answers, `role` and `Why.table`."""
    return pd.concat(
        [one.table.assign(role=one.role) for one in answers], ignore_index=True
    )[["role", *WHY_COLUMNS]]


_CHARTS = (
    ("headroom", "Headroom by role", "Capacity minus load: below zero people miss."),
    ("capacity", "Capacity by role", "What the people can give."),
    ("load", "Load by role", "What the work asks of them."),
    ("backtest", "How wrong it would have been", "Each model, tried on the past."),
    ("calibration", "How honest the intervals are", "80 % should lie inside."),
    ("accuracy", "How wrong earlier forecasts were", "Kept, and held against facts."),
)
_FAN = (
    "The inner band holds the middle 60 % of the simulated futures, both together "
    "the middle 80 %; the line is the median."
)
_READING = {
    "headroom": _FAN,
    "capacity": _FAN,
    "load": _FAN,
    "backtest": "Grey lines are naive forecasts: a model has to lie below them.",
    "calibration": "Below the dashed line the intervals are too narrow.",
    "accuracy": "Only periods that are over are counted.",
}


def _summary(risks: pd.DataFrame, hires: pd.DataFrame | None, chance: float) -> str:
    """Return the message: the roles that run short, when, by how much, how surely."""
    short = risks[risks["p_overload"] >= chance]
    if short.empty:
        return f"No role reaches a {percent(chance)} chance of overload in any period."
    named = [
        f"{row.role} ({percent(row.p_overload)} in {format_period(row.worst)}"
        + (f", {row.short_p50:.1f} FTE short in the median)" if row.short_p50 else ")")
        for row in short.head(_NAMED).itertuples()
    ]
    rest = len(short) - len(named)
    more = f"; and {rest} more role{'' if rest == 1 else 's'}" if rest else ""
    text = f"At risk of overload: {'; '.join(named)}{more}."
    if hires is not None and len(hires):
        text += f" {_hire_sentence(hires, chance)}"
    return text


def _headline(
    risks: pd.DataFrame, hires: pd.DataFrame | None, chance: float
) -> list[Fact]:
    likely = int((risks["p_overload"] >= _LIKELY).sum())
    facts = [
        Fact(
            "Roles more likely short than not",
            f"{likely} of {len(risks)}",
            "in some period",
            alarm=likely > 0,
        )
    ]
    if len(risks) and risks["p_overload"].iloc[0] > 0:
        worst = risks.iloc[0]
        facts.append(
            Fact(
                "Most at risk",
                str(worst["role"]),
                f"{percent(worst['p_overload'])} in {format_period(worst['worst'])}, "
                f"{worst['short_p50']:.1f} FTE short in the median",
                alarm=worst["p_overload"] >= _LIKELY,
            )
        )
    if hires is not None:
        total = float(hires["fte"].sum())
        facts.append(
            Fact(
                "To hire",
                f"{total:.1f} FTE",
                f"for at most {percent(chance)} chance of overload",
            )
        )
        if len(hires):
            decide = hires["decide_by"].min()
            late = bool(hires["late"].any())
            facts.append(
                Fact(
                    "Hiring begins",
                    "now" if late else format_period(decide),
                    f"first needed in {format_period(hires['period'].min())}"
                    + (f", was due {format_period(decide)}" if late else ""),
                    alarm=late,
                )
            )
    return facts


def _risk_sentence(risks: pd.DataFrame, chance: float) -> str:
    count = int((risks["p_overload"] >= chance).sum())
    if not count:
        return f"No role reaches a chance of {percent(chance)} in any period."
    many = "role reaches" if count == 1 else "roles reach"
    return f"{count} {many} a chance of {percent(chance)} or more in some period."


def _hire_sentence(hires: pd.DataFrame, chance: float) -> str:
    if hires.empty:
        return f"Nobody: no chance of overload exceeds {percent(chance)}."
    by_role = (
        hires.groupby("role", sort=False)["fte"].sum().sort_values(ascending=False)
    )
    named = [f"{fte:.1f} {role}" for role, fte in by_role.head(_NAMED).items()]
    rest = len(by_role) - len(named)
    more = f" and {rest} other role{'' if rest == 1 else 's'}" if rest else ""
    return (
        f"{by_role.sum():.1f} FTE would bring every chance to {percent(chance)} or "
        f"less: {', '.join(named)}{more}."
    )


def _hires_by_role(hires: pd.DataFrame) -> pd.DataFrame:
    """Return one row per role: how many FTE in all, and the first dates."""
    by_role = hires.groupby("role", sort=False)
    table = by_role.agg(
        fte=("fte", "sum"),
        needed_from=("period", "min"),
        decide_by=("decide_by", "min"),
        late=("late", "any"),
    )
    return table.sort_values("fte", ascending=False, kind="stable").reset_index()
