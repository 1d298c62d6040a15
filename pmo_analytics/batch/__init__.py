"""The nightly run, its configuration and its memory."""

from typing import TYPE_CHECKING

from pmo_analytics.faces import face

if TYPE_CHECKING:
    from pmo_analytics.batch.accuracy import (
        forecast_accuracy,
        learn_intervals,
        remembering,
    )
    from pmo_analytics.batch.batch import BatchRun, read_day, run_batch
    from pmo_analytics.batch.config import BatchConfig, read_config
    from pmo_analytics.batch.store import open_store

__getattr__, __dir__, __all__ = face(__name__)
