"""What each table and column means, in one place: for the template and for help."""

from __future__ import annotations

from typing import NamedTuple


class Meaning(NamedTuple):
    """What a column holds, in which unit, and an example cell."""

    text: str
    unit: str = ""
    example: str = ""


_PROJECT = Meaning("Key of a project, as in the table projects.", "", "CRM")
_ROLE = Meaning("Role; a role is one pool of people.", "", "Developer")
_PERSON = Meaning("Key of a person.", "", "Ada Lovelace")
_OFFSET = Meaning(
    "Whole periods after the project's start; 0 is its first period.", "periods", "0"
)
_FUND = Meaning("Where the money comes from.", "", "Investment")
_CATEGORY = Meaning("What the money is for.", "", "Licences")
_FUND_FILTER = Meaning("Only spend of this fund; blank = all.", "", "Investment")
_CATEGORY_FILTER = Meaning("Only spend of this category; blank = all.", "", "Licences")

TABLE_TEXTS: dict[str, str] = {
    "projects": "One row per project: running, approved and candidates.",
    "demand": "How many people each project needs, by role, relative to its start.",
    "capacity": "How many people there are, by role and period. Rows of a role "
    "replace its people.",
    "people": "Who works in which role from when to when. A change is a new row.",
    "absences": "When a person is away.",
    "operations": "Run-the-business work, taken off capacity before projects.",
    "bookings": "Named people on projects. Bookings staff demand; they never reduce "
    "capacity.",
    "dependencies": "Which project needs another one first.",
    "groups": "Projects of which only some, or all or none, may be chosen.",
    "rules": "Your own limits on sums over projects, such as how many are at work at "
    "once.",
    "blackouts": "Periods in which projects may not start, finish or work.",
    "spend": "Money a project costs, each amount once.",
    "budget": "Limits on spend, each over one span of periods.",
    "benefits": "Money a project brings, after its start.",
    "roles": "What is known about roles.",
    "flex": "Capacity that could be added: overtime, contractors, hires.",
    "history": "What really happened, by role and period; forecasts learn from it.",
    "actuals": "Hours and money really spent, as timesheets and ledgers say; benefits "
    "that came in.",
    "baselines": "Plans as they were approved, for comparison.",
    "progress": "What was reported of a project on a day. Blank values are worked out "
    "from baselines, spend and actuals.",
    "milestones": "Milestones as they stood on a day: each status date is a row, the "
    "newest one is in force.",
    "sprints": "What teams committed to and delivered, seen at some share of the "
    "sprint; delivered is blank while it runs.",
}

COLUMN_TEXTS: dict[str, dict[str, Meaning]] = {
    "projects": {
        "project": Meaning("Key of the project; every table names it by this."),
        "name": Meaning("Name for readers.", "", "New customer system"),
        "status": Meaning(
            "Idea, proposed and paused may be chosen or not; approved stays in; "
            "running keeps its start; done and cancelled use nothing. Blank = "
            "proposed.",
            "",
            "proposed",
        ),
        "value": Meaning(
            "Worth of the project once it is done; not weighed by probability unless "
            "weigh_by_probability says so.",
            "currency or score",
            "250000",
        ),
        "duration": Meaning("How long it lasts.", "whole periods", "6"),
        "start": Meaning("Planned or actual first period.", "period", "2027-01"),
        "earliest": Meaning("First period in which it may start.", "period", "2027-02"),
        "latest": Meaning("Last period in which it may start.", "period", "2027-09"),
        "deadline": Meaning("Last period in which it may finish.", "period", "2027-12"),
        "force": Meaning(
            "In = must be chosen, out = must not; blank = free.", "", "in"
        ),
        "force_reason": Meaning("Why it is forced.", "", "regulation"),
        "probability": Meaning(
            "Chance that it is really done, for forecasts and simulations; optimize "
            "counts it only with weigh_by_probability. Blank = 1.",
            "0 to 1",
            "0.8",
        ),
        "theme": Meaning("Strategic theme, for budgets and charts.", "", "Growth"),
        "program": Meaning("Programme it belongs to.", "", "Digital"),
        "sponsor": Meaning("Who wants it.", "", "COO"),
        "manager": Meaning("Who leads it.", "", "Susanne Busch"),
        "phase": Meaning("Phase it is in.", "", "Build"),
        "priority": Meaning("Priority, in your own words.", "", "High"),
        "kind": Meaning("Kind of project.", "", "Run the business"),
        "goal": Meaning("Strategic goal it serves.", "", "Lower cost per claim"),
    },
    "demand": {
        "project": _PROJECT,
        "role": _ROLE,
        "offset": _OFFSET,
        "fte": Meaning("People needed in that period.", "FTE", "1.5"),
    },
    "capacity": {
        "period": Meaning("Period of the horizon.", "period", "2027-01"),
        "role": _ROLE,
        "fte": Meaning("People there, before operations.", "FTE", "7.5"),
    },
    "people": {
        "person": _PERSON,
        "role": _ROLE,
        "start": Meaning(
            "First day in this role; blank = always.", "date", "2027-01-01"
        ),
        "end": Meaning("Last day in this role; blank = open.", "date", "2027-12-31"),
        "fte": Meaning(
            "Share of a full contract that counts under this role; blank = 1.",
            "share",
            "0.8",
        ),
        "country": Meaning(
            "Country, or region, of weekends and public holidays; DE-BY+catholic adds "
            "days that are off in parts of it.",
            "",
            "DE-BY",
        ),
        "workweek": Meaning(
            "Days worked, if not those of the country: Mon-Thu, Mon Tue Fri; or hours "
            "of each day: Mon-Thu 9, Fri 4. Days alone share the hours of fte.",
            "",
            "Mon-Thu",
        ),
        "team": Meaning("Team or department.", "", "Platform"),
        "rate": Meaning("Cost of an hour.", "currency per hour", "95"),
    },
    "absences": {
        "person": _PERSON,
        "start": Meaning("First day away.", "date", "2027-07-05"),
        "end": Meaning("Last day away.", "date", "2027-07-16"),
        "kind": Meaning("Kind of absence.", "", "vacation"),
        "share": Meaning("Share of the day away; blank = 1.", "0 to 1", "0.5"),
    },
    "operations": {
        "role": _ROLE,
        "start": Meaning("First day; blank = always.", "date", "2027-01-01"),
        "end": Meaning("Last day; blank = open.", "date", "2027-06-30"),
        "fte": Meaning("People taken off capacity; or give a share.", "FTE", "1.5"),
        "share": Meaning("Share of the role's capacity taken off.", "0 to 1", "0.2"),
    },
    "bookings": {
        "person": _PERSON,
        "project": _PROJECT,
        "role": _ROLE,
        "start": Meaning("First day.", "date", "2027-02-01"),
        "end": Meaning("Last day.", "date", "2027-04-30"),
        "fte": Meaning("Share of the person's time.", "FTE", "0.5"),
        "kind": Meaning("Soft = tentative, hard = committed.", "", "hard"),
    },
    "dependencies": {
        "project": Meaning("Project that needs the other.", "", "CRM"),
        "requires": Meaning("Project, or group, that it needs.", "", "ERP"),
        "kind": Meaning(
            "finish_start: after the other has finished; start_start: after it has "
            "started; selected: only together with it. Blank = finish_start.",
            "",
            "finish_start",
        ),
        "lag": Meaning("Least periods between; may be negative.", "whole periods", "1"),
        "lag_max": Meaning("Most periods between; blank = any.", "whole periods", "4"),
    },
    "groups": {
        "group": Meaning("Name of the group, on each of its rows.", "", "vendors"),
        "project": Meaning("A project of the group.", "", "CRM"),
        "rule": Meaning(
            "limit: between at_least and at_most are chosen; all_or_none.", "", "limit"
        ),
        "at_least": Meaning("Fewest chosen, the same on all rows.", "projects", "0"),
        "at_most": Meaning("Most chosen, the same on all rows.", "projects", "1"),
    },
    "rules": {
        "rule": Meaning(
            "Name of the rule, on each of its rows.", "", "COO in parallel"
        ),
        "project": Meaning("A project that counts.", "", "CRM"),
        "weight": Meaning("What it counts; may be negative; blank = 1.", "", "1"),
        "applies_to": Meaning(
            "selected: weights of selected projects add up once; work: of those at "
            "work, in every period; themes: how many different themes of those are "
            "at work, in every period (only at_most, no weights; a blank theme does "
            "not count). Blank = selected.",
            "",
            "work",
        ),
        "at_least": Meaning("Least sum, the same on all rows.", "", "0"),
        "at_most": Meaning("Greatest sum, the same on all rows.", "", "3"),
    },
    "blackouts": {
        "project": Meaning("Only this project; blank = see theme.", "", "CRM"),
        "theme": Meaning(
            "Only projects of this theme; both blank = all.", "", "Growth"
        ),
        "start": Meaning(
            "First period; blank = from the beginning.", "period", "2027-12"
        ),
        "end": Meaning("Last period; blank = to the end.", "period", "2027-12"),
        "applies_to": Meaning("What is forbidden; blank = work.", "", "start"),
    },
    "spend": {
        "project": _PROJECT,
        "fund": _FUND,
        "category": _CATEGORY,
        "offset": _OFFSET,
        "amount": Meaning("Money spent in that period.", "currency", "12000"),
    },
    "budget": {
        "budget": Meaning("Name of the limit.", "", "Licences 2027"),
        "fund": _FUND_FILTER,
        "category": _CATEGORY_FILTER,
        "theme": Meaning("Only projects of this theme; blank = all.", "", "Growth"),
        "program": Meaning("Only projects of this programme; blank = all."),
        "start": Meaning("First period; blank = of the horizon.", "period", "2027-01"),
        "end": Meaning("Last period; blank = of the horizon.", "period", "2027-12"),
        "amount": Meaning("At most this is spent in the span.", "currency", "100000"),
        "at_least": Meaning("At least this is spent in the span.", "currency", "20000"),
    },
    "benefits": {
        "project": _PROJECT,
        "offset": _OFFSET,
        "amount": Meaning("Money brought in that period.", "currency", "30000"),
    },
    "roles": {
        "role": _ROLE,
        "parent": Meaning("Wider role, for sums.", "", "Engineering"),
        "team": Meaning("Team or department.", "", "Platform"),
        "rate": Meaning("Cost of an hour.", "currency per hour", "95"),
    },
    "flex": {
        "role": _ROLE,
        "kind": Meaning("Where the people come from.", "", "contractor"),
        "start": Meaning("First period; blank = of the horizon.", "period", "2027-04"),
        "end": Meaning("Last period; blank = of the horizon.", "period", "2027-12"),
        "fte_max": Meaning("Most people that can be added.", "FTE", "3"),
        "rate": Meaning("Cost of an hour.", "currency per hour", "130"),
        "lead": Meaning("Periods from decision to first day.", "whole periods", "2"),
    },
    "history": {
        "period": Meaning("Period in the past.", "period", "2026-11"),
        "role": _ROLE,
        "kind": Meaning("What the load was for; blank = total.", "", "project"),
        "capacity_fte": Meaning("People there.", "FTE", "8"),
        "load_fte": Meaning("People used.", "FTE", "7.2"),
        "event": Meaning(
            "What is known of this value, where forecasts take it wrong: a new level "
            "begins (shift), it does not count (outlier), or it is neither (usual).",
            "",
            "shift",
        ),
    },
    "actuals": {
        "period": Meaning("Period worked, or any day of it.", "period", "2027-01"),
        "project": _PROJECT,
        "role": _ROLE,
        "person": _PERSON,
        "hours": Meaning("Hours worked.", "hours", "38.5"),
        "amount": Meaning("Money spent.", "currency", "3600"),
        "benefit": Meaning(
            "Benefit that came in, of a project in the period.", "currency", "12000"
        ),
    },
    "baselines": {
        "project": _PROJECT,
        "baseline": Meaning("Name of the baseline.", "", "approved"),
        "set_on": Meaning("Day on which it was set.", "date", "2026-12-01"),
        "start": Meaning("Start as planned then.", "period", "2027-02"),
        "duration": Meaning("Duration as planned then.", "whole periods", "6"),
        "effort": Meaning("Effort as planned then.", "hours", "4200"),
        "cost": Meaning("Cost as planned then.", "currency", "150000"),
    },
    "progress": {
        "project": _PROJECT,
        "as_of": Meaning("Day on which this held.", "date", "2027-03-31"),
        "percent_complete": Meaning("Work done by then.", "0 to 100", "45"),
        "planned_value": Meaning(
            "Budget of the work planned by then (PV); blank = from the baseline.",
            "currency",
            "90000",
        ),
        "earned_value": Meaning(
            "Budget of the work done by then (EV); blank = from percent_complete.",
            "currency",
            "81000",
        ),
        "actual_cost": Meaning(
            "Money spent by then, all in all (AC); blank = from actuals.",
            "currency",
            "88000",
        ),
        "actual_hours": Meaning(
            "Hours worked by then, all in all; blank = from actuals.", "hours", "1200"
        ),
        "remaining_hours": Meaning("Hours still needed.", "hours", "1500"),
        "forecast_finish": Meaning(
            "Last day of work as expected then.", "date", "2027-08-31"
        ),
        "rag": Meaning("Colour that was reported.", "", "amber"),
        "comment": Meaning("What was said with it.", "", "Supplier is two weeks late"),
        "author": Meaning("Who reported it.", "", "Susanne Busch"),
    },
    "milestones": {
        "project": _PROJECT,
        "milestone": Meaning("Name of the milestone.", "", "Go live"),
        "as_of": Meaning(
            "Day on which this held; blank = before all others.", "date", "2027-03-31"
        ),
        "baseline": Meaning("Day as promised.", "date", "2027-06-30"),
        "forecast": Meaning("Day as expected then.", "date", "2027-07-15"),
        "actual": Meaning("Day on which it was reached.", "date", "2027-07-12"),
        "kind": Meaning("Kind of milestone.", "", "gate"),
    },
    "sprints": {
        "team": Meaning("Team, with a unit of its own.", "", "Claims"),
        "sprint": Meaning("Key of the sprint within the team.", "", "2027-07"),
        "start": Meaning("First day.", "date", "2027-03-29"),
        "end": Meaning("Last day.", "date", "2027-04-09"),
        "planned_days": Meaning("Length as planned.", "days", "12"),
        "elapsed": Meaning(
            "Share of the planned time gone by when this was seen.", "0 to 1", "0.5"
        ),
        "members": Meaning("People in the team.", "people", "6"),
        "committed": Meaning("Promised at its start.", "the team's unit", "34"),
        "added": Meaning("Added since.", "the team's unit", "3"),
        "removed": Meaning("Taken out since.", "the team's unit", "0"),
        "to_do": Meaning("Not begun.", "the team's unit", "12"),
        "in_progress": Meaning("Begun.", "the team's unit", "10"),
        "done": Meaning("Done by then.", "the team's unit", "15"),
        "delivered": Meaning(
            "Done at its end; blank while it runs.", "the team's unit", "31"
        ),
    },
}

SETTING_TEXTS: dict[str, Meaning] = {
    "name": Meaning("Name of the portfolio.", "", "Portfolio 2027"),
    "start": Meaning("First period that is planned.", "period", "2027-01"),
    "periods": Meaning("How many periods are planned.", "periods", "24"),
    "freq": Meaning("W weeks, M months, Q quarters, Y years; Q-MAR, Y-MAR.", "", "M"),
    "discount": Meaning("Discount rate.", "per period", "0.005"),
    "source": Meaning("What counts: value, benefits or sum.", "", "value"),
    "net_of_spend": Meaning("Subtract spend from the worth.", "true, false", "false"),
    "weigh_by_probability": Meaning(
        "Multiply worth by projects.probability; otherwise it counts in full.",
        "true, false",
        "false",
    ),
    "currency": Meaning("Name of the currency, for labels.", "", "EUR"),
    "hours_per_week": Meaning("Hours of a full contract.", "hours a week", "40"),
    "country": Meaning("Country of people who name none.", "", "DE"),
    "workweek": Meaning(
        "Days worked, or hours of each day, by who has no workweek of their own; blank "
        "= the weekdays of each country.",
        "",
        "Mon-Fri",
    ),
    "country_workweeks": Meaning(
        "The same for single countries.", "", "IL: Sun-Thu; AE: Mon-Fri"
    ),
}
