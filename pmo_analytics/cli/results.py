"""What commands say of their results, and the charts of a plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pmo_analytics.cli.terminal import escaped, messages

# So few files are named, of more the folder says which.
_NAMED = 3


def say_written(out: Path | None, files: Sequence[Path]) -> None:
    """Say on stderr where the result was written, or that it was not."""
    if out is None:
        messages().print("Nothing was written; name a folder with --out DIR.")
    say_files(files)


def say_files(files: Sequence[Path]) -> None:
    """Say on stderr where the result was written."""
    if not files:
        return
    root = files[-1].parent  # of the manifest, which comes last
    what = f"{len(files)} files"
    if len(files) <= _NAMED:
        what = ", ".join(file.name for file in files)
    folders = {file.parent for file in files} - {root}
    inside = f", in it {len(folders)} folders" if folders else ""
    messages().print(escaped(f"Wrote {what} to {root}{inside}."))


def say_unfinished(folder: Path) -> None:
    """Say on stderr that the files of a folder may be of two results.

    Commands that only read leave it as it is.
    """
    from pmo_analytics.reporting import is_unfinished

    if is_unfinished(folder):
        messages().print(
            escaped(
                f"A run that was writing to {folder} was killed while its files took "
                "their places: they may be of two results. Run it again."
            )
        )


def draw_plan(plan: Any, names: Sequence[str]) -> dict[str, Any]:
    """Return the named charts of a plan."""
    from pmo_analytics.plotting import (
        figure_capacity,
        plot_budget,
        plot_gantt,
        plot_utilization,
    )

    draw: dict[str, Callable[[], Any]] = {
        "gantt": lambda: plot_gantt(plan).figure,
        "utilization": lambda: plot_utilization(plan).figure,
        "capacity": lambda: figure_capacity(plan),
        "budget": lambda: plot_budget(plan).figure,
    }
    return {name: draw[name]() for name in names}
