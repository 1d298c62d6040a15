"""Results as files: written whole or not at all, escaped, without decisions."""

from typing import TYPE_CHECKING

from pmo_analytics.faces import face

if TYPE_CHECKING:
    from pmo_analytics.reporting.briefing import forecast_report, why_table
    from pmo_analytics.reporting.claims import Claims, read_claims, read_plan
    from pmo_analytics.reporting.comparison import comparison_tables
    from pmo_analytics.reporting.figures import drawn
    from pmo_analytics.reporting.folder import (
        MANIFEST,
        capacity_rows,
        data_facts,
        finish_result,
        folder_names,
        is_unfinished,
        manifest,
        plan_tables,
        try_folder,
        write_result,
    )
    from pmo_analytics.reporting.microsoft_project import plan_network, write_mspdi
    from pmo_analytics.reporting.nightly import (
        before,
        scenario_sections,
        with_plan,
        with_status,
    )
    from pmo_analytics.reporting.office.slides import write_slides
    from pmo_analytics.reporting.page import Report, summary_of, write_page
    from pmo_analytics.reporting.record import read_record, save_record
    from pmo_analytics.reporting.status.portfolio import status_report
    from pmo_analytics.reporting.verification import verify
    from pmo_analytics.reporting.workbook import (
        fitting,
        write_spreadsheet,
        write_workbook,
    )

__getattr__, __dir__, __all__ = face(__name__)
