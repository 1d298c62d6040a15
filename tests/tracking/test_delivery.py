"""Chances and ranges of sprints: what is known, what is not, and how good they are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import pmo_analytics as pmo
from pmo_analytics.tracking import brier, calibration_error, forecast_delivery
from tests.support.real_data import real
from tests.support.sprints import generated_sprints, read_community, split


def held_back(frame: pd.DataFrame, last: int) -> tuple[pd.DataFrame, pd.Series]:
    """Return the frame with the last sprints of each team running, and their rows."""
    late = frame["sprint"].str[1:].astype(int) >= last
    return frame.assign(delivered=frame["delivered"].where(~late)), late


@pytest.fixture(scope="module")
def generated() -> pd.DataFrame:
    return generated_sprints(seed=4, teams=16)


@pytest.fixture(scope="module")
def answer(generated) -> pd.DataFrame:
    """Return what is said of the running sprints."""
    return forecast_delivery(held_back(generated, 17)[0])


@pytest.fixture(scope="module")
def answered(generated, answer) -> pd.DataFrame:
    _, late = held_back(generated, 17)
    return generated[late].join(answer[["p_short", "low", "high"]])


def test_running_rows_are_answered_in_their_order(generated, answer):
    given, late = held_back(generated, 17)
    assert list(answer) == ["team", "sprint", "elapsed", "p_short", "low", "high"]
    keys = ["team", "sprint", "elapsed"]
    pd.testing.assert_frame_equal(answer[keys], given.loc[late, keys])
    assert answer["p_short"].between(0, 1).all()
    assert (answer["low"] <= answer["high"]).all()
    assert (answer["low"] >= 0).all()
    # What really was is not looked at.
    again = pmo.forecast_delivery(given.drop(columns="truth"))
    pd.testing.assert_frame_equal(answer, again)


def test_better_than_the_base_rate_and_calibrated(generated, answered):
    short = answered["delivered"] < answered["committed"]
    taught = generated[generated["sprint"].str[1:].astype(int) < 17]
    base = (taught["delivered"] < taught["committed"]).mean()
    assert brier(answered["p_short"], short) < 0.6 * brier([base] * len(short), short)
    assert calibration_error(answered["p_short"], short, bins=5) < 0.08
    held = answered["delivered"].between(answered["low"], answered["high"])
    assert held.groupby(answered["elapsed"]).mean().between(0.68, 0.92).all()


def test_ranges_shrink_as_the_sprint_goes_on(answered):
    width = (answered["high"] - answered["low"]).groupby(answered["elapsed"]).mean()
    assert width[0.3] > 1.2 * width[0.8]


def test_a_weak_team_is_told_from_a_strong_one_before_anything_is_done():
    rows = []
    for team, share in (("weak", 0.5), ("strong", 1.0)):
        for sprint in range(12):
            got = 20 * share if sprint < 11 else None
            rows.append((team, sprint, 0.0, 20, 0, got))
    columns = ["team", "sprint", "elapsed", "committed", "done", "delivered"]
    answer = forecast_delivery(pd.DataFrame(rows, columns=columns)).set_index("team")
    assert answer.at["weak", "p_short"] > 0.75 > 0.4 > answer.at["strong", "p_short"]


def test_later_looks_and_other_running_sprints_are_not_seen(generated, answer):
    given, late = held_back(generated, 17)
    changed = given.copy()
    at = late & (changed["elapsed"] > 0.3)
    changed.loc[at, "done"] = changed.loc[at, "committed"]
    changed.loc[at, ["to_do", "in_progress"]] = 0
    same = forecast_delivery(changed)
    early = answer["elapsed"] == 0.3
    pd.testing.assert_frame_equal(answer[early], same[early])
    alone = forecast_delivery(given[~late | (given["elapsed"] == 0.3)])
    pd.testing.assert_frame_equal(answer[early], alone)


def test_what_a_finished_sprint_teaches_is_what_came_before_it(generated):
    from pmo_analytics.tracking.delivery.drivers import drivers
    from pmo_analytics.tracking.delivery.reading import read_sprints

    whole = drivers(read_sprints(generated))
    few = generated["sprint"].str[1:].astype(int) < 6
    cut = generated[few]
    usual = (cut["delivered"] < cut["committed"]).mean()
    assert 0 < usual < 1
    # What is measured against the usual team moves with it; a team's own velocity, and
    # all that is on the board, must not know the future.
    own = [14, 15, 18]
    board = [at for at in range(19) if at not in own]
    np.testing.assert_allclose(
        drivers(read_sprints(cut))[:, board], whole[few][:, board]
    )


def test_the_answers_do_not_depend_on_unit_of_team_names_or_row_blocks(
    generated, answer
):
    given, late = held_back(generated, 17)
    renamed = given.assign(team="x" + given["team"])
    one, two = answer, forecast_delivery(renamed)
    pd.testing.assert_series_equal(one["p_short"], two["p_short"])
    blocks = pd.concat([given[late], given[~late]])
    three = forecast_delivery(blocks).loc[one.index]
    np.testing.assert_allclose(one["p_short"], three["p_short"], atol=1e-9)


def test_committed_now_and_committed_at_the_start_are_told_apart(generated):
    start = generated.assign(added=5.0, removed=2.0)
    start["to_do"] += 3
    now = start.assign(committed=start["committed"] + 3)
    first, _ = held_back(start, 17)
    second, _ = held_back(now, 17)
    by_start, by_now = forecast_delivery(first), forecast_delivery(second)
    assert "`added`" in by_start.attrs["says"]
    assert "adds up to it" in by_now.attrs["says"]
    # The same sprints; only "removed as a share of the start" differs a little.
    gap = (by_start["p_short"] - by_now["p_short"]).abs()
    assert gap.max() < 0.02


def test_delivered_told_as_a_difference_is_read_so(generated):
    told = generated.assign(added=40.0)
    told["to_do"] += 40
    difference = told.assign(delivered=told["delivered"] - 40.0)
    assert (difference["delivered"] < 0).any()
    one = forecast_delivery(held_back(told, 17)[0])
    two = forecast_delivery(held_back(difference, 17)[0])
    assert "difference" in two.attrs["says"]
    np.testing.assert_allclose(one["p_short"], two["p_short"])
    np.testing.assert_allclose(one["low"] - 40, two["low"])


def test_one_finished_sprint_and_a_new_team_get_the_usual():
    rows = [("A", 1, 0.5, 20, 12, 18), ("B", 1, 0.8, 20, 2, None)]
    rows += [("C", 1, 0.8, 20, 20, None), ("D", 1, 0.5, 0, 0, None)]
    columns = ["team", "sprint", "elapsed", "committed", "done", "delivered"]
    with pytest.warns(pmo.PmoWarning, match="1 finished sprint with a commitment"):
        answer = forecast_delivery(pd.DataFrame(rows, columns=columns))
    answer = answer.set_index("team")
    assert answer.at["B", "p_short"] > 0.85 > 0.5 > answer.at["C", "p_short"]
    assert answer.at["B", "low"] <= answer.at["B", "high"] < 25
    assert answer.at["D", "p_short"] == 0
    assert np.isnan(answer.at["D", "low"])


def test_a_sprint_that_ends_in_one_row_alone_teaches_nothing(generated):
    given, _ = held_back(generated, 24)
    odd = given.copy()
    at = odd.index[(odd["team"] == "T0") & (odd["sprint"] == "S20")][0]
    odd.loc[at, "delivered"] = np.nan
    with pytest.warns(pmo.PmoWarning, match="1 sprint has `delivered` in one row"):
        answer = forecast_delivery(odd)
    worse = odd.copy()
    worse.loc[[at + 1, at + 2], "delivered"] = 0.0
    with pytest.warns(pmo.PmoWarning, match="teaches nothing"):
        same = forecast_delivery(worse)
    assert at in answer.index
    pd.testing.assert_frame_equal(answer, same)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"elapsed": 30}, "0.3?"),
        ({"committed": "many"}, "found: many"),
        ({"done": None}, "Fill in done"),
        ({"delivered": -500.0}, "Nobody delivers less than nothing"),
    ],
)
def test_bad_cells_are_named(generated, change, words):
    frame = generated.astype(dict.fromkeys(change, object))
    for name, value in change.items():
        frame.loc[7, name] = value
    with pytest.raises(pmo.DataError) as caught:
        forecast_delivery(frame)
    assert words in str(caught.value)
    assert caught.value.problems["row"].iloc[0] == 7


def test_missing_columns_and_double_rows_are_named(generated):
    with pytest.raises(pmo.DataError, match="did you mean 'commited'"):
        forecast_delivery(generated.rename(columns={"committed": "commited"}))
    with pytest.raises(pmo.DataError, match="duplicate"):
        forecast_delivery(pd.concat([generated, generated.head(1)]))
    with pytest.raises(pmo.DataError, match="no_rows"):
        forecast_delivery(generated.head(0))


def test_public_sprints_beat_velocity_and_time_alone():
    """The last 30 % of each team of one community, at half of its sprints' time."""
    folder = real("sprints")
    from tests.benchmarks.bench_delivery import judged

    frame = read_community(folder, "jboss", 50)
    assert split(frame, "team").mean() < 0.3
    table = judged(frame, "team")
    ours, theirs = (brier(table[name], table["short"]) for name in ("p", "peer"))
    assert ours < 0.85 * theirs
    held = table["delivered"].between(table["low"] - 1e-9, table["high"] + 1e-9)
    assert 0.7 < held.mean() < 0.9
