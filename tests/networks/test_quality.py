"""The 14 points: worked by hand, and as three other engines count them."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pandas as pd
import pytest

from pmo_analytics.cli import main
from pmo_analytics.errors import ConfigError
from pmo_analytics.loaders import read_networks
from pmo_analytics.loaders.networks.primavera.xer import xer_networks
from pmo_analytics.networks import Network, check_network
from tests.support.places import ROOT, SHARED
from tests.support.xer_files import link, project, task, xer_text

PLANS = SHARED / "data" / "planning_files"
ACTIVE = {"status_code": "TK_Active", "act_start_date": "2026-12-31 08:00"}
DONE = {
    "status_code": "TK_Complete",
    "act_start_date": "2026-12-30 08:00",
    "act_end_date": "2026-12-31 17:00",
}


def planned(finish, **cells):
    return {"target_start_date": "2026-12-01 08:00", "target_end_date": finish, **cells}


@pytest.fixture(scope="module")
def tables():
    tasks = [
        task("S", 0, task_type="TT_Mile", **planned("2027-01-04 08:00")),
        # Due on 31 December: done in time, done late, begun.
        task("D1", 8, **DONE, **planned("2026-12-31 17:00")),
        task("D2", 8, **DONE, **planned("2026-12-30 17:00")),
        task("A", 16, **ACTIVE, **planned("2026-12-31 17:00")),
        # 46 days.
        task("L", 368, **planned("2027-03-10 17:00")),
        task("H", 8, cstr_type="CS_MSO", cstr_date="2027-01-04 08:00"),
        task(
            "F", 8, early_start_date="2026-12-28 08:00", **planned("2027-01-05 17:00")
        ),
        task("X", 8, cstr_type="CS_MEOB", cstr_date="2026-12-31 17:00"),
        task("E", 0, task_type="TT_FinMile", **planned("2027-03-10 17:00")),
        task("O", 80, task_type="TT_LOE"),
    ]
    links = [
        link("S", "A"),
        link("S", "L"),
        link("S", "H"),
        link("S", "F", lag=-8),
        link("A", "E", "SS", 4),
        link("L", "E"),
        link("F", "E", "FF"),
        link("D1", "E"),
        link("H", "O"),
        link("X", "E"),
    ]
    people = [
        {"taskrsrc_id": n, "task_id": n, "proj_id": "1", "remain_qty": 8}
        for n in ("A", "L")
    ]
    return project(tasks, links, TASKRSRC=people)


@pytest.fixture(scope="module")
def network(tables):
    (found,) = xer_networks(xer_text(tables).encode(), "p.xer")
    return found


def test_every_point_by_hand(network):
    points = check_network(network).set_index("point")
    assert list(points.index) == list(range(1, 15))
    found = {
        p: (points.numerator[p], points.denominator[p], points.offenders[p])
        for p in points.index
    }
    # Open are S A L H F X E: the links to O (level of effort) are no logic.
    assert found[1] == (4, 7, ("S", "H", "X", "E"))
    assert found[2] == (1, 9, ("S -> F",))
    assert found[3] == (1, 9, ("A -> E",))
    assert found[4] == (7, 9, ("A -> E", "F -> E"))
    assert found[5] == (2, 7, ("H", "X"))
    # X had to be finished on Thursday: a day too late already.
    assert found[7] == (1, 7, ("X",))
    assert found[8] == (1, 5, ("L",))
    assert found[9] == (1, 9, ("F",))
    assert found[10] == (3, 5, ("H", "F", "X"))
    # F may end with E, after 46 days.
    assert found[6] == (1, 7, ("F",))
    # S is due at the very data date.
    assert found[11] == (3, 4, ("S", "D2", "A"))
    assert found[12] == (600, 600, ())
    # Four were due, H and X have no baseline.
    assert found[14][:2] == (2, 6)
    assert points.share[14] == pytest.approx(1 / 3)
    passed = points["passed"]
    assert not passed[[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14]].any()
    assert passed[[12, 13]].all()
    assert points["clause"].str.contains("GAO practice").all()


def test_the_length_index_falls_with_the_date_by_which_all_must_end(tables):
    late = tables | {
        "PROJECT": [{**tables["PROJECT"][0], "plan_end_date": "2027-02-01"}]
    }
    (network,) = xer_networks(xer_text(late).encode(), "p.xer")
    row = check_network(network).set_index("point").loc[13]
    # 46 working days from 4 January; 1 February comes after 20 of them.
    assert row["denominator"] == 46
    assert row["share"] == pytest.approx(20 / 46)
    assert not row["passed"]


def test_points_12_and_13_of_other_engines_by_hand(tables):
    # Without S, A and H, of which S and H would move nothing.
    few = [row for row in tables["TASK"] if row["task_id"] in ("L", "E")]
    few[1] = {**few[1], "early_end_date": "2027-03-08 17:00"}
    cut = tables | {"TASK": few, "TASKPRED": [link("L", "E")], "TASKRSRC": []}
    project = {**tables["PROJECT"][0], "scd_end_date": "2027-03-09 17:00"}
    (network,) = xer_networks(xer_text(cut | {"PROJECT": [project]}).encode(), "p.xer")
    ours = check_network(network, "longpath").set_index("point")
    # 46 days, the last planned finish is a day after 8 March.
    assert ours.loc[12, ["numerator", "denominator"]].tolist() == [600, 600]
    assert ours.loc[13, ["numerator", "denominator"]].tolist() == [48, 46]
    theirs = check_network(network, "p6-mcp").set_index("point")
    assert theirs.loc[12, ["numerator", "denominator"]].tolist() == [1, 1]
    # 10 March is the planned finish of L, the latest one there.
    assert theirs.loc[13, ["numerator", "denominator"]].tolist() == [47, 48]


def test_a_circle_leaves_the_stored_floats(tables):
    tasks = [{**row, "total_float_hr_cnt": -8} for row in tables["TASK"]]
    circle = tables | {"TASKPRED": [*tables["TASKPRED"], link("E", "A")], "TASK": tasks}
    (network,) = xer_networks(xer_text(circle).encode(), "p.xer")
    points = check_network(network).set_index("point")
    assert points.numerator[7] == 7
    assert points.loc[[12, 13], "passed"].isna().all()
    assert "circle" in points.clause[7]


def test_nothing_to_assess_is_not_passed():
    (network,) = xer_networks(
        xer_text(project([task("A")])).replace("2027-01-04 08:00", "").encode(), "p.xer"
    )
    points = check_network(network).set_index("point")
    assert points.loc[[9, 11, 13, 14], "passed"].isna().all()
    with pytest.raises(ConfigError, match="longpath"):
        check_network(network, variant="acumen")


def test_the_variants_differ_where_they_are_said_to(network):
    ours = check_network(network).set_index("point")
    p6_mcp = check_network(network, "p6-mcp").set_index("point")
    pyp6xer = check_network(network, "pyp6xer").set_index("point")
    longpath = check_network(network, "longpath").set_index("point")
    assert ours.numerator[5] == longpath.numerator[5] == 2
    # Finish on or before is no hard constraint there, and here nothing but mandatory.
    assert p6_mcp.numerator[5] == 1
    assert pyp6xer.numerator[5] == 0
    assert longpath.offenders[1] == ("S", "X", "E")
    assert pyp6xer.denominator[1] == 10
    assert (ours.denominator[2], p6_mcp.denominator[2]) == (9, 10)


@pytest.mark.parametrize("variant", [None, "longpath", "p6-mcp", "pyp6xer"])
def test_networks_without_the_columns_of_p6(variant):
    plain = Network(
        "P",
        data_date=pd.Timestamp("2027-01-04 08:00"),
        tasks={"task": ["A", "B"], "kind": "task", "duration_h": [8.0, 16.0]},
        links={"task": ["B"], "requires": ["A"], "kind": "FS", "lag_h": 0.0},
    )
    points = check_network(plain, variant).set_index("point")
    assert points.loc[4, "denominator"] == 1


def test_the_command_line(tmp_path, tables, capsys, monkeypatch):
    # Wide enough that no word of the table is on a line of its own.
    monkeypatch.setenv("COLUMNS", "200")
    path = tmp_path / "p.xer"
    path.write_text(xer_text(tables))
    assert main(["check", str(path), "--schedule"]) == 0
    shown = capsys.readouterr().out
    assert "5. Hard constraints" in shown
    assert "12 failed" in shown
    code = main(["check", str(path), "--schedule", "--variant", "p6-mcp", "--json"])
    assert code == 0
    answer = json.loads(capsys.readouterr().out)
    (schedule,) = answer["schedules"]
    assert schedule["points"][4]["numerator"] == 1


# ------------------------------------------------------------------------------- peers

PEERS = os.environ.get("PMO_PEERS", sys.executable)


def peers_answer():
    paths = [str(path) for path in sorted(PLANS.rglob("*.xer"))]
    script = ROOT / "tests" / "support" / "peers_quality.py"
    done = subprocess.run(
        [PEERS, str(script), *paths], capture_output=True, text=True, check=False
    )
    return json.loads(done.stdout) if done.returncode == 0 else {}


@pytest.mark.skipif(not PLANS.exists(), reason="the shared planning files are absent")
def test_the_counts_of_other_engines_on_every_real_file():
    answer = peers_answer()
    read = {
        engine: {
            path: found for path, found in files.items() if isinstance(found, dict)
        }
        for engine, files in answer.items()
    }
    if not any(read.values()):
        pytest.skip("longpath, p6-mcp and PyP6XER are not installed (extra peers)")
    for engine, files in read.items():
        for path, found in files.items():
            networks = read_networks(path)
            if len(networks) > 1 and engine != "longpath":
                continue  # these count over all projects of a file
            points = check_network(networks[0], engine).set_index("point")
            for point, (count, of) in found.items():
                ours = points.loc[int(point), ["numerator", "denominator"]].tolist()
                if point == "13" and engine != "pyp6xer":
                    ours = points.loc[13, ["share", "passed"]].tolist()
                elif point == "12" and engine == "longpath":
                    ours = points.loc[12, ["numerator", "passed"]].tolist()
                ours = [None if pd.isna(value) else value for value in ours]
                assert ours == [count, of], (engine, path, point)
