"""Files of other tools through mpxj: counts, hours by month, and what is missing."""

from __future__ import annotations

import shutil
from importlib.util import find_spec

import pandas as pd
import pytest

import pmo_analytics as pmo
from pmo_analytics.loaders.networks import through_mpxj
from pmo_analytics.reporting import write_mspdi
from tests.loaders.networks.test_mspdi import PLANS, assert_balanced, needs_plans

needs_java = pytest.mark.skipif(
    not (find_spec("mpxj") and shutil.which("java")),
    reason="mpxj or Java is not here",
)


@needs_plans
@needs_java
def test_counts_and_the_same_plan_from_two_formats():
    (sample,) = pmo.read_networks(PLANS / "more" / "software_development.mpp")
    assert_balanced(sample)
    frames = sample.tasks, sample.resources, sample.assignments, sample.calendars
    assert [len(f) for f in (*frames, sample.links)] == [87, 9, 77, 11, 84]
    kinds = sample.tasks["kind"].value_counts()
    assert (kinds["summary"], kinds["milestone"]) == (13, 12)
    assert (sample.project, sample.source) == (
        "software_development",
        "software_development.mpp",
    )
    # Hours that the file spreads itself add up to those of its assignments.
    (binary,) = pmo.read_networks(PLANS / "mpp" / "mp_j30_a2_nr1.mpp")
    (text,) = pmo.read_networks(PLANS / "mspdi" / "mp_j30_a2_nr1.xml")
    for name in ("start", "finish", "duration_h", "kind"):
        pd.testing.assert_series_equal(binary.tasks[name], text.tasks[name])
    key = ["task", "requires", "kind", "lag_h"]
    ours, theirs = (n.links[key].sort_values(key) for n in (text, binary))
    pd.testing.assert_frame_equal(
        ours.reset_index(drop=True), theirs.reset_index(drop=True)
    )
    assert binary.assignments["work_h"].sum() == text.assignments["work_h"].sum()


@needs_java
def test_a_plan_written_for_microsoft_project_is_read_by_mpxj(tmp_path):
    plan = pmo.baseline(pmo.example_portfolio())
    file = write_mspdi(plan, tmp_path / "plan.xml")
    renamed = file.rename(tmp_path / "plan.mpx")  # told by content, read by mpxj
    (back,) = through_mpxj.read_through_mpxj(renamed)
    tops = back.tasks[back.tasks["kind"] == "summary"]
    chosen = plan.projects[plan.projects["decision"] == "selected"]
    assert tops["name"].tolist() == chosen["name"].tolist()
    starts = pd.PeriodIndex(tops["start"], freq=plan.portfolio.freq)
    assert starts.tolist() == chosen["start"].tolist()
    finish = pd.PeriodIndex(tops["finish"], freq=plan.portfolio.freq)
    assert finish.tolist() == chosen["finish"].tolist()
    demand = plan.portfolio.demand
    demand = demand[demand["project"].isin(chosen["project"])]
    hours = demand["fte"].sum() * 40 * 52.1775 / 12
    assert back.assignments["work_h"].sum() == pytest.approx(hours, abs=0.5)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (11, "pmo_analytics\\[mpxj\\]"),
        (12, "needs Java"),
        (13, "mpxj cannot read"),
    ],
)
def test_what_is_missing_is_said(tmp_path, monkeypatch, code, said):
    path = tmp_path / "plan.mpp"
    path.write_bytes(b"x")
    answer = through_mpxj._Answer(code, "")
    monkeypatch.setattr(through_mpxj, "_asked", lambda path, folder: answer)
    with pytest.raises(pmo.DataError, match=said):
        pmo.read_networks(path)


def test_a_file_that_is_too_large(tmp_path, monkeypatch):
    monkeypatch.setattr(through_mpxj, "MAX_BYTES", 3)
    path = tmp_path / "plan.mpp"
    path.write_bytes(b"1234")
    with pytest.raises(pmo.DataError, match="file_too_large"):
        pmo.read_networks(path)
