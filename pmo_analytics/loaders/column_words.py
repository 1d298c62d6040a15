"""Other words for the columns of tables, in the languages of `aliases`."""

from __future__ import annotations

_PROJECT = (
    "project id|gmpp id number|project key|project no|project nr|project number|"
    "project code|"
    "initiative|项目|项目编号|项目编码|项目代码|项目号|专案|專案|專案編號|專案代碼|"
    "項目|"
    "項目編號|projekt|projektnummer|projektnr|projektcode|projet|code projet|proyecto|"
    "código proyecto"
)


_PROJECT_NAME = (
    "project name|project title|项目名称|项目名|專案名稱|項目名稱|projektname|"
    "nom du projet|nombre del proyecto"
)


_ROLE = (
    "roles|role name|resource role|resource type|job role|position|job title|角色|"
    "角色名称|岗位|岗位名称|职位|工种|角色名稱|崗位|職位|職務|rolle|funktion|rôle|"
    "profil|métier|rol|perfil|puesto"
)


_PERSON = (
    "employee|employee id|employee no|staff|staff id|resource|resource id|人员|员工|"
    "工号|员工编号|人員|員工|工號|員工編號|mitarbeiter|personalnummer|personne|"
    "collaborateur|persona|empleado"
)


_PERSON_NAME = (
    "name|full name|person name|employee name|staff name|resource name|姓名|人员姓名|"
    "员工姓名|人員姓名|員工姓名|nom|nombre"
)


_START = (
    "start date|begin|begin date|from|valid from|planned start|start planned|"
    "start period|start month|开始|开始日期|开始时间|开始月份|起始|起始日期|计划开始|"
    "计划开始日期|開始|開始日期|開始時間|開始月份|計劃開始|beginn|startdatum|von|début|"
    "date de début|inicio|fecha de inicio|desde"
)


_END = (
    "end date|finish|finish date|to|until|valid to|valid until|end period|end month|"
    "结束|结束日期|结束时间|结束月份|終止日期|終止|终止|结束期|結束|結束日期|結束時間|"
    "ende|enddatum|bis|fin|date de fin|fecha de fin|hasta"
)


_PERIOD = (
    "periods|month|week|quarter|year|year month|期间|月份|月|周|周次|季度|年|年份|年月|"
    "期間|週|週次|zeitraum|periode|monat|woche|quartal|jahr|période|mois|semaine|"
    "trimestre|année|periodo|mes|semana|año"
)


_OFFSET = "period offset|relative period|偏移|偏移量|相对期间|相對期間|versatz|décalage"


_AMOUNT = "amounts|金额|数额|金額|數額|betrag|montant|importe|monto"


_FTE = "ftes|full time equivalent|全职当量|全時當量|全職當量|vzä|vollzeitäquivalent|etp"


_PERCENT = (
    "%|percent|percentage|pct|allocation|allocated|百分比|比例|投入比例|prozent|"
    "prozentsatz|auslastung|pourcentage|porcentaje|asignación"
)


_HOURS = (
    "hrs|hour|person hours|work hours|effort hours|工时|小时|小时数|人时|工時|小時|"
    "小時數|人時|stunden|personenstunden|heures|horas"
)


_DAYS = (
    "days|man days|work days|pt|pd|人天|人日|天数|天數|tage|personentage|jours|"
    "jours homme|días"
)


_WEEKS = "man weeks|人周|人週|personenwochen"


_MONTHS = "man months|人月|personenmonate|mois homme"


_TEAM = "teams|department|团队|部门|小组|團隊|部門|小組|abteilung|équipe|equipo"


_COUNTRY = "holiday calendar|国家|国别|國家|國別|land|pays|país"


_RATE = (
    "hourly rate|cost rate|费率|小时费率|費率|小時費率|stundensatz|taux horaire|tarifa"
)


_KIND = "type|类型|類型|种类|種類|art|typ|tipo"


_THEME = "themes|strategic theme|主题|战略主题|主題|戰略主題|thema|thème|tema"


_PROGRAM = "programme|programs|项目群|项目集|專案群|專案集|programm|programa"


_AS_OF = (
    "as at|status date|data date|report date|reporting date|reported on|statusdatum|"
    "stichtag|berichtsdatum|datenstand|date de statut|date d'état|fecha de estado|"
    "状态日期|报告日期|数据日期|狀態日期|報告日期|資料日期"
)


_UNIT = "units|uom|unit of measure|单位|單位|einheit|unité|unidad"


_FTE_UNITS = {
    "hours": _HOURS,
    "person_days": _DAYS,
    "person_weeks": _WEEKS,
    "person_months": _MONTHS,
    "unit": _UNIT,
}


# Table -> column -> aliases. Columns that are no part of the contract (`hours`,
# `unit`, `measure`, ...) are turned into it by `layouts`.
COLUMN_WORDS: dict[str, dict[str, str]] = {
    "projects": {
        "project": _PROJECT,
        "name": _PROJECT_NAME + "|title|名称|名稱|bezeichnung|nom|nombre",
        "status": "state|project status|状态|项目状态|狀態|專案狀態|statut|estado",
        "value": "business value|npv|价值|项目价值|业务价值|得分|评分|净现值|價值|"
        "專案價值|評分|淨現值|wert|nutzwert|valeur|valor",
        "duration": "durations|工期|持续时间|持续期|时长|历时|持續時間|時長|歷時|dauer|"
        "laufzeit|durée|duración",
        "start": _START + "|project start|project start date|approved start date",
        "finish": "end|finish date|end date|project end|project end date|"
        "project finish|project finish date|approved end date|"
        "planned finish|planned end|结束|结束日期|"
        "完成日期|计划完成|計劃完成|結束|結束日期|ende|enddatum|fin|fecha fin",
        "earliest": "earliest start|not before|start no earlier than|最早开始|最早启动|"
        "最早|最早開始|最早啟動|frühester start|frühester beginn|frühestens",
        "latest": "latest start|start no later than|最晚开始|最迟开始|最晚|最晚開始|"
        "最遲開始|spätester start|spätester beginn|spätestens",
        "deadline": "due|due date|latest finish|must finish by|截止|截止日期|截止期|"
        "期限|最晚完成|最迟完成|最晚結束|最遲完成|frist|endtermin|échéance|"
        "fecha límite",
        "force": "forced|must do|mandatory|强制|必做|是否必做|必选|強制|是否必選|必選|"
        "pflicht|obligatoire|obligatorio",
        "force_reason": "reason|justification|强制原因|原因|理由|強制原因|begründung|"
        "motif|motivo",
        "probability": "success probability|probability of success|likelihood|概率|"
        "成功概率|成功率|機率|成功機率|wahrscheinlichkeit|probabilité|probabilidad",
        "theme": _THEME + "|annual report category|ten year plan category",
        "program": _PROGRAM + "|delivery program|delivery programme",
        "sponsor": "sponsors|project sponsor|sro|senior responsible owner|发起人|"
        "發起人|auftraggeber|commanditaire|patrocinador",
        "manager": "project manager|managers|project lead|projektleiter|"
        "projektleitung|projektmanager|chef de projet|jefe de proyecto|项目经理|"
        "項目經理|專案經理|负责人|負責人",
        "phase": "project phase|stage|project stage|lifecycle stage|projektphase|"
        "phase du projet|fase|阶段|项目阶段|階段|專案階段",
        "priority": "prio|project priority|priorität|priorité|prioridad|优先级|優先級|"
        "優先順序",
        "kind": _KIND + "|project type|project kind|projektart|projekttyp|"
        "type de projet|tipo de proyecto|项目类型|專案類型|項目類型",
        "goal": "goals|objective|objectives|strategic goal|strategic objective|ziel|"
        "strategisches ziel|objectif|objetivo|目标|战略目标|目標|戰略目標",
    },
    "demand": {
        "project": _PROJECT,
        "role": _ROLE,
        "offset": _OFFSET,
        "period": _PERIOD,
        "start": _START,
        "end": _END,
        "fte": _FTE + "|demand|demand fte|需求|需求fte|bedarf|" + _PERCENT,
        **_FTE_UNITS,
    },
    "capacity": {
        "period": _PERIOD,
        "role": _ROLE,
        "fte": _FTE + "|capacity|capacity fte|available fte|容量|产能|產能|kapazität|"
        "capacité|capacidad",
        **_FTE_UNITS,
    },
    "people": {
        "person": _PERSON,
        "role": _ROLE,
        "start": _START,
        "end": _END,
        "fte": _FTE + "|share|" + _PERCENT + "|占比|工作比例|佔比|anteil|stellenanteil|"
        "beschäftigungsgrad|pensum|arbeitspensum|stellenprozent|employment rate|"
        "workload|availability|verfügbarkeit|disponibilité|disponibilidad|max units|"
        "maximum units|max einheiten|unités max|capacité max",
        "weekly_hours": "hours per week|hours a week|hours/week|h/week|hrs per week|"
        "weekly working hours|working hours per week|weekly contract hours|"
        "contract hours per week|周工时|每周工时|週工時|每週工時|wochenstunden|"
        "stunden pro woche|stunden/woche|std/woche|h/woche|wochenarbeitszeit|"
        "heures par semaine|heures/semaine|horas por semana|horas semanales",
        "daily_hours": "hours per day|hours a day|hours/day|h/day|hrs per day|"
        "daily working hours|working hours per day|每日工时|每天工时|日工时|"
        "stunden pro tag|stunden/tag|std/tag|heures par jour|heures/jour|horas por día",
        "monthly_hours": "hours per month|hours a month|hours/month|h/month|"
        "hrs per month|月工时|每月工时|stunden pro monat|stunden/monat|"
        "heures par mois|heures/mois|horas por mes",
        "weekly_days": "days per week|days a week|days/week|working days per week|"
        "每周天数|每週天數|tage pro woche|tage/woche|arbeitstage pro woche|"
        "jours par semaine|días por semana",
        # Of a week, a day or a month: the numbers have to tell.
        "contract_hours": "contracted hours|working hours|hours|hrs|工时|小时|工時|"
        "小時|stunden|arbeitszeit|heures|horas",
        "country": _COUNTRY,
        "workweek": "work week|working week|working days|workdays|work days|weekdays|"
        "工作日|工作周|arbeitstage|arbeitswoche|jours travaillés|días laborables",
        "team": _TEAM,
        "rate": _RATE,
    },
    "absences": {
        "person": _PERSON,
        "start": _START,
        "end": _END,
        "kind": _KIND + "|absence type|leave type|假别|请假类型|缺勤类型|請假類型|假別",
        "share": "part|portion|" + _PERCENT + "|占比|佔比|anteil",
        "hours": _HOURS + "|hours off|absence hours|leave hours|fehlstunden",
        "person_days": _DAYS + "|days off|absence days|leave days|working days|"
        "urlaubstage|fehltage|arbeitstage|anzahl tage|请假天数|請假天數",
    },
    "operations": {
        "role": _ROLE,
        "start": _START,
        "end": _END,
        "fte": _FTE,
        "share": _PERCENT + "|占比|佔比|anteil",
        **_FTE_UNITS,
    },
    "bookings": {
        "person": _PERSON,
        "project": _PROJECT,
        "role": _ROLE,
        "start": _START,
        "end": _END,
        "fte": _FTE + "|share|" + _PERCENT + "|占比|佔比|anteil|assignment units",
        "kind": _KIND + "|booking type|预订类型|預訂類型",
        **_FTE_UNITS,
    },
    "dependencies": {
        "project": _PROJECT + "|successor|后续项目|后继项目|後續專案|nachfolger|"
        "successeur|sucesor",
        "requires": "predecessor|depends on|requires project|前置|前置项目|依赖|"
        "依赖项目|前置專案|依賴|依賴專案|vorgänger|abhängig von|prédécesseur|"
        "predecesor|depende de",
        "kind": _KIND + "|dependency type|link type|依赖类型|依賴類型",
        "lag": "lag min|min lag|滞后|时滞|间隔|滯後|間隔|abstand|délai",
        "lag_max": "max lag|最大滞后|最大间隔|最大滯後|最大間隔",
    },
    "groups": {
        "group": "group name|group id|组|组名|分组|组别|組|組名|分組|gruppe|groupe|"
        "grupo",
        "project": _PROJECT,
        "rule": "rules|规则|規則|regel|règle|regla",
        "at_least": "min|minimum|min selected|至少|最少|下限|mindestens|au moins|"
        "al menos",
        "at_most": "max|maximum|max selected|至多|最多|上限|höchstens|au plus|"
        "como máximo",
    },
    "rules": {
        "rule": "rule name|rule id|规则|规则名称|規則|規則名稱|regel|règle|regla",
        "project": _PROJECT,
        "weight": "weights|coefficient|factor|权重|系数|權重|係數|gewicht|poids|peso",
        "applies_to": "applies|scope|适用|适用于|作用于|適用|適用於|gilt für",
        "at_least": "min|minimum|至少|最少|下限|mindestens|au moins|al menos",
        "at_most": "max|maximum|至多|最多|上限|höchstens|au plus|como máximo",
    },
    "blackouts": {
        "project": _PROJECT,
        "theme": _THEME,
        "start": _START,
        "end": _END,
        "applies_to": "applies|scope|适用|适用于|作用于|適用|適用於|gilt für",
    },
    "spend": {
        "project": _PROJECT,
        "period": _PERIOD,
        "fund": "funds|funding|funding source|资金|资金来源|基金|資金|資金來源|fonds|"
        "fondo",
        "category": "cost category|cost type|费用类别|类别|科目|類別|費用類別|"
        "kategorie|kostenart|catégorie|categoría",
        "offset": _OFFSET,
        "amount": _AMOUNT + "|spend|cost|expense|支出|费用|成本|費用|kosten|coût|gasto",
    },
    "budget": {
        "budget": "budget name|budget id|预算|预算名称|预算编号|預算|預算名稱|預算編號|"
        "name|名称|名稱",
        "fund": "funds|funding|funding source|资金|资金来源|基金|資金|資金來源|fonds|"
        "fondo",
        "category": "cost category|cost type|费用类别|类别|科目|類別|費用類別|"
        "kategorie|kostenart|catégorie|categoría",
        "theme": _THEME,
        "program": _PROGRAM,
        "start": _START,
        "end": _END,
        "amount": _AMOUNT
        + "|limit|budget amount|at most|预算金额|预算额|预算额度|上限|"
        "預算金額|預算額度",
        "at_least": "minimum|min|至少|下限|mindestens|au moins|al menos",
    },
    "benefits": {
        "project": _PROJECT,
        "period": _PERIOD,
        "offset": _OFFSET,
        "amount": _AMOUNT + "|benefit|收益|效益|nutzen|bénéfice|beneficio",
    },
    "roles": {
        "role": _ROLE + "|name|名称|名稱",
        "parent": "parent role|role group|role family|上级|上级角色|父角色|角色族|上級|"
        "上級角色",
        "team": _TEAM,
        "rate": _RATE,
    },
    "flex": {
        "role": _ROLE,
        "kind": _KIND,
        "start": _START,
        "end": _END,
        "fte_max": "max fte|maximum fte|fte上限|最大fte|上限",
        "rate": _RATE,
        "lead": "lead time|提前期|交付周期|交付週期|vorlauf|vorlaufzeit",
    },
    "history": {
        "period": _PERIOD,
        "role": _ROLE,
        "kind": _KIND + "|work type|工作类型|工作類型",
        "capacity_fte": "capacity|available fte|产能|容量|产能fte|容量fte|可用fte|產能|"
        "kapazität|capacité|capacidad",
        "load_fte": "load|used fte|actual fte|负荷|负载|负荷fte|实际fte|負荷|負載|"
        "實際fte|auslastung fte|carga",
        "event": "break|level shift|事件|ereignis|événement|evento",
        "capacity_hours": "available hours|产能工时|容量工时|可用工时|產能工時|"
        "可用工時",
        "load_hours": "used hours|actual hours|负荷工时|实际工时|負荷工時|實際工時",
        "capacity_person_days": "capacity days|available days|产能人天|可用人天|"
        "產能人天",
        "load_person_days": "load days|used days|actual days|负荷人天|实际人天|"
        "實際人天",
        "measure": "metric|figure|指标|度量|指標|kennzahl|indicateur|indicador",
        "unit": _UNIT,
    },
    "actuals": {
        "period": _PERIOD
        + "|date|work date|worked on|completed on|日期|工作日期|datum",
        "project": _PROJECT,
        "role": _ROLE,
        "person": _PERSON + "|developer|developer id|worker",
        "hours": _HOURS + "|actual hours|developer hours actual|hours worked|"
        "hours spent|duration decimal|实际工时|實際工時",
        "benefit": "benefits|realised benefit|realized benefit|实现收益|實現效益",
        # Turned into hours by `timesheets`.
        "clock_in": "check in|clock in|time in|punch in|start time|started|start|from|"
        "begin|kommen|beginn|von|arbeitsbeginn|début|inicio|上班|上班时间|签到|"
        "签到时间|开始时间|開始時間",
        "clock_out": "check out|clock out|time out|punch out|end time|ended|end|to|"
        "until|gehen|ende|bis|arbeitsende|fin|下班|下班时间|签退|签退时间|结束时间|"
        "結束時間",
        "amount": _AMOUNT + "|cost|成本|费用|費用|kosten",
    },
    "baselines": {
        "project": _PROJECT,
        "baseline": "baseline name|baseline id|version|基线|基线名称|版本|基線|"
        "基線名稱",
        "set_on": "baseline date|approved on|设定日期|基线日期|批准日期|設定日期|"
        "基線日期",
        "start": _START,
        "duration": "工期|持续时间|时长|持續時間|時長|dauer|laufzeit|durée|duración",
        "effort": "planned effort|工作量|计划工作量|計劃工作量|aufwand",
        "cost": "planned cost|baseline cost|baseline budget|original budget|"
        "approved budget|budget at completion|bac|whole life cost|"
        "baseline whole life cost|baseline whole life costs|"
        "total baseline whole life costs|成本|计划成本|計劃成本|费用|費用|kosten|"
        "coût|coste",
    },
    "progress": {
        "project": _PROJECT,
        "as_of": _AS_OF + "|date|datum|fecha|日期",
        "percent_complete": "% complete|percent complete (%)|percentage complete|"
        "pct complete|complete|progress|completion|physical % complete|"
        "physical percent complete|performance % complete|schedule % complete|"
        "fortschritt|fertigstellungsgrad|% abgeschlossen|% physisch abgeschlossen|"
        "avancement|% achevé|avance|% completado|进度|完成率|完成百分比|完成度|進度",
        "planned_value": "pv|bcws|planned value - pv (bcws)|planned value (pv)|"
        "planned value cost|budgeted cost of work scheduled|geplanter wert|plan wert|"
        "valeur planifiée|valor planificado|计划价值|計劃價值|计划值|計劃值",
        "earned_value": "ev|bcwp|earned value - ev (bcwp)|earned value (ev)|"
        "earned value cost|budgeted cost of work performed|fertigstellungswert|"
        "leistungswert|valeur acquise|valor ganado|挣值|掙值|实现价值|實獲值",
        "actual_cost": "ac|acwp|ac (acwp)|actual cost (ac)|actual costs|cost to date|"
        "actual cost to date|actual total cost|actual cost of work performed|"
        "istkosten|coût réel|coste real|costo real|实际成本|實際成本",
        "actual_hours": "actual work|actual effort|actual labor units|hours to date|"
        "ist stunden|istaufwand|ist arbeit|travail réel|trabajo real|实际工时|實際工時",
        "remaining_hours": "remaining work|remaining effort|remaining labor units|"
        "hours remaining|hours left|restaufwand|verbleibende arbeit|reststunden|"
        "travail restant|trabajo restante|剩余工时|剩餘工時",
        "forecast_finish": "forecast end|forecast completion|expected finish|"
        "expected end|estimated finish|estimated completion|projected finish|"
        "estimated completion date|forecast finish date|finish|finish date|end|"
        "end date|voraussichtliches ende|prognose ende|fin prévue|fin prevista|"
        "预计完成|预计完成日期|預計完成|預計完成日期",
        "rag": "rag status|rag rating|overall rag|delivery confidence assessment|"
        "delivery confidence|dca|ipa delivery confidence assessment|"
        "sro delivery confidence assessment|health|project health|status|"
        "overall status|traffic light|status light|colour|color|ampel|feu|semáforo|"
        "健康度|健康状态|红绿灯|紅綠燈|状态|狀態",
        "comment": "comments|status comment|explanation for delay|reason for delay|"
        "commentary|narrative|note|notes|remarks|"
        "kommentar|bemerkung|commentaire|comentario|备注|说明|備註|說明|评论|評論",
        "author": "reported by|updated by|submitted by|written by|autor|verfasser|"
        "auteur|报告人|填报人|報告人|填報人",
    },
    "milestones": {
        "project": _PROJECT,
        "milestone": "milestone name|milestone id|deliverable|gate|task name|"
        "activity name|meilenstein|vorgangsname|jalon|hito|里程碑|里程碑名称|"
        "里程碑名稱|name",
        "as_of": _AS_OF,
        "baseline": "baseline date|baseline finish|baseline end|bl project finish|"
        "bl finish|planned|plan|planned date|plan date|original date|target|"
        "target date|basisplan|plantermin|geplanter termin|soll|date de référence|"
        "date prévue|fecha planificada|基线日期|计划日期|基线完成|基線日期|計劃日期",
        "forecast": "forecast date|forecast finish|current date|expected|"
        "expected date|estimated date|revised date|date|finish|finish date|end|"
        "end date|due|due date|prognose|prognosetermin|termin|voraussichtlich|"
        "date estimée|prévision|fecha estimada|previsión|预测日期|预计日期|預測日期|"
        "預計日期",
        "actual": "actual date|actual finish|achieved|achieved on|achieved date|"
        "completed|completed on|completion date|isttermin|ist|erreicht am|"
        "date réelle|fecha real|实际日期|实际完成|實際日期|實際完成",
        "kind": _KIND + "|milestone type|milestone kind",
    },
    "sprints": {
        "team": "teams|team name|board|board id|board name|squad|团队|小组|團隊|小組|"
        "équipe|equipo",
        "sprint": "sprint name|sprint id|sprint number|iteration|iteration name|"
        "iteration id|iteration path|迭代|冲刺|衝刺|itération|iteración",
        "start": _START,
        "end": _END,
        "planned_days": "planned length|sprint length|length in days|duration days|"
        "planday|plan days|days|geplante tage|计划天数|計劃天數",
        "elapsed": "time elapsed|% elapsed|percent elapsed|elapsed time|"
        "elapsed share|verstrichen|已过时间|已過時間",
        "members": "team members|team size|no teammember|number of team members|"
        "mitglieder|成员|成員|人数|人數",
        "committed": "commitment|committed points|committed story points|"
        "planned points|planned velocity|vel starttime|zugesagt|承诺|承諾|承诺点数|"
        "承諾點數",
        "added": "added points|points added|vel added|hinzugefügt|新增",
        "removed": "removed points|points removed|vel removed|entfernt|移除",
        "to_do": "todo points|points to do|not started|vel todo|offen|待办|待辦",
        "in_progress": "in progress points|points in progress|vel inprogress|"
        "in arbeit|进行中|進行中",
        "done": "done points|points done|vel done|erledigt|已完成",
        "delivered": "completed|completed points|completed story points|"
        "delivered points|actual velocity|velocity|geliefert|交付|已交付|交付点数",
    },
}


# Used only where no column of a better name is there.
WEAK_WORDS: dict[str, dict[str, str]] = {
    "projects": {
        "project": "id|key|code|编号|代码|編號|代碼",
        "name": "project description",
    },
    **{
        table: {"project": _PROJECT_NAME}
        for table in (
            *("demand", "groups", "rules", "blackouts", "spend", "benefits"),
            *("dependencies", "baselines", "progress", "milestones"),
        )
    },
    "people": {"person": _PERSON_NAME},
    "absences": {"person": _PERSON_NAME},
    "bookings": {"person": _PERSON_NAME, "project": _PROJECT_NAME},
    "actuals": {
        "person": _PERSON_NAME,
        "project": _PROJECT_NAME,
        # Of the whole task, where the table has a row a person and task.
        "hours": "hours actual",
    },
}
