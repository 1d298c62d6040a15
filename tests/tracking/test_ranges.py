"""Ranges and early warning: worked by hand, on generated projects, on SiP."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import pmo_analytics as pmo
from pmo_analytics.tracking import brier, project_ranges, reliability
from tests.support.real_data import real


def generated_looks(seed: int, count: int, running: int = 0) -> pd.DataFrame:
    """Return looks at projects whose pace and end go together; the last ones run."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        overrun = float(np.exp(rng.normal(0.1, 0.25)))
        slip = float(np.exp(rng.normal(0.05, 0.2)))
        for share in (0.2, 0.4, 0.6, 0.8):
            noise = np.exp(rng.normal(0, 0.12, 2))
            rows.append(
                {
                    "project": f"P{number:03d}",
                    "as_of": pd.Timestamp("2026-01-01")
                    + pd.Timedelta(days=int(300 * share * slip * noise[0])),
                    "start": "2026-01-01",
                    "planned_finish": "2026-10-28",
                    "bac": 1000.0,
                    "ev": 1000.0 * share,
                    "ac": 1000.0 * share * overrun * noise[1],
                    "finished": pd.Timestamp("2026-01-01")
                    + pd.Timedelta(days=int(300 * slip)),
                    "cost": 1000.0 * overrun,
                    "share": share,
                }
            )
    looks = pd.DataFrame(rows).drop_duplicates(["project", "as_of"])
    runs = looks["project"] >= f"P{count - running:03d}"
    looks["truth"], looks["end"] = looks["cost"], looks["finished"]
    looks.loc[runs, ["finished", "cost"]] = [pd.NaT, np.nan]
    return looks[~runs | (looks["share"] <= 0.6)]


def one(**columns: object) -> pd.DataFrame:
    row = {"project": "A", "as_of": "2027-07-01", "bac": 100.0, "ev": 40.0, "ac": 60.0}
    return pd.DataFrame([row | columns])


def test_a_lone_project_by_hand():
    """The own pace, 1.5, counts 0.4 / (0.4 + 0.3) in the logarithm; 60 are left."""
    ranges = project_ranges(one(start="2027-01-01", planned_finish="2027-12-31"))
    level = 0.4 / 0.7 * np.log(1.5)
    row = ranges.projects.loc["A"]
    assert row["eac_p50"] == pytest.approx(60 + 60 * np.exp(level))
    assert row["eac_p80"] == pytest.approx(60 + 60 * np.exp(level + 0.8416212 * 0.35))
    # 181 of 364 days are gone for 40 % of the work.
    pace = 0.4 / 0.7 * np.log(181 / 364 / 0.4)
    days = np.ceil(181 + 0.6 * 364 * np.exp(pace))
    assert row["finish_p50"] == pd.Timestamp("2027-01-01") + pd.Timedelta(days=days)
    assert row["p_over"] > 0.9 > row["p_late"] > 0.5
    assert "60% of the budget is spent for 40% of the work" in row["drivers"]
    assert "50% of the time is gone for 40% of the work" in row["drivers"]
    assert ranges.record.loc["earned_value", "cost_cases"] == 0
    assert ranges.chances.empty
    assert "0 reports of finished projects, too few" in ranges.says[0]


def test_the_worse_the_pace_the_later_the_dearer_and_the_more_at_risk():
    looks = pd.concat([one(project=str(ac), ac=float(ac)) for ac in range(20, 100, 10)])
    projects = project_ranges(looks.reset_index(drop=True)).projects
    assert projects["eac_p50"].is_monotonic_increasing
    assert projects["p_over"].is_monotonic_increasing
    assert projects["p_over"].iloc[0] < 0.2
    assert projects["finish_p50"].isna().all()  # no dates, no finish
    assert projects["p_late"].isna().all()


def test_over_already_is_certain_nearly():
    row = project_ranges(one(ac=130.0)).projects.loc["A"]
    assert row["p_over"] > 0.98
    assert row["eac_p50"] > 130
    assert "60% of the work is left" in row["drivers"]


def test_ranges_hold_and_warnings_beat_the_base_rate():
    looks = generated_looks(seed=3, count=120, running=60)
    ranges = project_ranges(looks)
    truth = (
        looks.groupby("project")[["truth", "end"]].first().loc[ranges.projects.index]
    )
    projects = ranges.projects
    assert len(projects) == 60
    for column, final in (("eac_p80", "truth"), ("finish_p80", "end")):
        assert 0.65 < (truth[final] <= projects[column]).mean() < 0.95
    planned = pd.Timestamp("2026-10-28")
    for chance, final, plan in (("p_over", "truth", 1000), ("p_late", "end", planned)):
        happened = truth[final] > plan
        base = (looks.loc[looks["finished"].notna(), final] > plan).mean()
        assert brier(projects[chance], happened) < 0.6 * brier([base] * 60, happened)
    record = ranges.record
    # Looks at which more was spent than it came to at last teach nothing.
    assert 200 < record.loc["earned_value", "cost_cases"] <= 240
    assert 0.7 < record.loc["earned_value", "cost_p80_held"] < 0.9
    # The pace so far says more than what others came to.
    assert record["cost_loss"].idxmin() != "reference_class"
    assert set(projects["cost_method"]) <= {"earned_value", "throughput"}
    # How right the chances were, each project answered by others: the diagram.
    said = ranges.chances
    assert set(said["what"]) == {"cost", "finish"}
    assert set(said["project"]).isdisjoint(projects.index)
    over = said[said["what"] == "cost"]
    assert len(over) == record.loc["earned_value", "cost_cases"]
    base = over["happened"].mean()
    score = brier(over["said"], over["happened"])
    assert score < 0.6 * brier([base] * len(over), over["happened"])
    table = reliability(over["said"], over["happened"], 5)
    assert table["cases"].sum() == len(over)
    held = record.loc["earned_value", "cost_p80_held"]
    assert "of 60 finished projects the p80 of cost by" in ranges.says[0]
    assert f"held {100 * held:.0f} % (80 % is right); chances" in ranges.says[0]
    again = project_ranges(looks)
    pd.testing.assert_frame_equal(projects, again.projects)


def test_the_end_of_a_running_project_is_not_seen():
    looks = generated_looks(seed=5, count=30, running=10)
    first = project_ranges(looks).projects
    changed = looks.assign(truth=0.0, end=pd.NaT)
    pd.testing.assert_frame_equal(first, project_ranges(changed).projects)


def test_a_simulation_is_put_beside_and_preferred_nowhere_unproved():
    looks = one(start="2027-01-01", planned_finish="2027-12-31")
    cost = pd.DataFrame({"p50": [111.0], "p80": [122.0]}, index=["A"])
    days = pd.DataFrame({"p50": ["2028-03-01"], "p80": ["2028-04-01"]}, index=["A"])
    ranges = project_ranges(looks, simulated={"cost": cost, "finish": days})
    table = ranges.table.set_index("method")
    assert table.loc["simulation", "eac_p80"] == pytest.approx(122.0)
    assert table.loc["simulation", "finish_p50"] == pd.Timestamp("2028-03-01")
    assert ranges.projects.loc["A", "cost_method"] == "earned_value"


def test_bad_looks_are_named():
    with pytest.raises(pmo.DataError, match="Add the column ev"):
        project_ranges(one().drop(columns="ev"))
    with pytest.raises(pmo.DataError, match="much"):
        project_ranges(one(ac="much"))
    with pytest.raises(pmo.DataError, match="duplicate"):
        project_ranges(pd.concat([one(), one()], ignore_index=True))
    blank = project_ranges(one(bac=None)).projects.loc["A"]
    assert blank[["eac_p50", "p_over", "p_late"]].isna().all()
    assert blank["drivers"] == ""


def test_reliability_by_hand():
    table = reliability([0.05, 0.15, 0.12, 1.0], [0, 1, 0, 1])
    assert table["cases"].to_list() == [1, 2, 1]
    assert table["error"].to_list() == pytest.approx([0.05, 0.365, 0.0])


def test_sip_beats_base_rate_and_ratio_so_far():
    """Pieces of work that end later than half of them, seen at half of their hours."""
    folder = real("effort/SiP")
    from tests.benchmarks.bench_warning import judged
    from tests.support.sip import sip_looks

    looks = sip_looks(folder)
    looks["over"] = looks["came_to"] > looks["bac"]
    table = judged(looks, 0.4, 0.5)
    ours, base, ratio = (brier(table[n], table["over"]) for n in ("p", "base", "ratio"))
    assert ours < ratio < base
