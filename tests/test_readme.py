"""The README's code runs as it stands."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import matplotlib.pyplot as plt

from pmo_analytics.scenarios.reading import read_scenarios

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def test_python_blocks_run_one_after_the_other(monkeypatch):
    monkeypatch.chdir(ROOT)
    names: dict[str, object] = {}
    code = blocks("python")
    assert len(code) >= 3
    for block in code:
        exec(compile(block, "README.md", "exec"), names)
    plt.close("all")
    plan = names["plan"]
    assert plan.report.certified
    # How near the bound comes in 30 seconds depends on the machine.
    assert plan.report.gap <= 0.08
    assert len(names["by_hand"].violations)
    assert len(names["comparison"].plans) == 5


def test_toml_blocks_are_a_portfolio_file_and_scenarios(tmp_path):
    text, scenarios = blocks("toml")
    assert set(tomllib.loads(text)) == {"name", "horizon", "value", "calendar"}
    file = tmp_path / "scenarios.toml"
    file.write_text(scenarios, encoding="utf-8")
    assert [s.parent_name for s in read_scenarios(file)] == [
        "",
        "two developers from April",
    ]


def test_commands_and_files_it_names_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"make ([a-z]+)", README):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target
    for path in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / path).exists(), path
