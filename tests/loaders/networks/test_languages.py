"""Exports of Microsoft Project in other languages, and the workbooks of P6."""

from __future__ import annotations

import csv
from datetime import datetime

import openpyxl
import pandas as pd
import pytest

import pmo_analytics as pmo
from pmo_analytics.errors import DataError
from pmo_analytics.loaders.networks.languages import TONGUES, tongue_of
from pmo_analytics.loaders.networks.written import read_amount, read_moment, read_span
from tests.loaders.networks.test_mspdi import assert_balanced

# Headings; two weeks and an hour as durations; a link of each kind, with a lag of two
# days, and how a day is written.
EXPORTS = {
    "German": "Nr.;Vorgangsname;Dauer;Anfang;Fertig stellen;Vorgänger;Ressourcennamen"
    "|10 Tage;2 Wochen;1 Std.;2 Mon.|1EA+2 Tage;1AA;1EE;1AE|Mo 18.01.27",
    "French": "N°;Nom de la tâche;Durée;Début;Fin;Prédécesseurs;Noms ressources"
    "|10 jours;2 sm;1 hr;2 mois|1FD+2 jours;1DD;1FF;1DF|Lun 18/01/27",
    "Spanish": "Id;Nombre de tarea;Duración;Comienzo;Fin;Predecesoras;Nombres de los "
    "recursos|10 días;2 sem.;1 hora;2 meses|1FC+2 días;1CC;1FF;1CF|lun 18/01/27",
    "Portuguese": "Id;Nome da Tarefa;Duração;Início;Término;Predecessoras;Nomes dos "
    "Recursos|10 dias;2 sems;1 hr;2 meses|1TI+2 dias;1II;1TT;1IT|Seg 18/01/27",
    "Italian": "ID;Nome attività;Durata;Inizio;Fine;Predecessori;Nomi risorse"
    "|10 giorni;2 sett.;1 ora;2 mesi|1FI+2 g;1II;1FF;1IF|lun 18/01/27",
    "Dutch": "Id;Taaknaam;Duur;Begindatum;Einddatum;Voorafgaande taken;Resourcenamen"
    "|10 dagen;2 wkn;1 uur;2 maanden|1EB+2 dagen;1BB;1EE;1BE|ma 18-01-27",
    "Polish": "ID;Nazwa zadania;Czas trwania;Rozpoczęcie;Zakończenie;Poprzedniki;Nazwy "
    "zasobów|10 dni;2 tyg.;1 godz.;2 mies.|1ZR+2 dni;1RR;1ZZ;1RZ|18.01.27",
    "Russian": "Ид.;Название задачи;Длительность;Начало;Окончание;Предшественники;"
    "Названия ресурсов|10 дней;2 нед;1 ч;2 мес|1ОН+2 дней;1НН;1ОО;1НО|Пн 18.01.27",
    "Chinese": "标识号;任务名称;工期;开始时间;完成时间;前置任务;资源名称"
    "|10 个工作日;2 周;1 小时;2 月|1FS+2 个工作日;1SS;1FF;1SF|2027年1月18日",
    "Swedish": "ID;Aktivitetsnamn;Varaktighet;Start;Slut;Föregående aktiviteter;"
    "Resursnamn|10 dagar;2 veckor;1 tim;2 mån|1FS+2 dagar;1SS;1FF;1SF|må 27-01-18",
}


def rows_of(language: str) -> list[list[str]]:
    headings, lengths, links, day = EXPORTS[language].split("|")
    four = zip(lengths.split(";"), links.split(";"), strict=True)
    rows = [
        [str(k), "B", length, day, day, link, "Ann[50%]"]
        for k, (length, link) in enumerate(four, 2)
    ]
    return [headings.split(";"), ["1", "A", "0", day, day, "", ""], *rows]


@pytest.mark.parametrize("language", sorted(EXPORTS))
def test_an_export_in_its_own_language(tmp_path, language):
    rows = rows_of(language)
    path = tmp_path / "plan.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=";").writerows(rows)
    (network,) = pmo.read_networks(path)
    assert_balanced(network)
    assert tongue_of(rows[0]).name == language
    assert network.problems.empty, network.problems["fix"].tolist()
    assert network.tasks["duration_h"].tolist() == [0, 80, 80, 1, 320]
    assert set(network.tasks["start"].dt.date.astype(str)) == {"2027-01-18"}
    links = network.links[["kind", "lag_h"]].to_numpy().tolist()
    assert links == [["FS", 16], ["SS", 0], ["FF", 0], ["SF", 0]]
    assert network.assignments["units"].tolist() == [0.5] * 4


@pytest.mark.parametrize("page", ["cp1251", "utf-16", "xlsx"])
def test_an_export_in_another_alphabet(tmp_path, page):
    rows = rows_of("Russian")
    path = tmp_path / ("plan.xlsx" if page == "xlsx" else "plan.csv")
    if page == "xlsx":
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        book.save(path)
    else:
        text = "\n".join(";".join(row) for row in rows)
        path.write_text(text, encoding=page)
    (network,) = pmo.read_networks(path)
    assert network.links["kind"].tolist() == ["FS", "SS", "FF", "SF"]
    told = network.problems["rule"].tolist()
    assert told == (["encoding_guessed"] if page == "cp1251" else [])


def test_letters_of_links_are_those_of_the_headings(tmp_path):
    """EA and AE mean the opposite of FS and SF of nobody who heads in English."""
    rows = ["ID,Task Name,Duration,Start,Finish,Predecessors"]
    rows += ["1,A,5 days,2027-01-04,2027-01-08,", "2,B,5 Tage,2027-01-11,2027-01-15,"]
    rows[-1] += '"1EA,1AE+3 Tage,7FS"'
    path = tmp_path / "plan.csv"
    path.write_text("\n".join(rows), encoding="utf-8")
    (network,) = pmo.read_networks(path)
    assert_balanced(network)
    assert network.links.empty
    assert network.problems["rule"].tolist() == ["bad_link", "bad_link", "unknown_task"]
    assert network.problems["fix"].str.contains("'1EA' is no link in English").any()
    assert network.tasks["duration_h"].tolist() == [40, 40]


def test_headings_in_a_language_that_is_not_read(tmp_path):
    path = tmp_path / "plan.csv"
    path.write_text("Görev Adı;Süre;Başlangıç;Bitiş\nA;5 gün;04.01.2027;08.01.2027\n")
    with pytest.raises(DataError, match="known by headings in English, German"):
        pmo.read_portfolio(path)


def test_an_export_without_links_says_so(tmp_path):
    path = tmp_path / "plan.csv"
    path.write_text(
        "Vorgangsname;Dauer;Anfang;Ende;Arbeit;Kosten\n"
        "A;2,5 Tage;04.01.2027;06.01.2027;1.200 Std.;1.234,50 €\n",
        encoding="utf-8",
    )
    (network,) = pmo.read_networks(path)
    assert network.problems["rule"].tolist() == ["no_links"]
    (task,) = network.tasks.itertuples()
    assert (task.duration_h, task.cost) == (20, 1234.5)


def test_thousands_and_decimals():
    assert read_span("1,200 hrs", 8.0).hours == 1200
    assert read_span("1,5d", 8.0).hours == 12
    assert read_span("1.200 Std.", 8.0, comma=True).hours == 1200
    assert read_span("2 meses", 8.0).hours == 320  # not two minutes
    assert read_amount("1 234,50", comma=False) == 1234.5
    assert read_amount("1'234.50", comma=True) == 1234.5
    assert read_amount("1.234.567", comma=False) == 1234567
    with pytest.raises(ValueError, match="float"):
        read_amount("1,2.3,4", comma=False)


def test_days_of_other_languages():
    german = next(t for t in TONGUES if t.name == "German")
    read = [
        read_moment(text, True, late=False, tongue=german)
        for text in ("4. Dezember 2027", "Mo 04.10.27 13:30", "NV", 46_391.5)
    ]
    assert [str(day)[:16] for day in read] == [
        "2027-12-04T08:00",
        "2027-10-04T13:30",
        "NaT",
        "2027-01-04T12:00",
    ]


def p6_workbook(path, **sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, text in sheets.items():
        sheet = book.create_sheet(name)
        for line in text.strip().splitlines():
            cells = [cell.strip() for cell in line.split("|")]
            sheet.append([float(c) if c.isdecimal() else c or None for c in cells])
    book.save(path)
    return path


TASK = """
task_code|status_code|task_name|target_drtn_hr_cnt|start_date|end_date
{}
A10|Completed|Dig|5|04-Jan-27 08:00 A|08-Jan-27 17:00 A
A20|Not Started|Build|10|11-Jan-27|22-Jan-27
"""
LABELS = (
    "Activity ID|Activity Status|Activity Name|Original Duration(d)|(*)Start|(*)Finish"
)
OTHERS = {
    "TASKPRED": """
        pred_task_id|task_id|pred_type|PREDTASK__status_code|lag_hr_cnt
        Predecessor|Successor|Relationship Type|(*)Predecessor Activity Status|Lag(d)
        A10|A20|FS|Completed|2
        A99|A20|SS|Not Started|
        """,
    "TASKRSRC": """
        rsrc_id|task_id|role_id|rsrc_type|target_qty|start_date
        Resource ID|Activity ID|Role ID|(*)Resource Type|Budgeted Units(h)|(*)Start
        R1|A10|Engineer|Labor|40|04-Jan-27
        R1|A20|Engineer|Labor|60|12-Jan-27
        STONE|A20||Material|7|
        R1|A99||Labor|5|
        """,
    "RSRC": """
        rsrc_short_name|rsrc_name|rsrc_type
        Resource ID|Resource Name|Resource Type
        R1|Ann|Labor
        STONE|Stone|Material
        """,
    "PROJCOST": "task_id|cost_name|target_cost\nActivity ID|Expense Item|Budgeted Cost",
    "USERDATA": "user_data\nUserSettings Do Not Edit",
}


@pytest.mark.parametrize(
    "labels", [LABELS, "Vorgangs-ID|Status|Bezeichnung|Originaldauer(d)|(*)Anfang|Ende"]
)
def test_a_workbook_of_p6(tmp_path, labels):
    path = tmp_path / "tower.xlsx"
    (network,) = pmo.read_networks(
        p6_workbook(path, TASK=TASK.format(labels), **OTHERS)
    )
    assert_balanced(network)
    assert network.project == "tower"
    assert network.tasks["duration_h"].tolist() == [40, 80]
    assert network.tasks["actual_finish"].notna().tolist() == [True, False]
    assert network.links[["task", "requires", "kind", "lag_h"]].to_numpy().tolist() == [
        ["A20", "A10", "FS", 16.0]
    ]
    work = network.assignments[["task", "resource", "role", "work_h", "quantity"]]
    assert work.fillna(0).to_numpy().tolist() == [
        ["A10", "R1", "Engineer", 40, 0],
        ["A20", "R1", "Engineer", 60, 0],
        ["A20", "STONE", "", 0, 7],
    ]
    assert network.assignments["start"].iloc[1] == pd.Timestamp("2027-01-12 08:00")
    assert network.resources["kind"].to_dict() == {"R1": "work", "STONE": "material"}
    assert sorted(network.problems["rule"]) == [
        "unknown_task",
        "unknown_task",
        "unread_sheet",
    ]


def test_the_workbook_template_of_microsoft_project(tmp_path):
    tasks = """
        ID|Active|Name|Duration|Start|Finish|Predecessors|Outline Level
        1|Yes|Bridge|15 days|January 4, 2027 8:00 AM|January 22, 2027 5:00 PM||1
        2|Yes|Design|5 days|January 4, 2027 8:00 AM|January 8, 2027 5:00 PM||2
        3|Yes|Build|10 days|January 11, 2027 8:00 AM|January 22, 2027 5:00 PM|2|2
        """
    people = "ID|Name|Initials|Type|Max Units\n1|Ann|A|Work|100%"
    work = """
        Task Name|Resource Name|Work|Units
        Design|Ann|40h|100%
        Build|Ann|1,080 hrs|50%
        """
    path = tmp_path / "bridge.xlsx"
    sheets = {"Task_Table": tasks, "Resource_Table": people, "Assignment_Table": work}
    (network,) = pmo.read_networks(p6_workbook(path, **sheets))
    assert_balanced(network)
    assert network.problems.empty
    assert network.tasks["parent"].tolist() == ["", "1", "1"]
    assert network.assignments["work_h"].tolist() == [40, 1080]
    assert network.assignments["units"].tolist() == [1, 0.5]
    assert network.assignments["task"].tolist() == ["2", "3"]


@pytest.mark.parametrize("day", ["11/01/27", "Lun 11/01/27"])
def test_days_that_nothing_tells(tmp_path, day):
    """11 January and 1 November of 2027 are both a Monday."""
    path = tmp_path / "plan.csv"
    path.write_text(f"Nom de la tâche;Durée;Début;Prédécesseurs\nA;1 j;{day};\n")
    (network,) = pmo.read_networks(path)
    assert str(network.tasks["start"].iloc[0])[:10] == "2027-01-11"
    assert network.problems["rule"].tolist() == ["ambiguous_dates"]


def test_dates_of_a_workbook_are_read_as_they_are(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["Task Name", "Duration", "Start", "Finish", "Predecessors"])
    book.active.append(
        ["A", 2.125, datetime(2027, 1, 4, 8), datetime(2027, 1, 6, 9), ""]
    )
    book.save(tmp_path / "plan.xlsx")
    (network,) = pmo.read_networks(tmp_path / "plan.xlsx")
    (task,) = network.tasks.itertuples()
    assert (task.duration_h, str(task.start)) == (17, "2027-01-04 08:00:00")
