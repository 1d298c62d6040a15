"""`python -m pmo_analytics` is the same as `pmo`."""

from __future__ import annotations

from pmo_analytics.cli import run

if __name__ == "__main__":
    run()
