"""Networks become a portfolio: hours by period, people, money, links, status."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import pmo_analytics as pmo
from pmo_analytics.networks import Network, roll_up, roll_up_balanced


def day(text: str) -> pd.Timestamp:
    return pd.Timestamp(text)


def network(project: str = "P", **changes) -> Network:
    """One design task over the turn of the month, one person, and a milestone."""
    given = {
        "source": f"{project}.xml",
        "data_date": day("2027-01-11"),
        "currency": "EUR",
        "tasks": pd.DataFrame(
            {
                "task": ["0", "1", "2"],
                "name": ["All", "Design", "Done"],
                "kind": ["summary", "task", "milestone"],
                "parent": ["", "0", "0"],
                "start": [day("2027-01-25 08:00")] * 2 + [day("2027-02-05 17:00")],
                "finish": [day("2027-02-05 17:00")] * 3,
                "baseline_finish": [pd.NaT, pd.NaT, day("2027-01-29 17:00")],
                "deadline": [day("2027-03-10"), pd.NaT, pd.NaT],
                "fixed_cost": [0.0, 100.0, 0.0],
            }
        ),
        "assignments": pd.DataFrame(
            {
                "task": ["1"],
                "resource": ["7"],
                "units": [1.0],
                "work_h": [80.0],
                "actual_h": [0.0],
                "remaining_h": [80.0],
                "start": [day("2027-01-25 08:00")],
                "finish": [day("2027-02-05 17:00")],
                "cost": [4000.0],
            }
        ),
        "resources": pd.DataFrame(
            {
                "resource": ["7"],
                "name": ["Ann"],
                "kind": ["work"],
                "group": ["Engineer"],
                "max_units": [1.0],
                "rate": [50.0],
            }
        ),
    }
    return Network(project, **{**given, **changes})


def assert_exact(rolled) -> None:
    balance = rolled.balance
    assert (balance["read"] == balance["used"] + balance["listed"]).all(), balance


def hours_of(portfolio: pmo.Portfolio) -> pd.Series:
    """Return hours by role and offset of the only project."""
    demand = portfolio.demand.set_index(["role", "offset"])["fte"]
    return demand * 40 * 52.1775 / 12


def test_hours_go_to_the_months_in_which_they_are_worked():
    rolled = roll_up_balanced([network()])
    assert_exact(rolled)
    portfolio = rolled.portfolio
    hours = hours_of(portfolio)
    # 25 to 29 January are five days of eight hours, 1 to 5 February too.
    assert hours["Engineer", 0] == pytest.approx(40)
    assert hours["Engineer", 1] == pytest.approx(40)
    project = portfolio.projects.iloc[0]
    assert str(project["start"]) == "2027-01"
    assert project["duration"] == 2
    assert str(project["deadline"]) == "2027-03"
    assert project["status"] == "proposed"
    spend = portfolio.spend.set_index(["category", "offset"])["amount"]
    assert spend["work", 0] == 2000
    assert spend.sum() == pytest.approx(4100)
    booking = portfolio.bookings.iloc[0]
    assert (booking["person"], booking["fte"]) == ("Ann", 1.0)
    milestone = portfolio.milestones.iloc[0]
    assert milestone["baseline"] == day("2027-01-29")
    assert milestone["forecast"] == day("2027-02-05")
    assert portfolio.settings.hours_per_week == 40


def test_on_the_calendar_of_whom_it_is_assigned_to():
    # Ann works on Fridays only: 29 January in one month, 5 February in the other.
    shifts = pd.DataFrame(
        {
            "calendar": "ann",
            "weekday": [1, 2, 3, 4, 5, 6, 7],
            "start_minute": [None] * 4 + [480, None, None],
            "end_minute": [None] * 4 + [960, None, None],
        }
    )
    own = network().resources.assign(calendar="ann")
    late = network().assignments.assign(start=day("2027-01-28 08:00"))
    plan = network(
        resources=own, shifts=shifts, calendars={"calendar": ["ann"]}, assignments=late
    )
    rolled = roll_up_balanced([plan])
    assert_exact(rolled)
    assert hours_of(rolled.portfolio)["Engineer", 0] == pytest.approx(40)
    person = rolled.portfolio.people.iloc[0]
    assert person["workweek"] == "Fri 8"


def test_time_phased_data_come_first_and_contours_next():
    phased = pd.DataFrame(
        {
            "row": [0, 0, 0],
            "kind": ["remaining", "remaining", "baseline"],
            "start": [day("2027-01-25 08:00"), day("2027-02-01 08:00")] * 1
            + [day("2027-01-25 08:00")],
            "finish": [day("2027-01-29 17:00"), day("2027-02-05 17:00")] * 1
            + [day("2027-01-25 17:00")],
            "hours": [60.0, 20.0, 99.0],
        }
    )
    hours = hours_of(roll_up([network(timephased=phased)]))
    assert hours["Engineer", 0] == pytest.approx(60)
    loaded = network().assignments.assign(contour="back_loaded")
    rolled = roll_up_balanced([network(assignments=loaded)])
    assert_exact(rolled)
    # 10 + 15 + 25 + 50 + 50 of 600 lie in the first half.
    assert hours_of(rolled.portfolio)["Engineer", 0] == pytest.approx(80 * 150 / 600)


def test_what_is_not_used_is_listed_with_its_reason():
    plan = network()
    more = pd.concat([plan.assignments] * 4, ignore_index=True)
    more["work_h"] = [80.0, 1 / 3, 7.0, 5.0]
    more["resource"] = ["7", "", "7", "99"]
    more["task"] = ["1", "1", "3", "1"]
    tasks = plan.tasks.reset_index()
    tasks.loc[3] = tasks.loc[1]
    tasks.loc[3, ["task", "active"]] = ["3", False]
    rolled = roll_up_balanced([network(assignments=more, tasks=tasks)])
    assert_exact(rolled)
    hours = rolled.listed[rolled.listed["what"] == "hours"]
    listed = hours.groupby("reason")["amount"].sum().round(6).to_dict()
    assert listed == {"its task is inactive": 7.0, "nobody is named": 5.333333}
    told = rolled.portfolio.problems
    assert told["rule"].eq("hours_left_out").sum() == 2


def test_status_by_progress():
    plan = network()
    begun = plan.tasks.assign(actual_start=[pd.NaT, day("2027-01-25 08:00"), pd.NaT])
    done = plan.tasks.assign(percent_complete=100.0)
    portfolio = roll_up(
        [network("A"), network("B", tasks=begun), network("C", tasks=done)]
    )
    assert portfolio.projects["status"].tolist() == ["proposed", "running", "done"]
    assert pd.isna(portfolio.projects["earliest"].iloc[1])


def test_two_projects_with_one_id():
    rolled = roll_up_balanced([network("A"), network("A", source="later.xml")])
    assert_exact(rolled)
    assert rolled.portfolio.projects["project"].tolist() == ["A", "A (later)"]
    told = rolled.portfolio.problems
    told = told[told["rule"] == "duplicate_project"]
    assert told["source"].tolist() == ["later.xml"]


def test_of_updates_of_one_project_the_newest_counts():
    """Three status dates, given out of order, and another project of that name."""
    tasks = network().tasks
    begun = tasks.assign(percent_complete=[0.0, 50.0, 0.0])
    later = tasks["finish"] + pd.Timedelta("7D")
    dates = {"A1.xer": "2027-01-11", "A3.xer": "2027-02-08", "A2.xer": "2027-01-25"}
    files = [
        network("A", source=name, data_date=day(date), tasks=frame)
        for (name, date), frame in zip(
            dates.items(), [tasks, begun.assign(finish=later), begun], strict=True
        )
    ]
    other = network("B", source="b.xer")
    rolled = roll_up_balanced([*files, other])
    assert_exact(rolled)
    portfolio = rolled.portfolio
    assert portfolio.projects["project"].tolist() == ["A", "B"]
    alone = roll_up_balanced([files[1], other]).portfolio
    pd.testing.assert_frame_equal(portfolio.demand, alone.demand)
    told = portfolio.problems.set_index("rule").loc["older_updates"]
    assert (told["source"], told["found"]) == ("A3.xer", "'A1.xer', 'A2.xer'")
    progress = portfolio.progress[portfolio.progress["project"] == "A"]
    assert progress["as_of"].tolist() == [day(d) for d in sorted(dates.values())]
    done = portfolio.milestones[portfolio.milestones["project"] == "A"]
    weeks = [day("2027-02-05")] * 2 + [day("2027-02-12")]
    assert done["forecast"].tolist() == weeks
    # The first had not begun: what it planned is what was promised.
    first = portfolio.baselines[portfolio.baselines["project"] == "A"].iloc[0]
    assert (first["baseline"], first["set_on"]) == ("first update", day("2027-01-11"))
    assert (str(first["start"]), first["duration"]) == ("2027-01", 2)
    # Others of one name, or of one day, stay projects of their own.
    renamed = files[2].replace(tasks=begun.assign(name=["x", "y", "z"]))
    apart = roll_up_balanced([files[0], renamed])
    assert apart.portfolio.projects["project"].tolist() == ["A", "A (A2)"]


@pytest.mark.parametrize(
    ("first", "second", "projects"),
    [
        # Ids or names that are one but for the day of the update.
        (("UP-7-20270111", "x"), ("UP-7-20270125", "y"), ["UP-7-20270125"]),
        (("BL", "Mill 2027.01.11"), ("UP", "Mill 2027.01.25"), ["UP"]),
        (("A rev 1", "x"), ("A rev 2", "y"), ["A rev 2"]),
        # Other numbers are those of other projects.
        (("Mill 1", "Mill 1"), ("Mill 2", "Mill 2"), ["Mill 1", "Mill 2"]),
    ],
)
def test_updates_under_dated_names(first, second, projects):
    tasks = network().tasks
    tasks = pd.concat([tasks.set_axis(tasks.index + str(k)) for k in range(4)])
    files = [
        network(project, name=name, source=f"{project}.xer", data_date=d, tasks=tasks)
        for (project, name), d in zip(
            (second, first), (day("2027-01-25"), day("2027-01-11")), strict=True
        )
    ]
    rolled = roll_up_balanced(files)
    assert_exact(rolled)
    assert sorted(rolled.portfolio.projects["project"]) == projects
    told = rolled.portfolio.problems["rule"].tolist()
    assert ("older_updates" in told, "alike" in told) == (
        len(projects) == 1,
        len(projects) == 2,
    )


def test_one_pool_of_people():
    ann = network().resources
    other = ann.assign(name="ANN ").rename(index={"7": "1"})
    work = network().assignments.assign(resource="1")
    portfolio = roll_up([network("A"), network("B", resources=other, assignments=work)])
    assert portfolio.people["person"].tolist() == ["Ann"]
    assert portfolio.bookings["person"].tolist() == ["Ann", "Ann"]
    # Two addresses tell two people of one name apart, and that is said.
    two = [
        network("A", resources=ann.assign(email="ann@a.org")),
        network("B", resources=ann.assign(email="ann@b.org")),
    ]
    portfolio = roll_up(two)
    assert portfolio.people["person"].tolist() == ["Ann", "Ann (2)"]
    assert "same_name" in portfolio.problems["rule"].tolist()
    # One address under two names is one person, and that is said.
    two[1] = network("B", resources=ann.assign(email="ANN@a.org", name="A. Smith"))
    portfolio = roll_up(two)
    assert portfolio.people["person"].tolist() == ["Ann"]
    assert "one_id" in portfolio.problems["rule"].tolist()


def test_units_of_several_and_days_off():
    holiday = pd.DataFrame(
        {
            "calendar": "c",
            "weekday": [1, 2, 3, 4, 5, None, None],
            "first": [pd.NaT] * 5 + [day("2027-02-02"), day("2027-02-03")],
            "last": [pd.NaT] * 5 + [day("2027-02-02"), day("2027-02-03")],
            "start_minute": [480] * 5 + [None, 480],
            "end_minute": [960] * 5 + [None, 720],
        }
    )
    own = network().resources.assign(calendar="c", max_units=2.5)
    plan = network(resources=own, calendars={"calendar": ["c"]}, shifts=holiday)
    portfolio = roll_up([plan])
    assert portfolio.people["fte"].tolist() == [1.0, 1.0, 0.5]
    assert portfolio.people["person"].tolist() == ["Ann #1", "Ann #2", "Ann #3"]
    away = portfolio.absences.head(2)
    assert away["share"].tolist() == [1.0, 0.5]
    assert away["start"].tolist() == [day("2027-02-02"), day("2027-02-03")]
    assert portfolio.bookings.empty  # a pool is no person
    # 28 days less 8 weekend days less 1.5 days off, 2.5 of them.
    expected = 2.5 * (20 - 1.5) * 8 / (40 * 52.1775 / 12)
    assert portfolio.capacity.at["2027-02", "Engineer"] == pytest.approx(
        expected, abs=1e-5
    )


@pytest.mark.parametrize("units", [0.5, 1.07, 2.0])
@pytest.mark.parametrize("hours", [(8,) * 5, (9, 9, 9, 9, 4), (4,) * 5, (24,) * 7])
def test_a_share_stands_once(units, hours):
    """Parts of people are counted once, on full, odd, short and endless weeks."""
    shifts = pd.DataFrame(
        {
            "calendar": "c",
            "weekday": range(1, len(hours) + 1),
            "start_minute": 0,
            "end_minute": np.array(hours) * 60,
        }
    )
    own = network().resources.assign(calendar="c", max_units=units)
    plan = network(resources=own, calendars={"calendar": ["c"]}, shifts=shifts)
    settings = pmo.Settings(hours_per_week=40)
    portfolio = roll_up([plan], settings=settings)
    told = pmo.check_portfolio(portfolio)
    assert "hours_and_share_differ" not in told["rule"].tolist()
    days = pd.date_range("2027-02-01", "2027-02-28").day_of_week
    worked = sum(([*hours, 0, 0])[day] for day in days)
    expected = units * worked / (40 * 52.1775 / 12)
    assert portfolio.capacity.at["2027-02", "Engineer"] == pytest.approx(
        expected, abs=1e-5
    )


def test_months_of_one_share_are_one_row():
    spans = pd.DataFrame(
        {
            "resource": "7",
            "start": pd.to_datetime(["2027-01-01", "2027-02-01", "2027-03-01"]),
            "finish": pd.to_datetime(["2027-02-01", "2027-03-01", "2027-03-31"]),
            "units": [1.0, 1.0, 0.5],
        }
    )
    people = roll_up([network(units=spans)]).people
    assert people["start"].tolist() == [day("2027-01-01"), day("2027-03-01")]
    assert people["end"].tolist() == [day("2027-02-28"), day("2027-03-30")]
    assert people["fte"].tolist() == [1.0, 0.5]
    # Primavera writes no end.
    people = roll_up([network(units=spans.tail(1).assign(finish=pd.NaT))]).people
    assert people["end"].isna().tolist() == [True]


def test_links_across_projects():
    plan = network("B")
    later = pd.Timedelta("28D")
    tasks = plan.tasks.assign(
        start=plan.tasks["start"] + later, finish=plan.tasks["finish"] + later
    )
    links = pd.DataFrame(
        {
            "task": ["1", "1", "2"],
            "requires": ["2", "9", "1"],
            "kind": "FS",
            "requires_project": [r"C:\plans\A.mpp", "Z", ""],
        }
    )
    rolled = roll_up_balanced([network("A"), network("B", tasks=tasks, links=links)])
    assert_exact(rolled)
    row = rolled.portfolio.dependencies.iloc[0]
    # A ends in its second month, B's design begins in its first.
    assert (row["project"], row["requires"], row["lag"]) == ("B", "A", 1)
    assert row["kind"] == "start_start"
    left = rolled.listed[rolled.listed["what"] == "links"]
    assert left["reason"].tolist() == ["its other end, in 'Z', is not among the files"]
    assert "unknown_project" in rolled.portfolio.problems["rule"].tolist()


def test_every_portfolio_of_networks_is_sound_and_is_optimized():
    full = network().assignments.assign(work_h=320.0)
    tasks = network().tasks.assign(deadline=pd.NaT)
    plans = [network(name, assignments=full, tasks=tasks) for name in "ABC"]
    portfolio = roll_up(plans)
    assert pmo.check_portfolio(portfolio)["severity"].ne("error").all()
    plan = pmo.optimize(portfolio, limits=pmo.SolveLimits(seconds=600))
    # 160 hours a month each and one engineer: two follow each other in four months.
    starts = plan.schedule["start"].dropna()
    assert plan.violations.empty
    assert [str(start) for start in sorted(starts)] == ["2027-01", "2027-03"]


def test_amounts_are_spread_without_a_rest():
    random = np.random.default_rng(3)
    count = 40
    start = day("2027-01-01") + pd.to_timedelta(random.integers(0, 5000, count), "h")
    work = pd.DataFrame(
        {
            "task": "1",
            "resource": "7",
            "work_h": random.integers(1, 10_000, count) / 7,
            "start": start,
            "finish": start + pd.to_timedelta(random.integers(0, 4000, count), "h"),
            "cost": random.integers(1, 10_000, count) / 9,
        }
    )
    tasks = network().tasks.assign(start=start.min(), finish=work["finish"].max())
    rolled = roll_up_balanced([network(assignments=work, tasks=tasks)])
    assert_exact(rolled)
    assert hours_of(rolled.portfolio).sum() == pytest.approx(work["work_h"].sum())
    assert rolled.portfolio.spend["amount"].sum() == pytest.approx(
        work["cost"].sum() + 100, abs=1e-3
    )


def test_units_that_are_no_number_are_left_out():
    units = pd.DataFrame(
        {"resource": ["7"], "start": [pd.NaT], "finish": [pd.NaT], "units": [np.nan]}
    )
    portfolio = roll_up([network(units=units)])
    told = portfolio.problems.set_index("rule")["fix"]
    assert told["no_units"] == "Units of 'Ann' that are no number are left out."
    assert portfolio.people["fte"].tolist() == [1.0]


@pytest.mark.filterwarnings("error")
def test_work_of_nobody_who_is_known_is_work():
    lost = network().assignments.assign(resource="9")
    assert_exact(roll_up_balanced([network(assignments=lost)]))
