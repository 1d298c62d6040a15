"""A folder of planning files is a portfolio, from Python and the command line."""

from __future__ import annotations

import json

import pytest

import pmo_analytics as pmo
from pmo_analytics.cli import main
from pmo_analytics.loaders import read_rolled
from tests.loaders.networks.test_mspdi import FULL, PLANS, needs_plans

pytestmark = pytest.mark.usefixtures("warm_module")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "bridge.xml").write_text(FULL, encoding="utf-8")
    other = FULL.replace("Bridge.xml", "Tunnel.xml").replace("The &lt;bridge&gt;", "T")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "tunnel.xml").write_text(other, encoding="utf-8")
    (tmp_path / "notes.xml").write_text("<notes/>", encoding="utf-8")
    return tmp_path


def test_networks_of_a_folder_in_order(folder):
    networks = pmo.read_networks(folder)
    assert [n.project for n in networks] == ["Bridge", "Tunnel"]
    assert pmo.read_networks([folder / "bridge.xml"])[0].project == "Bridge"


def test_a_folder_is_a_portfolio(folder):
    with pytest.warns(pmo.PmoWarning):
        portfolio = pmo.read_portfolio(folder)
    assert portfolio.projects["project"].tolist() == ["Bridge", "Tunnel"]
    assert portfolio.projects["status"].tolist() == ["running", "running"]
    assert portfolio.people["person"].tolist() == ["Ann"]
    assert portfolio.settings.currency == "EUR"


def test_portfolio_toml_declares_horizon_and_settings(folder):
    (folder / "portfolio.toml").write_text(
        'name = "Works"\n[horizon]\nstart = "2027-01"\nperiods = 4\n'
        "[calendar]\nhours_per_week = 37.5\n",
        encoding="utf-8",
    )
    portfolio = read_rolled(folder).portfolio
    assert portfolio.name == "Works"
    assert [str(portfolio.horizon[0]), len(portfolio.horizon)] == ["2027-01", 4]
    assert portfolio.settings.hours_per_week == 37.5


def test_tables_win_over_planning_files(folder):
    pmo.write_portfolio(pmo.example_portfolio(), folder)
    assert read_rolled(folder) is None
    assert len(pmo.read_portfolio(folder).projects) > 2


def test_bad_files(folder, tmp_path):
    (folder / "broken.xml").write_text(FULL[:2000], encoding="utf-8")
    with pytest.raises(pmo.DataError, match=r"broken\.xml"):
        pmo.read_networks(folder)
    networks = pmo.read_networks(folder, bad_files="drop")
    assert len(networks) == 2
    assert "corrupt_file" in networks[0].problems["rule"].tolist()
    with pytest.raises(pmo.DataError, match="no such file"):
        pmo.read_networks(folder / "absent.xml")
    with pytest.raises(pmo.DataError, match="no planning file"):
        pmo.read_networks(folder / "notes.xml")
    with pytest.raises(pmo.ConfigError):
        pmo.read_networks(folder, bad_files="keep")


def test_files_that_are_none_are_named(folder, tmp_path):
    (folder / "empty.xer").touch()
    (folder / "plans.zip").write_bytes(b"PK")
    (folder / "readme.txt").write_text("nothing", encoding="utf-8")
    told = pmo.read_networks(folder)[0].problems
    told = told[told["rule"] == "unsupported_file"]
    assert told["found"].tolist() == ["'empty.xer', 'notes.xml', 'plans.zip'"]
    assert told["severity"].tolist() == ["warning"]
    for path in (folder / "plans.zip", folder / "readme.txt"):
        with pytest.raises(pmo.DataError, match="no planning file"):
            pmo.read_networks(path)


def test_what_runs_by_its_own_reports_is_no_false_alarm(folder):
    """A file of years ago does not make the others begin in the future."""
    old = FULL.replace("Bridge.xml", "Old.xml").replace("2027-", "2019-")
    (folder / "old.xml").write_text(old, encoding="utf-8")
    told = pmo.check_portfolio(read_rolled(folder).portfolio)
    assert "running_in_the_future" not in told["rule"].tolist()


def test_check_prints_the_balance(folder, capsys):
    assert main(["check", str(folder)]) == 0
    said = capsys.readouterr().out
    assert "What was read is used, or listed" in said
    assert "sums up the tasks below" in said
    assert main(["check", str(folder), "--json"]) == 0
    balance = json.loads(capsys.readouterr().out)["balance"]
    assert {row["what"] for row in balance} >= {"tasks", "links", "hours", "money"}
    assert all(row["read"] == row["used"] + row["listed"] for row in balance)


def test_capacity_and_optimize_work_on_a_folder(folder, capsys, tmp_path):
    assert main(["capacity", str(folder), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert {row["role"] for row in answer["rows"]} == {"Engineer"}
    out = str(tmp_path / "out")
    options = ["--seconds", "600", "--json", "--no-charts", "--out", out]
    assert main(["optimize", str(folder), *options]) == 0
    assert json.loads(capsys.readouterr().out)["status"] == "optimal"


@needs_plans
def test_the_balance_of_every_real_file_is_exact():
    rolled = read_rolled(PLANS / "mspdi")
    balance = rolled.balance
    files = {path.name for path in (PLANS / "mspdi").glob("*.xml")}
    assert set(balance["file"]) == files
    assert (balance["read"] == balance["used"] + balance["listed"]).all()
    told = pmo.check_portfolio(rolled.portfolio)
    assert told["severity"].ne("error").all()
