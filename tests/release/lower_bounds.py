"""Print the oldest versions that `pyproject.toml` allows, one requirement a line.

`make lower-bounds` installs them and runs the fast tests with them.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def oldest(requirements: list[str]) -> list[str]:
    """Return each requirement pinned to its lower bound.

    Raises
    ------
    ValueError
        If a requirement has none.
    """
    pins = []
    for requirement in requirements:
        found = re.match(r"([A-Za-z0-9_.-]+)(?:\[[^]]*\])?>=([0-9.]+)", requirement)
        if found is None:
            raise ValueError(f"{requirement} has no lower bound")
        pins.append(f"{found[1]}=={found[2]}")
    return pins


def main() -> None:
    """Print the pins of the core."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    print("\n".join(oldest(project["project"]["dependencies"])))


if __name__ == "__main__":
    main()
