"""Where the project lies, and what lies beside it on some machines."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Data and cases of others; tests that read them skip where they are not.
SHARED = ROOT.parent / "shared"
