"""The nightly run: check, forecast, accuracy, plan, report, in one folder a date."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from pmo_analytics.batch.accuracy import Memory, remembering
from pmo_analytics.batch.config import BatchConfig, read_config
from pmo_analytics.batch.folder import alone, clear, keep_good, point_to
from pmo_analytics.batch.statuses import (
    read_sound,
    status_of,
    status_tables,
)
from pmo_analytics.clock import format_period
from pmo_analytics.errors import ConfigError, say_warnings
from pmo_analytics.facts import text_of_fact
from pmo_analytics.forecasting import (
    after_history,
    beside,
    forecast_demand,
    forecast_headroom,
    forecast_tables,
    headroom_of,
    history_alone,
)
from pmo_analytics.formats import names_of, text_of
from pmo_analytics.optimization import SolveLimits, optimize
from pmo_analytics.processes import stop_asked, stoppable
from pmo_analytics.reporting import (
    comparison_tables,
    drawn,
    manifest,
    plan_tables,
    write_result,
)
from pmo_analytics.scenarios import compare, read_scenarios
from pmo_analytics.tracking import read_rules
from pmo_analytics.versions import versions

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from pmo_analytics.forecasting import Forecast
    from pmo_analytics.plan import Plan
    from pmo_analytics.portfolio import Portfolio
    from pmo_analytics.reporting import Report
    from pmo_analytics.scenarios import Comparison, Scenario
    from pmo_analytics.tracking import Status

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class BatchRun:
    """What a batch found and wrote.

    Attributes
    ----------
    folder
        Of this run.
    portfolio
        As it was known.
    headroom
        Forecast.
    plan
        None where the configuration leaves it out.
    accuracy
        Of former forecasts; empty without a store.
    files
        Everything written.
    stopped
        Ctrl-C ended the search before its limits: the run is marked so, and is not
        the last good one.
    status
        How the running projects are doing; None where nothing was ever reported.
    """

    folder: Path
    portfolio: Portfolio
    headroom: Forecast
    plan: Plan | None
    accuracy: pd.DataFrame
    files: tuple[Path, ...]
    stopped: bool = False
    status: Status | None = None


@stoppable()
def run_batch(
    config: BatchConfig | str | Path, *, as_of: date | str, out: str | Path
) -> BatchRun:
    """Run everything for one date.

    Nothing after the date is used: `history` and `actuals` of periods that had not
    ended and baselines set later are left out, and the horizon begins with the first
    period after those that had. A run of the same date again takes the place of the
    former; one that fails leaves the former as it is. One that is stopped by Ctrl-C or
    a signal is written only where the date has no good run yet.

    Parameters
    ----------
    config
        From `read_config`, or its path.
    as_of
        Last day that is known.
    out
        Folder of the runs; this one's is named by the date.

    Raises
    ------
    ConfigError
        If the configuration or the date cannot be used, or another run is at work.
    DataError
        If the portfolio has errors.
    InfeasibleError, SolverError
        If there is no plan, or the run was stopped and a good one is there.
    """
    if not isinstance(config, BatchConfig):
        config = read_config(config)
    day = read_day(as_of)
    out = Path(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"Cannot write to {out}: {error.strerror}.") from error
    with alone(out):
        run = _run(config, day, out / day.isoformat())
        if not run.stopped:
            point_to(out, run.folder)
            clear(out, config.report.keep, run.folder)
    return run


def read_day(as_of: date | str) -> date:
    """Return a day that is given as a date or as text, 2027-03-31."""
    if isinstance(as_of, date):
        return as_of
    try:
        return date.fromisoformat(as_of)
    except ValueError as error:
        raise ConfigError(f"{as_of!r} is no date: write 2027-03-31.") from error


def known_on(portfolio: Portfolio, day: date) -> Portfolio:
    """Return a portfolio as it was known at the end of a day.

    One of history alone is forecast from the end of that, any other from the first
    period that was not over.

    Raises
    ------
    ConfigError
        If its horizon was over by then.
    """
    horizon = portfolio.horizon
    over = _last_over(horizon, day)
    past, actuals = portfolio.history, portfolio.actuals
    plans, told, stones = portfolio.baselines, portfolio.progress, portfolio.milestones
    later = pd.to_datetime(plans["set_on"]) > pd.Timestamp(day)
    known = portfolio.replace(
        history=past[past["period"] <= over],
        actuals=actuals[actuals["period"] <= over],
        baselines=plans[~later.fillna(False).astype(bool)],
        progress=told[told["as_of"] <= pd.Timestamp(day)],
        milestones=stones[~(stones["as_of"] > pd.Timestamp(day))],
    )
    if history_alone(known):
        return after_history(known)[0]
    begin = max(horizon[0], over + 1)
    if begin > horizon[-1]:
        raise ConfigError(
            f"The horizon ends with {format_period(horizon[-1])}, before {day}. Give "
            "the portfolio a later horizon."
        )
    periods = pd.period_range(begin, horizon[-1], freq=horizon.freq)
    return known.replace(horizon=periods)


def _last_over(horizon: pd.PeriodIndex, day: date) -> pd.Period:
    """Return the last period that had ended at the end of a day."""
    period = pd.Period(day, freq=horizon.freq)
    return period if period.end_time.date() <= day else period - 1


def _run(config: BatchConfig, day: date, folder: Path) -> BatchRun:
    read, left_out = read_sound(config.portfolio)
    if line := say_warnings(read.problems, config.portfolio):
        _LOG.warning("%s", line)
    portfolio = known_on(read, day)
    if config.status.rules:
        read_rules(config.status.rules)  # before anything takes time
    _LOG.info(
        "%s as of %s: %s projects, %s rows of history, %s to %s",
        portfolio.name,
        day,
        f"{len(portfolio.projects):,}",
        f"{len(portfolio.history):,}",
        format_period(portfolio.horizon[0]),
        format_period(portfolio.horizon[-1]),
    )
    # Read before anything takes time.
    file = config.compare.scenarios
    scenarios = read_scenarios(file) if file and config.optimize.run else []
    if config.store and "://" not in config.store:
        Path(config.store).parent.mkdir(parents=True, exist_ok=True)
    known = min(_last_over(portfolio.horizon, day), portfolio.horizon[0] - 1)
    with remembering(config.store, portfolio, known) as memory:
        headroom = _forecast(config, portfolio, memory)
        plan = _plan(config, portfolio, headroom)
        planned = _planned(config, portfolio, headroom, plan, memory)
        standing = status_of(config.status, read, day, memory.statuses)
        if standing is not None:
            standing = replace(standing, left_out=left_out)
        compared = _compare(config, plan, scenarios)
        found = _Found(portfolio, headroom, plan, planned, compared, standing)
        tables = _tables(config, found, memory)
        if stop_asked():
            keep_good(folder)
        # Remembered when all is written, and before it takes its place: a run that
        # fails at either leaves the former one whole, and the same date mends it.
        files = _write(
            config,
            day,
            folder,
            found,
            tables,
            last=lambda: _remember(memory, headroom, standing),
        )
        _LOG.info("%d files in %s", len(files), folder)
    accuracy = memory.accuracy
    return BatchRun(
        folder,
        portfolio,
        headroom,
        plan,
        accuracy,
        tuple(files),
        stop_asked(),
        standing,
    )


@dataclass(frozen=True)
class _Found:
    """What there is to write of a run."""

    portfolio: Portfolio
    headroom: Forecast
    plan: Plan | None
    planned: Forecast | None
    comparison: Comparison | None
    standing: Status | None


def _remember(memory: Memory, headroom: Forecast, standing: Status | None) -> None:
    memory.keep(headroom)
    if standing is not None:
        day = f"{standing.as_of:%Y-%m-%d}"
        memory.keep_status(standing.indicators, day)


def _forecast(config: BatchConfig, portfolio: Portfolio, memory: Memory) -> Forecast:
    settings = config.forecast
    headroom = forecast_headroom(
        portfolio,
        periods=settings.periods or None,
        draws=settings.draws,
        seed=config.seed,
        model=settings.model,
        ramp=settings.ramp,
        accuracy=memory.learnt,
    )
    for note in headroom.notes:
        _LOG.info("%s", note)
    _LOG.info(
        "forecast of %d roles and %d periods; %d rows of accuracy from former ones",
        len(headroom.roles),
        len(headroom.periods),
        len(memory.accuracy),
    )
    return headroom


def _plan(config: BatchConfig, portfolio: Portfolio, headroom: Forecast) -> Plan | None:
    settings = config.optimize
    if not settings.run or portfolio.projects.empty:
        return None
    if settings.capacity != "known":
        low = headroom.parts[0].grid(settings.capacity)
        grid = portfolio.capacity.copy()
        for role in grid.columns.intersection(low.columns):
            grid.loc[low.index, role] = low[role]
        portfolio = portfolio.replace(capacity=grid)
    plan = optimize(
        portfolio, limits=_limits(config), seed=config.seed, params=config.search
    )
    if plan.report is not None:
        _LOG.info(
            "plan: objective %s, bound %s, gap %s, %s s",
            text_of_fact(plan.report.objective),
            text_of_fact(plan.report.bound),
            text_of(plan.report.gap, "ratio"),
            text_of_fact(plan.report.seconds),
        )
    return plan


def _planned(
    config: BatchConfig,
    portfolio: Portfolio,
    headroom: Forecast,
    plan: Plan | None,
    memory: Memory,
) -> Forecast | None:
    """Return the headroom that the plan leaves, None where there is no plan."""
    if plan is None:
        return None
    load = forecast_demand(
        portfolio,
        periods=config.forecast.periods or None,
        draws=config.forecast.draws,
        seed=config.seed,
        model=config.forecast.model,
        scope="plan",
        plan=plan,
        accuracy=memory.learnt,
    )
    return headroom_of(headroom.parts[0], load)


def _limits(config: BatchConfig) -> SolveLimits:
    settings = config.optimize
    return SolveLimits(
        seconds=settings.seconds, gap=settings.gap, work=settings.work or None
    )


def _compare(
    config: BatchConfig, plan: Plan | None, scenarios: list[Scenario]
) -> Comparison | None:
    """Return the scenarios solved beside the plan, None where there are none."""
    if plan is None or not scenarios:
        return None
    comparison = compare(
        plan.portfolio,
        scenarios,
        limits=_limits(config),
        seed=config.seed,
        base=plan,
        workers=config.compare.workers or None,
        cluster=config.compare.cluster,
        on_done=lambda done: _LOG.info("scenario %s: %s", done.scenario, done.status),
    )
    for sentence in comparison.sentences()[1:]:
        _LOG.info("%s", sentence)
    return comparison


def _tables(
    config: BatchConfig, found: _Found, memory: Memory
) -> dict[str, pd.DataFrame]:
    settings = config.forecast
    tables = forecast_tables(
        found.headroom,
        model=settings.model,
        chance=settings.chance,
        lead=settings.lead,
        ramp=settings.ramp,
    )
    if config.store:
        tables |= memory.tables()
    if found.plan is not None:
        tables.update(plan_tables(found.plan))
    if found.planned is not None:
        tables["plan_headroom.csv"] = found.planned.table
        tables["headroom_by_load.csv"] = beside(
            found.headroom, found.planned, chance=settings.chance
        )
    if found.comparison is not None:
        tables.update(comparison_tables(found.comparison))
    if found.standing is not None:
        tables.update(status_tables(found.standing, memory.statuses))
    return tables


def _write(
    config: BatchConfig,
    day: date,
    folder: Path,
    found: _Found,
    tables: Mapping[str, pd.DataFrame],
    *,
    last: Callable[[], None],
) -> list[Path]:
    from pmo_analytics.reporting import fitting, summary_of, write_page, write_workbook

    facts = manifest(found.portfolio, command="batch")
    facts |= {"as_of": day.isoformat(), "seed": config.seed, "versions": versions()}
    # A workbook has sheets and no folders.
    sheets, left_out = fitting({n: t for n, t in tables.items() if "/" not in n})
    for sentence in left_out:
        _LOG.info("%s", sentence)
    facts["notes"] = [*found.headroom.notes, *left_out]
    facts["scope"] = found.headroom.scope
    documents: dict[str, Any] = {}
    if found.plan is not None and found.plan.report is not None:
        evidence = found.plan.report
        facts["report"] = json.loads(json.dumps(evidence.to_dict(), default=str))
        documents["certificate.json"] = evidence.certificate
    charts = config.report.charts
    with drawn(lambda: _figures(found, tables), wanted=charts) as figures:
        report = _report(config, day, folder, found, tables, figures)
        return write_result(
            folder,
            tables=tables,
            facts=facts,
            documents=documents,
            figures=figures,
            others={
                "report.html": lambda path: write_page(path, report),
                "run.xlsx": lambda path: write_workbook(
                    path,
                    sheets,
                    summary=summary_of(report),
                    left_out=left_out,
                    names=names_of(found.portfolio.projects),
                ),
            },
            last=last,
        )


def _report(
    config: BatchConfig,
    day: date,
    folder: Path,
    found: _Found,
    tables: Mapping[str, pd.DataFrame],
    figures: Mapping[str, Figure],
) -> Report:
    from pmo_analytics.reporting import (
        before,
        forecast_report,
        scenario_sections,
        with_plan,
        with_status,
    )

    portfolio = found.portfolio
    report = forecast_report(
        found.headroom,
        portfolio=portfolio.name,
        as_of=day.isoformat(),
        hires=tables["hires.csv"],
        chance=config.forecast.chance,
        figures=figures,
        losses=tables["losses.csv"],
        more=scenario_sections(found.comparison, figures.get("scenarios")),
        problems=portfolio.problems,
        facts={**versions(), "digest": portfolio.digest(), "seed": config.seed},
    )
    if found.standing is not None:
        report = with_status(report, found.standing)
    if found.plan is None:
        return report
    return with_plan(
        report,
        found.plan,
        loads=tables.get("headroom_by_load.csv"),
        chance=config.forecast.chance,
        last=before(folder.parent, day, found.plan),
        roadmap=figures.get("gantt"),
        stopped=stop_asked(),
    )


def _figures(found: _Found, tables: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    from pmo_analytics.plotting import forecast_figures, plot_gantt

    figures: dict[str, Any] = forecast_figures(
        found.headroom, tables["backtest.csv"], tables.get("accuracy.csv")
    )
    if found.plan is not None:
        figures["gantt"] = plot_gantt(found.plan).figure
    if found.comparison is not None:
        from pmo_analytics.plotting import plot_comparison, plot_moves

        figures["scenarios"] = plot_comparison(found.comparison).figure
        figures["moves"] = plot_moves(found.comparison).figure
    return figures
