"""The optimizer benchmark: its instances, its file of results, its peers."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import pmo_analytics as pmo
from tests.benchmarks import (
    bench_optimize,
    bench_simulate,
    progress,
    racing,
    results,
    table,
)
from tests.benchmarks.registry import (
    Instance,
    all_instances,
    best_knapsacks,
    choose,
    fingerprint,
)
from tests.support.clock import AMPLE
from tests.support.places import ROOT
from tests.support.real_data import real

pytestmark = pytest.mark.usefixtures("warm_module")

PEERS = [name for name in racing.DEFAULT_SOLVERS if name != "ours"]


def small() -> pmo.Portfolio:
    return pmo.generate_portfolio(8, 3, 10, seed=3, mid_life=True)


SMALL = Instance("small", 0, 10.0, small)


@pytest.fixture(scope="module")
def question() -> racing.Question:
    return racing.Question.of(SMALL)


@pytest.fixture(scope="module")
def plan(question, warm_module) -> pmo.Plan:
    return pmo.optimize(question.portfolio, limits=pmo.SolveLimits(seconds=AMPLE))


def record(solver="ours", objective=100.0, instance="a/0", **facts) -> results.Record:
    return {
        "instance": instance,
        "group": instance.split("/")[0],
        "seconds": 60.0,
        "solver": solver,
        "version": "1",
        "fingerprint": "f",
        "status": "feasible",
        "objective": objective,
        "bound": 110.0,
        "gap": results.gap_of(objective, 110.0),
        "certified": objective is not None,
        "first_seconds": 0.5,
        "at": {"10": objective},
        "published": None,
        "cores": 2,
        "trace": [[0.5, objective, 110.0]],
        **facts,
    }


# --- instances -----------------------------------------------------------------------


def test_registry_has_every_size_ten_times_and_half_of_them_in_mid_life():
    instances = all_instances()
    names = [instance.name for instance in instances]
    assert len(names) == len(set(names)) == 11 * 10 + 60 + 2
    sizes = [i for i in instances if i.group == "200x36x12-chains"]
    assert [i.mid_life for i in sizes] == [False, True] * 5


def test_quick_takes_one_of_each_small_size_and_only_takes_what_is_named():
    quick = choose(all_instances())
    assert [i.name for i in quick] == [
        "50x24x8/0",
        "200x36x12-few_big/0",
        "200x36x12-many_small/0",
        "200x36x12-chains/0",
        "500x48x20/0",
    ]
    assert len(choose(all_instances(), only="1000x", seeds=3)) == 3
    assert [i.name for i in choose(all_instances(), only="50x24x8/7")] == ["50x24x8/7"]
    assert len(choose(all_instances(), full=True)) == 172


def test_smallest_instances_build_as_announced():
    plain, mid_life = choose(all_instances(), only="50x24x8", seeds=2)
    assert not plain.build().projects["status"].eq("running").any()
    assert mid_life.build().projects["status"].eq("running").any()


def test_best_knapsacks_are_read_in_the_order_of_the_files():
    best = best_knapsacks(real("mkp/mkcbres.txt"))
    assert best[0] == 24381
    assert best[29] == 59965
    assert best[30] == 59312


def test_the_first_knapsack_builds():
    real("mkp/mknapcb1.txt")
    (instance,) = choose(all_instances(), only="mknapcb1/0")
    assert instance.published == 24381
    assert len(instance.build().projects) == 100


# --- results -------------------------------------------------------------------------


def test_gap_is_relative_to_the_objective():
    assert results.gap_of(100.0, 110.0) == pytest.approx(0.1)
    assert results.gap_of(-100.0, -90.0) == pytest.approx(0.1)
    assert results.gap_of(100.0, 99.0) == 0
    assert results.gap_of(None, 110.0) is None
    assert results.gap_of(100.0, None) is None
    assert results.gap_of(0.0, 5.0) is None


def test_moments_of_a_trace():
    trace = [[0.2, None, 50.0], [0.3, 0.0, 50.0], [4.0, 30.0, 50.0], [11.0, 40.0, 45.0]]
    assert results.first_seconds(trace) == 4.0
    assert results.at_seconds(trace, 10) == 30.0
    assert results.at_seconds(trace, 0.1) is None


def test_a_half_written_line_costs_that_line_alone(tmp_path):
    path = tmp_path / "bench" / "results.jsonl"
    results.append(path, record())
    results.append(path, record("cbc"))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) - 40])
    assert [r["solver"] for r in results.read(path)] == ["ours"]
    results.append(path, record("scip"))
    assert [r["solver"] for r in results.read(path)] == ["ours", "scip"]


def test_latest_is_the_newest_run_of_the_question_as_it_is_now():
    runs = [
        record("cbc", fingerprint="old"),
        record("ours", 90.0),
        record("ours", 95.0, version="2"),
    ]
    assert [(r["solver"], r["objective"]) for r in results.latest(runs)] == [
        ("ours", 95.0)
    ]


def test_what_is_there_is_not_run_again(tmp_path, monkeypatch, capsys):
    ran = []

    def race(question, name, seconds, version, search_seed):
        ran.append(name)
        return record(
            name,
            instance=question.instance.name,
            fingerprint=question.fingerprint,
            seconds=seconds,
            version=version,
            search_seed=search_seed,
        )

    monkeypatch.setattr(racing, "race", race)
    monkeypatch.setattr(racing, "version_of", lambda name: ("1", ""))
    monkeypatch.setattr(bench_optimize, "all_instances", lambda: [SMALL])
    file = tmp_path / "results.jsonl"
    common = ["--only", "small", "--file", str(file)]
    bench_optimize.main([*common, "--solvers", "ours"])
    bench_optimize.main([*common, "--solvers", "ours,cbc"])
    assert ran == ["ours", "cbc"]
    bench_optimize.main([*common, "--table", "--markdown", str(tmp_path / "t.md")])
    assert ran == ["ours", "cbc"]
    bench_optimize.main([*common, "--solvers", "cbc", "--again"])
    assert ran == ["ours", "cbc", "cbc"]
    bench_optimize.main([*common, "--solvers", "ours,cbc", "--search-seed", "1"])
    assert ran == ["ours", "cbc", "cbc", "ours"]
    assert "PuLP + CBC" in capsys.readouterr().out
    assert "| small/0 (10 s) | PuLP + CBC |" in (tmp_path / "t.md").read_text()


# --- tables --------------------------------------------------------------------------


def test_summary_compares_with_the_best_peer_of_each_instance():
    runs = [
        record("ours", 110.0),
        record("cbc", 100.0),
        record("scip", 88.0),
        record("ours", 99.0, "a/1"),
        record("cbc", 100.0, "a/1"),
        record("scip", None, "a/1"),
        record("ours", 50.0, "a/2"),
        record("cbc", None, "a/2"),
    ]
    summary = table.summary(runs)
    (row,) = [dict(zip(summary.headings, r, strict=True)) for r in summary.rows]
    assert row["n"] == "3"
    assert row["vs best peer"] == "+4.50%"
    assert row["worst"] == "-1.00%"
    assert row["win/tie/loss"] == "1/0/1"
    assert row["only ours"] == "1"
    assert row["vs PuLP + SCIP"] == "+25.00%"


def test_versions_stand_side_by_side_by_question():
    def run(instance, version, when, at, objective, gap, **facts):
        facts["at"] = {"10": at, "30": at, "60": objective}
        return record(
            "ours",
            objective,
            instance,
            seed=int(instance[-1]),
            version=version,
            when=when,
            certified_gap=gap,
            **facts,
        )

    before = [
        run("a/0", "0", "2026-11-01", 10.0, 10.0, 0.9),
        run("a/0", "1", "2026-11-02", 90.0, 100.0, 0.3),
        run("a/1", "1", "2026-11-02", 100.0, 100.0, 0.1),
        run("a/2", "1", "2026-11-02", 1.0, 1.0, 0.1, fingerprint="another"),
        record("cbc", 500.0, "a/0", version="1", when="2026-11-02"),
    ]
    after = [
        run("a/0", "2", "2026-11-03", 99.0, 110.0, 0.2),
        run("a/1", "2", "2026-11-03", 95.0, 98.0, 0.1),
        run("a/2", "2", "2026-11-03", 2.0, 2.0, 0.1),
    ]
    compared = progress.pairs(before, before + after)
    summary = progress.summary(compared)
    (row,) = [dict(zip(summary.headings, r, strict=True)) for r in summary.rows]
    assert row["n"] == "2"
    assert row["at 10 s"] == "+2.50%"  # 10 % and -5 %
    assert row["at the end"] == "+4.00%"
    assert (row["worst"], row["of seed"], row["worse"]) == ("-2.00%", "1", "1")
    assert row["10 s against the end before"] == "-3.00%"
    assert (row["gap before"], row["gap after"]) == ("20.00%", "15.00%")
    assert progress.detail(compared).rows[0][:4] == [
        "a/0 (60 s)",
        "90.0",
        "99.0",
        "+10.00%",
    ]


def test_a_question_is_known_by_what_it_asks(question):
    options = question.compiled.options
    assert fingerprint(replace(options, tie=options.tie + 1.0)) == question.fingerprint
    asked = replace(options, worth=options.worth + 1.0)
    assert fingerprint(asked) != question.fingerprint


def test_a_bound_below_a_plan_is_called_wrong():
    runs = [record("ours", 100.0), record("highs", 90.0, bound=95.0)]
    assert "WRONG BOUND 95.00" in table.detail(runs).text()
    assert "WRONG" not in table.detail([record("ours", 100.0)]).text()


# --- running -------------------------------------------------------------------------


@pytest.mark.parametrize("name", PEERS)
def test_peers_agree_on_the_optimum(question, plan, name):
    version, missing = racing.version_of(name)
    if missing:
        pytest.skip(f"{name} cannot run here: {missing}")
    run = racing.race(question, name, AMPLE, version)
    assert run["certified"], run["detail"]
    assert run["status"] == "optimal", run["detail"]
    assert run["objective"] == pytest.approx(plan.report.objective, rel=1e-6)
    assert run["objective"] > 0
    assert run["first_seconds"] <= run["took"]


def test_ours_is_recorded_with_its_progress(question):
    run = racing.race(question, "ours", AMPLE, "1")
    assert run["status"] == "optimal"
    assert run["certified"]
    assert run["certified_bound"] >= run["objective"]
    assert run["at"][str(racing.MOMENTS[-1])] == pytest.approx(run["objective"])
    json.dumps(run, allow_nan=False)


def stub(tmp_path: Path, monkeypatch, *events: dict) -> None:
    """Put a peer in place that says some things and then never ends."""
    lines = "".join(f"print({json.dumps(json.dumps(e))}, flush=True)\n" for e in events)
    script = tmp_path / "stub.py"
    script.write_text(f"import time\n{lines}time.sleep(600)\n")
    stubbed = racing.Solver("stub", str(script), own_environment=False)
    monkeypatch.setitem(racing.SOLVERS, "stub", stubbed)
    monkeypatch.setattr(racing, "grace", lambda seconds: 0.2)


def test_a_peer_that_never_ends_keeps_what_it_had_found(
    question, plan, tmp_path, monkeypatch
):
    starts = {
        row.project: row.start.ordinal - question.portfolio.horizon[0].ordinal
        for row in plan.schedule.itertuples()
    }
    chosen = question.compiled.chosen(starts).tolist()
    stub(
        tmp_path,
        monkeypatch,
        {"event": "ready"},
        {"event": "plan", "t": 0.1, "chosen": chosen},
        {"event": "bound", "t": 0.1, "bound": 1e6},
        {"event": "bound", "t": 0.1, "bound": -1e9},
    )
    run = racing.race(question, "stub", 0.2, "1")
    assert run["killed"]
    assert run["objective"] == pytest.approx(plan.report.objective)
    assert run["bound"] == 1e6
    assert run["wrong_bound"] == -1e9
    assert run["status"] == "feasible"


def test_a_wrong_plan_of_a_peer_counts_for_nothing(question, tmp_path, monkeypatch):
    options = question.compiled.options
    firsts = options.first[:-1][np.diff(options.first) > 0].tolist()
    stub(
        tmp_path,
        monkeypatch,
        {"event": "ready"},
        {"event": "plan", "t": 0.1, "chosen": firsts},
    )
    run = racing.race(question, "stub", 0.2, "1")
    assert run["status"] == "wrong_plan"
    assert run["objective"] is None
    assert "refused" in run["detail"]


def test_a_peer_that_dies_is_recorded_with_its_last_words(
    question, tmp_path, monkeypatch
):
    stub(tmp_path, monkeypatch)
    Path(racing.SOLVERS["stub"].script).write_text("raise SystemExit('no licence')")
    run = racing.race(question, "stub", 0.2, "1")
    assert run["status"] == "failed"
    assert "no licence" in run["detail"]


# --- what the peers' models are made of ----------------------------------------------


@pytest.fixture
def cpsat():
    from tests.benchmarks import _cpsat_peer

    return _cpsat_peer


def test_amounts_are_scaled_exactly_or_refused(cpsat):
    assert cpsat.whole_row(np.array([0.25, 0.1 + 0.2]), -np.inf, 0.6) == (
        [5, 6],
        None,
        12,
    )
    assert cpsat.whole_row(np.array([2.0, 4.0]), 3.0, 7.9) == ([1, 2], 2, 3)
    with pytest.raises(cpsat.NotWholeError, match="decimals"):
        cpsat.whole_row(np.array([1 / 3]), -np.inf, 1.0)


def test_rounded_worth_still_bounds_every_plan(cpsat, question):
    options = question.compiled.options
    whole, scale, hidden = cpsat.whole_worth(options)
    firsts = options.first[:-1][np.diff(options.first) > 0]
    best = np.maximum.reduceat(options.worth, firsts)
    best_whole = np.maximum.reduceat(whole, firsts)
    assert best.sum() <= (best_whole.sum() + hidden) / scale
    assert (whole <= options.worth * scale).all()


def test_log_of_cbc_is_understood():
    from tests.benchmarks._pulp_peer import read_cbc_line

    assert read_cbc_line(
        "Cbc0012I Integer solution of -3762.717648034 found by feasibility pump after "
        "0 iterations and 0 nodes (1.01 seconds)"
    ) == (3762.717648034, None)
    assert read_cbc_line(
        "Cbc0010I After 0 nodes, 1 on tree, 1e+50 best solution, best possible "
        "-4897.7344 (4.33 seconds)"
    ) == (None, 4897.7344)
    assert read_cbc_line("Cbc0038I Pass   1: suminf.    1.04762 (4)") == (None, None)


def test_the_peer_with_highs_uses_the_same_highs_as_this_package():
    assert racing.python_of(racing.SOLVERS["highs"]) == sys.executable


def test_the_plain_loop_gives_the_same_futures():
    plan = bench_simulate.plan_of_all(40, 4, 20, seed=2)
    simulation = pmo.simulate(
        plan, uncertainty=bench_simulate.uncertainty(), draws=200, seed=3
    )
    expected = bench_simulate.plain_loop(plan, 4, 3, size=10)
    assert expected.any()
    np.testing.assert_allclose(simulation.load.draws[:4], expected, atol=1e-4)


# --- what was measured ---------------------------------------------------------------


def test_rows_of_the_readme_are_those_of_the_runs_kept():
    runs = results.read(ROOT / "tests" / "benchmarks" / "measured.jsonl")
    assert all(run["certified"] for run in runs if run["objective"] is not None)
    summary = table.summary(runs)
    measured = {
        row[0]: dict(zip(summary.headings, row, strict=True)) for row in summary.rows
    }
    readme = (ROOT / "docs" / "measured.md").read_text(encoding="utf-8")
    compared = set()
    for line in readme.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        size, *kind = cells[0].split(", ")
        group = "-".join(
            [
                size.replace(" ", ""),
                *("_".join(k.split()) for k in kind[:-1] if k != "mixed"),
            ]
        )
        row = measured.get(group)
        if row is None or kind[-1] != row["n"]:
            continue
        compared.add(group)
        wanted = ["vs best peer", "worst", "mean gap", "certified gap", "best peer gap"]
        said = [cells[1], cells[2], *cells[4:]]
        for text, name in zip(said, wanted, strict=True):
            assert float(text.rstrip(" %")) == pytest.approx(
                float(row[name].rstrip("%")), abs=0.051
            ), (group, name)
        assert cells[3] == row["win/tie/loss"]
    kinds = {f"200x36x12-{kind}" for kind in ("few_big", "many_small", "chains")}
    assert compared >= kinds | {"50x24x8", "500x48x20", "1000x60x40"}
