"""The numbers of the house: nothing grows over a limit that is not owed already."""

from __future__ import annotations

import textwrap

import pytest

from tests.benchmarks import house


@pytest.fixture(scope="module")
def measures():
    return house.measure()


def test_nothing_grows_over_its_limit(measures):
    grown = [measure for measure in measures if measure.grown]
    assert not grown, house.report(grown)


def test_what_is_owed_belongs_to_a_measure(measures):
    assert set(house.OWED) <= {measure.name for measure in measures}


def test_the_table_fits_a_terminal(measures):
    assert max(map(len, house.report(measures).splitlines())) <= 80


@pytest.fixture
def package(tmp_path):
    root = tmp_path / "pmo_analytics"
    (root / "room").mkdir(parents=True)
    long = "\n".join(f"    x{i} = {i}" for i in range(60))
    short = long.rpartition("\n")[0]
    files = {
        "__init__": '_PUBLIC = {"a": "b", "c": "d"}\n',
        "long": f'def short():\n    """Say\n    much."""\n    # Why.\n\n{short}\n'
        f"class Big:\n    a: int\n    b: ClassVar[int]\n\n    def set(self):\n"
        + textwrap.indent(f"{long}\n    self.c = self.d.e = 1\n", "    "),
        "one": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n"
        "    from pmo_analytics.room import two\n",
        "room/two": "def late():\n    import pmo_analytics.room.three\n",
        "room/three": "from pmo_analytics.one import _x, __y__  # noqa: F401\n",
    }
    for name, text in files.items():
        (root / name).with_suffix(".py").write_text(text, encoding="utf-8")
    return root


def test_code_lines_leave_out_what_is_said(package):
    found = house.functions(house.modules(package))
    assert found.sizes == {"long.Big.set": 62}


def test_circles_of_type_checking_and_late_imports_are_found(package):
    found = house.circles(house.modules(package))
    assert list(found.sizes) == ["one<->three<->two"]
    assert found.grown == ["one<->three<->two"]


def test_the_smaller_measures(package):
    found = house.modules(package)
    assert list(house.private_imports(found).sizes) == ["three: _x"]
    assert house.silenced(found).worst == 1
    assert house.silenced(found).met
    assert house.root_names(found).worst == 3
    assert house.class_attributes(found).worst == 2
    assert house.class_lines(found).worst == 66
    assert house.folders(found, package).worst == 3
    assert house.lengths(found).worst == 130


def test_complexity_is_what_ruff_counts(tmp_path):
    branches = "".join(f"    if x == {i}:\n        return {i}\n" for i in range(10))
    text = f"def f(x):\n{branches}\nclass A:\n    def f(self, x):\n"
    text += textwrap.indent(branches, "    ")
    (tmp_path / "many.py").write_text(text, encoding="utf-8")
    found = house.complexity(tmp_path)
    assert found.sizes == {"many.f": 11, "many.f'": 11}
    assert found.met


def test_a_name_is_owed_or_new_or_mended(monkeypatch):
    monkeypatch.setattr(house, "OWED", {"lines": frozenset({"old", "gone"})})
    measure = house.Measure("lines", 5, 9, {"old": 9, "new": 6})
    assert (measure.grown, measure.mended) == (["new"], ["gone"])
    text = house.report([measure])
    assert "GROWN" in text
    assert "new (new)" in text
    assert "take off OWED: gone" in text
