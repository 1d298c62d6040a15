"""Pictures of a whole portfolio: value against risk, the pipeline, benefits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter, PercentFormatter

from pmo_analytics.plotting.fonts import shorten
from pmo_analytics.plotting.looks import (
    INK,
    LIMIT,
    OVERLOAD,
    PALETTE,
    QUIET,
    canvas,
    dress,
    legend_label,
    money_unit,
    number_axis,
    period_axis,
    write_empty,
    write_legend,
    write_title,
)
from pmo_analytics.plotting.status.trends import RAG

_CANDIDATE = "#8794A3"
# Bubbles that are named where there are many, and the largest one in points^2.
# One value so many times the median flattens all others on an even axis.
_APART = 40.0
_NAMED, _LARGEST, _SMALLEST = 14, 900.0, 24.0


def _hues(colours: pd.Series[Any], running: Any) -> tuple[list[str], list[str]]:
    """Return faces and edges of bubbles; candidates are hollow."""
    hues = [RAG.get(str(rag), QUIET) for rag in colours]
    return (
        [h if runs else "white" for h, runs in zip(hues, running, strict=True)],
        ["white" if runs else _CANDIDATE for runs in running],
    )


def plot_value_risk(
    table: pd.DataFrame, *, currency: str = "", ax: Axes | None = None
) -> Axes:
    """Draw value against risk, a bubble a project, as large as its cost.

    Parameters
    ----------
    table
        Of `tracking.value_and_risk`. Projects of which value or risk is unknown are
        counted in the title.
    currency
        Of value and cost.
    ax
        Axes to draw on; None = a new figure.

    Returns
    -------
    Axes
        Risk across, value up. Running projects have the colour of their status,
        candidates are hollow. The most valuable and the riskiest are named.
    """
    title = "Value and risk"
    shown = table.dropna(subset=["value", "risk"])
    with canvas(ax, width=9.0, height=5.6) as ax:
        if shown.empty:
            return write_empty(ax, title, "Of no project are value and risk known.")
        scale, unit = money_unit(currency, float(shown["value"].abs().max()))
        dress(ax, grid="y")
        cost = shown["cost"].fillna(0.0).to_numpy(dtype=float)
        size = _SMALLEST + (_LARGEST - _SMALLEST) * cost / max(cost.max(), 1e-9)
        many = min(1.0, (60 / len(shown)) ** 0.5)  # bubbles that would hide each other
        size = np.maximum(size * many, _SMALLEST)
        order = np.argsort(-size, kind="stable")
        running = (shown["kind"] == "running").to_numpy()
        faces, edges = _hues(shown["rag"], running)
        # One collection for all: hundreds of their own take seconds to draw.
        ax.scatter(
            shown["risk"].to_numpy(dtype=float)[order],
            shown["value"].to_numpy(dtype=float)[order],
            s=size[order],
            facecolors=[faces[k] for k in order],
            edgecolors=[edges[k] for k in order],
            alpha=0.85,
            linewidths=1.1,
            zorder=2,
        )
        ax.set_xlim(-0.04, 1.06)
        low, high = float(shown["value"].min()), float(shown["value"].max())
        apart = low > 0 and high > _APART * float(shown["value"].median())
        room = 0.1 * (high - low or abs(high) or 1.0)
        if apart:
            ax.set_yscale("log")
            ax.set_ylim(low / 1.5, high * 2)
        else:
            ax.set_ylim(min(low, 0.0) - room * (low < 0), high + 1.3 * room)
        _name_bubbles(ax, shown, size)
        ax.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        if apart:
            ax.yaxis.set_major_formatter(lambda y, _: f"{y / scale:,.6g}")
            ax.yaxis.set_minor_formatter(NullFormatter())
        else:
            number_axis(ax.yaxis, scale=scale)
        ax.set_xlabel(
            "risk: chance to end late or cost more; of candidates 1 - probability"
        )
        ax.set_ylabel(f"value, {unit}")
        missing = len(table) - len(shown)
        note = f"{len(shown)} projects; a bubble is as large as the cost"
        note += "; each line ten times the one below" if apart else ""
        if missing:
            note += f"; of {missing} more value or risk is unknown"
        write_title(ax, title, note)
        write_legend(ax, _bubble_entries(shown, running))
    return ax


def _bubble_entries(shown: pd.DataFrame, running: np.ndarray) -> list[Line2D]:
    known = set(shown.loc[running, "rag"].dropna())
    entries = [_entry(c, RAG[c], RAG[c]) for c in RAG if c in known]
    if (running & shown["rag"].isna().to_numpy()).any():
        entries.append(_entry("not known", QUIET, QUIET))
    if not running.all():
        entries.append(_entry("candidate", _CANDIDATE, "white"))
    return entries


def _entry(label: str, edge: str, face: str) -> Line2D:
    return Line2D(
        [],
        [],
        color=edge,
        markerfacecolor=face,
        marker="o",
        linestyle="",
        markersize=8,
        label=label,
    )


def _name_bubbles(ax: Axes, shown: pd.DataFrame, size: np.ndarray) -> None:
    """Name the bubbles that stand out; a name that would cover another is left out."""
    worth = shown["value"].rank(pct=True) + shown["risk"].rank(pct=True)
    worth += 2.0 * (shown["rag"] == "red")
    figure = ax.figure
    figure.canvas.draw()
    frame = ax.get_window_extent()
    pixel = figure.dpi / 72
    places = ax.transData.transform(shown[["risk", "value"]].to_numpy(dtype=float))
    radii = (size / np.pi) ** 0.5 * pixel
    taken = [
        (x - 0.7 * r, y - 0.7 * r, x + 0.7 * r, y + 0.7 * r)
        for (x, y), r in zip(places, radii, strict=True)
    ]
    named = 0
    for k in np.argsort(-worth.to_numpy(), kind="stable"):
        if named == _NAMED:
            break
        row = shown.iloc[k]
        text = shorten(row["name"] if pd.notna(row["name"]) else shown.index[k], 26)
        wide = sum(9.0 if c >= "\u1100" else 4.6 for c in text) * pixel
        high = 10.0 * pixel
        (x, y), radius = places[k], radii[k]
        for side in (1, -1):
            left = x + side * (radius + 3) - (wide if side < 0 else 0)
            box = (left, y - high / 2, left + wide, y + high / 2)
            inside = frame.x0 <= box[0] and box[2] <= frame.x1
            others = (other for i, other in enumerate(taken) if i != k)
            if inside and not any(_touch(box, other) for other in others):
                break
        else:
            continue
        taken.append(box)
        named += 1
        ax.annotate(
            text,
            (row["risk"], row["value"]),
            xytext=(side * (radius / pixel + 3), 0),
            textcoords="offset points",
            ha="left" if side > 0 else "right",
            va="center",
            fontsize=7.5,
            color=INK,
            zorder=3,
        )


def _touch(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def plot_pipeline(
    stages: pd.DataFrame, *, currency: str = "", ax: Axes | None = None
) -> Axes:
    """Draw the pipeline as a funnel: how many got as far, how long they wait there.

    Parameters
    ----------
    stages
        Of `tracking.pipeline_stages`.
    currency
        Of the value.
    ax
        Axes to draw on; None = a new figure.

    Returns
    -------
    Axes
        A bar a stage, as wide as the projects that got there or further; the dark part
        are those that stand there now. The share that went on stands between the bars,
        value and age beside them.
    """
    title = "Pipeline"
    with canvas(ax, width=9.0, height=4.6) as ax:
        if not stages["reached"].max() > 0:
            return write_empty(ax, title, "There are no projects.")
        dress(ax)
        most = float(stages["reached"].max())
        at = np.arange(len(stages))
        scale, unit = money_unit(currency, float(np.nan_to_num(stages["value"]).max()))
        for k, row in enumerate(stages.itertuples()):
            ax.barh(k, row.reached, left=-row.reached / 2, color=LIMIT, height=0.62)
            ax.barh(
                k, row.projects, left=-row.projects / 2, color=PALETTE[0], height=0.62
            )
            inside = row.projects > 0.06 * most
            ax.text(
                *(0, k, f"{row.projects:,}"),
                ha="center",
                va="center",
                fontweight="bold",
                color="white" if inside else INK,
            )
            if pd.notna(row.conversion):
                ax.text(
                    *(0, k + 0.5, f"{100 * row.conversion:.0f} % further"),
                    ha="center",
                    va="center",
                    fontsize=7.5,
                    color=QUIET,
                )
            ax.text(
                *(0.56 * most, k, _stage_note(row, scale, unit)),
                va="center",
                fontsize=8,
                color=INK,
            )
        ax.set_yticks(at, list(stages.index))
        ax.set_ylim(len(stages) - 0.5, -0.5)
        ax.set_xlim(-0.52 * most, 1.25 * most)
        ax.set_xticks([])
        ax.tick_params(length=0)
        for spine in ax.spines.values():
            spine.set_visible(False)
        beside = [f"{n} {w}" for w, n in stages.attrs.get("beside", {}).items() if n]
        note = "dark: at this stage now; pale: here or further"
        if beside:
            note += f"; not in it: {', '.join(beside)}"
        write_title(ax, title, note)
    return ax


def _stage_note(row: object, scale: float, unit: str) -> str:
    value, age = float(row.value), row.age_days  # type: ignore[attr-defined]
    if not row.projects:  # type: ignore[attr-defined]
        return ""
    known = pd.notna(value) and value != 0
    text = f"worth {value / scale:,.1f} {unit}" if known else "no value is known"
    if pd.isna(age):
        return text
    oldest = row.oldest_days  # type: ignore[attr-defined]
    return f"{text}\n{age:,.0f} days old in the median, {oldest:,.0f} the oldest"


def plot_benefits(
    benefits: pd.DataFrame,
    *,
    as_of: pd.Timestamp | None = None,
    currency: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw benefits as promised, and as they are to come now, cumulative.

    Parameters
    ----------
    benefits
        Of `tracking.benefits_by_period`.
    as_of
        Day of the line of today; None = none.
    currency
        Of the amounts.
    ax
        Axes to draw on; None = a new figure.

    Returns
    -------
    Axes
        Periods across, money up. Between the lines lies what comes later than promised;
        the third one, where there is any, is what came in so far.
    """
    title = "Benefits: as promised, and as they are to come now"
    with canvas(ax, height=4.2) as ax:
        if benefits.empty:
            return write_empty(ax, title, "No live project has benefits with a date.")
        sums = benefits.cumsum()
        scale, unit = money_unit(currency, float(np.nanmax(sums.abs().to_numpy())))
        dress(ax, grid="y")
        at = np.arange(len(sums))
        handles = []
        for name, label, colour in (
            ("planned", "promised (baseline)", QUIET),
            ("expected", "expected now", PALETTE[0]),
            ("actual", "came in", RAG["green"]),
        ):
            if name not in sums:
                continue
            (line,) = ax.plot(at, sums[name], color=colour, label=legend_label(label))
            handles.append(line)
        ax.fill_between(
            at, sums["planned"], sums["expected"], color=OVERLOAD, alpha=0.14
        )
        number_axis(ax.yaxis, scale=scale)
        ax.set_ylabel(unit)
        periods = pd.PeriodIndex(sums.index)
        period_axis(ax, periods)
        note = "cumulative"
        if "actual" in sums:
            came = sums["actual"].dropna().iloc[-1]
            note += f"; {came / scale:,.2f} {unit} came in so far"
        else:
            note += "; no benefit is recorded that came in"
        if as_of is not None:
            today = pd.Period(as_of, freq=periods.freq).ordinal - periods[0].ordinal
            if 0 <= today < len(periods):
                ax.axvline(today, color=INK, linewidth=0.8, linestyle=":")
                behind = sums["planned"].iloc[today] - sums["expected"].iloc[today]
                note += (
                    f"; by {as_of:%Y-%m-%d} {behind / scale:,.2f} {unit} less than "
                    "promised"
                    if behind > 0
                    else f"; {as_of:%Y-%m-%d} is marked"
                )
        write_title(ax, title, note)
        write_legend(ax, handles)
    return ax
