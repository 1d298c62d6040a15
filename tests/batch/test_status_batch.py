"""Every night keeps the status of the projects, and the trend follows from that."""

from __future__ import annotations

import shutil

import pandas as pd
import pytest

from pmo_analytics.batch import open_store, run_batch
from pmo_analytics.batch.statuses import status_tables
from pmo_analytics.errors import ConfigError
from tests.support.places import ROOT


@pytest.fixture(scope="module")
def nights(tmp_path_factory):
    """Run two nights of the example; return the folder and the runs."""
    folder = tmp_path_factory.mktemp("nights")
    config = folder / "batch.toml"
    config.write_text(
        'portfolio = "company"\nstore = "memory.db"\n'
        "[forecast]\ndraws = 100\nperiods = 2\nmodel = 'naive'\n"
        "[optimize]\nrun = false\n[report]\ncharts = false\n"
    )
    company = folder / "company"
    shutil.copytree(ROOT / "data" / "example", company)
    runs = []
    for day in ("2026-11-30", "2026-12-31"):
        runs.append(run_batch(config, as_of=day, out=folder / "runs"))
        # Between the nights people edit the tables, not always well.
        text = (company / "projects.csv").read_text()
        (company / "projects.csv").write_text(text.replace("Martin Kuhn", "Zoë Quint"))
        with (company / "progress.csv").open("a") as file:
            file.write("MDM,2026-12-30,140,,,,,\n")
    return folder, runs


def test_each_night_has_its_status_and_what_changed(nights):
    folder, runs = nights
    first, last = (folder / "runs" / d for d in ("2026-11-30", "2026-12-31"))
    assert not (first / "status_changes.csv").exists()
    changes = pd.read_csv(last / "status_changes.csv")
    assert "CORE-MOT is reported red, was amber." in changes["text"].to_list()
    # Edits of the tables: only what the night before kept can tell them.
    assert "BROKER is led by Zoë Quint, was Martin Kuhn." in changes["text"].to_list()
    left_out = pd.read_csv(last / "status_left_out.csv")
    assert left_out["found"].to_list() == [140.0]
    assert not (first / "status_left_out.csv").exists()
    table = pd.read_csv(last / "status.csv", index_col="project")
    assert table.loc["BROKER", ["rag", "reported"]].to_list() == ["red", "green"]
    assert runs[1].status.table.loc["CORE-MOT", "rag"] == "red"
    page = (last / "report.html").read_text()
    assert "Where each project stands" in page
    assert "What changed in the projects" in page
    assert "CORE-MOT is reported red, was amber." in page
    assert "Red: Core policy system: motor, Broker portal relaunch." in page


def test_the_trend_needs_no_typing(nights):
    folder, _ = nights
    trend = pd.read_csv(folder / "runs" / "2026-12-31" / "status_trend.csv")
    assert trend["as_of"].to_list() == ["2026-11-30", "2026-12-31"]
    assert trend.iloc[-1][["red", "amber", "green", "not_known"]].to_list() == [
        *(2, 2, 1, 1)
    ]
    assert trend["said_red"].to_list() == [0, 1]


def test_a_night_made_good_later_knows_nothing_of_the_days_after_it(nights):
    folder, runs = nights
    store = open_store(folder / "memory.db")
    try:
        kept = store.statuses("Larkmoor Insurance")
    finally:
        store.close()
    trend = status_tables(runs[0].status, kept)["status_trend.csv"]
    assert trend["as_of"].to_list() == ["2026-11-30"]


def test_the_store_keeps_a_day_once(nights):
    folder, runs = nights
    store = open_store(folder / "memory.db")
    try:
        kept = store.statuses("Larkmoor Insurance")
        assert kept["as_of"].value_counts().to_dict()["2026-12-31"] == 6
        core = kept[kept["project"] == "CORE-MOT"].iloc[-1]
        assert (core["rag"], core["reported"]) == ("red", "red")
        assert core["cpi"] == pytest.approx(runs[1].status.table.loc["CORE-MOT", "cpi"])
        assert core["finish_p80"] > core["finish_p50"] > "2027"
        table = runs[1].status.indicators.assign(rag="green")
        name = "Larkmoor Insurance"
        store.save_statuses(table, portfolio=name, as_of="2026-12-31")
        again = store.statuses(name)
        assert len(again) == len(kept)
        assert set(again.loc[again["as_of"] == "2026-12-31", "rag"]) == {"green"}
        assert store.statuses("another").empty
    finally:
        store.close()


def test_rules_that_cannot_be_read_stop_it_before_anything_takes_time(tmp_path):
    config = tmp_path / "batch.toml"
    config.write_text(
        f'portfolio = "{ROOT / "data" / "example"}"\n[status]\nrules = "none.toml"\n'
    )
    with pytest.raises(ConfigError, match=r"none\.toml cannot be read"):
        run_batch(config, as_of="2026-12-31", out=tmp_path / "runs")
