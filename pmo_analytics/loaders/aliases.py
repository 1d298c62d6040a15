"""Other words for tables, columns and choices: what people's files really say.

English, Chinese (simplified and traditional), and the commonest German, French and
Spanish words. Words are compared by `fold`: case, accents, spaces and punctuation do
not count. An alias must have one meaning; a word that might mean two things is left
out, so that the file is refused with the nearest name and never misread.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from pmo_analytics.loaders.column_words import COLUMN_WORDS, WEAK_WORDS

_IGNORED = re.compile("[\\s_\\-\u2010-\u2015./:;*#'\u2019\"&]+")


def fold(text: str) -> str:
    """Return the form in which names are compared."""
    if text.isascii():
        return _IGNORED.sub("", text.lower())
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text))
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return _IGNORED.sub("", plain.casefold())


def _split(words: str) -> list[str]:
    return words.split("|")


_TABLES = {
    "projects": "project|project list|portfolio projects|initiatives|项目|项目清单|"
    "项目列表|项目表|專案|專案清單|項目|項目清單|projekte|projektliste|projets|"
    "proyectos",
    "demand": "demands|resource demand|demand plan|resource requirements|需求|"
    "资源需求|人力需求|需求计划|資源需求|需求計劃|bedarf|ressourcenbedarf|besoins|"
    "demanda",
    "capacity": "capacities|supply|resource capacity|availability|容量|产能|产能表|"
    "人力容量|资源容量|可用人力|產能|資源容量|kapazität|kapazitäten|capacité|capacidad",
    "people": "person|persons|staff|resources|employees|personnel|人员|人员名单|人员表|"
    "员工|资源|人員|人員名單|員工|資源|mitarbeiter|ressourcen|personal|collaborateurs|"
    "personas|empleados|recursos",
    "absences": "absence|leave|leaves|vacation|vacations|time off|缺勤|请假|休假|假期|"
    "請假|abwesenheit|abwesenheiten|urlaub|congés|ausencias|vacaciones",
    "operations": "operation|bau|run|business as usual|run the business|运维|运营|"
    "日常运营|日常工作|運維|營運|日常營運|betrieb|opérations|operaciones",
    "bookings": "booking|allocation|allocations|assignment|assignments|"
    "resource allocations|预订|分配|资源分配|人员分配|預訂|資源分配|人員分配|buchungen|"
    "zuordnungen|réservations|affectations|reservas|asignaciones",
    "dependencies": "dependency|project dependencies|依赖|依赖关系|项目依赖|依賴|"
    "依賴關係|相依性|abhängigkeiten|dépendances|dependencias",
    "groups": "group|project groups|分组|项目分组|群组|分組|群組|gruppen|groupes|"
    "grupos",
    "rules": "linear rules|own rules|portfolio rules|规则|项目规则|約束|约束|規則|"
    "專案規則|regeln|règles|reglas",
    "blackouts": "blackout|freezes|freeze periods|change freezes|封锁期|冻结期|停工期|"
    "封鎖期|凍結期|sperrzeiten|bloqueos",
    "spend": "spending|cost|costs|expenses|project costs|支出|费用|成本|花费|費用|"
    "ausgaben|kosten|dépenses|coûts|gastos|costes|costos",
    "budget": "budgets|预算|預算|presupuesto|presupuestos",
    "benefits": "benefit|收益|效益|项目收益|專案效益|nutzen|bénéfices|beneficios",
    "roles": "role|角色|岗位|角色表|崗位|rollen|rôles",
    "flex": "flexible capacity|extra capacity|弹性|弹性产能|彈性|彈性產能",
    "history": "historical|capacity history|load history|历史|历史数据|历史负荷|歷史|"
    "歷史資料|歷史數據|historie|historique|historial|histórico",
    "actuals": "actual|timesheet|timesheets|time entries|worklogs|实际|工时|工时表|"
    "实际工时|實際|工時|工時表|實際工時|istwerte|zeiterfassung|réalisé|reales",
    "baselines": "baseline|基线|基准|项目基线|基線|基準|專案基線|lignes de base",
    "progress": "status reports|status report|status updates|project progress|"
    "progress reports|fortschritt|statusberichte|projektfortschritt|avancement|avance|"
    "进度|项目进度|状态报告|進度|專案進度|狀態報告",
    "milestones": "milestone|project milestones|meilensteine|jalons|hitos|里程碑|"
    "项目里程碑|專案里程碑",
    "sprints": "sprint|iterations|iteration|sprint report|sprint reports|"
    "velocity report|iterationen|itérations|iteraciones|迭代|冲刺|衝刺",
    # Not a table of the contract: the settings sheet of a workbook.
    "portfolio": "settings|setup|parameters|portfolio settings|组合|项目组合|投资组合|"
    "设置|参数|組合|專案組合|設定|參數|einstellungen|paramètres|parámetros",
}
# Sheets that explain or feed drop-down lists, and hold no data.
GUIDE_SHEETS = frozenset(
    fold(name)
    for name in _split(
        "guide|readme|read me|help|instructions|legend|lists|list|lookups|说明|"
        "使用说明|"
        "填写说明|填表说明|帮助|字典|数据字典|說明|使用說明|填寫說明|幫助|字典|"
        "anleitung|hinweise|listen|aide|listes|instrucciones|ayuda|listas"
    )
)
# Named in the design for a later version: not misspellings of today's tables.
LATER_TABLES = frozenset(("risks", "drivers", "scores", "skills", "lessons"))


_WORDS: dict[tuple[str, str], dict[str, str]] = {
    ("projects", "status"): {
        "idea": "draft|new|concept|backlog|想法|构想|创意|草稿|構想|創意|idee|"
        "entwurf|idée|borrador",
        "proposed": "proposal|planned|to do|todo|candidate|submitted|requested|提议|"
        "建议|候选|拟议|"
        "已提交|待审批|计划|計劃|提議|建議|候選|擬議|待審批|vorgeschlagen|beantragt|"
        "geplant|proposé|propuesto",
        "paused": "on hold|hold|suspended|暂停|挂起|搁置|暫停|掛起|擱置|pausiert|"
        "angehalten|en pause|suspendu|en pausa|suspendido",
        "approved": "committed|go|authorised|authorized|批准|已批准|已核准|已立项|立项|"
        "核准|已立項|立項|genehmigt|freigegeben|approuvé|aprobado",
        "running": "in progress|in delivery|in execution|in implementation|active|"
        "ongoing|under way|underway|started|wip|进行中|"
        "执行中|实施中|在建|進行中|執行中|實施中|laufend|läuft|in arbeit|aktiv|"
        "en cours|en curso|activo",
        "done": "completed|complete|closed|finished|delivered|完成|已完成|已结束|"
        "已结项|"
        "已关闭|已結束|已結案|已關閉|abgeschlossen|fertig|beendet|terminé|clôturé|"
        "terminado|completado|cerrado",
        "cancelled": "canceled|rejected|stopped|terminated|aborted|dropped|取消|已取消|"
        "已终止|已拒绝|已否决|已終止|已拒絕|已否決|abgebrochen|storniert|abgelehnt|"
        "annulé|cancelado",
    },
    ("projects", "force"): {
        "in": "yes|y|true|1|x|✓|✔|☑|wahr|vrai|verdadero|must|must do|mandatory|forced|"
        "force in|include|是|强制|必须|必选|必做|纳入|強制|必須|必選|納入|ja|oui|sí",
        "out": "exclude|excluded|must not|force out|forbidden|排除|剔除|不选|禁止|不選",
    },
    ("bookings", "kind"): {
        "soft": "tentative|planned|暂定|意向|计划|软|暫定|計劃|軟|vorläufig",
        "hard": "committed|confirmed|firm|确认|已确认|硬|確認|已確認|fest|bestätigt",
    },
    ("dependencies", "kind"): {
        "finish_start": "fs|finish to start|f2s|完成开始|完成到开始|完成開始|"
        "完成到開始",
        "start_start": "ss|start to start|s2s|开始开始|开始到开始|開始開始|開始到開始",
        "selected": "selection|select|requires|选中|选择|同选|選中|選擇|同選",
    },
    ("groups", "rule"): {
        "limit": "limits|count|number|限制|数量限制|限选|數量限制|限選",
        "all_or_none": "all or nothing|together|bundle|全选或全不选|全有或全无|捆绑|"
        "同进退|全選或全不選|全有或全無|捆綁",
    },
    ("rules", "applies_to"): {
        "selected": "selection|chosen|选中|选择|入选|選中|選擇|入選|auswahl",
        "work": "at work|parallel|in parallel|工作|并行|施工|並行|arbeit",
        "themes": "theme|distinct themes|number of themes|主题|主題|thema|themen",
    },
    ("blackouts", "applies_to"): {
        "start": "starts|开始|启动|開始|啟動|beginn",
        "finish": "finishes|end|go live|golive|完成|结束|上线|結束|上線|ende",
        "work": "any work|all|全部|工作|施工|arbeit",
    },
    ("flex", "kind"): {
        "overtime": "加班|超时|überstunden",
        "contractor": "contractors|external|externals|freelancer|agency|外包|承包商|"
        "外部|外協|extern",
        "hire": "hires|new hire|recruit|招聘|新聘|雇用|聘用|einstellung|neueinstellung",
    },
    ("history", "kind"): {
        "project": "projects|project work|项目|專案|項目|projekt|projekte",
        "operations": "operation|bau|run|business as usual|运维|运营|日常|運維|營運|"
        "betrieb",
        "total": "all|sum|合计|总计|全部|合計|總計|gesamt|summe",
    },
    ("history", "measure"): {
        "load": "load fte|used|actual|负荷|负载|实际|負荷|負載|實際|auslastung",
        "capacity": "capacity fte|available|supply|产能|容量|可用|產能|kapazität",
    },
    ("progress", "rag"): {
        "green": "g|on track|ontrack|good|ok|healthy|🟢|绿|绿色|綠|綠色|正常|grün|"
        "im plan|vert|verde",
        "amber": "a|y|yellow|orange|at risk|warning|caution|🟡|🟠|黄|黄色|黃|黃色|橙|"
        "有风险|有風險|gelb|jaune|ambre|amarillo|ámbar|naranja",
        "red": "r|off track|offtrack|critical|🔴|红|红色|紅|紅色|严重|嚴重|rot|rouge|"
        "rojo",
    },
}
# Words that leave the cell blank: a project that is not mandatory is free.
_NO = {
    ("projects", "force"): "no|n|false|0|optional|free|not forced|not mandatory|nein|"
    "frei|falsch|non|faux|falso|否|不|無|不是|☐",
}
_UNITS = {
    "fte": "ftes|full time equivalent|全职当量|全職當量|vzä|etp",
    "hours": "h|hrs|hour|person hours|工时|小时|人时|工時|小時|人時|stunden|std",
    "person_days": "d|day|days|man days|pd|md|人天|人日|天|tage|personentage|pt",
    "person_weeks": "man weeks|人周|人週|personenwochen",
    "person_months": "man months|人月|personenmonate",
}
TOTALS = frozenset(
    fold(word)
    for word in _split(
        "total|totals|grand total|sub total|subtotal|sum|overall|合计|总计|小计|总和|"
        "汇总|"
        "合計|總計|小計|總和|彙總|summe|gesamt|gesamtsumme|zwischensumme|insgesamt|"
        "total général|sous total|total general|suma"
    )
)


def _folded(table: dict[str, str]) -> dict[str, str]:
    folded: dict[str, str] = {}
    for name, words in table.items():
        for word in (name, *_split(words)):
            # A contract name always means itself.
            if fold(word) not in map(fold, table) or word == name:
                folded[fold(word)] = name
    return folded


@cache
def table_names() -> dict[str, str]:
    """Return folded word -> table name (`portfolio` for the settings sheet)."""
    return _folded(_TABLES)


@cache
def column_names(table: str) -> dict[str, str]:
    """Return folded word -> column name of a table."""
    return _folded(COLUMN_WORDS[table])


@cache
def weak_names(table: str) -> dict[str, str]:
    """Return folded word -> column it stands for where nothing better is there."""
    return {
        fold(word): column
        for column, words in WEAK_WORDS.get(table, {}).items()
        for word in _split(words)
    }


@cache
def choice_words(table: str, column: str) -> dict[str, str]:
    """Return folded word -> contract word of a choice column, "" = blank."""
    none = {fold(w): "" for w in _split(_NO.get((table, column), ""))}
    return none | _folded(_WORDS.get((table, column), {}))


@cache
def unit_words() -> dict[str, str]:
    """Return folded word -> `fte`, `hours`, `person_days`, ... of a unit cell."""
    return _folded(_UNITS)
