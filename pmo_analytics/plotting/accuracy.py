"""How good forecasts were: errors, bias and coverage by how far ahead they looked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from pmo_analytics.clock import base_freq
from pmo_analytics.forecasting import NAIVE
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
    number_axis,
    one_of,
    page,
    write_empty,
    write_legend,
    write_title,
)

_UNITS = {"W": "weeks", "M": "months", "Q": "quarters", "Y": "years"}
_COLOURS = {"capacity": "#3A6EA5", "load": "#5B4A9E", "headroom": "#1F7A72"}
# Column of an accuracy table -> title and unit.
_MEASURES = {
    "mae": ("Mean absolute error", "FTE"),
    "bias": ("Bias: forecast minus what happened", "FTE"),
    "inside_p10_p90": ("Inside p10 to p90", "share of forecasts"),
    "inside_p20_p80": ("Inside p20 to p80", "share of forecasts"),
}
_PROMISED = {"inside_p10_p90": 0.8, "inside_p20_p80": 0.6}


def plot_backtest_errors(
    backtest: pd.DataFrame, role: str | None = None, *, ax: Axes | None = None
) -> Axes:
    """Draw the mean absolute error of each model by how far ahead it looked.

    The naive models are grey: a model above them is not worth its name.

    Parameters
    ----------
    backtest
        Raw table of `backtest`.
    role
        One role; None = the mean over all roles.
    ax
        Axes to draw on; None = a new figure.

    Returns
    -------
    Axes
        Periods ahead across, FTE up.

    Raises
    ------
    ConfigError
        If the role is not in the table.

    Examples
    --------
    >>> import pandas as pd
    >>> import pmo_analytics as pmo
    >>> from matplotlib.figure import Figure
    >>> from pmo_analytics.plotting.accuracy import plot_backtest_errors
    >>> periods = pd.period_range("2024-01", periods=36, freq="M")
    >>> history = pd.DataFrame({"Tester": range(36)}, index=periods, dtype=float)
    >>> table = pmo.backtest(history, horizon=6)
    >>> ax = plot_backtest_errors(table, ax=Figure().subplots())
    >>> ax.get_ylabel()
    'mean absolute error, FTE'
    """
    subject = "All roles" if role is None else shorten(role, 48)
    title = f"{subject}: errors in the backtest"
    rows = _of_role(backtest, role)
    error = (rows["forecast"] - rows["actual"]).abs()
    grid = _by_lead(rows, error)
    with canvas(ax, height=3.8) as ax:
        if grid.empty:
            return write_empty(ax, title, "The history is too short for a backtest.")
        dress(ax, grid="y")
        _draw_lines(ax, grid)
        ax.set_ylim(0, float(np.nanmax(grid.to_numpy())) * 1.08 or 1.0)
        number_axis(ax.yaxis)
        _lead_axis(ax, rows, grid)
        ax.set_ylabel("mean absolute error, FTE")
        write_title(ax, title, _gain(error.groupby(rows["model"]).mean()))
        write_legend(ax, _model_entries(grid))
    return ax


def plot_calibration(
    backtest: pd.DataFrame, role: str | None = None, *, ax: Axes | None = None
) -> Axes:
    """Draw how often the 80 % interval of each model held what then happened.

    A line below the dashed one says that the intervals are too narrow, one above
    it that they are wider than they have to be.

    Parameters
    ----------
    backtest
        Raw table of `backtest`, whose p10 and p90 bound the 80 % interval.
    role
        One role; None = all roles.
    ax
        Axes to draw on; None = a new figure.

    Returns
    -------
    Axes
        Periods ahead across, share of the forecasts up.

    Raises
    ------
    ConfigError
        If the role is not in the table.
    """
    subject = "All roles" if role is None else shorten(role, 48)
    title = f"{subject}: does the 80 % interval hold?"
    rows = _of_role(backtest, role)
    inside = (rows["actual"] >= rows["p10"]) & (rows["actual"] <= rows["p90"])
    grid = _by_lead(rows, inside.astype(float))
    with canvas(ax, height=3.8) as ax:
        if grid.empty:
            return write_empty(ax, title, "The history is too short for a backtest.")
        dress(ax, grid="y")
        _draw_lines(ax, grid)
        _coverage_axis(ax, float(np.nanmin(grid.to_numpy())), 0.8)
        _lead_axis(ax, rows, grid)
        ax.set_ylabel("share inside p10 to p90")
        overall = inside.groupby(rows["model"]).mean()
        own = [model for model in grid.columns if model not in NAIVE]
        count = len(rows) // max(len(grid.columns), 1)
        parts = [f"{_plain(model)} {overall[model]:.0%}" for model in own[:3]]
        write_title(ax, title, "; ".join([*parts, f"{count:,} forecasts each"]))
        write_legend(ax, [*_model_entries(grid), _promised_entry("80 % promised")])
    return ax


def plot_reliability(
    table: pd.DataFrame, *, what: str = "it", ax: Axes | None = None
) -> Axes:
    """Draw how often something happened where a chance was said.

    Points on the dashed line are honest: of what was given 30 % about 30 % happened.
    Below it the warning was too loud, above it too quiet.

    Parameters
    ----------
    table
        Of `tracking.reliability`.
    what
        What was foretold, for the axis: "late", "over budget".
    ax
        Axes to draw on; None = a new figure.

    Returns
    -------
    Axes
        Chance said across, share that happened up; both 0 to 1. The bars below count
        the cases, and are as wide as their class.
    """
    title = "How honest the chances were"
    with canvas(ax, width=6.4, height=5.2) as ax:
        if table.empty:
            return write_empty(ax, title, "Nothing that was foretold has ended yet.")
        dress(ax, grid="y")
        cases = table["cases"].to_numpy(dtype=float)
        middle = (table["low"] + table["high"]) / 2
        ax.bar(
            middle,
            0.16 * cases / cases.max(),
            0.9 * (table["high"] - table["low"]),
            color=LIMIT,
        )
        ax.plot([0, 1], [0, 1], color=QUIET, linestyle="--", linewidth=1.0)
        ax.vlines(
            table["said"], table["said"], table["happened"], color=OVERLOAD, alpha=0.6
        )
        (line,) = ax.plot(
            table["said"], table["happened"], color=PALETTE[0], marker="o", markersize=6
        )
        line.set_label("what happened")
        for said, happened, count in zip(
            table["said"], table["happened"], table["cases"], strict=True
        ):
            ax.annotate(
                f"{count:,}",
                (said, happened),
                xytext=(0, 8 if happened >= said else -14),
                textcoords="offset points",
                ha="center",
                fontsize=7.5,
                color=QUIET,
            )
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        ax.set_xlim(-0.02, 1.02)
        ax.set_ylim(0, 1.05)
        ax.set_xlabel(f"chance that was said: {what}")
        ax.set_ylabel("share that happened")
        error = float(np.average(table["error"], weights=cases))
        note = f"{int(cases.sum()):,} cases (numbers at the points); "
        write_title(ax, title, f"{note}calibration error {error:.3f}")
    return ax


def plot_accuracy(
    accuracy: pd.DataFrame, measure: str = "mae", *, ax: Axes | None = None
) -> Axes:
    """Draw how good kept forecasts turned out to be, by lead time.

    Parameters
    ----------
    accuracy
        Table of `forecast_accuracy`; rows of the same quantity and lead are
        averaged over the roles with `count` as weight.
    measure
        `mae`, `bias`, `inside_p10_p90` or `inside_p20_p80`.
    ax
        Axes to draw on; None = a new figure.

    Returns
    -------
    Axes
        Lead time across; one line per quantity.

    Raises
    ------
    ConfigError
        If the measure is unknown.
    """
    title, unit = _MEASURES[one_of("measure", measure, _MEASURES)]
    with canvas(ax, height=3.8) as ax:
        if accuracy.empty:
            return write_empty(ax, title, "No forecast has met its actuals yet.")
        entries = _draw_accuracy(ax, accuracy, measure)
        count = int(accuracy["count"].sum())
        write_title(ax, title, f"{count:,} forecasts that came due")
        ax.set_ylabel(unit)
        ax.set_xlabel("periods ahead")
        write_legend(ax, entries)
    return ax


def figure_accuracy(accuracy: pd.DataFrame) -> Figure:
    """Draw error, bias and both intervals of kept forecasts by lead time.

    Parameters
    ----------
    accuracy
        As for `plot_accuracy`.

    Returns
    -------
    Figure
        Four panels, one line per quantity in each.
    """
    with page(width=9.6, height=5.6) as figure:
        title = "Forecasts kept, and what happened"
        figure.suptitle(title, x=0.01, ha="left")
        if accuracy.empty:
            ax = figure.subplots()
            dress(ax)
            write_empty(ax, "", "No forecast has met its actuals yet.")
            return figure
        for ax, (measure, (name, unit)) in zip(
            figure.subplots(2, 2).ravel(), _MEASURES.items(), strict=True
        ):
            entries = _draw_accuracy(ax, accuracy, measure)
            ax.set_title(name, fontsize=9.5)
            ax.set_ylabel(unit)
            ax.set_xlabel("periods ahead")
        figure.legend(
            entries,
            [str(entry.get_label()) for entry in entries],
            loc="outside lower center",
            ncols=len(entries),
        )
    return figure


def _of_role(backtest: pd.DataFrame, role: str | None) -> pd.DataFrame:
    if role is None:
        return backtest
    one_of("role", role, dict.fromkeys(backtest["role"]))
    return backtest[backtest["role"] == role]


def _by_lead(rows: pd.DataFrame, values: pd.Series[Any]) -> pd.DataFrame:
    """Return means by periods ahead (down) and model (across), naive models last."""
    if rows.empty:
        return pd.DataFrame()
    lead = rows["period"].astype("int64") - rows["cutoff"].astype("int64")
    grid = values.groupby([lead.rename("lead"), rows["model"]]).mean().unstack()
    own = [model for model in dict.fromkeys(rows["model"]) if model not in NAIVE]
    return grid[[*own, *(model for model in NAIVE if model in grid.columns)]]


def _look(position: int, model: str) -> dict[str, Any]:
    """Return how the line of a model looks."""
    if model in NAIVE:
        dashes = ("--", ":", "-.")[NAIVE.index(model) % 3]
        return {"color": QUIET, "linestyle": dashes, "linewidth": 1.5}
    return {
        "color": PALETTE[position % len(PALETTE)],
        "linewidth": 2.2 if position == 0 else 1.6,
        "marker": "o",
        "markersize": 3.5,
    }


def _draw_lines(ax: Axes, grid: pd.DataFrame) -> None:
    for position, model in enumerate(grid.columns):
        values = grid[model].to_numpy(dtype=float)
        look = _look(position, model)
        if len(grid) == 1:
            look["marker"] = "o"
        ax.plot(grid.index, values, zorder=2.0 if model in NAIVE else 2.5, **look)


def _model_entries(grid: pd.DataFrame) -> list[Artist]:
    return [
        Line2D([], [], label=legend_label(_plain(model)), **_look(position, model))
        for position, model in enumerate(grid.columns)
    ]


def _plain(model: object) -> str:
    return str(model).replace("_", " ")


def _lead_axis(ax: Axes, rows: pd.DataFrame, grid: pd.DataFrame) -> None:
    _whole_axis(ax, int(grid.index.min()), int(grid.index.max()))
    ax.set_xlabel(f"{_UNITS[base_freq(rows['period'].iloc[0].freqstr)]} ahead")


def _whole_axis(ax: Axes, first: int, last: int) -> None:
    room = max(0.5, 0.03 * (last - first))
    ax.set_xlim(first - room, last + room)
    # Below one period there is nothing to label.
    ax.xaxis.set_major_locator(MaxNLocator(12, integer=True, min_n_ticks=1))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:.0f}"))


def _coverage_axis(ax: Axes, least: float, promised: float) -> None:
    """Show the share that should be inside, and the axis in percent."""
    ax.axhline(promised, color=OVERLOAD, linewidth=1.2, linestyle="--", zorder=1.5)
    ax.set_ylim(0.0 if least < promised - 0.3 else promised - 0.35, 1.03)
    ax.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:.0%}"))


def _promised_entry(label: str) -> Artist:
    return Line2D([], [], color=OVERLOAD, linewidth=1.2, linestyle="--", label=label)


def _gain(errors: pd.Series[Any]) -> str:
    """Return how the best model compares with the best naive one."""
    naive = errors[[model for model in NAIVE if model in errors.index]]
    own = errors.drop(naive.index)
    if own.empty or naive.empty or not naive.min():
        return ""
    best, ratio = own.idxmin(), own.min() / naive.min() - 1
    if abs(ratio) < 0.005:
        return f"{_plain(best)} is as good as {_plain(naive.idxmin())}"
    word = "smaller" if ratio < 0 else "larger"
    return (
        f"{_plain(best)}: error {abs(ratio):.0%} {word} than {_plain(naive.idxmin())}"
    )


def _draw_accuracy(ax: Axes, known: pd.DataFrame, measure: str) -> list[Artist]:
    """Draw one line per quantity; return the legend's entries."""
    dress(ax, grid="y")
    weighted = known.assign(total=known[measure] * known["count"])
    sums = weighted.groupby(["quantity", "lead"], sort=False)[["total", "count"]].sum()
    grid = (sums["total"] / sums["count"]).unstack("quantity").sort_index()
    entries: list[Artist] = []
    for quantity in (q for q in _COLOURS if q in grid.columns):
        look: dict[str, Any] = {
            "color": _COLOURS[quantity],
            "marker": "o",
            "markersize": 3.5,
        }
        ax.plot(grid.index, grid[quantity].to_numpy(dtype=float), **look)
        entries.append(Line2D([], [], label=quantity, **look))
    values = grid.to_numpy(dtype=float)
    if measure in _PROMISED:
        _coverage_axis(ax, float(np.nanmin(values)), _PROMISED[measure])
        entries.append(_promised_entry("promised"))
    else:
        if measure == "bias":
            ax.axhline(0, color=INK, linewidth=0.9, zorder=1.5)
        low, high = min(np.nanmin(values), 0.0), max(np.nanmax(values), 0.0)
        room = 0.08 * (high - low) or 1.0
        ax.set_ylim(low - (room if low else 0.0), high + room)
        number_axis(ax.yaxis)
    _whole_axis(ax, int(grid.index.min()), int(grid.index.max()))
    ax.tick_params(labelcolor=INK, colors=QUIET)
    return entries
