"""The languages in which Microsoft Project and P6 write their exports."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pmo_analytics.loaders.networks.tongues import Tongue, folded, make_tongue

ENGLISH = make_tongue(
    "English",
    """
    id: Activity ID | ID | Task ID
    unique: Unique ID
    name: Task Name | Activity Name | Name
    status: Activity Status | Status
    wbs: WBS Code | WBS | Outline Number
    level: Outline Level
    duration: Duration | At Completion Duration | Original Duration | Scheduled Duration
    remaining: Remaining Duration
    start: Start | Start Date | Scheduled Start
    finish: Finish | Finish Date | Scheduled Finish
    actual_start: Actual Start
    actual_finish: Actual Finish
    baseline_start: Baseline Start | BL Project Start
    baseline_finish: Baseline Finish | BL Project Finish
    deadline: Deadline
    free_float_h: Free Float | Free Slack
    total_float_h: Total Float | Total Slack
    predecessors: Predecessors
    details: Predecessor Details
    constraint: Primary Constraint | Constraint Type
    constraint_date: Primary Constraint Date | Constraint Date
    type: Activity Type
    milestone: Milestone
    active: Active
    percent: % Complete | Percent Complete | Activity % Complete
    resources: Resource Names | Resources
    work: Work
    cost: Cost | At Completion Total Cost | Budgeted Total Cost
    """,
    units="m min mins minute minutes|h hr hrs hour hours|d dy dys day days"
    "|w wk wks week weeks|mo mon mons month months|y yr yrs year years",
    elapsed="e",
    constraints="As Soon As Possible|As Late As Possible|Must Start On|Must Finish On"
    "|Start No Earlier Than|Start No Later Than|Finish No Earlier Than"
    "|Finish No Later Than",
    comma=False,
    order="",
)
_OTHERS = (
    make_tongue(
        "German",
        """
        id: Nr. | ID | Vorgangsnummer
        unique: Einmalige Nr.
        name: Vorgangsname | Name
        wbs: PSP-Code | Gliederungsnummer
        level: Gliederungsebene
        duration: Dauer
        remaining: Verbleibende Dauer
        start: Anfang | Anfangstermin | Start | Startdatum
        finish: Ende | Fertig stellen | Endtermin | Enddatum
        actual_start: Aktueller Anfang | Tatsächlicher Anfang
        actual_finish: Aktuelles Ende | Tatsächliches Ende
        baseline_start: Geplanter Anfang
        baseline_finish: Geplantes Ende
        deadline: Stichtag
        free_float_h: Freie Pufferzeit
        total_float_h: Gesamte Pufferzeit
        predecessors: Vorgänger
        constraint: Einschränkungsart
        constraint_date: Einschränkungstermin
        milestone: Meilenstein
        active: Aktiv
        percent: % Abgeschlossen | Prozent abgeschlossen
        resources: Ressourcennamen
        work: Arbeit
        cost: Kosten
        """,
        links="EA AA EE AE",
        units="m min minute minuten|h std stunde stunden|t tag tage"
        "|w wo woche wochen|mon monat monate|j jahr jahre",
        elapsed="f",
        constraints="So früh wie möglich|So spät wie möglich|Muss anfangen am"
        "|Muss enden am|Anfang nicht früher als|Anfang nicht später als"
        "|Ende nicht früher als|Ende nicht später als",
        weekdays="mo di mi do fr sa so",
        months="jan feb mar apr mai jun jul aug sep okt nov dez",
    ),
    make_tongue(
        "French",
        """
        id: N° | Nº | ID | Numéro
        unique: N° unique
        name: Nom de la tâche | Nom de tâche | Nom
        wbs: WBS | Code OTP
        level: Niveau hiérarchique
        duration: Durée
        remaining: Durée restante
        start: Début
        finish: Fin
        actual_start: Début réel
        actual_finish: Fin réelle
        deadline: Échéance
        free_float_h: Marge libre
        total_float_h: Marge totale
        predecessors: Prédécesseurs
        constraint: Type de contrainte
        constraint_date: Date de contrainte
        milestone: Jalon
        active: Actif | Active
        percent: % achevé | % terminé | Pourcentage achevé
        resources: Noms ressources | Noms des ressources | Nom des ressources
        work: Travail
        cost: Coût
        """,
        links="FD DD FF DF",
        units="m min minute minutes|h hr heure heures|j jour jours"
        "|s sm sem semaine semaines|ms mois|a an ans annee annees",
        constraints="Dès que possible|Le plus tard possible|Doit commencer le"
        "|Doit finir le|Début au plus tôt le|Début au plus tard le"
        "|Fin au plus tôt le|Fin au plus tard le",
        weekdays="lun mar mer jeu ven sam dim",
        months="jan fev mar avr mai juin juil aou sep oct nov dec",
    ),
    make_tongue(
        "Spanish",
        """
        id: Id | Nº
        unique: Id. única
        name: Nombre de tarea | Nombre de la tarea | Nombre
        wbs: EDT | WBS | Número de esquema
        level: Nivel de esquema
        duration: Duración
        remaining: Duración restante
        start: Comienzo | Inicio
        finish: Fin
        actual_start: Comienzo real
        actual_finish: Fin real
        baseline_start: Comienzo de línea base
        baseline_finish: Fin de línea base
        deadline: Fecha límite
        free_float_h: Margen de demora libre
        total_float_h: Margen de demora total
        predecessors: Predecesoras
        constraint: Tipo de restricción | Tipo de delimitación
        constraint_date: Fecha de restricción | Fecha de delimitación
        milestone: Hito
        active: Activo | Activa
        percent: % completado | Porcentaje completado
        resources: Nombres de los recursos | Nombres de recursos
        work: Trabajo
        cost: Costo | Coste
        """,
        links="FC CC FF CF",
        units="m min mins minuto minutos|h hr hrs hora horas|d dia dias"
        "|s sem sems semana semanas|ms mes meses|a ano anos",
        elapsed="e",
        constraints="Lo antes posible|Lo más tarde posible|Debe comenzar el"
        "|Debe finalizar el|No comenzar antes del|No comenzar después del"
        "|No finalizar antes del|No finalizar después del",
        weekdays="lun mar mie jue vie sab dom",
        months="ene feb mar abr may jun jul ago sep oct nov dic",
    ),
    make_tongue(
        "Portuguese",
        """
        id: Id | Nº
        unique: Id exclusiva
        name: Nome da tarefa | Nome
        wbs: EDT | WBS | Número da estrutura de tópicos
        level: Nível da estrutura de tópicos
        duration: Duração
        remaining: Duração restante
        start: Início
        finish: Término | Conclusão
        actual_start: Início real
        actual_finish: Término real
        baseline_start: Início da linha de base
        baseline_finish: Término da linha de base
        deadline: Prazo final
        free_float_h: Margem de atraso permitida
        total_float_h: Margem de atraso total
        predecessors: Predecessoras
        constraint: Tipo de restrição
        constraint_date: Data da restrição | Data de restrição
        milestone: Marco
        active: Ativo | Ativa
        percent: % concluída | % concluído | Porcentagem concluída
        resources: Nomes dos recursos | Nomes de recursos
        work: Trabalho
        cost: Custo
        """,
        links="TI II TT IT",
        units="m min mins minuto minutos|h hr hrs hora horas|d dia dias"
        "|s sem sems semana semanas|mes meses|a ano anos",
        constraints="O mais breve possível|O mais tarde possível|Deve iniciar em"
        "|Deve terminar em|Não iniciar antes de|Não iniciar depois de"
        "|Não terminar antes de|Não terminar depois de",
        weekdays="seg ter qua qui sex sab dom",
        months="jan fev mar abr mai jun jul ago set out nov dez",
    ),
    make_tongue(
        "Italian",
        """
        id: ID | N.
        unique: ID univoco
        name: Nome attività | Nome
        wbs: WBS | Numero struttura
        level: Livello struttura
        duration: Durata
        remaining: Durata rimanente
        start: Inizio
        finish: Fine
        actual_start: Inizio effettivo
        actual_finish: Fine effettiva
        deadline: Scadenza
        free_float_h: Margine di flessibilità
        total_float_h: Margine di flessibilità totale
        predecessors: Predecessori
        constraint: Tipo vincolo
        constraint_date: Data vincolo
        milestone: Attività cardine
        active: Attivo | Attiva
        percent: % completamento | % completata | Percentuale completamento
        resources: Nomi risorse
        work: Lavoro
        cost: Costo
        """,
        links="FI II FF IF",
        units="min minuto minuti|h hr ora ore|g giorno giorni"
        "|s sett settimana settimane|mese mesi|a anno anni",
        weekdays="lun mar mer gio ven sab dom",
        months="gen feb mar apr mag giu lug ago set ott nov dic",
    ),
    make_tongue(
        "Dutch",
        """
        id: Id | Nr.
        unique: Unieke id
        name: Taaknaam | Naam
        wbs: WBS | Overzichtsnummer
        level: Overzichtsniveau
        duration: Duur
        remaining: Resterende duur
        start: Begindatum | Startdatum | Begin
        finish: Einddatum | Einde
        actual_start: Werkelijke begindatum
        actual_finish: Werkelijke einddatum
        deadline: Deadline
        free_float_h: Vrije speling
        total_float_h: Totale speling
        predecessors: Voorafgaande taken | Voorgaande taken
        milestone: Mijlpaal
        active: Actief
        percent: % voltooid | Percentage voltooid
        resources: Resourcenamen | Namen van resources
        work: Werk
        cost: Kosten
        """,
        links="EB BB EE BE",
        units="m min minuut minuten|u uur uren|d dag dagen|w wk wkn week weken"
        "|mnd mndn maand maanden|j jr jaar jaren",
        weekdays="ma di wo do vr za zo",
        months="jan feb maa apr mei jun jul aug sep okt nov dec",
    ),
    make_tongue(
        "Swedish",
        """
        id: ID
        name: Aktivitetsnamn | Namn
        duration: Varaktighet
        start: Start | Startdatum
        finish: Slut | Slutdatum
        actual_start: Verklig start
        actual_finish: Verkligt slut
        baseline_start: Originalstart
        baseline_finish: Originalslut
        predecessors: Föregående aktiviteter | Föregående
        free_float_h: Fritt slack
        total_float_h: Totalt slack
        milestone: Milstolpe
        percent: % färdigt
        resources: Resursnamn
        work: Arbete
        cost: Kostnad
        """,
        units="m min minuter|t tim timme timmar|d dag dagar|v vecka veckor"
        "|man manad manader|ar",
        weekdays="ma ti on to fr lo so",
        months="jan feb mar apr maj jun jul aug sep okt nov dec",
        order="ymd",
    ),
    make_tongue(
        "Polish",
        """
        id: Identyfikator | ID
        name: Nazwa zadania | Nazwa
        wbs: SPP | WBS
        level: Poziom konspektu
        duration: Czas trwania
        start: Rozpoczęcie
        finish: Zakończenie
        actual_start: Rozpoczęcie rzeczywiste
        actual_finish: Zakończenie rzeczywiste
        predecessors: Poprzedniki
        percent: % ukończenia | % wykonania
        resources: Nazwy zasobów
        work: Praca
        cost: Koszt
        """,
        links="ZR RR ZZ RZ",
        units="min minuta minuty minut|g godz godzina godziny godzin|d dn dzien dni"
        "|t tyg tydz tydzien tygodnie tygodni"
        "|mies miesiac miesiace miesiecy|rok lata lat",
        weekdays="pon wt sr czw pt sob nie",
        months="sty lut mar kwi maj cze lip sie wrz paz lis gru",
    ),
    make_tongue(
        "Russian",
        """
        id: Ид. | Идентификатор | ID
        unique: Уникальный идентификатор
        name: Название задачи | Название | Имя задачи
        wbs: СДР | Номер структуры
        level: Уровень структуры
        duration: Длительность
        remaining: Оставшаяся длительность
        start: Начало
        finish: Окончание
        actual_start: Фактическое начало
        actual_finish: Фактическое окончание
        baseline_start: Базовое начало
        baseline_finish: Базовое окончание
        deadline: Крайний срок
        free_float_h: Свободный временной резерв
        total_float_h: Общий временной резерв
        predecessors: Предшественники
        constraint: Тип ограничения
        constraint_date: Дата ограничения
        milestone: Веха
        percent: % завершения | Процент завершения
        resources: Названия ресурсов | Имена ресурсов
        work: Трудозатраты
        cost: Затраты
        """,
        links="ОН НН ОО НО",
        units="м мин минута минуты минут|ч час часа часов|д дн день дня дней"
        "|н нед неделя недели недель|мес месяц месяца месяцев|г год года лет",
        constraints="Как можно раньше|Как можно позже|Фиксированное начало"
        "|Фиксированное окончание|Начало не ранее|Начало не позднее"
        "|Окончание не ранее|Окончание не позднее",
        weekdays="пн вт ср чт пт сб вс",
        months="янв фев мар апр ма июн июл авг сен окт ноя дек",
    ),
    make_tongue(
        "Chinese",
        """
        id: 标识号 | ID
        name: 任务名称 | 名称
        level: 大纲级别
        duration: 工期
        start: 开始时间
        finish: 完成时间
        predecessors: 前置任务
        percent: 完成百分比
        resources: 资源名称
        work: 工时
        cost: 成本
        """,
        units="分钟 m min|工时 个工时 小时 h|工作日 个工作日 日 天 d|周 周工时 个星期 w"
        "|月 个月 月工时 mon|年",
        weekdays="周一 周二 周三 周四 周五 周六 周日",
        comma=False,
        order="ymd",
    ),
)
TONGUES = (ENGLISH, *_OTHERS)
# Words of three letters and more mean the same in every language that has them.
UNITS = {
    word: unit
    for tongue in reversed(TONGUES)
    for word, unit in tongue.units.items()
    if len(word) > 2
}


def tongue_of(cells: Iterable[Any]) -> Tongue:
    """Return the language of a row of headings: that of most of them, else English."""
    words = {folded(cell) for cell in cells}
    return max(TONGUES, key=lambda t: len({t.headings.get(w) for w in words} - {None}))
