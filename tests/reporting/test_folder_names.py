"""Every scenario name gets a folder of its own, on every system."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pmo_analytics.reporting.folder import folder_names
from tests.support.counts import tried


def test_names_of_any_script_and_length():
    names = folder_names(
        ["北京" * 100, "a/b\\c", "Plan A", "plan a", "manifest.json", "CON", "nul.txt"]
    )
    long, *rest = names.values()
    assert long == "北京" * 25
    assert rest == [
        "a_b_c",
        "Plan A",
        "plan a (2)",
        "manifest_json",
        "_CON",
        "_nul.txt",
    ]
    odd = folder_names(
        ["..", ".ready", "a. ", "x\ny", "\u202eabc", "e\u0301", "\u00e9"]
    )
    assert list(odd.values()) == ["_", "ready", "a", "x_y", "_abc", "é", "é (2)"]


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=400)


@settings(max_examples=tried(60), deadline=None)
@given(st.lists(TEXT, max_size=5, unique=True))
def test_a_folder_can_be_made_for_each(labels):
    names = folder_names(labels)
    assert list(names) == labels
    assert len({name.casefold() for name in names.values()}) == len(labels)
    for name in names.values():
        assert 0 < len(name.encode()) <= 160
        assert not set(name) & set('<>:"/\\|?*\0\n')
        assert name == name.strip(" .") or name.endswith(")")
        assert not name.startswith(".")
        assert not name.lower().endswith((".json", ".csv", ".png"))
