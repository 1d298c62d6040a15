"""The code of the README and of the pages runs as it stands."""

from __future__ import annotations

import re
import tomllib

import matplotlib.pyplot as plt
import pytest

from pmo_analytics.scenarios.reading import read_scenarios
from tests.support.counts import ALL
from tests.support.places import ROOT

pytestmark = pytest.mark.usefixtures("warm_module")

PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "CONTRIBUTING.md",
]
TEXT = {path: path.read_text(encoding="utf-8") for path in PAGES}


def blocks(language: str) -> list[tuple[str, str]]:
    """Return the code of the README, then of the other pages, with their names."""
    return [
        (path.name, block)
        for path, text in TEXT.items()
        for block in re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)
    ]


def test_python_blocks_run_one_after_the_other(monkeypatch):
    monkeypatch.chdir(ROOT)
    names: dict[str, object] = {}
    code = blocks("python")
    assert len(code) >= 3
    for page, block in code:
        if not ALL:
            # As written, but a wide gap ends a search, not its time.
            block = re.sub(r"gap=0\.\d+", "gap=0.3", block)
        exec(compile(block, page, "exec"), names)
    plt.close("all")
    plan = names["plan"]
    assert plan.report.certified
    # How near the bound comes in 30 seconds depends on the machine.
    assert plan.report.gap <= 0.3
    assert len(names["by_hand"].violations)
    assert len(names["comparison"].plans) == 5


def test_toml_blocks_are_a_portfolio_file_and_scenarios(tmp_path):
    (_, text), (_, scenarios) = blocks("toml")
    assert set(tomllib.loads(text)) == {"name", "horizon", "value", "calendar"}
    file = tmp_path / "scenarios.toml"
    file.write_text(scenarios, encoding="utf-8")
    assert [s.parent_name for s in read_scenarios(file)] == [
        "",
        "two developers from April",
    ]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_commands_and_files_it_names_exist(path):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"`make ([a-z-]+)", TEXT[path]):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target
    for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", TEXT[path]):
        assert link.startswith("https:") or (path.parent / link).exists(), link
    room = r"`([a-z_]+(?:/[a-z_]+)*)/`"
    for folder in re.findall(room, TEXT[path]):
        inside = ROOT / "pmo_analytics"
        places = [ROOT / folder, inside / folder, inside / "optimization" / folder]
        places.append(inside / "optimization" / "checker" / folder)
        assert any(place.is_dir() for place in places), folder


def test_the_readme_is_short():
    assert len(TEXT[ROOT / "README.md"].splitlines()) <= 150
