"""Files that others may read or have written: opened, replaced and cleared away."""

from typing import TYPE_CHECKING

from pmo_analytics.faces import face

if TYPE_CHECKING:
    from pmo_analytics.files.drafts import JOB, clear_drafts, draft_folder
    from pmo_analytics.files.exchange import can_be_replaced, replace_folder
    from pmo_analytics.files.json_file import read_json
    from pmo_analytics.files.toml_file import read_toml
    from pmo_analytics.files.whole_files import written_whole

__getattr__, __dir__, __all__ = face(__name__)
