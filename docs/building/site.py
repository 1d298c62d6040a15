"""Hooks of the site: files outside `docs/` that pages link to become part of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
_ADDED = (
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "notebooks/*.ipynb",
    "data/*.toml",
    "data/pictures/*.png",
)


# Before what makes pages of notebooks.
@event_priority(100)
def on_files(files: Files, *, config: Any) -> Files:
    """Add what pages link to and what lies outside `docs/`."""
    for pattern in _ADDED:
        for path in sorted(ROOT.glob(pattern)):
            name = path.relative_to(ROOT).as_posix()
            files.append(File.generated(config, name, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Turn links that are right in the repository into links of the site."""
    name = page.file.src_uri
    if "/" in name:
        return markdown.replace("](../../", "](../")
    if name in {"CONTRIBUTING.md", "CHANGELOG.md"}:
        return markdown.replace("](docs/", "](")
    return re.sub(r"\]\(\.\./(?!README)", "](", markdown)


def on_post_page(output: str, **_: Any) -> str:
    """Leave out what would load formulas from elsewhere; no page has any."""
    pattern = r"<script data-mkdocs-jupyter-mathjax.*?</script>"
    return re.sub(pattern, "", output, flags=re.DOTALL)
