"""XER files: layout, code pages, calendars, what is missing, and real ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pmo_analytics.errors import DataError
from pmo_analytics.loaders import read_networks
from pmo_analytics.loaders.networks.primavera.calendar_data import read_calendar_data
from pmo_analytics.loaders.networks.primavera.code_pages import decode_by_evidence
from pmo_analytics.loaders.networks.primavera.xer import xer_networks
from tests.support.places import SHARED
from tests.support.xer_files import OFFICE, PROJECT, link, project, task, xer_text

PLANS = SHARED / "data" / "planning_files"
WORDS = {
    "cp1252": "Ausführung der Gründung für größere Bögen",
    "cp1250": "Zażółć gęślą jaźń, příliš žluťoučký kůň",
    "cp1251": "Устройство фундаментов и монтаж КОЛОНН",
    "cp1256": "تنفيذ أعمال الخرسانة المسلحة للأساسات",
    "gb18030": "基础工程 混凝土浇筑 主体结构施工",
    "utf-8": "Größe, фундамент, 基础",
    "utf-16": "Größe, фундамент, 基础",
    "utf-16-le": "Groesse",
}


def read(tables, source="p.xer"):
    return xer_networks(xer_text(tables).encode(), source)


def rules(network):
    return set(network.problems["rule"])


def balanced(network):
    balance = network.balance
    return bool((balance["read"] == balance["used"] + balance["listed"]).all())


@pytest.mark.parametrize("encoding", WORDS)
def test_the_code_page_is_found_by_evidence(encoding):
    text = xer_text(project([task("A", task_name=WORDS[encoding])]))
    (network,) = xer_networks(text.encode(encoding), "p.xer")
    assert network.tasks.loc["A", "name"] == WORDS[encoding]
    certain = encoding in ("utf-8", "utf-16")
    assert ("guessed_encoding" in rules(network)) is not certain


def test_the_euro_tells_a_cyrillic_windows_where_no_word_does():
    currency = [{"curr_id": 1, "curr_short_name": "EUR", "curr_symbol": "€"}]
    data = xer_text({"CURRTYPE": currency}).encode("cp1251")
    assert decode_by_evidence(data).encoding == "cp1251"
    assert "currency" in decode_by_evidence(data).reason


def test_cut_lines_belong_together_and_extra_cells_are_said():
    text = xer_text(project([task("A", task_name="Two\nlines"), task("B")]))
    text = text.replace("%T\tTASKPRED", "%R\tx\ty" + "\tz" * 30 + "\n%T\tTASKPRED")
    (network,) = xer_networks(text.encode(), "p.xer")
    assert network.tasks.loc["A", "name"] == "Two\nlines"
    assert "too_many_cells" in rules(network)


def test_a_file_without_its_end_is_read_and_said():
    text = xer_text(project([task("A")]), end="")
    (network,) = xer_networks(text.encode(), "p.xer")
    assert "A" in network.tasks.index
    assert "truncated_file" in rules(network)


def test_empty_is_blank_and_zero_is_zero():
    (network,) = read(project([task("A", total_float_hr_cnt=""), task("B", 0)]))
    assert np.isnan(network.tasks.loc["A", "total_float_h"])
    assert network.tasks.loc["B", "duration_h"] == 0
    assert network.tasks["actual_start"].isna().all()


def test_months_of_one_digit_and_named_ones():
    (network,) = read(
        project(
            [
                task("A", target_start_date="2027-1-4 08:00"),
                task("B", target_start_date="4-Jan-27 08:00"),
                task("C", target_start_date="04.01.2027"),
            ]
        )
    )
    start = network.tasks["planned_start"]
    assert start["A"] == start["B"] == pd.Timestamp("2027-01-04 08:00")
    assert pd.isna(start["C"])
    (problem,) = network.problems.to_dict("records")
    assert (problem["rule"], problem["column"]) == (
        "not_a_date",
        "TASK.target_start_date",
    )
    assert "04.01.2027" in problem["found"]


def test_calendar_cells_with_and_without_delete_signs():
    exceptions = "(0||0(d|46391)())(0||1(d|46392)((0||0(f|10:00|s|09:00)())))"
    plain = OFFICE.format(exceptions)
    signs = plain.replace("(0||", "\x7f\x7f  (0||")
    # Not every engine expects the signs, so they are noted; nothing else differs.
    assert read_calendar_data(plain)[:3] == read_calendar_data(signs)[:3]
    assert read_calendar_data(signs).delete_signs
    data = read_calendar_data(plain)
    assert data.sound
    assert data.week[1] == [(480, 720), (780, 1020)]  # Monday
    assert data.week[6] == data.week[7] == []
    days = {str(day): shifts for day, shifts in data.exceptions.items()}
    assert days == {"2027-01-04": [], "2027-01-05": [(540, 600)]}
    assert not read_calendar_data(plain[:120]).sound


def test_percent_complete_is_that_of_its_kind():
    active = {"status_code": "TK_Active", "act_start_date": "2027-01-04 08:00"}
    (network,) = read(
        project(
            [
                task("D", 10, **active | {"remain_drtn_hr_cnt": 4}),
                task(
                    "P", 10, **active, complete_pct_type="CP_Phys", phys_complete_pct=35
                ),
                task(
                    "U",
                    10,
                    **active,
                    complete_pct_type="CP_Units",
                    act_work_qty=1,
                    remain_work_qty=3,
                ),
            ]
        )
    )
    percent = network.tasks["percent_complete"]
    assert percent[["D", "P", "U"]].tolist() == [60, 35, 25]


def test_links_that_lead_nowhere_or_to_other_projects():
    links = [
        link("A", "B"),
        link("gone", "B"),
        link("X1", "A", pred_proj_id="77"),
        link("B", "A", kind="XX"),
    ]
    (network,) = read(project([task("A"), task("B")], links))
    assert network.links["requires"].tolist() == ["A", "X1", "B"]
    assert network.links["requires_project"].tolist() == ["", "77", ""]
    assert {"missing_task", "external_link", "unknown_word"} <= rules(network)
    links = network.balance.set_index("what").loc["links"]
    assert links.tolist() == [4, 3, 1]
    listed = network.listed.iloc[0]
    assert (listed["what"], listed["id"]) == ("links", "gone-B")
    assert int(listed["line"]) > 0


def test_two_projects_and_a_baseline_of_one():
    tables = project(
        [
            task("A"),
            task("A", task_id="a2", proj_id="2"),
            task(
                "A",
                task_id="b",
                proj_id="3",
                target_start_date="2026-12-01 08:00",
                target_end_date="2026-12-02 17:00",
            ),
            task("A", task_id="s", proj_id="9"),
        ]
    )
    tables["PROJECT"] = [
        {**PROJECT, "sum_base_proj_id": "3"},
        {**PROJECT, "proj_id": "2", "proj_short_name": "Q"},
        {**PROJECT, "proj_id": "3", "proj_short_name": "P - B1", "orig_proj_id": "1"},
    ]
    first, second = read(tables)
    assert (first.project, second.project) == ("P", "Q")
    assert first.tasks.loc["A", "baseline_start"] == pd.Timestamp("2026-12-01 08:00")
    assert first.baselines["baseline"].tolist() == ["P - B1"]
    assert second.tasks["baseline_start"].isna().all()
    assert "missing_project" in rules(first)
    assert balanced(first)
    assert balanced(second)
    assert first.balance.set_index("what").loc["tasks"].tolist() == [2, 1, 1]


def test_activities_that_contradict_themselves_are_said_and_read():
    (network,) = read(
        project(
            [
                task("A", -8),
                task("A", task_id="2"),
                task("B", status_code="TK_Complete"),
                task("C", clndr_id="nobody"),
                task("D", wbs_id="nowhere"),
            ]
        )
    )
    assert {
        "negative_duration",
        "duplicate_activity",
        "contradicting_status",
        "missing_calendar",
        "missing_wbs",
    } <= rules(network)
    assert {"A", "A (2)", "B", "C", "D"} <= set(network.tasks.index)
    assert balanced(network)


def test_people_roles_hours_and_money():
    tables = project(
        [task("A")],
        ROLES=[{"role_id": "r", "role_name": "Welder", "role_short_name": "WE"}],
        RSRC=[
            {
                "rsrc_id": "7",
                "rsrc_short_name": "JO",
                "rsrc_name": "Jo",
                "role_id": "r",
                "rsrc_type": "RT_Labor",
                "clndr_id": "C",
            },
            {"rsrc_id": "8", "rsrc_short_name": "PIPE", "rsrc_type": "RT_Mat"},
        ],
        RSRCRATE=[
            {
                "rsrc_id": "7",
                "start_date": f"{year}-01-01 00:00",
                "cost_per_qty": rate,
                "max_qty_per_hr": 1,
            }
            for year, rate in ((2027, 55), (2026, 50))
        ],
        TASKRSRC=[
            {
                "taskrsrc_id": number,
                "task_id": on,
                "proj_id": "1",
                "rsrc_id": who,
                "role_id": role,
                "rsrc_type": kind,
                "remain_qty": 10.1,
                "act_reg_qty": 0.2,
                "remain_cost": 100.1,
                "act_reg_cost": 1.1,
                "target_qty_per_hr": 0.5,
            }
            for number, on, who, role, kind in (
                (1, "A", "7", "", "RT_Labor"),
                (2, "A", "8", "", "RT_Mat"),
                (3, "A", "", "r", "RT_Labor"),
                (4, "gone", "7", "", "RT_Labor"),
            )
        ],
        PROJCOST=[
            {"task_id": "A", "proj_id": "1", "act_cost": 5, "remain_cost": 2.5},
        ],
    )
    (network,) = read(tables)
    people = network.resources
    assert people.index.tolist() == ["JO", "PIPE", "Welder"]
    assert people["generic"].tolist() == [False, False, True]
    assert people.loc["JO", ["role", "rate", "max_units"]].tolist() == ["Welder", 55, 1]
    rows = network.assignments
    assert rows["resource"].tolist() == ["JO", "PIPE", "Welder"]
    assert rows["role"].tolist() == ["Welder", "", "Welder"]
    assert rows["work_h"].round(6).tolist()[::2] == [10.3, 10.3]
    assert np.isnan(rows["work_h"][1])
    assert rows["quantity"][1] == pytest.approx(10.3)
    cost = network.tasks.loc["A", ["cost", "actual_cost"]]
    assert cost.tolist() == pytest.approx([3 * 101.2 + 7.5, 3 * 1.1 + 5])
    assert balanced(network)
    left = network.balance.set_index("what")["listed"]
    assert left["assignments"] == 1
    assert left["hours"] == pytest.approx(10.3)
    assert left["money"] == pytest.approx(101.2)


def test_what_is_no_xer_is_refused(tmp_path):
    path = tmp_path / "p.xer"
    path.write_bytes(b"ERMHDR\t1\nnothing")
    with pytest.raises(DataError, match="no XER"):
        read_networks(path)


# ------------------------------------------------------------------------- real files


def real_counts():
    frames = [
        pd.read_csv(PLANS / name, on_bad_lines="skip")
        for name in ("MPXJ_counts.csv", "MPXJ_counts_more.csv")
        if (PLANS / name).exists()
    ]
    rows = pd.concat(frames) if frames else pd.DataFrame({"type": []})
    return rows[rows["type"] == "XER"].to_dict("records")


def real(name: str) -> Path:
    return next(PLANS.rglob(name))


# The link comes from another project, which the other reader leaves out.
EXTERNAL = "MultiprojectWithExternal.xer"


@pytest.mark.skipif(not PLANS.exists(), reason="the shared planning files are absent")
def test_counts_of_real_files():
    assert len(real_counts()) > 10
    for row in real_counts():
        networks = read_networks(real(row["file"]))
        at = 0 if row["file"] != EXTERNAL else 1 - int(row["project"])
        network = networks[at]
        inside = network.links["requires_project"] == ""
        found = {
            "tasks": len(network.tasks),
            "resources": len(network.resources),
            "assignments": len(network.assignments),
            "calendars": len(network.calendars),
            "links": int(inside.sum()),
        }
        if row.get("summary") == row.get("summary"):
            kinds = network.tasks["kind"].value_counts()
            found |= {
                "summary": kinds.get("summary", 0),
                "milestones": kinds.get("milestone", 0),
                "baseline_finish_tasks": network.tasks["baseline_finish"].count(),
                "actual_start_tasks": network.tasks["actual_start"].count(),
                "complete_tasks": network.tasks["actual_finish"].count(),
                "start": str(network.start)[:10],
                "finish": str(network.finish)[:10],
            }
        assert found == {key: row[key] for key in found}, row["file"]
        assert balanced(network), row["file"]
    first, second = read_networks(real(EXTERNAL))
    assert first.links.empty
    assert second.links["requires_project"].tolist() == ["TestProject"]
