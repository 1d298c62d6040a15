"""Signs, ranges, required cells and keys of conformed tables."""

from __future__ import annotations

import contextlib

import pandas as pd

from pmo_analytics.tables import schemas
from pmo_analytics.tables.conforming import conform, empty_table
from pmo_analytics.tables.schemas import check_table


def found_rules(problems: list[dict]) -> list[tuple]:
    return [(p["rule"], p["row"], p["column"]) for p in problems]


def problems_of(name: str, **columns: list) -> list[tuple]:
    frame = pd.DataFrame(columns)
    frame.index = range(20, 20 + len(frame))
    table, unread = conform(name, frame, "M")
    assert unread == []
    return found_rules(check_table(name, table))


def test_signs_and_ranges():
    assert problems_of("projects", project=["A"], value=[-5], duration=[1]) == []
    assert problems_of(
        "projects", project=["A", "B"], duration=[1, 0], probability=[1.1, -0.1]
    ) == [
        ("below_minimum", 21, "duration"),
        ("below_minimum", 21, "probability"),
        ("above_maximum", 20, "probability"),
    ]
    wrong = {
        "demand": {"project": ["A"], "role": ["R"], "offset": [-1], "fte": [-1]},
        "spend": {"project": ["A"], "offset": [0], "amount": [-1]},
        "budget": {"budget": ["b"], "amount": [-1], "at_least": [-2]},
        "people": {"person": ["p"], "role": ["R"], "fte": [-1], "rate": [-1]},
        "groups": {"group": ["g"], "project": ["A"], "at_least": [-1]},
    }
    for name, columns in wrong.items():
        below = {c for c, v in columns.items() if v[0] in (-1, -2)}
        found = problems_of(name, **columns)
        assert {rule for rule, *_ in found} == {"below_minimum"}
        assert {column for *_, column in found} == below
    for name, columns in wrong.items():
        zeros = {c: [0] if v[0] in (-1, -2) else v for c, v in columns.items()}
        assert problems_of(name, **zeros) == []
    lags = {"project": ["A"], "requires": ["B"], "lag": [-2], "lag_max": [-1]}
    assert problems_of("dependencies", **lags) == []
    assert problems_of("benefits", project=["A"], offset=[0], amount=[-1]) == []


def test_required_cells():
    assert problems_of(
        "demand",
        project=["A", None],
        role=["Dev", "Dev"],
        offset=[None, 0],
        fte=[1, 1],
    ) == [("missing_value", 21, "project"), ("missing_value", 20, "offset")]


def test_duplicated_keys_name_the_later_row():
    assert problems_of("projects", project=["A", "B", "A", "A"]) == [
        ("duplicate_key", 22, "project"),
        ("duplicate_key", 23, "project"),
    ]
    # Blank parts of a key that may be blank are equal; other rows may repeat.
    assert problems_of(
        "spend",
        project=["A"] * 3,
        fund=[None, None, "F"],
        offset=[0] * 3,
        amount=[1.0] * 3,
    ) == [("duplicate_key", 21, "project, fund, category, offset")]
    assert problems_of(
        "people", person=["p"] * 2, role=["R"] * 2, start=[None] * 2
    ) == [("duplicate_key", 21, "person, role, start")]
    assert problems_of("operations", role=["R"] * 2, fte=[1.0] * 2) == []
    # Rows without a key are reported as such, not as duplicates of each other.
    assert problems_of("projects", project=[None, None]) == [
        ("missing_value", 20, "project"),
        ("missing_value", 21, "project"),
    ]


def test_the_text_of_a_duplicate_names_its_key():
    frame = pd.DataFrame({"project": ["A"] * 2, "offset": [0] * 2, "amount": [1.0] * 2})
    table, _ = conform("benefits", frame, "M")
    (found,) = check_table("benefits", table)
    assert found["found"] == "project=A, offset=0"
    assert "never summed" in found["fix"]
    week = pd.DataFrame({"period": ["2027-W05"] * 2, "role": ["Dev"] * 2, "fte": 1.0})
    (found,) = check_table("capacity", conform("capacity", week, "W-SUN")[0])
    assert found["found"] == "period=2027-W05, role=Dev"
    dated = pd.DataFrame(
        {"person": ["Ann"] * 2, "role": ["Dev"] * 2, "start": ["2027-02"] * 2}
    )
    (found,) = check_table("people", conform("people", dated, "M")[0])
    assert found["found"] == "person=Ann, role=Dev, start=2027-02-01"


def test_a_frame_that_was_not_conformed_has_the_wrong_type():
    frame = empty_table("projects", "M")
    frame.loc[0, "project"] = "A"
    frame["value"] = frame["value"].astype(object)
    frame.loc[0, "value"] = "abc"
    assert ("wrong_type", 0, "value") in found_rules(check_table("projects", frame))
    frame["value"] = 1.0
    frame["status"] = pd.Series(["runing"], dtype="str")
    assert ("unknown_word", 0, "status") in found_rules(check_table("projects", frame))


def test_pandera_has_nothing_to_say_of_a_sound_frame(everything):
    broken = 0
    for name, frame in everything.tables.items():
        sound = conform(name, frame, "M")[0]
        assert check_table(name, sound) == [], name
        schemas.schema(name).validate(sound, lazy=True)
        for value in (None, -7.0, 7.0, "strange"):
            changed = sound.copy()
            for column, kept in sound.items():
                with contextlib.suppress(TypeError, ValueError):
                    changed[column] = pd.Series(value, sound.index, kept.dtype)
                if check_table(name, changed):
                    broken += 1
                    changed[column] = kept
            schemas.schema(name).validate(changed, lazy=True)
    assert broken > 50
