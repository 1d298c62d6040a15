"""Processes and cores: work side by side, stopped together."""

from typing import TYPE_CHECKING

from pmo_analytics.faces import face

if TYPE_CHECKING:
    from pmo_analytics.processes.code_cache import (
        code_kept,
        note_code,
        writable_folder,
    )
    from pmo_analytics.processes.lifetime import (
        deaf_children,
        end_group,
        end_with_thread,
        safe_environment,
        stopped_like_ctrl_c,
    )
    from pmo_analytics.processes.machine_code import compiled, inner
    from pmo_analytics.processes.parallel import (
        Outcome,
        Work,
        cores,
        expendable,
        run_tasks,
    )
    from pmo_analytics.processes.stopping import note_stop, stop_asked, stoppable

__getattr__, __dir__, __all__ = face(__name__)
