"""The pages: in step with the code and with each other, and every command runs."""

from __future__ import annotations

import doctest
import importlib.util
import inspect
import re
import shlex
import shutil
import sys
import tomllib
from contextlib import nullcontext
from enum import Enum
from types import ModuleType

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import pmo_analytics as pmo
from pmo_analytics import tracking
from pmo_analytics.cli import main
from pmo_analytics.tables import TABLES
from tests.support.asked_once import asked_once
from tests.support.counts import ALL
from tests.support.places import ROOT

pytestmark = pytest.mark.usefixtures("warm_module")

DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
CHINESE = sorted((DOCS / "zh").glob("*.md"))
WRITTEN = {"tables.md", "commands.md", "python.md"}
PUBLIC = sorted(name for name in pmo.__all__ if callable(getattr(pmo, name)))


def text_of(path) -> str:
    return path.read_text(encoding="utf-8")


def load(name: str) -> ModuleType:
    """Return a module that makes pages."""
    folder = str(DOCS / "building")
    sys.path.insert(0, folder)
    try:
        spec = importlib.util.spec_from_file_location(name, f"{folder}/{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    finally:
        sys.path.remove(folder)


# Words of a line that shows the form of a command; it cannot be typed.
_FORM = {"PATH", "FILE", "FOLDER", "DIR", "CONFIG", "DATE", "DAY", "ROLE", "ID", "PLAN"}


def commands_of(text: str) -> list[str]:
    """Return the lines to type of a page, in their order."""
    found = []
    for match in re.finditer(r"```\n(.+?)```|`(pmo [^`]+)`", text, re.DOTALL):
        block = match.group(1) or match.group(2)
        for line in block.splitlines():
            line = line.split(" #")[0].strip()
            if _FORM & set(line.split()):
                continue
            if re.match(r"pmo [a-z]+ ", line) and "--help" not in line:
                # A comment after two blanks; none of the arguments has two.
                found.append(re.split(r"\s{2,}[a-z]", line)[0])
    return found


def test_pages_that_follow_from_the_code_are_in_step():
    behind = [
        name
        for name, page in load("reference").PAGES.items()
        if text_of(DOCS / name) != page()
    ]
    assert not behind, f"run docs/building/reference.py: {behind}"


def test_every_page_is_in_the_table_of_contents():
    site = text_of(ROOT / "mkdocs.yml")
    for path in [*PAGES, *CHINESE]:
        assert path.relative_to(DOCS).as_posix() in site, path.name
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        assert f"notebooks/{path.name}" in site, path.name


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_has_a_picture_and_a_line_to_type(path):
    if path.name in {*WRITTEN, "glossary.md", "architecture.md"}:
        pytest.skip("a page to look things up in")
    text = text_of(path)
    assert re.search(r"!\[[^]]+\]\(", text)
    assert commands_of(text) or "make " in text


@pytest.mark.parametrize("name", ["start.md", "you_have.md"])
def test_the_chinese_pages_say_the_same(name):
    english, chinese = text_of(DOCS / name), text_of(DOCS / "zh" / name)
    assert commands_of(english) == commands_of(chinese)
    for pattern in ("^#+ ", r"^\| ", "^```", r"^\d\. ", r"!\[", r"`[^`\n]+`"):
        counts = [len(re.findall(pattern, t, re.M)) for t in (english, chinese)]
        assert counts[0] == counts[1], (pattern, counts)


def test_the_chinese_tables_are_all_tables():
    chinese = text_of(DOCS / "zh" / "tables.md")
    assert re.findall("^## (.*)", chinese, re.M) == list(TABLES)


def test_versions_agree():
    project = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]
    assert project["version"] == pmo.__version__
    assert f"\nversion: {pmo.__version__}\n" in text_of(ROOT / "CITATION.cff")
    assert f"\n## {pmo.__version__}" in text_of(ROOT / "CHANGELOG.md")


@pytest.mark.parametrize("name", PUBLIC)
def test_every_parameter_is_documented(name):
    thing = getattr(pmo, name)
    if inspect.isclass(thing) and issubclass(thing, (Exception, Warning)):
        pytest.skip("errors are raised by the package, not made by its users")
    try:
        parameters = inspect.signature(thing).parameters
    except ValueError:
        pytest.skip("has no signature")
    if inspect.isclass(thing) and issubclass(thing, Enum):
        pytest.skip("a word of an enumeration")
    text = inspect.getdoc(thing) or ""
    said = set()
    section = r"(?:Parameters|Attributes)\n-+\n(.*?)(?=\n\S[^\n]*\n-{3,}\n|\Z)"
    for part in re.findall(section, text, re.DOTALL):
        for line in part.splitlines():
            if line and not line.startswith(" "):
                said |= {word.strip(" *`") for word in line.split(":")[0].split(",")}
    assert not [name for name in parameters if name not in said]


# Several examples begin with the same search, or draws.
BEFORE = ["optimize", "frontier", "simulate", "forecast_capacity"]


@pytest.fixture(scope="module")
def remembering():
    """Work out once what several of them ask."""
    with pytest.MonkeyPatch.context() as patch:
        for name in BEFORE:
            patch.setattr(pmo, name, asked_once(getattr(pmo, name)))
        yield


@pytest.mark.usefixtures("remembering")
@pytest.mark.parametrize("name", PUBLIC)
def test_examples_of_docstrings_run(name, monkeypatch):
    monkeypatch.chdir(ROOT)
    thing = getattr(pmo, name)
    if ">>>" not in (thing.__doc__ or ""):
        pytest.skip("has no example")
    # As after `from pmo_analytics import *`.
    names = {name: getattr(pmo, name) for name in PUBLIC}
    names |= {"pmo": pmo, "pd": pd, "np": np}
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    for test in doctest.DocTestFinder(recurse=False).find(thing, name, globs=names):
        runner = doctest.DocTestRunner(optionflags=flags)
        for example in test.examples:
            # As written, but a wide gap ends a search, not its time.
            limits = "SolveLimits(seconds=60, gap=0.9)"
            source = re.sub(r"SolveLimits\([^()]*\)", limits, example.source)
            # `recover` uses all it gets.
            example.source = re.sub(r"seconds=10\b", "seconds=2", source)
        said: list[str] = []
        runner.run(test, out=said.append)
        assert not runner.failures, "".join(said)
    plt.close("all")


def quick(command: str) -> list[str]:
    """Return the words of a command, with a wide gap that ends its search."""
    words = shlex.split(command)[1:]
    for number, word in enumerate(words[:-1]):
        if word == "--seconds" and words[0] == "recover":
            words[number + 1] = "5"
        if word == "--gap":
            words[number + 1] = "0.5"
        if word in {"--points", "--work"}:
            words[number + 1] = "3"
    options = commands_with("--gap")
    if words[0] in options and "--gap" not in words and "--work" not in words:
        words += ["--gap", "0.5"]
    return words


def commands_with(option: str) -> set[str]:
    """Return the commands that have an option, as their page says."""
    page = text_of(DOCS / "commands.md")
    parts = re.split(r"^## pmo ", page, flags=re.MULTILINE)[1:]
    return {part.split()[0] for part in parts if f"`{option}`" in part}


# What answers without a search; `report` is run by the tests of its files.
_AT_ONCE = {"check", "capacity", "status", "story", "verify"}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Give a folder that looks as the pages say."""
    folder = tmp_path_factory.mktemp("pages")
    shutil.copytree(ROOT / "data", folder / "data")
    shutil.copytree(ROOT / "data" / "example", folder / "mydata")
    batch = folder / "data" / "batch.toml"
    text = text_of(batch).replace("seconds = 20", "seconds = 2")
    batch.write_text(text.replace("draws = 2000", "draws = 200"), encoding="utf-8")
    pmo.write_portfolio(pmo.read_portfolio(folder / "mydata"), folder / "mydata.xlsx")
    return folder


def run_alone(words: list[str], capsys) -> tuple[int, str]:
    """Run a command; return its exit code and what it alone said on stderr.

    A command answers Ctrl-C with what it has; here that is meant for all of them.
    """
    code = main(words)
    said = capsys.readouterr().err
    if "Stopped b" in said:
        raise KeyboardInterrupt(f"{shlex.join(words)}: {said[-300:]}")
    return code, said


def test_every_command_of_the_pages_runs(place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    # SIGTERM, of whoever has waited long enough, ends all the tests, not one command.
    monkeypatch.setattr("pmo_analytics.cli.stopped_like_ctrl_c", nullcontext)
    # Lines that show a status on screen and as JSON show the same one.
    monkeypatch.setattr(tracking, "status", asked_once(tracking.status))
    done: set[str] = set()
    # What `capacity` draws is drawn by `optimize` as well.
    drawn = {"capacity"}
    pages = [ROOT / "README.md", *PAGES]
    asked = [(p.name, c) for p in pages for c in commands_of(text_of(p))]
    # What later ones read is written first.
    asked.sort(key=lambda item: ("optimize" not in item[1], "promote" not in item[1]))
    asked.sort(key=lambda item: "--record" in item[1])
    assert len(asked) > 40
    if not ALL:
        # Those that search or draw take minutes together: `make test-all` runs them.
        first = "pmo optimize mydata --seconds 60 --out plan"
        asked = [a for a in asked if a[1].split()[1] in _AT_ONCE or a[1] == first]
        assert len(asked) > 8
    for page, command in asked:
        words = quick(command)
        # Where results go makes no other command, but later ones may read a plan.
        known = words[0] != "optimize" and "--out" in words
        key = " ".join(words[: words.index("--out")] if known else words)
        if not ALL:
            # One is a copy of the other.
            key = key.replace("data/example", "mydata")
        if key in done or words[0] == "new":
            continue
        done.add(key)
        # Each command draws once; all of them in `make test-all`.
        if words[0] in drawn and words[0] in commands_with("--no-charts") and not ALL:
            words.append("--no-charts")
        drawn.add(words[0])
        code, said = run_alone(words, capsys)
        assert code in {0, 5}, (page, command, code, said[-1500:])


def test_templates_of_the_pages_are_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = {c for p in PAGES for c in commands_of(text_of(p))}
    asked = {command for command in found if command.startswith("pmo new")}
    assert len(asked) >= 3
    for number, command in enumerate(sorted(asked)):
        folder = tmp_path / str(number)
        folder.mkdir()
        monkeypatch.chdir(folder)
        assert main(shlex.split(command)[1:]) == 0, command
        assert any(folder.iterdir())
