"""The words of PMXML beside those of the XER: elements, tags and values."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

Words = dict[str, str]

TYPES: Words = {
    "Task Dependent": "TT_Task",
    "Resource Dependent": "TT_Rsrc",
    "Level of Effort": "TT_LOE",
    "Start Milestone": "TT_Mile",
    "Finish Milestone": "TT_FinMile",
    "WBS Summary": "TT_WBS",
    "": "TT_Task",
}
_STATUS: Words = {
    "Not Started": "TK_NotStart",
    "In Progress": "TK_Active",
    "Completed": "TK_Complete",
    "": "TK_NotStart",
}
_PERCENT: Words = {
    "Duration": "CP_Drtn",
    "Physical": "CP_Phys",
    "Units": "CP_Units",
    "Scope": "CP_Drtn",
}
_CONSTRAINTS: Words = {
    "Start On": "CS_MSO",
    "Start On or After": "CS_MSOA",
    "Start On or Before": "CS_MSOB",
    "Finish On": "CS_MEO",
    "Finish On or After": "CS_MEOA",
    "Finish On or Before": "CS_MEOB",
    "Mandatory Start": "CS_MANDSTART",
    "Mandatory Finish": "CS_MANDFIN",
    "As Late As Possible": "CS_ALAP",
}
_LINKS: Words = {
    "Finish to Start": "PR_FS",
    "Start to Start": "PR_SS",
    "Finish to Finish": "PR_FF",
    "Start to Finish": "PR_SF",
}
_RESOURCES: Words = {
    "Labor": "RT_Labor",
    "Nonlabor": "RT_Equip",
    "Non Labor": "RT_Equip",
    "Material": "RT_Mat",
}
_PATHS: Words = {"Critical Float": "CT_TotFloat", "Longest Path": "CT_DrivPath"}
_LAGS: Words = {
    "Predecessor Activity Calendar": "rcal_Predecessor",
    "Successor Activity Calendar": "rcal_Successor",
    "24 Hour Calendar": "rcal_24Hour",
    "Project Default Calendar": "rcal_ProjDefault",
}
_FLOATS: Words = {
    "Finish Float = Late Finish - Early Finish": "FT_FF",
    "Start Float = Late Start - Early Start": "FT_SF",
    "Smallest of Start Float and Finish Float": "FT_Min",
}
_FLAGS: Words = {"1": "Y", "0": "N", "true": "Y", "false": "N"}
_AREAS: Words = {"Activity": "TASK", "Project": "PROJECT", "Resource": "RSRC"}
_RATES = {
    "cost_per_qty": "PricePerUnit",
    **{f"cost_per_qty{n}": f"PricePerUnit{n}" for n in range(2, 6)},
    "max_qty_per_hr": "MaxUnitsPerTime",
    "start_date": "EffectiveDate",
}


class Element(NamedTuple):
    """How the elements of one kind become the rows of a table.

    Parameters
    ----------
    fields
        Column of the XER -> tags, separated by blanks; the first with a text counts.
    words
        Column -> word of PMXML -> word of the XER; others stay as they are.
    """

    table: str
    fields: Words
    words: Mapping[str, Words] = MappingProxyType({})


GLOBAL = {
    "Resource": Element(
        "RSRC",
        {
            "rsrc_id": "ObjectId",
            "rsrc_short_name": "Id",
            "rsrc_name": "Name",
            "clndr_id": "CalendarObjectId",
            "role_id": "PrimaryRoleObjectId",
            "rsrc_type": "ResourceType",
            "email_addr": "EmailAddress",
            "employee_code": "EmployeeId",
        },
        {"rsrc_type": _RESOURCES},
    ),
    "ResourceRate": Element("RSRCRATE", {"rsrc_id": "ResourceObjectId", **_RATES}),
    "Role": Element(
        "ROLES", {"role_id": "ObjectId", "role_name": "Name", "role_short_name": "Id"}
    ),
    "RoleRate": Element("ROLERATE", {"role_id": "RoleObjectId", **_RATES}),
    "ActivityCodeType": Element(
        "ACTVTYPE", {"actv_code_type_id": "ObjectId", "actv_code_type": "Name"}
    ),
    "ActivityCode": Element(
        "ACTVCODE",
        {
            "actv_code_id": "ObjectId",
            "short_name": "CodeValue",
            "actv_code_name": "Description",
        },
    ),
    "ProjectCodeType": Element(
        "PCATTYPE", {"proj_catg_type_id": "ObjectId", "proj_catg_type": "Name"}
    ),
    "ProjectCode": Element(
        "PCATVAL",
        {
            "proj_catg_id": "ObjectId",
            "proj_catg_short_name": "CodeValue",
            "proj_catg_name": "Description",
        },
    ),
    "UDFType": Element(
        "UDFTYPE",
        {
            "udf_type_id": "ObjectId",
            "table_name": "SubjectArea",
            "udf_type_label": "Title",
        },
        {"table_name": _AREAS},
    ),
}
PROJECT = Element(
    "PROJECT",
    {
        "proj_id": "ObjectId",
        "proj_short_name": "Id Name",
        "clndr_id": "ActivityDefaultCalendarObjectId",
        "last_recalc_date": "DataDate",
        "plan_start_date": "PlannedStartDate",
        "plan_end_date": "MustFinishByDate",
        "scd_end_date": "ScheduledFinishDate FinishDate",
        "sum_base_proj_id": "CurrentBaselineProjectObjectId",
        "orig_proj_id": "OriginalProjectObjectId",
        "critical_path_type": "CriticalActivityPathType",
        "critical_drtn_hr_cnt": "CriticalActivityFloatLimit",
    },
    {"critical_path_type": _PATHS},
)
OPTIONS = Element(
    "SCHEDOPTIONS",
    {
        "sched_calendar_on_relationship_lag": "RelationshipLagCalendar",
        "sched_float_type": "ComputeTotalFloatType",
        "sched_open_critical_flag": "MakeOpenEndedActivitiesCritical",
        "sched_use_expect_end_flag": "UseExpectedFinishDates",
        "sequence": "OutOfSequenceScheduleType",
    },
    {
        "sched_calendar_on_relationship_lag": _LAGS,
        "sched_float_type": _FLOATS,
        "sched_open_critical_flag": _FLAGS,
        "sched_use_expect_end_flag": _FLAGS,
    },
)
OF_PROJECTS = {
    "WBS": Element(
        "PROJWBS",
        {
            "wbs_id": "ObjectId",
            "parent_wbs_id": "ParentObjectId",
            "wbs_short_name": "Code",
            "wbs_name": "Name",
        },
    ),
    "Activity": Element(
        "TASK",
        {
            "task_id": "ObjectId",
            "wbs_id": "WBSObjectId",
            "clndr_id": "CalendarObjectId",
            "task_code": "Id",
            "task_name": "Name",
            "task_type": "Type",
            "status_code": "Status",
            "complete_pct_type": "PercentCompleteType",
            "duration_type": "DurationType",
            "target_drtn_hr_cnt": "PlannedDuration",
            "remain_drtn_hr_cnt": "RemainingDuration",
            "act_start_date": "ActualStartDate",
            "act_end_date": "ActualFinishDate",
            "early_start_date": "RemainingEarlyStartDate EarlyStartDate",
            "early_end_date": "RemainingEarlyFinishDate EarlyFinishDate",
            "late_start_date": "RemainingLateStartDate LateStartDate",
            "late_end_date": "RemainingLateFinishDate LateFinishDate",
            "restart_date": "RemainingEarlyStartDate",
            "reend_date": "RemainingEarlyFinishDate",
            "target_start_date": "PlannedStartDate",
            "target_end_date": "PlannedFinishDate",
            "cstr_type": "PrimaryConstraintType",
            "cstr_date": "PrimaryConstraintDate",
            "cstr_type2": "SecondaryConstraintType",
            "cstr_date2": "SecondaryConstraintDate",
            "expect_end_date": "ExpectedFinishDate",
            "external_early_start_date": "ExternalEarlyStartDate",
            "external_late_end_date": "ExternalLateFinishDate",
            "suspend_date": "SuspendDate",
            "resume_date": "ResumeDate",
            "total_float_hr_cnt": "TotalFloat",
            "free_float_hr_cnt": "FreeFloat",
            "phys_share": "PhysicalPercentComplete",
            "act_work_qty": "ActualLaborUnits",
            "remain_work_qty": "RemainingLaborUnits",
            "act_equip_qty": "ActualNonLaborUnits",
            "remain_equip_qty": "RemainingNonLaborUnits",
        },
        {
            "task_type": TYPES,
            "status_code": _STATUS,
            "complete_pct_type": _PERCENT,
            "cstr_type": _CONSTRAINTS,
            "cstr_type2": _CONSTRAINTS,
        },
    ),
    "Relationship": Element(
        "TASKPRED",
        {
            "task_pred_id": "ObjectId",
            "task_id": "SuccessorActivityObjectId",
            "pred_task_id": "PredecessorActivityObjectId",
            "pred_proj_id": "PredecessorProjectObjectId",
            "succ_proj_id": "SuccessorProjectObjectId",
            "pred_type": "Type",
            "lag_hr_cnt": "Lag",
        },
        {"pred_type": _LINKS},
    ),
    "ResourceAssignment": Element(
        "TASKRSRC",
        {
            "taskrsrc_id": "ObjectId",
            "task_id": "ActivityObjectId",
            "rsrc_id": "ResourceObjectId",
            "role_id": "RoleObjectId",
            "rsrc_type": "ResourceType",
            "target_qty": "PlannedUnits",
            "act_reg_qty": "ActualRegularUnits ActualUnits",
            "act_ot_qty": "ActualOvertimeUnits",
            "remain_qty": "RemainingUnits",
            "target_qty_per_hr": "PlannedUnitsPerTime",
            "target_cost": "PlannedCost",
            "act_reg_cost": "ActualRegularCost ActualCost",
            "act_ot_cost": "ActualOvertimeCost",
            "remain_cost": "RemainingCost",
            "act_start_date": "ActualStartDate",
            "act_end_date": "ActualFinishDate",
            "restart_date": "RemainingStartDate",
            "reend_date": "RemainingFinishDate",
            "target_start_date": "PlannedStartDate StartDate",
            "target_end_date": "PlannedFinishDate FinishDate",
        },
        {"rsrc_type": _RESOURCES},
    ),
    "ActivityExpense": Element(
        "PROJCOST",
        {
            "task_id": "ActivityObjectId",
            "act_cost": "ActualCost",
            "remain_cost": "RemainingCost",
            "target_cost": "PlannedCost",
        },
    ),
}
