"""Loaders: a portfolio from a folder of CSV files or a workbook, and back.

`read_portfolio`, `load_portfolio` and `write_portfolio` are in `files`,
`write_template` in `template`. Way of a table: `folder` or `workbook` (raw cells),
`tidying` (columns, rows, numbers, dates), `layouts` (long rows, FTE, offsets),
`assembly` (the Portfolio).
"""

from typing import TYPE_CHECKING

from pmo_analytics.faces import face

if TYPE_CHECKING:
    from pmo_analytics.loaders.files import (
        load_portfolio,
        read_portfolio,
        write_portfolio,
    )
    from pmo_analytics.loaders.networks.mspdi.moving import write_starts
    from pmo_analytics.loaders.networks.mspdi.rewriting import write_dates
    from pmo_analytics.loaders.networks.mspdi.writing import write_network
    from pmo_analytics.loaders.networks.portfolio import holds_networks, read_rolled
    from pmo_analytics.loaders.networks.reading import read_networks
    from pmo_analytics.loaders.problems import loaded_problems, planning_problems
    from pmo_analytics.loaders.reading.schedule import read_purchases, read_schedule
    from pmo_analytics.loaders.writing.escape import escape_frame
    from pmo_analytics.loaders.writing.template import write_empty, write_template
    from pmo_analytics.loaders.writing.workbook import (
        MAX_CELL_CHARACTERS,
        MAX_SHEET_ROWS,
    )

__getattr__, __dir__, __all__ = face(__name__)
