"""People, calendars, absences and operations become role capacity."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pmo_analytics.clock.calendars import working_days
from pmo_analytics.errors import ConfigError, problems_table
from pmo_analytics.tables.supply import effective_capacity, people_capacity
from pmo_analytics.tables.supply_checks import check_supply
from tests.support.counts import tried

# Days of one FTE in a month: 52.1775 / 12 weeks of 5 days.
MONTH = 52.1775 / 12 * 5


def months(start: str, periods: int = 1) -> pd.PeriodIndex:
    return pd.period_range(start, periods=periods, freq="M", name="period")


def table(columns: str, rows: list[tuple]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=columns.split())
    for column in frame.columns:
        if column in ("start", "end"):
            frame[column] = pd.to_datetime(frame[column])
        elif column in ("fte", "share"):
            frame[column] = frame[column].astype("float64")
        else:
            frame[column] = frame[column].astype("str")
    return frame


def people_of(*rows: tuple) -> pd.DataFrame:
    return table("person role start end fte country", list(rows))


def absences_of(*rows: tuple) -> pd.DataFrame:
    return table("person start end share", list(rows))


def operations_of(*rows: tuple) -> pd.DataFrame:
    return table("role start end fte share", list(rows))


NOBODY = people_of()
NO_ABSENCE = absences_of()
NO_OPERATIONS = operations_of()
NOT_GIVEN = pd.DataFrame()
ANNA = ("Anna", "Dev", None, None, 1.0, None)


def days(people: pd.DataFrame, absences: pd.DataFrame, month: str, **options) -> dict:
    """Working days x share by role in one month, from the FTE."""
    grid = people_capacity(people, absences, months(month), **options)
    return {role: round(fte * MONTH, 3) for role, fte in grid.iloc[0].items()}


def rules(problems: list[dict]) -> list[str]:
    return [row["rule"] for row in problems]


def check(
    people: pd.DataFrame = NOBODY,
    absences: pd.DataFrame = NO_ABSENCE,
    operations: pd.DataFrame = NO_OPERATIONS,
    given: pd.DataFrame = NOT_GIVEN,
    horizon: pd.PeriodIndex | None = None,
    country: str = "",
) -> list[dict]:
    return check_supply(
        people,
        absences,
        operations,
        given,
        months("2027-01", 12) if horizon is None else horizon,
        hours_per_week=40.0,
        country=country,
    )


# ------------------------------------------------------------------------- people


def test_one_person_offers_contract_hours_over_the_constant_hours_of_an_fte():
    grid = people_capacity(people_of(ANNA), NO_ABSENCE, months("2027-02", 2))
    # February 2027 has 20 weekdays, March 23; 160 and 184 hours of 173.925.
    assert grid["Dev"].tolist() == [0.919937, 1.057927]
    assert grid.index.equals(months("2027-02", 2))
    assert (grid.index.name, grid.columns.name) == ("period", "role")


@pytest.mark.parametrize("hours_per_week", [20.0, 37.5, 40.0])
def test_an_fte_is_an_fte_whatever_the_hours_of_a_full_week(hours_per_week):
    grid = people_capacity(
        people_of(ANNA), NO_ABSENCE, months("2027-02"), hours_per_week=hours_per_week
    )
    assert grid.iloc[0, 0] == 0.919937


def test_joining_mid_month_and_leaving():
    # Monday 15 February to Friday 5 March: 10 and 5 days.
    people = people_of(("Anna", "Dev", "2027-02-15", "2027-03-05", 1, None))
    grid = people_capacity(people, NO_ABSENCE, months("2027-01", 4)) * MONTH
    assert grid["Dev"].to_numpy() == pytest.approx([0, 10, 5, 0], abs=2e-5)


def test_part_time_counts_its_share_and_blank_share_counts_whole():
    people = people_of(
        ("Anna", "Dev", None, None, 0.6, None),
        ("Bert", "Test", None, None, np.nan, None),
    )
    assert days(people, NO_ABSENCE, "2027-02") == {"Dev": 12.0, "Test": 20.0}


def test_change_of_share_ends_the_open_row_the_day_before():
    people = people_of(
        ("Anna", "Dev", "2027-02-15", None, 0.5, None),
        ("Anna", "Dev", None, None, 1.0, None),
    )
    assert days(people, NO_ABSENCE, "2027-02") == {"Dev": 15.0}


def test_an_open_row_ends_at_the_next_later_start_even_of_a_closed_row():
    people = people_of(
        ("Anna", "Dev", "2026-01-01", None, 1.0, None),
        ("Anna", "Dev", "2027-02-08", "2027-02-12", 0.5, None),
    )
    # Five days whole, five days half, then nobody said anything.
    assert days(people, NO_ABSENCE, "2027-02") == {"Dev": 7.5}


def test_a_closed_row_is_not_cut_but_scaled_where_it_overlaps():
    people = people_of(
        ("Anna", "Dev", "2027-02-01", "2027-02-28", 1.0, None),
        ("Anna", "Dev", "2027-02-15", None, 1.0, None),
    )
    assert days(people, NO_ABSENCE, "2027-02") == {"Dev": 20.0}


def test_change_of_role_in_mid_period():
    people = people_of(
        ("Anna", "Dev", "2026-01-01", "2027-02-14", 1.0, None),
        ("Anna", "Architect", "2027-02-15", None, 1.0, None),
    )
    assert days(people, NO_ABSENCE, "2027-02") == {"Dev": 10.0, "Architect": 10.0}


def test_shares_above_one_are_scaled_in_proportion_only_while_they_last():
    people = people_of(
        ("Anna", "Dev", None, None, 1.0, None),
        ("Anna", "Test", "2027-02-15", None, 0.25, None),
    )
    # 10 days at 1, then 10 at 1 / 1.25 and 0.25 / 1.25.
    assert days(people, NO_ABSENCE, "2027-02") == {"Dev": 18.0, "Test": 2.0}


def test_one_row_above_one_counts_as_one():
    people = people_of(("Anna", "Dev", None, None, 1.5, None))
    assert days(people, NO_ABSENCE, "2027-02") == {"Dev": 20.0}


def test_rows_that_say_nothing_usable_count_nothing():
    people = people_of(
        ("Anna", "Dev", "2027-03-01", "2027-02-01", 1.0, None),
        (None, "Dev", None, None, 1.0, None),
        ("Bert", None, None, None, 1.0, None),
    )
    assert days(people, NO_ABSENCE, "2027-02") == {"Dev": 0.0}


def test_no_people_is_an_empty_grid_over_the_horizon():
    grid = people_capacity(NOBODY, NO_ABSENCE, months("2027-01", 3))
    assert grid.shape == (3, 0)
    assert grid.index.equals(months("2027-01", 3))


def test_inputs_stay_as_they_were():
    people = people_of(ANNA, ("Anna", "Test", "2027-02-15", None, 1.0, "DE"))
    absences = absences_of(("Anna", "2027-02-01", None, 1.0))
    before = people.copy(deep=True), absences.copy(deep=True)
    people_capacity(people, absences, months("2027-02"))
    check(people, absences)
    pd.testing.assert_frame_equal(people, before[0])
    pd.testing.assert_frame_equal(absences, before[1])


def test_hours_per_week_must_be_positive():
    with pytest.raises(ConfigError, match="hours_per_week must be greater than 0"):
        people_capacity(NOBODY, NO_ABSENCE, months("2027-01"), hours_per_week=0)


@pytest.mark.parametrize(
    ("freq", "start", "working", "weeks"),
    [
        ("W-SUN", "2027-03-01", 5, 1),
        ("M", "2027-03", 23, 52.1775 / 12),
        ("Q-MAR", "2027Q4", 64, 52.1775 / 4),  # January to March 2027
        ("Y-DEC", "2027", 261, 52.1775),
    ],
)
def test_weeks_months_quarters_and_years(freq, start, working, weeks):
    horizon = pd.period_range(start, periods=120, freq=freq, name="period")
    grid = people_capacity(people_of(ANNA), NO_ABSENCE, horizon)
    assert grid.shape == (120, 1)
    assert grid.iloc[0, 0] == pytest.approx(working / 5 / weeks, abs=5e-7)
    assert working_days(horizon).iloc[0] == working


# ---------------------------------------------------------------------- calendars


def test_public_holidays_of_germany_take_their_days():
    # May 2027 has 21 weekdays; Ascension (6 May, Thursday) and Whit Monday (17 May)
    # are off, Labour Day is a Saturday.
    people = people_of(
        ("Anna", "Dev", None, None, 1.0, "DE"), ("Bob", "Test", *ANNA[2:])
    )
    assert days(people, NO_ABSENCE, "2027-05") == {"Dev": 19.0, "Test": 21.0}
    assert days(people, NO_ABSENCE, "2027-05", country="DE") == {
        "Dev": 19.0,
        "Test": 19.0,
    }


@pytest.mark.parametrize("country", ["DE-BY", "de-by", "DE-Bayern", "Germany-BY"])
def test_a_part_of_a_country_has_its_own_holidays(country):
    # Corpus Christi, 27 May 2027, is off in Bavaria.
    assert working_days(months("2027-05"), country).tolist() == [18]


@pytest.mark.parametrize(
    "country", ["US", "USA", "us", "United States", "UnitedStates"]
)
def test_countries_by_code_and_name(country):
    # July 2027: 22 weekdays, Independence Day is kept on Monday the 5th.
    assert working_days(months("2027-07"), country).tolist() == [21]


def test_a_name_with_a_hyphen_is_not_a_part():
    horizon = months("2027-01", 12)
    assert working_days(horizon, "Guinea-Bissau").equals(working_days(horizon, "GW"))


def test_make_up_workdays_of_china_count():
    horizon = months("2025-01", 10)
    # 2025: January 23 weekdays, off 1, 28-31, Sunday 26 works. February 20, off 3
    # and 4, Saturday 8 works. September 22, Sunday 28 works. October 23, off 1-3 and
    # 6-8, Saturday 11 works.
    counts = working_days(horizon, "CN")
    assert counts.loc["2025-01"] == 23 - 5 + 1
    assert counts.loc["2025-02"] == 20 - 2 + 1
    assert counts.loc["2025-09"] == 22 + 1
    assert counts.loc["2025-10"] == 23 - 6 + 1
    people = people_of(("Li", "Dev", "2025-10-11", "2025-10-12", 1.0, "CN"))
    assert days(people, NO_ABSENCE, "2025-10") == {"Dev": 1.0}
    away = absences_of(("Li", "2025-10-11", "2025-10-11", 0.5))
    assert days(people, away, "2025-10") == {"Dev": 0.5}


def test_each_row_of_a_person_has_its_own_calendar():
    people = people_of(
        ("Anna", "Dev", None, "2027-05-14", 1.0, "DE"),  # 10 weekdays, one off
        ("Anna", "Dev", "2027-05-15", None, 1.0, "GB"),  # 11 weekdays, 31 May off
    )
    assert days(people, NO_ABSENCE, "2027-05") == {"Dev": 19.0}


def test_unknown_country_has_no_holidays_and_does_not_fall_back():
    people = people_of(("Anna", "Dev", None, None, 1.0, "Germny"))
    assert days(people, NO_ABSENCE, "2027-05", country="DE") == {"Dev": 21.0}
    with pytest.raises(ConfigError, match="did you mean 'Germany'"):
        working_days(months("2027-05"), "Germny")


# ----------------------------------------------------------------------- absences


def test_absence_takes_working_days_only_both_ends_included():
    # Friday 5 to Monday 8 February.
    away = absences_of(("Anna", "2027-02-05", "2027-02-08", 1.0))
    assert days(people_of(ANNA), away, "2027-02") == {"Dev": 18.0}


def test_a_public_holiday_inside_an_absence_is_not_taken_twice():
    people = people_of(("Anna", "Dev", None, None, 1.0, "DE"))
    away = absences_of(("Anna", "2027-05-03", "2027-05-07", 1.0))
    assert days(people, away, "2027-05") == {"Dev": 15.0}


def test_half_absences_take_half_of_the_contract_hours():
    people = people_of(("Anna", "Dev", None, None, 0.5, None))
    away = absences_of(("Anna", "2027-02-01", "2027-02-12", 0.5))
    assert days(people, away, "2027-02") == {"Dev": 7.5}


def test_overlapping_absences_add_up_but_never_beyond_one():
    away = absences_of(
        ("Anna", "2027-02-01", "2027-02-12", 0.5),  # 10 days
        ("Anna", "2027-02-08", "2027-02-19", 0.75),  # 10 days, 5 of them shared
        ("Anna", "2027-02-19", "2027-02-19", 1.0),
    )
    # 5 x 0.5, 5 x 0, 4 x 0.25, 1 x 0, 5 x 1.
    assert days(people_of(ANNA), away, "2027-02") == {"Dev": 8.5}


def test_absence_falls_on_all_roles_of_a_person_and_on_nobody_else():
    people = people_of(
        ("Anna", "Dev", None, None, 0.5, None),
        ("Anna", "Test", None, None, 0.25, None),
        ("Bob", "Test", None, None, 1.0, None),
    )
    away = absences_of(
        ("Anna", "2027-01-01", None, 1.0),
        ("Carl", None, None, 1.0),
        (None, None, None, 1.0),
    )
    assert days(people, away, "2027-02") == {"Dev": 0.0, "Test": 20.0}


# -------------------------------------------------------------- effective capacity


def grid_of(start: str = "2027-02", **roles: list[float]) -> pd.DataFrame:
    length = len(next(iter(roles.values())))
    return pd.DataFrame(roles, index=months(start, length)).rename_axis(columns="role")


def effective(
    given: pd.DataFrame = NOT_GIVEN,
    people: pd.DataFrame = NOBODY,
    operations: pd.DataFrame = NO_OPERATIONS,
    horizon: pd.PeriodIndex | None = None,
) -> pd.DataFrame:
    return effective_capacity(
        months("2027-02", 2) if horizon is None else horizon,
        given=given,
        people=people,
        absences=NO_ABSENCE,
        operations=operations,
    )


def test_given_replaces_people_and_comes_first():
    people = people_of(ANNA, ("Bob", "Test", None, None, 1.0, None))
    grid = effective(grid_of(Lead=[1.0, 1.0], Test=[7.25, 7.5]), people)
    assert grid.columns.tolist() == ["Lead", "Test", "Dev"]
    assert grid["Test"].tolist() == [7.25, 7.5]
    assert grid["Dev"].tolist() == [0.919937, 1.057927]


def test_given_is_cut_to_the_horizon_and_missing_periods_are_blank():
    grid = effective(grid_of("2027-01", Dev=[5.0, 6.0]))
    assert grid["Dev"].iloc[0] == 6.0
    assert np.isnan(grid["Dev"].iloc[1])
    assert grid.index.equals(months("2027-02", 2))


def test_given_that_operations_leave_alone_comes_back_exactly():
    exact = [1 / 3, 0.1 + 0.2]
    # Operations before the horizon and of another role.
    operations = operations_of(
        ("Dev", None, "2027-01-31", 0.1, 0.1), ("Test", None, None, 0.1, np.nan)
    )
    grid = effective(grid_of(Dev=exact, Test=[1 / 3, 1.0]), operations=operations)
    assert grid["Dev"].tolist() == exact
    assert grid["Test"].tolist() == [0.233333, 0.9]


def test_nothing_at_all_is_an_empty_grid():
    assert effective().shape == (2, 0)


def test_given_of_other_periods_is_refused():
    quarters = pd.DataFrame(
        {"Dev": [1.0]}, index=pd.period_range("2027Q1", periods=1, freq="Q")
    )
    with pytest.raises(ConfigError, match="periods of Q-DEC, the horizon of M"):
        effective(quarters)


def test_operations_by_fte_by_share_and_by_part_of_a_period():
    operations = operations_of(
        ("Dev", "2027-02-15", "2027-02-28", 2.0, np.nan),  # half of the weekdays
        ("Dev", "2027-03-01", None, np.nan, 0.25),
        ("Dev", None, "2027-02-28", 0.5, 0.1),  # both on one row, rows add up
    )
    grid = effective(grid_of(Dev=[10.0, 8.0]), operations=operations)
    assert grid["Dev"].tolist() == [10 - 2 * 10 / 20 - 0.5 - 1.0, 6.0]


def test_operations_come_off_people_with_one_rounding():
    people = people_of(("Anna", "Dev", None, None, 1.0, None))
    operations = operations_of(("Dev", None, None, np.nan, 1 / 3))
    grid = effective(people=people, operations=operations)
    assert grid["Dev"].tolist() == [
        round(20 / MONTH * 2 / 3, 6),
        round(23 / MONTH * 2 / 3, 6),
    ]


def test_operations_never_push_capacity_below_zero_nor_fill_blanks():
    operations = operations_of(
        ("Dev", None, None, 3.0, np.nan), ("Nobody", None, None, 1.0, np.nan)
    )
    grid = effective(grid_of(Dev=[2.0]), operations=operations)
    assert grid["Dev"].iloc[0] == 0.0
    assert np.isnan(grid["Dev"].iloc[1])
    assert grid.columns.tolist() == ["Dev"]
    assert not np.signbit(grid["Dev"].iloc[0])


# ------------------------------------------------------------------------- checks


def test_sound_tables_have_no_problems():
    assert (
        check(
            people_of(ANNA, ("Bob", "Dev", "2027-01-01", "2027-06-30", 0.5, "DE-BY")),
            absences_of(("Anna", "2027-02-01", "2027-02-05", 1.0)),
            operations_of(("Dev", None, None, 0.25, 0.1)),
            country="Germany",
        )
        == []
    )


def test_three_thirds_and_tenths_are_not_above_one():
    shares = [0.7, 0.2, 0.1, 1 / 3, 1 / 3, 1 / 3]
    people = people_of(
        *(("AB"[i // 3], f"R{i}", None, None, s, None) for i, s in enumerate(shares))
    )
    assert check(people) == []


def test_person_over_one_is_named_with_moment_and_shares():
    people = people_of(
        ("Bob", "Dev", None, None, 1.0, None),
        ("Anna", "Dev", None, None, 1.0, None),
        ("Anna", "Architect", "2027-03-15", "2027-05-31", 0.5, None),
        ("Anna", "Lead", "2027-03-16", "2027-04-30", 0.5, None),
    )
    people.index = [10, 11, 12, 13]
    (problem,) = check(people)
    assert (problem["severity"], problem["rule"]) == ("warning", "person_over_one_fte")
    assert (problem["table"], problem["row"], problem["column"]) == (
        "people",
        12,
        "fte",
    )
    assert problem["found"] == (
        "'Anna' adds up to 1.5 on 2027-03-15 (Dev 1 + Architect 0.5); "
        "the last day above 1 is 2027-05-31"
    )
    assert "scaled" in problem["fix"]


def test_superseded_open_rows_are_named_with_the_last_day_that_counts():
    people = people_of(
        ("Anna", "Dev", None, None, 1.0, None),
        ("Anna", "Dev", "2027-03-01", None, 0.5, None),
        ("Anna", "Dev", "2027-06-01", None, 0.75, None),
    )
    first, second = check(people)
    assert rules([first, second]) == ["open_row_superseded"] * 2
    assert (first["row"], second["row"]) == (0, 1)
    assert first["found"] == (
        "'Anna' as 'Dev' from the beginning has no end, and a later row starts on "
        "2027-03-01"
    )
    assert "until 2027-02-28" in first["fix"]
    assert "from 2027-03-01" in second["found"]


def test_absences_of_strangers_and_outside_employment():
    people = people_of(
        ("Anna", "Dev", "2027-01-01", "2027-03-31", 1.0, None),
        ("Anna", "Dev", "2027-06-01", None, 1.0, None),
        ("Bob", "Dev", None, None, 1.0, None),
    )
    absences = absences_of(
        ("Ana", "2027-02-01", "2027-02-05", 1.0),
        (None, "2027-02-01", "2027-02-05", 1.0),
        ("Anna", "2027-03-31", "2027-04-02", 1.0),
        ("Anna", "2027-04-01", "2027-05-31", 1.0),
        ("Anna", None, "2026-12-31", 1.0),
        ("Bob", "2027-04-01", "2027-05-31", 1.0),
        ("Zoltan", "2027-04-01", "2027-05-31", 1.0),
    )
    problems = check(people, absences)
    assert [(p["rule"], p["row"]) for p in problems] == [
        ("unknown_person", 0),
        ("unknown_person", 6),
        ("absence_outside_employment", 3),
        ("absence_outside_employment", 4),
    ]
    assert "did you mean 'Anna'?" in problems[0]["fix"]
    assert "did you mean" not in problems[1]["fix"]
    assert problems[2]["found"] == "'Anna' from 2027-04-01 to 2027-05-31"
    assert problems[3]["found"] == "'Anna' from the beginning to 2026-12-31"
    assert [p["severity"] for p in problems] == ["error"] * 2 + ["warning"] * 2


def test_dates_in_the_wrong_order_are_errors_in_every_table():
    wrong = ("2027-03-02", "2027-03-01")
    problems = check(
        people_of(("Anna", "Dev", *wrong, 1.0, None), ANNA),
        absences_of(("Anna", *wrong, 1.0), ("Anna", "2027-03-02", "2027-03-02", 1.0)),
        operations_of(("Dev", *wrong, 1.0, np.nan)),
    )
    assert [(p["table"], p["row"]) for p in problems] == [
        ("people", 0),
        ("absences", 0),
        ("operations", 0),
    ]
    assert set(rules(problems)) == {"end_before_start"}
    assert problems[0]["found"] == "start 2027-03-02, end 2027-03-01"


def test_shares_outside_zero_to_one_are_errors():
    problems = check(
        people_of(ANNA),
        absences_of(
            ("Anna", "2027-03-01", "2027-03-01", 50.0),
            ("Anna", "2027-03-01", "2027-03-01", 0.0),
        ),
        operations_of(
            ("Dev", None, None, 0.1, np.nan), ("Dev", None, None, np.nan, -0.5)
        ),
    )
    assert [(p["table"], p["row"], p["found"], p["rule"]) for p in problems] == [
        ("absences", 0, "50", "share_out_of_range"),
        ("operations", 1, "-0.5", "share_out_of_range"),
    ]


def test_unknown_countries_name_the_rows_and_the_nearest_name():
    people = people_of(
        ("Anna", "Dev", None, None, 1.0, "Germny"),
        ("Bob", "Dev", None, None, 1.0, "DE-XX"),
        ("Carl", "Dev", None, None, 1.0, "Germny"),
    )
    problems = check(people, country="Atlantis")
    assert rules(problems) == ["unknown_country"] * 4
    assert [p["row"] for p in problems] == [0, 2, 1, None]
    assert "did you mean 'Germany'?" in problems[0]["fix"]
    assert "Germany has no part 'XX'" in problems[2]["fix"]
    assert "BY" in problems[2]["fix"]
    assert (problems[3]["table"], problems[3]["column"]) == (
        "portfolio.toml",
        "calendar.country",
    )


def test_years_whose_holidays_are_not_known_are_said_and_do_not_stop_the_work():
    # The moving holidays of India are known up to 2035.
    people = people_of(ANNA, ("Raj", "Dev", None, None, 1.0, "IN"))
    assert check(people, horizon=months("2035-01", 12)) == []
    (problem,) = check(people, horizon=months("2035-01", 13))
    assert (problem["severity"], problem["rule"]) == ("warning", "holidays_not_known")
    assert problem["row"] == 1
    assert "'IN'" in problem["found"]
    assert "2035" in problem["found"]


def test_capacity_that_replaces_people():
    problems = check(people_of(ANNA), given=grid_of("2026-01", Dev=[1.0], Test=[1.0]))
    assert rules(problems) == ["capacity_replaces_people"]
    assert problems[0]["found"] == "'Dev' has capacity rows and 1 people"
    assert "no period of the horizon" in problems[0]["fix"]


def test_operations_of_strange_roles_and_beyond_capacity():
    problems = check(
        people_of(ANNA),
        operations=operations_of(
            ("Devv", None, None, 0.1, np.nan),
            ("Dev", "2027-03-01", "2027-04-30", 1.5, np.nan),
            ("Dev", None, None, np.nan, 0.5),
        ),
    )
    assert rules(problems) == ["unknown_role", "operations_exceed_capacity"]
    assert "did you mean 'Dev'?" in problems[0]["fix"]
    assert problems[1]["row"] == 1
    # April has 22 weekdays: 1.5 + 0.5 x 1.011931.
    assert problems[1]["found"] == (
        "'Dev' in 2 of 12 periods, most in 2027-04: 2.00597 FTE of operations, "
        "1.01193 FTE of capacity"
    )
    assert len(problems_table(problems)) == 2


def test_empty_tables_have_no_problems():
    assert check() == []
    bare = {
        "people": pd.DataFrame(columns=NOBODY.columns),
        "absences": pd.DataFrame(columns=NO_ABSENCE.columns),
        "operations": pd.DataFrame(columns=NO_OPERATIONS.columns),
    }
    assert check(**bare) == []


# ------------------------------------- the same, slowly and exactly, day by day


def slow_capacity(
    people: pd.DataFrame, absences: pd.DataFrame, horizon: pd.PeriodIndex, country: str
) -> dict[tuple[pd.Period, str], Fraction]:
    """Exact FTE by period and role, one day and person at a time."""
    import holidays

    first, last = horizon[0].start_time, horizon[-1].end_time
    years = range(first.year - 1, last.year + 2)
    calendars: dict[str, holidays.HolidayBase] = {}
    hours_of_one = {
        "W": Fraction(40),
        "M": 40 * Fraction("52.1775") / 12,
        "Q": 40 * Fraction("52.1775") / 4,
        "Y": 40 * Fraction("52.1775"),
    }[horizon.freqstr[0]]

    def works(day: pd.Timestamp, name: object) -> bool:
        place = country if pd.isna(name) else str(name)
        if not place:
            return day.weekday() < 5
        if place not in calendars:
            head, _, part = place.partition("-")
            calendars[place] = holidays.country_holidays(
                head, subdiv=part or None, years=years
            )
        if day.weekday() >= 5:
            return day.date() in calendars[place].weekend_workdays
        return day.date() not in calendars[place]

    records = []
    for row in people.to_dict("records"):
        begin = row["start"] if pd.notna(row["start"]) else pd.Timestamp("1900-01-01")
        end = row["end"] if pd.notna(row["end"]) else pd.Timestamp("2200-01-01")
        if begin <= end:
            records.append(
                {**row, "begin": begin, "open": pd.isna(row["end"])} | {"end": end}
            )
    for row in records:
        later = [
            other["begin"]
            for other in records
            if (other["person"], other["role"]) == (row["person"], row["role"])
            and other["begin"] > row["begin"]
        ]
        if row["open"] and later:
            row["end"] = min(later) - pd.Timedelta(days=1)

    fte = {(p, role): Fraction(0) for p in horizon for role in people["role"]}
    for day in pd.date_range(first, last.normalize()):
        period = day.to_period(horizon.freqstr)
        for person in people["person"].unique():
            rows = [
                row
                for row in records
                if row["person"] == person and row["begin"] <= day <= row["end"]
            ]
            total = sum((exact(row["fte"]) for row in rows), Fraction(0))
            away = sum(
                (
                    exact(row["share"])
                    for row in absences.to_dict("records")
                    if row["person"] == person and row["start"] <= day <= row["end"]
                ),
                Fraction(0),
            )
            for row in rows:
                if works(day, row["country"]):
                    share = exact(row["fte"]) / max(total, Fraction(1))
                    hours = 8 * share * (1 - min(away, Fraction(1)))
                    fte[period, row["role"]] += hours / hours_of_one
    return fte


def exact(share: float) -> Fraction:
    return Fraction(repr(float(share)))


HORIZONS = [
    ("W-SUN", "2025-09-22", 4),
    ("W-SUN", "2024-12-23", 7),
    ("M", "2025-01", 3),
    ("M", "2027-05", 1),
    ("Q-MAR", "2025Q4", 2),
]


@st.composite
def cases(draw: st.DrawFn) -> tuple:
    freq, start, periods = draw(st.sampled_from(HORIZONS))
    horizon = pd.period_range(start, periods=periods, freq=freq, name="period")
    low = horizon[0].start_time - pd.Timedelta(days=10)
    length = (horizon[-1].end_time - low).days + 10
    day = st.integers(0, length).map(lambda n: low + pd.Timedelta(days=n))
    share = st.integers(0, 20).map(lambda n: n / 20)
    person = st.sampled_from(["Anna", "Bob", "Carl"])
    people = draw(
        st.lists(
            st.tuples(
                person,
                st.sampled_from(["Dev", "Test"]),
                st.none() | day,
                st.none() | day,
                share | st.just(1.0),
                st.sampled_from([None, "DE", "CN", "US-CA"]),
            ),
            max_size=7,
        )
    )
    absences = draw(st.lists(st.tuples(person, day, day, share), max_size=6))
    return (
        people_of(*people),
        absences_of(*absences),
        horizon,
        draw(st.sampled_from(["", "DE-BY"])),
    )


@settings(
    max_examples=tried(80), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
@given(cases())
def test_capacity_agrees_with_a_walk_day_by_day(case):
    people, absences, horizon, country = case
    grid = people_capacity(people, absences, horizon, country=country)
    slow = slow_capacity(people, absences, horizon, country)
    assert grid.columns.tolist() == list(dict.fromkeys(people["role"]))
    for (period, role), fte in slow.items():
        assert grid.loc[period, role] == pytest.approx(float(fte), abs=5.01e-7)


@st.composite
def supplies(draw: st.DrawFn) -> tuple:
    people, absences, horizon, country = draw(cases())
    low = horizon[0].start_time - pd.Timedelta(days=10)
    day = st.integers(0, 120).map(lambda n: low + pd.Timedelta(days=n))
    amount = st.none() | st.integers(0, 20).map(lambda n: n / 20)
    role = st.sampled_from(["Dev", "Test", "Lead"])
    rows = st.tuples(role, st.none() | day, st.none() | day, amount, amount)
    fte = st.lists(
        st.integers(0, 50).map(lambda n: n / 10),
        min_size=len(horizon),
        max_size=len(horizon),
    )
    grid = draw(st.dictionaries(st.sampled_from(["Test", "Lead"]), fte))
    return (
        people,
        absences,
        horizon,
        country,
        operations_of(*draw(st.lists(rows, max_size=5))),
        pd.DataFrame(grid, index=horizon),
    )


def slow_left(
    gross: Fraction, role: str, period: pd.Period, operations: pd.DataFrame
) -> Fraction:
    """What operations leave of one cell, exactly, one weekday at a time."""
    weekdays = [
        day
        for day in pd.date_range(period.start_time, period.end_time.normalize())
        if day.weekday() < 5
    ]
    left = gross
    for row in operations.to_dict("records"):
        covered = sum(
            (pd.isna(row["start"]) or row["start"] <= day)
            and (pd.isna(row["end"]) or day <= row["end"])
            for day in weekdays
        )
        if row["role"] == role:
            fte, share = (
                exact(0.0 if pd.isna(row[name]) else row[name])
                for name in ("fte", "share")
            )
            left -= (fte + share * gross) * Fraction(covered, len(weekdays))
    return max(left, Fraction(0))


@settings(
    max_examples=tried(60), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
@given(supplies())
def test_effective_capacity_agrees_with_a_walk_day_by_day(supply):
    people, absences, horizon, country, operations, known = supply
    grid = effective_capacity(
        horizon,
        given=known,
        people=people,
        absences=absences,
        operations=operations,
        country=country,
    )
    own = [role for role in dict.fromkeys(people["role"]) if role not in known]
    assert grid.columns.tolist() == [*known.columns, *own]
    gross = slow_capacity(people, absences, horizon, country)
    for period in horizon:
        for role in grid.columns:
            before = (
                exact(known.loc[period, role]) if role in known else gross[period, role]
            )
            left = slow_left(before, role, period, operations)
            assert grid.loc[period, role] == pytest.approx(float(left), abs=5.01e-7)


@settings(max_examples=tried(50), deadline=None)
@given(cases(), st.randoms(use_true_random=False))
def test_order_of_rows_changes_nothing(case, random):
    people, absences, horizon, country = case
    order = random.sample(range(len(people)), len(people))
    grid = people_capacity(people, absences, horizon, country=country)
    again = people_capacity(
        people.iloc[order], absences[::-1], horizon, country=country
    )
    pd.testing.assert_frame_equal(again[grid.columns], grid, atol=1.01e-6, rtol=0)


@settings(max_examples=tried(50), deadline=None)
@given(cases())
def test_check_never_fails_and_names_real_rows(case):
    people, absences, horizon, country = case
    for row in check(people, absences, horizon=horizon, country=country):
        assert (
            row["row"] in {"people": people, "absences": absences}[row["table"]].index
        )
        assert row["fix"]
