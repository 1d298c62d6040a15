"""The nightly run: whole or not at all, nothing known too early, one at a time."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

import pmo_analytics.batch.batch
from pmo_analytics.batch.batch import known_on, run_batch
from pmo_analytics.batch.folder import clear
from pmo_analytics.batch.store import Store, open_store
from pmo_analytics.cli import main
from pmo_analytics.errors import ConfigError, DataError, PmoError, SolverError
from pmo_analytics.forecasting import forecast_headroom, outlook
from pmo_analytics.loaders import read_portfolio
from pmo_analytics.processes.stopping import note_stop
from tests.support.chromium import browser, find_chromium
from tests.support.counts import ALL
from tests.support.places import ROOT

pytestmark = pytest.mark.usefixtures("warm_module")

MONTHS = pd.period_range("2024-01", periods=36, freq="M")
HORIZON = pd.period_range("2026-01", periods=24, freq="M")


def company_in(place: Path) -> Path:
    """Write a small company, three years of its history and a configuration."""
    folder = place / "company"
    folder.mkdir()
    files = {
        "portfolio.toml": 'name = "Co"\n[horizon]\nstart = "2026-01"\nperiods = 24\n'
        'freq = "M"\n',
        "projects.csv": "project,value,duration,status,start,probability\n"
        "A,5,2,approved,2027-02,\nB,3,3,proposed,,0.5\n",
        "demand.csv": "project,role,offset,fte\nA,Dev,0,1\nA,Dev,1,1\nB,Dev,0,1\n",
        "capacity.csv": "period,role,fte\n"
        + "".join(
            f"{p},Dev,2\n" for p in pd.period_range("2026-01", "2027-12", freq="M")
        ),
        "history.csv": "period,role,kind,load_fte,capacity_fte\n"
        + "".join(f"{m},Ops,total,{2 + m.month % 3},6\n" for m in MONTHS),
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    path = place / "batch.toml"
    path.write_text(
        'portfolio = "company"\nstore = "memory.db"\n'
        "[forecast]\nperiods = 3\ndraws = 200\n"
        "[optimize]\nseconds = 300\nwork = 50\n"
        "[report]\ncharts = false\nkeep = 3\n",
        encoding="utf-8",
    )
    return path


@pytest.fixture
def config(tmp_path):
    return company_in(tmp_path)


def by_the_least(config: Path) -> Path:
    """Let a configuration forecast by the model that takes the least time."""
    text = config.read_text("utf-8").replace(
        "draws = 200", "draws = 100\nmodel = 'naive'"
    )
    config.write_text(text, encoding="utf-8")
    return config


@pytest.fixture
def lean(config):
    return by_the_least(config)


@pytest.fixture
def quick(lean):
    """The same without a plan."""
    text = lean.read_text("utf-8").replace("[optimize]", "[optimize]\nrun = false")
    lean.write_text(text, encoding="utf-8")
    return lean


@pytest.fixture(scope="module")
def good(tmp_path_factory, warm_module):
    """One run of 2026-12-31, to read; its folder has the company and the store too."""
    place = tmp_path_factory.mktemp("good")
    return run_batch(company_in(place), as_of="2026-12-31", out=place / "runs")


@pytest.fixture
def after_good(good, tmp_path):
    """Where that run has been made already: the configuration, for tests that go on."""
    shutil.copytree(good.folder.parents[1], tmp_path, dirs_exist_ok=True)
    return by_the_least(tmp_path / "batch.toml")


def content(folder: Path) -> dict[str, bytes]:
    return {f.name: f.read_bytes() for f in folder.iterdir() if f.suffix == ".csv"}


def test_a_run_has_everything(good):
    run = good
    assert run.folder.parts[-2:] == ("runs", "2026-12-31")
    names = {file.name for file in run.files}
    assert names >= {
        *("forecast.csv", "hires.csv", "backtest.csv", "accuracy.csv"),
        *("accuracy_by_team.csv", "losses.csv"),
        *("schedule.csv", "certificate.json", "report.html", "run.xlsx"),
        "manifest.json",
    }
    assert all(file.exists() for file in run.files)
    facts = json.loads((run.folder / "manifest.json").read_text("utf-8"))
    assert facts["as_of"] == "2026-12-31"
    assert facts["portfolio_digest"] == run.portfolio.digest()
    assert facts["report"]["certified"]
    table = pd.read_csv(run.folder / "forecast.csv")
    assert set(table["period"]) == {"2027-01", "2027-02", "2027-03"}
    latest = json.loads((run.folder.parent / "latest.json").read_text("utf-8"))
    assert latest == {"run": "2026-12-31"}


def test_the_plan_s_headroom_stands_beside_the_pipeline_s(good):
    run = good
    assert run.plan is not None
    again = forecast_headroom(
        run.portfolio,
        periods=len(run.headroom.periods),
        draws=len(run.headroom.draws),
        scope="plan",
        plan=run.plan,
    )
    table = pd.read_csv(run.folder / "headroom_by_load.csv").set_index("role")
    assert list(table.index) == list(outlook(run.headroom, chance=0.2)["role"])
    for load, headroom in (("pipeline", run.headroom), ("plan", again)):
        told = table[f"p_overload_{load}"]
        assert told.to_dict() == pytest.approx(headroom.p_overload.max().to_dict())
    page = (run.folder / "report.html").read_text("utf-8")
    assert "headroom beside the pipeline" in page
    facts = json.loads((run.folder / "manifest.json").read_text("utf-8"))
    assert facts["scope"] == "pipeline"
    assert any(
        note.startswith("Load: of the whole pipeline") for note in facts["notes"]
    )


def test_the_same_date_again_gives_the_same_tables(good, config, tmp_path):
    first = content(good.folder)
    again = content(run_batch(config, as_of="2026-12-31", out=tmp_path / "b").folder)
    assert first == again
    twice = run_batch(config, as_of="2026-12-31", out=tmp_path / "b")
    assert content(twice.folder) == again
    assert len([f for f in (tmp_path / "b").iterdir() if f.is_dir()]) == 1


def test_nothing_after_the_date_is_used(config, tmp_path):
    portfolio = read_portfolio(tmp_path / "company")
    known = known_on(portfolio, date(2026, 6, 29))
    assert str(known.horizon[0]) == "2026-06"
    assert str(known.history["period"].max()) == "2026-05"
    assert str(known_on(portfolio, date(2026, 6, 30)).horizon[0]) == "2026-07"
    plans = pd.DataFrame(
        {
            "project": ["A", "B"],
            "baseline": "first",
            "set_on": pd.to_datetime(["2026-06-29", "2026-07-01"]),
            "duration": [2, 3],
        }
    )
    planned = known_on(portfolio.replace(baselines=plans), date(2026, 6, 29))
    assert planned.baselines["project"].tolist() == ["A"]
    # Before the horizon it stays as it is.
    assert str(known_on(portfolio, date(2025, 1, 31)).horizon[0]) == "2026-01"
    with pytest.raises(ConfigError, match="horizon ends with 2027-12"):
        known_on(portfolio, date(2027, 12, 31))
    before = content(run_batch(config, as_of="2026-05-31", out=tmp_path / "a").folder)
    history = tmp_path / "company" / "history.csv"
    text = history.read_text("utf-8")
    history.write_text(text.replace("2026-12,Ops,total,2", "2026-12,Ops,total,5000"))
    assert "5000" in history.read_text("utf-8")
    (tmp_path / "memory.db").unlink()
    after = content(run_batch(config, as_of="2026-05-31", out=tmp_path / "b").folder)
    assert before == after


def test_dates_one_after_the_other_build_an_accuracy_table(quick, tmp_path):
    months = range(1 if ALL else 9, 13)
    for month in months:
        end = pd.Period(f"2026-{month:02d}", "M").end_time.date()
        run = run_batch(quick, as_of=end, out=tmp_path / "runs")
    ours = run.accuracy[run.accuracy["role"] == "Ops"]
    assert set(ours["lead"]) == {1, 2, 3}
    load = ours[ours["quantity"] == "load"].set_index("lead")["count"]
    assert load.to_dict() == {lead: len(months) - lead for lead in (1, 2, 3)}
    # Three runs stay, the newest ones.
    kept = sorted(f.name for f in (tmp_path / "runs").iterdir() if f.is_dir())
    assert kept == ["2026-10-31", "2026-11-30", "2026-12-31"]


def test_a_history_alone_is_replayed_from_each_date(quick, tmp_path, monkeypatch):
    for name in ("projects.csv", "demand.csv", "capacity.csv"):
        (tmp_path / "company" / name).unlink()
    for day in ("2026-02-28", "2026-03-31", "2026-04-30"):
        run = run_batch(quick, as_of=day, out=tmp_path / "runs")
    assert run.plan is None
    assert run.headroom.periods.astype(str).tolist() == [
        "2026-05",
        "2026-06",
        "2026-07",
    ]
    load = run.accuracy[run.accuracy["quantity"] == "load"].set_index("lead")["count"]
    assert load.to_dict() == {1: 2, 2: 1}
    # A history that lags behind the date is forecast from its own end.
    history = tmp_path / "company" / "history.csv"
    rows = history.read_text("utf-8").splitlines(keepends=True)
    history.write_text("".join(rows[:30]), encoding="utf-8")
    # Tables that are too long for a workbook are left to their files, and named.
    monkeypatch.setattr("pmo_analytics.reporting.workbook._MOST_ROWS", 8)
    lag = run_batch(quick, as_of="2026-12-31", out=tmp_path / "runs")
    assert str(lag.headroom.periods[0]) == "2026-06"
    assert len(pd.read_csv(lag.folder / "backtest.csv")) > 8
    facts = json.loads((lag.folder / "manifest.json").read_text("utf-8"))
    assert any(note.startswith("backtest.csv has") for note in facts["notes"])
    with pd.ExcelFile(lag.folder / "run.xlsx", engine="openpyxl") as book:
        assert "backtest" not in book.sheet_names


def test_a_run_that_fails_keeps_the_last_good_one(after_good, tmp_path):
    out = tmp_path / "runs"
    before = content(out / "2026-12-31")
    demand = tmp_path / "company" / "demand.csv"
    demand.write_text("project,role,offset,fte\nA,Devv,0,1\n", encoding="utf-8")
    with pytest.raises(DataError):
        run_batch(after_good, as_of="2026-12-31", out=out)
    assert content(out / "2026-12-31") == before
    assert json.loads((out / "latest.json").read_text("utf-8"))["run"] == "2026-12-31"


def test_a_stopped_run_leaves_a_good_one(after_good, tmp_path, monkeypatch):
    runs = tmp_path / "runs"
    before = content(runs / "2026-12-31")
    asked = pmo_analytics.batch.batch.optimize

    def stopped(*args, **named):
        plan = asked(*args, **named)
        note_stop()
        return plan

    monkeypatch.setattr("pmo_analytics.batch.batch.optimize", stopped)
    with pytest.raises(SolverError, match="stays as it is") as error:
        run_batch(after_good, as_of="2026-12-31", out=runs)
    assert error.value.status == "no_solution"
    assert content(runs / "2026-12-31") == before
    # Where the date has no run what was found is kept, and marked.
    words = ["batch", str(after_good), "--out", str(runs), "--as-of", "2026-11-30"]
    assert main(words) == 5
    facts = json.loads((runs / "2026-11-30" / "manifest.json").read_text("utf-8"))
    assert facts["stopped"] is True
    assert json.loads((runs / "latest.json").read_text())["run"] == "2026-12-31"


def test_a_store_lost_in_mid_run_loses_nothing_and_can_be_run_again(
    after_good, tmp_path, monkeypatch
):
    out = tmp_path / "runs"
    before = content(out / "2026-12-31")

    def lost(*forecasts, **facts):
        raise PmoError("The store did not work: connection lost.")

    with monkeypatch.context() as patch:
        patch.setattr(Store, "save", lost)
        with pytest.raises(PmoError, match="connection lost"):
            run_batch(after_good, as_of="2026-12-31", out=out)
    assert content(out / "2026-12-31") == before
    assert not [f for f in (out / "2026-12-31").iterdir() if f.name.startswith(".")]
    assert len(open_store(tmp_path / "memory.db").runs()) == 1
    again = run_batch(after_good, as_of="2026-12-31", out=out)
    assert content(again.folder) != before
    assert len(open_store(tmp_path / "memory.db").runs()) == 1


def test_a_folder_that_cannot_be_written_is_not_remembered(
    quick, tmp_path, monkeypatch
):
    def full(*_arguments, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pmo_analytics.reporting.workbook.write_workbook", full)
    with pytest.raises(ConfigError, match="No space left"):
        run_batch(quick, as_of="2026-12-31", out=tmp_path / "runs")
    assert open_store(tmp_path / "memory.db").runs().empty


def test_what_a_batch_did_not_write_is_never_removed(quick, tmp_path):
    text = quick.read_text("utf-8").replace("keep = 3", "keep = 2")
    quick.write_text(text, encoding="utf-8")
    out = tmp_path / "runs"
    for day in ("2026-06-30", "2026-07-31"):
        run_batch(quick, as_of=day, out=out)
    (out / "2026-06-30" / "minutes.txt").write_text("mine", encoding="utf-8")
    (out / "2020-01-01").mkdir()
    for day in ("2026-08-31", "2026-09-30"):
        run_batch(quick, as_of=day, out=out)
    assert (out / "2026-06-30" / "minutes.txt").exists()
    assert (out / "2020-01-01").exists()
    assert not (out / "2026-07-31").exists()


HOLDER = """
import sys
from pathlib import Path
from pmo_analytics.batch.folder import alone
with alone(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_run_waits_for_nobody_and_says_so(quick, tmp_path):
    out = tmp_path / "runs"
    out.mkdir()
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(out)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline().strip() == b"held"
    with pytest.raises(ConfigError, match="Another batch is at work"):
        run_batch(quick, as_of="2026-12-31", out=out)
    # However it ends, the lock goes with it.
    holder.kill()
    holder.communicate()
    run_batch(quick, as_of="2026-12-31", out=out)


def test_from_the_command_line(lean, tmp_path, capsys):
    words = ["batch", str(lean), "--out", str(tmp_path / "runs"), "--json"]
    assert main([*words, "--as-of", "2026-12-31"]) == 0
    said = capsys.readouterr()
    facts = json.loads(said.out)
    assert facts["status"] == "ok"
    for step in ("INFO Co as of 2026-12-31", "INFO plan: objective", "files in"):
        assert step in said.err
    assert facts["objective"] is not None
    assert main([*words, "--as-of", "31.12.2026"]) == 2
    said = capsys.readouterr()
    assert "is no date" in json.loads(said.out)["error"]
    assert "Invalid value for --as-of: '31.12.2026' is no date" in said.err


def test_a_cautious_plan_uses_the_low_capacity(lean, tmp_path):
    text = lean.read_text("utf-8").replace("work = 50", 'work = 50\ncapacity = "p20"')
    lean.write_text(text, encoding="utf-8")
    run = run_batch(lean, as_of="2026-12-31", out=tmp_path / "runs")
    assert run.plan is not None
    assert run.plan.report.certified


def test_scenarios_are_compared_with_the_plan(lean, tmp_path):
    text = lean.read_text("utf-8")
    file = tmp_path / "scenarios.toml"
    file.write_text(
        '[[scenario]]\nname = "B is in"\n[[scenario.change]]\ndo = "require"\n'
        'project = "B"\n\n[[scenario]]\nname = "B is dear"\n[[scenario.change]]\n'
        'do = "change_value"\nproject = "B"\nadd = 4\n',
        encoding="utf-8",
    )
    compared = '[compare]\nscenarios = "scenarios.toml"\nworkers = 1\n'
    lean.write_text(text.replace("[report]", f"{compared}[report]"), "utf-8")
    run = run_batch(lean, as_of="2026-12-31", out=tmp_path / "runs")
    table = pd.read_csv(run.folder / "comparison.csv").set_index("scenario")
    assert table.index.tolist() == ["base", "B is in", "B is dear"]
    assert table["objective_delta"].tolist() == [0.0, 0.0, 4.0]
    assert (run.folder / "B is dear" / "schedule.csv").is_file()
    page = (run.folder / "report.html").read_text("utf-8")
    assert "What the scenarios do" in page
    file.write_text("[[scenario]]\nname = 3\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="name has to be text"):
        run_batch(lean, as_of="2027-01-31", out=tmp_path / "runs")
    assert not (tmp_path / "runs" / "2027-01-31").exists()


@pytest.mark.skipif(
    find_chromium() is None or os.name != "posix",
    reason="no Chromium here (Debian: apt-get install chromium)",
)
def test_a_browser_opens_the_report_of_a_run(after_good, tmp_path):
    text = after_good.read_text("utf-8").replace("charts = false", "charts = true")
    after_good.write_text(text, encoding="utf-8")
    with (tmp_path / "company" / "history.csv").open("a", encoding="utf-8") as file:
        file.write("2027-01,Ops,total,3,6\n")
    run = run_batch(after_good, as_of="2027-01-31", out=tmp_path / "runs")
    with browser(tmp_path / "profile") as tab:
        tab.open(run.folder / "report.html")
        assert tab.complaints() == []
        assert tab.requests() == []
        title = tab.value("document.querySelector('h1').innerText")
        assert title == "Plan and capacity"
        said = tab.value("document.body.innerText")
        for words in ("2027-01-31", "Whom to hire", "How wrong each model was", "gap"):
            assert words in said
        sizes = tab.value("[...document.images].map(i => i.naturalWidth)")
        charts = [f for f in run.files if f.suffix == ".png"]
        assert len(sizes) == len(charts) >= 6
        assert min(sizes) > 300


def run_of(out, day, files, **more):
    """Put a run with a manifest there, as a batch leaves it."""
    folder = out / day
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")
    facts = {"command": "batch", "files": dict.fromkeys(files, "")} | more
    (folder / "manifest.json").write_text(json.dumps(facts))
    return folder


def test_the_oldest_runs_go_with_their_scenarios_and_nothing_else(tmp_path):
    out, elsewhere = tmp_path / "runs", tmp_path / "elsewhere"
    files = ["forecast.csv", "schedules/dear.csv", "schedules/cheap.csv"]
    runs = [run_of(out, f"2027-0{k}-28", files) for k in range(1, 6)]
    (runs[0] / "schedules" / "mine.csv").write_text("a note of somebody")
    (runs[2] / "manifest.json").write_text("[" * 100_000)
    linked = run_of(elsewhere, "2026-12-31", files)
    (out / "2026-12-31").symlink_to(linked)
    clear(out, 1, runs[-1])
    left = sorted(path.name for path in out.iterdir())
    assert left == ["2026-12-31", "2027-01-28", "2027-03-28", "2027-05-28"]
    assert (linked / "forecast.csv").is_file()
